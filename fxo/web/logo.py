"""A portal's picture, from the portal's own host."""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import NotFound
from fxo.core.scope import CODE, tenant_scope
from fxo.tenants import logos
from fxo.web.places import here

blueprint = Blueprint("logo", __name__)


@blueprint.get("/logo-<digest>.png")
def logo(digest: str) -> ResponseReturnValue:
    """A picture of this portal's tenant, under the hash of its content: it never changes, and nothing runs in it."""
    with platform.current().store.transaction(tenant_scope(here().tenant.id), CODE) as tx:
        content = logos.content(tx, digest)
    if content is None:
        raise NotFound("There is no such picture here.")
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(content, mimetype="image/png", headers=headers)
