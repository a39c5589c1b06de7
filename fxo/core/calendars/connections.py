"""Partners' calendars at providers: keeping what they have allowed, sealed under their own key, and handing out valid tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from fxo.core.calendars import connection, consent
from fxo.core.calendars.connection import CONNECTION, Connection, connection_id_of
from fxo.core.calendars.consent import Tokens
from fxo.core.clock import system_now
from fxo.core.db import execute, transaction
from fxo.core.errors import Declined, NotConnected, ProviderError, Retryable
from fxo.core.events.model import Recorded
from fxo.core.events.store import Follower, Store, Transaction
from fxo.core.hookspecs import OAuthSpec
from fxo.core.plugins import Providers
from fxo.core.scope import CODE, system_scope, tenant_scope

GRACE = timedelta(hours=24)
"""How long the times of a partner whose connection broke are still offered, so that they can mend it (hard case 11)."""


RENEWAL = timedelta(seconds=15)
"""How long somebody may take to renew tokens before another one does; longer than a call to the company may take."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a partner's connection stands, and since when."""

    provider: str
    state: Connection
    since: datetime
    reason: str

    @property
    def alone(self) -> bool:
        """Whether nobody else may say when this partner is free: while it works, and once it has been broken for too long."""
        return self.state is Connection.WORKS or (self.state is Connection.BROKEN and system_now() - self.since > GRACE)


def register(store: Store) -> None:
    """Follow the events of connections."""
    for happened, state in (
        (connection.Connected, Connection.WORKS), (connection.Broke, Connection.BROKEN),
        (connection.Disconnected, Connection.NONE),
    ):  # fmt: skip
        store.follow(happened, _stands(state))


def _stands(state: Connection) -> Follower:
    def follow(tx: Transaction, item: Recorded) -> None:
        tx.driver.execute(
            "insert into calendar_connections (partner_id, provider, state, reason, since) values (%s, %s, %s, %s, %s)"
            " on conflict (partner_id, provider) do update set state = excluded.state, reason = excluded.reason,"
            " since = excluded.since",
            (item.value.partner_id, item.value.provider, str(state), getattr(item.value, "reason", ""), item.recorded_at),
        )

    return follow


# What partners do ----------------------------------------------------------------------------------------------------


def keep(tx: Transaction, partner_id: UUID, provider: str, tokens: Tokens) -> None:
    """The partner has come back with these; in the system scope `connections`."""
    stream = tx.load(CONNECTION, connection_id_of(partner_id, provider))
    tx.append((stream, connection.connect(stream.state, partner_id, provider)))
    _seal(tx, partner_id, provider, tokens)


def end(tx: Transaction, partner_id: UUID, provider: str) -> Tokens | None:
    """The partner takes it back; what was kept is forgotten and returned, to be given back outside."""
    stream = tx.load(CONNECTION, connection_id_of(partner_id, provider))
    tokens = _open(tx, partner_id, provider)
    tx.append((stream, connection.disconnect(stream.state, partner_id, provider)))
    tx.driver.execute("delete from calendar_tokens where partner_id = %s and provider = %s", (partner_id, provider))
    return tokens


def break_off(tx: Transaction, partner_id: UUID, provider: str, reason: str) -> None:
    """It does not work any more."""
    stream = tx.load(CONNECTION, connection_id_of(partner_id, provider))
    tx.append((stream, connection.break_off(stream.state, partner_id, provider, reason)))


def of_partner(tx: Transaction, partner_id: UUID) -> dict[str, Standing]:
    """The partner's connections by provider; in the partner's own scope."""
    rows = tx.driver.execute(
        "select provider, state, since, reason from calendar_connections where partner_id = %s", (partner_id,)
    ).fetchall()
    return {row[0]: Standing(row[0], Connection(row[1]), row[2], row[3]) for row in rows}


def counts(tx: Transaction) -> dict[str, int]:
    """How many whom the tenant may book have connected a calendar that works, by provider."""
    rows = tx.driver.execute(
        "select provider, count(*) from calendar_connections where state = %s group by provider", (str(Connection.WORKS),)
    ).fetchall()
    return dict(rows)


def broken_of(tx: Transaction, partner_id: UUID) -> str:
    """The provider whose connection of this partner does not work any more; empty where all do."""
    row = tx.driver.execute(
        "select provider from calendar_connections where partner_id = %s and state = %s limit 1",
        (partner_id, str(Connection.BROKEN)),
    ).fetchone()
    return row[0] if row else ""


