"""The shortlist: what we understood, to be corrected, and who fits, why, and when they are free."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.clients import favourites
from fxo.core.errors import Invalid
from fxo.core.matching import commands as matching
from fxo.core.matching import impressions
from fxo.core.matching import queries as briefs
from fxo.core.matching.model import Listed
from fxo.core.matching.port import LACKING
from fxo.core.matching.queries import BriefRow
from fxo.core.money import Money
from fxo.core.partners import queries as partners
from fxo.core.partners.directory import WITHIN, folded, trust
from fxo.core.partners.queries import Profile
from fxo.core.turns import TIMES, turns
from fxo.web import choices, forms, identity, shown
from fxo.web.frame import frame
from fxo.web.language import _, ngettext
from fxo.web.places import here
from fxo.web.portal import times
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.impressions import count_shown
from fxo.web.portal.readers import part_wanted, reader_zone, scripts_run, visitors_welcome, zone_known
from fxo.web.portal.refining import refining
from fxo.web.portal.understood import answered, chosen_instead, questions, understood

_SOON = {"now": WITHIN["48h"], "week": WITHIN["week"], "fortnight": WITHIN["fortnight"]}
"""Until when an urgency wants the session."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the shortlist is shown, and in which order; it stands in the address."""

    free: str = ""
    kept: str = ""
    speaks: str = ""
    works_in: str = ""
    sort: str = ""

    @property
    def needs_times(self) -> bool:
        return bool(self.free) or self.sort == "soonest"

    def address(self, path: str) -> str:
        chosen = {name: value for name in self.__slots__ if (value := getattr(self, name))}
        return f"{path}?{urlencode(chosen)}" if chosen else path


def _filters(sent: Any) -> Filters:
    given = {name: sent.get(name, "")[:80] for name in Filters.__slots__}
    if given["free"] != "week":
        given["free"] = ""
    if given["sort"] not in ("soonest", "rating", "price"):
        given["sort"] = ""
    return Filters(**given | {"kept": "1" if given["kept"] else ""})


@blueprint.get("/briefs/<brief_id>")
def shortlist(brief_id: str) -> ResponseReturnValue:
    """Who fits, why, and when they are free, in the reader's zone.

    Where scripts run, the page comes at once and the times in a second request; elsewhere they are in the page.
    """
    visitors_welcome()
    found_id, filters = choices.id_from(brief_id), _filters(request.args)
    if part_wanted() and "slots" in request.args:
        with turns.taken(TIMES):
            return _page(found_id, filters, {})
    return _page(found_id, filters, {})


