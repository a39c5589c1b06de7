"""The providers of a portal: which are on, in which order, and how they fare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import redirect, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.clock import system_now
from fxo.core.errors import NotFound
from fxo.core.plugins import fared
from fxo.core.plugins.fared import Seen
from fxo.core.scope import Permission, TenantConfig
from fxo.tenants import choosing
from fxo.web import forms, identity, provider_words
from fxo.web.admin import standing
from fxo.web.admin.blueprint import blueprint, page, reading, run
from fxo.web.language import _
from fxo.web.places import here
from fxo.web.said import done

_HERE = "/admin/providers"


@blueprint.get("/providers")
@identity.needs(Permission.MANAGE_TENANT)
def providers() -> ResponseReturnValue:
    """Each kind with its providers: those that are asked, in their order, and those that could be."""
    config = here().tenant
    with reading() as tx:
        seen = {each.provider: each for each in fared.read(tx.driver, system_now())}
    return page(
        "admin/providers.html",
        groups=[
            {
                "port": port, "note": _about(port), "version": standing.version(config, port), "rows": _rows(config, port, seen),
                "title": _("Messages to people") if port == "notifications" else title,
            }
            for port, title in provider_words.ports().items() if _names(config, port)
        ],
    )  # fmt: skip


def _about(port: str) -> str:
    return {
        "matching": _("The local ranking is always there, at once. Others refine it, the first one that answers."),
        "calendars": _("A session is written into the first calendar of these that its expert has connected."),
        "payments": _("One provider takes new payments. What was paid with another one stays there, with refunds and disputes."),
        "notifications": _("For each channel the first one is asked, and the next one where it cannot."),
        choosing.PLUGINS: _("They hear of bookings and sessions, and do with it what their settings say."),
    }[port]


def _rows(config: TenantConfig, port: str, seen: Mapping[str, Seen]) -> list[dict[str, Any]]:
    asked = standing.asked(config, port)
    movable = [choice.name for choice in config.chosen(port)] if port != "payments" else []
    return [
        _row(config, name, seen, on=name in asked) | {
            "place": _place(name, asked, movable),
            "earlier": name in movable[1:], "later": name in movable[:-1],
        }
        for name in _names(config, port)
    ]  # fmt: skip


def _row(config: TenantConfig, name: str, seen: Mapping[str, Seen], *, on: bool) -> dict[str, Any]:
    return {
        "name": name, "label": provider_words.label(name), "url": f"{_HERE}/{name}", "note": standing.account(config, name),
        "badge": standing.badge(config, name, seen, on=on),
        "line": provider_words.line(standing.seen_of(config, name, seen)),
    }  # fmt: skip


def _place(name: str, asked: Sequence[str], chosen: Sequence[str]) -> str:
    if name not in asked or name in standing.listeners():
        return ""
    if standing.always(name) and name not in chosen:
        return _("always")
    number = asked.index(name) + 1
    return _("first") if number == 1 else _("number %(number)s", number=number)


def _names(config: TenantConfig, port: str) -> list[str]:
    """Those that are asked first, then all others that are set up or could be."""
    asked = standing.asked(config, port)
    others = [choice.name for choice in config.providers.get(port, ()) if choice.name not in asked]
    loaded = sorted(name for name, spec in platform.current().plugins.specs.items() if spec.port == port)
    return [*asked, *others, *(name for name in loaded if name not in asked and name not in others and standing.offers(name))]


@blueprint.post("/providers/order")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def order_providers() -> ResponseReturnValue:
    """Ask one of them earlier, or later."""
    config, form = here().tenant, request.form
    port, name = form.get("port", ""), form.get("name", "")
    names = [choice.name for choice in config.chosen(port)]
    if port == "payments" or name not in names:
        raise NotFound("There is no such provider.")
    place = names.index(name)
    other = place - 1 if form.get("way") == "earlier" else place + 1
    if 0 <= other < len(names):
        names[place], names[other] = names[other], names[place]
        run(choosing.arrange, port, names, standing.known(), form.get("version", ""))
        done(_("Kept. It counts from the next request on."))
    return redirect(f"{_HERE}#{port}", 303)
