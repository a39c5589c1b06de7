"""What messages about a consultation may say, as it is now: the words of the catalogue's sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from fxo.core.calendars import queries as calendars
from fxo.core.calendars.model import uid_of
from fxo.core.calendars.port import Attendee, MeetingWanted
from fxo.core.clients import queries as clients
from fxo.core.consultations import queries as consultations
from fxo.core.consultations.policy import cancellation_terms
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.errors import NotFound
from fxo.core.events.store import Transaction
from fxo.core.matching import queries as matching
from fxo.core.money import Money
from fxo.core.notifications.entry import N_
from fxo.core.notifications.letter import Link, Moment, Word
from fxo.core.partners import queries as partners
from fxo.core.payments import queries as payments
from fxo.core.payments import receipts
from fxo.core.payments.plan import after_refusal
from fxo.core.payments.split import fee_parts, parts
from fxo.core.scope import FeeBearer, TenantConfig

LONGEST_BRIEF = 1_200
"""What is longer goes on on the session's page."""

MEETING_ROOM = N_("Meeting room")

YES = "yes"
"""The word of what only is or is not, for `When`."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One consultation with the people in it."""

    consultation: ConsultationRow
    people: dict[str, Attendee]
    """`client` and `partner`."""
    ids: dict[str, UUID]
    join_url: str | None
    met_at: str
    """The calendar provider that has the meeting, if one has."""
    sequence: int
    """Of the meeting, as calendars know it."""
    words: Mapping[str, Word | datetime]
    """What is the same for both; times are told in the reader's zone by `words_for`."""

    def words_for(self, reader: str) -> dict[str, Word]:
        """The words for the `client` or the `partner`: when it is for the reader, and for the other one where that differs."""
        other = "partner" if reader == "client" else "client"
        zone, theirs, row = self.people[reader].zone, self.people[other].zone, self.consultation
        words: dict[str, Word] = {
            name: Moment(word, zone) if isinstance(word, datetime) else word for name, word in self.words.items()
        }
        words |= {"when": Moment(row.starts_at, zone, row.ends_at), "other_first": words[f"{other}_first"]}
        if row.starts_at.astimezone(ZoneInfo(zone)).utcoffset() != row.starts_at.astimezone(ZoneInfo(theirs)).utcoffset():
            words["theirs"] = Moment(row.starts_at, theirs, row.ends_at, beside=zone)
        return words


def gather(tx: Transaction, config: TenantConfig, consultation_id: UUID) -> Facts:
    """The facts of a consultation as it stands; in the tenant's scope, for code."""
    row = consultations.find(tx, consultation_id)
    client = clients.find(tx, row.client_id)
    name, mail, zone = partners.contact(tx, row.partner_id)
    client_name, partner_name, company = one_line(client.name), one_line(name), one_line(client.company)
    link = calendars.join_url(tx, row.id)
    words: dict[str, Word | datetime] = {
        "id": str(row.id),
        "portal": config.name,
        "client": client_name,
        "client_first": first_name(client_name),
        "client_of": f"{client_name}, {company}" if company else client_name,
        "partner": partner_name,
        "partner_first": first_name(partner_name),
        "partner_title": one_line(partners.profile(tx, row.partner_id).title),
        "partner_id": str(row.partner_id),
        "brief": _brief(tx, row.brief_id),
        **({"link": Link(link, MEETING_ROOM)} if link else {"no_link": YES}),
        **_changes(row),
        **_decision(tx, row),
        **_cancelling(row, tx.now),
        **_money(row, payments.find(tx, payments.payment_id_of(row.id)), tx.now),
        **_receipt(tx, row),
    }
    people = {
        "client": Attendee(client_name, client.email, client.zone or zone),
        "partner": Attendee(partner_name, mail, zone),
    }
    ids = {"client": row.client_id, "partner": row.partner_id}
    return Facts(row, people, ids, link, calendars.met_at(tx, row.id), max(row.sequence, calendars.sequence(tx, row.id)), words)


def meeting_wanted(config: TenantConfig, facts: Facts, reference: str, sequence: int = 0) -> MeetingWanted:
    """The meeting that this consultation should have."""
    row = facts.consultation
    return MeetingWanted(
        reference=reference, partner_id=row.partner_id, uid=uid_of(row.id), sequence=sequence,
        title=f"{facts.words['client']} and {facts.words['partner']}, {config.name}",
        description=f"{config.portal_url}/sessions/{row.id}",
        starts_at=row.starts_at, ends_at=row.ends_at,
        organiser=facts.people["partner"], guests=(facts.people["client"],),
    )  # fmt: skip


def first_name(name: str) -> str:
    """What one calls somebody in a sentence."""
    return name.split(" ")[0]


