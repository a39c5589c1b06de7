"""Asking and telling plugins about bookings: one plugin's failure stays its own."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from fxo.core.hookspecs import OBSERVERS, Booking, Erasure
from fxo.core.plugins.calls import refuse_inside_transaction, trace
from fxo.core.plugins.manager import Implementation
from fxo.core.plugins.providers import Providers
from fxo.core.plugins.resilience import ASKING_SECONDS
from fxo.core.scope import TenantConfig

log = logging.getLogger(__name__)
CANNOT_CHECK = "This booking cannot be checked at the moment. Please try again in a few minutes."


def booking_requested(providers: Providers, config: TenantConfig, booking: Booking) -> str | None:
    """The reason why a plugin refuses this booking, as a sentence for the client, or None.

    Called before the transaction. A plugin that fails agrees, unless the tenant has marked it as required.
    """
    refuse_inside_transaction("fxo_booking_requested")
    missing = set(config.required_plugins)
    for name, implementation in providers.plugins.implementations("fxo_booking_requested"):
        try:
            reason = _call(providers, config, name, implementation, booking, ASKING_SECONDS)
            if reason is not None and not (isinstance(reason, str) and reason.strip()):
                raise TypeError(f"a {type(reason).__name__} is no reason")
        except Exception as error:
            log.warning("%s failed at fxo_booking_requested: %s", name, trace(error))
            continue
        missing.discard(name)
        if reason is not None:
            return str(reason)
    return CANNOT_CHECK if missing else None


def observe(
    providers: Providers, config: TenantConfig, hook: str, booking: Booking, *, only: Collection[str] | None = None
) -> list[tuple[str, Exception]]:
    """Tell every plugin that implements the hook, or `only` those; who failed, and how, so that they alone are told again."""
    if hook not in OBSERVERS:
        raise ValueError(f"{hook} does not observe anything")
    refuse_inside_transaction(hook)
    failures: list[tuple[str, Exception]] = []
    for name, implementation in providers.plugins.implementations(hook):
        if only is not None and name not in only:
            continue
        try:
            _call(providers, config, name, implementation, booking, providers.seconds)
        except Exception as error:
            log.warning("%s failed at %s: %s", name, hook, trace(error))
            failures.append((name, error))
    return failures


def forget(providers: Providers, config: TenantConfig, plugin: str, erasure: Erasure) -> None:
    """Let this plugin forget somebody; its own exception says that it has not."""
    refuse_inside_transaction("fxo_person_erased")
    implementation = dict(providers.plugins.implementations("fxo_person_erased"))[plugin]

    def call() -> Any:
        return implementation(erasure=erasure, context=providers.context(config, plugin))

    providers.bulkheads[plugin].run(call, providers.seconds)


def health(providers: Providers) -> list[tuple[str, str | None]]:
    """Each plugin that looks after itself, with what is wrong with it."""
    found: list[tuple[str, str | None]] = []
    for name, implementation in providers.plugins.implementations("fxo_health_check"):
        try:
            found.append((name, providers.bulkheads[name].run(implementation, ASKING_SECONDS)))
        except Exception as error:
            log.warning("%s failed at fxo_health_check: %s", name, trace(error))
            found.append((name, "does not answer"))
    return found


def warm_up(providers: Providers) -> None:
    """Let each plugin load what the first request would wait for; one that raises is logged."""
    for name, implementation in providers.plugins.implementations("fxo_warm_up"):
        try:
            implementation()
        except Exception as error:
            log.warning("%s failed at fxo_warm_up: %s", name, trace(error))


def _call(
    providers: Providers, config: TenantConfig, name: str, implementation: Implementation, booking: Booking, seconds: float
) -> Any:
    def call() -> Any:
        return implementation(booking=booking, context=providers.context(config, name))

    return providers.bulkheads[name].run(call, seconds)
