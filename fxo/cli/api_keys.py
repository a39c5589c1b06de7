"""`fxo api-keys`: keys of programs that use a portal's API."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import click

if TYPE_CHECKING:
    from fxo.tenants.api_keys import Key

_tenant = click.option("--tenant", required=True, help="The tenant's slug, as `fxo tenants list` shows it.")


@click.group("api-keys")
def api_keys() -> None:
    """Create, list and revoke keys of the API."""


@api_keys.command()
@_tenant
@click.option("--name", required=True, help="The program that uses the key.")
@click.option("--member", "mail", help="Mail address of the member it acts for; left out, it only reads for the tenant.")
@click.option("--days", type=click.Choice(["30", "90", "365"]), help="After how many days it ends; left out, when it is revoked.")
def create(tenant: str, name: str, mail: str | None, days: str | None) -> None:
    """Create a key and show it, once."""
    from fxo.cli import target
    from fxo.core.scope import CODE, tenant_scope
    from fxo.tenants import api_keys as keys

    with target.platform() as parts:
        config = parts.records.by_slug(tenant)
        key = parts.store.run(tenant_scope(config.id), CODE, keys.create, name, mail, int(days or 0))
        click.echo(key)
        click.echo(f"Keep it safe: it is not shown again. It is used at {config.portal_url}/api/v1.", err=True)


@api_keys.command("list")
@_tenant
def list_(tenant: str) -> None:
    """List the tenant's keys: id, name, who it acts for, when it was created and used, when it ends, whether it is revoked."""
    from fxo.cli import target
    from fxo.core.scope import CODE, tenant_scope
    from fxo.tenants import api_keys as keys

    with target.platform() as parts:
        config = parts.records.by_slug(tenant)
        found = parts.store.run(tenant_scope(config.id), CODE, keys.list_)
    for each in found:
        click.echo(f"{each.id}  {each.name}  {each.mail or 'reads only'}  created {each.created_at:%Y-%m-%d}  {_state(each)}")


def _state(key: Key) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    used = f"used {key.used_at:%Y-%m-%d}" if key.used_at else "never used"
    return f"{used}  ends {key.ends_at:%Y-%m-%d}" if key.ends_at else used


@api_keys.command()
@_tenant
@click.argument("key_id", type=click.UUID)
def revoke(tenant: str, key_id: UUID) -> None:
    """Revoke the key with that id, at once."""
    from fxo.cli import target
    from fxo.core.scope import CODE, tenant_scope
    from fxo.tenants import api_keys as keys

    with target.platform() as parts:
        config = parts.records.by_slug(tenant)
        parts.store.run(tenant_scope(config.id), CODE, keys.revoke, key_id)
        click.echo(f"Revoked {key_id}.")
