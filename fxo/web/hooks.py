"""What providers send: verified, kept once, answered at once."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import Declined, Misconfigured, NotAllowed, NotFound
from fxo.core.scope import TenantConfig
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
    if provider not in parts.plugins.specs or parts.plugins.specs[provider].port != "payments":
        raise NotFound("There is nothing here.")
    request.max_content_length = LONGEST
    body = request.get_data()
    try:
        notices = parts.providers.named(config, "payments", provider).read_webhook(dict(request.headers), body)
    except Misconfigured as error:
        raise NotFound("There is nothing here.") from error
    except Declined as error:
        raise NotAllowed("The signature is not ours.") from error
    for notice in notices:
        inbox.receive(parts.store, provider, notice.event_id, notice.kind, notice.reference, notice.order_reference, only=only)
    return jsonify(ok=True)
