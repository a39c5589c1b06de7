"""Reads of ratings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fxo.core.events.model import ERASED
from fxo.core.events.store import Transaction


@dataclass(frozen=True, slots=True)
class RatingRow:
    stars: int
    comment: str
    public: bool
    answer: str
    """What the expert answered; empty where they have not."""


@dataclass(frozen=True, slots=True)
class Review:
    """What a client of this tenant said about a partner; `own` where it is the reader. Who else it was stays with them."""

    stars: int
    comment: str
    given_at: datetime
    own: bool


@dataclass(frozen=True, slots=True)
class Spread:
    """How many ratings of this tenant gave how many stars."""

    by_stars: Mapping[int, int]

    @property
    def count(self) -> int:
        return sum(self.by_stars.values())

    @property
    def mean(self) -> float | None:
        return sum(stars * number for stars, number in self.by_stars.items()) / self.count if self.count else None


def spread(tx: Transaction, partner_id: UUID) -> Spread:
    """The ratings that this tenant's clients gave the partner, by stars. Other tenants' are a number elsewhere (hard case 22)."""
    rows = tx.driver.execute(
        "select stars, count(*) from ratings where tenant_id = %s and partner_id = %s group by stars",
        (tx.scope.tenant_id, partner_id),
    ).fetchall()
    return Spread(dict.fromkeys(range(5, 0, -1), 0) | {row[0]: row[1] for row in rows})


def reviews(tx: Transaction, partner_id: UUID, *, count: int, skip: int = 0) -> list[Review]:
    """The reviews of the partner in this tenant, those with words first, then the newest first."""
    rows = tx.driver.execute(
        "select stars, comment, given_at, client_id = %s from ratings where tenant_id = %s and partner_id = %s"
        " order by comment = '', given_at desc, id limit %s offset %s",
        (tx.actor.id, tx.scope.tenant_id, partner_id, count, skip),
    ).fetchall()
    return [Review(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence from a review, about a partner whom the tenant may book."""

    partner_id: UUID
    name: str
    title: str
    comment: str
    given_at: datetime


def quotable(tx: Transaction) -> Quote | None:
    """The newest of this tenant's best reviews that reads as a quotation: five stars, a sentence or two."""
    row = tx.driver.execute(
        "select p.id, p.name, p.title, g.comment, g.given_at from ratings g"
        " join roster r on r.tenant_id = g.tenant_id and r.partner_id = g.partner_id and r.ended_at is null"
        " join partners p on p.id = g.partner_id"
        " where g.tenant_id = %s and g.stars = 5 and length(g.comment) between 40 and 240 and g.comment <> %s"
        " order by g.given_at desc, g.id limit 1",
        (tx.scope.tenant_id, ERASED),
    ).fetchone()
    return Quote(*row) if row else None


def of_session(tx: Transaction, consultation_id: UUID) -> RatingRow | None:
    """The rating that the client gave for this session."""
    row = tx.driver.execute(
        "select stars, comment, public, answer from ratings where tenant_id = %s and consultation_id = %s",
        (tx.scope.tenant_id, consultation_id),
    ).fetchone()
    return RatingRow(*row) if row else None
