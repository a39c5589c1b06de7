"""Matching without a network: words, sentence vectors, a taxonomy, and reasons that quote the partner's record."""

from __future__ import annotations

from pathlib import Path

from fxo.core.hookspecs import ProviderSpec, hookimpl


@hookimpl
def fxo_register_matching_provider() -> ProviderSpec:
    from .provider import LocalMatching, Settings

    return ProviderSpec("matching_local", "matching", LocalMatching, settings=Settings, label="Local ranking")


@hookimpl
def fxo_migrations() -> Path:
    return Path(__file__).parent / "migrations"


@hookimpl
def fxo_warm_up() -> None:
    from .provider import warm

    warm()
