"""`fxo partners`: imports partners from a file, and lets them sign in."""

from __future__ import annotations

from pathlib import Path

import click

from fxo.cli.secret import password_option


@click.group()
def partners() -> None:
    """Import partners, let them sign in."""


@partners.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--tenant", "slugs", multiple=True, help="Put all of them on this tenant's roster too; may be repeated.")
def import_(file: Path, slugs: tuple[str, ...]) -> None:
    """Import the partners of FILE (.json or .csv), all or nothing; again with a newer file, they are brought up to date.

    Each joins the rosters that the file names in `tenants`, and those given here.
    """
    from fxo.cli import target
    from fxo.core.errors import Conflict, FxoError, NotFound
    from fxo.core.partners import commands
    from fxo.core.partners.importing import ImportRefused, read
    from fxo.core.scope import CODE, system_scope, tenant_scope

    try:
        found = read(file)
    except ImportRefused as error:
        for problem in error.problems:
            place = f"{file}:{problem.line}" + (f": {problem.field}" if problem.field else "")
            click.echo(f"{place}: {problem.sentence}", err=True)
        raise FxoError("Nothing was imported.") from error
    with target.platform() as parts:
        ids = {tenant.slug: tenant.id for tenant in parts.records.all()}
        rosters = {item.id: {*item.tenants, *slugs} for item in found}
        for item in found:
            named = rosters[item.id] | ({item.visible_to} if item.visible_to else set())
            if unknown := sorted(named - ids.keys()):
                raise NotFound(f"Nothing was imported. There is no tenant {unknown[0]!r}: see `fxo tenants list`.")
            if item.visible_to and (foreign := sorted(rosters[item.id] - {item.visible_to})):
                only = f"{item.id} is visible to {item.visible_to} alone"
                raise Conflict(f"Nothing was imported. {only} and cannot join the roster of {foreign[0]}.")
        partner_ids = parts.store.run(system_scope("partners"), CODE, commands.import_partners, found, ids)
        for slug, tenant_id in sorted(ids.items()):
            members = [each for each, item in zip(partner_ids, found, strict=True) if slug in rosters[item.id]]
            if members:
                parts.store.run(tenant_scope(tenant_id), CODE, commands.add_to_roster, members)
                click.echo(f"{slug}: {len(members)} on the roster")
    click.echo(f"Imported {len(found)} partners.")


@partners.command()
@click.argument("mail")
@password_option
def password(mail: str, password: str) -> None:
    """Let the partner with this address sign in at partners.<base domain>, from now on with this password."""
    from fxo.cli import target
    from fxo.core.errors import NotFound
    from fxo.core.events.store import Transaction
    from fxo.core.scope import CODE, system_scope
    from fxo.tenants import network
    from fxo.tenants.accounts import fold

    def let_in(tx: Transaction) -> None:
        row = tx.driver.execute("select partner_id from partner_contacts where email = %s", (fold(mail),)).fetchone()
        if row is None:
            raise NotFound(f"There is no partner with the address {mail}.")
        network.set_partner_password(tx, row[0], password)

    with target.platform() as parts:
        parts.store.run(system_scope("partners"), CODE, let_in)
        settings = parts.settings
        click.echo(f"{mail} signs in at {settings.url(settings.host('partners'), '/')}")