def of_roster(tenant_id: UUID, provider: str, partner_ids: Iterable[UUID]) -> dict[UUID, Standing]:
    """The connections at this provider of those whom the tenant may book; called outside a transaction."""
    with transaction(tenant_scope(tenant_id)) as opened:
        rows = execute(
            opened,
            "select partner_id, state, since, reason from calendar_connections"
            " where provider = :provider and partner_id = any(:partners)",
            provider=provider, partners=list(partner_ids),
        ).all()  # fmt: skip
    return {row.partner_id: Standing(provider, Connection(row.state), row.since, row.reason) for row in rows}


# What providers ask for ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredConnections:
    """`Connections` of one provider for one tenant. No tenant may read a token: they are opened in the system scope."""

    store: Store
    providers: Providers
    tenant_id: UUID
    provider: str

    def token(self, person_id: UUID, *, refused: str = "") -> str:
        tokens = self._kept(person_id)
        if _serves(tokens, refused):
            return tokens.access
        works = tokens.access != refused and tokens.until > system_now()
        if not self._lease(person_id):
            later = self._kept(person_id)
            if works or later.access != tokens.access:
                return later.access
            raise Retryable("somebody is renewing it at this moment", after=1)
        tokens = self._kept(person_id)
        try:
            if not _serves(tokens, refused):
                tokens = consent.renew(self._spec, self.providers.application(self.provider), tokens)
        except Declined:
            self.broken(person_id, "revoked")
            raise NotConnected("what this person had allowed has ended") from None
        except ProviderError:
            self._keep(person_id, tokens)
            if works:
                return tokens.access
            raise
        self._keep(person_id, tokens)
        return tokens.access

    def broken(self, person_id: UUID, reason: str) -> None:
        self.store.run(system_scope("connections"), CODE, break_off, person_id, self.provider, reason)

    def people(self) -> Sequence[UUID]:
        with transaction(tenant_scope(self.tenant_id)) as opened:
            rows = execute(
                opened,
                "select partner_id from calendar_connections where provider = :provider and state = :state order by partner_id",
                provider=self.provider, state=str(Connection.WORKS),
            ).all()  # fmt: skip
        return [row[0] for row in rows]

    @property
    def _spec(self) -> OAuthSpec:
        spec = self.providers.plugins.specs[self.provider].oauth
        assert spec is not None
        return spec

    def _lease(self, person_id: UUID) -> bool:
        """Whether it is ours to renew them: where each renewal ends the token before, two at once would break the connection."""
        now = system_now()
        with self.store.transaction(system_scope("connections"), CODE) as tx:
            taken = tx.driver.execute(
                "update calendar_tokens set renewing_until = %s where partner_id = %s and provider = %s"
                " and (renewing_until is null or renewing_until <= %s)",
                (now + RENEWAL, person_id, self.provider, now),
            )
        return bool(taken.rowcount)

    def _keep(self, person_id: UUID, tokens: Tokens) -> None:
        """Keep them, and let others renew them again."""
        with self.store.transaction(system_scope("connections"), CODE) as tx:
            _seal(tx, person_id, self.provider, tokens)

    def _kept(self, person_id: UUID) -> Tokens:
        with self.store.transaction(system_scope("connections"), CODE) as tx:
            row = tx.driver.execute(
                "select state from calendar_connections where partner_id = %s and provider = %s", (person_id, self.provider)
            ).fetchone()
            tokens = _open(tx, person_id, self.provider) if row and row[0] == Connection.WORKS else None
        if tokens is None:
            raise NotConnected("this person has no calendar here, or it does not work any more")
        return tokens


def _serves(tokens: Tokens, refused: str) -> bool:
    return tokens.access != refused and not tokens.stale


def _seal(tx: Transaction, partner_id: UUID, provider: str, tokens: Tokens) -> None:
    text = orjson.dumps([tokens.access, tokens.renewal, tokens.until.isoformat()]).decode()
    sealed = tx.store.keyring.seal(tx.driver, tx.scope.tenant_id, partner_id, text, f"calendar_tokens/{provider}")
    tx.driver.execute(
        "insert into calendar_tokens (partner_id, provider, sealed) values (%s, %s, %s)"
        " on conflict (partner_id, provider) do update set sealed = excluded.sealed, renewing_until = null",
        (partner_id, provider, sealed),
    )


def _open(tx: Transaction, partner_id: UUID, provider: str) -> Tokens | None:
    row = tx.driver.execute(
        "select sealed from calendar_tokens where partner_id = %s and provider = %s", (partner_id, provider)
    ).fetchone()
    if row is None:
        return None
    text = tx.store.keyring.open(tx.driver, tx.scope.tenant_id, partner_id, row[0], f"calendar_tokens/{provider}")
    if text is None:
        return None
    access, renewal, until = orjson.loads(text)
    return Tokens(access, renewal, datetime.fromisoformat(until))
