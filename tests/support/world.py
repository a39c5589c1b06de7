"""A small world in this process: a tenant with partners and a client, commands by name, a clock that can be moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import make_url

from fxo import platform
from fxo.app import create_app
from fxo.core import db
from fxo.core.clock import system_now
from fxo.core.consultations import commands as consultations
from fxo.core.ids import new_id
from fxo.core.payments import commands as payments
from fxo.core.scope import ROLES, Actor, ActorKind, Scope, TenantConfig, system_scope, tenant_scope
from fxo.core.work import sweeper
from fxo.embedded.processes import wait_until
from fxo.plugins.payments_sandbox.network import issue_token
from fxo.settings import Settings
from tests import conftest
from tests.support.flow import CARD, WORKS


@dataclass(frozen=True)
class World:
    """The public marketplace `fortium` with Sarah (sarah@lindqvist.example) and the partners `dana`, `ines` and `kofi`."""

    settings: Settings
    parts: platform.Platform
    config: TenantConfig
    client: Actor
    partners: dict[str, UUID]

    @property
    def scope(self) -> Scope:
        return tenant_scope(self.config.id)

    def run(self, actor: Actor, command: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.parts.store.run(self.scope, actor, command, *args, **kwargs)

    # People and bookings

    def newcomer(self, config: TenantConfig | None = None, label: str = "lindqvist") -> Actor:
        """Another client, of this tenant or another. A client checks out one slot at a time."""
        return conftest.add_member(config or self.config, f"client-{new_id().hex}@{label}.example")

    def hold(self, partner: str, starts_at: datetime, *, by: Actor | None = None, at: TenantConfig | None = None) -> UUID:
        """Hold the time for ten minutes, for Sarah or for somebody else at another tenant."""
        wanted, config = consultations.Hold(new_id(), self.partners[partner], starts_at), at or self.config
        command = consultations.hold
        self.parts.store.run(tenant_scope(config.id), by or self.client, command, config, wanted, minutes=10)
        return wanted.consultation_id

    def ask_to_pay(self, consultation_id: UUID, number: str = WORKS, *, by: Actor | None = None) -> UUID:
        """Request the payment as checkout does; returns the work that nobody performs yet."""
        token = issue_token(CARD | {"number": number}, self.now)
        name, provider = self.parts.providers.chain(self.config, "payments")[0]
        wanted = payments.Pay(consultation_id, token)
        work_id: UUID = self.run(
            by or self.client, payments.request, wanted, name, provider.windows(), payments.through_of(self.config)
        )
        return work_id

    def complete(self, consultation_id: UUID, partner: str) -> None:
        actor = Actor(self.partners[partner], ActorKind.PARTNER, ROLES["partner"])
        self.run(actor, consultations.complete, consultation_id)

    # Time

    @property
    def now(self) -> datetime:
        with db.transaction(system_scope("clock")) as connection:
            return self.parts.clock.now(connection)

    def next_hour(self) -> datetime:
        return self.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)

    def move_clock(self, to: datetime) -> None:
        with db.transaction(system_scope("clock")) as connection:
            db.execute(connection, "update clock set ahead = greatest(ahead, :ahead)", ahead=to - system_now())

    # Work, and what is in the database

    def due(self) -> list[tuple[UUID, UUID]]:
        return sweeper.due(self.parts.store)

    def until_quiet(self, seconds: float = 120) -> None:
        """Wait until nothing is due; the business clock stands still but for real time."""
        assert wait_until(lambda: not self.due(), seconds), f"still due: {self.rows('select kind, state, error from work')}"

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query that sees everything."""
        database = make_url(self.settings.database_url).database
        with psycopg.connect(self.settings.database_admin_url, dbname=database, autocommit=True) as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[call-overload,no-any-return]


@contextmanager
def world(databases: conftest.Databases, *, extra_plugins: tuple[object, ...] = (), **values: Any) -> Iterator[World]:
    """A world with a database of its own. This process has no queue; the settings are as given, for processes to be started."""
    client, partners = databases.prepare("world", _people)
    settings = databases.make(template="world", **values)
    here = settings.model_copy(update={"redis_url": ""})
    try:
        with contextmanager(conftest.running)(create_app(here, extra_plugins=extra_plugins)):
            parts = platform.current()
            yield World(settings, parts, parts.records.by_slug("fortium"), client, dict(partners))
    finally:
        databases.drop(settings)


def _people(settings: Settings) -> tuple[Actor, dict[str, UUID]]:
    """Who is in every world: its client and its partners."""
    with contextmanager(conftest.running)(create_app(settings)):
        partners = conftest.add_partners()
        config = conftest.add_fortium(partners)
        return conftest.add_member(config, "sarah@lindqvist.example"), partners
