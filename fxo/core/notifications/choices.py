"""Which mails a client may choose, and which ones always come and why; the settings page shows them and sending heeds them."""

from __future__ import annotations

from dataclasses import dataclass

from fxo.core.notifications.entry import N_


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the choice: the kinds of messages that it stands for. With a `why`, it cannot be left out."""

    key: str
    kinds: frozenset[str]
    label: str
    note: str
    why: str = ""


CHOICES = (
    Choice(
        "reminder_24h",
        frozenset({"reminder_24h_client"}),
        N_("A reminder the day before"),
        N_("With the meeting link, and until when you can cancel at what cost."),
    ),
    Choice(
        "reminder_1h",
        frozenset({"reminder_1h_client"}),
        N_("A reminder an hour before"),
        N_("With the meeting link on top."),
    ),
    Choice(
        "link_ready",
        frozenset({"link_ready_client"}),
        N_("The meeting link, where it came after the confirmation"),
        N_("It is on the session’s page and in your calendar too."),
    ),
    Choice(
        "booking",
        frozenset(
            {
                "booking_confirmed_client",
                "booking_cancelled_client",
                "slot_lost_client",
                "request_sent_client",
                "request_ended_client",
                "session_moved_client",
                "move_proposed_client",
                "proposal_withdrawn_client",
                "expert_late_client",
                "to_complete_client",
                "partner_missed_client",
                "client_missed_client",
                "case_opened_client",
                "case_decided_client",
            }
        ),
        N_("Asked for, booked, moved, cancelled, or not kept"),
        N_("With an invitation that keeps your calendar right."),
        why=N_("Always on: it is the proof of what was agreed."),
    ),
    Choice(
        "card",
        frozenset({"card_refused_client", "payment_due_client"}),
        N_("Your bank refuses a card"),
        N_("With a link to mend it."),
        why=N_("Always on: without it you could lose a booked time."),
    ),
    Choice(
        "receipt",
        frozenset({"payment_received_client", "refund_client"}),
        N_("Receipts and credit notes"),
        N_("After each session that was paid, and when something is given back."),
        why=N_("Always on: you may need them for your books."),
    ),
    Choice(
        "account",
        frozenset(),
        N_("Your account"),
        N_("A link that you asked for, or a change of your password or address."),
        why=N_("Always on: they keep your account yours."),
    ),
)

OPTIONAL = frozenset(choice.key for choice in CHOICES if not choice.why)
"""The lines that may be left out."""


def choice_of(kind: str) -> str | None:
    """The line that may be left out and stands for this kind of message; None for a kind that always comes."""
    return next((choice.key for choice in CHOICES if kind in choice.kinds and choice.key in OPTIONAL), None)
