"""The card network's books: the rows of its own tables, read and written inside one transaction of a verb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, RowMapping

from fxo.core.db import execute
from fxo.core.errors import Declined
from fxo.core.ids import new_id
from fxo.core.money import Money, exponent
from fxo.core.payments.port import Dispute, DisputeStatus, PaymentStatus
from fxo.plugins.payments_sandbox.attempt import Account, Attempt, Change, Effect, Transfer, Verb
from fxo.plugins.payments_sandbox.cards import BY_NAME, Card

ANSWER_WINDOW = timedelta(days=7)
"""How long a dispute can be answered with evidence."""
REVIEW = timedelta(days=3)
"""How long the card's bank thinks about the evidence."""
FEE = 15
"""What a dispute costs, in whole units of the currency; it is not given back."""

_PLAIN = (
    *("reference", "order_reference", "source", "customer", "description", "return_url", "challenge"),
    *("method", "reason", "capture_before", "captured", "refunded", "stumbles", "fee", "fee_back", "fee_known_at"),
)
"""The columns of an attempt that are its fields as they are."""


def reference(kind: str) -> str:
    """A new reference of the network, such as `sp_0199…`."""
    return f"{kind}_{new_id().hex}"


class Books:
    """One merchant's part of the books in one transaction, at one business time. `changes` is what to announce after it."""

    def __init__(self, connection: Connection, tenant_id: UUID, now: datetime) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self.now = now
        self.changes: list[Change] = []

    def _execute(self, statement: str, **values: Any) -> Sequence[RowMapping]:
        found = execute(
            self._connection, statement.replace("$", "plugin_payments_sandbox."), tenant=self._tenant_id, now=self.now, **values
        )
        return found.mappings().all() if found.returns_rows else ()

    def serialise(self, key: str) -> None:
        """Wait until no other transaction works on this key; lasts until the transaction ends."""
        self._execute(
            "select pg_advisory_xact_lock(hashtextextended('card_network/' || :lock, 0))", lock=f"{self._tenant_id}/{key}"
        )

    # ---- attempts

    def attempt(self, reference: str) -> Attempt:
        """The attempt, locked until the transaction ends. Raises `Declined('unknown_payment')`."""
        found = self._one("select * from $attempts where tenant_id = :tenant and reference = :value for update", reference)
        if found is None:
            raise Declined("unknown_payment", reference=reference)
        return found

    def by_reference(self, reference: str) -> Attempt | None:
        return self._one("select * from $attempts where tenant_id = :tenant and reference = :value", reference)

    def by_order(self, order_reference: str) -> Attempt | None:
        return self._one("select * from $attempts where tenant_id = :tenant and order_reference = :value", order_reference)

    def by_challenge(self, challenge: str) -> Attempt | None:
        """The attempt that the page is about, locked until the transaction ends."""
        return self._one("select * from $attempts where tenant_id = :tenant and challenge = :value for update", challenge)

    def _one(self, statement: str, value: str) -> Attempt | None:
        rows = self._execute(statement, value=value)
        return self._read(rows[0]) if rows else None

    def _read(self, row: RowMapping) -> Attempt:
        status = PaymentStatus(row["status"])
        if status is PaymentStatus.AUTHORISED and row["capture_before"] <= self.now:
            status = PaymentStatus.EXPIRED
        return Attempt(
            **{name: row[name] for name in _PLAIN},
            verb=Verb(row["verb"]),
            card=BY_NAME[row["card"]],
            amount=_money(row),
            status=status,
            dispute=self.dispute(row["reference"]) if row["captured"] else None,
        )

    def store(self, attempt: Attempt, change: str = "") -> Attempt:
        """Write the attempt as it now is, and log the change."""
        values = {name: getattr(attempt, name) for name in _PLAIN}
        values |= {"verb": attempt.verb, "status": attempt.status, "card": attempt.card.name}
        values |= {"amount": attempt.amount.minor, "currency": attempt.amount.currency}
        self._execute(
            "insert into $attempts (reference, tenant_id, order_reference, verb, source, customer, card, method, description,"
            " return_url, amount, currency, status, reason, challenge, capture_before, captured, refunded, stumbles, fee,"
            " fee_back, fee_known_at, made_at)"
            " values (:reference, :tenant, :order_reference, :verb, :source, :customer, :card, :method, :description,"
            " :return_url, :amount, :currency, :status, :reason, :challenge, :capture_before, :captured, :refunded, :stumbles,"
            " :fee, :fee_back, :fee_known_at, :now) on conflict (reference) do update set method = excluded.method,"
            " status = excluded.status, reason = excluded.reason, capture_before = excluded.capture_before,"
            " captured = excluded.captured, refunded = excluded.refunded, stumbles = excluded.stumbles, fee = excluded.fee,"
            " fee_back = excluded.fee_back, fee_known_at = excluded.fee_known_at",
            **values,
        )
        if change:
            self.log(attempt, change)
        return attempt

    def log(self, attempt: Attempt, kind: str) -> None:
        """Add a line to the log, to be announced after the transaction."""
        change = Change(reference("sn"), kind, attempt.reference, attempt.order_reference, self.now)
        self._execute(
            "insert into $changes (id, tenant_id, attempt, kind, at) values (:id, :tenant, :attempt, :kind, :now)",
            id=change.id,
            attempt=change.reference,
            kind=kind,
        )
        self.changes.append(change)

    def changed_since(self, moment: datetime) -> tuple[str, ...]:
        """References of the attempts that changed since then, with holds that have run out and disputes that were decided."""
        rows = self._execute(
            "select attempt from $changes where tenant_id = :tenant and at >= :moment"
            " union select reference from $attempts where tenant_id = :tenant and status = 'authorised'"
            " and capture_before >= :moment and capture_before <= :now"
            " union select attempt from $disputes where tenant_id = :tenant and decides_at >= :moment and decides_at <= :now"
            " order by 1",
            moment=moment,
        )
        return tuple(row["attempt"] for row in rows)

    # ---- account, customers, tokens, saved methods

    def store_account(self, account: Account) -> None:
        """Remember where this tenant wants its notices. Written only where it changes: its orders do not wait for each other."""
        told = {"endpoint": account.endpoint, "deliver_to": account.deliver_to, "secret": account.secret}
        known = self._execute("select endpoint, deliver_to, secret from $accounts where tenant_id = :tenant")
        if known and dict(known[0]) == told:
            return
        self._execute(
            "insert into $accounts (tenant_id, endpoint, deliver_to, secret) values (:tenant, :endpoint, :deliver_to, :secret)"
            " on conflict (tenant_id) do update set endpoint = :endpoint, deliver_to = :deliver_to, secret = :secret",
            **told,
        )

    def customer(self, person_id: UUID) -> str:
        """The network's reference of this payer, made at the first meeting."""
        rows = self._execute(
            "insert into $customers (reference, tenant_id, person_id, made_at) values (:reference, :tenant, :person, :now)"
            " on conflict (tenant_id, person_id) do update set person_id = excluded.person_id returning reference",
            reference=reference("sc"),
            person=person_id,
        )
        return str(rows[0]["reference"])

    def spend_token(self, token: str, customer: str) -> Card | None:
        """The card behind the token, which from its first use on is this customer's and nobody else's."""
        rows = self._execute(
            "update $tokens set customer = :customer where token = :token and (customer is null or customer = :customer)"
            " returning card",
            token=token,
            customer=customer,
        )
        return BY_NAME[rows[0]["card"]] if rows else None

    def method(self, method: str, customer: str) -> tuple[Card, bool] | None:
        """The card that this customer saved, and whether they have confirmed it to their bank."""
        rows = self._execute(
            "select card, confirmed from $methods where tenant_id = :tenant and reference = :method and customer = :customer"
            " and forgotten_at is null",
            method=method,
            customer=customer,
        )
        return (BY_NAME[rows[0]["card"]], rows[0]["confirmed"]) if rows else None

    def keep_method(self, attempt: Attempt, *, confirmed: bool) -> Attempt:
        """Save the attempt's card for later, or note on the saved one that it was confirmed."""
        if attempt.method is not None:
            self._execute(
                "update $methods set confirmed = confirmed or :confirmed where tenant_id = :tenant and reference = :method",
                confirmed=confirmed,
                method=attempt.method,
            )
            return attempt
        method = reference("sm")
        self._execute(
            "insert into $methods (reference, tenant_id, customer, card, confirmed, made_at)"
            " values (:method, :tenant, :customer, :card, :confirmed, :now)",
            method=method,
            customer=attempt.customer,
            card=attempt.card.name,
            confirmed=confirmed,
        )
        return replace(attempt, method=method)

    def forget_method(self, method: str, customer: str) -> None:
        """The card can be used no more; payments made with it stay."""
        self._execute(
            "update $methods set forgotten_at = :now where tenant_id = :tenant and reference = :method and customer = :customer"
            " and forgotten_at is null",
            method=method,
            customer=customer,
        )

    # ---- effects, transfers, disputes

    def effect(self, kind: str, key: str, amount: Money, *, attempt: str | None = None, transfer: str | None = None) -> Effect:
        """Record that this really happened."""
        made = Effect(reference("se"), attempt or transfer or "", amount)
        self._execute(
            "insert into $effects (id, tenant_id, attempt, transfer, kind, amount, currency, key, at)"
            " values (:id, :tenant, :attempt, :transfer, :kind, :amount, :currency, :key, :now)",
            id=made.id,
            attempt=attempt,
            transfer=transfer,
            kind=kind,
            amount=amount.minor,
            currency=amount.currency,
            key=key,
        )
        return made

    def effect_of(self, kind: str, key: str) -> Effect | None:
        """What happened under this key."""
        rows = self._execute(
            "select id, coalesce(attempt, transfer) as subject, amount, currency from $effects"
            " where tenant_id = :tenant and kind = :kind and key = :key",
            kind=kind,
            key=key,
        )
        return Effect(rows[0]["id"], rows[0]["subject"], _money(rows[0])) if rows else None

    def transfer(self, transfer: str) -> Transfer:
        """The transfer, locked until the transaction ends. Raises `Declined('unknown_transfer')`."""
        rows = self._execute(
            "select reference, partner_id, amount, currency, reversed from $transfers"
            " where tenant_id = :tenant and reference = :transfer for update",
            transfer=transfer,
        )
        if not rows:
            raise Declined("unknown_transfer", reference=transfer)
        return Transfer(rows[0]["reference"], rows[0]["partner_id"], _money(rows[0]), rows[0]["reversed"])

    def store_transfer(self, transfer: Transfer) -> None:
        self._execute(
            "insert into $transfers (reference, tenant_id, partner_id, amount, currency, reversed, made_at)"
            " values (:transfer, :tenant, :partner, :amount, :currency, :reversed, :now)"
            " on conflict (reference) do update set reversed = excluded.reversed",
            transfer=transfer.reference,
            partner=transfer.partner_id,
            amount=transfer.amount.minor,
            currency=transfer.amount.currency,
            reversed=transfer.reversed,
        )

    def open_dispute(self, attempt: Attempt, reason: str) -> None:
        """The cardholder wants back what is left of the payment: it is drawn at once, with a fee."""
        ends = self.now + ANSWER_WINDOW
        amount = attempt.captured - attempt.refunded
        self._execute(
            "insert into $disputes (reference, attempt, tenant_id, reason, amount, fee, currency, answer_until, decides_at,"
            " opened_at) values (:reference, :attempt, :tenant, :reason, :amount, :fee, :currency, :ends, :ends, :now)",
            reference=(made := reference("sd")),
            attempt=attempt.reference,
            reason=reason,
            amount=amount,
            fee=FEE * 10 ** exponent(attempt.amount.currency),
            currency=attempt.amount.currency,
            ends=ends,
        )
        self.effect("dispute", made, Money(amount, attempt.amount.currency), attempt=attempt.reference)
        self.log(attempt, "dispute.opened")

    def dispute(self, attempt: str) -> Dispute | None:
        """The newest dispute on this attempt, as it stands now: without an answer it is lost when the time for it is over."""
        rows = self._execute(
            "select * from $disputes where tenant_id = :tenant and attempt = :attempt order by opened_at desc limit 1",
            attempt=attempt,
        )
        if not rows:
            return None
        row = rows[0]
        if row["decides_at"] <= self.now:
            status = DisputeStatus.WON if row["won"] else DisputeStatus.LOST
        else:
            status = DisputeStatus.OPEN if row["evidence"] is None else DisputeStatus.UNDER_REVIEW
        amount, fee = Money(row["amount"], row["currency"]), Money(row["fee"], row["currency"])
        return Dispute(row["reference"], status, amount, fee, row["reason"], row["answer_until"])

    def answer_dispute(self, dispute: Dispute, evidence: Mapping[str, str], *, won: bool) -> None:
        """Keep the evidence; the bank decides some days later."""
        self._execute(
            "update $disputes set evidence = cast(:evidence as jsonb), won = :won, decides_at = :then"
            " where tenant_id = :tenant and reference = :reference",
            evidence=orjson.dumps(dict(evidence)).decode(),
            won=won,
            then=self.now + REVIEW,
            reference=dispute.reference,
        )

    def decide_dispute(self, attempt: Attempt, dispute: Dispute, *, won: bool) -> None:
        """The bank decides at once."""
        self._execute(
            "update $disputes set won = :won, decides_at = :now where tenant_id = :tenant and reference = :reference",
            won=won,
            reference=dispute.reference,
        )
        self.log(attempt, "dispute.closed")


def _money(row: RowMapping) -> Money:
    return Money(row["amount"], row["currency"])
