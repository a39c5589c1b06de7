"""The messages about what becomes of a booking: asked for, moved, missed, contested, ended. Their words are in `facts.py`."""

from __future__ import annotations

from datetime import timedelta

from fxo.core.notifications.about_sessions import TO_CLIENT, TO_PARTNER
from fxo.core.notifications.entry import N_, Entry, Row, When

_AHEAD = frozenset({"confirmed", "started"})
_SESSION = "/sessions/%(id)s"
_SETTINGS = (N_("Choose which mails you get"), "/settings")
_DAY_AND_HOURS = N_("%(when_day)s, %(when_hours)s")
_BOTH_TIMES = (N_("Your time, %(when_zone)s."), N_("%(theirs_hours)s for %(other_first)s, %(theirs_zone)s."))
_FACING = (N_("What they are facing"), "%(brief)s")
_WROTE = (N_("What was written about it"), "%(words)s")
_IT_WAS = Row(N_("It was to be"), "%(when)s")
_SESSION_ROW = Row(N_("Session"), "%(when)s")
_WITH_EXPERT, _WITH_CLIENT = Row(N_("With"), "%(partner)s"), Row(N_("With"), "%(client_of)s")

CHANGES: dict[str, Entry] = {
    "request_sent_client": Entry(
        to="client",
        subject=N_("Asked: %(partner)s, %(when)s"),
        greeting=N_("%(partner)s is asked"),
        heading=_DAY_AND_HOURS,
        paragraphs=(
            _BOTH_TIMES,
            (N_("%(partner_first)s confirms each session. You hear by %(answer_until)s at the latest; the time is kept for you."),
             N_("Your card is saved, and nothing is held on it before the answer.")),
        ),
        action=(N_("See your request"), _SESSION),
        rows=(_WITH_EXPERT, Row(N_("Answer by"), "%(answer_until)s"), Row(N_("Price"), "%(price)s", strong=True)),
        why=TO_CLIENT,
        states=frozenset({"requested"}),
    ),
    "request_received_partner": Entry(
        to="partner",
        subject=N_("%(client)s asks for %(when)s"),
        greeting=N_("%(client)s asks for an hour with you"),
        heading=_DAY_AND_HOURS,
        paragraphs=(_BOTH_TIMES, (N_("Please answer by %(answer_until)s. Without an answer the time is given back."),)),
        action=(N_("Accept or decline"), _SESSION),
        rows=(_WITH_CLIENT, Row(N_("You earn"), "%(earns)s", strong=True), Row(N_("Asked at"), "%(portal)s")),
        sections=(_FACING,),
        why=TO_PARTNER,
        states=frozenset({"requested"}),
    ),
    "calendar_moved_partner": Entry(
        to="partner",
        subject=N_("You moved your session with %(client)s: we have asked"),
        greeting=N_("You moved it in your calendar"),
        heading=_DAY_AND_HOURS,
        paragraphs=(
            (N_("%(client_first)s has booked and paid for this time, so nothing is moved before they agree."),
             N_("They are asked whether the time that you chose suits them; until then the session stands as it is here.")),
        ),
        action=(N_("See the session, or keep its time"), _SESSION),
        rows=(_WITH_CLIENT, _SESSION_ROW),
        why=TO_PARTNER,
        states=_AHEAD,
    ),
    "calendar_stays_partner": Entry(
        to="partner",
        subject=N_("Your session with %(client)s stays where it is"),
        greeting=N_("You moved it in your calendar"),
        heading=_DAY_AND_HOURS,
        paragraphs=(
            (N_("The time that you moved it to cannot be proposed any more, so the session stands as it is here."),
             N_("If you cannot come, please say so on its page.")),
        ),
        action=(N_("Open the session"), _SESSION),
        rows=(_WITH_CLIENT, _SESSION_ROW),
        why=TO_PARTNER,
        states=_AHEAD,
    ),
    "calendar_deleted_partner": Entry(
        to="partner",
        subject=N_("Did you mean to cancel for %(client)s?"),
        greeting=N_("You deleted it in your calendar"),
        heading=N_("Cancel for %(client_first)s?"),
        paragraphs=(
            (N_("The session is booked and paid for, so nothing is cancelled before you say so."),
             N_("If you come, there is nothing to do: the link on the session's page still works.")),
        ),
        action=(N_("Cancel the session"), "/sessions/%(id)s/cancel"),
        rows=(_WITH_CLIENT, _SESSION_ROW),
        why=TO_PARTNER,
        states=_AHEAD,
    ),
    "request_ended_client": Entry(
        to="client",
        subject=N_("%(partner)s cannot take %(when)s"),
        heading=N_("This time does not work out"),
        paragraphs=(
            (When("by_partner", N_("%(partner)s cannot take this hour.")),
             When("by_system", N_("%(partner)s has not answered in time, so the time was given back.")),
             N_("Nothing was held on your card, and your brief is kept.")),
        ),
        action=(N_("See who else is free"), _SESSION),
        rows=(_IT_WAS, _WITH_EXPERT),
        sections=(_WROTE,),
        why=TO_CLIENT,
        states=frozenset({"declined"}),
    ),
    "request_ended_partner": Entry(
        to="partner",
        subject=N_("The request of %(client)s has ended"),
        heading=N_("The request of %(client)s has ended"),
        paragraphs=(
            (When("by_client", N_("The client has taken it back.")),
             When("by_system", N_("It was not answered in time.")),
             N_("The time is open again in your calendar.")),
        ),
        action=(N_("See your sessions"), "/"),
        rows=(_IT_WAS, _WITH_CLIENT),
        why=TO_PARTNER,
        states=frozenset({"declined"}),
    ),
    "session_moved_client": Entry(
        to="client",
        subject=N_("Moved: %(partner)s, %(when)s"),
        short=(N_("Your session with %(partner)s has a new time: %(when)s."),),
        critical=True,
        greeting=N_("Your session with %(partner)s has a new time"),
        heading=_DAY_AND_HOURS,
        paragraphs=(_BOTH_TIMES, (N_("The payment goes along: nothing is charged for the move."),)),
        action=(N_("Open your session"), _SESSION),
        under_action=(N_("The attached invitation moves the entry in your calendar."),),
        rows=(
            Row(N_("It was to be"), "%(moved_from)s"),
            Row(N_("Free to cancel until"), "%(free_until)s"),
            Row(N_("Cancelling costs %(half_price)s until"), "%(half_until)s"),
            Row(N_("Cancelling later costs"), "%(full_price)s"),
        ),
        why=TO_CLIENT,
        states=_AHEAD,
        invitation="REQUEST",
    ),
    "session_moved_partner": Entry(
        to="partner",
        subject=N_("Moved: %(client)s, %(when)s"),
        greeting=N_("The session with %(client)s has a new time"),
        heading=_DAY_AND_HOURS,
        paragraphs=(
            _BOTH_TIMES,
            (When("moved_by_client", N_("The client has moved it; the old time is open again.")),
             When("moved_by_partner", N_("The client has taken one of the times that you proposed."))),
        ),
        action=(N_("Open the session"), _SESSION),
        under_action=(N_("The attached invitation moves the entry in your calendar."),),
        rows=(Row(N_("It was to be"), "%(moved_from)s"), _WITH_CLIENT),
        why=TO_PARTNER,
        states=_AHEAD,
        invitation="REQUEST",
    ),
    "move_proposed_client": Entry(
        to="client",
        subject=N_("%(partner)s asks for another time"),
        heading=N_("%(partner)s asks for another time"),
        paragraphs=(
            (N_("%(partner_first)s cannot keep %(when)s, and proposes others. Take one with one tap, at no cost."),
             N_("If none suits you, you may cancel for free. Until you choose, the session stays where it is.")),
        ),
        action=(N_("Choose a time"), _SESSION),
        rows=(
            Row(N_("Booked"), "%(when)s"), Row(N_("Proposed"), "%(proposed_1)s"), Row(N_("or"), "%(proposed_2)s"),
            Row(N_("or"), "%(proposed_3)s"),
        ),
        sections=(_WROTE,),
        why=TO_CLIENT,
        states=_AHEAD,
        until=timedelta(0),
    ),
    "proposal_withdrawn_client": Entry(
        to="client",
        subject=N_("Your session with %(partner)s stays where it was"),
        greeting=N_("%(partner)s can keep the time after all"),
        heading=_DAY_AND_HOURS,
        paragraphs=(_BOTH_TIMES, (N_("There is nothing for you to do."),)),
        action=(N_("Open your session"), _SESSION),
        why=TO_CLIENT,
        states=_AHEAD,
        until=timedelta(0),
    ),
    "expert_late_client": Entry(
        to="client",
        subject=N_("%(partner)s is late: wait, or take somebody else"),
        short=(N_("%(partner)s is not there yet. Wait, or take somebody else at no cost."),),
        critical=True,
        at_once=True,
        heading=N_("%(partner)s is not there yet"),
        paragraphs=(
            (N_("We are sorry. We have written to %(partner_first)s just now."),
             N_("You may go on waiting. Or say that nobody came: you pay nothing, and others who fit can take over, with the same"
                " brief and the same payment.")),
        ),
        action=(N_("Decide on your session’s page"), _SESSION),
        why=TO_CLIENT,
        states=frozenset({"started"}),
    ),
    "client_waits_partner": Entry(
        to="partner",
        subject=N_("%(client)s is waiting for you"),
        heading=N_("%(client)s is waiting for you"),
        paragraphs=(
            (N_("Your session began ten minutes ago. Please join now, and say on its page that you are there."),
             N_("Until then the client may go, at no cost to them.")),
        ),
        action=(N_("Join from the session’s page"), _SESSION),
        rows=(_SESSION_ROW, Row(N_("Join"), "%(link)s")),
        why=TO_PARTNER,
        states=frozenset({"started"}),
    ),
    "to_complete_partner": Entry(
        to="partner",
        subject=N_("Please complete your session with %(client)s"),
        heading=N_("How did it go with %(client)s?"),
        paragraphs=(
            (N_("The session ended an hour ago and waits for your one click; then you are paid."),
             N_("On %(stands_at)s it is completed by itself, unless somebody says that it was otherwise.")),
        ),
        action=(N_("Complete the session"), _SESSION),
        rows=(_SESSION_ROW, _WITH_CLIENT, Row(N_("You earn"), "%(earns)s", strong=True)),
        why=TO_PARTNER,
        states=_AHEAD,
    ),
    "to_complete_client": Entry(
        to="client",
        subject=N_("Your session with %(partner)s is over"),
        heading=N_("Was everything as agreed?"),
        paragraphs=(
            (N_("If so, there is nothing to do: %(partner_first)s completes the session, and %(price)s is charged then, on"
                " %(stands_at)s at the latest."),
             N_("If it was not, say so on its page before that. Then nothing is charged until a person has heard you both.")),
        ),
        action=(N_("Open your session"), _SESSION),
        rows=(_SESSION_ROW, _WITH_EXPERT),
        why=TO_CLIENT,
        states=_AHEAD,
    ),
    "partner_missed_client": Entry(
        to="client",
        subject=N_("We are sorry: %(partner)s did not come"),
        short=(N_("%(partner)s did not come. You pay nothing, and others can take over."),),
        critical=True,
        at_once=True,
        heading=N_("%(partner)s did not come"),
        paragraphs=(
            (N_("We are sorry. You pay nothing."),
             N_("Others who fit are on your session’s page. Until %(rescue_until)s they can take over with one tap, with the same"
                " brief and the same payment.")),
            (N_("If nobody does, what is held on your card is let go on %(stands_at)s; until then the expert may object."),),
        ),
        action=(N_("See who can take over"), _SESSION),
        rows=(_IT_WAS, Row(N_("You pay"), N_("nothing"), strong=True)),
        why=TO_CLIENT,
        states=frozenset({"missed"}),
    ),
    "partner_missed_partner": Entry(
        to="partner",
        subject=N_("%(client)s waited for you"),
        heading=N_("You are said not to have come"),
        paragraphs=(
            (N_("The session with %(client)s is closed at no cost to them."),
             N_("Were you there? Say so on its page before %(stands_at)s. Then nothing is settled until a person has heard you"
                " both.")),
        ),
        action=(N_("Open the session"), _SESSION),
        rows=(_IT_WAS, _WITH_CLIENT),
        sections=(_WROTE,),
        why=TO_PARTNER,
        states=frozenset({"missed"}),
    ),
    "client_missed_client": Entry(
        to="client",
        subject=N_("We missed you: %(partner)s, %(when)s"),
        heading=N_("We missed you"),
        paragraphs=(
            (N_("%(partner)s was there and waited. By the rules of your booking %(fee)s is charged on %(stands_at)s."),
             N_("Were you there? Say so on the session’s page before that. Then nothing is charged until a person has heard you"
                " both.")),
        ),
        action=(N_("Open your session"), _SESSION),
        rows=(_IT_WAS, _WITH_EXPERT, Row(N_("Charged on %(stands_at)s"), "%(fee)s", strong=True)),
        sections=(_WROTE,),
        why=TO_CLIENT,
        states=frozenset({"missed"}),
    ),
    "client_missed_partner": Entry(
        to="partner",
        subject=N_("Noted: %(client)s did not come"),
        heading=N_("%(client)s did not come"),
        paragraphs=(
            (N_("Thank you for waiting. By the rules of the booking the client is charged %(fee)s on %(stands_at)s, and you earn"
                " your part of it."),
             N_("The client may say before that that they were there; then a person hears you both.")),
        ),
        action=(N_("Open the session"), _SESSION),
        rows=(_IT_WAS, _WITH_CLIENT, Row(N_("Your part"), "%(fee_earns)s", strong=True)),
        why=TO_PARTNER,
        states=frozenset({"missed"}),
    ),
    "case_opened_client": Entry(
        to="client",
        subject=N_("What happened in your session with %(partner)s?"),
        heading=N_("Please tell us how you saw it"),
        paragraphs=(
            (N_("%(partner)s sees what happened otherwise than you. A person hears you both and decides."),
             N_("Nothing is charged before that.")),
        ),
        action=(N_("Say how you saw it"), _SESSION),
        rows=(_SESSION_ROW, _WITH_EXPERT),
        why=TO_CLIENT,
        states=frozenset({"contested"}),
    ),
    "case_opened_partner": Entry(
        to="partner",
        subject=N_("What happened in your session with %(client)s?"),
        heading=N_("Please tell us how you saw it"),
        paragraphs=(
            (N_("%(client)s says that the session was not as it should have been. A person hears you both and decides."),
             N_("No money moves before that.")),
        ),
        action=(N_("Say how you saw it"), _SESSION),
        rows=(_SESSION_ROW, _WITH_CLIENT),
        why=TO_PARTNER,
        states=frozenset({"contested"}),
    ),
    "case_decided_client": Entry(
        to="client",
        subject=N_("Decided: your session with %(partner)s"),
        heading=N_("It is decided"),
        paragraphs=(
            (When("free", N_("We have heard you both. You pay nothing; what was held or taken goes back to your card.")),
             N_("We have heard you both. You pay %(fee)s; what was held or taken beyond it goes back to your card.")),
        ),
        action=(N_("Open your session"), _SESSION),
        rows=(
            _SESSION_ROW, _WITH_EXPERT, Row(N_("You pay"), "%(fee)s", strong=True),
            Row(N_("You pay"), N_("nothing"), when="free", strong=True),
        ),
        sections=((N_("Why"), "%(decision)s"),),
        why=TO_CLIENT,
        states=frozenset({"decided"}),
    ),
    "case_decided_partner": Entry(
        to="partner",
        subject=N_("Decided: your session with %(client)s"),
        heading=N_("It is decided"),
        paragraphs=(
            (When("free", N_("We have heard you both. The client pays nothing.")),
             N_("We have heard you both. The client pays %(fee)s, and you earn your part of it.")),
        ),
        action=(N_("Open the session"), _SESSION),
        rows=(
            _SESSION_ROW, _WITH_CLIENT, Row(N_("Your part"), "%(fee_earns)s", strong=True),
            Row(N_("Your part"), N_("nothing"), when="free", strong=True),
        ),
        sections=((N_("Why"), "%(decision)s"),),
        why=TO_PARTNER,
        states=frozenset({"decided"}),
    ),
}  # fmt: skip
"""By kind; `life` says when each is sent."""
