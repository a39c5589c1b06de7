"""The card network: a small company outside, with one account for each tenant. Every verb is one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from fxo.core.db import execute, transaction
from fxo.core.errors import Declined, Misconfigured, Retryable
from fxo.core.money import Money
from fxo.core.payments.port import DisputeStatus, Order, PaymentStatus
from fxo.core.scope import system_scope
from fxo.plugins.payments_sandbox.attempt import FREE, Account, Attempt, Effect, Tariff, Transfer, Verb
from fxo.plugins.payments_sandbox.books import Books, reference
from fxo.plugins.payments_sandbox.cards import Approved, Asked, Card, Refused, hold_ends, judge, read_card
from fxo.plugins.payments_sandbox.webhooks import Courier


def issue_token(details: Mapping[str, Any], now: datetime) -> str:
    """A token for the card that was typed; the number itself is not kept. Raises `Invalid` with the field to mend."""
    card, token = read_card(details, now), f"tok_{secrets.token_urlsafe(24)}"
    with transaction(system_scope("card_network")) as connection:
        execute(
            connection,
            "insert into plugin_payments_sandbox.tokens (token, card, made_at) values (:token, :card, :now)",
            token=token,
            card=card.name,
            now=now,
        )
    return token


def merchant_of(challenge: str) -> tuple[UUID, Account] | None:
    """Whose payment the confirmation page with this address is about."""
    with transaction(system_scope("card_network")) as connection:
        found = execute(
            connection,
            "select tenant_id, endpoint, deliver_to, secret from plugin_payments_sandbox.attempts"
            " join plugin_payments_sandbox.accounts using (tenant_id) where challenge = :challenge",
            challenge=challenge,
        ).one_or_none()
    return (found.tenant_id, Account(found.endpoint, found.deliver_to, found.secret)) if found else None


class Network:
    """One tenant's account at the card network.

    `clock` gives business time; `courier` announces every change after its commit. The same order reference, and the same
    key of a verb, has one effect however often and however concurrently it comes.
    """

    def __init__(self, tenant_id: UUID, clock: Callable[[], datetime], courier: Courier, tariff: Tariff = FREE) -> None:
        self._tenant_id = tenant_id
        self._clock = clock
        self._courier = courier
        self._tariff = tariff

    @contextmanager
    def _books(self, key: str | None = None) -> Iterator[Books]:
        now = self._clock()
        with transaction(system_scope("card_network")) as connection:
            books = Books(connection, self._tenant_id, now)
            if key is not None:
                books.serialise(key)
            yield books
        for change in books.changes:
            self._courier.send(change)

    # ---- an attempt from order to end

    def order(self, verb: Verb, order: Order) -> Attempt:
        """Start the attempt, or find it where it was started before; its status is the answer."""
        if order.amount.minor < (0 if verb is Verb.SAVE_METHOD else 1):
            raise Misconfigured("the amount must be more than nothing", field="amount")
        with self._books(order.reference) as books:
            books.store_account(self._courier.account)
            customer = books.customer(order.customer.person_id)
            if order.customer.reference not in (None, customer):
                raise Misconfigured("the customer reference belongs to somebody else", field="customer")
            found = books.by_order(order.reference)
            card, confirmed = (found.card, False) if found else self._card(books, verb, order, customer)
            attempt = Attempt(
                reference("sp"),
                order.reference,
                verb,
                source=order.method,
                customer=customer,
                card=card,
                amount=order.amount,
                description=order.description,
                return_url=order.return_url,
                method=None if order.method.startswith("tok_") else order.method,
            )
            if found is not None:
                if not found.same_order(attempt):
                    raise Misconfigured("this order reference was used for another order", field="reference")
                return found
            match judge(card, present=verb.present, confirmed=confirmed):
                case Approved():
                    return _accept(books, attempt, confirmed=False)
                case Refused(reason):
                    return books.store(attempt.declined(reason), "payment.declined")
                case Asked():
                    asked = replace(attempt, challenge=secrets.token_urlsafe(24))
                    return books.store(asked, "payment.action_required")

    @staticmethod
    def _card(books: Books, verb: Verb, order: Order, customer: str) -> tuple[Card, bool]:
        """The card to use, and whether the client has confirmed it before."""
        saved = books.method(order.method, customer)
        if saved is None and verb.present and (card := books.spend_token(order.method, customer)):
            return card, False
        if saved is None:
            raise Declined("unknown_card")
        return saved

    def confirmation(self, challenge: str) -> Attempt | None:
        """The attempt that a confirmation page is about."""
        with self._books() as books:
            return books.by_challenge(challenge)

    def confirm(self, challenge: str, *, approved: bool) -> Attempt:
        """The client's own word; the first one counts. Raises `Declined('unknown_payment')`."""
        with self._books() as books:
            attempt = books.by_challenge(challenge)
            if attempt is None:
                raise Declined("unknown_payment")
            if attempt.status is not PaymentStatus.ACTION_REQUIRED:
                return attempt
            if approved:
                return _accept(books, attempt, confirmed=True)
            return books.store(attempt.declined("authentication_failed"), "payment.declined")

    def forget_method(self, method: str, customer: str) -> None:
        """Keep the card no longer."""
        with self._books() as books:
            books.forget_method(method, customer)

    def capture(self, reference: str, amount: Money, key: str) -> Attempt:
        """Take the amount and let the rest of the hold go; already captured is success."""
        with self._books(key) as books:
            attempt = books.attempt(reference)
            if _replayed(books, "capture", key, reference, amount):
                return attempt
            if attempt.status is PaymentStatus.CAPTURED and attempt.captured == amount.minor:
                return attempt
            captured = attempt.capture(amount).charged(self._tariff, books.now)
            stumbles = attempt.stumbles < attempt.card.stumbles
            if stumbles:
                books.store(replace(attempt, stumbles=attempt.stumbles + 1))
            else:
                books.store(captured, "payment.captured")
                books.effect("capture", key, amount, attempt=reference)
                if captured.card.disputed:
                    books.open_dispute(captured, "fraudulent")
        if stumbles:
            raise Retryable("the card's bank did not answer", after=1)
        return captured

    def void(self, reference: str, key: str) -> Attempt:
        """Let the hold go, or end an attempt that still waits for the client; without either, nothing happens."""
        with self._books(key) as books:
            attempt = books.attempt(reference)
            if _replayed(books, "void", key, reference, attempt.amount):
                return attempt
            match attempt.status:
                case PaymentStatus.CAPTURED:
                    raise Declined("already_captured", reference=reference)
                case PaymentStatus.AUTHORISED | PaymentStatus.ACTION_REQUIRED:
                    books.effect("void", key, attempt.amount, attempt=reference)
                    return books.store(replace(attempt, status=PaymentStatus.VOIDED), "payment.voided")
                case _:
                    return attempt

    def refund(self, reference: str, amount: Money, key: str) -> Effect:
        """Give this much back."""
        with self._books(key) as books:
            attempt = books.attempt(reference)
            if done := _replayed(books, "refund", key, reference, amount):
                return done
            refunded = attempt.refund(amount).charged(self._tariff, books.now)
            books.store(refunded, "payment.refunded")
            return books.effect("refund", key, amount, attempt=reference)

    # ---- reading

    def fetch(self, reference: str) -> Attempt:
        with self._books() as books:
            found = books.by_reference(reference)
        if found is None:
            raise Declined("unknown_payment", reference=reference)
        return found

    def find(self, order_reference: str) -> Attempt | None:
        with self._books() as books:
            return books.by_order(order_reference)

    def changed_since(self, moment: datetime) -> tuple[str, ...]:
        with self._books() as books:
            return books.changed_since(moment)

    # ---- paying on, and disputes

    def transfer(self, partner_id: UUID, amount: Money, key: str) -> Transfer:
        """Pay a partner."""
        if amount.minor <= 0:
            raise Misconfigured("the amount must be more than nothing", field="amount")
        with self._books(key) as books:
            if done := books.effect_of("transfer", key):
                paid = books.transfer(done.subject)
                if (paid.partner_id, paid.amount) != (partner_id, amount):
                    raise _reused(key)
                return paid
            paid = Transfer(reference("st"), partner_id, amount)
            books.store_transfer(paid)
            books.effect("transfer", key, amount, transfer=paid.reference)
            return paid

    def reverse_transfer(self, reference: str, amount: Money, key: str) -> Effect:
        """Take this much of a transfer back."""
        with self._books(key) as books:
            paid = books.transfer(reference)
            if done := _replayed(books, "reversal", key, reference, amount):
                return done
            books.store_transfer(paid.reverse(amount))
            return books.effect("reversal", key, amount, transfer=reference)

    def submit_evidence(self, reference: str, evidence: Mapping[str, str], key: str) -> None:
        """Answer the dispute on this payment, while it can be answered."""
        with self._books(key) as books:
            attempt = books.attempt(reference)
            if _replayed(books, "evidence", key, reference, attempt.amount):
                return
            dispute = attempt.dispute
            if dispute is None or dispute.status is not DisputeStatus.OPEN:
                raise Declined("no_dispute" if dispute is None else "dispute_closed", reference=reference)
            books.answer_dispute(dispute, evidence, won=bool(evidence) and not attempt.card.stubborn)
            books.effect("evidence", key, attempt.amount, attempt=reference)

    def dispute(self, reference: str, reason: str = "not_received") -> None:
        """The cardholder disputes this payment; nothing where one is open, or nothing is left of it."""
        with self._books(reference) as books:
            attempt = books.attempt(reference)
            if attempt.dispute is None and attempt.captured > attempt.refunded:
                books.open_dispute(attempt, reason)

    def decide(self, reference: str, *, won: bool) -> None:
        """The card's bank decides the open dispute now."""
        with self._books(reference) as books:
            attempt = books.attempt(reference)
            if attempt.dispute and attempt.dispute.status in (DisputeStatus.OPEN, DisputeStatus.UNDER_REVIEW):
                books.decide_dispute(attempt, attempt.dispute, won=won)


