"""Reads of briefs and shortlists, for their author."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fxo.core.errors import NotFound
from fxo.core.events.model import type_named
from fxo.core.events.store import Transaction
from fxo.core.matching.model import Matched
from fxo.core.scope import ActorKind


@dataclass(frozen=True, slots=True)
class BriefRow:
    """A brief with its shortlist; `matched` is None until the ranking has come."""

    id: UUID
    author_id: UUID
    text: str
    industry: str
    urgency: str
    zone: str
    submitted_at: datetime
    role: str
    topics: tuple[str, ...] | None
    topics_left: tuple[str, ...]
    stage: str
    language: str
    budget: str
    unwanted: tuple[str, ...] | None
    musts: tuple[str, ...]
    ranking: int
    """The version of the brief's stream at which `matched` was recorded."""
    matched: Matched | None


@dataclass(frozen=True, slots=True)
class Earlier:
    """A brief in a list of one's own."""

    id: UUID
    text: str
    submitted_at: datetime
    fits: int
    """How many are on its shortlist."""


def find(tx: Transaction, brief_id: UUID) -> BriefRow:
    """The brief, for its author (a visitor's is bound to their cookie) and code; for anybody else `NotFound`."""
    row: Any = tx.driver.execute(
        "select id, author_id, text, industry, urgency, zone, submitted_at, role, topics, topics_left, stage, language, budget,"
        " unwanted, musts, ranking, shortlist from briefs where tenant_id = %s and id = %s",
        (tx.scope.tenant_id, brief_id),
    ).fetchone()
    if row is None or (tx.actor.kind is not ActorKind.CODE and row[1] != tx.actor.id):
        raise NotFound("There is no such brief here.")
    matched = type_named("brief.matched").adapter.validate_python(row[16]) if row[16] else None
    lists = (tuple(part) if isinstance(part, list) else part for part in row[7:16])
    values: tuple[Any, ...] = (*row[:7], *lists, matched)
    return BriefRow(*values)


def words(tx: Transaction, brief_id: UUID) -> str:
    """What its author wrote; for them and code."""
    row = tx.driver.execute(
        "select text, author_id from briefs where tenant_id = %s and id = %s", (tx.scope.tenant_id, brief_id)
    ).fetchone()
    if row is None or (tx.actor.kind is not ActorKind.CODE and row[1] != tx.actor.id):
        raise NotFound("There is no such brief here.")
    return str(row[0])


def latest(tx: Transaction, count: int = 3) -> list[Earlier]:
    """The reader's own last briefs, the newest first."""
    rows = tx.driver.execute(
        "select id, text, submitted_at, coalesce(jsonb_array_length(shortlist -> 'shortlist'), 0) from briefs"
        " where tenant_id = %s and author_id = %s order by submitted_at desc, id limit %s",
        (tx.scope.tenant_id, tx.actor.id, count),
    ).fetchall()
    return [Earlier(*row) for row in rows]
