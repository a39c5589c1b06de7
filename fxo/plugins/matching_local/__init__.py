"""Matching without a model or a network: words, a taxonomy, and reasons that quote the partner's record."""

from __future__ import annotations

from fxo.core.hookspecs import ProviderSpec, hookimpl


@hookimpl
def fxo_register_matching_provider() -> ProviderSpec:
    from .provider import LocalMatching

    return ProviderSpec("matching_local", "matching", lambda context: LocalMatching())
