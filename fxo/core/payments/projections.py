"""The payments table and the cards kept for next time, filled from payment events in the same transaction."""

from __future__ import annotations

from typing import Any

from fxo.core.clients import model as clients
from fxo.core.events.model import ERASED, Recorded
from fxo.core.events.store import Store, Transaction
from fxo.core.ids import derived_id
from fxo.core.money import Money
from fxo.core.payments import model, outcomes, wallet

_STANDING = "('card_saved', 'owing', 'client_asked', 'needs_person')"
"""The states beside which the client's try with another card runs."""


def register(store: Store) -> None:
    """Follow the events of payments."""
    store.follow(model.Requested, _requested)
    store.follow(model.ChallengeAsked, lambda tx, item: _attempt_is(tx, item, "challenged", item.value.url))
    store.follow(model.Declined, lambda tx, item: _attempt_is(tx, item, "declined", None, item.value.reason))
    store.follow(model.CardSaved, _card_saved)
    store.follow(model.Authorised, _authorised)
    store.follow(model.AuthorisationRefused, lambda tx, item: _set(tx, item, reason=item.value.reason))
    store.follow(model.Replanned, _replanned)
    store.follow(model.HandedOver, lambda tx, item: _set(tx, item, state="handed_over", changing=None, challenge_url=None))
    store.follow(outcomes.Captured, _captured)
    store.follow(outcomes.ProviderFeeKnown, lambda tx, item: _set(tx, item, provider_fee_minor=item.value.fee.minor))
    store.follow(outcomes.Due, _due)
    store.follow(outcomes.CaptureFailed, _capture_failed)
    store.follow(outcomes.ChargeRefused, lambda tx, item: _set(tx, item, state="client_asked", reason=item.value.reason))
    store.follow(outcomes.NeedsPerson, lambda tx, item: _set(tx, item, state="needs_person", reason=item.value.reason))
    store.follow(outcomes.Decided, _decided)
    store.follow(outcomes.HoldLapsed, lambda tx, item: _set(tx, item, state="card_saved", authorise_at=item.recorded_at))
    store.follow(outcomes.Refunded, _refunded)
    store.follow(outcomes.Disputed, _disputed)
    store.follow(outcomes.EvidenceSent, lambda tx, item: _set(tx, item, dispute="answered"))
    store.follow(outcomes.DisputeWon, lambda tx, item: _set(tx, item, dispute="won"))
    store.follow(outcomes.DisputeLost, _lost)
    store.follow(outcomes.ReceiptIssued, _receipt)
    store.follow(clients.Erased, _erased)
    store.follow(model.Voided, lambda tx, item: _set(tx, item, state="voided", reason=item.value.reason))
    store.follow(model.Abandoned, lambda tx, item: _set(tx, item, state="abandoned", changing=None, reason=item.value.reason))
    store.follow(wallet.CardRemoved, _card_removed)


def _requested(tx: Transaction, item: Recorded) -> None:
    asked: model.Requested = item.value
    tx.driver.execute(
        "insert into payments (tenant_id, id, consultation_id, client_id, partner_id, state, provider, amount_minor, currency,"
        " order_reference, authorise_at, through, updated_at)"
        " values (%s, %s, %s, %s, %s, 'requested', %s, %s, %s, %s, %s, %s, %s)"
        " on conflict (tenant_id, id) do update set"
        # A saved card stands until another one has taken its place.
        f" state = case when payments.state in {_STANDING} then payments.state else 'requested' end,"
        f" changing = case when payments.state in {_STANDING} then 'requested' end, changing_reason = null,"
        f" reason = case when payments.state in {_STANDING} then payments.reason end,"
        " provider = excluded.provider, through = excluded.through, challenge_url = null,"
        " order_reference = excluded.order_reference, updated_at = excluded.updated_at",
        (
            item.tenant_id,
            item.stream_id,
            asked.consultation_id,
            asked.client_id,
            asked.partner_id,
            asked.provider,
            asked.amount.minor,
            asked.amount.currency,
            str(asked.attempt),
            asked.authorise_at,
            str(asked.through),
            item.recorded_at,
        ),
    )


def _attempt_is(tx: Transaction, item: Recorded, how: str, url: str | None, reason: str | None = None) -> None:
    """How the attempt with the client present stands; beside a saved card it is told apart from how that one stands."""
    tx.driver.execute(
        f"update payments set changing = case when state in {_STANDING} then %(how)s end,"
        f" changing_reason = case when state in {_STANDING} then %(reason)s end,"
        f" reason = case when state in {_STANDING} then reason else coalesce(%(reason)s, reason) end,"
        f" state = case when state in {_STANDING} then state else %(how)s end, challenge_url = %(url)s, updated_at = %(at)s"
        " where tenant_id = %(t)s and id = %(id)s",
        {"how": how, "url": url, "reason": reason, "at": item.recorded_at, "t": item.tenant_id, "id": item.stream_id},
    )


def _card_saved(tx: Transaction, item: Recorded) -> None:
    _keep_method(tx, item)
    _set(
        tx,
        item,
        state="card_saved",
        method_label=item.value.label,
        authorise_at=item.value.authorise_at,
        changing=None,
        challenge_url=None,
        reason=None,
    )


