"""The question: the front page, and what is said in a brief."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.errors import Invalid
from fxo.core.events.store import Transaction
from fxo.core.ids import new_id
from fxo.core.matching import commands as matching
from fxo.core.matching import queries as briefs
from fxo.core.partners import queries as partners
from fxo.core.partners.directory import trust
from fxo.core.partners.queries import Profile
from fxo.core.ratings import queries as ratings
from fxo.core.scope import Permission
from fxo.core.turns import LIST, turns
from fxo.web import choices, forms, identity, shown
from fxo.web.frame import frame
from fxo.web.language import _, ngettext
from fxo.web.places import here
from fxo.web.portal import words
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.readers import own_zone, reader_zone, visitors_welcome

_LINE = 140
"""Characters of a brief in a list."""


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """The question; with an example or an earlier brief filled in. A closed portal shows visitors the sign-in instead."""
    visitors_welcome()
    example = request.args.get("example", "")
    form = {"zone": own_zone()}
    found = words.examples(here().tenant)
    if example.isdecimal() and 1 <= int(example) <= len(found):
        chosen = found[int(example) - 1]
        form |= {"problem": chosen.text, "industry": chosen.industry, "urgency": chosen.urgency}
    if earlier := request.args.get("brief", ""):
        with platform.current().store.transaction(identity.scope(), identity.actor()) as tx:
            brief = briefs.find(tx, choices.id_from(earlier))
        form = {"problem": brief.text, "industry": brief.industry, "urgency": brief.urgency, "zone": brief.zone}
    return _home(form, {})


def _home(form: dict[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    config, user = here().tenant, identity.me()
    with platform.current().store.transaction(identity.scope(), identity.actor()) as tx:
        ahead = consultation_rows.next_ahead(tx) if user else None
        people = partners.on_roster(tx)
        own = _own(tx, ahead, {profile.id: profile for profile in people}) if user else None
        quote = None if own and own["session"] else ratings.quotable(tx)
    headline = words.headline(config)
    page = render_template(
        "portal/home.html",
        **frame(),
        headline=headline,
        long_headline=len(headline) > words.LONG_HEADLINE,
        lead=words.lead(config),
        action="/briefs",
        form=form,
        errors=errors,
        industries=choices.industries(),
        urgencies=choices.urgencies(),
        zones=choices.zones(),
        examples=[
            {"title": item.title, "url": f"/?example={number}", "text": item.text}
            for number, item in enumerate(words.examples(config)[:3], 1)
        ],
        closed_note=""
        if config.visitors_may_match or user is None
        else _("For people at %(name)s only. Signed in as %(person)s.", name=config.name, person=user.name),
        privacy=words.privacy(config),
        price=str(config.tax.gross(config.price)),
        own=own,
        people=[
            shown.person(profile.name, profile.id, profile.title)
            | {"line": profile.headline or next(iter(profile.cases), ""), "url": f"/experts/{profile.id}"}
            for profile in _some(people)
        ],
        people_title=_("Some of the people you would meet")
        if config.visitors_may_match
        else _("Some of the experts chosen by %(name)s", name=config.name),
        directory={"label": ngettext("The one expert here", "All %(num)s experts", len(people)), "url": "/experts"},
        questions=words.questions(config),
        quote=_quote(quote),
        setup_url="/admin" if user and user.actor.may(Permission.MANAGE_TENANT) else None,
    )
    return page, status


def _own(tx: Transaction, ahead: ConsultationRow | None, known: dict[UUID, Profile]) -> dict[str, Any]:
    """What is the reader's own: the next session, and the last briefs to take up again."""
    session_shown = None
    if ahead:
        profile = known.get(ahead.partner_id) or partners.profile(tx, ahead.partner_id)
        zone = reader_zone()
        session_shown = {
            "url": f"/sessions/{ahead.id}",
            "partner": shown.person(profile.name, profile.id, profile.title),
            "span": shown.span(ahead.starts_at, ahead.ends_at, zone, now=tx.now, other=(profile.name.split()[0], profile.zone)),
        }
    return {
        "session": session_shown,
        "briefs": [
            {
                "url": f"/briefs/{brief.id}",
                "text": shown.shortened(brief.text, _LINE),
                "when": shown.time(brief.submitted_at, reader_zone()),
                "fits": _fits(brief.fits),
            }
            for brief in briefs.latest(tx)
        ],
    }


def _fits(count: int) -> str:
    return ngettext("%(num)s expert fits", "%(num)s experts fit", count) if count else _("Nobody fits yet")


def _some(people: list[Profile], count: int = 4) -> list[Profile]:
    """The best of each role in turn, so that a visitor sees the breadth of the roster."""
    ranked = sorted(people, key=lambda profile: -trust(profile))
    taken: list[Profile] = []
    while ranked and len(taken) < count:
        roles: set[str] = set()
        for profile in ranked[:]:
            role = next(iter(profile.roles), "")
            if role not in roles and len(taken) < count:
                roles.add(role)
                taken.append(profile)
                ranked.remove(profile)
    return taken


def _quote(found: ratings.Quote | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "text": found.comment.strip("“”\"' "),
        "person": shown.person(found.name, found.partner_id, found.title) | {"url": f"/experts/{found.partner_id}"},
        "context": _("five stars from a client, %(month)s", month=shown.month(found.given_at, reader_zone())),
    }


@blueprint.post("/briefs")
@turns.taken(LIST)
@forms.once
def submit_brief() -> ResponseReturnValue:
    """Keep the brief, rank, and show the shortlist; no sign-in where the tenant admits visitors."""
    visitors_welcome()
    parts, config, scope, actor = platform.current(), here().tenant, identity.scope(), identity.actor()
    form = {name: request.form.get(name, "") for name in ("problem", "industry", "urgency", "zone")}
    zone = choices.known_zone(form["zone"])
    industry, urgency = _among(form["industry"], choices.industries()), _among(form["urgency"], choices.urgencies())
    wanted = matching.Submission(new_id(), form["problem"], industry, urgency, zone)
    try:
        parts.store.run(scope, actor, matching.submit, wanted)
    except Invalid as error:
        return _home(form, {"problem": error.message}, 422)
    if zone and identity.me() is None:
        session["zone"] = zone  # the pages that the visitor opens next read times there, too
    matching.match(parts.store, parts.providers, scope, actor, config, wanted.brief_id)
    return redirect(f"/briefs/{wanted.brief_id}", 303)


def _among(value: str, options: list[dict[str, str]]) -> str:
    return value if any(option["value"] == value for option in options) else ""
