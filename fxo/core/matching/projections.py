"""The briefs table, filled from brief events in the same transaction."""

from __future__ import annotations

from psycopg.types.json import Jsonb

from fxo.core.events.model import Recorded, type_of
from fxo.core.events.store import Store, Transaction
from fxo.core.matching import impressions, model


def register(store: Store) -> None:
    """Follow the events of briefs."""
    store.follow(model.Submitted, _submitted)
    store.follow(model.Revised, _revised)
    store.follow(model.Matched, _matched)
    impressions.register(store)


def _submitted(tx: Transaction, item: Recorded) -> None:
    brief: model.Submitted = item.value
    tx.driver.execute(
        "insert into briefs (tenant_id, id, author_id, text, industry, urgency, zone, submitted_at) values (%s, %s,"
        " %s, %s, %s, %s, %s, %s)",
        (
            item.tenant_id,
            item.stream_id,
            brief.author_id,
            brief.text,
            brief.industry,
            brief.urgency,
            brief.zone,
            item.recorded_at,
        ),
    )


def _revised(tx: Transaction, item: Recorded) -> None:
    said: model.Revised = item.value
    tx.driver.execute(
        "update briefs set text = %s, role = %s, topics = %s, topics_left = %s, industry = %s, urgency = %s, zone = %s,"
        " stage = %s, language = %s, budget = %s, unwanted = %s, musts = %s, shortlist = null where tenant_id = %s and id = %s",
        (
            said.text,
            said.role,
            None if said.topics is None else list(said.topics),
            list(said.left),
            said.industry,
            said.urgency,
            said.zone,
            said.stage,
            said.language,
            said.budget,
            None if said.unwanted is None else list(said.unwanted),
            list(said.musts),
            item.tenant_id,
            item.stream_id,
        ),
    )
    # The expert prepares from the brief as it is now; what was said before a session that is over stays as it was.
    tx.driver.execute(
        "update partner_agenda a set brief = %s from consultations c where a.tenant_id = %s and c.tenant_id = a.tenant_id"
        " and c.id = a.consultation_id and c.brief_id = %s and a.state in ('confirmed', 'started')",
        (said.text, item.tenant_id, item.stream_id),
    )


def _matched(tx: Transaction, item: Recorded) -> None:
    shortlist = Jsonb(type_of(item.value).encode(item.value))
    tx.driver.execute(
        "update briefs set shortlist = %s, ranking = %s where tenant_id = %s and id = %s",
        (shortlist, item.version, item.tenant_id, item.stream_id),
    )
