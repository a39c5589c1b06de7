"""The messages about an account, sent with `reactions.tell`: each brings its own words beside `name`, `first` and `portal`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fxo.core.notifications.entry import N_, Entry

_ASKED = N_("You get this mail because somebody, most likely you, asked for it at %(portal)s.")
_CHANGED = N_("You get this mail because it is about the safety of your account at %(portal)s.")

_RESET = Entry(
    to="member",
    subject=N_("Choose a new password for %(portal)s"),
    greeting=N_("Hello %(first)s"),
    heading=N_("Choose a new password"),
    paragraphs=((N_("The link works once, within an hour."),),),
    action=(N_("Choose a new password"), "/reset?token=%(token)s"),
    sections=(
        (
            N_("You did not ask for this?"),
            N_("Then leave this mail alone. Your password stays as it is, and nobody can change it without the link."),
        ),
    ),
    why=_ASKED,
)
_PASSWORD_CHANGED = Entry(
    to="member",
    subject=N_("Your password for %(portal)s was changed"),
    greeting=N_("Hello %(first)s"),
    heading=N_("Your password was changed"),
    paragraphs=((N_("All other browsers were signed out. If this was you, there is nothing to do."),),),
    action=(N_("It was not me: choose a new one"), "/forgot"),
    why=_CHANGED,
)

_OF_THE_TENANT: Mapping[str, Entry] = {
    "invitation": Entry(
        to="member",
        subject=N_("You are invited to %(portal)s"),
        heading=N_("You are invited to %(portal)s"),
        paragraphs=(
            (
                N_("At %(portal)s people describe a problem and talk to somebody who has solved it before."),
                N_("Choose a name and a password, and you are in. The link works once, within fourteen days."),
            ),
        ),
        action=(N_("Accept the invitation"), "/invitation/%(token)s"),
        sections=(
            (
                N_("You do not know what this is about?"),
                N_("Then leave this mail alone. Nobody has an account before the link is followed."),
            ),
        ),
        why=N_("You get this mail because somebody who looks after %(portal)s gave this address."),
    ),
    "reset_password": _RESET,
    "password_changed": _PASSWORD_CHANGED,
    "confirm_mail": Entry(
        to="member",
        subject=N_("Is this your address? Please confirm it for %(portal)s"),
        greeting=N_("Hello %(first)s"),
        heading=N_("Please confirm your new address"),
        paragraphs=(
            (
                N_("From then on you sign in with this address, and invitations and receipts go here."),
                N_("The link works once, within a day."),
            ),
        ),
        action=(N_("Yes, this is my address"), "/settings/mail/confirm?token=%(token)s"),
        sections=((N_("You did not ask for this?"), N_("Then leave this mail alone. Nothing changes without the link.")),),
        why=_ASKED,
    ),
    "mail_changed": Entry(
        to="member",
        subject=N_("Your address at %(portal)s was changed"),
        greeting=N_("Hello %(first)s"),
        heading=N_("You sign in with another address now"),
        paragraphs=(
            (
                N_("Mails go to %(new_mail)s from now on, and no longer here."),
                N_("If this was not you, please answer your administrator or us at once: your account may be in other hands."),
            ),
        ),
        why=_CHANGED,
    ),
}

ACCOUNTS: dict[str, Entry] = {
    **_OF_THE_TENANT,
    "calendar_broke_expert": Entry(
        to="expert",
        subject=N_("Please connect your %(calendar)s again"),
        greeting=N_("Hello %(first)s"),
        heading=N_("Your %(calendar)s does not answer us any more"),
        paragraphs=(
            (
                N_("We were allowed to see when you are busy and to write down your sessions, and that has ended."),
                N_("What is booked stands. New sessions get a link of ours, and you get them by mail with an invitation."),
            ),
            (N_("For a day we still offer your hours as you have painted them; after that clients only ask for a time."),),
        ),
        action=(N_("Connect it again"), "/calendar"),
        why=N_("You get this mail because you have connected a calendar."),
    ),
    **{f"{kind}_expert": replace(_OF_THE_TENANT[kind], to="expert") for kind in ("reset_password", "password_changed")},
    **{f"{kind}_operator": replace(_OF_THE_TENANT[kind], to="operator") for kind in ("reset_password", "password_changed")},
}
"""By kind. `to="member"` is an account of the tenant, `to="expert"` a partner's, `to="operator"` an operator's (told by name)."""