def _changes(row: ConsultationRow) -> dict[str, Word | datetime]:
    """What has become of the booking since it was made: who ended it, for what fee, where it was before, what is proposed."""
    times = {
        "answer_until": row.answer_until, "rescue_until": row.rescue_until, "moved_from": row.moved_from,
        "stands_at": row.stands_at, **{f"proposed_{n}": at for n, at in enumerate(row.proposed, 1)},
    }  # fmt: skip
    words: dict[str, Word | datetime] = {name: at for name, at in times.items() if at is not None}
    if row.ended_by:
        words[f"by_{'payment' if row.reason == 'payment' else row.ended_by}"] = YES
    if row.moved_by:
        words[f"moved_by_{row.moved_by}"] = YES
    if row.words:
        words["words"] = one_line(row.words)
    if row.fee is not None and row.fee.minor:
        words |= {"fee": row.fee, "fee_earns": parts(row.fee, row.partner_share, row.tax.rate).partner}
    elif row.fee is not None:
        words["free"] = YES
    return words


def _decision(tx: Transaction, row: ConsultationRow) -> dict[str, Word | datetime]:
    """Why the operator has decided as they did."""
    case = consultations.case_of(tx, tx.scope.tenant_id, row.id) if row.state == "decided" else None
    return {"decision": one_line(case.words)} if case and case.words else {}


def _money(row: ConsultationRow, payment: payments.PaymentRow | None, now: datetime) -> dict[str, Word | datetime]:
    """The price and where it stands: held on a card, kept for later with the dates that follow, or paid and split."""
    earns = parts(row.price, row.partner_share, row.tax.rate).partner
    words: dict[str, Word | datetime] = {"price": row.price, "earns": earns}
    if payment is None:
        return words
    card = payment.method_label or ""
    kinds = {"cancelled": "for_cancelled", "missed": "for_missed", "settled": "for_missed"}
    words |= {"card": card, kinds.get(row.state, "for_session"): YES}
    if payment.captured.minor:
        words |= _paid(row, payment)
    elif payment.due and payment.due.minor:
        words["owed"] = payment.due
    elif not (row.fee and row.fee.minor):
        words["nothing_charged"] = YES
    if payment.state == "authorised":
        words["held_on"] = card
    if payment.state == "card_saved" and payment.authorise_at:
        retry_at, give_up_at = after_refusal(row.starts_at, payment.authorise_at)
        words |= {"kept_on": card, "authorise_at": payment.authorise_at, "give_up_at": give_up_at}
        words |= {"retry_at": retry_at} if retry_at > now else {"last_try": YES}
    return words


def _receipt(tx: Transaction, row: ConsultationRow) -> dict[str, Word | datetime]:
    found = receipts.of_payment(tx, payments.payment_id_of(row.id))
    return {"receipt": found[0].code} if found else {}


def _paid(row: ConsultationRow, payment: payments.PaymentRow) -> dict[str, Word | datetime]:
    """What was taken, whose part of it is whose, and what remains after what was given back."""
    split, nothing = parts(payment.captured, row.partner_share, row.tax.rate), Money(0, payment.captured.currency)
    borne, _rest = fee_parts(payment.provider_fee or nothing, nothing, row.partner_share, row.fee_bearer)
    remains = parts(payment.captured - payment.refunded, row.partner_share, row.tax.rate).partner
    words: dict[str, Word | datetime] = {
        "paid": payment.captured, "earned": split.partner - borne, "platform_part": split.platform,
        "given_back": payment.refunded, "earned_now": remains - borne, "frozen_now": remains,
    }  # fmt: skip
    if borne.minor:
        words["fee_borne"] = borne
    elif payment.provider_fee is None and payment.through != "hand" and row.fee_bearer is not FeeBearer.PLATFORM:
        words["fee_follows"] = YES
    if payment.captured_at:
        words["paid_at"] = payment.captured_at
    if split.tax.minor:
        words |= {"tax": split.tax, "tax_name": row.tax.name}
    return words


def _cancelling(row: ConsultationRow, now: datetime) -> dict[str, Word | datetime]:
    """What cancelling costs and until when, as far as these times still lie ahead."""
    words: dict[str, Word | datetime] = {}
    for term in cancellation_terms(row.policy, row.price, row.starts_at):
        if term.until is None:
            words["full_price"] = term.amount
        elif term.until > now:
            words |= {"half_until": term.until, "half_price": term.amount} if term.amount.minor else {"free_until": term.until}
    return words


def _brief(tx: Transaction, brief_id: UUID | None) -> str:
    if brief_id is None:
        return ""
    try:
        text = one_line(matching.find(tx, brief_id).text)
    except NotFound:
        return ""
    return text if len(text) <= LONGEST_BRIEF else text[: LONGEST_BRIEF - 1].rsplit(" ", 1)[0] + " …"


def one_line(text: str) -> str:
    """On one line, so that no header and no list is broken by what somebody typed."""
    return " ".join(text.split())
