"""Bookings: a time held and paid for in one request, read, and cancelled."""

from __future__ import annotations

from uuid import UUID

from fxo import platform
from fxo.core.consultations import changes
from fxo.core.consultations import commands as consultations
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.errors import Conflict, FxoError, NotFound
from fxo.core.events.store import Transaction
from fxo.core.money import Money
from fxo.core.payments import commands as payments
from fxo.core.payments import queries as payment_rows
from fxo.core.payments.queries import PaymentRow, payment_id_of
from fxo.web import booking, choices, identity
from fxo.web.api import models
from fxo.web.api.blueprint import bearer
from fxo.web.api.once import made_id
from fxo.web.api.routes import Answer, operation
from fxo.web.places import here
from fxo.web.portal import planner
from fxo.web.portal.changing import term_now

AGAIN = {"Retry-After": "2"}
_UNDER_WAY = ("payment_running", "already_paid")


class CardRefused(FxoError):
    """The bank said no; the time stays held for its ten minutes."""

    code = "card_refused"
    status = 402


@operation(
    "POST",
    "/bookings",
    {201: models.Booking, 202: models.Booking},
    body=models.NewBooking,
    members=True,
    problems=(402, 404, 410),
)
def book(sent: models.NewBooking) -> Answer:
    """Hold a time and pay for it. 202 where the bank asks the client first (`payment.action_url`) or has not answered yet."""
    actor, consultation_id = bearer().actor, made_id("booking")
    starts_at = choices.instant_from(sent.starts_at.isoformat(), "starts_at")
    booking.check_brief(actor, sent.brief)
    if _state(consultation_id) in (None, "held"):  # otherwise this request had come before, and its process was lost
        external = booking.busy_around(sent.partner, starts_at)
        booking.hold(actor, consultations.Hold(consultation_id, sent.partner, starts_at, sent.brief), external)
        try:
            booking.pay(actor, payments.Pay(consultation_id, sent.method_token))
        except FxoError as error:
            if error.code not in _UNDER_WAY:
                raise
    with platform.current().store.transaction(identity.scope(), actor) as tx:
        row = consultation_rows.find(tx, consultation_id)
        paying = payment_rows.find(tx, payment_id_of(row.id))
        body = models.Booking(**told(row, paying, tx))
    if row.state == "lost":
        raise consultations.SlotTaken(row.partner_id, row.starts_at)
    if paying and paying.state == "declined":
        words = planner.refusal(paying.reason or "card_declined", kept="")
        raise CardRefused(f"{words['title']} {words['text']}")
    known = row.state != "held"
    return Answer(body, 201 if known else 202, {"Location": f"/api/v1/bookings/{row.id}"} | ({} if known else AGAIN))


def _state(consultation_id: UUID) -> str | None:
    with platform.current().store.transaction(identity.scope(), bearer().actor) as tx:
        try:
            return consultation_rows.find(tx, consultation_id).state
        except NotFound:
            return None


@operation("GET", "/bookings/{booking_id}", {200: models.Booking}, problems=(404,))
def get_booking(booking_id: UUID) -> models.Booking:
    """How a booking stands."""
    return _booking(booking_id)


def _booking(booking_id: UUID) -> models.Booking:
    with platform.current().store.transaction(identity.scope(), bearer().actor) as tx:
        row = consultation_rows.find(tx, booking_id)
        return models.Booking(**told(row, payment_rows.find(tx, payment_id_of(row.id)), tx))


@operation("POST", "/bookings/{booking_id}/cancel", {200: models.Booking}, body=models.Cancel, members=True, problems=(404,))
def cancel(sent: models.Cancel, booking_id: UUID) -> models.Booking:
    """Cancel a booking for the fee that is agreed to, take a request back, or give a held time back."""
    parts, scope, actor = platform.current(), identity.scope(), bearer().actor
    with parts.store.transaction(scope, actor) as tx:
        row = consultation_rows.find(tx, booking_id)
    agreed = Money(sent.fee_minor, row.price.currency)
    match row.state:
        case "held":
            parts.store.run(scope, actor, _give_back, row.id)
        case "requested":
            parts.store.run(scope, actor, consultations.end_request, row.id)
        case _:
            try:
                parts.store.run(
                    scope, actor, consultations.cancel, here().tenant, row.id, sent.reason, words=sent.words, agreed=agreed
                )
            except changes.PriceChanged as error:
                raise Conflict(
                    "Cancelling costs %(fee)s now. Send its minor units as `fee_minor` to agree to it.",
                    code=error.code,
                    fee=error.fee,
                ) from error
    return _booking(booking_id)


def _give_back(tx: Transaction, booking_id: UUID) -> None:
    """End the hold, unless the bank has been asked: its yes would still book the time."""
    paying = payment_rows.find(tx, payment_id_of(booking_id))
    if paying and paying.attempt in ("requested", "challenged"):
        raise Conflict(
            "The bank has been asked about the card. Without its yes the time is given back by itself soon after `held_until`, at"
            " no cost; with it, cancel the booking then.",
            code="payment_running",
        )
    consultations.release(tx, booking_id, "cancelled")


def told(row: ConsultationRow, paying: PaymentRow | None, tx: Transaction) -> dict[str, object]:
    """What is said of a booking everywhere."""
    term = term_now(row, tx.now) if row.state in ("confirmed", "started") else None
    return {
        **{name: getattr(row, name) for name in ("id", "state", "starts_at", "ends_at", "held_until", "answer_until")},
        "partner": row.partner_id,
        "price": models.Money.of(row.price),
        "payment": _payment(paying, acts=bearer().acts) if paying else None,
        "cancellation": models.Cancellation(fee=models.Money.of(term.amount), until=term.until) if term else None,
        "fee": models.Money.of(row.fee) if row.fee else None,
    }


def _payment(paying: PaymentRow, *, acts: bool) -> models.Payment:
    """The card and the bank's page are for the client alone."""
    return models.Payment(
        state=paying.state,
        captured=models.Money.of(paying.captured),
        refunded=models.Money.of(paying.refunded),
        card=paying.method_label if acts else None,
        action_url=paying.challenge_url if acts and paying.attempt == "challenged" else None,
    )
