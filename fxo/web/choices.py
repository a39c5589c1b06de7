"""The choices of forms: zones, industries, urgencies; and parsing what comes back."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from uuid import UUID
from zoneinfo import available_timezones

from fxo.core.errors import Invalid, NotFound
from fxo.core.ids import parse_id
from fxo.core.matching.port import URGENCIES

INDUSTRIES = (
    "Education", "Energy", "Financial services", "Government", "Healthcare", "Insurance", "Logistics", "Manufacturing", "Media",
    "Non-profit", "Professional services", "Real estate", "Retail", "Software", "Telecommunications", "Travel",
)  # fmt: skip


@cache
def zones() -> list[dict[str, str]]:
    """Every time zone as an option, by region."""
    names = sorted(
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/", "posix/", "right/"))
    )
    return [{"value": "", "label": "Choose your time zone"}] + [
        {"value": name, "label": name.replace("_", " ")} for name in ["UTC", *names]
    ]


def industries() -> list[dict[str, str]]:
    """The industries as options, none first."""
    return [{"value": "", "label": "Any industry"}] + [{"value": name, "label": name} for name in INDUSTRIES]


def urgencies() -> list[dict[str, str]]:
    """How soon it is needed, as options."""
    return [{"value": "", "label": "Any time"}] + [{"value": code, "label": label} for code, label in URGENCIES.items()]


def id_from(text: str) -> UUID:
    """The id that an address spells; anything else is not found."""
    found = parse_id(text)
    if found is None:
        raise NotFound("There is no such page here.")
    return found


def path_from(text: str) -> str:
    """The path of this host that a form sends to go back to; the front page for anything that might lead to another site.

    Browsers drop control characters and read a backslash as a slash, so neither may stand in it.
    """
    safe = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if safe else "/"


def instant_from(text: str, field: str = "slot") -> datetime:
    """The moment (ISO 8601 with its offset) that a form sends, in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid("This time could not be read. Please choose one of those shown.", field=field) from error
    if moment.tzinfo is None:
        raise Invalid("This time has no zone. Please choose one of those shown.", field=field)
    if not 2000 <= moment.year < 3000:  # near the calendar's ends no week around it can be computed
        raise Invalid("This time is too far away. Please choose one of those shown.", field=field)
    return moment.astimezone(UTC)
