"""The blueprint of the API; who asks is known by a key, and every answer carries the request's id."""

from __future__ import annotations

from flask import Blueprint, Response, g, request

from fxo import platform
from fxo.core.errors import SignInNeeded, TooMany
from fxo.core.events.store import request_id
from fxo.core.ids import new_id
from fxo.core.scope import Actor, ActorKind
from fxo.tenants import api_keys, throttle
from fxo.tenants.api_keys import Bearer
from fxo.web import identity
from fxo.web.language import _
from fxo.web.places import is_api

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
OPEN = "api.description"
"""The one address that needs no key: what the others are."""


def bearer() -> Bearer:
    """Who asks: the member that the key acts for, or a reader of the tenant's rows."""
    found: Bearer = g.bearer
    return found


@blueprint.before_request
def _authenticate() -> None:
    """Know the key, and count the request; a cookie is not heeded (PRD SR-1.4)."""
    if request.endpoint == OPEN:
        return
    scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise SignInNeeded("Send a key of this portal with the header Authorization: Bearer <key>.", code="key_needed")
    parts, nobody = platform.current(), Actor(new_id(), ActorKind.VISITOR)
    found = parts.store.run(identity.scope(), nobody, api_keys.bearer, key.strip())
    if found is None:
        raise SignInNeeded(
            "This key is not known here: it is another portal's, has ended, was revoked, or its member is not let in any more."
            " The portal's administrator creates a new one under Administration, API keys.",
            code="key_unknown",
        )
    try:
        parts.throttle.spend((throttle.API_KEY, str(found.key_id)))
    except TooMany as error:
        raise TooMany(_("This key asks too often. Wait as long as Retry-After says."), after=error.after) from error
    g.bearer = found


@blueprint.after_app_request
def _named(response: Response) -> Response:
    if is_api():
        response.headers["X-Request-Id"] = request_id.get()
    return response
