"""The partners' workspace: the day, sessions over all tenants, availability, earnings, own profile and settings."""

from fxo.web.partner import (
    account,
    availability,
    calendar,
    dashboard,
    days,
    earnings,
    payouts,
    plans,
    profile,
    session,
    sessions,
    settings,
)
from fxo.web.partner.blueprint import blueprint

__all__ = [
    "account", "availability", "blueprint", "calendar", "dashboard", "days", "earnings", "payouts", "plans", "profile", "session",
    "sessions", "settings",
]  # fmt: skip
