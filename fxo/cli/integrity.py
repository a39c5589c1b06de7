"""`fxo integrity`: counts what must never be."""

from __future__ import annotations

import json
import sys

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The counters as JSON.")
def integrity(as_json: bool) -> None:
    """Count what must never be: overlaps, paid without slot, captured twice, and so on. Every figure should be zero."""
    from fxo.cli import target
    from fxo.core.integrity import counters

    with target.platform() as parts:
        found = counters(parts.store)
    if as_json:
        click.echo(json.dumps({"ok": not any(found.values()), "counters": found}, indent=2))
    else:
        for name, number in found.items():
            click.echo(f"{'ok   ' if not number else 'WRONG'}  {name.replace('_', ' ')}: {number}")
    sys.exit(1 if any(found.values()) else 0)
