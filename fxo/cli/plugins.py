"""`fxo plugins`: what is installed. Needs no database and no settings."""

from __future__ import annotations

import json
from dataclasses import asdict

import click


@click.group()
def plugins() -> None:
    """List, check and begin plugins. Needs no database."""


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="The list as JSON.")
def list_(as_json: bool) -> None:
    """List every installed plugin: kind, package, hooks, settings, and why one does not load."""
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
