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
    found = [_entry(list(group)) for _key, group in groupby(lines, key=lambda line: line.event_id)]
    return page(
        "operator/ledger.html", alarms=number, balanced=balanced,
        note=_("Every entry adds up to zero, by tenant and currency.") if balanced
        else _("Some entries do not add up to zero. This needs a person now."),
        stats=[
            {"label": _accounts()[account], "value": totals[account] or "0", "note": ""}
            for account in (Account.PROVIDER, Account.PARTNER, Account.PLATFORM)
        ],
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
        Account.PLATFORM: _("Platform's share"), Account.TAX: _("Tax to be paid"), Account.PAYOUT: _("On its way to partners"),
        Account.FROZEN: _("Partners' shares in disputes"), Account.DISPUTED: _("Drawn back by disputes"),
        Account.FEES: _("Payment providers' fees"), Account.TENANT: _("Owed by tenants"), Account.BANK: _("By bank"),
    }  # fmt: skip


def _what(event: str) -> str:
    return {
        "payment.captured": _("Paid by a client"), "payment.provider_fee_known": _("Payment provider's fee"),
        "payment.refunded": _("Given back"),
        "payment.disputed": _("Dispute opened"), "payment.dispute_won": _("Dispute won"),
        "payment.dispute_lost": _("Dispute lost"), "payout.planned": _("Payout planned"), "payout.paid": _("Payout made"),
        "payout.failed": _("Payout refused"), "payout.reversed": _("Taken back from a partner"),
    }.get(event, event)  # fmt: skip


def _entry(lines: list[Line]) -> dict[str, Any]:
    first = lines[0]
    return {
        "when": shown.time(first.at, identity.required().zone), "what": _what(first.what), "tenant": first.tenant,
        "number": _("No. %(number)s", number=str(first.subject_id)[-12:].upper()),
        "lines": [
            {"account": _accounts()[Account(line.account)], "debit": str(line.amount) if line.amount.minor > 0 else "",
             "credit": str(-line.amount) if line.amount.minor < 0 else ""}
            for line in lines
        ],
    }  # fmt: skip
