"""`fxo operators`: adds people who run the platform."""

from __future__ import annotations

import click

from fxo.cli.secret import password_option


@click.group()
def operators() -> None:
    """Add people who run the platform."""


@operators.command()
@click.argument("mail")
@click.option("--name", required=True)
@password_option
def add(mail: str, name: str, password: str) -> None:
    """Add an operator, who signs in at ops.<base domain> with MAIL and a password."""
    from fxo.cli import target
    from fxo.core.scope import CODE, system_scope
    from fxo.tenants import network

    with target.platform() as parts:
        parts.store.run(system_scope("sign_in"), CODE, network.add_operator, mail, name, password)
        settings = parts.settings
        click.echo(f"Added {mail}. They sign in at {settings.url(settings.host('ops'), '/')}")
