"""Passwords: argon2 hashes, and the same time for an unknown address as for a wrong password."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from fxo.core.errors import Invalid

SHORTEST = 12
LONGEST = 1_000
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's minimum for argon2id. What a hash cost stands in it, so that one made with other costs is still verified."""


def hashed(password: str) -> str:
    """The hash to keep. Raises `Invalid` for a password that is too short or absurdly long."""
    if len(password) < SHORTEST:
        raise Invalid("Please use %(least)s characters or more; a few words in a row are fine.", field="password", least=SHORTEST)
    if len(password) > LONGEST:
        raise Invalid("Please use at most %(most)s characters.", field="password", most=LONGEST)
    return hasher.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether the password is the one that was kept; takes as long where there is none."""
    try:
        return hasher.verify(kept or _nobodys(), password[:LONGEST]) and kept is not None
    except (Argon2Error, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return hasher.hash("a password that nobody has")
