"""What only the demo has: a clock that can be moved forward, an outbox in place of mails, and people to sign in as."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue
from markupsafe import escape

from fxo import platform
from fxo.core.clock import in_zone
from fxo.core.errors import Conflict, Invalid, NotFound
from fxo.core.work import demo_clock
from fxo.plugins.notifications_email.composing import sender
from fxo.plugins.notifications_email.outbox import Kept, outbox, outbox_message
from fxo.plugins.payments_sandbox.cards import CARDS
from fxo.tenants import demo_people
from fxo.web import choices, clock_bar, forms, identity, security, shown
from fxo.web.choices import path_from
from fxo.web.frame import frame, initials, tone
from fxo.web.language import _
from fxo.web.places import OPS, PARTNERS, PORTAL, here

blueprint = Blueprint("demo", __name__, url_prefix="/demo")

_STEPS = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "next": None}
_LONGEST_PRESS = 20.0
"""Seconds that one press of the clock may work; what is left is done at the next."""
_MEMBERS = 8
_AHEAD = 8
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data: 'self'; frame-ancestors 'self'; base-uri 'none';"
    " form-action 'none'"
)


# The panel ---------------------------------------------------------------------------------------------------------


@blueprint.get("")
def panel() -> ResponseReturnValue:
    """Who one can be here and elsewhere, what happens next, and the cards to pay with."""
    now, coming = demo_clock.coming(_AHEAD)
    return render_template(
        "demo/panel.html",
        **frame(),
        people=[_figure(each) for each in _people()],
        sign_in="/demo/sign-in",
        doors=list(_doors()),
        coming=[clock_bar.told(each, now, _zone()) for each in coming],
        cards=[{"number": card.number.replace(" ", "\u00a0"), "does": card.does} for card in CARDS],
    )


@blueprint.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Be somebody of this place, without a password."""
    wanted = choices.id_from(request.form.get("who", ""))
    if here().kind != PORTAL and wanted not in {each.id for each in _people()}:
        raise NotFound("There is no such account here.")
    identity.sign_in(wanted)
    return redirect("/", 303)


def _people() -> list[demo_people.Figure]:
    place = here()
    match place.kind:
        case "portal":
            return demo_people.members(identity.scope(), _MEMBERS)
        case "partners":
            return demo_people.partners()
    return demo_people.operators()


def _figure(who: demo_people.Figure) -> dict[str, Any]:
    roles = {PORTAL: _("Client"), PARTNERS: _("Expert"), OPS: _("Operator")}
    note = who.note or roles[here().kind]
    if who.role == "administrator":
        note = _("Administrator, %(company)s", company=who.note) if who.note else _("Administrator")
    return {"id": str(who.id), "name": who.name, "note": note, "initials": initials(who.name), "tone": tone(str(who.id))}


def _doors() -> Any:
    """The other places of the demo, each with the address of its own panel."""
    parts, place = platform.current(), here()
    settings = parts.settings
    for config in parts.records.all():
        kind = _("Open to everybody") if config.visitors_may_match else _("For members only")
        note = _("%(kind)s, %(price)s an hour", kind=kind, price=config.price)
        yield {"name": config.name, "note": note, "url": f"{config.portal_url}/demo", "current": config == place.config}
    for name, label, note in (
        (PARTNERS, _("Experts' workspace"), _("Sessions, availability, earnings")),
        (OPS, _("Operations"), _("All portals, alarms, the ledger")),
    ):
        url = settings.url(settings.host(name), "/demo")
        yield {"name": label, "note": note, "url": url, "current": place.kind == name}


# The clock ---------------------------------------------------------------------------------------------------------


@blueprint.post("/clock")
def clock() -> ResponseReturnValue:
    """Move the clock, once for a form's token where there is somebody to keep the answer for."""
    known = identity.me() is not None or here().kind == PORTAL
    return _move_once() if known else _move()


