"""The tax on a tenant's sessions: rate, number, and who sells; what its administrator decides."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from psycopg.types.json import Jsonb

from fxo.core.errors import Invalid, NotAllowed
from fxo.core.events.model import Recorded, event
from fxo.core.events.store import Store, Transaction
from fxo.core.scope import Permission, Tax, TenantConfig
from fxo.tenants.branding import SETTINGS

LIMITS = {"name": 20, "id": 40, "seller": 300}
MOST = 5_000
"""The highest rate, in basis points."""


@event("tenant.tax_changed")
@dataclass(frozen=True, slots=True)
class TaxChanged:
    """New holds have this tax from now on; what is held or booked keeps its own."""

    tax: Tax


def decide(standing: Tax, wanted: Tax) -> list[object]:
    """Charge this tax from now on. What stands already: nothing."""
    for name, most in LIMITS.items():
        if len(getattr(wanted, name)) > most:
            raise Invalid("Please shorten this to %(most)s characters.", field=name, most=most)
    if not 0 <= wanted.rate <= MOST:
        raise Invalid("Choose a rate between 0 and 50 per cent.", field="rate")
    if wanted.rate and not wanted.name:
        raise Invalid("Please say what the tax is called, such as VAT.", field="name")
    if wanted.rate and not wanted.id:
        raise Invalid("Please give the tax number: it has to stand on receipts.", field="id")
    if wanted.id and not re.fullmatch(r"[A-Za-z0-9 ./-]+", wanted.id):
        raise Invalid("A tax number has letters, digits, spaces, dots, dashes and slashes.", field="id")
    return [TaxChanged(wanted)] if wanted != standing else []


def change(tx: Transaction, config: TenantConfig, wanted: Tax) -> bool:
    """Charge this tax from now on; by the tenant's administrator. Whether anything has changed."""
    if not tx.actor.may(Permission.MANAGE_TENANT):
        raise NotAllowed("Only an administrator may change the portal.")
    stream = tx.load(SETTINGS, tx.scope.tenant_id)
    return bool(tx.append((stream, decide(config.tax, wanted))))


def register(store: Store) -> None:
    """Follow what the tenant decides, in its own record."""
    store.follow(TaxChanged, _changed)


def _changed(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute("update tenants set tax = %s where id = %s", (Jsonb(asdict(item.value.tax)), item.tenant_id))
