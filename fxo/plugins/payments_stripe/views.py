"""The module that puts Stripe's own card field on a page."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

blueprint = Blueprint("payments_stripe", __name__, static_folder="static")


@blueprint.get("/card.js")
def card_field() -> ResponseReturnValue:
    """The ES module with `mount` and `confirm`."""
    return blueprint.send_static_file("card.js")
