"""What changes a payment: each loads, decides, and appends in the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fxo.core.consultations import queries as consultations
from fxo.core.errors import Gone, Invalid, NotAllowed
from fxo.core.events.store import Transaction
from fxo.core.ids import derived_id
from fxo.core.payments import model
from fxo.core.payments.model import PAYMENT
from fxo.core.payments.plan import Mode, Offer, Plan, for_
from fxo.core.payments.port import AuthorisationWindows
from fxo.core.payments.queries import payment_id_of, saved_method
from fxo.core.scope import Permission
from fxo.core.work import rows

KINDS = {Mode.AUTHORISE_NOW: "payments.authorise", Mode.SAVE_CARD: "payments.save_card"}


@dataclass(frozen=True, slots=True)
class Pay:
    """What checkout sends: the booking, and a card token or the wish to use the saved card."""

    consultation_id: UUID
    method: str
    use_saved: bool = False


def plan_of(tx: Transaction, held: consultations.ConsultationRow, windows: AuthorisationWindows) -> Plan:
    """What happens with the card and when, for a booking that is being checked out."""
    return for_(Offer(held.price, 60, held.policy), held.starts_at, windows, now=tx.now)


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
    method = wanted.method
    if wanted.use_saved:
        saved = saved_method(tx, tx.actor.id, provider)
        method = saved.reference if saved else ""
    if not method:
        raise Invalid("Please enter your card.", field="card")
    plan = plan_of(tx, held, windows)
    kind = KINDS[plan.mode]
    key = str(payment.version + 1)
    happened = model.request(
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
