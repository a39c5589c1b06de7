"""How the providers of all portals fare: who is ill first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask.typing import ResponseReturnValue

from fxo.core.clock import system_now
from fxo.core.ids import NETWORK
from fxo.core.plugins import fared
from fxo.core.plugins.fared import Seen, State
from fxo.core.scope import Permission
from fxo.core.work import alarms
from fxo.tenants import operations
from fxo.web import identity, provider_words, shown
from fxo.web.language import _, ngettext
from fxo.web.operator.blueprint import blueprint, page, used

_WORST_FIRST = (State.DOWN, State.TROUBLED, State.WELL, State.UNUSED)


@blueprint.get("/providers")
@identity.needs(Permission.RUN_PLATFORM)
def providers() -> ResponseReturnValue:
    """Every portal's providers that were asked within a day."""
    with used("providers") as tx:
        found, names, (number, _settled) = (
            fared.read(tx.driver, system_now(), month=False),
            operations.names(tx),
            alarms.counts(tx),
        )
    found.sort(key=lambda one: (_WORST_FIRST.index(one.state), names.get(one.tenant_id, ""), one.provider))
    ill = sum(one.state in (State.DOWN, State.TROUBLED) for one in found)
    return page(
        "operator/providers.html", alarms=number, ill=ill,
        note=ngettext("%(num)s provider is ill.", "%(num)s providers are ill.", ill) if ill else "",
        rows=[_row(one, names, identity.required().zone) for one in found],
    )  # fmt: skip


def _row(one: Seen, names: Mapping[UUID, str], zone: str) -> dict[str, Any]:
    newest = one.failures[0] if one.failures else None
    return {
        "tenant": _("The platform itself") if one.tenant_id == NETWORK else names.get(one.tenant_id, ""),
        "url": None if one.tenant_id == NETWORK else f"/tenants/{one.tenant_id}",
        "label": provider_words.label(one.provider), "kind": provider_words.ports().get(one.port, one.port),
        "badge": provider_words.badge(one.state), "line": provider_words.line(one),
        "error": provider_words.wrong(one.provider, newest.kind, newest.field) if newest else "",
        "at": shown.time(newest.at, zone) if newest else "",
    }  # fmt: skip
