"""The messages about money: paid, refused, given back, disputed, paid out. Their words are gathered in `facts.py`."""

from __future__ import annotations

from fxo.core.notifications.about_sessions import TO_CLIENT, TO_PARTNER
from fxo.core.notifications.entry import N_, Entry, Row, When

_SESSION = "/sessions/%(id)s"
_FOR = (
    When("for_session", N_("For your 60-minute session with %(partner)s on %(when)s.")),
    When("for_cancelled", N_("For the session with %(partner)s on %(when)s, by the rules on cancelling that you accepted.")),
    When(
        "for_missed", N_("For the session with %(partner)s on %(when)s that you did not come to, by the rules that you accepted.")
    ),
)
_ATTACHED = N_("The document is attached, and stays on the session's page.")
_EARNED = (
    Row(N_("Session"), "%(when)s"),
    Row(N_("Client"), "%(client_of)s"),
)

MONEY: dict[str, Entry] = {
    "payment_received_client": Entry(
        to="client",
        subject=N_("Receipt: %(paid)s for your session with %(partner)s"),
        greeting=N_("Receipt"),
        heading=N_("Thank you. %(paid)s was charged"),
        paragraphs=(_FOR,),
        action=(N_("Open your session"), _SESSION),
        under_action=(_ATTACHED,),
        rows=(
            Row(N_("Session"), "%(when)s"),
            Row(N_("Expert"), "%(partner)s"),
            Row(N_("Charged to"), "%(card)s"),
            Row(N_("Paid on"), "%(paid_at_date)s"),
            Row(N_("Receipt number"), "%(receipt)s"),
            Row("%(tax_name)s", "%(tax)s"),
            Row(N_("Total"), "%(paid)s", strong=True),
        ),
        why=TO_CLIENT,
        attaches="receipt",
    ),
    "payment_received_partner": Entry(
        to="partner",
        subject=N_("You earned %(earned)s with %(client)s"),
        greeting=N_("Your session with %(client)s is paid"),
        heading=N_("You earned %(earned)s"),
        paragraphs=(
            (
                When("for_session", N_("For your 60-minute session on %(when)s.")),
                When("for_cancelled", N_("For the session on %(when)s, which was cancelled late, by the rules of the booking.")),
                When(
                    "for_missed",
                    N_("For the session on %(when)s, to which the client did not come, by the rules of the booking."),
                ),
            ),
            (When("fee_follows", N_("Your part of the payment provider's fee comes off as soon as it is known.")),),
        ),
        action=(N_("See your earnings"), "/earnings"),
        rows=(
            *_EARNED,
            Row(N_("Paid by the client"), "%(paid)s"),
            Row(N_("Tax"), "%(tax)s"),
            Row(N_("Part of the platform"), "%(platform_part)s"),
            Row(N_("Payment provider's fee"), "-%(fee_borne)s"),
            Row(N_("Your part"), "%(earned)s", strong=True),
        ),
        why=TO_PARTNER,
    ),
    "payment_due_client": Entry(
        to="client",
        subject=N_("Your card was refused: %(owed)s for your session with %(partner)s"),
        heading=N_("Please pay %(owed)s with another card"),
        paragraphs=(
            _FOR,
            (N_("We tried %(card)s, and your bank said no. Nothing was charged."),
             N_("Please take another card within three days; it is charged at once, and you get the receipt.")),
        ),
        action=(N_("Pay with another card"), "/sessions/%(id)s/pay"),
        rows=(Row(N_("Session"), "%(when)s"), Row(N_("Expert"), "%(partner)s"), Row(N_("To be paid"), "%(owed)s", strong=True)),
        why=TO_CLIENT,
    ),
    "refund_client": Entry(
        to="client",
        subject=N_("Refund: %(document_amount)s for your session with %(partner)s"),
        greeting=N_("Credit note"),
        heading=N_("%(document_amount)s is on its way back to you"),
        paragraphs=((N_("For your session with %(partner)s on %(when)s."),
                     N_("It goes back to %(card)s; your bank may take a few days to show it.")),),
        action=(N_("Open your session"), _SESSION),
        under_action=(_ATTACHED,),
        rows=(
            Row(N_("Paid"), "%(paid)s"),
            Row(N_("Credit note number"), "%(document)s"),
            Row(N_("Given back"), "%(document_amount)s", strong=True),
        ),
        why=TO_CLIENT,
        attaches="credit_note",
    ),
    "refund_partner": Entry(
        to="partner",
        subject=N_("Refund to %(client)s for the session of %(when)s"),
        heading=N_("%(client)s got money back"),
        paragraphs=((N_("Of %(paid)s that the client paid, %(given_back)s went back. %(earned_now)s remain yours."),
                     N_("If it was paid out to you already, it is set off against what you earn next.")),),
        action=(N_("See your earnings"), "/earnings"),
        rows=(*_EARNED, Row(N_("Given back"), "%(given_back)s"), Row(N_("Your part now"), "%(earned_now)s", strong=True)),
        why=TO_PARTNER,
    ),
    "dispute_opened_partner": Entry(
        to="partner",
        subject=N_("A payment is disputed: %(client)s, %(when)s"),
        heading=N_("The bank asks about a payment"),
        paragraphs=((N_("The cardholder of your session with %(client)s has asked their bank for the money back."),
                     N_("We answer with what the booking's record shows. Until the bank decides, your part of it is frozen.")),),
        action=(N_("See your earnings"), "/earnings"),
        rows=(*_EARNED, Row(N_("Frozen"), "%(frozen_now)s", strong=True)),
        sections=(
            (
                N_("You can help"),
                N_("If you have anything that shows that the hour took place, tell the operator."),
            ),
        ),
        why=TO_PARTNER,
    ),
    "dispute_won_partner": Entry(
        to="partner",
        subject=N_("The dispute is won: %(client)s, %(when)s"),
        heading=N_("The bank has decided for you"),
        paragraphs=((N_("Your part of the session with %(client)s is free again and comes with your next payout."),),),
        action=(N_("See your earnings"), "/earnings"),
        rows=(*_EARNED, Row(N_("Your part"), "%(earned_now)s", strong=True)),
        why=TO_PARTNER,
    ),
    "dispute_lost_partner": Entry(
        to="partner",
        subject=N_("The dispute is lost: %(client)s, %(when)s"),
        heading=N_("The bank has decided for the cardholder"),
        paragraphs=((N_("The money of your session with %(client)s went back. We are sorry: nothing more can be done."),
                     N_("If it was paid out to you already, it is set off against what you earn next.")),),
        action=(N_("See your earnings"), "/earnings"),
        rows=(*_EARNED, Row(N_("Your part of it was"), "%(earned)s", strong=True)),
        why=TO_PARTNER,
    ),
    "payout_partner": Entry(
        to="expert",
        subject=N_("%(amount)s is on its way to you"),
        greeting=N_("Payout"),
        heading=N_("%(amount)s is on its way to you"),
        paragraphs=((N_("It settles what you earned at %(portal)s. The statement lists every session in it."),),),
        action=(N_("Open the statement"), "/earnings/payouts/%(payout)s"),
        why=N_("You get this mail because clients of %(portal)s can book you."),
    ),
}  # fmt: skip
"""By kind; `settlement` says when each is sent."""
