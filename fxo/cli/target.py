"""Which platform a command works on: that of the settings, or, where they name no database, the demo that runs here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fxo.cli.loading import loading

if TYPE_CHECKING:
    from flask import Flask

    from fxo.platform import Platform
    from fxo.settings import Settings


def settings() -> Settings:
    """The settings from the environment, or those of the demo that runs in the data folder; `Unready` without either."""
    from fxo.core.errors import Unready

    found = settings_if_any()
    if not found.database_url:
        here = found.data_dir.resolve()
        raise Unready(f"No database is given, and no demo runs in {here}: set FXO_DATABASE_URL, or start one with `fxo demo`.")
    return found


def settings_if_any() -> Settings:
    """The same, without a database where there is none."""
    from fxo.demo import environment
    from fxo.settings import Settings

    own = Settings()
    return own if own.database_url else environment.from_variables(environment.running(own.data_dir))


def app(on: Settings | None = None) -> Flask:
    """The application for these settings, by default those that a command works on. The one place where commands make it."""
    with loading():
        from fxo.app import create_app

        return create_app(on or settings())


@contextmanager
def platform() -> Iterator[Platform]:
    """The platform's parts within an application context; its connections are closed at the end."""
    from fxo import platform as parts
    from fxo.core.db import db

    with app().app_context():
        try:
            yield parts.current()
        finally:
            parts.current().providers.close()
            for engine in db.engines.values():
                engine.dispose()
