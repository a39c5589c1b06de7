"""Which calendars the experts of a portal may connect; without any, sessions reach people by mail alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from fxo.core.errors import Invalid, NotAllowed
from fxo.core.events.model import Recorded, event
from fxo.core.events.store import Store, Transaction
from fxo.core.scope import Permission, TenantConfig
from fxo.tenants.branding import SETTINGS


@event("tenant.calendars_chosen")
@dataclass(frozen=True, slots=True)
class CalendarsChosen:
    """New sessions are written into the first of these that their expert has connected; what is booked stands where it is."""

    providers: tuple[str, ...]


def chosen(config: TenantConfig) -> tuple[str, ...]:
    """The names of the tenant's calendar providers, in their order."""
    return tuple(choice.name for choice in config.providers.get("calendars", ()))


def decide(config: TenantConfig, wanted: Sequence[str], known: Collection[str]) -> list[object]:
    """Choose these, each of them `known` or chosen before. The same ones: nothing. Raises `Invalid` for a stranger."""
    stand = chosen(config)
    if not set(wanted) <= {*known, *stand}:
        raise Invalid("This calendar cannot be connected here. Please choose among those shown.", field="calendars")
    return [] if tuple(wanted) == stand else [CalendarsChosen(tuple(wanted))]


def choose(tx: Transaction, config: TenantConfig, wanted: Sequence[str], known: Collection[str]) -> bool:
    """Choose the portal's calendars; by the tenant's administrator. False where they stand already."""
    if not tx.actor.may(Permission.MANAGE_TENANT):
        raise NotAllowed("Only an administrator may choose the calendars.")
    stream = tx.load(SETTINGS, tx.scope.tenant_id)
    return bool(tx.append((stream, decide(config, wanted, known))))


def register(store: Store) -> None:
    """Follow what is chosen, in the tenant's own record."""
    store.follow(CalendarsChosen, _chosen)


def _chosen(tx: Transaction, item: Recorded) -> None:
    """Whatever else a choice holds, such as its settings, stays as it is."""
    row = tx.driver.execute("select providers from tenants where id = %s", (item.tenant_id,)).fetchone()
    assert row is not None
    before = {choice["name"]: choice for choice in row[0].get("calendars", ())}
    calendars = [before.get(name, {"name": name}) for name in item.value.providers]
    tx.driver.execute(
        "update tenants set providers = providers || %s where id = %s", (Jsonb({"calendars": calendars}), item.tenant_id)
    )
