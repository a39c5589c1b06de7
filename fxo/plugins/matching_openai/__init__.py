"""Matching by a language model behind an interface as OpenAI's: it reads the local ranker's candidates again and says why."""

from __future__ import annotations

from pathlib import Path

from fxo.core.hookspecs import ProviderSpec, hookimpl


@hookimpl
def fxo_register_matching_provider() -> ProviderSpec:
    from .provider import OpenAIMatching
    from .settings import Settings

    return ProviderSpec("matching_openai", "matching", OpenAIMatching, settings=Settings, live=True)


@hookimpl
def fxo_migrations() -> Path:
    return Path(__file__).parent / "migrations"
