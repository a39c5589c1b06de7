"""What changes a payment: each loads, decides, and appends in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from fxo.core.consultations import queries as consultations
from fxo.core.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from fxo.core.events.store import Stream, Transaction
from fxo.core.ids import derived_id
from fxo.core.money import Money
from fxo.core.payments import disputes, model, queries, settling
from fxo.core.payments.model import PAYMENT, Owing, Saved
from fxo.core.payments.outcomes import Through
from fxo.core.payments.plan import Mode, Offer, Plan, for_
from fxo.core.payments.port import AuthorisationWindows
from fxo.core.payments.queries import payment_id_of
from fxo.core.payments.wallet import WALLET, CardRemoved, wallet_id_of
from fxo.core.scope import ActorKind, Permission, TenantConfig
from fxo.core.work import rows

KINDS = {Mode.AUTHORISE_NOW: "payments.authorise", Mode.SAVE_CARD: "payments.save_card"}


@dataclass(frozen=True, slots=True)
class Pay:
    """What a page with a card sends: the booking, and a card token or one of the client's saved cards."""

    consultation_id: UUID
    method: str
    card_id: UUID | None = None


def plan_of(
    tx: Transaction, held: consultations.ConsultationRow, windows: AuthorisationWindows, *, client_present: bool = True
) -> Plan:
    """What happens with the card and when; while an expert is still to be asked, it is only saved (hard case 5)."""
    asked_first = held.asks and held.state != "confirmed"
    offer = Offer(held.price, 60, held.policy)
    return for_(offer, held.starts_at, windows, now=tx.now, client_present=client_present and not asked_first)


def through_of(config: TenantConfig) -> Through:
    """Whose account a tenant's sessions are paid into."""
    return Through.TENANT if config.own_payment_account else Through.PLATFORM


def request(
    tx: Transaction, wanted: Pay, provider: str, windows: AuthorisationWindows, through: Through = Through.PLATFORM
) -> UUID:
    """Begin an attempt to hold the money, or to keep the card, for a slot that this client holds; returns the work to perform.

    The work is not handed to the queue: the page performs it and a worker finishes it if the page dies.
    Raises `Gone` where the hold has run out, `Conflict` where an attempt is running or the booking is paid for.
    """
    if not tx.actor.may(Permission.BOOK):
        raise NotAllowed("Please sign in to book.")
    payment_id = payment_id_of(wanted.consultation_id)
    payment = tx.load(PAYMENT, payment_id)
    held = consultations.find(tx, wanted.consultation_id)
    if held.state != "held" or held.held_until <= tx.now:
        raise Gone("The ten minutes for this slot are over. Nothing was charged. Please choose a time again.", code="hold_ended")
    attempt = Attempt(provider, held.price, through, plan_of(tx, held, windows))
    return _attempt(tx, payment, held, wanted, attempt, model.request)


def change_card(tx: Transaction, wanted: Pay, provider: str, windows: AuthorisationWindows) -> UUID:
    """Begin an attempt with another card, or with the same one and the client present, for a booking whose saved card is
    still to be held (hard case 2); returns the work to perform. Until it succeeds, the saved card stands.
    """
    payment = tx.load(PAYMENT, payment_id_of(wanted.consultation_id))
    booked = consultations.find(tx, wanted.consultation_id)
    if tx.actor.kind is not ActorKind.MEMBER or booked.client_id != tx.actor.id:
        raise NotFound("There is no such session here.")
    if booked.state != "confirmed" or not isinstance(payment.state, Saved):
        raise Conflict("This booking has ended. Nothing was charged.", code="no_card_wanted")
    attempt = Attempt(provider, booked.price, payment.state.request.through, plan_of(tx, booked, windows))
    return _attempt(tx, payment, booked, wanted, attempt, model.change_card)


def pay_due(tx: Transaction, wanted: Pay) -> UUID:
    """Begin an attempt of the client to pay with a card what they owe, after the saved card was refused; returns the work to
    perform. It is captured as soon as it is held.
    """
    payment = tx.load(PAYMENT, payment_id_of(wanted.consultation_id))
    row = consultations.find(tx, wanted.consultation_id)
    if tx.actor.kind is not ActorKind.MEMBER or row.client_id != tx.actor.id:
        raise NotFound("There is no such session here.")
    if not isinstance(payment.state, Owing):
        raise Conflict("Nothing is owed for this session.", code="no_card_wanted")
    asked = payment.state.request
    attempt = Attempt(asked.provider, payment.state.due, asked.through)
    return _attempt(tx, payment, row, wanted, attempt, model.change_card)


