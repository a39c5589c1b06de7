"""What providers send: verified, kept once, answered at once."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.calendars import looking
from fxo.core.errors import Declined, Misconfigured, NotAllowed, NotFound, Retryable, Unready
from fxo.core.notifications import reports, unsubscribing
from fxo.core.plugins import plugin_of
from fxo.core.scope import CODE, TenantConfig, tenant_scope
from fxo.core.work import inbox

blueprint = Blueprint("hooks", __name__)
LONGEST = 64 * 1024
LONGEST_REPORTS = 1024 * 1024
"""Reports about mails come by the hundred."""


@blueprint.post("/<provider>")
def receive(provider: str) -> ResponseReturnValue:
    """A notice about the platform's own account."""
    return _received(provider, platform.current().records.platform())


@blueprint.post("/<provider>/<slug>")
def receive_for_tenant(provider: str, slug: str) -> ResponseReturnValue:
    """A notice about the account of a tenant that has one of its own, signed with the tenant's secret."""
    config = platform.current().records.by_slug(slug)
    if _port(provider) == "notifications":
        return _reports(provider, config)
    return _received(provider, config, only=config.id)


def _port(provider: str) -> str:
    spec = platform.current().plugins.specs.get(plugin_of(provider))
    return spec.port if spec else ""


def _received(provider: str, config: TenantConfig, only: UUID | None = None) -> ResponseReturnValue:
    """Without our secret, or with a wrong or old signature: closed."""
    parts = platform.current()
    port = _port(provider)
    if port not in ("payments", "calendars"):
        raise NotFound("There is nothing here.")
    request.max_content_length = LONGEST
    headers, body = dict(request.headers), request.get_data()
    try:
        if port == "calendars":
            for changed in parts.providers.named(config, "calendars", provider).read_webhook(headers, body):
                parts.store.run(tenant_scope(changed), CODE, looking.ask_soon)
            return jsonify(ok=True)
        notices = parts.providers.named(config, "payments", provider).read_webhook(headers, body)
    except Misconfigured as error:
        raise NotFound("There is nothing here.") from error
    except Declined as error:
        raise NotAllowed("The signature is not ours.") from error
    for notice in notices:
        inbox.receive(parts.store, provider, notice.event_id, notice.kind, notice.reference, notice.order_reference, only=only)
    return jsonify(ok=True)


def _reports(provider: str, config: TenantConfig) -> ResponseReturnValue:
    """What a tenant's own provider of notifications tells about messages and addresses. Not chosen or not signed: closed."""
    parts = platform.current()
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
