"""Calendars without a calendar service: meetings on a page of our own. Partners' time is what the platform itself has booked."""

from __future__ import annotations

from pathlib import Path

from fxo.core.hookspecs import ProviderSpec, hookimpl


@hookimpl
def fxo_register_calendar_provider() -> ProviderSpec:
    from .provider import LocalCalendar

    return ProviderSpec("calendar_local", "calendars", LocalCalendar, label="Mail invitations")


@hookimpl
def fxo_migrations() -> Path:
    return Path(__file__).parent / "migrations"
