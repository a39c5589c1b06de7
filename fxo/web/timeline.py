"""What happened to a booking, its money and its meeting, in human words, from events; each reader sees what they may."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from fxo.core.events.model import Recorded
from fxo.core.money import Money
from fxo.core.payments.outcomes import Paper
from fxo.core.payments.receipts import code_of
from fxo.core.scope import ActorKind
from fxo.web import shown
from fxo.web.language import _, ngettext

Told = tuple[str, str]
"""(what happened, what it means); an empty first one is not told."""


def told(events: Sequence[Recorded], reader: ActorKind, zone: str, now: datetime) -> list[dict[str, str]]:
    """The steps of a booking, oldest first, for `ui.stepper`: what is open is the current one."""
    found = []
    for item in events:
        words = _WORDS.get(item.type)
        title, text = words(item, reader, zone, now) if words else ("", "")
        if title:
            when = shown.time(item.recorded_at, zone)["text"]
            found.append({"title": title, "text": f"{when} · {text}" if text else when, "state": "done"})
    if found and (ahead := _ahead(events, zone, now)):
        found.append({"title": ahead, "text": "", "state": "current"})
    return found


def left(until: datetime, now: datetime) -> str:
    """How long there is until then: `4 d 12 h`, `3 h 20 min`, `5 min`."""
    minutes = max(0, int((until - now) / timedelta(minutes=1)))
    days, hours = divmod(minutes // 60, 24)
    if days:
        return _("%(days)s d %(hours)s h", days=days, hours=hours)
    if hours:
        return _("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes % 60)
    return ngettext("%(num)s min", "%(num)s min", minutes)


def _ahead(events: Sequence[Recorded], zone: str, now: datetime) -> str:
    """What the money waits for."""
    money = [item for item in events if item.stream_type == "payment"]
    last = next((item for item in reversed(money) if item.type not in ("payment.receipt_issued", "payment.decided")), None)
    match last.type if last else "":
        case "payment.authorised":
            held = last.value  # type: ignore[union-attr]
            return _(
                "%(amount)s held, %(left)s left to capture", amount=held.amount.exact, left=left(held.capture_before, now)
            )  # fmt: skip
        case "payment.card_saved":
            return _("The card is held on %(when)s", when=shown.time(last.value.authorise_at, zone)["text"])  # type: ignore[union-attr]
        case "payment.disputed":
            until = shown.time(last.value.answer_by, zone)["text"]  # type: ignore[union-attr]
            return _("The dispute can be answered until %(when)s", when=until)
        case "payment.evidence_sent":
            return _("The cardholder's bank decides")
        case "payment.charge_refused":
            return _("Another card is asked for")
        case "payment.needs_person":
            return _("A person looks into it")
    return ""


def _said(sentence: Callable[[], str], note: Callable[[], str] = lambda: "") -> Callable[..., Told]:
    return lambda item, reader, zone, now: (sentence(), note())


def _held(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    return _("Time held for checkout"), _("%(price)s agreed", price=item.value.price.exact)


def _by(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    who = {"client": _("the client"), "partner": _("the expert"), "operator": _("an operator"), "system": _("the platform")}
    by = who[str(item.value.by)]
    return {
        "consultation.started": (_("Session began, by %(who)s", who=by), ""),
        "consultation.completed": (_("Session completed, by %(who)s", who=by), ""),
        "consultation.cancelled": (_("Booking cancelled, by %(who)s", who=by), ""),
        "consultation.request_ended": (_("Request ended, by %(who)s", who=by), ""),
        "consultation.arrived": (_("There: %(who)s", who=by), ""),
        "consultation.objected": (_("Contested, by %(who)s", who=by), _("No money moves before a person has decided")),
    }[item.type]


def _moved(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    when = shown.time(item.value.starts_at, zone)["text"]
    by_expert = str(item.value.by) == "partner"
    return _("Moved to %(when)s", when=when), _("as the expert proposed") if by_expert else ""


def _missed(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    if str(item.value.missing) == "partner":
        return _("The expert did not come"), ""
    return _("The client did not come"), ""


def _authorised(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    held = item.value
    card = "" if reader is ActorKind.PARTNER else held.label
    until = _("until %(when)s", when=shown.time(held.capture_before, zone)["text"])
    return _("Card authorised for %(amount)s", amount=held.amount.exact), ", ".join(filter(None, [card, until]))


def _due(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    reasons = {
        "completed": _("for the session"), "cancelled": _("after a cancellation"), "no_show": _("after a missed session"),
        "waived": _("the rest was waived"), "resolved": _("as a person decided"), "slot_lost": _("the time was lost"),
    }  # fmt: skip
    why = reasons.get(item.value.reason, "")
    if not item.value.amount.minor:
        return _("Nothing is owed"), why
    return _("%(amount)s is owed", amount=item.value.amount.exact), why


def _captured(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    by_hand = item.value.reference == "by hand"
    how = _("entered by hand") if by_hand else _provider_keeps(item.value.provider_fee, reader)
    return _("%(amount)s paid", amount=item.value.amount.exact), how


def _provider_keeps(fee: Money | None, reader: ActorKind) -> str:
    """For the operator alone: how much of it an expert bears stands in their earnings."""
    return _("the payment provider keeps %(fee)s", fee=fee.exact) if fee and fee.minor and reader is ActorKind.OPERATOR else ""


def _provider_fee(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    return (_("Payment provider's fee"), _provider_keeps(item.value.fee, reader)) if reader is ActorKind.OPERATOR else ("", "")


def _reason(sentence: Callable[[], str]) -> Callable[..., Told]:
    def words(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
        return sentence(), "" if reader is ActorKind.PARTNER else item.value.reason.replace("_", " ")

    return words


def _amount(sentence: Callable[[str], str]) -> Callable[..., Told]:
    return lambda item, reader, zone, now: (sentence(item.value.amount.exact), "")


def _decided(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    what = {
        "retry": _("An operator had the card charged again"), "ask_client": _("An operator asked for another card"),
        "waive": _("An operator let the client off"), "refund": _("An operator gave money back"),
        "by_hand": _("An operator entered a payment by hand"), "evidence": _("An operator answered the dispute"),
    }  # fmt: skip
    return what.get(item.value.what, ""), item.value.note if reader is ActorKind.OPERATOR else ""


def _declined(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    if item.value.reason == "provider_unavailable":
        return _("The card could not be asked"), _("Nothing was held, nothing was charged")
    return _reason(lambda: _("Card declined"))(item, reader, zone, now)


def _outage(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    who = {
        "payments": _("The payment service"), "calendars": _("The expert's calendar"), "mail": _("The mail service"),
        "sms": _("The text message service"), "push": _("The browser's notification service"),
    }[item.value.whose]  # fmt: skip
    if item.type == "outage.ended":
        return _("%(who)s answers again", who=who), ""
    reason, _colon, field = item.value.reason.partition(": ")
    match reason:
        case "misconfigured":
            to_mend = _("The setting to mend: %(field)s", field=field or "?")
            return _("%(who)s refused our access", who=who), to_mend if reader is ActorKind.OPERATOR else _("A person was told")
        case "notconnected":
            return _("Our access to the expert's calendar has ended"), _("The invitation goes by mail instead")
        case "retryable":
            return _("%(who)s asked for patience", who=who), _("It is asked again by itself")
    return _("%(who)s did not answer", who=who), _("It is asked again by itself")


def _met(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    if item.value.provider == "calendar_local":
        return _("The meeting has a page of its own"), _("The invitation goes by mail")
    return _("Written into the expert's calendar"), _("with a link to join")


def _found(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    if reader is ActorKind.PARTNER:
        return "", ""
    if item.value.refined:
        return _("Experts ranked anew by a language model"), ""
    return _("Experts found"), _("by the platform's own ranking")


def _unrefined(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    if reader is ActorKind.PARTNER:
        return "", ""
    return _("The language model did not answer"), _("The platform's own ranking stands")


def _undelivered(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    """What a reader's own mailbox, phone or browser refuses is nobody's but theirs and the operator's."""
    if reader is not ActorKind.OPERATOR or getattr(item.value, "what", "") == "delivered":
        return "", ""
    why = item.value.reason if item.type == "notification.dropped" else item.value.what
    return _("A message did not reach its reader"), f"{item.value.kind}, {why.replace('_', ' ')}"


