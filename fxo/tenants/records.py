"""A tenant's record: read by host before the tenant is known, or in its own scope; frozen for one request or job."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import Connection

from fxo.core import db
from fxo.core.errors import Conflict, Invalid, NotAllowed, NotFound
from fxo.core.events.model import event
from fxo.core.events.store import StreamType, Transaction
from fxo.core.ids import NETWORK, new_id
from fxo.core.money import Money
from fxo.core.scope import CancellationPolicy, FeeBearer, Permission, ProviderChoice, Tax, TenantConfig, system_scope
from fxo.settings import Settings

RESERVED = frozenset({"partners", "ops", "hooks", "meet", "www", "api", "static", "mail"})
_COLUMNS = (
    "t.id, t.slug, t.name, t.currency, t.price_minor, t.partner_share, t.visitors_may_match, t.mail_domains, t.policy,"
    " t.providers,"
    " t.required_plugins, t.brand, t.suspended_at, t.tax, t.asks_first, t.fee_bearer"
)

_HOST = "(select min(h.host) from hosts h where h.tenant_id = t.id)"


@event("tenant.created")
@dataclass(frozen=True, slots=True)
class Created:
    """A customer of the platform has a portal."""

    tenant_id: UUID
    slug: str
    name: str
    price: Money
    partner_share: int
    visitors_may_match: bool
    mail_domains: tuple[str, ...]


@event("tenant.suspended")
@dataclass(frozen=True, slots=True)
class Suspended:
    """The portal takes nothing new from now on; what is booked goes on."""

    tenant_id: UUID


@event("tenant.resumed")
@dataclass(frozen=True, slots=True)
class Resumed:
    """The portal is open again."""

    tenant_id: UUID


@event("tenant.fee_bearer_changed")
@dataclass(frozen=True, slots=True)
class FeeBearerChanged:
    """From now on they bear what the payment provider takes; what is held or booked keeps who bore it then."""

    tenant_id: UUID
    bearer: FeeBearer


@dataclass(frozen=True, slots=True)
class Standing:
    exists: bool = False
    suspended: bool = False
    fee_bearer: FeeBearer = FeeBearer.PLATFORM


def _evolve(state: Standing, happened: object) -> Standing:
    match happened:
        case FeeBearerChanged(bearer=bearer):
            return replace(state, fee_bearer=bearer)
        case _:
            return replace(state, exists=True, suspended=isinstance(happened, Suspended))


TENANT = StreamType[Standing]("tenant", Standing(), _evolve)


def decide_pause(state: Standing, tenant_id: UUID, *, suspended: bool) -> list[object]:
    """Suspend or resume; what is so already stays so."""
    if not state.exists:
        raise NotFound("There is no such tenant.")
    if state.suspended == suspended:
        return []
    return [Suspended(tenant_id) if suspended else Resumed(tenant_id)]


def decide_fee_bearer(state: Standing, tenant_id: UUID, bearer: FeeBearer) -> list[object]:
    """Let them bear the payment provider's fee; who does so already: nothing."""
    if not state.exists:
        raise NotFound("There is no such tenant.")
    return [] if state.fee_bearer == bearer else [FeeBearerChanged(tenant_id, bearer)]


@dataclass(frozen=True, slots=True)
class NewTenant:
    """What `fxo tenants create` asks."""

    slug: str
    name: str
    price: Money
    partner_share: int = 8_000
    visitors_may_match: bool = True
    mail_domains: tuple[str, ...] = ()
    brand: Mapping[str, Any] | None = None
    hosts: tuple[str, ...] = ()
    providers: Mapping[str, list[Mapping[str, Any]]] | None = None
    id: UUID | None = None


def create(tx: Transaction, wanted: NewTenant) -> UUID:
    """Create a tenant with its record; in the system scope `tenants`. Raises `Invalid` or `Conflict` with the field to mend."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}[a-z0-9]", wanted.slug):
        raise Invalid("Use 2 to 41 lower-case letters, digits and dashes, beginning with a letter.", field="slug")
    if wanted.slug in RESERVED:
        raise Invalid(f"{wanted.slug!r} is a host of the platform itself. Please choose another name.", field="slug")
    tenant_id = wanted.id or new_id()
    stream = tx.load(TENANT, tenant_id)
    if tx.execute("select 1 from tenants where slug = :slug or id = :id", slug=wanted.slug, id=tenant_id).first():
        raise Conflict("A tenant %(slug)r exists already.", field="slug", slug=wanted.slug)
    hosts = [host.lower() for host in wanted.hosts]
    if tx.execute("select 1 from hosts where host = any(:hosts)", hosts=hosts).first():
        raise Conflict("This domain leads to another portal already.", field="hosts")
    tx.append(
        (
            stream,
            [
                Created(
                    tenant_id,
                    wanted.slug,
                    wanted.name,
                    wanted.price,
                    wanted.partner_share,
                    wanted.visitors_may_match,
                    wanted.mail_domains,
                )
            ],
        ),
    )
    tx.driver.execute(
        "insert into tenants (id, slug, name, currency, price_minor, partner_share, visitors_may_match, mail_domains,"
        " policy, providers,"
        " required_plugins, brand, created_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '{}', %s, %s)",
        (
            tenant_id,
            wanted.slug,
            wanted.name,
            wanted.price.currency,
            wanted.price.minor,
            wanted.partner_share,
            wanted.visitors_may_match,
            list(wanted.mail_domains),
            Jsonb(asdict(CancellationPolicy())),
            Jsonb(dict(wanted.providers or {})),
            Jsonb(dict(wanted.brand or {})),
            tx.now,
        ),
    )
    for host in hosts:
        tx.driver.execute("insert into hosts (host, tenant_id) values (%s, %s)", (host, tenant_id))
    return tenant_id


def pause(tx: Transaction, tenant_id: UUID, *, suspended: bool) -> None:
    """Suspend a tenant's portal or open it again; an operator, in the system scope `tenants`."""
    if not tx.actor.may(Permission.RUN_PLATFORM):
        raise NotAllowed("Only an operator may suspend a tenant.")
    stream = tx.load(TENANT, tenant_id)
    happened = decide_pause(stream.state, tenant_id, suspended=suspended)
    tx.append((stream, happened))
    if happened:
        tx.driver.execute("update tenants set suspended_at = %s where id = %s", (tx.now if suspended else None, tenant_id))


