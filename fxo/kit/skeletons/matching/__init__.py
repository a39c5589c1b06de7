"""A ranker of partners, as fxo sees it: hook implementations and nothing else, so that starting fxo imports no SDK."""

from __future__ import annotations

from fxo.core.hookspecs import ProviderSpec, hookimpl


@hookimpl
def fxo_register_matching_provider() -> ProviderSpec:
    from .provider import AcmeMatching, Settings

    return ProviderSpec("matching_acme", "matching", AcmeMatching, settings=Settings)
