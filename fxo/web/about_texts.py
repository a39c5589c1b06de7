"""What the pages of the footer say: help by role, how payment works, privacy, terms. Whole sentences for the catalogue.

A page is its title, a lead, and sections of (anchor, heading, paragraphs). They say what the product does and nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass

from fxo.core.scope import TenantConfig
from fxo.web.language import _

Section = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Text:
    """One page of the footer."""

    title: str
    lead: str
    sections: tuple[Section, ...]


def rule(config: TenantConfig) -> str:
    """What cancelling costs on this portal, in a sentence."""
    policy = config.policy
    return _(
        "Cancelling is free until %(free)s hours before the session. From then until %(half)s hours before it costs %(percent)s%%"
        " of the price, and after that the full price. If the expert cancels, you pay nothing.",
        free=policy.free_until_hours,
        half=policy.half_until_hours,
        percent=policy.late_percent,
    )


def client_help(config: TenantConfig, minutes: int) -> Text:
    """Help for who looks for an expert."""
    return Text(
        _("Help"),
        _("From a problem in your own words to an hour with somebody who has solved it before."),
        (
            ("find", _("Find an expert"), (
                _("Describe what you are facing in a few plain sentences: what happened, by when you need an answer, what you"
                  " have tried. Industry, urgency and time zone sharpen the result, and none of them is required."),
                _("You see who fits best, with the reason why and the lines of their own record that show it. “Very strong match”"
                  " comes first, the number after it: it compares your words with what each expert has done."),
            )),
            ("book", _("Book a time"), (
                _("Times are shown in your zone, the expert’s beside it. Choose one and it is kept for you for %(minutes)s"
                  " minutes while you check out; the page shows how long that still is. If it runs out, nothing is charged, and"
                  " you can choose again.", minutes=minutes),
                _("You need an account to book, so that the session, its notes and its receipt stay yours. What you wrote before"
                  " you signed in is kept."),
            )),
            ("meet", _("The hour itself"), (
                _("Both of you get an invitation for the calendar and a reminder. The session’s page has the link to the meeting;"
                  " you can check in there from ten minutes before the start."),
                _("Afterwards the expert completes the session. Then the money is taken, and you can rate the hour from one to"
                  " five stars."),
            )),
            ("change", _("Change or cancel"), (
                rule(config),
                _("To cancel or move a session, answer the mail that confirmed it. Its number is on the session’s page."),
            )),
            ("trouble", _("Something went wrong"), (
                _("A page that shows an error has a number at its foot. Give that number when you ask for help: it leads us to"
                  " what happened, without anything that you typed."),
                _("If your card was refused, nothing was charged. Try another card, or ask your bank, while the time is still"
                  " kept for you."),
            )),
        ),
    )  # fmt: skip


def payment(config: TenantConfig) -> Text:
    """How a client pays."""
    return Text(
        _("How payment works"),
        _("The price is held on your card first, and taken only after the session."),
        (
            ("held", _("Held, then paid"), (
                _("When you book, your bank is asked to hold %(price)s. A hold reserves the amount; it is not a payment."
                  " It becomes one when the expert marks the session complete.", price=str(config.tax.gross(config.price))),
                _("If the session does not take place, the hold is released. How soon you see that depends on your bank."),
            )),
            ("later", _("Sessions further ahead"), (
                _("Banks hold an amount for some days only. For a session that lies further ahead your card is kept at the"
                  " payment provider, and the amount is held a few days before. Checkout shows the day, before you agree."),
            )),
            ("cancel", _("If plans change"), (rule(config),)),
            ("card", _("Your card"), (
                _("The card’s number goes from your browser straight to the payment provider. We never see it and never keep it;"
                  " we keep its kind and last four digits, so that you can recognise it."),
                _("The provider keeps the card for your next booking, with the consent that you read beside the button."),
            )),
        ),
    )  # fmt: skip


def partner_payment() -> Text:
    """How a partner is paid."""
    return Text(
        _("How you are paid"),
        _("Your share is fixed when a session is booked, and it is yours once you complete the session."),
        (
            ("when", _("When it is earned"), (
                _("You complete a session with one button. For ten seconds you can undo that; then the client’s card is charged,"
                  " and your share is booked to you."),
                _("The session’s page says what the client pays and what of it is yours, before you press."),
            )),
            ("where", _("Where to see it"), (
                _("Earnings lists every session with your share and its state, and the totals."),
            )),
            ("not", _("When there is nothing to pay"), (
                _("If a session does not take place, do not complete it: the hold on the client’s card is released."),
                _("A charge that fails is looked at by a person of the operator. You need do nothing."),
            )),
        ),
    )  # fmt: skip


def partner_help() -> Text:
    """Help for experts."""
    return Text(
        _("Help for experts"),
        _("Your sessions, your week and your earnings, for all portals that you are on."),
        (
            ("day", _("Your day"), (
                _("Sessions shows what is today, what waits for you, what comes and what is done. A session’s page has the"
                  " client’s brief, the link to the meeting, and the button that completes it."),
            )),
            ("complete", _("Complete a session"), (
                _("Press “Complete session” when the hour is over. That charges the client. If you pressed too soon, undo it"
                  " within ten seconds: the message at the foot of the page has the button, and Ctrl and Z presses it."),
            )),
            ("week", _("Your open times"), (
                _("Availability has your usual week in your own time zone, the days that differ, the pause around sessions, and"
                  " how much notice you want. Clients see the free times that result, in their own zone. A time that is booked is"
                  " gone everywhere at once."),
            )),
            ("keys", _("Faster by keyboard"), (
                _("Ctrl and K (⌘ and K on a Mac) opens a search over your pages. Arrow keys choose, Enter goes there, Escape"
                  " closes."),
            )),
        ),
    )  # fmt: skip


def administrator_help(config: TenantConfig) -> Text:
    """Help for who runs a portal."""
    return Text(
        _("Help for administrators"),
        _("How %(portal)s looks, who may use it, whom they can book, and at what price.", portal=config.name),
        (
            ("people", _("Who may use the portal"), (
                _("People sign up with a mail address. Where the portal is limited to your own domains, other addresses are"
                  " refused."),
                _("A member reads only their own briefs and sessions. An administrator sees who the members are, and not what"
                  " they wrote."),
            )),
            ("roster", _("Roster and prices"), (
                _("The roster says which experts your people can book. An entry can have a price and a split of its own;"
                  " otherwise the portal’s apply. An expert who leaves the roster keeps the sessions that are booked."),
            )),
            ("colour", _("One colour is enough"), (
                _("You choose one colour. Every shade is computed from it so that text can be read in light and in dark,"
                  " whichever colour it is; a very pale or very dark one is lightened or darkened just as far as that needs."),
            )),
            ("rule", _("Cancelling"), (
                rule(config),
                _("A booking keeps the rule that the client accepted, also when yours changes later."),
            )),
        ),
    )  # fmt: skip


def operator_help() -> Text:
    """Help for who runs the platform."""
    return Text(
        _("Help for operators"),
        _("What the platform could not settle by itself, and where to look."),
        (
            ("uses", _("Every look is recorded"), (
                _("This workspace reads across tenants. Each page that you open is written down with your name and what it was"
                  " for. Clients’ words are not shown here."),
            )),
            ("alarms", _("Alarms"), (
                _("An alarm is work that failed for good: money that was not taken, a session without a meeting link. Look after"
                  " it, then mark it as settled. The oldest comes first."),
            )),
            ("ledger", _("Ledger"), (
                _("Every entry adds up to zero, by tenant and currency. If the page says that one does not, stop and find out why"
                  " before any payout."),
            )),
            ("keys", _("Faster by keyboard"), (
                _("Ctrl and K (⌘ and K on a Mac) opens a search over your pages. Arrow keys choose, Enter goes there, Escape"
                  " closes."),
            )),
            ("commands", _("On the command line"), (
                _("Creating tenants, importing partners, looking at events and checking the installation is done with the command"
                  " fxo on the server; “fxo --help” lists what there is."),
            )),
        ),
    )  # fmt: skip


def privacy(name: str, *, sent_out: bool = False) -> Text:
    """What is kept of people, and how; `sent_out`: whether briefs go to a service outside that ranks."""
    ranked = _("A brief also goes to the service outside that ranks the experts of this portal; who you are is not sent with it.")
    return Text(
        _("Privacy"),
        _("What %(portal)s keeps about you, who reads it, and how it goes away.", portal=name),
        (
            ("what", _("What is kept"), (
                _("Your name, mail address, company and time zone; what you write as a brief, and when you rate; your sessions"
                  " and payments. Of a card only its kind and last four digits are kept here."),
                _("One cookie keeps you signed in, and one remembers light or dark. There is no tracking and no advertising, and"
                  " pages load nothing from other companies, except the card field at checkout."),
            )),
            ("who", _("Who reads it"), (
                _("A brief is read by its author and by the expert of a session that was booked with it. Other members of the"
                  " same company do not see it, and neither do other companies."),
                _("The services that a session needs get what they need for it: the payment provider the amount and the card,"
                  " the calendar and mail provider the time, the names and the addresses."),
                *((ranked,) if sent_out else ()),
            )),
            ("how", _("How it is kept"), (
                _("Personal fields of the record are encrypted with a key of each person’s own. Each company’s rows are kept"
                  " apart by the database itself. A password is kept as a hash that cannot be turned back."),
            )),
            ("away", _("How it goes away"), (
                _("When you ask to be erased, your key is destroyed, and what it locked can be read by nobody any more. What"
                  " the books must keep, amounts and dates, stays without your name."),
                _("Ask the people who run this portal. A session that is still open has to take place or be cancelled"
                  " first."),
            )),
        ),
    )  # fmt: skip


def terms(name: str) -> Text:
    """What applies between the platform and who uses it."""
    return Text(
        _("Terms"),
        _("The rules of %(portal)s, short and in plain words.", portal=name),
        (
            ("what", _("What you get"), (
                _("An hour of conversation with an expert whom you choose. It is advice by an experienced person; what you do"
                  " with it is your decision and your responsibility."),
                _("Experts are independent. The operator of the platform decides who is listed; the platform brings you"
                  " together, takes the payment and passes on the expert’s share."),
            )),
            ("pay", _("What you pay"), (
                _("The price that checkout shows, held when you book and taken after the session. Cancelling costs what the rule"
                  " at checkout says; that rule stays yours, also when the portal changes it later."),
            )),
            ("fair", _("What we ask of you"), (
                _("Use your own name and address, and your own card or your company’s. Write nothing into a brief that you may"
                  " not share with the expert. Be on time; the hour is kept for you."),
            )),
            ("trouble", _("When something goes wrong"), (
                _("If an expert does not come, or the session cannot take place for reasons on our side, you pay nothing."),
                _("Agreements that your company has made with the platform come before these terms."),
            )),
        ),
    )  # fmt: skip
