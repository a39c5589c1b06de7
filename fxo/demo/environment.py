"""The demo's settings: secrets made once and kept, the variables its processes get, and the note by which commands find it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from fxo.core.errors import Unready
from fxo.settings import Settings

DATABASE = "fxo_demo"


def settings(given: Settings, *, port: int, admin_url: str, redis_url: str) -> Settings:
    """The given settings made those of a demo, with a database on the server of `admin_url` unless they name one."""
    data_dir = given.data_dir.resolve()
    kept = _kept_secrets(data_dir)
    values: dict[str, Any] = {
        "demo": True,
        "data_dir": data_dir,
        "port": port,
        "redis_url": redis_url,
        "sandbox_fee_rate": given.sandbox_fee_rate or 290,
        "sandbox_fee_fixed": given.sandbox_fee_fixed or 30,
        "smtp_url": SecretStr(""),  # no mail leaves the machine
        "secret_key": given.secret_key if given.secret_key.get_secret_value() else SecretStr(kept["secret_key"]),
        "master_key": given.master_key if given.master_key.get_secret_value() else SecretStr(kept["master_key"]),
    }
    if not given.database_url:
        server = admin_url.rpartition("@")[2].partition("/")[0]
        values |= {
            "database_url": f"postgresql://{given.role('app')}:{kept['database_password']}@{server}/{DATABASE}",
            "database_admin_url": admin_url,
            "database_system_url": "",
            "database_operator_url": "",
        }
    return given.model_copy(update=values)


def variables(settings: Settings) -> dict[str, str]:
    """The settings as FXO_* variables, for other processes."""
    found = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if value is not None:
            found[f"FXO_{name.upper()}"] = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return found


def from_variables(found: Mapping[str, str]) -> Settings:
    """The settings with these FXO_* variables before all others."""
    values: dict[str, Any] = {name.removeprefix("FXO_").lower(): value for name, value in found.items()}
    return Settings(**values)


def running(data_dir: Path) -> Mapping[str, str]:
    """The FXO_* variables of the demo that runs in this folder; none where no demo runs."""
    try:
        kept = json.loads((data_dir / "running.json").read_text())
        os.kill(kept["pid"], 0)
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {str(name): str(value) for name, value in kept["variables"].items()}


@contextmanager
def known_as_running(settings: Settings) -> Iterator[None]:
    """Let other commands find the demo of this process."""
    note = settings.data_dir / "running.json"
    _write_private(note, {"pid": os.getpid(), "variables": variables(settings)})
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def forget_secrets(data_dir: Path) -> None:
    """The next demo here gets new ones."""
    (data_dir / "secrets.json").unlink(missing_ok=True)


def _kept_secrets(data_dir: Path) -> Mapping[str, str]:
    """The secrets of this folder, made at the first time."""
    file = data_dir / "secrets.json"
    if not file.exists():
        _write_private(
            file,
            {
                "secret_key": secrets.token_hex(32),
                "master_key": secrets.token_hex(32),
                "database_password": secrets.token_urlsafe(24),
            },
        )
    try:
        kept: Mapping[str, str] = json.loads(file.read_text())
        return {name: kept[name] for name in ("secret_key", "master_key", "database_password")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unready(f"{file} cannot be read. `fxo demo --fresh` begins anew, without the data.") from error


def _write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file)
        draft.replace(path)
    except OSError as error:
        raise Unready(f"The data folder {path.parent} cannot be written: {error.strerror}. Set FXO_DATA_DIR.") from error
