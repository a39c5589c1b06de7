"""The payments table and the cards kept for next time, filled from payment events in the same transaction."""

from __future__ import annotations

from typing import Any

from fxo.core.events.model import Recorded
from fxo.core.events.store import Store, Transaction
from fxo.core.ids import derived_id
from fxo.core.payments import model, wallet


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
    store.follow(model.Captured, _captured)
    store.follow(model.Due, _due)
    store.follow(model.CaptureFailed, _capture_failed)
    store.follow(model.ChargeRefused, lambda tx, item: _set(tx, item, state="failed", reason=item.value.reason))
    store.follow(model.Refunded, _refunded)
    store.follow(model.Voided, lambda tx, item: _set(tx, item, state="voided", reason=item.value.reason))
    store.follow(model.Abandoned, lambda tx, item: _set(tx, item, state="abandoned", changing=None, reason=item.value.reason))
    store.follow(wallet.CardRemoved, _card_removed)


def _requested(tx: Transaction, item: Recorded) -> None:
    asked: model.Requested = item.value
    tx.driver.execute(
        "insert into payments (tenant_id, id, consultation_id, client_id, partner_id, state, provider, amount_minor, currency,"
        " order_reference, authorise_at, updated_at) values (%s, %s, %s, %s, %s, 'requested', %s, %s, %s, %s, %s, %s)"
        " on conflict (tenant_id, id) do update set"
        # A saved card stands until another one has taken its place.
        " state = case payments.state when 'card_saved' then 'card_saved' else 'requested' end,"
        " changing = case payments.state when 'card_saved' then 'requested' end, changing_reason = null,"
        " reason = case payments.state when 'card_saved' then payments.reason end,"
        " provider = excluded.provider, challenge_url = null, order_reference = excluded.order_reference,"
        " updated_at = excluded.updated_at",
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
            item.recorded_at,
        ),
    )


def _attempt_is(tx: Transaction, item: Recorded, how: str, url: str | None, reason: str | None = None) -> None:
    """How the attempt with the client present stands; beside a saved card it is told apart from how that one stands."""
    tx.driver.execute(
        "update payments set changing = case state when 'card_saved' then %(how)s end,"
        " changing_reason = case state when 'card_saved' then %(reason)s end,"
        " reason = case state when 'card_saved' then reason else coalesce(%(reason)s, reason) end,"
        " state = case state when 'card_saved' then 'card_saved' else %(how)s end, challenge_url = %(url)s, updated_at = %(at)s"
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
    _set(tx, item, state="captured", captured_minor=item.value.amount.minor, captured_at=item.recorded_at)


def _due(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update payments set due_minor = %s, state = case state when 'card_saved' then 'owing' else state end, updated_at = %s"
        " where tenant_id = %s and id = %s",
        (item.value.amount.minor, item.recorded_at, item.tenant_id, item.stream_id),
    )


def _capture_failed(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update payments set state = 'failed', reason = %s, due_minor = coalesce(due_minor, amount_minor), updated_at = %s"
        " where tenant_id = %s and id = %s",
        (item.value.reason, item.recorded_at, item.tenant_id, item.stream_id),
    )


def _refunded(tx: Transaction, item: Recorded) -> None:
    _set(tx, item, refunded_minor=item.value.before.minor + item.value.amount.minor)


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
