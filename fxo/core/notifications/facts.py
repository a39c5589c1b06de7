"""What messages about a consultation may say, as it is now: the values of the catalogue's templates."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fxo.core.calendars import queries as calendars
from fxo.core.calendars.model import uid_of
from fxo.core.calendars.port import Attendee, MeetingWanted
from fxo.core.clients import queries as clients
from fxo.core.clock import in_zone
from fxo.core.consultations import queries as consultations
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.errors import NotFound
from fxo.core.events.store import Transaction
from fxo.core.matching import queries as matching
from fxo.core.partners import queries as partners
from fxo.core.payments import queries as payments
from fxo.core.scope import TenantConfig

_REASONS = {
    "payment": "The card was refused twice, so the time was given back.",
    "partner": "The expert had to cancel.",
    "client": "It was cancelled as asked.",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """One consultation with the people in it; `words` fill the catalogue's templates."""

    consultation: ConsultationRow
    people: dict[str, Attendee]
    """`client` and `partner`."""
    ids: dict[str, UUID]
    join_url: str | None
    words: dict[str, str]


def gather(tx: Transaction, config: TenantConfig, consultation_id: UUID) -> Facts:
    """The facts of a consultation as it stands; in the tenant's scope, for code."""
    row = consultations.find(tx, consultation_id)
    client = clients.find(tx, row.client_id)
    partner_name, partner_mail, partner_zone = partners.contact(tx, row.partner_id)
    payment = payments.find(tx, payments.payment_id_of(row.id))
    link = calendars.join_url(tx, row.id)
    client_zone = client.zone or partner_zone
    paid = payment.captured if payment else row.price
    words = {
        "id": str(row.id),
        "client": _line(client.name),
        "partner": _line(partner_name),
        "when_client": in_zone(row.starts_at, client_zone),
        "when_partner": in_zone(row.starts_at, partner_zone),
        "price": str(row.price),
        "paid": str(paid),
        "earned": str(paid.share(row.partner_share)),
        "card": payment.method_label if payment and payment.method_label else "your card",
        "receipt": str(payment.id)[-12:].upper() if payment else "",
        "money": _money(payment, row, client_zone),
        "link": f"Join: {link}"
        if link
        else "The meeting link follows by mail in a moment; it will also be on the session's page.",
        "brief": _brief(tx, row.brief_id),
        "reason": _REASONS.get(row.reason or "", "It was cancelled."),
        "nothing_charged": "Nothing was charged." if not payment or not payment.captured.minor else "",
    }
    return Facts(
        row,
        {
            "client": Attendee(_line(client.name), client.email, client_zone),
            "partner": Attendee(_line(partner_name), partner_mail, partner_zone),
        },
        {"client": row.client_id, "partner": row.partner_id},
        link,
        words,
    )


def meeting_wanted(config: TenantConfig, facts: Facts, reference: str, sequence: int = 0) -> MeetingWanted:
    """The meeting that this consultation should have."""
    row = facts.consultation
    return MeetingWanted(
        reference=reference, uid=uid_of(row.id), sequence=sequence,
        title=f"{facts.words['client']} and {facts.words['partner']}, {config.name}",
        description=f"{config.portal_url}/sessions/{row.id}",
        starts_at=row.starts_at, ends_at=row.ends_at,
        organiser=facts.people["partner"], guests=(facts.people["client"],),
    )  # fmt: skip


def _money(payment: payments.PaymentRow | None, row: ConsultationRow, zone: str) -> str:
    if payment and payment.state == "card_saved" and payment.authorise_at:
        return (
            f"{payment.method_label} is kept. {row.price} is held on it on {in_zone(payment.authorise_at, zone)}"
            " and charged only after the session."
        )
    return f"{row.price} is held on {payment.method_label if payment else 'your card'} and charged only after the session."


def _brief(tx: Transaction, brief_id: UUID | None) -> str:
    if brief_id is None:
        return "(no brief was written)"
    try:
        text = _line(matching.find(tx, brief_id).text)
    except NotFound:
        return "(no brief was written)"
    return text if len(text) <= 400 else text[:399] + "…"


def _line(text: str) -> str:
    """On one line, so that no header and no list is broken by what somebody typed."""
    return " ".join(text.split())
