"""Matching by a language model behind an interface as OpenAI's: it reads the local ranker's candidates again and says why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fxo.core.hookspecs import ProviderSpec, hookimpl

if TYPE_CHECKING:
    from fxo.core.plugins import ProviderContext


@hookimpl
def fxo_register_matching_provider() -> ProviderSpec:
    from .provider import OpenAIMatching
    from .settings import Settings

    def check(context: ProviderContext) -> None:
        OpenAIMatching(context).look_at_account()

    return ProviderSpec(
        "matching_openai", "matching", OpenAIMatching, settings=Settings, live=True, label="Language model", check=check
    )


@hookimpl
def fxo_migrations() -> Path:
    return Path(__file__).parent / "migrations"
