"""What calling a hook costs with ten plugins that do nothing (the aim: under 50 µs), and what the guard around each adds."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter, process_time
from types import ModuleType

from fxo.core.hookspecs import Booking, hookimpl
from fxo.core.ids import new_id
from fxo.core.money import Money
from fxo.core.plugins import ProviderContext, Providers, booking_requested, build_plugin_manager, observe
from fxo.core.ports import PORTS
from fxo.core.scope import TenantConfig
from fxo.settings import Settings

PLUGINS, CALLS, ROUNDS = 10, 200, 21
NOW = datetime(2027, 3, 8, 9, 0, tzinfo=UTC)
BOOKING = Booking(new_id(), new_id(), new_id(), new_id(), NOW, NOW + timedelta(hours=1), Money(80_000, "USD"), "held")
TENANT = TenantConfig(new_id(), "acme", "Acme", Money(80_000, "USD"), portal_url="https://acme.example")


def fxo_booking_confirmed(booking: Booking, context: ProviderContext) -> None:
    return None


def fxo_booking_requested(booking: Booking, context: ProviderContext) -> None:
    return None


def run() -> list[tuple[str, str]]:
    """The measurements as (what, figure) rows for people."""
    plugins = build_plugin_manager(PORTS, [_plugin(f"idle_{number}") for number in range(PLUGINS)])
    providers = Providers(plugins, Settings(_env_file=None), clock=lambda: NOW, around=nullcontext)
    context = providers.context(TENANT, "idle_0")
    functions = [fxo_booking_confirmed] * PLUGINS

    def plain() -> None:
        for function in functions:
            function(booking=BOOKING, context=context)

    def hook() -> None:
        for _, implementation in plugins.implementations("fxo_booking_confirmed"):
            implementation(booking=BOOKING, context=context)

    def nobody() -> None:
        for _, implementation in plugins.implementations("fxo_booking_cancelled"):
            implementation(booking=BOOKING, context=context)

    def told() -> None:
        observe(providers, TENANT, "fxo_booking_confirmed", BOOKING)

    def told_one() -> None:
        observe(providers, TENANT, "fxo_booking_confirmed", BOOKING, only=["idle_0"])

    def asked() -> None:
        booking_requested(providers, TENANT, BOOKING)

    return [
        (f"plain calls of {PLUGINS} functions", _figure(plain)),
        (f"a hook that {PLUGINS} plugins implement", _figure(hook)),
        (f"a hook that none of {PLUGINS} plugins implements", _figure(nobody)),
        (f"a booking told to one of {PLUGINS} plugins, guarded", _figure(told_one)),
        (f"a booking told to {PLUGINS} plugins, each guarded", _figure(told)),
        (f"{PLUGINS} plugins asked whether a booking may be made, each guarded", _figure(asked)),
    ]


def _plugin(name: str) -> ModuleType:
    module = ModuleType(name)
    for function in (fxo_booking_confirmed, fxo_booking_requested):
        # Each plugin marks functions of its own, as in its own module.
        own = type(function)(function.__code__, function.__globals__, function.__name__)
        setattr(module, function.__name__, hookimpl(own))
    return module


def _figure(call: Callable[[], object]) -> str:
    """Median and best over the rounds of the time for one call, and the processor's part of the median."""
    call()
    took, busy = [], []
    for _ in range(ROUNDS):
        gc.collect()
        began, worked = perf_counter(), process_time()
        for _ in range(CALLS):
            call()
        took.append((perf_counter() - began) / CALLS * 1e6)
        busy.append((process_time() - worked) / CALLS * 1e6)
    return f"median {median(took):.1f} µs, best {min(took):.1f} µs; {median(busy):.1f} µs of processor time"
