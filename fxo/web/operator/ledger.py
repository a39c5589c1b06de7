"""Who is owed what: balances by tenant, and the newest entries with their lines."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import Any

from flask.typing import ResponseReturnValue

from fxo.core.ledger import queries as ledger
from fxo.core.ledger.postings import Account
from fxo.core.ledger.queries import Line
from fxo.core.scope import Permission
from fxo.core.work import alarms
from fxo.web import identity, shown
from fxo.web.language import _, ngettext
from fxo.web.operator.blueprint import blueprint, page, used

_NEWEST = 300


@blueprint.get("/ledger")
@identity.needs(Permission.RUN_PLATFORM)
def entries() -> ResponseReturnValue:
    """Balances and the newest entries; each adds up to zero, and says so if one does not."""
    with used("ledger") as tx:
        lines, balances, (number, _settled) = ledger.newest(tx, _NEWEST), ledger.balances(tx), alarms.counts(tx)
    left: Counter[tuple[str, str]] = Counter()
    for tenant, _account, money in balances:
        left[tenant, money.currency] += money.minor
    balanced = not any(left.values())
    totals = {
        account: shown.total(money if money.minor > 0 else -money for _t, each, money in balances if each == account)
        for account in Account
    }
    found = [_entry(list(group)) for _key, group in groupby(lines, key=lambda line: (line.tenant, line.payment_id, line.at))]
    return page(
        "operator/ledger.html", alarms=number, balanced=balanced,
        note=_("Every entry adds up to zero, by tenant and currency.") if balanced
        else _("Some entries do not add up to zero. This needs a person now."),
        stats=[{"label": label, "value": totals[account] or "0", "note": ""} for account, label in _accounts().items()],
        accounts=[
            {"name": _accounts()[Account(account)], "tenant": tenant, "balance": str(money)}
            for tenant, account, money in balances
        ],
        entries=found,
        entries_note=ngettext("%(num)s entry", "%(num)s entries", len(found)) if len(lines) < _NEWEST
        else _("the newest %(num)s", num=len(found)),
    )  # fmt: skip


def _accounts() -> dict[Account, str]:
    return {
        Account.PROVIDER: _("Held by the payment provider"), Account.PARTNER: _("Owed to partners"),
        Account.PLATFORM: _("Platform's share"),
    }  # fmt: skip


def _entry(lines: list[Line]) -> dict[str, Any]:
    first = lines[0]
    return {
        "when": shown.time(first.at, identity.required().zone), "what": _("Session paid"), "tenant": first.tenant,
        "number": _("No. %(number)s", number=str(first.payment_id)[-12:].upper()),
        "lines": [
            {"account": _accounts()[Account(line.account)], "debit": str(line.amount) if line.amount.minor > 0 else "",
             "credit": str(-line.amount) if line.amount.minor < 0 else ""}
            for line in lines
        ],
    }  # fmt: skip
