"""A calendar, as fxo sees it: hook implementations and nothing else, so that starting fxo imports no SDK."""

from __future__ import annotations

from fxo.core.hookspecs import ProviderSpec, hookimpl


@hookimpl
def fxo_register_calendar_provider() -> ProviderSpec:
    from .provider import AcmeCalendar, Settings

    return ProviderSpec("calendar_acme", "calendars", AcmeCalendar, settings=Settings)