def _accept(books: Books, attempt: Attempt, *, confirmed: bool) -> Attempt:
    """The bank said yes: keep the card, and hold the amount unless only the card was to be kept."""
    new = attempt.method is None
    attempt = books.keep_method(attempt, confirmed=confirmed)
    if attempt.verb is Verb.SAVE_METHOD:
        attempt = books.store(replace(attempt, status=PaymentStatus.SAVED), "payment.saved")
    else:
        ends = hold_ends(attempt.card, books.now, present=attempt.verb.present)
        attempt = books.store(replace(attempt, status=PaymentStatus.AUTHORISED, capture_before=ends), "payment.authorised")
        books.effect("hold", attempt.order_reference, attempt.amount, attempt=attempt.reference)
    if new:
        books.effect("save", attempt.order_reference, Money(0, attempt.amount.currency), attempt=attempt.reference)
    return attempt


def _replayed(books: Books, kind: str, key: str, subject: str, amount: Money) -> Effect | None:
    """What this key did before. Raises `Misconfigured` where it did something else."""
    done = books.effect_of(kind, key)
    if done is not None and (done.subject, done.amount) != (subject, amount):
        raise _reused(key)
    return done


def _reused(key: str) -> Misconfigured:
    return Misconfigured(f"the key {key!r} was used for something else", field="key")
