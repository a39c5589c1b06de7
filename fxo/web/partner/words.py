"""How a partner's sessions are put into words: badges, numbers, how long ago and how long to go."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fxo.core.consultations.agenda_queries import AgendaRow
from fxo.core.consultations.model import UNDO
from fxo.web import shown
from fxo.web.language import _, ngettext

ENDED = ("cancelled", "declined", "missed", "contested", "settled", "decided")
"""How a booking is called that went otherwise than planned."""


def badge(row: AgendaRow, now: datetime) -> dict[str, str]:
    """Where the session stands, in one or two words."""
    text, kind = _standing(row, now)
    return {"text": text, "kind": kind}


def _standing(row: AgendaRow, now: datetime) -> tuple[str, str]:
    if row.state in ENDED:
        return {
            "cancelled": (_("Cancelled"), "danger"), "declined": (_("Declined"), ""), "missed": (_("Missed"), "warning"),
            "contested": (_("Being looked at"), "warning"), "settled": (_("Missed, paid"), "success"),
            "decided": (_("Decided"), ""),
        }[row.state]  # fmt: skip
    if row.state == "requested":
        return _("Answer it"), "warning"
    if row.state == "completed":
        return {
            "captured": (_("Paid"), "success"), "failed": (_("Payment failed"), "warning"), "refunded": (_("Part refunded"), ""),
            "disputed": (_("Disputed"), "danger"), "lost": (_("Dispute lost"), "danger"),
        }.get(row.money, (_("Completed"), "info"))  # fmt: skip
    if row.to_complete(now):
        return _("To complete"), "warning"
    if row.state == "started" or now >= row.starts_at:
        return _("Under way"), "info"
    return {"refused": (_("New card needed"), "warning"), "card_saved": (_("Card saved"), "")}.get(
        row.money, (_("Booked"), "success")
    )


TAKEN = ("captured", "refunded", "disputed", "lost")
"""How the money stands once it was taken, whatever came of it afterwards."""


def number(consultation_id: UUID) -> str:
    """What a session is called towards people: `No. 7A31C09F22B1`."""
    return _("No. %(number)s", number=short_number(consultation_id))


def short_number(consultation_id: UUID) -> str:
    return str(consultation_id)[-12:].upper()


def about(row: AgendaRow, longest: int = 120) -> str:
    """The brief on one line."""
    return shown.shortened(row.brief, longest)


def company(row: AgendaRow) -> str:
    """Whose client it is: their company, or the portal where none is given."""
    return row.client_company or row.tenant_name


def ago(moment: datetime, now: datetime) -> str:
    """`4 minutes ago`."""
    minutes = max(0, int((now - moment).total_seconds() // 60))
    if minutes < 60:
        return ngettext("%(num)s minute ago", "%(num)s minutes ago", minutes) if minutes else _("just now")
    if minutes < 24 * 60:
        return ngettext("%(num)s hour ago", "%(num)s hours ago", minutes // 60)
    return ngettext("%(num)s day ago", "%(num)s days ago", minutes // (24 * 60))


def to_go(moment: datetime, now: datetime) -> str:
    """`1 h 18 min`, rounded up so that it never says less than there is."""
    minutes = max(1, ceil((moment - now).total_seconds() / 60))
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("%(minutes)s min", minutes=minutes)
    return _("%(hours)s h %(minutes)s min", hours=hours, minutes=rest) if rest else _("%(hours)s h", hours=hours)


def hours(minutes: int) -> str:
    """`11`, or `11.5` where it is not whole."""
    return f"{minutes / 60:.1f}".removesuffix(".0")


def undo(row: AgendaRow, now: datetime, return_to: str) -> dict[str, Any] | None:
    """The toast that takes a completion back, with the seconds that are left; wherever the page is opened again."""
    if not row.undoable(now) or row.completed_at is None:
        return None
    left = ceil((row.completed_at + UNDO - now).total_seconds())
    return {
        "action": f"/sessions/{row.consultation_id}/undo", "left": left, "fields": {"return_to": return_to},
        "text": _("Session with %(client)s completed. %(earns)s is on its way.", client=row.client_name, earns=row.earns),
    }  # fmt: skip


def listed(row: AgendaRow, zone: str, now: datetime) -> dict[str, Any]:
    """A session as a row of a table."""
    return {
        "when": _when(row.starts_at, zone, now), "url": f"/sessions/{row.consultation_id}", "client": row.client_name,
        "company": company(row), "portal": row.tenant_name, "about": about(row, 90), "badge": badge(row, now),
        "earns": "" if row.state == "cancelled" else str(row.earns),
    }  # fmt: skip


def _when(moment: datetime, zone: str, now: datetime) -> dict[str, str]:
    """The table's head names the zone; where daylight saving has it another name then, the row does so itself."""
    found = shown.time(moment, zone)
    text, _space, name = found["text"].rpartition(" ")
    return found | {"text": text} if name == shown.zone(now, zone) else found


def day_of(moment: datetime, zone: str, now: datetime) -> str:
    """`Today`, `Yesterday`, `Fri 20` or, where that might be another month's, `Fri 20 Nov`, as the reader's calendar has it."""
    local, today = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    if local.date() == today:
        return _("Today")
    if local.date() == today - timedelta(days=1):
        return _("Yesterday")
    near = abs((local.date() - today).days) < 21
    return f"{local:%a} {local.day}" if near else f"{local:%a} {local.day} {local:%b}"
