"""`fxo db`: creates and migrates the database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click


@click.group()
def db() -> None:
    """Create and migrate the database, with the login of FXO_DATABASE_ADMIN_URL."""


@db.command()
def init() -> None:
    """Create our roles, the logins of the database URLs with their passwords, and the database; safe to repeat."""
    from fxo.cli import target
    from fxo.migrations import initialise

    settings = target.settings()
    initialise(settings)
    click.echo(f"The database {settings.login_url('app').database} and its logins are there. Next: fxo db migrate")


@db.command()
def migrate() -> None:
    """Bring the database to the newest version: the platform's tables, then those of plugins. Safe to repeat."""
    from fxo.cli import target
    from fxo.migrations import DatabaseNotReady
    from fxo.migrations import migrate as upgrade

    settings = target.settings()
    if not settings.database_admin_url:
        raise DatabaseNotReady("Set FXO_DATABASE_ADMIN_URL to a login that may create roles and databases.")
    upgrade(settings, plugin_scripts())
    click.echo(f"The database {settings.login_url('app').database} is up to date.")


@db.command()
def restored() -> None:
    """Begin a new epoch, once after each restore from a backup and before anything else starts."""
    from fxo.cli import target
    from fxo.migrations import restored as begin

    settings = target.settings()
    click.echo(f"The database {settings.login_url('app').database} is in epoch {begin(settings)}.")


def plugin_scripts() -> Mapping[str, list[Path]]:
    """The migrations of each installed plugin that has tables of its own, in their order."""
    from fxo.core.plugins import build_plugin_manager
    from fxo.core.ports import PORTS

    return {name: sorted(folder.glob("*.sql")) for name, folder in build_plugin_manager(PORTS).folders("fxo_migrations")}
