"""The partners of the network: who they are, who offers them, and whether they may be shown."""

from __future__ import annotations

from typing import Any

from flask import redirect, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import Invalid
from fxo.core.ids import parse_id
from fxo.core.partners import commands
from fxo.core.scope import Permission, system_scope
from fxo.core.work import alarms
from fxo.tenants import operations
from fxo.tenants.operations import Listing, PartnerRow
from fxo.web import amounts, choices, forms, identity, paging, shown
from fxo.web.language import _, ngettext
from fxo.web.operator.blueprint import act, blueprint, page, used
from fxo.web.said import done


@blueprint.get("/partners")
@identity.needs(Permission.RUN_PLATFORM)
def partners() -> ResponseReturnValue:
    """Every partner, with search and filters."""
    asked = paging.asked("q", "state", "tenant")
    labels = {"": _("All"), "listed": _("On a roster"), "unlisted": _("On none"), "suspended": _("Suspended")}
    state = asked.of("state") if asked.of("state") in labels else ""
    wanted = operations.Wanted(asked.of("q"), state, parse_id(asked.of("tenant")), paging.SIZE, asked.offset)
    with used("partners") as tx:
        (found, total), counts, tenants = operations.partners(tx, wanted), operations.partner_counts(tx), operations.tenants(tx)
        number, _settled = alarms.counts(tx)
    return page(
        "operator/partners.html", alarms=number, asked=asked, rows=[_row(one) for one in found],
        foot=paging.foot(asked, total, len(found)), none=not counts[""],
        tabs=[
            {"label": label, "url": asked.url(state=name), "current": name == state, "count": counts[name]}
            for name, label in labels.items()
        ],
        tenants=[{"value": "", "label": _("Any tenant")}, *({"value": str(one.id), "label": one.name} for one in tenants)],
    )  # fmt: skip


def _badge(one: PartnerRow) -> dict[str, str]:
    if one.suspended_at:
        return {"text": _("Suspended"), "kind": "warning"}
    return {"text": _("Listed"), "kind": "success"} if one.portals else {"text": _("On no roster"), "kind": ""}


def _row(one: PartnerRow) -> dict[str, Any]:
    return {
        "url": f"/partners/{one.id}", "name": one.name, "title": one.title, "zone": shown.city(one.zone),
        "sessions": str(one.sessions), "portals": ", ".join(one.portals) or _("None"), "only": one.visible_to,
        "rating": {"value": f"{one.rating:.1f}" if one.rating else None, "count": one.ratings}, "badge": _badge(one),
    }  # fmt: skip


@blueprint.get("/partners/<partner_id>")
@identity.needs(Permission.RUN_PLATFORM)
def partner(partner_id: str) -> ResponseReturnValue:
    """One partner: state, standing, the rosters they are on."""
    return _partner(partner_id, {}, {})


def _partner(partner_id: str, typed: dict[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    found = choices.id_from(partner_id)
    with used(f"partner {found}") as tx:
        one, tenants = operations.partner(tx, found), operations.tenants(tx)
        number, _settled = alarms.counts(tx)
    row, zone = one.row, identity.required().zone
    reason = ""
    if row.suspended_at:  # sealed under the partner's own key, which the operator's scope cannot read
        reason = platform.current().store.run(system_scope("partners"), identity.required().actor, commands.why_suspended, row.id)
    ahead = sum(each.ahead for each in one.listings)
    return page(
        "operator/partner.html", alarms=number, action=f"/partners/{row.id}", typed=typed, errors=errors,
        person=shown.person(row.name, row.id, row.title), headline=one.headline, badge=_badge(row),
        suspended=shown.time(row.suspended_at, zone) if row.suspended_at else None, reason=reason,
        ahead=ngettext("%(num)s session is booked and takes place.", "%(num)s sessions are booked and take place.", ahead)
        if ahead else "",
        stats=[
            {"label": _("Sessions"), "value": row.sessions, "note": _("all tenants")},
            {"label": _("Ahead"), "value": ahead, "note": _("booked")},
            {"label": _("Rating"), "value": f"{row.rating:.1f}" if row.rating else "–",
             "note": ngettext("%(num)s rating", "%(num)s ratings", row.ratings)},
            {"label": _("Not kept"), "value": one.cancelled + one.missed,
             "note": _("%(cancelled)s cancelled, %(missed)s missed", cancelled=one.cancelled, missed=one.missed)},
        ],
        facts=[
            {"label": _("Roles"), "value": ", ".join(one.roles)},
            {"label": _("Industries"), "value": ", ".join(one.industries) or "–"},
            {"label": _("Experience"), "value": ngettext("%(num)s year", "%(num)s years", one.years)},
            {"label": _("Country"), "value": one.country or "–"},
            {"label": _("Time zone"), "value": shown.city(row.zone)},
        ],
        listings=[_listing(each, zone) for each in one.listings],
        visible_to=str(one.visible_to or ""), only=row.visible_to,
        tenants=[{"value": "", "label": _("Every tenant that adds them")},
                 *({"value": str(each.id), "label": _("%(name)s alone", name=each.name)} for each in tenants)],
    ), status  # fmt: skip


def _listing(one: Listing, zone: str) -> dict[str, Any]:
    return {
        "tenant": one.tenant, "url": f"/tenants/{one.tenant_id}", "price": str(one.price), "own": one.own_price,
        "split": amounts.split(one.partner_share), "sessions": str(one.sessions), "ahead": str(one.ahead),
        "since": shown.date(one.ended_at or one.added_at, zone), "ended": one.ended_at is not None,
    }  # fmt: skip


@blueprint.post("/partners/<partner_id>/suspend")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def suspend(partner_id: str) -> ResponseReturnValue:
    """Shown and booked nowhere from now on; what is booked takes place."""
    found, reason = choices.id_from(partner_id), request.form.get("reason", "").strip()
    try:
        act(f"partners: suspended {found}", system_scope("partners"), commands.suspend, found, reason)
    except Invalid as error:
        return _partner(partner_id, {"reason": reason}, {"reason": error.message}, error.status)
    done(_("Suspended: shown and booked nowhere. What is booked takes place as agreed."), f"/partners/{found}/approve")
    return redirect(f"/partners/{found}", 303)


@blueprint.post("/partners/<partner_id>/approve")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def approve(partner_id: str) -> ResponseReturnValue:
    """May be shown and booked again, where they are on a roster."""
    found = choices.id_from(partner_id)
    act(f"partners: approved {found}", system_scope("partners"), commands.approve, found)
    done(_("Approved: shown and bookable again on the rosters they are on."))
    return redirect(f"/partners/{found}", 303)


@blueprint.post("/partners/<partner_id>/visibility")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def visibility(partner_id: str) -> ResponseReturnValue:
    """Keep them to one tenant, or offer them to all."""
    found, wanted = choices.id_from(partner_id), request.form.get("visible_to", "")
    tenant_id = parse_id(wanted)
    if wanted and tenant_id is None:
        return _partner(partner_id, {}, {"visible_to": _("Choose one of the list.")}, 422)
    try:
        act(f"partners: shown to {tenant_id or 'all'}: {found}", system_scope("partners"), commands.show_to, found, tenant_id)
    except Invalid as error:
        return _partner(partner_id, {}, {"visible_to": error.message}, error.status)
    done(_("Changed. Portals follow from their next page on; what is booked takes place."))
    return redirect(f"/partners/{found}", 303)
