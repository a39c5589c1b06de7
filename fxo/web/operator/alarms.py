"""The queue of alarms: what happened, what it means, what to do, and who has looked after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import redirect, request
from flask.typing import ResponseReturnValue

from fxo.core.errors import Invalid
from fxo.core.events.store import Transaction
from fxo.core.ids import parse_id
from fxo.core.scope import Permission
from fxo.core.settlement import TAKEN_UP_AGAIN
from fxo.core.work import alarms
from fxo.core.work.alarms import Alarm
from fxo.tenants import operations
from fxo.web import choices, forms, identity, paging, shown
from fxo.web.language import _, ngettext
from fxo.web.operator.blueprint import blueprint, page, used
from fxo.web.said import done

_MOST = 200


def _words(kind: str) -> tuple[str, str]:
    """(title, what to do) of a kind of alarm, for people."""
    known = {
        "payment.capture_failed": (
            _("Money was not taken"),
            _("The saved card is charged again by itself, and then the client is asked. Look whether that went well."),
        ),
        "payment.needs_person": (
            _("A client owes money"),
            _("Decide in the payments queue: charge again, ask again, waive, or enter what came by hand."),
        ),
        "payment.delayed": (
            _("The payment provider does not answer"),
            _("It is asked again and again. Look at the provider's state; nothing is charged twice."),
        ),
        "payment.lapses": (
            _("A hold is about to lapse"),
            _("Ask the expert whether the session took place, and have it completed. After the hold the saved card is charged."),
        ),
        "payment.refund_failed": (
            _("A refund was refused"),
            _("Give the money back by another way, and write down how."),
        ),
        "payment.disputed": (
            _("A payment is disputed"),
            _("Answer with the evidence on the payment's page, before the time for it is over."),
        ),
        "payment.dispute_ends": (
            _("A dispute runs out unanswered"),
            _("Answer it now: without evidence it is lost."),
        ),
        "payout.failed": (
            _("A payout was refused"),
            _("Look at the partner's account at the provider. The next run pays it again."),
        ),
        "ledger.differs": (
            _("The books do not agree"),
            _("Open Integrity: it lists every difference between ledger, events and provider."),
        ),
        "session.contested": (
            _("Two who do not agree"),
            _("Open the booking: both say there how they saw it, with the evidence, and you decide what the client owes."),
        ),
        "session.expert_absent": (
            _("An expert did not come"),
            _("The client was offered others. Talk to the expert; the partner's page counts what was not kept."),
        ),
        "session.expert_cancelled": (
            _("An expert cancelled at short notice"),
            _("The client was offered others. See whether somebody took over, and talk to the expert."),
        ),
        "meeting.no_link": (
            _("A session without a meeting link"),
            _("Look at the calendar provider's state. A link that comes late appears on the session's page."),
        ),
        "work.mail": (
            _("A mail could not be sent"),
            _("Check the mail settings with “fxo doctor”. The page of the session says everything the mail would have said."),
        ),
    }
    again = _("It is taken up again every hour, and has one effect however often. Look at the provider's state and settings.")
    groups = {
        "work.payments.": (
            _("A payment step was given up"),
            again
            if kind.removeprefix("work.") in TAKEN_UP_AGAIN
            else _("It is not tried again by itself. Look at the provider's state and settings, and at the booking's payment."),
        ),
        "work.calendars.": (
            _("A calendar step was given up"),
            _("Check the calendar provider's settings. The meeting may have to be made or removed there by hand."),
        ),
        "work.hooks.": (
            _("A plugin could not be told"),
            _("Look into the plugin's log. The booking itself is not touched by this."),
        ),
        "work.payouts.": (
            _("A payout was given up"),
            again,
        ),
        "work.": (
            _("Work was given up"),
            _("The log has the reason under this work's number. Mend the cause; the work is not tried again by itself."),
        ),
    }  # fmt: skip
    if kind in known:
        return known[kind]
    for start, words in groups.items():
        if kind.startswith(start):
            return words
    return kind, _("Look into the log at the time when it was raised.")


def shown_alarms(tx: Transaction, found: Sequence[Alarm]) -> list[dict[str, Any]]:
    """Alarms for a page, each with a link to what it is about; one query for all of them."""
    subjects = [(one.tenant_id, one.subject_id) for one in found if one.subject_id]
    bookings, zone, now = operations.bookings_of(tx, subjects), identity.required().zone, tx.now
    return [_shown(one, bookings.get(one.subject_id) if one.subject_id else None, zone, now) for one in found]


def _shown(one: Alarm, booking_id: Any, zone: str, now: Any) -> dict[str, Any]:
    title, todo = _words(one.kind)
    if booking_id:
        about = {"label": _("Open the booking"), "url": f"/bookings/{one.tenant_id}/{booking_id}"}
        if one.kind.startswith("payment."):
            about = {"label": _("Open the payment"), "url": f"/payments/{one.tenant_id}/{one.subject_id}"}
    elif one.tenant:
        about = {"label": _("Open the tenant"), "url": f"/tenants/{one.tenant_id}"}
    else:
        about = None
    return {
        "id": str(one.id), "title": title, "todo": todo, "text": one.sentence, "kind": one.kind,
        "tenant": one.tenant or _("The network"), "tenant_url": f"/tenants/{one.tenant_id}" if one.tenant else None,
        "when": shown.time(one.raised_at, zone), "often": _often(one, zone, (now - one.raised_at).days),
        "about": about, "note": one.note, "by": one.settled_by,
        "settled": shown.time(one.settled_at, zone) if one.settled_at else None,
        "action": f"/alarms/{one.tenant_id}/{one.id}",
    }  # fmt: skip


def _often(one: Alarm, zone: str, days: int) -> str:
    """How long it has waited, and how often it was raised."""
    age = "" if one.settled_at else ngettext("for %(num)s day", "for %(num)s days", days) if days else _("today")
    times = ngettext("%(num)s time", "%(num)s times", one.times)
    if one.times > 1:
        times = _("%(times)s, last %(when)s", times=times, when=shown.time(one.last_at, zone)["text"])
    return ", ".join(filter(None, [age, times]))


@blueprint.get("/alarms")
@identity.needs(Permission.RUN_PLATFORM)
def queue() -> ResponseReturnValue:
    """What needs a person, the oldest first; or what was settled, the newest first."""
    return _queue({}, {})


def _queue(typed: dict[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    asked = paging.asked("state", "kind", "tenant")
    settled = asked.of("state") == "settled"
    wanted = alarms.Wanted(settled, asked.of("kind"), parse_id(asked.of("tenant")))
    with used("alarms") as tx:
        found, (waiting, done_with) = alarms.find(tx, wanted, _MOST), alarms.counts(tx)
        rows, tenants = shown_alarms(tx, found), operations.tenants(tx)
    kinds = {
        "": _("Any kind"),
        "payment.": _("Payments"),
        "session.": _("Cases"),
        "meeting.": _("Meetings"),
        "work.": _("Work that was given up"),
    }
    return page(
        "operator/alarms.html", alarms=waiting, asked=asked, rows=rows, settled=settled, typed=typed, errors=errors,
        longest=alarms.LONGEST_NOTE, filtered=bool(asked.of("kind") or asked.of("tenant")),
        tabs=[
            {"label": _("Open"), "url": asked.url(state=""), "current": not settled, "count": waiting},
            {"label": _("Settled"), "url": asked.url(state="settled"), "current": settled, "count": done_with},
        ],
        kinds=[{"value": value, "label": label} for value, label in kinds.items()],
        tenants=[{"value": "", "label": _("Any tenant")}, *({"value": str(one.id), "label": one.name} for one in tenants)],
        foot=ngettext("%(num)s alarm", "%(num)s alarms", len(rows)) if len(rows) < _MOST
        else _("The first %(num)s are shown.", num=_MOST),
    ), status  # fmt: skip


@blueprint.post("/alarms/<tenant_id>/<alarm_id>/settle")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def settle(tenant_id: str, alarm_id: str) -> ResponseReturnValue:
    """Somebody has looked after it, and says how."""
    found, note = choices.id_from(alarm_id), request.form.get("note", "")
    try:
        with used(f"alarms: settled {found}") as tx:
            alarms.settle(tx, choices.id_from(tenant_id), found, note)
    except Invalid as error:
        return _queue({f"note-{found}": note}, {f"note-{found}": error.message}, error.status)
    done(_("Settled. It opens again by itself if it happens again."), f"/alarms/{tenant_id}/{found}/reopen")
    return redirect("/alarms", 303)


@blueprint.post("/alarms/<tenant_id>/<alarm_id>/reopen")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def reopen(tenant_id: str, alarm_id: str) -> ResponseReturnValue:
    """It was not settled after all."""
    found = choices.id_from(alarm_id)
    with used(f"alarms: reopened {found}") as tx:
        alarms.reopen(tx, choices.id_from(tenant_id), found)
    done(_("It is open again."))
    return redirect("/alarms", 303)
