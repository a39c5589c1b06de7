"""The operator's first page: what needs a person, and how the platform stands."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from fxo.core.ledger import queries as ledger
from fxo.core.ledger.postings import Account
from fxo.core.scope import Permission
from fxo.core.work import alarms
from fxo.tenants import operations
from fxo.web import identity, shown
from fxo.web.language import _, ngettext
from fxo.web.operator.alarms import shown_alarms
from fxo.web.operator.blueprint import blueprint, page, used
from fxo.web.operator.tenants import tenant_row

_FIRST = 5


@blueprint.get("/")
@identity.needs(Permission.RUN_PLATFORM)
def home() -> ResponseReturnValue:
    """Open alarms, figures, and every tenant."""
    with used("overview") as tx:
        tenants, partners = operations.tenants(tx), operations.partner_counts(tx)
        waiting, (number, _settled) = alarms.find(tx, alarms.Wanted(), _FIRST), alarms.counts(tx)
        balances, first = ledger.balances(tx), shown_alarms(tx, waiting)
    taken = shown.total(money for _name, account, money in balances if account == Account.PROVIDER)
    paused = sum(tenant.suspended_at is not None for tenant in tenants)
    return page(
        "operator/overview.html", alarms=number, number=number, first=first, more=number - len(first),
        stats=[
            {"label": _("Needs a person"), "value": number,
             "note": _("oldest since %(when)s", when=first[0]["when"]["text"]) if first else _("nothing at the moment")},
            {"label": _("Sessions"), "value": sum(tenant.sessions for tenant in tenants),
             "note": ngettext("%(num)s ahead", "%(num)s ahead", sum(tenant.ahead for tenant in tenants))},
            {"label": _("Taken"), "value": taken or "0", "note": _("from clients, all tenants")},
            {"label": _("Partners"), "value": partners[""], "note": _("%(listed)s on a roster", listed=partners["listed"])},
        ],
        tenants=[tenant_row(tenant) for tenant in tenants],
        tenants_note=ngettext("%(num)s suspended", "%(num)s suspended", paused) if paused else "",
    )  # fmt: skip