def keep_fee(tx: Transaction, payment_id: UUID, fee: Money, reason: str) -> None:
    """The client owes `fee` for this booking, in minor units with all taxes, and nothing beyond it is kept.

    What is held is captured in part or let go, a saved card is charged while the client is away, of what was taken the rest is
    given back; the steps follow from the event (`settling.next_step`). The same fee again changes nothing.
    Raises `Conflict` where the client owes something and there is nothing to take it from.
    """
    payment = tx.load(PAYMENT, payment_id)
    tx.append((payment, settling.keep_fee(payment.state, fee, reason)))


def remove_card(tx: Transaction, card_id: UUID) -> None:
    """Keep one of the client's own cards no longer. Refused while a booking is still to be held on it."""
    stream = tx.load(WALLET, wallet_id_of(tx.actor.id))
    card = next((each for each in queries.cards(tx, tx.actor.id) if each.id == card_id), None)
    if card is None:
        raise NotFound("There is no such card here.")
    if queries.waiting_for(tx, tx.actor.id, card.label):
        raise Conflict(
            "A booked session is still to be held on this card. Please give that session another card first.", code="card_in_use"
        )
    references = queries.everything_of(tx, card, tx.actor.id)
    tx.append((stream, [CardRemoved(tx.actor.id, card.provider, card.customer, references, card.label)]))


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an attempt is about; without a plan the amount is held at once."""

    provider: str
    amount: Money
    through: Through
    plan: Plan | None = None


def _attempt(
    tx: Transaction,
    payment: Stream[model.State],
    row: consultations.ConsultationRow,
    wanted: Pay,
    attempt: Attempt,
    decide: Callable[[model.State, model.Requested], list[object]],
) -> UUID:
    method = wanted.method
    if wanted.card_id:
        mine = queries.cards(tx, tx.actor.id, attempt.provider)
        method = next((card.reference for card in mine if card.id == wanted.card_id), "")
    if not method:
        raise Invalid("Please enter your card.", field="card")
    plan = attempt.plan
    mode = plan.mode if plan else Mode.AUTHORISE_NOW
    kind, key = KINDS[mode], str(payment.version + 1)
    happened = decide(
        payment.state,
        model.Requested(
            attempt=derived_id(payment.id, kind, key),
            consultation_id=row.id,
            client_id=row.client_id,
            partner_id=row.partner_id,
            provider=attempt.provider,
            amount=attempt.amount,
            partner_share=row.partner_share,
            mode=mode,
            authorise_at=plan.authorise_at if plan else None,
            retry_at=plan.retry_at if plan else None,
            give_up_at=plan.give_up_at if plan else None,
            consent=model.CONSENT,
            through=attempt.through,
            tax_rate=row.tax.rate,
            fee_bearer=row.fee_bearer,
        ),
    )
    tx.append((payment, happened))
    return rows.schedule(tx, kind, payment.id, key=key, body={"method": method}, offer=False)


# What a person decides -----------------------------------------------------------------------------------------------

LONGEST_NOTE = 500


def retry(tx: Transaction, payment_id: UUID, note: str) -> None:
    """Charge the saved card once more; by an operator."""
    _decide(tx, payment_id, note, settling.retry)


def ask_client(tx: Transaction, payment_id: UUID, note: str) -> None:
    """Ask the client for another card once more; by an operator."""
    _decide(tx, payment_id, note, settling.ask_client)


def waive(tx: Transaction, payment_id: UUID, note: str) -> None:
    """Let the client off; by an operator."""
    _decide(tx, payment_id, note, settling.waive)


def enter_by_hand(tx: Transaction, payment_id: UUID, note: str) -> None:
    """What is owed was received in another way; by an operator."""
    _decide(tx, payment_id, note, settling.by_hand)


def refund(tx: Transaction, payment_id: UUID, amount: Money, note: str) -> None:
    """Give back so much of what was taken; by an operator."""
    _decide(tx, payment_id, note, lambda state, why: settling.decided_refund(state, amount, why))


def answer_dispute(tx: Transaction, payment_id: UUID, note: str) -> None:
    """Send the evidence that there is; by an operator."""
    _decide(tx, payment_id, note, disputes.answer)


def _decide(tx: Transaction, payment_id: UUID, note: str, decide: Callable[[model.State, str], list[object]]) -> None:
    payment = tx.load(PAYMENT, payment_id)
    if not tx.actor.may(Permission.RUN_PLATFORM):
        raise NotAllowed("Only an operator may decide this.")
    tx.append((payment, decide(payment.state, _reason(note))))


def _reason(note: str) -> str:
    note = " ".join(note.split())
    if not note:
        raise Invalid("Please write down why. It is kept with the payment.", field="note")
    if len(note) > LONGEST_NOTE:
        raise Invalid("Please shorten the reason to %(most)s characters.", field="note", most=LONGEST_NOTE)
    return note
