"""The command line, `fxo ...`: the commands by name, each loaded when it is called, and errors as sentences."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.metadata import entry_points, version
from typing import Any

import click

from fxo.cli.loading import loading

COMMANDS: Mapping[str, str] = {
    "demo": "Start everything with demo data, or check it.",
    "serve": "Serve the web pages.",
    "worker": "Perform the work that the queue hands out.",
    "sweeper": "Hand out what is due, and keep figures up to date.",
    "db": "Create and migrate the database.",
    "doctor": "Say what is wrong, and how to mend it.",
    "ledger": "Prove that the books are right.",
    "integrity": "Count what must never be.",
    "events": "Verify a booking record.",
    "tenants": "Create and list tenants.",
    "partners": "Import partners, let them sign in.",
    "operators": "Add people who run the platform.",
    "plugins": "List, check and begin plugins.",
    "api-keys": "Create, list and revoke keys of the API.",
    "match": "Say who fits a problem; measure a ranker.",
}
"""Name to what it is for; `fxo.cli.<name>` holds the command under the same name, a dash as an underscore."""


class Commands(click.Group):
    """Loads a command's module when it is called, so that `fxo --help` imports nothing heavy."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *sorted(_of_plugins())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            name = cmd_name.replace("-", "_")
            with loading():
                found: click.Command = getattr(import_module(f"fxo.cli.{name}"), name)
            return found
        return _of_plugins().get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [*COMMANDS.items(), *((name, command.get_short_help_str()) for name, command in sorted(_of_plugins().items()))]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            if os.environ.get("FXO_LOG_LEVEL") == "DEBUG":
                raise
            raise click.ClickException(sentence(error)) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("fxo"), message="fxo %(version)s")
def main() -> None:
    """fxo: describe a problem, meet the right fractional executive, pay after the session.

    Settings are FXO_* variables, from the environment or from .env in the working directory.
    """


def _of_plugins() -> dict[str, click.Command]:
    """What plugins add. A plugin's own module is light, so only where one brings commands all are loaded and checked."""
    if not any(hasattr(module, "fxo_cli_commands") for module in _plugin_modules()):
        return {}
    from fxo.core.plugins import PluginError, build_plugin_manager
    from fxo.core.ports import PORTS

    found: dict[str, click.Command] = {}
    try:
        for plugin, commands in build_plugin_manager(PORTS).contributions("fxo_cli_commands"):
            for command in commands:
                if command.name is None or command.name in COMMANDS or command.name in found:
                    raise PluginError(f"{plugin} adds a command {command.name!r}, and there is one already")
                found[command.name] = command
    except PluginError as error:
        raise click.ClickException(f"{error}.") from error
    return found


def _plugin_modules() -> Iterator[object]:
    for found in entry_points(group="fxo.plugins"):
        with suppress(Exception):  # said properly when the plugins are loaded for good
            yield found.load()


def sentence(error: Exception) -> str:
    """The error in a sentence without secrets; of one that nobody has foreseen, its kind and place."""
    import psycopg
    import redis
    from pydantic import ValidationError
    from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError

    from fxo.core.errors import FxoError
    from fxo.core.plugins import PluginError

    match error:
        case FxoError():
            return error.message
        case PluginError():
            return f"{error}."
        case ValidationError() if error.title == "Settings":
            found = error.errors(include_url=False, include_input=False)
            return " ".join(f"FXO_{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ')}." for e in found)
        case ArgumentError():
            return "One of the FXO_DATABASE_*URL cannot be read; they look like postgresql://fxo_app:password@host:5432/fxo."
        case (
            OperationalError(orig=psycopg.Error() as cause)
            | ProgrammingError(orig=psycopg.Error() as cause)
            | (psycopg.Error() as cause)
        ):
            return f"The database says: {str(cause).strip().splitlines()[0]}. `fxo doctor` says more."
        case redis.RedisError():
            return f"Redis says: {error}. `fxo doctor` says more."
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"Something went wrong that nobody had foreseen: {type(error).__name__} at {frame.filename}:{frame.lineno}. "
        "With FXO_LOG_LEVEL=DEBUG the whole story is shown."
    )
