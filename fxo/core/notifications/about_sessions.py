"""The messages about a session: booked, soon, paid, given back. Their words are gathered in `facts.py`."""

from __future__ import annotations

from datetime import timedelta

from fxo.core.notifications.entry import N_, Entry, Row, When

_AHEAD = frozenset({"confirmed", "started"})
_SESSION = "/sessions/%(id)s"
_SETTINGS = (N_("Choose which mails you get"), "/settings")

TO_CLIENT = N_("You get this mail because you booked a session at %(portal)s.")
TO_PARTNER = N_("You get this mail because clients of %(portal)s can book you.")

_DAY_AND_HOURS = N_("%(when_day)s, %(when_hours)s")
_BOTH_TIMES = (N_("Your time, %(when_zone)s."), N_("%(theirs_hours)s for %(other_first)s, %(theirs_zone)s."))
_WITH_EXPERT = (N_("With %(partner)s, %(partner_title)s."),)
_WITH_CLIENT = (N_("With %(client_of)s."),)
_INVITED = N_("Your calendar invitation is attached. If anything changes, it updates itself.")

_LINK = (
    Row(N_("Join"), "%(link)s"),
    Row(N_("Meeting link"), N_("Follows by mail, and will be on the session's page"), when="no_link"),
)
_MONEY = (
    Row(N_("Held on %(held_on)s"), "%(price)s", strong=True),
    Row(N_("Price"), "%(price)s", when="kept_on", strong=True),
    Row(N_("Held on %(kept_on)s"), N_("from %(authorise_at)s")),
    Row(N_("Paid"), N_("after the session")),
)
_CANCELLING = (
    Row(N_("Free to cancel until"), "%(free_until)s"),
    Row(N_("Cancelling costs %(half_price)s until"), "%(half_until)s"),
    Row(N_("Cancelling later costs"), "%(full_price)s"),
)
_FACING = (N_("What they are facing"), "%(brief)s")