def let_bear_fees(tx: Transaction, tenant_id: UUID, bearer: FeeBearer) -> bool:
    """Choose who bears the payment provider's fee of what is booked from now on; an operator, in the system scope `tenants`.

    False where it stands so already.
    """
    if not tx.actor.may(Permission.RUN_PLATFORM):
        raise NotAllowed("Only an operator may choose who bears the payment provider's fee.")
    stream = tx.load(TENANT, tenant_id)
    happened = decide_fee_bearer(stream.state, tenant_id, bearer)
    tx.append((stream, happened))
    if happened:
        tx.driver.execute("update tenants set fee_bearer = %s where id = %s", (str(bearer), tenant_id))
    return bool(happened)


def choices_from(stored: Sequence[Mapping[str, Any]]) -> tuple[ProviderChoice, ...]:
    """The providers of one port as the record keeps them."""
    return tuple(
        ProviderChoice(each["name"], each.get("settings", {}), each.get("on", True), each.get("seconds")) for each in stored
    )


def stored_from(choices: Sequence[ProviderChoice]) -> list[dict[str, Any]]:
    """The providers of one port as the record keeps them."""
    return [
        {"name": each.name, "settings": dict(each.settings), "on": each.on}
        | ({"seconds": each.seconds} if each.seconds is not None else {})
        for each in choices
    ]


class Records:
    """Reads tenants' records."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def of_scope(self, tx: Transaction) -> TenantConfig:
        """The record of the tenant in scope, or the platform's own; what core gets as `load_config`."""
        if tx.scope.tenant_id == NETWORK:
            return self.platform()
        return self._config(self._row(tx.connection, "t.id = :id", id=tx.scope.tenant_id))

    def platform(self) -> TenantConfig:
        """The platform as if it were a tenant: for what belongs to nobody else, such as alarms of the network."""
        return TenantConfig(
            NETWORK, "network", "fxo", Money(0, "USD"), portal_url=self.settings.url(self.settings.host("ops"), "")
        )

    def by_host(self, host: str) -> TenantConfig:
        """The tenant whose portal answers on this host, by slug or own domain; `NotFound` for any other."""
        base = "." + self.settings.base_domain
        slug = host.removesuffix(base) if host.endswith(base) else ""
        found = db.read(
            system_scope("hosts"),
            f"select {_COLUMNS}, {_HOST} as host from tenants t"
            " where t.slug = %(slug)s or t.id = (select h.tenant_id from hosts h where h.host = %(host)s)",
            {"slug": slug, "host": host},
        )
        if not found:
            raise NotFound("There is no portal here.")
        return self._config(found[0])

    def by_slug(self, slug: str) -> TenantConfig:
        """The tenant of that name; for the CLI."""
        with db.transaction(system_scope("tenants")) as connection:
            return self._config(self._row(connection, "t.slug = :slug", slug=slug))

    def all(self) -> list[TenantConfig]:
        """Every tenant, by name; for the operator and the CLI."""
        with db.transaction(system_scope("tenants")) as connection:
            rows = db.execute(connection, f"select {_COLUMNS}, {_HOST} as host from tenants t order by t.name").all()
            return [self._config(row) for row in rows]

    def _row(self, connection: Connection, where: str, **values: Any) -> Any:
        row = db.execute(
            connection,
            f"select {_COLUMNS}, {_HOST} as host from tenants t where {where}",
            **values,
        ).first()
        if row is None:
            raise NotFound("There is no portal here.")
        return row

    def _config(self, row: Any) -> TenantConfig:
        return TenantConfig(
            id=row.id,
            slug=row.slug,
            name=row.name,
            price=Money(row.price_minor, row.currency),
            partner_share=row.partner_share,
            policy=CancellationPolicy(**row.policy),
            tax=Tax(**row.tax),
            fee_bearer=FeeBearer(row.fee_bearer),
            providers={port: choices_from(choices) for port, choices in row.providers.items()},
            required_plugins=frozenset(row.required_plugins),
            visitors_may_match=row.visitors_may_match,
            mail_domains=tuple(row.mail_domains),
            brand=row.brand,
            asks_first=row.asks_first,
            suspended=row.suspended_at is not None,
            portal_url=self.settings.url(row.host or self.settings.host(row.slug), ""),
        )
