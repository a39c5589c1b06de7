"""What a partner has earned: by month, with a chart, the sessions behind each figure, and the same as a file."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import NotFound
from fxo.core.ledger import queries as ledger
from fxo.core.money import Money
from fxo.core.scope import Permission
from fxo.web import identity, shown
from fxo.web.frame import frame
from fxo.web.language import _, ngettext
from fxo.web.partner import words
from fxo.web.partner.account import who_pays
from fxo.web.partner.blueprint import blueprint
from fxo.web.partner.payouts import less_fee, payout_row
from fxo.web.partner.sheets import cell, decimal

_MONTHS = 12
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


@blueprint.get("/earnings")
@identity.needs(Permission.COMPLETE_SESSIONS)
def earnings() -> ResponseReturnValue:
    """The newest month with something in it, or the one that was asked for."""
    user = identity.required()
    zone = ZoneInfo(user.zone)
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        months, on_its_way, now = ledger.months(tx, user.zone), ledger.on_its_way(tx), tx.now
        this = now.astimezone(zone).date().replace(day=1)
        newest = this if on_its_way or not months else months[0].first
        month = _asked(newest)
        rows = ledger.statement(tx, *_bounds(month, zone))
        paid, waiting = ledger.my_payouts(tx), ledger.entries(tx, None)
    choice = sorted({this, month, *(each.first for each in months)}, reverse=True)
    return render_template(
        "partner/earnings.html", **frame(), account=who_pays() is not None, anything=bool(months or on_its_way),
        month=f"{month:%Y-%m}", month_name=f"{month:%B %Y}",
        months=[{"value": f"{each:%Y-%m}", "label": f"{each:%B %Y}"} for each in choice],
        stats=_stats(months, on_its_way, month, this), charts=_charts(months, this, month),
        rows=[_row(one, user.zone) for one in rows],
        others=shown.total(each.amount for each in months if each.first == month and each.amount.minor and not rows),
        total={"price": shown.total(one.price for one in rows), "share": shown.total(one.share for one in rows)},
        payouts=[payout_row(one, user.zone) for one in paid],
        waiting=shown.total(each.amount for each in waiting),
        month_file=f"/earnings.csv?month={month:%Y-%m}", whole_file="/earnings.csv",
    )  # fmt: skip


def _asked(default: date) -> date:
    found = _MONTH.fullmatch(request.args.get("month", ""))
    return date(int(found[1]), int(found[2]), 1) if found else default


def _bounds(month: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    after = _later(month, 1)
    return datetime(month.year, month.month, 1, tzinfo=zone), datetime(after.year, after.month, 1, tzinfo=zone)


def _later(month: date, by: int) -> date:
    years, index = divmod(month.month - 1 + by, 12)
    return date(month.year + years, index + 1, 1)


def _stats(months: Sequence[ledger.Month], on_its_way: Sequence[Money], month: date, this: date) -> list[dict[str, str]]:
    known = next(iter([*(each.amount for each in months), *on_its_way]), None)
    nothing = str(Money(0, known.currency)) if known else "0"

    def figure(label: str, some: list[ledger.Month]) -> dict[str, str]:
        note = ngettext("%(num)s session", "%(num)s sessions", sum(each.sessions for each in some))
        return {"label": label, "value": shown.total(each.amount for each in some) or nothing, "note": note}

    return [
        figure(f"{month:%B %Y}", [each for each in months if each.first == month]),
        figure(str(this.year), [each for each in months if each.first.year == this.year]),
        figure(_("All time"), list(months)),
        {"label": _("On its way"), "value": shown.total(on_its_way) or nothing, "note": _("completed, not yet taken")},
    ]


def _charts(months: Sequence[ledger.Month], this: date, month: date) -> list[dict[str, Any]]:
    """One for each currency: different ones cannot stand side by side as bars."""
    found: dict[str, dict[date, ledger.Month]] = defaultdict(dict)
    for each in months:
        found[each.amount.currency][each.first] = each
    charts = []
    for currency, earned in sorted(found.items()):
        bars = []
        for first in (_later(this, n - _MONTHS + 1) for n in range(_MONTHS)):
            amount = earned[first].amount if first in earned else Money(0, currency)
            bars.append({"label": f"{first:%b}", "value": amount.minor, "text": str(amount), "now": first == month})
        year = [each for first, each in earned.items() if first >= _later(this, 1 - _MONTHS)]
        if not year:
            continue
        best = max(year, key=lambda each: each.amount.minor)
        charts.append(
            {"id": f"months-{currency.lower()}", "bars": bars,
             "title": _("Your share by month") if len(found) == 1 else _("Your share by month, %(currency)s", currency=currency),
             "sentence": _("%(sum)s in the last twelve months; the best was %(month)s with %(most)s.",
                           sum=shown.total(each.amount for each in year), month=f"{best.first:%B}", most=best.amount)}
        )  # fmt: skip
    return charts


_STATES = {"earned": "success", "on_its_way": "info", "failed": "warning"}


def _state(state: str) -> str:
    return {"earned": _("Earned"), "on_its_way": _("On its way"), "failed": _("Payment failed")}[state]


def _row(one: ledger.Statement, zone: str) -> dict[str, Any]:
    return {
        "when": shown.time(one.at, zone), "client": one.client, "portal": one.tenant,
        "number": words.number(one.consultation_id), "url": f"/sessions/{one.consultation_id}", "price": str(one.price),
        "share": str(one.share), "less": less_fee(one.fee), "badge": {"text": _state(one.state), "kind": _STATES[one.state]},
    }  # fmt: skip


@blueprint.get("/earnings.csv")
@identity.needs(Permission.COMPLETE_SESSIONS)
def file() -> ResponseReturnValue:
    """One month, or everything, for a spreadsheet."""
    user, asked = identity.required(), request.args.get("month", "")
    if asked and not _MONTH.fullmatch(asked):
        raise NotFound("There is no such month here.")
    zone = ZoneInfo(user.zone)
    bounds = _bounds(_asked(date.min), zone) if asked else (None, None)
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        rows = ledger.statement(tx, *bounds)
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(_heads())
    for one in rows:
        at, session = one.at.astimezone(zone).isoformat(timespec="minutes"), words.short_number(one.consultation_id)
        money = (decimal(one.price), decimal(one.share), one.share.currency)
        sheet.writerow(map(cell, (at, session, one.client, one.company, one.tenant, *money, _state(one.state), decimal(one.fee))))
    headers = {"Content-Disposition": f"attachment; filename=earnings-{asked or 'all'}.csv"}
    return Response("\ufeff" + out.getvalue(), mimetype="text/csv", headers=headers)


def _heads() -> tuple[str, ...]:
    people = (_("Date"), _("Session"), _("Client"), _("Company"), _("Portal"))
    return (*people, _("Client pays"), _("You earn"), _("Currency"), _("State"), _("Provider's fee, taken off"))
