"""The reviewed data files of the local ranker: what general business language means. Read once, and never written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

FILES = ("topics_security", "topics_information", "topics_technology", "industries", "off_topic", "words", "places")


def text(name: str) -> str:
    """The text of a data file."""
    return files(__package__).joinpath(f"{name}.json").read_text("utf-8")


@cache
def read(name: str) -> Any:
    """A data file, parsed."""
    return json.loads(text(name))


def topics() -> Mapping[str, Mapping[str, list[str]]]:
    """Label to `roles` (the first is the usual one), `terms`, `symptoms` in clients' words and `skills` in partners' words."""
    return {**read("topics_security"), **read("topics_information"), **read("topics_technology")}


@cache
def small_words_by_language() -> Mapping[str, frozenset[str]]:
    """The words of each language that say nothing alone, folded."""
    return {language: frozenset(words.split()) for language, words in read("words")["small_words"].items()}


@cache
def small_words() -> frozenset[str]:
    """The small words of all languages."""
    return frozenset().union(*small_words_by_language().values())