def _receipt(item: Recorded, reader: ActorKind, zone: str, now: datetime) -> Told:
    if reader is ActorKind.PARTNER:
        return "", ""
    code = code_of(item.value.kind, item.value.number)
    credit = item.value.kind is Paper.CREDIT_NOTE
    return (_("Credit note %(code)s issued", code=code) if credit else _("Receipt %(code)s issued", code=code)), ""


_WORDS: dict[str, Callable[..., Told]] = {
    "consultation.held": _held,
    "consultation.released": _said(lambda: _("The time was given back")),
    "consultation.confirmed": _said(lambda: _("Booked")),
    "consultation.slot_lost": _said(lambda: _("The time was somebody else's by then")),
    "consultation.started": _by,
    "consultation.completed": _by,
    "consultation.completion_undone": _said(lambda: _("Completion taken back")),
    "consultation.cancelled": _by,
    "consultation.requested": _said(lambda: _("The expert is asked"), lambda: _("Nothing is held before the answer")),
    "consultation.request_ended": _by,
    "consultation.moved": _moved,
    "consultation.move_proposed": _said(lambda: _("The expert proposed other times")),
    "consultation.proposal_withdrawn": _said(lambda: _("The expert can keep the time")),
    "consultation.arrived": _by,
    "consultation.missed": _missed,
    "consultation.absence_settled": _said(lambda: _("Nobody objected")),
    "consultation.objected": _by,
    "consultation.decided": _said(lambda: _("A person decided")),
    "consultation.rescued": _said(lambda: _("Another expert took over"), lambda: _("The payment goes along")),
    "consultation.rescue_ended": _said(lambda: _("Nobody took over")),
    "payment.replanned": _said(lambda: _("The card is to be held anew")),
    "payment.handed_over": _said(lambda: _("The payment went to another booking")),
    "payment.declined": _declined,
    "payment.challenge_asked": _said(lambda: _("The bank asked for a confirmation")),
    "payment.card_saved": _said(lambda: _("Card kept for later")),
    "payment.authorised": _authorised,
    "payment.authorisation_refused": _reason(lambda: _("The saved card was refused")),
    "payment.due": _due,
    "payment.captured": _captured,
    "payment.provider_fee_known": _provider_fee,
    "payment.capture_failed": _reason(lambda: _("What was held could not be taken")),
    "payment.charge_refused": _reason(lambda: _("The card was refused for what is owed")),
    "payment.needs_person": _said(lambda: _("Given to a person to look into")),
    "payment.decided": _decided,
    "payment.voided": _said(lambda: _("The hold on the card was ended")),
    "payment.abandoned": _said(lambda: _("Nothing will be charged")),
    "payment.hold_lapsed": _said(lambda: _("The hold has ended at the bank")),
    "payment.refund_asked": _amount(lambda amount: _("Refund of %(amount)s asked for", amount=amount)),
    "payment.refunded": _amount(lambda amount: _("%(amount)s given back", amount=amount)),
    "payment.refund_failed": _reason(lambda: _("A refund was refused")),
    "payment.disputed": _amount(lambda amount: _("The cardholder disputes %(amount)s", amount=amount)),
    "payment.evidence_sent": _said(lambda: _("Evidence sent")),
    "payment.dispute_won": _amount(lambda amount: _("Dispute won: %(amount)s is back", amount=amount)),
    "payment.dispute_lost": _amount(lambda amount: _("Dispute lost: %(amount)s is gone", amount=amount)),
    "payment.receipt_issued": _receipt,
    "meeting.created": _met,
    "meeting.replaced": _met,
    "meeting.moved": _said(lambda: _("The meeting has moved along")),
    "meeting.cancelled": _said(lambda: _("The meeting was called off")),
    "meeting.failed": _said(lambda: _("No calendar could make the meeting"), lambda: _("A person was told")),
    "outage.began": _outage,
    "outage.ended": _outage,
    "brief.matched": _found,
    "brief.left_unrefined": _unrefined,
    "notification.dropped": _undelivered,
    "notification.reported": _undelivered,
}
"""By type of event; an event that is not here is not told."""
