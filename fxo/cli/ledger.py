"""`fxo ledger check`: whether the books are right."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fxo.core.events.store import Transaction
    from fxo.core.ledger.check import Difference
    from fxo.core.scope import TenantConfig
    from fxo.platform import Platform


@click.group()
def ledger() -> None:
    """The books: who is owed what."""


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="The differences as JSON.")
def check(as_json: bool) -> None:
    """Prove that every account balances, and that ledger, events and payment providers agree. Lists what does not."""
    from fxo.cli import target

    found: list[dict[str, str]] = []
    compared = 0
    with target.platform() as parts:
        for config in parts.records.all():
            number, differences = _check(parts, config)
            compared += number
            found += [{"tenant": config.slug, **asdict(each)} for each in differences]
    if as_json:
        click.echo(json.dumps({"ok": not found, "compared": compared, "differences": found}, indent=2))
    else:
        for each in found:
            click.echo(f"{each['tenant']}  {each['kind']}  {each['subject']}: {each['ours']} / {each['theirs']}")
        click.echo(f"{compared} payments compared with their providers, {len(found)} differences.")
    sys.exit(1 if found else 0)


def _check(parts: Platform, config: TenantConfig) -> tuple[int, list[Difference]]:
    from fxo.core.ledger import check
    from fxo.core.ledger.reactions import Comparing, LedgerReactions
    from fxo.core.scope import CODE, tenant_scope

    with parts.store.transaction(tenant_scope(config.id), CODE) as tx:
        wanted = Comparing(config, check.differences(tx), check.to_compare(tx))
    comparison = LedgerReactions(parts.providers).compare(wanted)

    def conclude(tx: Transaction) -> list[Difference]:
        found = check.unexplained(tx, comparison)
        check.keep(tx, len(wanted.payments), found)
        return found

    return len(wanted.payments), parts.store.run(tenant_scope(config.id), CODE, conclude)
