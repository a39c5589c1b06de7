"""The choices of forms: zones, industries, urgencies; and parsing what comes back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from fxo.core.errors import Invalid, NotFound
from fxo.core.ids import parse_id
from fxo.core.matching.port import STAGES, URGENCIES
from fxo.core.zones import zone_names
from fxo.web.language import N_, _

INDUSTRIES = (
    N_("Aerospace and defence"), N_("Agriculture and food"), N_("Banking"), N_("Construction and real estate"),
    N_("E-commerce"), N_("Education"), N_("Energy and utilities"), N_("Fintech"), N_("Gaming"), N_("Healthcare"),
    N_("Hospitality and travel"), N_("Insurance"), N_("Logistics"), N_("Manufacturing"), N_("Media"), N_("Nonprofit"),
    N_("Pharmaceuticals"), N_("Private equity"), N_("Professional services"), N_("Public sector"), N_("Retail"), N_("Software"),
    N_("Telecommunications"),
)  # fmt: skip
"""The labels that the local ranker reads out of a brief, so that what was read is always among the choices."""


def zones() -> list[dict[str, Any]]:
    """Every time zone as an option, by region."""
    return [{"value": "", "label": _("Choose your time zone")}, *_zones()]


@cache
def _zones() -> list[dict[str, Any]]:
    regions: dict[str, list[dict[str, str]]] = {}
    for name in sorted(_zone_names()):
        region, _slash, place = name.partition("/")
        if place:
            label = ", ".join(reversed(place.replace("_", " ").split("/")))
            regions.setdefault(region, []).append({"value": name, "label": label})
    return [{"value": "UTC", "label": "UTC"}, *({"group": region, "items": regions[region]} for region in regions)]


def industries(any_value: str = "") -> list[dict[str, str]]:
    """The industries as options, none first; `any_value` is what "any" sends."""
    return [{"value": any_value, "label": _("Any industry")}] + [{"value": name, "label": _(name)} for name in INDUSTRIES]


def urgencies(any_value: str = "") -> list[dict[str, str]]:
    """How soon it is needed, as options."""
    labels = {"now": _("Today or tomorrow"), "week": _("This week"), "fortnight": _("Within two weeks")}
    return [{"value": any_value, "label": _("Any time")}] + [{"value": code, "label": labels[code]} for code in URGENCIES]


ROLES = ("CIO", "CTO", "CISO")


def roles(any_value: str = "") -> list[dict[str, str]]:
    """The roles as options."""
    labels = (_("CIO, information technology"), _("CTO, technology and product"), _("CISO, security"))
    return [{"value": any_value, "label": _("Any role")}] + [
        {"value": role, "label": label} for role, label in zip(ROLES, labels, strict=True)
    ]


def stages(any_value: str = "") -> list[dict[str, str]]:
    """How far a company is, as options."""
    labels = {
        "idea": _("Idea or first product"),
        "growing": _("Young company that grows"),
        "mid": _("Established, mid-sized"),
        "large": _("Large organisation"),
    }
    return [{"value": any_value, "label": _("Any size")}] + [{"value": code, "label": labels[code]} for code in STAGES]


def label(options: list[dict[str, str]], value: str) -> str:
    """What that value is called; the value itself where it is none of them."""
    return next((option["label"] for option in options if option["value"] == value), value)


def lacking(codes: Iterable[str]) -> list[str]:
    """What a brief could say more about (`port.LACKING`), in words."""
    labels = {
        "problem": _("What happened, or what you have to decide"),
        "subject": _("Which systems, rules or people it is about"),
        "industry": _("What kind of company you are"),
        "goal": _("What should be different afterwards, and by when"),
    }
    return [labels[code] for code in codes]


def known_zone(zone: str) -> str:
    """The zone, where it is one of the choices; else nothing."""
    return zone if zone in _zone_names() else ""


@cache
def _zone_names() -> frozenset[str]:
    others = ("Etc/", "SystemV/", "posix/", "right/")
    return frozenset({"UTC", *(name for name in zone_names() if "/" in name and not name.startswith(others))})


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
