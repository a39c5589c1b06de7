"""Which platform a command works on: that of the settings, or, where they name no database, the demo that runs here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fxo.platform import Platform
    from fxo.settings import Settings


def settings() -> Settings:
    """The settings from the environment, or those of the demo that runs in the data folder; `Unready` without either."""
    from fxo.core.errors import Unready

    found = settings_if_any()
    if not found.database_url:
        raise Unready(
            f"No database is given, and no demo runs in {found.data_dir.resolve()}: set FXO_DATABASE_URL, or start one with `fxo demo`."
        )
    return found


def settings_if_any() -> Settings:
    """The same, without a database where there is none."""
    from fxo.settings import Settings

    own = Settings()
    return own if own.database_url else from_environment(running_demo(own.data_dir))


def from_environment(variables: Mapping[str, str]) -> Settings:
    """The settings with these FXO_* variables before all others."""
    from fxo.settings import Settings

    values: dict[str, Any] = {name.removeprefix("FXO_").lower(): value for name, value in variables.items()}
    return Settings(**values)


@contextmanager
def platform() -> Iterator[Platform]:
    """The platform's parts within an application context; its connections are closed at the end."""
    from fxo import platform as parts
    from fxo.app import create_app
    from fxo.core.db import db

    with create_app(settings()).app_context():
        try:
            yield parts.current()
        finally:
            for engine in db.engines.values():
                engine.dispose()


def running_demo(data_dir: Path) -> Mapping[str, str]:
    """The FXO_* variables of the demo that runs in this folder; none where no demo runs."""
    try:
        kept = json.loads(_note(data_dir).read_text())
        os.kill(kept["pid"], 0)
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {str(name): str(value) for name, value in kept["environment"].items()}


@contextmanager
def known_as_running(data_dir: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Let other commands find the demo of this process; the note is readable for its owner alone."""
    note = _note(data_dir)
    write_private(note, json.dumps({"pid": os.getpid(), "environment": dict(environment)}))
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def _note(data_dir: Path) -> Path:
    return data_dir / "running.json"