def _page(brief_id: UUID, filters: Filters, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    parts, config, scope, actor = platform.current(), here().tenant, identity.scope(), identity.actor()
    with_times = filters.needs_times or "slots" in request.args or not scripts_run()
    with parts.store.transaction(scope, actor) as tx:
        now, brief = tx.now, briefs.find(tx, brief_id)
        found = partners.roster(tx)
        kept = favourites.of_reader(tx)
        seen = impressions.seen(tx, brief.id, brief.ranking) if with_times else None
    if brief.matched is None:
        matching.match(parts.store, parts.providers, scope, actor, config, brief_id)
        with parts.store.transaction(scope, actor) as tx:
            brief = briefs.find(tx, brief_id)
    roster = {profile.id: profile for profile, _entry in found}
    matched, partly, path = brief.matched, part_wanted(), f"/briefs/{brief.id}"
    listed = [item for item in (matched.shortlist if matched else ()) if item.partner_id in roster]
    wanted = {item.partner_id for item in listed}
    prices = {entry.partner_id: entry.price(config) for _profile, entry in found if entry.partner_id in wanted}
    known = times.next_times([item.partner_id for item in listed], now) if with_times else None
    address, zone = filters.address(path), brief.zone or reader_zone()
    on_page = _chosen(listed, roster, known, kept, filters, now, prices)
    cards = [
        _card(item, roster[item.partner_id], known, brief, now, zone)
        | {
            "price": str(prices[item.partner_id]),
            "tax": shown.on_top(config.tax),
            "favourite": {"kept": item.partner_id in kept, "next": address},
        }
        for item in on_page
    ]
    page = render_template(
        "portal/shortlist_part.html" if partly else "portal/shortlist.html",
        **({} if partly else frame()),
        **_headline(len(listed), matched is None),
        note=_note(brief, now, zone, len(roster)) if listed else "",
        zone_url="/zone?" + urlencode({"next": address, "brief": str(brief.id)}),
        editing=bool(errors.get("text")) or request.args.get("edit") == "1",
        typed=request.form.get("text", brief.text),
        line=request.form.get("line", ""),
        errors=errors,
        page_url=path,
        edit_url=f"{path}?edit=1#understood-panel",
        directory_url="/experts",
        understood=understood(brief, roster.values()),
        questions=questions(brief),
        lacking=choices.lacking(matched.lacking or LACKING) if matched else [],
        explained=any(item.probability is not None for item in listed),
        **(_changed(matched is not None) if partly else {}),
        partners=cards,
        listed=len(listed),
        working=matched is None,
        times_url=None if with_times or not listed else address + ("&" if "?" in address else "?") + "slots=1",
        refining=refining(brief, address) if with_times or not listed else None,
        filters=_filter_choices(filters, [roster[item.partner_id] for item in listed], kept),
        hold_action="/holds",
        hold_fields={"brief": str(brief.id)},
    )
    if seen is not None:  # a page without times is no more than begun
        count_shown(seen, brief, [item.partner_id for item in on_page])
    answer = make_response(page, status)
    if partly and request.headers.get("HX-Trigger") == "filters":
        answer.headers["HX-Push-Url"] = address
    return answer


def _changed(ranked: bool) -> dict[str, bool]:
    """What else changes with the list that a script asks for: a correction changes what was understood; an answer, a refined
    ranking, and one that was waited for (the list asks by itself then, and not for its times), the marks in the words too.

    The words stay where they are otherwise: a reader may have just been led to a place in them.
    """
    by = request.headers.get("HX-Trigger", "")
    words = by in ("words-form", "questions") or "refined" in request.args
    words = words or (by == "results" and ranked and "slots" not in request.args)
    return {"panel_changed": words or by == "understood", "words_changed": words}


def _headline(count: int, working: bool) -> dict[str, str]:
    if working:
        return {"headline": _("Looking for experts who have been here before")}
    numbers = [
        _("Nobody here fits this well"),
        _("One expert who has been here before"),
        _("Two experts who have been here before"),
        _("Three experts who have been here before"),
        _("Four experts who have been here before"),
        _("Five experts who have been here before"),
    ]
    return {"headline": numbers[min(count, 5)]}


def _note(brief: BriefRow, now: datetime, zone: str, roster: int) -> str:
    matched = brief.matched
    count = (matched.partners if matched else 0) or roster
    ranked = ngettext("Ranked for you from the one expert here.", "Ranked for you from %(num)s experts.", count)
    if matched and matched.milliseconds:
        ranked = ngettext(
            "Ranked for you from the one expert here in %(seconds)s seconds.",
            "Ranked for you from %(num)s experts in %(seconds)s seconds.",
            count,
            seconds=f"{max(matched.milliseconds, 10) / 1000:.2f}",
        )
    if matched and matched.usage:
        ranked = _("%(ranked)s A language model has read it, too; what it quotes is on the record.", ranked=ranked)
    if not brief.zone and not zone_known():
        return _("%(ranked)s Times are in UTC, since we do not know your time zone yet.", ranked=ranked)
    return _("%(ranked)s Times are yours, in %(zone)s.", ranked=ranked, zone=shown.zone(now, zone))


def _card(item: Listed, profile: Profile, known: times.Times | None, brief: BriefRow, now: datetime, zone: str) -> dict[str, Any]:
    offered = None if known is None else times.offered(known.get(item.partner_id, []), zone)
    slots = None if offered is None else [shown.slot(one.start, zone, now=now) for one in offered]
    card = shown.partner_card(profile, slots, "", listed=item, url=f"/experts/{item.partner_id}?brief={brief.id}") | times_words(
        profile, known, item.partner_id
    )
    urgency = brief.urgency or (brief.matched.urgency if brief.matched else "")
    first = next(iter((known or {}).get(item.partner_id, [])), None)
    if first and urgency in _SOON and first.start > now + _SOON[urgency]:
        card["times_note"] = _("The first free time is later than you asked for.")
    return card


def times_words(profile: Profile, known: times.Times | None, partner_id: UUID) -> dict[str, str]:
    """What a card says in place of times: that the calendar cannot be read, or that nothing is free soon."""
    first = profile.name.split()[0]
    if known is not None and partner_id not in known:
        return {
            "no_slots": _("%(name)s’s calendar cannot be read at the moment. Please look again in a few minutes.", name=first)
        }
    return {"no_slots": _("No free time in the next three weeks.")}


def _chosen(
    listed: list[Listed],
    roster: dict[UUID, Profile],
    known: times.Times | None,
    kept: frozenset[UUID],
    filters: Filters,
    now: datetime,
    prices: dict[UUID, Money],
) -> list[Listed]:
    """Those of the shortlist that the filters let through, in the order that is wanted; by match where none is."""

    def first(item: Listed) -> datetime | None:
        found = (known or {}).get(item.partner_id)
        return found[0].start if found else None

    def shows(item: Listed) -> bool:
        profile, begins = roster[item.partner_id], first(item)
        return (
            (not filters.free or (begins is not None and begins < now + WITHIN["week"]))
            and (not filters.kept or item.partner_id in kept)
            and (not filters.speaks or filters.speaks in profile.languages)
            and (not filters.works_in or filters.works_in in profile.industries)
        )

    found = [item for item in listed if shows(item)]
    match filters.sort:
        case "soonest":
            free = sorted((begins, place) for place, item in enumerate(found) if (begins := first(item)))
            return [found[place] for _begins, place in free] + [item for item in found if first(item) is None]
        case "rating":
            return sorted(found, key=lambda item: -trust(roster[item.partner_id]))
        case "price":
            return sorted(found, key=lambda item: prices[item.partner_id].minor)
    return found


def _filter_choices(filters: Filters, listed: list[Profile], kept: frozenset[UUID]) -> dict[str, Any] | None:
    """The filters and what they can be; None where there is nothing to filter."""
    chosen = filters.needs_times or bool(filters.kept or filters.speaks or filters.works_in)
    if not listed or (len(listed) == 1 and not chosen):
        return None

    def options(first: str, values: Iterable[str], chosen: str) -> list[dict[str, str]]:
        names = sorted({*values, *([chosen] if chosen else [])}, key=folded)
        return [{"value": "", "label": first}] + [{"value": name, "label": name} for name in names]

    return {
        "free": filters.free,
        "kept": filters.kept,
        "kept_count": sum(profile.id in kept for profile in listed),
        "speaks": filters.speaks,
        "languages": options(_("Any language"), (name for one in listed for name in one.languages), filters.speaks),
        "works_in": filters.works_in,
        "industries": options(_("Any industry"), (name for one in listed for name in one.industries), filters.works_in),
        "sort": filters.sort,
        "sorts": [
            {"value": "", "label": _("Best match first")},
            {"value": "soonest", "label": _("Soonest first")},
            {"value": "rating", "label": _("Highest rated")},
            {"value": "price", "label": _("Lowest price")},
        ],
    }


@blueprint.post("/briefs/<brief_id>")
@forms.once
def revise_brief(brief_id: str) -> ResponseReturnValue:
    """Correct what was understood, or the words themselves, and rank again."""
    visitors_welcome()
    parts, config, scope, actor = platform.current(), here().tenant, identity.scope(), identity.actor()
    found_id, filters = choices.id_from(brief_id), _filters(request.form)
    with parts.store.transaction(scope, actor) as tx:
        brief = briefs.find(tx, found_id)
        roster = partners.on_roster(tx)
    try:
        if "text" in request.form:
            wanted = matching.Revision(found_id, text=request.form["text"])
        elif "line" in request.form:
            wanted = answered(brief)
        else:
            wanted = chosen_instead(brief, roster)
        if parts.store.run(scope, actor, matching.revise, wanted):
            matching.match(parts.store, parts.providers, scope, actor, config, found_id)
    except Invalid as error:
        # A script shows the page that comes back with the sentence in it; an answer of 422 it would throw away.
        field = "line" if "line" in request.form else error.field or "text"
        return _page(found_id, filters, {field: error.message}, 200 if part_wanted() else 422)
    return redirect(filters.address(f"/briefs/{found_id}"), 303)
