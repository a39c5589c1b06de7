"""A day of the requirement at once: 500 sessions are completed, and two worker processes take their money and tell everybody."""

from __future__ import annotations

import json
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

from bench.support import Rows
from fxo import embedded
from fxo.core.integrity import counters
from fxo.core.partners import commands as partners
from fxo.core.partners.importing import read
from fxo.core.scope import CODE, system_scope
from fxo.embedded.processes import free_port, wait_until
from tests.conftest import HERE, Databases, Given, write
from tests.support.money import agreed
from tests.support.processes import Processes
from tests.support.story import Story, story

EXPERTS = CLIENTS = 50
HOURS, FROM = 10, timedelta(hours=26)
"""How many hours of sessions there are, and how long before the first of them they are booked."""

SESSIONS = EXPERTS * HOURS
"""As many as the PRD's day has (AR-1.3)."""

WORKERS = 2
AIM = timedelta(minutes=5)
"""For all of it; and from each completion to its capture (PRD FR-2.2)."""

QUIET = 1_800
"""Seconds after which nobody waits any longer."""


def run() -> Rows:
    """The measurement as (what, figure) rows for people."""
    with tempfile.TemporaryDirectory() as folder, embedded.servers(Path(folder) / "servers") as servers:
        given = Given(servers.admin_url, servers.redis_url, Path(folder) / "servers" / "logs" / "postgres.log")
        databases = Databases(given, durable=True)
        values = {"port": free_port(), "redis_url": servers.redis_url, "sweep_seconds": 1, "idle_seconds": 30}
        with story(databases, **values) as told:
            with Processes(told.settings, Path(folder)) as children:
                children.web()  # which the card network's notices come to
                for number in range(1, WORKERS + 1):
                    children.worker(f"worker {number}")
                children.sweeper()
                rows = _day(told)
                errors = [line for number in range(1, WORKERS + 1) for line in children.errors(f"worker {number}")]
                assert errors == [], errors[:3]
            wrong, differences = sum(counters(told.parts.store).values()), len(agreed(told))
        databases.close()
    embedded.remove(Path(folder) / "servers")
    return [*rows, ("integrity counters, differences in the ledger and with the provider (none)", f"{wrong}, {differences}")]


def _day(told: Story) -> Rows:
    """Book, let the day pass, complete, and wait until nothing is left to do; the workers do the rest all the while."""
    told, booked = _booked(told)
    told.until_quiet(QUIET)
    told.sleep_until(told.ahead(FROM + timedelta(hours=HOURS)))
    told.until_quiet(QUIET)
    began = time.monotonic()
    for session, expert in booked.items():
        told.complete(session, expert)
    completed = time.monotonic() - began
    assert wait_until(lambda: _captured(told) == SESSIONS, QUIET), f"{_captured(told)} of {SESSIONS} were captured"
    captured = time.monotonic() - began
    told.until_quiet(QUIET)
    ended = time.monotonic() - began
    waited = [
        float(seconds)
        for (seconds,) in told.rows(
            "select extract(epoch from y.captured_at - c.completed_at) from payments y join consultations c on c.id ="
            " y.consultation_id where y.state = 'captured'"
        )
    ]
    [(done,)] = told.rows("select count(*) from work where done_at >= (select min(completed_at) from consultations)")
    within = f"{AIM.total_seconds() / 60:.0f} minutes"
    return [
        (f"{SESSIONS} sessions completed, one after the other", f"{completed:.0f} s"),
        (f"all captured, since the first completion (under {within})", f"{captured:.0f} s"),
        ("no work left: receipts written, everybody told", f"{ended:.0f} s, {done} pieces of work"),
        (
            f"from a completion to its capture, median / p95 / longest (within {within}; 10 s of them are the time to undo)",
            f"{median(waited):.1f} / {quantiles(waited, n=20)[-1]:.1f} / {max(waited):.1f} s",
        ),
    ]


def _booked(told: Story) -> tuple[Story, dict[UUID, str]]:
    """Every expert has a session in every hour of the day; who has which, and the world with these experts."""
    told = _with_experts(told)
    clients = [told.newcomer() for _ in range(CLIENTS)]
    first, booked = told.ahead(FROM), {}
    for hour in range(HOURS):
        for client, expert in zip(clients, _experts(), strict=True):
            session = told.hold(expert, first + timedelta(hours=hour), by=client)
            told.perform(told.ask_to_pay(session, by=client))
            booked[session] = expert
    return told, booked


def _experts() -> list[str]:
    return [f"expert-{number}" for number in range(EXPERTS)]


def _with_experts(told: Story) -> Story:
    """The same world with experts like Ines, who is free around the clock and needs no rest between two sessions."""
    ines = next(one for one in json.loads((HERE / "support" / "partners.json").read_text()) if one["id"] == "ines")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([ines | {"id": name, "email": f"{name}@partners.example"} for name in _experts()], file)
        file.flush()
        ids = write(system_scope("partners"), CODE, partners.import_partners, read(Path(file.name)), {})
    write(told.scope, CODE, partners.add_to_roster, ids)
    return Story(told.settings, told.parts, told.config, told.client, told.partners | dict(zip(_experts(), ids, strict=True)))


def _captured(told: Story) -> int:
    [(number,)] = told.rows("select count(*) from payments where state = 'captured'")
    return int(number)
