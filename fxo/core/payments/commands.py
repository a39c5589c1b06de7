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
from fxo.core.payments import model, queries, settling
from fxo.core.payments.model import PAYMENT
from fxo.core.payments.plan import Mode, Offer, Plan, for_
from fxo.core.payments.port import AuthorisationWindows
from fxo.core.payments.queries import payment_id_of
from fxo.core.payments.wallet import WALLET, CardRemoved, wallet_id_of
from fxo.core.scope import ActorKind, Permission
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


def request(tx: Transaction, wanted: Pay, provider: str, windows: AuthorisationWindows) -> UUID:
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
    return _attempt(tx, payment, held, wanted, provider, windows, model.request)


def change_card(tx: Transaction, wanted: Pay, provider: str, windows: AuthorisationWindows) -> UUID:
    """Begin an attempt with another card, or with the same one and the client present, for a booking whose saved card is
    still to be held (hard case 2); returns the work to perform. Until it succeeds, the saved card stands.
    """
    payment = tx.load(PAYMENT, payment_id_of(wanted.consultation_id))
    booked = consultations.find(tx, wanted.consultation_id)
    if tx.actor.kind is not ActorKind.MEMBER or booked.client_id != tx.actor.id:
        raise NotFound("There is no such session here.")
    if booked.state != "confirmed":
        raise Conflict("This booking has ended. Nothing was charged.", code="no_card_wanted")
    return _attempt(tx, payment, booked, wanted, provider, windows, model.change_card)


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


def _attempt(
    tx: Transaction,
    payment: Stream[model.State],
    held: consultations.ConsultationRow,
    wanted: Pay,
    provider: str,
    windows: AuthorisationWindows,
    decide: Callable[[model.State, model.Requested], list[object]],
) -> UUID:
    method = wanted.method
    if wanted.card_id:
        mine = queries.cards(tx, tx.actor.id, provider)
        method = next((card.reference for card in mine if card.id == wanted.card_id), "")
    if not method:
        raise Invalid("Please enter your card.", field="card")
    plan = plan_of(tx, held, windows)
    kind = KINDS[plan.mode]
    payment_id = payment.id
    key = str(payment.version + 1)
    happened = decide(
        payment.state,
        model.Requested(
            attempt=derived_id(payment_id, kind, key),
            consultation_id=held.id,
            client_id=held.client_id,
            partner_id=held.partner_id,
            provider=provider,
            amount=held.price,
            partner_share=held.partner_share,
            mode=plan.mode,
            authorise_at=plan.authorise_at,
            retry_at=plan.retry_at,
            give_up_at=plan.give_up_at,
            consent=model.CONSENT,
        ),
    )
    tx.append((payment, happened))
    return rows.schedule(tx, kind, payment_id, key=key, body={"method": method}, offer=False)
