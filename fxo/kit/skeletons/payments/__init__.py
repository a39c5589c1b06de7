"""A payment company, as fxo sees it: hook implementations and nothing else, so that starting fxo imports no SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fxo.core.hookspecs import ProviderSpec, hookimpl

if TYPE_CHECKING:
    import flask


@hookimpl
def fxo_register_payment_provider() -> ProviderSpec:
    from .provider import AcmePayments, Settings

    return ProviderSpec("payments_acme", "payments", AcmePayments, settings=Settings)


@hookimpl
def fxo_blueprint() -> flask.Blueprint:
    """The card field's module, under `/plugins/payments_acme/static/`."""
    import flask

    return flask.Blueprint("payments_acme", __name__, static_folder="static")
