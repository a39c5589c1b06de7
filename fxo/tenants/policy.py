"""The rules of booking that a tenant's administrator decides: what cancelling costs, moving, the grace, who is asked first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from psycopg.types.json import Jsonb

from fxo.core.errors import Invalid, NotAllowed
from fxo.core.events.model import Recorded, event
from fxo.core.events.store import Store, Transaction
from fxo.core.scope import CancellationPolicy, Permission, TenantConfig
from fxo.tenants.branding import SETTINGS

LIMITS: Mapping[str, tuple[int, int]] = {
    "free_until_hours": (0, 720), "half_until_hours": (0, 720), "late_percent": (0, 100), "moves": (0, 10),
    "move_until_hours": (0, 168), "no_show_grace_minutes": (5, 60),
}  # fmt: skip
"""The least and the most of each number."""


@event("tenant.policy_changed")
@dataclass(frozen=True, slots=True)
class PolicyChanged:
    """These rules count for new bookings from now on; what is held or booked keeps the version that its client accepted."""

    policy: CancellationPolicy
    asks_first: bool


def decide(config: TenantConfig, wanted: CancellationPolicy, *, asks_first: bool) -> list[object]:
    """Change the rules, under the next version. The same rules: nothing. Raises `Invalid` with the field to mend."""
    for name, (least, most) in LIMITS.items():
        if not least <= getattr(wanted, name) <= most:
            raise Invalid("Write a whole number from %(least)s to %(most)s.", field=name, least=least, most=most)
    if wanted.half_until_hours > wanted.free_until_hours:
        raise Invalid(
            "The part of the price begins when cancelling is no longer free: choose no more hours than that.",
            field="half_until_hours",
        )
    if replace(wanted, version=config.policy.version) == config.policy and asks_first == config.asks_first:
        return []
    return [PolicyChanged(replace(wanted, version=config.policy.version + 1), asks_first)]


def change(tx: Transaction, config: TenantConfig, wanted: CancellationPolicy, *, asks_first: bool) -> bool:
    """Change the rules for new bookings; by the tenant's administrator. False where they stand already."""
    if not tx.actor.may(Permission.MANAGE_TENANT):
        raise NotAllowed("Only an administrator may change the rules of booking.")
    stream = tx.load(SETTINGS, tx.scope.tenant_id)
    return bool(tx.append((stream, decide(config, wanted, asks_first=asks_first))))


def register(store: Store) -> None:
    """Follow what is decided, in the tenant's own record."""
    store.follow(PolicyChanged, _policy_changed)


def _policy_changed(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update tenants set policy = %s, asks_first = %s where id = %s",
        (Jsonb(asdict(item.value.policy)), item.value.asks_first, item.tenant_id),
    )