SESSIONS: dict[str, Entry] = {
    "booking_confirmed_client": Entry(
        to="client",
        subject=N_("Booked: %(partner)s, %(when)s"),
        preview=N_("%(when)s. Nothing is charged before the session. The invitation is attached."),
        greeting=N_("You are booked, %(client_first)s"),
        short=(N_("Booked: %(partner)s, %(when)s."),),
        heading=_DAY_AND_HOURS,
        paragraphs=(_BOTH_TIMES, _WITH_EXPERT),
        action=(N_("Open your session"), _SESSION),
        under_action=(_INVITED,),
        rows=(*_LINK, *_MONEY, *_CANCELLING),
        sections=(
            (
                N_("Five minutes that make the hour better"),
                When("brief", N_("%(partner_first)s reads your brief before the session. Look over it once more, and have the"
                " numbers and papers at hand that it speaks of.")),
            ),
        ),
        why=TO_CLIENT,
        change=_SETTINGS,
        states=_AHEAD,
        invitation="REQUEST",
    ),
    "booking_confirmed_partner": Entry(
        to="partner",
        subject=N_("New session: %(client)s, %(when)s"),
        preview=N_("%(when)s. The brief and the invitation are inside."),
        greeting=N_("%(client)s has booked an hour with you"),
        heading=_DAY_AND_HOURS,
        paragraphs=(_BOTH_TIMES, _WITH_CLIENT),
        action=(N_("Open the session"), _SESSION),
        under_action=(_INVITED,),
        rows=(*_LINK, Row(N_("You earn"), "%(earns)s", strong=True), Row(N_("Booked at"), "%(portal)s")),
        sections=(_FACING,),
        why=TO_PARTNER,
        states=_AHEAD,
        invitation="REQUEST",
    ),
    "link_ready_client": Entry(
        to="client",
        subject=N_("The meeting link for your session with %(partner)s"),
        greeting=N_("Your meeting link is ready"),
        heading=_DAY_AND_HOURS,
        paragraphs=(_BOTH_TIMES, _WITH_EXPERT),
        action=(N_("Open your session"), _SESSION),
        under_action=(N_("The invitation in your calendar now has the link too."),),
        rows=(Row(N_("Join"), "%(link)s"),),
        why=TO_CLIENT,
        change=_SETTINGS,
        states=_AHEAD,
        until=timedelta(0),
        invitation="REQUEST",
    ),
    "link_ready_partner": Entry(
        to="partner",
        subject=N_("The meeting link for your session with %(client)s"),
        greeting=N_("The meeting link is ready"),
        heading=_DAY_AND_HOURS,
        paragraphs=(_BOTH_TIMES, _WITH_CLIENT),
        action=(N_("Open the session"), _SESSION),
        under_action=(N_("The invitation in your calendar now has the link too."),),
        rows=(Row(N_("Join"), "%(link)s"),),
        why=TO_PARTNER,
        states=_AHEAD,
        until=timedelta(0),
        invitation="REQUEST",
    ),
    "reminder_24h_client": Entry(
        to="client",
        subject=N_("Tomorrow: your session with %(partner)s"),
        short=(N_("Your session with %(partner)s is tomorrow: %(when)s."),),
        greeting=N_("Your session with %(partner)s is tomorrow"),
        heading=_DAY_AND_HOURS,
        paragraphs=(_BOTH_TIMES, _WITH_EXPERT),
        action=(N_("Open your session"), _SESSION),
        rows=(*_LINK, *_CANCELLING),
        why=TO_CLIENT,
        change=_SETTINGS,
        states=_AHEAD,
        until=timedelta(hours=12),
    ),
    "reminder_24h_partner": Entry(
        to="partner",
        subject=N_("Tomorrow: your session with %(client)s"),
        greeting=N_("Your session with %(client)s is tomorrow"),
        heading=_DAY_AND_HOURS,
        paragraphs=(_BOTH_TIMES, _WITH_CLIENT),
        action=(N_("Open the session"), _SESSION),
        rows=_LINK,
        sections=(_FACING,),
        why=TO_PARTNER,
        states=_AHEAD,
        until=timedelta(hours=12),
    ),
    "reminder_1h_client": Entry(
        to="client",
        subject=N_("In one hour: your session with %(partner)s"),
        short=(N_("In one hour: your session with %(partner)s, %(when)s."),),
        critical=True,
        at_once=True,
        greeting=N_("Your session with %(partner)s begins in one hour"),
        heading=_DAY_AND_HOURS,
        paragraphs=(_BOTH_TIMES, _WITH_EXPERT),
        action=(N_("Join from your session's page"), _SESSION),
        rows=_LINK,
        why=TO_CLIENT,
        change=_SETTINGS,
        states=_AHEAD,
        until=timedelta(0),
    ),
    "reminder_1h_partner": Entry(
        to="partner",
        subject=N_("In one hour: your session with %(client)s"),
        greeting=N_("Your session with %(client)s begins in one hour"),
        heading=_DAY_AND_HOURS,
        paragraphs=(_BOTH_TIMES, _WITH_CLIENT),
        action=(N_("Open the session"), _SESSION),
        rows=_LINK,
        sections=(_FACING,),
        why=TO_PARTNER,
        states=_AHEAD,
        until=timedelta(0),
    ),
    "card_refused_client": Entry(
        to="client",
        subject=N_("Your bank refused the card for your session with %(partner)s"),
        short=(
            N_("Your bank refused the card for your session with %(partner)s, %(when)s."),
            N_("Please look at it, or the time is given back."),
        ),
        critical=True,
        heading=N_("Please look at your card"),
        paragraphs=(
            (N_("We tried to hold %(price)s on %(kept_on)s for your session, and your bank said no. Nothing was charged."),
             N_("Your time is still yours.")),
            (N_("Take another card, or ask your bank to allow this one."),
             N_("We try again on %(retry_at)s. If it is refused then, the time is given back on %(give_up_at)s, at no cost to"
                " you."),
             When("last_try", N_("Otherwise the time is given back on %(give_up_at)s, at no cost to you."))),
        ),
        action=(N_("Look at your card"), "/sessions/%(id)s/card"),
        rows=(Row(N_("Session"), "%(when)s"), Row(N_("With"), "%(partner)s"), Row(N_("To be held"), "%(price)s", strong=True)),
        why=TO_CLIENT,
        states=_AHEAD,
    ),
    "booking_cancelled_client": Entry(
        to="client",
        subject=N_("Cancelled: your session with %(partner)s, %(when)s"),
        short=(N_("Cancelled: your session with %(partner)s, %(when)s."),),
        critical=True,
        heading=N_("Your session with %(partner)s is cancelled"),
        paragraphs=(
            (
                When("by_payment", N_("Your card was refused twice, so the time was given back.")),
                When("by_partner", N_("%(partner)s had to cancel. We are sorry for that.")),
                When("by_client", N_("It was cancelled as you asked.")),
                When("by_operator", N_("It was cancelled by the platform.")),
                N_("By the rules you accepted, %(fee)s is charged; what is held beyond it is let go."),
                When("nothing_charged", N_("Nothing was charged.")),
            ),
            (
                N_("Others who fit can take over, with the same brief and the same payment. Until %(rescue_until)s one tap on"
                " your session’s page is enough."),
            ),
        ),
        action=(N_("Find another time"), _SESSION),
        instead=("rescue_until", (N_("See who can take over"), _SESSION)),
        under_action=(N_("The attached file takes the session out of your calendar."),),
        rows=(
            Row(N_("It was to be"), "%(when)s"),
            Row(N_("With"), "%(partner)s"),
            Row(N_("To be charged"), "%(fee)s", strong=True),
        ),
        sections=((N_("What was written about it"), "%(words)s"),),
        why=TO_CLIENT,
        states=frozenset({"cancelled"}),
        invitation="CANCEL",
    ),
    "booking_cancelled_partner": Entry(
        to="partner",
        subject=N_("Cancelled: %(client)s, %(when)s"),
        heading=N_("The session with %(client)s is cancelled"),
        paragraphs=(
            (
                When("by_payment", N_("The client's card was refused twice, so the time was given back.")),
                When("by_partner", N_("It was cancelled as you asked.")),
                When("by_client", N_("The client had to cancel.")),
                When("by_operator", N_("It was cancelled by the platform.")),
                N_("The time is open again in your calendar."),
                N_("By the rules of the booking the client pays %(fee)s, and you earn your part of it."),
            ),
        ),
        action=(N_("See your sessions"), "/"),
        under_action=(N_("The attached file takes the session out of your calendar."),),
        rows=(
            Row(N_("It was to be"), "%(when)s"),
            Row(N_("With"), "%(client_of)s"),
            Row(N_("Your part"), "%(fee_earns)s", strong=True),
        ),
        sections=((N_("What was written about it"), "%(words)s"),),
        why=TO_PARTNER,
        states=frozenset({"cancelled"}),
        invitation="CANCEL",
    ),
    "slot_lost_client": Entry(
        to="client",
        subject=N_("Your time with %(partner)s could not be kept"),
        short=(N_("Your time with %(partner)s could not be kept. Nothing was charged."),),
        critical=True,
        heading=N_("Somebody else has this time now"),
        paragraphs=(
            (N_("Your bank answered after the ten minutes were over, and the time was taken meanwhile."),
             N_("The hold on your card is ended; nothing was charged.")),
        ),
        action=(N_("Choose another time"), "/experts/%(partner_id)s"),
        rows=(Row(N_("It was to be"), "%(when)s"), Row(N_("With"), "%(partner)s")),
        why=TO_CLIENT,
        states=frozenset({"lost"}),
    ),
}  # fmt: skip
"""By kind; `process` and `life` say when each is sent."""
