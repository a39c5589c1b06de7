"""Payments through Stripe: cards and wallets, held first and taken later; experts are paid over Stripe Connect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fxo.core.hookspecs import Erasure, ProviderSpec, hookimpl

if TYPE_CHECKING:
    import flask

    from fxo.core.plugins.context import ProviderContext

    from .provider import Stripe


@hookimpl
def fxo_register_payment_provider() -> ProviderSpec:
    from .settings import Settings

    return ProviderSpec("payments_stripe", "payments", make, settings=Settings, live=True, label="Stripe")


def make(context: ProviderContext) -> Stripe:
    """The provider for this tenant; the SDK is imported now."""
    from .provider import Stripe

    return Stripe(context)


@hookimpl
def fxo_person_erased(erasure: Erasure, context: ProviderContext) -> None:
    provider = make(context)
    for person_id in erasure.person_ids:
        provider.forget(person_id)


@hookimpl
def fxo_blueprint() -> flask.Blueprint:
    from .views import blueprint

    return blueprint


@hookimpl
def fxo_migrations() -> Path:
    return Path(__file__).parent / "migrations"
