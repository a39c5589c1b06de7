"""A compose file as `docker compose` reads it: YAML with merges, variables, and a sentence where one is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<how>[-?])(?P<more>[^}]*))?\}")


def variables(text: str) -> dict[str, str]:
    """The variables of an environment file."""
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def load(path: Path, given: Mapping[str, str]) -> dict[str, Any]:
    """The file with these variables filled in. Raises `KeyError` with the sentence for one that it insists on."""
    found: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(lambda asked: _value(asked, given), path.read_text()))
    return found


def _value(asked: re.Match[str], given: Mapping[str, str]) -> str:
    value = given.get(asked["name"], "")
    if not value and asked["how"] == "?":
        raise KeyError(f"{asked['name']}: {asked['more']}")
    return value or (asked["more"] or "" if asked["how"] == "-" else "")
