"""Integrity: what must never be, counted; and what the last check of each tenant's books has found."""

from __future__ import annotations

from flask import redirect
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.integrity import counters
from fxo.core.ledger import queries as ledger
from fxo.core.scope import CODE, Permission, tenant_scope
from fxo.core.work import alarms, rows
from fxo.web import forms, identity, shown
from fxo.web.language import _, ngettext
from fxo.web.operator.blueprint import blueprint, page, used
from fxo.web.said import done


@blueprint.get("/integrity")
@identity.needs(Permission.RUN_PLATFORM)
def integrity() -> ResponseReturnValue:
    """Every figure should be zero."""
    with used("integrity") as tx:
        checks, (waiting, _settled) = ledger.newest_checks(tx), alarms.counts(tx)
    found, zone = counters(platform.current().store), identity.required().zone
    names, wrong = _names(), sum(1 for number in found.values() if number)
    return page(
        "operator/integrity.html", alarms=waiting, wrong=wrong,
        note=_("Every counter is zero.") if not wrong
        else ngettext("%(num)s counter is not zero.", "%(num)s counters are not zero.", wrong),
        counters=[{"title": names[key][0], "text": names[key][1], "number": number} for key, number in found.items()],
        checks=[
            {"tenant": one.tenant, "when": shown.time(one.at, zone) if one.at else "",
             "compared": ngettext("%(num)s payment", "%(num)s payments", one.compared),
             "badge": {"text": _("Agree"), "kind": "success"} if one.at and not one.differences
             else {"text": _("Not checked yet"), "kind": ""} if not one.at
             else {"text": ngettext("%(num)s difference", "%(num)s differences", len(one.differences)), "kind": "danger"},
             "differences": one.differences}
            for one in checks
        ],
    )  # fmt: skip


def _names() -> dict[str, tuple[str, str]]:
    return {
        "overlaps": (_("Overlapping sessions"), _("An expert is booked twice at the same time.")),
        "paid_without_slot": (_("Paid without a slot"), _("Money is held or taken, and the time is not ours.")),
        "slot_without_payment": (_("Slot without a payment"), _("A session is booked, and neither money nor card is there.")),
        "unbalanced": (_("Unbalanced entries"), _("The ledger does not add up, or its last check found a difference.")),
        "captured_twice": (_("Captured twice"), _("A session was paid more than once.")),
        "without_link": (_("No meeting link"), _("A session begins within two hours and has no link.")),
        "work_overdue": (_("Work overdue"), _("Something was due five minutes ago and nobody has begun it.")),
        "about_to_lapse": (_("About to lapse"), _("A hold for a session that is over ends within a day and was not taken.")),
    }


@blueprint.post("/integrity")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def check() -> ResponseReturnValue:
    """Check the books of every tenant now."""
    parts = platform.current()
    with used("integrity: check"):
        pass
    for config in parts.records.all():
        parts.store.run(tenant_scope(config.id), CODE, rows.schedule, "ledger.check", config.id)
    done(_("The books are being checked. What is found appears here in a moment."))
    return redirect("/integrity", 303)
