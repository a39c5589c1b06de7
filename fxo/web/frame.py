"""What every page's frame needs: the portal's name and look, the menu, who is here, the demo's clock."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from flask import g, get_flashed_messages, request

from fxo.core.events.store import request_id
from fxo.core.scope import Permission
from fxo.web import again, identity, theme_choice
from fxo.web.assets import PLATFORM_BRAND, brand_of_place, theme_url
from fxo.web.clock_bar import clock_bar
from fxo.web.language import _
from fxo.web.places import OPS, PARTNERS, PORTAL, Place

_PEOPLE = (PORTAL, PARTNERS, OPS)


def _menu(place: str) -> list[tuple[str, str, Permission | None]]:
    """The pages of a place's menu, each with what one must be allowed for it."""
    match place:
        case "portal":
            return [
                (_("Find an expert"), "/", None),
                (_("Directory"), "/experts", None),
                (_("Your sessions"), "/sessions", Permission.BOOK),
                (_("Administration"), "/admin", Permission.MANAGE_TENANT),
            ]
        case "partners":
            return [
                (_("Today"), "/", None),
                (_("Sessions"), "/sessions", None),
                (_("Availability"), "/availability", None),
                (_("Earnings"), "/earnings", None),
            ]
        case "ops":
            return [
                (_("Overview"), "/", None),
                (_("Alarms"), "/alarms", None),
                (_("Tenants"), "/tenants", None),
                (_("Partners"), "/partners", None),
                (_("Payments"), "/payments", None),
                (_("Payouts"), "/payouts", None),
                (_("Ledger"), "/ledger", None),
                (_("Integrity"), "/integrity", None),
            ]
    return []


def _own(place: str, user: identity.User) -> list[dict[str, Any]]:
    """The places of who is signed in, for the menu under their name."""
    help_ = {"label": _("Help"), "url": "/help", "icon": "circle-question-mark"}
    match place:
        case "portal":
            receipts = {"label": _("Receipts"), "url": "/receipts", "icon": "receipt"}
            return [receipts, {"label": _("Settings"), "url": "/settings", "icon": "settings"}, help_]
        case "partners":
            settings = {"label": _("Settings"), "url": "/settings", "icon": "settings"}
            own = {"label": _("Your calendar"), "url": "/calendar", "icon": "calendar-clock"}
            return [{"label": _("Profile"), "url": "/profile", "icon": "user"}, own, settings, help_]
    return [help_]


def _footer(place: str) -> list[dict[str, str]]:
    """The pages that say how all this works (`fxo.web.about`)."""
    shared = [{"label": _("Privacy"), "url": "/privacy"}, {"label": _("Terms"), "url": "/terms"}]
    help_ = {"label": _("Help"), "url": "/help"}
    match place:
        case "portal":
            return [{"label": _("How payment works"), "url": "/how-payment-works"}, *shared, help_]
        case "partners":
            return [{"label": _("How you are paid"), "url": "/how-payment-works"}, *shared, help_]
    return [help_]


def frame(*, bare: bool = False) -> dict[str, Any]:
    """The variables of `base.html`. `bare` asks nobody anything: for pages that say that something is broken."""
    place: Place | None = g.get("place")
    known = place is not None and place.kind in _PEOPLE
    user = identity.me() if known and not bare else None
    config = place.config if place else None
    return {
        "portal": {
            "name": config.name if config else "fxo",
            "sub": {PARTNERS: _("Experts"), OPS: _("Operations")}.get(place.kind if place else "", ""),
            "tagline": (config.brand.get("tagline") if config else None) or _("fractional technology leaders, by the hour"),
            "logo_text": (config.brand.get("logo_text") if config else None) or (config.name if config else "fxo"),
            "logo_url": config.brand.get("logo_url") or None if config else None,
            "kind": place.kind if known and place else PORTAL,
            "home_url": "/",
            "sign_in_url": None if request.path == "/sign-in" else "/sign-in",
            "footer_links": _footer(place.kind) if known and place else [],
        },
        "nav": _nav(place, user) if known and place else [],
        "viewer": _viewer(place, user),
        "theme": theme_choice.chosen(user),
        "theme_action": "/settings/theme" if known and not bare else None,
        "return_to": _return_to(),
        "commands": None if bare else _commands(place, user),
        "theme_url": theme_url(brand_of_place() if known else PLATFORM_BRAND),
        "messages": []
        if bare
        else [
            {"kind": kind, "title": "", **(said if isinstance(said, dict) else {"text": said})}
            for kind, said in get_flashed_messages(with_categories=True)
        ],
        "clock_bar": None if bare or not known else clock_bar(_return_to()),
        "request_id": request_id.get(),
    }


def _nav(place: Place, user: identity.User | None) -> list[dict[str, Any]]:
    if place.kind != PORTAL and user is None:
        return []
    return [
        {"label": label, "url": url, "current": request.path == url or (url != "/" and request.path.startswith(url))}
        for label, url, permission in _menu(place.kind)
        if permission is None or (user is not None and user.actor.may(permission))
    ]


def _viewer(place: Place | None, user: identity.User | None) -> dict[str, Any] | None:
    if user is None or place is None:
        return None
    return {
        "name": user.name,
        "initials": initials(user.name),
        "tone": tone(user.get_id()),
        "mail": user.mail,
        "menu": _own(place.kind, user),
        "sign_out_url": "/sign-out",
    }


def _commands(place: Place | None, user: identity.User | None) -> list[dict[str, Any]] | None:
    """The command menu of partners and operators: every page of their menu, and what is their own."""
    if place is None or user is None or place.kind not in (PARTNERS, OPS):
        return None
    own = [*_own(place.kind, user), *({"icon": "file-text"} | link for link in _footer(place.kind) if link["url"] != "/help")]
    return [
        {"title": _("Go to"), "entries": [{"label": item["label"], "url": item["url"]} for item in _nav(place, user)]},
        {"title": _("Yours"), "entries": own},
    ]


def _return_to() -> str:
    """Where a form of the frame comes back to: this page, or the one before where this one answers a form."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    return again.before()


def initials(name: str) -> str:
    """The monogram of a person."""
    words = [word for word in name.split() if word[0].isalnum()]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper() if words else "?"


def tone(key: str) -> int:
    """Which of the six quiet grounds a monogram stands on."""
    return crc32(key.encode()) % 6
