"""A database for measurements: embedded, durable, migrated, thrown away afterwards."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from time import perf_counter

import psutil
from sqlalchemy import make_url

from fxo import embedded
from fxo.core.plugins import build_plugin_manager
from fxo.core.ports import PORTS
from fxo.migrations import initialise, migrate
from fxo.settings import Settings

Operation = Callable[[], object]
Rows = list[tuple[str, str]]


@contextmanager
def database(**values: object) -> Iterator[Settings]:
    """Settings with a fresh database on an embedded server that writes to disk as in production."""
    with tempfile.TemporaryDirectory() as folder, embedded.servers(Path(folder), durable=True) as servers:
        try:
            url = make_url(servers.admin_url)
            app = url.set(username="fxo_app", password="for-measurements-only", database="fxo_bench")
            settings = Settings(
                _env_file=None,
                database_url=app.render_as_string(hide_password=False),
                database_admin_url=servers.admin_url,
                redis_url=servers.redis_url,
                secret_key="for measurements only, thirty-two characters",
                master_key="42" * 32,
                log_level="WARNING",
                **values,
            )
            initialise(settings)
            plugins = build_plugin_manager(PORTS)
            migrate(settings, {name: sorted(path.glob("*.sql")) for name, path in plugins.folders("fxo_migrations")})
            yield settings
        finally:
            pass
    embedded.remove(Path(folder))


def rate(workers: list[Operation], seconds: float) -> float:
    """Operations a second, all workers together, each in a thread of its own."""
    counts, ready, stop = [0] * len(workers), threading.Barrier(len(workers) + 1), threading.Event()

    def work(number: int) -> None:
        operation = workers[number]
        operation()
        ready.wait()
        while not stop.is_set():
            operation()
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(workers))]
    for thread in threads:
        thread.start()
    ready.wait()
    began = perf_counter()
    stop.wait(seconds)
    stop.set()
    took = perf_counter() - began
    for thread in threads:
        thread.join()
    return sum(counts) / took


Rates = dict[str, dict[int, list[float]]]
"""Of each variant, at each number of workers: the rate of every round."""


def interleaved(
    variants: dict[str, Callable[[int], list[Operation]]], sizes: tuple[int, ...], *, rounds: int = 11, seconds: float = 0.4
) -> Rates:
    """The rates of each variant at each number of workers. Rounds are short and alternate, since machines are noisy."""
    found: Rates = {name: {size: [] for size in sizes} for name in variants}
    for size in sizes:
        workers = {name: make(size) for name, make in variants.items()}
        for _ in range(rounds):
            for name in variants:
                found[name][size].append(rate(workers[name], seconds))
    return found


def ratio(rates: Rates, one: str, other: str, size: int) -> str:
    """The median over the rounds of one variant's rate to the other's in the same round, with both rates' medians."""
    ours, theirs = rates[one][size], rates[other][size]
    middle = median(mine / yours for mine, yours in zip(ours, theirs, strict=True))
    return f"{middle:.2f} ({median(ours):.0f} of {median(theirs):.0f} a second)"


def processor_seconds() -> float:
    """What the servers of this measurement have worked so far: a machine that is busy with others does not change that."""
    found = 0.0
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            times = child.cpu_times()
            found += times.user + times.system
    return found
