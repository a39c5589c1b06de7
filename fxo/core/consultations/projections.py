"""The consultations table and the cases, filled from their own events in the same transaction."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from fxo.core.clients import model as clients
from fxo.core.consultations import model
from fxo.core.consultations.model import Party
from fxo.core.events.model import ERASED, Recorded
from fxo.core.events.store import Store, Transaction

CHANGES: tuple[type[object], ...] = (
    model.Released, model.Requested, model.RequestEnded, model.Confirmed, model.SlotLost, model.Arrived, model.Started,
    model.Completed, model.CompletionUndone, model.Moved, model.MoveProposed, model.ProposalWithdrawn, model.Cancelled,
    model.Missed, model.AbsenceSettled, model.Objected, model.Decided, model.Rescued, model.RescueEnded,
)  # fmt: skip
"""The events after which columns of a booking have new values."""


def register(store: Store) -> None:
    """Follow the events of consultations."""
    store.follow(model.Held, _held)
    for event_class in CHANGES:
        store.follow(event_class, _changed)
    store.follow(model.Explained, _explained)
    store.follow(model.Objected, _case_opened)
    store.follow(model.Decided, _case_decided)
    store.follow(clients.Erased, _erased)


def columns_after(happened: object, at: datetime) -> dict[str, Any]:
    """The columns that have new values after the event, with these; the partner's agenda has some of the same name."""
    match happened:
        case model.Released(reason):
            return {"state": "released", "reason": reason}
        case model.Requested(payment_id, until):
            return {"state": "requested", "payment_id": payment_id, "answer_until": until}
        case model.RequestEnded(by):
            return {"state": "declined", "ended_by": by}
        case model.Confirmed(payment_id):
            return {"state": "confirmed", "payment_id": payment_id, "confirmed_at": at, "reason": None}
        case model.SlotLost():
            return {"state": "lost"}
        case model.Arrived(by):
            return {f"{by}_here_at": at}
        case model.Started():
            return {"state": "started", "started_at": at}
        case model.Completed():
            return {"state": "completed", "completed_at": at, "proposed": []}
        case model.CompletionUndone():
            return {"state": "started", "completed_at": None}
        case model.Moved(starts_at=starts_at, ends_at=ends_at, by=by):
            return {"starts_at": starts_at, "ends_at": ends_at, "moved_by": by, "proposed": []}
        case model.MoveProposed(times):
            return {"proposed": list(times)}
        case model.ProposalWithdrawn():
            return {"proposed": []}
        case model.Cancelled(by, reason, fee, _, until):
            ended = {"state": "cancelled", "ended_by": by, "reason": reason, "proposed": []}
            return ended | {"fee_minor": fee.minor, "rescue_until": until}
        case model.Missed(missing, by, fee, _, until):
            ended = {"state": "missed", "missing": missing, "ended_by": by, "proposed": []}
            return ended | {"fee_minor": fee.minor, "rescue_until": until}
        case model.AbsenceSettled(fee):
            return {"state": "settled", "fee_minor": fee.minor}
        case model.Objected():
            return {"state": "contested", "rescue_until": None}
        case model.Decided(fee):
            return {"state": "decided", "fee_minor": fee.minor, "ended_by": Party.OPERATOR}
        case model.Rescued(consultation_id):
            return {"rescue_until": None, "rescued_by": consultation_id}
        case model.RescueEnded():
            return {"rescue_until": None}
    raise TypeError(type(happened).__name__)


def _held(tx: Transaction, item: Recorded) -> None:
    terms: model.Held = item.value
    tx.driver.execute(
        "insert into consultations (tenant_id, id, client_id, partner_id, brief_id, state, starts_at, ends_at, held_until,"
        " price_minor, net_minor, currency, partner_share, policy, tax, asks, rescues, fee_bearer)"
        " values (%s, %s, %s, %s, %s, 'held', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            item.tenant_id,
            item.stream_id,
            terms.client_id,
            terms.partner_id,
            terms.brief_id,
            terms.starts_at,
            terms.ends_at,
            terms.until,
            terms.price.minor,
            (terms.price - terms.price.tax_within(terms.tax.rate)).minor,
            terms.price.currency,
            terms.partner_share,
            Jsonb(asdict(terms.policy)),
            Jsonb(asdict(terms.tax)),
            terms.asks,
            terms.rescues,
            str(terms.fee_bearer),
        ),
    )


def _changed(tx: Transaction, item: Recorded) -> None:
    columns = columns_after(item.value, item.recorded_at)
    if isinstance(item.value, model.Moved):  # where it was before is what the row still says
        count = int(item.value.by is Party.CLIENT)
        tx.driver.execute(
            "update consultations set moved_from = starts_at, sequence = sequence + 1, moves = moves + %s"
            " where tenant_id = %s and id = %s",
            (count, item.tenant_id, item.stream_id),
        )
    assignments = ", ".join(f"{name} = %({name})s" for name in columns)
    tx.driver.execute(
        f"update consultations set {assignments} where tenant_id = %(t)s and id = %(id)s",
        {**columns, "t": item.tenant_id, "id": item.stream_id},
    )


def _explained(tx: Transaction, item: Recorded) -> None:
    """What was written belongs to the case, where there is one; else to the booking, for both to read."""
    said: model.Explained = item.value
    column = {Party.CLIENT: "client_words", Party.PARTNER: "partner_words"}.get(said.by, "words")
    in_a_case = tx.driver.execute(
        f"update cases set {column} = %s where tenant_id = %s and consultation_id = %s",
        (said.words, item.tenant_id, item.stream_id),
    ).rowcount
    if not in_a_case:
        tx.driver.execute(
            "update consultations set words = %s where tenant_id = %s and id = %s", (said.words, item.tenant_id, item.stream_id)
        )


def _case_opened(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        # What one side wrote when they said that the other was absent is their word in the case.
        "insert into cases (tenant_id, consultation_id, client_id, partner_id, opened_at, opened_by, says, client_words,"
        " partner_words) select c.tenant_id, c.id, c.client_id, c.partner_id, %s, %s, %s,"
        " case when c.missing is not null and c.ended_by = 'client' then c.words else '' end,"
        " case when c.missing is not null and c.ended_by = 'partner' then c.words else '' end"
        " from consultations c where c.tenant_id = %s and c.id = %s on conflict do nothing",
        (item.recorded_at, item.value.by, item.value.says, item.tenant_id, item.stream_id),
    )


def _case_decided(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update cases set decided_at = %s, decided_by = %s where tenant_id = %s and consultation_id = %s",
        (item.recorded_at, tx.actor.id, item.tenant_id, item.stream_id),
    )


def _erased(tx: Transaction, item: Recorded) -> None:
    persons = [item.value.person_id, *item.value.also]
    tx.driver.execute(
        "update consultations set words = %s where tenant_id = %s and client_id = any(%s) and words <> ''",
        (ERASED, item.tenant_id, persons),
    )
    tx.driver.execute(
        "update cases set client_words = %s where tenant_id = %s and client_id = any(%s)", (ERASED, item.tenant_id, persons)
    )
