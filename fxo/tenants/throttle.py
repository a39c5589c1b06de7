"""How often somebody may try: counted in Redis where there is one, else in PostgreSQL; may be emptied at any moment."""

from __future__ import annotations

import ipaddress
import logging
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

import redis

from fxo.core.clock import system_now
from fxo.core.errors import TooMany
from fxo.core.events.store import Store, Transaction
from fxo.core.scope import CODE, system_scope

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries within that time, counted from the first one."""

    name: str
    tries: int
    within: timedelta


SIGN_IN_HERE = Limit("sign_in_here", 10, timedelta(minutes=10))
"""Wrong passwords for one account from one address."""

SIGN_IN_ACCOUNT = Limit("sign_in_account", 50, timedelta(minutes=5))
"""Wrong passwords for one account from anywhere. Short, so that nobody can lock somebody else out for long."""

SIGN_IN_ADDRESS = Limit("sign_in_address", 200, timedelta(minutes=10))
"""Wrong passwords from one address, for any account."""

RESET_ACCOUNT = Limit("reset_account", 5, timedelta(hours=1))
"""Links for one account, whether it exists or not."""

RESET_ADDRESS = Limit("reset_address", 30, timedelta(hours=1))
"""Links asked for from one address."""

SIGN_UP_ADDRESS = Limit("sign_up_address", 100, timedelta(hours=1))
"""New accounts, or tries at one, from one address."""

NUMBER_CODE = Limit("number_code", 5, timedelta(minutes=10))
"""Codes typed by one client, right or wrong."""

NUMBER_ASKED = Limit("number_asked", 4, timedelta(hours=1))
"""Codes asked for by one client, and those asked for to one number: each is a text that is paid for."""

PROVIDER_TRIED = Limit("provider_tried", 30, timedelta(minutes=10))
"""Tries of a tenant's providers by its administrators: each is a call to somebody outside."""

API_KEY = Limit("api_key", 600, timedelta(minutes=1))
"""Requests with one key of the API (PRD SR-1.4)."""

Spent = tuple[tuple[Limit, str], ...]


class Throttle:
    """Counts tries by a hash of who and what; no address and no account stands anywhere."""

    def __init__(self, store: Store, connection: redis.Redis | None) -> None:
        self._store = store
        self._redis = connection

    def spend(self, *what: tuple[Limit, str]) -> Spent:
        """Count one try against each of these limits. Raises `TooMany` where one of them is used up; then none is counted."""
        longest = 0
        for limit, key in what:
            count, left = self._count(limit, key, 1)
            if count > limit.tries:
                longest = max(longest, left)
        if longest:
            self.give_back(what)
            raise TooMany(
                "There were too many tries in a short time, so we wait a little. This protects the account.", after=longest
            )
        return what

    def give_back(self, spent: Spent) -> None:
        """The try was a good one and does not count."""
        for limit, key in spent:
            self._count(limit, key, -1)

    def _count(self, limit: Limit, key: str, by: int) -> tuple[int, int]:
        """The tries so far, and in how many seconds they are forgotten."""
        hashed = sha256(f"{limit.name}\x00{key}".encode()).digest()
        if self._redis is not None:
            try:
                return self._in_redis(self._redis, limit, f"fxo:tries:{hashed.hex()}", by)
            except redis.RedisError as error:
                log.warning("tries are counted in the database", extra={"error": type(error).__name__})
        return self._store.run(system_scope("sign_in"), CODE, _in_database, limit, hashed, by)

    @staticmethod
    def _in_redis(connection: redis.Redis, limit: Limit, key: str, by: int) -> tuple[int, int]:
        with connection.pipeline(transaction=True) as pipe:
            pipe.set(key, 0, ex=int(limit.within.total_seconds()), nx=True)
            pipe.incrby(key, by)
            pipe.ttl(key)
            _, count, left = pipe.execute()
        return int(count), max(1, int(left))


def _in_database(tx: Transaction, limit: Limit, key: bytes, by: int) -> tuple[int, int]:
    now = system_now()
    row = tx.driver.execute(
        "insert into attempts (key, count, ends_at) values (%(k)s, greatest(%(by)s, 0), %(ends)s) on conflict (key) do update set"
        " count = case when attempts.ends_at <= %(now)s then greatest(%(by)s, 0) else greatest(attempts.count + %(by)s, 0) end,"
        " ends_at = case when attempts.ends_at <= %(now)s then %(ends)s else attempts.ends_at end returning count, ends_at",
        {"k": key, "by": by, "now": now, "ends": now + limit.within},
    ).fetchone()
    assert row is not None
    if row[0] == 1:
        tx.driver.execute("delete from attempts where ends_at < %s", (now - timedelta(hours=1),))
    return row[0], max(1, int((row[1] - now).total_seconds()))


def network_of(address: str | None) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
