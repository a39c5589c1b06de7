"""What providers send: verified, kept once, answered at once."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.calendars import looking
from fxo.core.errors import Declined, Misconfigured, NotAllowed, NotFound
from fxo.core.scope import CODE, TenantConfig, tenant_scope
from fxo.core.work import inbox

blueprint = Blueprint("hooks", __name__)
LONGEST = 64 * 1024


@blueprint.post("/<provider>")
def receive(provider: str) -> ResponseReturnValue:
    """A notice about the platform's own account."""
    return _received(provider, platform.current().records.platform())


@blueprint.post("/<provider>/<slug>")
def receive_for_tenant(provider: str, slug: str) -> ResponseReturnValue:
    """A notice about the account of a tenant that has one of its own, signed with the tenant's secret."""
    config = platform.current().records.by_slug(slug)
    return _received(provider, config, only=config.id)


def _received(provider: str, config: TenantConfig, only: UUID | None = None) -> ResponseReturnValue:
    """Without our secret, or with a wrong or old signature: closed."""
    parts = platform.current()
    port = parts.plugins.specs[provider].port if provider in parts.plugins.specs else ""
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
