"""The network's own pages on a portal: the card field's module, the tokens it asks for, and the bank's confirmation page."""

from __future__ import annotations

import logging
from datetime import datetime

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from fxo.core.clock import Clock, system_now
from fxo.core.db import transaction
from fxo.core.errors import Invalid, NotAllowed, NotFound
from fxo.core.payments.port import PaymentStatus
from fxo.core.scope import system_scope
from fxo.plugins.payments_sandbox.network import Network, issue_token, merchant_of
from fxo.plugins.payments_sandbox.webhooks import Courier

blueprint = Blueprint("payments_sandbox", __name__, template_folder="templates", static_folder="static")
log = logging.getLogger(__name__)

LONGEST = 1_000
"""Bytes of card details that are read."""


@blueprint.get("/card.js")
def card_field() -> ResponseReturnValue:
    """The ES module with `mount` and `confirm`."""
    return blueprint.send_static_file("card.js")


@blueprint.post("/tokens")
def tokens() -> ResponseReturnValue:
    """A token for card details: JSON in and out, 422 with a sentence and the field to mend. Nothing of it is logged or kept."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise NotAllowed("Card details come from the portal's own pages only.")
    request.max_content_length = LONGEST
    details = request.get_json(silent=True)
    try:
        if not isinstance(details, dict):
            raise Invalid("Card details are a JSON object.", field="number")
        answer, status = {"token": issue_token(details, _now())}, 200
    except Invalid as error:
        answer, status = {"message": error.message, "field": error.field or "number"}, error.status
    response = make_response(answer, status)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/challenge/<challenge>")
def challenge(challenge: str) -> ResponseReturnValue:
    """The bank's page: what is to be confirmed, and two buttons; once decided, the way back."""
    attempt = _network(challenge).confirmation(challenge)
    if attempt is None:
        raise NotFound("This confirmation does not exist.")
    page = render_template(
        "payments_sandbox/challenge.html",
        amount=attempt.amount,
        description=attempt.description,
        card=attempt.card.label,
        holds=attempt.verb.value == "authorise",
        open=attempt.status is PaymentStatus.ACTION_REQUIRED,
        refused=attempt.status is PaymentStatus.DECLINED,
        return_url=attempt.return_url,
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.post("/challenge/<challenge>")
def decide(challenge: str) -> ResponseReturnValue:
    """The client's own word. The address cannot be guessed and is the proof; a second answer changes nothing."""
    answer = request.form.get("answer")
    if answer not in ("approve", "refuse"):
        abort(400)
    attempt = _network(challenge).confirm(challenge, approved=answer == "approve")
    return redirect(attempt.return_url or url_for(".challenge", challenge=challenge), 303)


def _network(challenge: str) -> Network:
    found = merchant_of(challenge)
    if found is None:
        raise NotFound("This confirmation does not exist.")
    tenant_id, account = found
    return Network(tenant_id, _now, Courier(account, system_clock=system_now, log=log))


def _now() -> datetime:
    """Business time: that of the demo where its clock was moved."""
    with transaction(system_scope("card_network")) as connection:
        return Clock(demo=True).now(connection)
