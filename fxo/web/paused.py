"""A tenant that the operator has suspended: its portal takes nothing new, and what is booked stays within reach."""

from __future__ import annotations

from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue

from fxo.core.errors import Unready
from fxo.web.frame import frame
from fxo.web.places import PORTAL, is_api

_STILL = (
    "/sessions",
    "/book/",
    "/sign-in",
    "/sign-out",
    "/forgot",
    "/reset",
    "/settings",
    "/theme",
    "/logo-",
    "/plugins/",
    "/demo/",
    "/api/v1/sessions",
    "/api/v1/bookings/",
    "/api/v1/openapi.json",
    "/help",
    "/how-payment-works",
    "/privacy",
    "/terms",
)
"""Beginnings of the addresses that go on: booked sessions, a checkout that was begun, one's own account."""


def init_app(app: Flask) -> None:
    """Answer everything else of such a portal with one calm page."""

    @app.before_request
    def _paused() -> ResponseReturnValue | None:
        place = g.place
        if place.kind != PORTAL or not place.tenant.suspended or request.endpoint is None:
            return None
        if request.path.startswith(_STILL):
            return None
        if is_api():
            raise Unready("This portal is paused and takes nothing new. Sessions that are booked go on.", code="paused")
        return render_template("portal/paused.html", **frame()), 503
