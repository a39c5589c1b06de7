"""`fxo events verify`: whether a booking record is what the platform wrote."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.group()
def events() -> None:
    """The log of events."""


@events.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--offline", is_flag=True, help="Look at the file alone, without asking the database.")
def verify(file: Path, offline: bool) -> None:
    """Verify a booking record: that its events fit together, and that they are the platform's own."""
    from fxo.core import record

    found = record.verify(file.read_bytes())
    click.echo(f"Booking {found.booking}: {found.events} events, {found.withheld} withheld.")
    if found.broken:
        click.echo(f"It was changed: {found.broken} does not fit what comes before it.")
        sys.exit(1)
    click.echo("Its events fit together.")
    if offline:
        return
    from fxo.cli import target
    from fxo.core.scope import CODE, tenant_scope

    with target.platform() as parts, parts.store.transaction(tenant_scope(found.tenant), CODE) as tx:
        known = record.known(tx, found.heads)
    click.echo("They are the platform's own." if known else "They are not what the platform has.")
    sys.exit(0 if known else 1)
