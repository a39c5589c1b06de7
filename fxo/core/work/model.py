"""A piece of work, and a reaction: how one kind of work makes the outside agree with a stream as it is now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from fxo.core.errors import Misconfigured
from fxo.core.events.store import Transaction

W = TypeVar("W")
O = TypeVar("O")  # noqa: E741

PATIENT = 80
"""Attempts over about three days: for what must not be lost in an outage, money and messages."""


@dataclass(frozen=True, slots=True)
class Work:
    """A leased row: what is to be done, for which stream, in which attempt. Its id is the idempotency key in every lease."""

    tenant_id: UUID
    id: UUID
    kind: str
    stream_id: UUID
    body: Mapping[str, Any]
    due_at: datetime
    attempts: int
    lease_no: int

    @property
    def key(self) -> str:
        """What providers get as idempotency key and as our reference."""
        return str(self.id)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Returned by `record`: not finished, look again at `until` or when woken."""

    until: datetime


@dataclass(frozen=True)
class Reaction(Generic[W, O]):
    """How one kind of work is performed, in three steps of which only the middle one touches the outside.

    `look` reads the stream as it is now and says what is wanted, or None when nothing is (late, repeated, overtaken).
    `act` calls the provider, outside any transaction, and returns the outcome; `Retryable` is tried again later.
    `record` appends the outcome in one transaction with the end of the work, fenced by the lease.
    `give_up` runs instead of `record` once the attempts are used up, or when it can never work.
    `unanswered` runs, in a transaction of its own, when whoever is asked outside did not answer or refused us.
    """

    kind: str
    look: Callable[[Transaction, Work], W | None]
    act: Callable[[W, Work], O]
    record: Callable[[Transaction, Work, W, O], Waiting | None]
    give_up: Callable[[Transaction, Work, str], None] | None = None
    unanswered: Callable[[Transaction, Work, str], None] | None = field(default=None, kw_only=True)
    attempts: int = 8
    first_pause: float = 5.0
    """Seconds before the second attempt; doubled for each further one, up to an hour."""

    def pause(self, attempts: int, work_id: UUID | None = None) -> float:
        """Seconds until the next attempt. For a work row up to a fifth more, spread by its id, so that rows that failed together
        do not come back together.
        """
        pause = min(self.first_pause * 2**attempts, 3600.0)
        spread = (work_id.int >> attempts) % 1000 / 5000 if work_id else 0.0
        return float(pause * (1 + spread))


def timer(kind: str, command: Callable[[Transaction, Work], None]) -> Reaction[bool, None]:
    """A reaction that touches nothing outside: a command to run when its time has come."""

    def record(tx: Transaction, work: Work, wanted: bool, outcome: None) -> None:
        command(tx, work)

    return Reaction(kind, look=lambda tx, work: True, act=lambda wanted, work: None, record=record)


class Registry:
    """Reactions by kind; filled once by `app`."""

    def __init__(self) -> None:
        self._by_kind: dict[str, Reaction[Any, Any]] = {}

    def add(self, *reactions: Reaction[Any, Any]) -> None:
        for reaction in reactions:
            if reaction.kind in self._by_kind:
                raise ValueError(f"two reactions are named {reaction.kind!r}")
            self._by_kind[reaction.kind] = reaction

    def __getitem__(self, kind: str) -> Reaction[Any, Any]:
        if kind not in self._by_kind:
            raise Misconfigured(f"no reaction is named {kind!r}; is its plugin installed?")
        return self._by_kind[kind]

    def kinds(self) -> list[str]:
        return sorted(self._by_kind)
