"""The question, and the shortlist for it."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files
from typing import Any

import orjson
from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.calendars import queries as calendars
from fxo.core.consultations import queries as consultation_rows
from fxo.core.errors import Invalid
from fxo.core.ids import new_id
from fxo.core.matching import commands as matching
from fxo.core.matching import queries as briefs
from fxo.core.partners import queries as partners
from fxo.web import choices, forms, identity, shown
from fxo.web.frame import frame
from fxo.web.places import here
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.readers import own_zone, reader_zone, visitors_welcome


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """The question; with an example or an earlier brief filled in. A closed portal shows visitors the sign-in instead."""
    visitors_welcome()
    example = request.args.get("example", "")
    form = {"zone": own_zone()}
    found = _examples()
    if example.isdecimal() and 1 <= int(example) <= len(found):
        chosen = found[int(example) - 1]
        form |= {"problem": chosen["text"], "industry": chosen["industry"], "urgency": chosen["urgency"]}
    if earlier := request.args.get("brief", ""):
        with platform.current().store.transaction(identity.scope(), identity.actor()) as tx:
            brief = briefs.find(tx, choices.id_from(earlier))
        form = {"problem": brief.text, "industry": brief.industry, "urgency": brief.urgency, "zone": brief.zone}
    return _home(form, {})


def _home(form: dict[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    config = here().tenant
    with platform.current().store.transaction(identity.scope(), identity.actor()) as tx:
        people = partners.on_roster(tx)
    page = render_template(
        "portal/home.html",
        **frame(),
        headline=config.brand.get("headline") or "Sixty minutes with someone who has solved it before",
        lead="Describe it in your own words. You see who has been there before, why, and when they are free.",
        action="/briefs",
        form=form,
        errors=errors,
        industries=choices.industries(),
        urgencies=choices.urgencies(),
        zones=choices.zones(),
        examples=[
            {"title": item["title"], "url": f"?example={number}", "text": item["text"]}
            for number, item in enumerate(_examples()[:3], 1)
        ],
        closed_note="" if config.visitors_may_match else f"For people at {config.name} only.",
        privacy="What you write is read by the experts you choose and by nobody else.",
        price=str(config.price),
        people=[shown.person(profile.name, profile.id, profile.title) | {"line": profile.headline} for profile in people[:4]],
        directory=None,
        people_title="Some of the people you can ask",
        questions=[],
        quote=None,
    )
    return page, status


def _examples() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(files("fxo.demo").joinpath("briefs.json").read_bytes())
    return found


@blueprint.post("/briefs")
@forms.once
def submit_brief() -> ResponseReturnValue:
    """Keep the brief, rank, and show the shortlist; no sign-in where the tenant admits visitors."""
    visitors_welcome()
    parts, config, scope, actor = platform.current(), here().tenant, identity.scope(), identity.actor()
    form = {name: request.form.get(name, "") for name in ("problem", "industry", "urgency", "zone")}
    wanted = matching.Submission(
        new_id(), form["problem"], form["industry"][:80], form["urgency"][:40], _known_zone(form["zone"])
    )
    try:
        parts.store.run(scope, actor, matching.submit, wanted)
    except Invalid as error:
        return _home(form, {"problem": error.message}, 422)
    matching.match(parts.store, parts.providers, scope, actor, config, wanted.brief_id)
    return redirect(f"/briefs/{wanted.brief_id}", 303)


def _known_zone(zone: str) -> str:
    return zone if any(option["value"] == zone for option in choices.zones()) else ""


@blueprint.get("/briefs/<brief_id>")
def shortlist(brief_id: str) -> ResponseReturnValue:
    """Who fits, why, and when they are free, in the reader's zone."""
    visitors_welcome()
    parts, config, scope, actor = platform.current(), here().tenant, identity.scope(), identity.actor()
    found_id = choices.id_from(brief_id)
    with parts.store.transaction(scope, actor) as tx:
        brief = briefs.find(tx, found_id)
    if brief.matched is None:
        matching.match(parts.store, parts.providers, scope, actor, config, found_id)
        with parts.store.transaction(scope, actor) as tx:
            brief = briefs.find(tx, found_id)
    listed = brief.matched.shortlist if brief.matched else ()
    with parts.store.transaction(scope, actor) as tx:
        now = tx.now
    window = (now, now + timedelta(days=21))
    external = calendars.external_busy(parts.providers, config, [item.partner_id for item in listed], window)
    with parts.store.transaction(scope, actor) as tx:
        on_roster = {profile.id: profile for profile in partners.on_roster(tx)}
        known = [item for item in listed if item.partner_id in on_roster]
        free = consultation_rows.next_open(
            tx, [item.partner_id for item in known if item.partner_id in external], external=external
        )
        prices = {item.partner_id: entry.price(config) for item in known if (entry := partners.roster_entry(tx, item.partner_id))}
    zone = brief.zone or reader_zone()
    cards = [
        shown.partner_card(
            on_roster[item.partner_id],
            [shown.slot(slot.start, zone) for slot in free.get(item.partner_id, [])],
            str(prices.get(item.partner_id, config.price)),
            listed=item,
            url=f"/experts/{item.partner_id}?brief={brief.id}",
        )
        for item in known
    ]
    count = ("No expert", "One expert", "Two experts", "Three experts", "Four experts", "Five experts")[min(len(cards), 5)]
    matched = brief.matched
    role = (matched.role if matched else "") or "Any role"
    return render_template(
        "portal/shortlist.html",
        **frame(),
        headline=f"{count} who {'has' if len(cards) == 1 else 'have'} been here before"
        if cards
        else "Nobody here fits this well",
        note=f"Ranked for you from {len(on_roster)} experts. Times are yours, in {shown.zone(now, zone)}." if cards else "",
        problem=brief.text,
        edit_url=f"/?brief={brief.id}",
        directory_url=None,
        understood={
            "summary": " · ".join([role, *(matched.topics[:3] if matched else ())]),
            "rows": [
                {"label": "Who you need", "value": role},
                {"label": "Topics", "value": ", ".join(matched.topics) if matched else ""},
                {"label": "Industry", "value": brief.industry or "Any"},
            ],
        },
        partners=cards,
        working=matched is None,
        hold_action="/holds",
        hold_fields={"brief": str(brief.id)},
        closest=None,
        ask_url=None,
    )
