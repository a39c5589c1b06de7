"""What every page's frame needs: the portal's name and look, the menu, who is here, the demo's clock."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from flask import g, get_flashed_messages, request

from fxo.core.events.store import request_id
from fxo.core.scope import Permission
from fxo.web import identity
from fxo.web.assets import PLATFORM_BRAND, brand_of_place, theme_url
from fxo.web.clock_bar import clock_bar
from fxo.web.places import OPS, PARTNERS, PORTAL, Place

_MENUS: dict[str, list[tuple[str, str, Permission | None]]] = {
    PORTAL: [
        ("Find an expert", "/", None),
        ("Your sessions", "/sessions", Permission.BOOK),
        ("Settings", "/admin", Permission.MANAGE_TENANT),
    ],
    PARTNERS: [("Sessions", "/", None), ("Availability", "/availability", None), ("Earnings", "/earnings", None)],
    OPS: [("Platform", "/", None), ("Ledger", "/ledger", None), ("Alarms", "/alarms", None)],
}


def frame(*, bare: bool = False) -> dict[str, Any]:
    """The variables of `base.html`. `bare` asks nobody anything: for pages that say that something is broken."""
    place: Place | None = g.get("place")
    known = place is not None and place.kind in _MENUS
    user = identity.me() if known and not bare else None
    config = place.config if place else None
    return {
        "portal": {
            "name": config.name if config else "fxo",
            "sub": {PARTNERS: "Experts", OPS: "Operations"}.get(place.kind if place else "", ""),
            "tagline": (config.brand.get("tagline") if config else None) or "fractional technology leaders, by the hour",
            "logo_text": (config.brand.get("logo_text") if config else None) or (config.name if config else "fxo"),
            "logo_url": None,
            "kind": place.kind if known and place else PORTAL,
            "home_url": "/",
            "sign_in_url": "/sign-in",
            "footer_links": [],
        },
        "nav": _nav(place, user) if known and place else [],
        "viewer": _viewer(user),
        "theme": request.cookies.get("theme", ""),
        "theme_url": theme_url(brand_of_place() if known else PLATFORM_BRAND),
        "messages": []
        if bare
        else [{"kind": kind, "title": "", "text": text} for kind, text in get_flashed_messages(with_categories=True)],
        "clock_bar": None if bare or not known else clock_bar(request.full_path.rstrip("?")),
        "request_id": request_id.get(),
    }


def _nav(place: Place, user: identity.User | None) -> list[dict[str, Any]]:
    if place.kind != PORTAL and user is None:
        return []
    return [
        {"label": label, "url": url, "current": request.path == url or (url != "/" and request.path.startswith(url))}
        for label, url, permission in _MENUS[place.kind]
        if permission is None or (user is not None and user.actor.may(permission))
    ]


def _viewer(user: identity.User | None) -> dict[str, Any] | None:
    if user is None:
        return None
    return {
        "name": user.name,
        "initials": initials(user.name),
        "tone": tone(user.get_id()),
        "mail": user.mail,
        "menu": [],
        "sign_out_url": "/sign-out",
    }


def initials(name: str) -> str:
    """The monogram of a person."""
    words = [word for word in name.split() if word[0].isalnum()]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper() if words else "?"


def tone(key: str) -> int:
    """Which of the six quiet grounds a monogram stands on."""
    return crc32(key.encode()) % 6
