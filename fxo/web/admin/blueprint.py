"""The blueprint that the modules of the administrator's pages hang them on, and the frame of such a page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from fxo import platform
from fxo.web import identity
from fxo.web.frame import frame
from fxo.web.language import _

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


def page(template: str, **values: Any) -> str:
    """A page of the administrator, with the menu at its side."""
    return render_template(template, **frame(), rail=_rail(), **values)


def _rail() -> list[dict[str, Any]]:
    groups = [
        ("", [(_("Overview"), "/admin", "list")]),
        (_("Look"), [(_("Branding"), "/admin/branding", "palette")]),
        (
            _("Service"),
            [
                (_("Roster and prices"), "/admin/roster", "briefcase-business"),
                (_("Booking rules"), "/admin/policy", "calendar-clock"),
                (_("Providers"), "/admin/providers", "plug"),
                (_("Calendars"), "/admin/calendars", "calendar"),
                (_("Tax and receipts"), "/admin/tax", "receipt"),
            ],
        ),
        (_("People"), [(_("Members"), "/admin/members", "users")]),
        (_("Programs"), [(_("API keys"), "/admin/api-keys", "key-round")]),
    ]
    return [
        {"title": title, "entries": [
            {"label": label, "url": url, "icon": icon,
             "current": request.path == url or (url != "/admin" and request.path.startswith(url + "/"))}
            for label, url, icon in entries
        ]}
        for title, entries in groups
    ]  # fmt: skip


def run(command: Any, *args: Any, **kwargs: Any) -> Any:
    """Run a command as this administrator in their tenant."""
    return platform.current().store.run(identity.scope(), identity.required().actor, command, *args, **kwargs)


def reading() -> Any:
    """A transaction of this administrator in their tenant."""
    return platform.current().store.transaction(identity.scope(), identity.required().actor)