def _authorised(tx: Transaction, item: Recorded) -> None:
    held: model.Authorised = item.value
    _keep_method(tx, item)
    _set(
        tx,
        item,
        state="authorised",
        provider_reference=held.reference,
        capture_before=held.capture_before,
        method_label=held.label,
        changing=None,
        challenge_url=None,
        reason=None,
    )


def _replanned(tx: Transaction, item: Recorded) -> None:
    _set(tx, item, state="card_saved", authorise_at=item.value.authorise_at, reason=None)


def _captured(tx: Transaction, item: Recorded) -> None:
    fee = item.value.provider_fee
    _set(
        tx, item, state="captured", captured_minor=item.value.amount.minor, captured_at=item.recorded_at,
        through=str(item.value.through), provider_fee_minor=fee.minor if fee else None,
    )  # fmt: skip


def _due(tx: Transaction, item: Recorded) -> None:
    due: outcomes.Due = item.value
    tx.driver.execute(
        "update payments set due_minor = %s, due_reason = %s, due_at = %s, updated_at = %s,"
        " state = case state when 'card_saved' then 'owing' else state end where tenant_id = %s and id = %s",
        (due.amount.minor, due.reason, item.recorded_at, item.recorded_at, item.tenant_id, item.stream_id),
    )


def _capture_failed(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update payments set state = 'owing', reason = %s, due_minor = coalesce(due_minor, amount_minor), updated_at = %s"
        " where tenant_id = %s and id = %s",
        (item.value.reason, item.recorded_at, item.tenant_id, item.stream_id),
    )


def _decided(tx: Transaction, item: Recorded) -> None:
    states = {"retry": "owing", "ask_client": "client_asked"}
    if item.value.what in states:
        _set(tx, item, state=states[item.value.what])


def _refunded(tx: Transaction, item: Recorded) -> None:
    _set(tx, item, refunded_minor=_sum(tx, item, "refunded_minor", item.value.amount))


def _lost(tx: Transaction, item: Recorded) -> None:
    _set(tx, item, dispute="lost", lost_minor=_sum(tx, item, "lost_minor", item.value.amount))


def _sum(tx: Transaction, item: Recorded, column: str, more: Money) -> int:
    row = tx.driver.execute(
        f"select {column} from payments where tenant_id = %s and id = %s", (item.tenant_id, item.stream_id)
    ).fetchone()
    return (row[0] if row else 0) + more.minor


def _disputed(tx: Transaction, item: Recorded) -> None:
    dispute: outcomes.Disputed = item.value
    _set(
        tx, item, dispute="open", dispute_until=dispute.answer_by, dispute_minor=dispute.amount.minor,
        dispute_fees_minor=_sum(tx, item, "dispute_fees_minor", dispute.fee),
    )  # fmt: skip


def _receipt(tx: Transaction, item: Recorded) -> None:
    paper: outcomes.ReceiptIssued = item.value
    tx.driver.execute(
        "insert into receipts (tenant_id, kind, number, payment_id, consultation_id, client_id, event_id, amount_minor,"
        " tax_minor, tax_rate, tax_name, tax_id, seller, billed_to, company, expert, starts_at, what,"
        " currency, for_receipt, issued_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            item.tenant_id, str(paper.kind), paper.number, item.stream_id, paper.consultation_id, paper.client_id,
            item.event_id, paper.amount.minor, paper.tax.minor, paper.tax_rate, paper.tax_name, paper.tax_id, paper.seller,
            paper.billed_to, paper.company, paper.expert, paper.starts_at, paper.what, paper.amount.currency, paper.for_receipt,
            item.recorded_at,
        ),
    )  # fmt: skip


def _erased(tx: Transaction, item: Recorded) -> None:
    """Numbers and amounts stay for the legal time; who it was, goes (hard case 24)."""
    tx.driver.execute(
        "update receipts set billed_to = %s, company = '' where tenant_id = %s and client_id = %s",
        (ERASED, item.tenant_id, item.value.person_id),
    )


def _keep_method(tx: Transaction, item: Recorded) -> None:
    card: model.CardSaved | model.Authorised = item.value
    tx.driver.execute(
        "insert into saved_methods (tenant_id, id, client_id, provider, customer, reference, label, saved_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (tenant_id, id) do update set saved_at = excluded.saved_at",
        (
            item.tenant_id,
            derived_id(card.client_id, card.provider, card.method),
            card.client_id,
            card.provider,
            card.customer,
            card.method,
            card.label,
            item.recorded_at,
        ),
    )


def _card_removed(tx: Transaction, item: Recorded) -> None:
    card: wallet.CardRemoved = item.value
    tx.driver.execute(
        "delete from saved_methods where tenant_id = %s and client_id = %s and provider = %s and reference = any(%s)",
        (item.tenant_id, card.client_id, card.provider, list(card.references)),
    )


def _set(tx: Transaction, item: Recorded, **columns: Any) -> None:
    columns["updated_at"] = item.recorded_at
    assignments = ", ".join(f"{name} = %({name})s" for name in columns)
    tx.driver.execute(
        f"update payments set {assignments} where tenant_id = %(t)s and id = %(id)s",
        {**columns, "t": item.tenant_id, "id": item.stream_id},
    )
