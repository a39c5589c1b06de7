"""Every message that the platform sends, as data: to whom, when it is still of use, and what it says."""

from __future__ import annotations

from fxo.core.notifications.about_accounts import ACCOUNTS
from fxo.core.notifications.about_changes import CHANGES
from fxo.core.notifications.about_money import MONEY
from fxo.core.notifications.about_sessions import SESSIONS
from fxo.core.notifications.entry import N_, Entry

ALARM = "alarm"

CATALOGUE: dict[str, Entry] = {
    **SESSIONS,
    **CHANGES,
    **MONEY,
    **ACCOUNTS,
    ALARM: Entry(
        to="operators",
        subject=N_("fxo needs a person: %(kind)s"),
        heading=N_("Something needs a person"),
        paragraphs=((N_("%(sentence)s"),),),
        action=(N_("Open the queue"), "/alarms"),
        why=N_("You get this mail because alarms of the platform go to this address."),
    ),
}
