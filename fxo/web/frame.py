"""What every page's frame needs: the portal's name and look, the menu, who is here, the demo's clock."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from flask import g, get_flashed_messages, request

from fxo import platform
from fxo.core.clock import in_zone
from fxo.core.events.store import request_id
from fxo.core.scope import CODE, Permission, system_scope
from fxo.web import identity
from fxo.web.assets import PLATFORM_BRAND, brand_of_place, theme_url
from fxo.web.places import OPS, PARTNERS, PORTAL, Place

_MENUS: dict[str, list[tuple[str, str, Permission | None]]] = {
    PORTAL: [
        ("Find an expert", "/", None),
        ("Your sessions", "/sessions", Permission.BOOK),
        ("Administration", "/admin", Permission.MANAGE_TENANT),
    ],
    PARTNERS: [("Sessions", "/", None), ("Availability", "/availability", None), ("Earnings", "/earnings", None)],
    OPS: [
        ("Overview", "/", None),
        ("Alarms", "/alarms", None),
        ("Tenants", "/tenants", None),
        ("Partners", "/partners", None),
        ("Ledger", "/ledger", None),
    ],
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
            "logo_url": (config.brand.get("logo_url") if config else None) or None,
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
        else [
            {"kind": kind, "title": "", **(said if isinstance(said, dict) else {"text": said})}
            for kind, said in get_flashed_messages(with_categories=True)
        ],
        "clock_bar": None if bare or not known else _clock_bar(),
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


def _clock_bar() -> dict[str, Any] | None:
    parts = platform.current()
    if not parts.settings.demo:
        return None
    with parts.store.transaction(system_scope("clock"), CODE) as tx:
        now = tx.now
    user = identity.me()
    zone = user.zone if user else "UTC"
    return {
        "now": {"text": in_zone(now, zone), "iso": now.isoformat()},
        "action": "/demo/clock",
        "return_to": request.full_path.rstrip("?"),
        "outbox_url": "/demo/outbox",
    }


def initials(name: str) -> str:
    """The monogram of a person."""
    words = [word for word in name.split() if word[0].isalnum()]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper() if words else "?"


def tone(key: str) -> int:
    """Which of the six quiet grounds a monogram stands on."""
    return crc32(key.encode()) % 6
