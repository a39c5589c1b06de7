"""The roster: whom members can book, for what; and who of the network may join it."""

from __future__ import annotations

from typing import Any

from flask import redirect, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import Invalid
from fxo.core.ids import parse_id
from fxo.core.money import Money
from fxo.core.partners import commands, roster
from fxo.core.partners.roster import Candidate, Row
from fxo.core.scope import Permission, TenantConfig, system_scope
from fxo.tenants import branding
from fxo.web import amounts, choices, forms, identity, paging, shown
from fxo.web.admin.blueprint import blueprint, page, reading, run
from fxo.web.language import _, ngettext
from fxo.web.places import here
from fxo.web.said import done

_HERE = "/admin/roster"
_TOGETHER = 40
"""How many experts may be added at once."""


@blueprint.get("/roster")
@identity.needs(Permission.MANAGE_TENANT)
def entries() -> ResponseReturnValue:
    """Every entry with its price, split and state."""
    return _entries({}, {})


def _entries(typed: dict[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    config, asked = here().tenant, paging.asked("q", "state", "price")
    with reading() as tx:
        rows = roster.rows(tx)
    state, price = asked.of("state") or "on", asked.of("price")
    found = [
        row for row in rows
        if (state == "all" or _state(row)[0] == state)
        and (not price or (price == "own") == (row.price_minor is not None))
        and paging.matching(asked.of("q"), row.name, row.title)
    ]  # fmt: skip
    part = found[asked.offset : asked.offset + paging.SIZE]
    counts = {name: sum(_state(row)[0] == name for row in rows) for name in ("on", "hidden", "ended")}
    labels = {"on": _("Bookable"), "hidden": _("Not shown"), "ended": _("Ended"), "all": _("All")}
    return page(
        "admin/roster.html", asked=asked, errors=errors, typed=typed,
        price={"text": str(config.price), "plain": amounts.plain(config.price), "currency": config.price.currency},
        split=amounts.split(config.partner_share),
        tabs=[
            {"label": label, "url": asked.url(state="" if name == "on" else name), "current": name == state,
             "count": counts.get(name, len(rows))}
            for name, label in labels.items()
        ],
        prices=[{"value": "", "label": _("Any price")}, {"value": "default", "label": _("Default price")},
                {"value": "own", "label": _("Own price")}],
        rows=[_shown(row, config) for row in part], foot=paging.foot(asked, len(found), len(part)), empty=not rows,
    ), status  # fmt: skip


def _state(row: Row) -> tuple[str, str, str]:
    """(filter, word, meaning) of an entry."""
    if row.ended_at:
        return "ended", _("Ended"), ""
    if row.suspended:
        return "hidden", _("Paused by the network"), "warning"
    if row.elsewhere:
        return "hidden", _("Kept to another portal"), "warning"
    return "on", _("Bookable"), "success"


def _shown(row: Row, config: TenantConfig) -> dict[str, Any]:
    _name, word, meaning = _state(row)
    zone = identity.required().zone
    return {
        "id": str(row.partner_id), "person": shown.person(row.name, row.partner_id, row.title), "title": row.title,
        "url": f"/experts/{row.partner_id}", "price": str(row.price(config)), "own": row.price_minor is not None,
        "plain": amounts.plain(row.price(config)) if row.price_minor is not None else "",
        "split": amounts.split(row.share(config)), "agreed": row.partner_share is not None,
        "badge": {"text": word, "kind": meaning}, "ended": row.ended_at is not None,
        "since": shown.date(row.ended_at or row.added_at, zone),
        "booked": ngettext("%(num)s session ahead", "%(num)s sessions ahead", row.booked) if row.booked else "",
    }  # fmt: skip


@blueprint.post("/roster/price")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def default_price() -> ResponseReturnValue:
    """What new holds cost where an expert has no price of their own."""
    config, typed = here().tenant, request.form.get("price", "")
    try:
        price = amounts.money_from(typed, config.price.currency, "price")
    except Invalid as error:
        return _entries({"price": typed}, {"price": error.message}, 422)
    before = Money(run(branding.set_price, config, price.minor), price.currency)
    if before != price:
        text = _(
            "The default price is %(price)s now. It counts for new bookings; what is held or booked keeps its price.", price=price
        )
        done(text, f"{_HERE}/price", {"price": amounts.plain(before)})
    return redirect(_HERE, 303)


@blueprint.post("/roster/<partner_id>/price")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def price(partner_id: str) -> ResponseReturnValue:
    """The expert's own price here, or, left empty, the default one again."""
    found, config, typed = choices.id_from(partner_id), here().tenant, request.form.get("price", "").strip()
    try:
        wanted = amounts.money_from(typed, config.price.currency, "price").minor if typed else None
    except Invalid as error:
        return _entries({f"price-{found}": typed}, {f"price-{found}": error.message}, 422)
    before = run(commands.set_roster_price, found, wanted)
    if before != wanted:
        now = Money(wanted, config.price.currency) if wanted is not None else config.price
        earlier = "" if before is None else amounts.plain(Money(before, config.price.currency))
        text = _("The price is %(price)s now. It counts for new bookings; what is held or booked keeps its price.", price=now)
        done(text, f"{_HERE}/{found}/price", {"price": earlier})
    return redirect(_HERE, 303)


@blueprint.post("/roster/<partner_id>/end")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def end(partner_id: str) -> ResponseReturnValue:
    """Nobody can book this expert here any more; what is booked stands."""
    found = choices.id_from(partner_id)
    run(commands.end_roster_entry, found)
    done(_("Nobody can book this expert here any more. What is booked takes place as agreed."), f"{_HERE}/{found}/restore")
    return redirect(_HERE, 303)


@blueprint.post("/roster/<partner_id>/restore")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def restore(partner_id: str) -> ResponseReturnValue:
    """The entry is as it was before it ended; for an expert whom the network still shows to this portal."""
    found = choices.id_from(partner_id)
    if _joinable([found]):
        run(commands.restore_roster_entry, found)
        done(_("The expert can be booked here again, at the price they had."))
    else:
        done(_("Nothing has changed: the network does not offer this expert to your portal at the moment, or they are on it."))
    return redirect(_HERE, 303)


# Adding ------------------------------------------------------------------------------------------------------------


@blueprint.get("/roster/add")
@identity.needs(Permission.MANAGE_TENANT)
def candidates() -> ResponseReturnValue:
    """Who of the network may join this portal's roster."""
    return _candidates()


def _candidates(error: str = "", status: int = 200) -> ResponseReturnValue:
    config, asked = here().tenant, paging.asked("q", "role", "industry")
    with platform.current().store.transaction(system_scope("roster"), identity.required().actor) as tx:
        everybody = roster.candidates(tx, config.id)
    found = [
        one for one in everybody
        if (not asked.of("role") or asked.of("role") in one.roles)
        and (not asked.of("industry") or asked.of("industry") in one.industries)
        and paging.matching(asked.of("q"), one.name, one.title, one.headline, *one.industries)
    ]  # fmt: skip
    part = found[asked.offset : asked.offset + paging.SIZE]
    return page(
        "admin/roster_add.html", asked=asked, error=error, price=str(config.price), total=len(everybody),
        people=[_candidate(one) for one in part], foot=paging.foot(asked, len(found), len(part)),
        roles=_options(_("Any role"), {role for one in everybody for role in one.roles}),
        industries=_options(_("Any industry"), {name for one in everybody for name in one.industries}),
    ), status  # fmt: skip


def _candidate(one: Candidate) -> dict[str, Any]:
    return {
        "id": str(one.partner_id), "person": shown.person(one.name, one.partner_id, one.title), "headline": one.headline,
        "facts": " · ".join(filter(None, [
            ngettext("%(num)s year", "%(num)s years", one.years), ", ".join(one.industries[:3]),
        ])),
        "rating": {"value": f"{one.rating:.1f}" if one.rating else None, "count": one.ratings}, "private": one.private,
    }  # fmt: skip


def _options(first: str, names: set[str]) -> list[dict[str, str]]:
    return [{"value": "", "label": first}, *({"value": name, "label": name} for name in sorted(names))]


@blueprint.post("/roster/add")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def add() -> ResponseReturnValue:
    """Put the chosen experts on the roster, at the default price. Whom the network does not show to this portal is not there."""
    chosen = [found for text in request.form.getlist("partner")[:_TOGETHER] if (found := parse_id(text))]
    if not chosen:
        return _candidates(_("Choose at least one expert from the list."), 422)
    joining = _joinable(chosen)
    run(commands.add_to_roster, joining)
    number = len(joining)
    if number:
        done(
            ngettext("%(num)s expert can be booked here from now on.", "%(num)s experts can be booked here from now on.", number)
        )
    return redirect(_HERE, 303)


def _joinable(partner_ids: list[Any]) -> list[Any]:
    """Asked where the network can be seen, as this administrator."""
    store, tenant_id = platform.current().store, here().tenant.id
    with store.transaction(system_scope("roster"), identity.required().actor) as tx:
        return roster.joinable(tx, tenant_id, partner_ids)
