"""What only the demo has: a clock that can be moved forward, and an outbox in place of mails."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import Conflict, Invalid, NotFound
from fxo.core.work import demo_clock
from fxo.plugins.notifications_email.outbox import Kept, outbox, outbox_message
from fxo.web import forms, identity, shown
from fxo.web.choices import path_from
from fxo.web.frame import frame
from fxo.web.language import _
from fxo.web.places import PORTAL, here

blueprint = Blueprint("demo", __name__, url_prefix="/demo")

_STEPS = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "next": None}
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


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
    after = demo_clock.move(parts.store, parts.performer, before + by if by else None)
    if by is None and after - before < timedelta(seconds=1):
        flash(_("Nothing is waiting to happen."), "info")
    return redirect(path_from(request.form.get("return_to", "/")), 303)


_move_once = forms.once(_move)


@blueprint.get("/outbox")
def mails() -> ResponseReturnValue:
    """The mails that were not sent, the newest first; `?mail=<id>` opens one. A portal shows those of its tenant alone."""
    chosen = request.args.get("mail", "")
    kept = _find(chosen) if chosen else None
    return render_template(
        "demo/outbox.html", **frame(), mail=_opened(kept) if kept else None,
        mails=[
            {"url": f"/demo/outbox?mail={one.message.id}", "to": _address(one), "subject": one.message.subject,
             "at": shown.time(one.sent_at, _zone()), "current": one.message.id == chosen}
            for one in outbox(_tenant())
        ],
    )  # fmt: skip


@blueprint.get("/outbox/<message_id>")
def mail(message_id: str) -> ResponseReturnValue:
    """One mail as its reader sees it, under a policy of its own: nothing is loaded, nothing runs."""
    kept = _find(message_id)
    return Response(kept.message.html or _plain(kept), mimetype="text/html", headers={"Content-Security-Policy": _MAIL_POLICY})


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


def _opened(kept: Kept) -> dict[str, Any]:
    message, url = kept.message, f"/demo/outbox/{kept.message.id}"
    return {
        "subject": message.subject, "to": _address(kept), "from": platform.current().settings.mail_from,
        "at": shown.time(kept.sent_at, _zone()), "text": message.text, "html_url": url if message.html else None,
        "attachments": [{"name": one.filename, "url": f"{url}/{one.filename}"} for one in message.attachments],
    }  # fmt: skip


def _address(kept: Kept) -> str:
    return f"{kept.message.to_name} <{kept.message.to_address}>"


def _plain(kept: Kept) -> str:
    from markupsafe import escape

    return f"<!doctype html><title>{escape(kept.message.subject)}</title><pre>{escape(kept.message.text)}</pre>"


def _zone() -> str:
    user = identity.me()
    return user.zone if user and user.zone else "UTC"
