"""Payments without a payment company: a small card network in our own database, for the demo and for tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fxo.core.hookspecs import ProviderSpec, hookimpl

if TYPE_CHECKING:
    import flask


@hookimpl
def fxo_register_payment_provider() -> ProviderSpec:
    from .provider import Sandbox, Settings

    return ProviderSpec("payments_sandbox", "payments", Sandbox, settings=Settings, label="Sandbox")


@hookimpl
def fxo_blueprint() -> flask.Blueprint:
    from .views import blueprint

    return blueprint


@hookimpl
def fxo_migrations() -> Path:
    return Path(__file__).parent / "migrations"
