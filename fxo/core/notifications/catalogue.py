"""Every message that the platform sends, as data: to whom, when it is still of use, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Entry:
    """One message. Texts are templates over the facts of a consultation (`str.format`), and always in words for people.

    `states`: the consultation's states in which it is still true. `until`: of no use later than this before the start.
    """

    to: str
    subject: str
    heading: str
    paragraphs: tuple[str, ...]
    action: tuple[str, str] | None = None
    """(label, path on the reader's own host)."""
    states: frozenset[str] = frozenset()
    until: timedelta | None = None
    invitation: str | None = None
    """`REQUEST` or `CANCEL`: an .ics goes with it."""


_AHEAD = frozenset({"confirmed", "started"})
_SESSION = "/sessions/{id}"

CATALOGUE: dict[str, Entry] = {
    "booking_confirmed_client": Entry(
        to="client",
        subject="Booked: {partner}, {when_client}",
        heading="Your session with {partner} is booked",
        paragraphs=("{when_client} ({when_partner} for {partner}), 60 minutes.", "{link}", "{money}"),
        action=("Open your session", _SESSION),
        states=_AHEAD,
        invitation="REQUEST",
    ),
    "booking_confirmed_partner": Entry(
        to="partner",
        subject="New session: {client}, {when_partner}",
        heading="{client} booked a session with you",
        paragraphs=("{when_partner} ({when_client} for {client}), 60 minutes.", "{link}", "What they are facing: {brief}"),
        action=("Open the session", _SESSION),
        states=_AHEAD,
        invitation="REQUEST",
    ),
    "link_ready_client": Entry(
        to="client",
        subject="The meeting link for your session with {partner}",
        heading="Your meeting link is ready",
        paragraphs=("{when_client}, 60 minutes with {partner}.", "{link}"),
        action=("Open your session", _SESSION),
        states=_AHEAD,
        until=timedelta(0),
        invitation="REQUEST",
    ),
    "link_ready_partner": Entry(
        to="partner",
        subject="The meeting link for your session with {client}",
        heading="The meeting link is ready",
        paragraphs=("{when_partner}, 60 minutes with {client}.", "{link}"),
        action=("Open the session", _SESSION),
        states=_AHEAD,
        until=timedelta(0),
        invitation="REQUEST",
    ),
    "reminder_24h_client": Entry(
        to="client",
        subject="Tomorrow: your session with {partner}",
        heading="Your session with {partner} is tomorrow",
        paragraphs=("{when_client}, 60 minutes.", "{link}"),
        action=("Prepare or change it", _SESSION),
        states=_AHEAD,
        until=timedelta(hours=12),
    ),
    "reminder_24h_partner": Entry(
        to="partner",
        subject="Tomorrow: your session with {client}",
        heading="Your session with {client} is tomorrow",
        paragraphs=("{when_partner}, 60 minutes.", "{link}", "What they are facing: {brief}"),
        action=("Open the session", _SESSION),
        states=_AHEAD,
        until=timedelta(hours=12),
    ),
    "reminder_1h_client": Entry(
        to="client",
        subject="In one hour: your session with {partner}",
        heading="Your session with {partner} begins in one hour",
        paragraphs=("{when_client}, 60 minutes.", "{link}"),
        action=("Join", _SESSION),
        states=_AHEAD,
        until=timedelta(0),
    ),
    "reminder_1h_partner": Entry(
        to="partner",
        subject="In one hour: your session with {client}",
        heading="Your session with {client} begins in one hour",
        paragraphs=("{when_partner}, 60 minutes.", "{link}"),
        action=("Open the session", _SESSION),
        states=_AHEAD,
        until=timedelta(0),
    ),
    "card_refused_client": Entry(
        to="client",
        subject="Your bank refused the card for your session with {partner}",
        heading="Please look at your card",
        paragraphs=(
            "We tried to hold {price} for {when_client}, and your bank said no. Nothing was charged.",
            "Your time is still yours. Please check the card with your bank; we try again. If it is refused again, "
            "the time is given back a day before the session, at no cost to you.",
        ),
        action=("Open your session", _SESSION),
        states=_AHEAD,
    ),
    "payment_received_client": Entry(
        to="client",
        subject="Receipt: {paid} for your session with {partner}",
        heading="Thank you. {paid} was charged to {card}",
        paragraphs=("For your 60-minute session with {partner} on {when_client}.", "Receipt number {receipt}.",
                    "How was it? A rating takes ten seconds and helps the next person."),
        action=("Rate the session", _SESSION),
        states=frozenset({"completed"}),
    ),
    "payment_received_partner": Entry(
        to="partner",
        subject="You earned {earned} with {client}",
        heading="You earned {earned}",
        paragraphs=("{paid} was charged for your session on {when_partner}; your share is {earned}.",),
        action=("See your earnings", "/earnings"),
        states=frozenset({"completed"}),
    ),
    "booking_cancelled_client": Entry(
        to="client",
        subject="Cancelled: your session with {partner}, {when_client}",
        heading="Your session with {partner} is cancelled",
        paragraphs=("{reason}", "{nothing_charged}"),
        action=("Find another time", "/"),
        states=frozenset({"cancelled"}),
        invitation="CANCEL",
    ),
    "booking_cancelled_partner": Entry(
        to="partner",
        subject="Cancelled: {client}, {when_partner}",
        heading="The session with {client} is cancelled",
        paragraphs=("{reason}", "The time is open again in your calendar."),
        action=("See your sessions", "/"),
        states=frozenset({"cancelled"}),
        invitation="CANCEL",
    ),
    "slot_lost_client": Entry(
        to="client",
        subject="Your time with {partner} could not be kept",
        heading="Somebody else has this time now",
        paragraphs=("Your bank answered after the ten minutes were over, and the time was taken meanwhile.",
                    "The hold on your card is ended; nothing was charged."),
        action=("Choose another time", "/"),
        states=frozenset({"lost"}),
    ),
    "alarm": Entry(
        to="operators",
        subject="fxo needs a person: {kind}",
        heading="Something needs a person",
        paragraphs=("{sentence}",),
        action=("Open the queue", "/alarms"),
    ),
}  # fmt: skip