def _move() -> ResponseReturnValue:
    step, parts = request.form.get("step", ""), platform.current()
    if step not in _STEPS:
        raise Invalid("The clock moves by an hour, by a day, or to the next event.", field="step")
    live = [name for config in parts.records.all() for name in parts.providers.live(config)]
    if live:
        raise Conflict(
            "The clock stands still while %(name)s is in use: it talks to the outside world.", code="live_provider", name=live[0]
        )
    before, by = demo_clock.now(parts.store), _STEPS[step]
    wanted = before + by if by else None
    after = demo_clock.move(parts.store, parts.performer, wanted, seconds=_LONGEST_PRESS)
    if wanted is None and after - before < timedelta(seconds=1):
        flash(_("Nothing is waiting to happen."), "info")
    elif wanted is not None and after < wanted:
        flash(_("So much happened that the clock has come to %(time)s only. Press again.", time=in_zone(after, _zone())), "info")
    return redirect(path_from(request.form.get("return_to", "/")), 303)


_move_once = forms.once(_move)


# The outbox --------------------------------------------------------------------------------------------------------


@blueprint.get("/outbox")
def mails() -> ResponseReturnValue:
    """The mails that were not sent, the newest first; `?mail=<id>` opens one. A portal shows those of its tenant alone."""
    chosen, words, view = (request.args.get(name, "").replace("\x00", "") for name in ("mail", "q", "view"))
    kept = _find(chosen) if chosen else None
    if kept and kept.message.html and view not in ("text", "ics"):
        security.allow({"frame-src": ("'self'",)})  # the mail as its reader sees it
    return render_template(
        "demo/outbox.html", **frame(), mail=_opened(kept, view, words) if kept else None, query=words, close_url=_outbox(q=words),
        mails=[
            {"url": _outbox(mail=one.message.id, q=words), "to": _address(one), "subject": one.message.subject,
             "at": shown.time(one.sent_at, _zone()), "current": one.message.id == chosen}
            for one in outbox(_tenant(), words=words)
        ],
    )  # fmt: skip


@blueprint.get("/outbox/<message_id>")
def mail(message_id: str) -> ResponseReturnValue:
    """One mail as its reader sees it, under a policy of its own: nothing runs, and links open beside it."""
    kept = _find(message_id)
    html = re.sub("<head>", '<head><base target="_blank">', kept.message.html, count=1) or _plain(kept)
    return Response(html, mimetype="text/html", headers={"Content-Security-Policy": _MAIL_POLICY})


@blueprint.get("/outbox/<message_id>/<filename>")
def attachment(message_id: str, filename: str) -> ResponseReturnValue:
    """What hangs on a mail, such as an invitation."""
    for one in _find(message_id).message.attachments:
        if one.filename == filename:
            return send_file(BytesIO(one.content), mimetype=one.content_type, as_attachment=True, download_name=one.filename)
    raise NotFound("There is no such attachment.")


def _tenant() -> Any:
    place = here()
    return place.tenant.id if place.kind == PORTAL else None


def _find(message_id: str) -> Kept:
    kept = outbox_message(message_id.replace("\x00", ""), _tenant())
    if kept is None:
        raise NotFound("There is no such mail here.")
    return kept


def _outbox(**values: str) -> str:
    said = {name: value for name, value in values.items() if value}
    return "/demo/outbox" + (f"?{urlencode(said)}" if said else "")


def _opened(kept: Kept, view: str, words: str) -> dict[str, Any]:
    message, url = kept.message, f"/demo/outbox/{kept.message.id}"
    calendar = next((one for one in message.attachments if one.filename.endswith(".ics")), None)
    views = [
        ("", _("As its reader sees it"), message.html),
        ("text", _("Plain text"), message.text),
        ("ics", _("Invitation"), calendar),
    ]
    now = view if view in [name for name, _label, there in views if there] else "" if message.html else "text"
    return {
        "subject": message.subject, "to": _address(kept), "from": str(sender(platform.current().settings.mail_from, message)),
        "at": shown.time(kept.sent_at, _zone()), "view": now, "text": message.text,
        "calendar": calendar.content.decode() if calendar else "", "page_url": url,
        "views": [
            {"label": label, "url": _outbox(mail=message.id, q=words, view=name), "current": name == now}
            for name, label, there in views if there
        ],
        "attachments": [{"name": one.filename, "url": f"{url}/{one.filename}"} for one in message.attachments],
    }  # fmt: skip


def _address(kept: Kept) -> str:
    return f"{kept.message.to_name} <{kept.message.to_address}>"


def _plain(kept: Kept) -> str:
    return f"<!doctype html><title>{escape(kept.message.subject)}</title><pre>{escape(kept.message.text)}</pre>"


def _zone() -> str:
    user = identity.me()
    return user.zone if user and user.zone else "UTC"
