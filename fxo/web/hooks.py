"""What providers send: verified, kept once, answered at once."""

from __future__ import annotations

from flask import Blueprint, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import Declined, Misconfigured, NotAllowed, NotFound, Retryable, Unready
from fxo.core.notifications import reports, unsubscribing
from fxo.core.scope import CODE, tenant_scope
from fxo.core.work import inbox

blueprint = Blueprint("hooks", __name__)
LONGEST = 64 * 1024
LONGEST_REPORTS = 1024 * 1024
"""Reports about mails come by the hundred."""


@blueprint.post("/<provider>")
def receive(provider: str) -> ResponseReturnValue:
    """A provider's notice. Without our secret, or with a wrong or old signature: closed."""
    parts = platform.current()
    if provider not in parts.plugins.specs or parts.plugins.specs[provider].port != "payments":
        raise NotFound("There is nothing here.")
    request.max_content_length = LONGEST
    body = request.get_data()
    try:
        notices = parts.providers.named(parts.records.platform(), "payments", provider).read_webhook(dict(request.headers), body)
    except Misconfigured as error:
        raise NotFound("There is nothing here.") from error
    except Declined as error:
        raise NotAllowed("The signature is not ours.") from error
    for notice in notices:
        inbox.receive(parts.store, provider, notice.event_id, notice.kind, notice.reference, notice.order_reference)
    return jsonify(ok=True)


@blueprint.post("/<provider>/<slug>")
def receive_reports(provider: str, slug: str) -> ResponseReturnValue:
    """What a tenant's own provider of notifications tells about messages and addresses. Not chosen or not signed: closed."""
    parts = platform.current()
    config = parts.records.by_slug(slug)
    if provider not in [choice.name for choice in config.providers.get("notifications", ())]:
        raise NotFound("There is nothing here.")
    request.max_content_length = LONGEST_REPORTS
    body = request.get_data()
    try:
        found = parts.providers.named(config, "notifications", provider).read_webhook(dict(request.headers), body)
    except Misconfigured as error:
        raise NotFound("There is nothing here.") from error
    except Declined as error:
        raise NotAllowed("The signature is not ours.") from error
    except Retryable as error:
        raise Unready("This cannot be verified at the moment. Please send it again.") from error
    reports.receive(parts.store, config.id, found)
    return "", 204


@blueprint.post("/unsubscribe/<slug>/<token>")
def unsubscribe(slug: str, token: str) -> ResponseReturnValue:
    """A mail program leaves out a kind of mail in its reader's name (RFC 8058); nothing but the link says who."""
    parts = platform.current()
    config = parts.records.by_slug(slug)
    parts.store.run(tenant_scope(config.id), CODE, unsubscribing.follow, token)
    return "", 204


@blueprint.get("/unsubscribe/<slug>/<token>")
def show_mails(slug: str, token: str) -> ResponseReturnValue:
    """A mail program that opens the link instead shows where its reader chooses; looking changes nothing."""
    config = platform.current().records.by_slug(slug)
    return redirect(f"{config.portal_url}/settings#mails", 303)
