"""`fxo plugins`: what is installed, whether it fits, and the first files of a new one. Needs no database and no settings."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click


@click.group()
def plugins() -> None:
    """List, check and begin plugins. Needs no database."""


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="The list as JSON.")
def list_(as_json: bool) -> None:
    """List every installed plugin, and why one does not load.

    Of each: its kind, package and version, the hooks that it implements, and the names of its settings.
    """
    from fxo.kit.listing import installed

    found = installed()
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    for one in found:
        kind = "no provider" if one.kind is None else one.kind
        click.echo(f"{'ok   ' if one.problem is None else 'WRONG'}  {one.name}: {kind}, {one.package} {one.version}")
        if one.problem is not None:
            click.echo(f"       {one.problem}.")
        click.echo(f"       hooks: {', '.join(one.hooks) or 'none'}")
        if one.settings:
            click.echo(f"       settings: {', '.join(one.settings)}")


@plugins.command("check")
@click.argument("what", metavar="NAME_OR_PACKAGE")
@click.option("--json", "as_json", is_flag=True, help="The checks as JSON.")
def check_(what: str, as_json: bool) -> None:
    """Say whether a plugin fits, and how to mend it.

    It is named by its NAME, its installed PACKAGE, or the folder of its project. Looks at hooks, signatures, imports, settings,
    what it gives at start, provider and contract suite; ends with 1 where something is wrong.
    """
    from fxo.cli import COMMANDS
    from fxo.kit.checks import check
    from fxo.kit.found import find

    checks = {found.point.name: list(check(found, COMMANDS)) for found in find(what)}
    wrong = sum(not each.ok for listed in checks.values() for each in listed)
    if as_json:
        named = [{"name": name, "checks": [asdict(each) for each in listed]} for name, listed in checks.items()]
        click.echo(json.dumps({"ok": not wrong, "plugins": named}, indent=2))
    else:
        for name, listed in checks.items():
            click.echo(name)
            for each in listed:
                click.echo(f"{'ok   ' if each.ok else 'WRONG'}  {each.name}: {each.detail}")
                if each.mend:
                    click.echo(f"       {each.mend}")
        click.echo(f"Things that are wrong: {wrong}." if wrong else "It fits.")
    sys.exit(1 if wrong else 0)


@plugins.command("new")
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice(["payments", "calendar", "matching", "notifications"]), help="What for.")
@click.option("--into", default=".", type=click.Path(file_okay=False, path_type=Path), help="The folder for the new project.")
def new(name: str, kind: str, into: Path) -> None:
    """Begin a plugin that runs and passes its contract suite.

    Writes a package for the service NAME into a new folder; with `acme` and payments the plugin is payments_acme.
    """
    from fxo.kit.new import write

    made, folder = write(name, kind, into)
    click.echo(f"{folder} is the project of the plugin {made}. Next:")
    click.echo(f"  cd {folder}")
    click.echo("  fxo plugins check .")
    click.echo("  python -m pytest -q")
    click.echo("  pip install -e .")
