"""The partner's own calendar: connecting it at the company that keeps it, how that stands, and taking it back."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.calendars import connections, consent
from fxo.core.calendars.connection import Connection
from fxo.core.calendars.connections import Standing
from fxo.core.clock import system_now
from fxo.core.errors import Declined, Misconfigured, NotFound, Unavailable
from fxo.core.hookspecs import OAuthSpec
from fxo.core.scope import Permission, system_scope
from fxo.web import forms, identity, shown
from fxo.web.connecting import offered
from fxo.web.frame import frame
from fxo.web.language import _
from fxo.web.partner.blueprint import blueprint

_ASKED = "calendar_consent"
_WITHIN = timedelta(minutes=15)
"""How long somebody may take at the company's page."""


def standing() -> dict[str, Standing]:
    """The partner's connections."""
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        return connections.of_partner(tx, user.actor.id)


@blueprint.get("/calendar")
@identity.needs(Permission.EDIT_OWN_PROFILE)
def calendar() -> ResponseReturnValue:
    """Each calendar that can be connected, with its state and the one thing to do."""
    mine, zone = standing(), identity.required().zone
    cards = [_card(name, spec, mine.get(name), zone) for name, spec in offered().items()]
    return render_template("partner/calendar.html", **frame(), cards=cards)


def _card(name: str, spec: OAuthSpec, stands: Standing | None, zone: str) -> dict[str, Any]:
    state = stands.state if stands else Connection.NONE
    since = shown.time(stands.since, zone) if stands else None
    badge = {
        Connection.WORKS: {"text": _("Connected"), "kind": "success"},
        Connection.BROKEN: {"text": _("Does not work"), "kind": "danger"},
        Connection.NONE: {"text": _("Not connected"), "kind": ""},
    }[state]
    return {
        "name": name, "label": spec.label or name, "state": str(state), "badge": badge, "since": since,
        "connect_url": f"/calendar/{name}/connect", "disconnect_url": f"/calendar/{name}/disconnect",
    }  # fmt: skip


def _spec(name: str) -> OAuthSpec:
    spec = offered().get(name)
    if spec is None:
        raise NotFound("This calendar cannot be connected here.")
    return spec


def _back(name: str) -> str:
    settings = platform.current().settings
    return settings.url(settings.host("partners"), f"/calendar/{name}/return")


@blueprint.get("/calendar/<name>/connect")
@identity.needs(Permission.EDIT_OWN_PROFILE)
def connect(name: str) -> ResponseReturnValue:
    """To the company's own page, where one consents. A link and no form: forms of ours lead to nobody else."""
    spec, state, verifier = _spec(name), secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    session[_ASKED] = {"name": name, "state": state, "verifier": verifier, "at": system_now().isoformat()}
    application = platform.current().providers.application(name)
    return redirect(consent.address(spec, application, _back(name), state, verifier), 303)


@blueprint.get("/calendar/<name>/return")
@identity.needs(Permission.EDIT_OWN_PROFILE)
def come_back(name: str) -> ResponseReturnValue:
    """Back from there, with an answer that only who has asked can use, once."""
    spec, asked, parts = _spec(name), session.pop(_ASKED, {}), platform.current()
    kind, sentence = "danger", ""
    if not _is_answer(asked, name):
        sentence = _("This answer does not belong to a question of this browser, or it is too old. Please connect again.")
    elif request.args.get("error"):
        kind, sentence = "info", _("Nothing was connected, as you decided. Sessions reach you by mail, with an invitation.")
    else:
        try:
            code, application = request.args.get("code", "")[:2_000], parts.providers.application(name)
            tokens = consent.exchange(spec, application, _back(name), code, asked["verifier"])
            actor = identity.required().actor
            parts.store.run(system_scope("connections"), actor, connections.keep, actor.id, name, tokens)
            kind, sentence = "success", _("Connected. Clients see only times at which you are free there too.")
        except Declined as refusal:
            sentence = _("Something we need was left out, so nothing was connected. Please leave every box ticked.")
            if refusal.reason != "scopes":
                sentence = _("The answer was used or has ended. Please connect again.")
        except (Unavailable, Misconfigured):
            sentence = _("%(calendar)s does not answer us at the moment. Please try again in a few minutes.", calendar=spec.label)
    flash(sentence, kind)
    return redirect("/calendar", 303)


def _is_answer(asked: dict[str, str], name: str) -> bool:
    given = request.args.get("state", "")
    return (
        asked.get("name") == name
        and hmac.compare_digest(given.encode(), asked["state"].encode())
        and system_now() - datetime.fromisoformat(asked["at"]) <= _WITHIN
    )


@blueprint.post("/calendar/<name>/disconnect")
@identity.needs(Permission.EDIT_OWN_PROFILE)
@forms.once
def disconnect(name: str) -> ResponseReturnValue:
    """Forget what was allowed, here and at the company."""
    spec, parts, actor = _spec(name), platform.current(), identity.required().actor
    tokens = parts.store.run(system_scope("connections"), actor, connections.end, actor.id, name)
    flash(_("Disconnected. What is booked stands; new sessions reach you by mail."), "success")
    if tokens:
        try:
            consent.give_back(spec, parts.providers.application(name), tokens)
        except (Unavailable, Misconfigured):
            flash(
                _("%(calendar)s could not be told; you can take back our access in your account there.", calendar=spec.label),
                "info",
            )
    return redirect("/calendar", 303)
