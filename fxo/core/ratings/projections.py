"""The ratings table inline; a partner's public standing over all tenants by subscription (hard case 22)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from fxo.core import db
from fxo.core.events.model import Recorded
from fxo.core.events.store import Store, Transaction
from fxo.core.events.subscriptions import Subscription
from fxo.core.ratings import model


def register(store: Store) -> None:
    """Follow the events of ratings."""
    store.follow(model.Given, _kept)
    store.follow(model.Edited, _kept)
    store.follow(model.Answered, _answered)


def _kept(tx: Transaction, item: Recorded) -> None:
    given: model.Rating = item.value
    tx.driver.execute(
        "insert into ratings (tenant_id, id, consultation_id, partner_id, client_id, stars, comment, public, given_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (tenant_id, id) do update set stars = excluded.stars,"
        " comment = excluded.comment, public = excluded.public",
        (
            item.tenant_id,
            item.stream_id,
            given.consultation_id,
            given.partner_id,
            given.client_id,
            given.stars,
            given.comment,
            given.public,
            item.recorded_at,
        ),
    )


def _answered(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update ratings set answer = %s, answered_at = %s where tenant_id = %s and id = %s",
        (item.value.text, item.recorded_at, item.tenant_id, item.stream_id),
    )


def _count(connection: Connection, events: Sequence[Recorded]) -> None:
    for partner_id in {item.value.partner_id for item in events}:
        db.execute(
            connection,
            "insert into partner_standing (partner_id, ratings, stars) select :p, count(*), coalesce(sum(stars), 0) from ratings"
            " where partner_id = :p and public on conflict (partner_id) do update set ratings = excluded.ratings,"
            " stars = excluded.stars",
            p=partner_id,
        )


STANDING = Subscription("partner_standing", _count, frozenset({"rating.given", "rating.edited"}))
"""Counts a partner's public ratings over all tenants; the number crosses, nothing else does."""
