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
    matched: Matched | None


def find(tx: Transaction, brief_id: UUID) -> BriefRow:
    """The brief, for its author (a visitor's is bound to their cookie) and code; for anybody else `NotFound`."""
    row: Any = tx.driver.execute(
        "select id, author_id, text, industry, urgency, zone, submitted_at, shortlist from briefs where tenant_id = %s"
        " and id = %s",
        (tx.scope.tenant_id, brief_id),
    ).fetchone()
    if row is None or (tx.actor.kind is not ActorKind.CODE and row[1] != tx.actor.id):
        raise NotFound("There is no such brief here.")
    values: tuple[Any, ...] = (*row[:7], type_named("brief.matched").adapter.validate_python(row[7]) if row[7] else None)
    return BriefRow(*values)
