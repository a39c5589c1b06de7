"""The public page of one expert: who they are, what they have done, what clients said, and all their open times."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.clients import favourites
from fxo.core.clock import in_zone
from fxo.core.matching import impressions
from fxo.core.matching import queries as briefs
from fxo.core.matching.model import Listed
from fxo.core.matching.queries import BriefRow
from fxo.core.partners import queries as partners
from fxo.core.partners.availability import Availability
from fxo.core.partners.directory import similar
from fxo.core.partners.overlap import hours_a_day
from fxo.core.partners.queries import Profile
from fxo.core.ratings import queries as ratings
from fxo.web import choices, identity, shown
from fxo.web.frame import frame
from fxo.web.language import _
from fxo.web.places import here
from fxo.web.portal import times
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.directory import overlap_words
from fxo.web.portal.impressions import count_opened
from fxo.web.portal.readers import part_wanted, reader_zone, scripts_run, visitors_welcome, zone_known

SPAN = timedelta(days=14)
REVIEWS = 5


@blueprint.get("/experts/<partner_id>")
def expert(partner_id: str) -> ResponseReturnValue:
    """Everything about one expert of the roster; their times a fortnight at a time."""
    visitors_welcome()
    parts, config, scope, actor = platform.current(), here().tenant, identity.scope(), identity.actor()
    found_id, brief = choices.id_from(partner_id), request.args.get("brief", "")
    ahead, review_page = _number("ahead", 30), _number("reviews", 10_000)
    partly = part_wanted()
    with parts.store.transaction(scope, actor) as tx:
        others = [] if partly else partners.on_roster(tx)
        profile = next((one for one in others if one.id == found_id), None) or partners.profile(tx, found_id)
        now = tx.now
        asked = briefs.find(tx, choices.id_from(brief)) if brief else None
        seen = impressions.seen(tx, asked.id, asked.ranking) if asked else None
        zone = (asked.zone if asked else "") or reader_zone()
        week = partners.availability(tx, [found_id]).get(found_id)
        entry = partners.roster_entry(tx, found_id)
        if partly:
            kept, spread, said = frozenset(), None, []
        else:
            kept, spread = favourites.of_reader(tx), ratings.spread(tx, found_id)
            said = ratings.reviews(tx, found_id, count=REVIEWS, skip=REVIEWS * review_page)
    address = f"/experts/{found_id}" + (f"?{urlencode({'brief': brief})}" if brief else "")
    later = not partly and scripts_run() and entry is not None and "slots" not in request.args
    bookable = entry is not None and week is not None
    listed = _listed(asked, found_id)
    if asked and seen and listed:
        count_opened(seen, asked, found_id)
    page = render_template(
        "portal/expert_times.html" if partly else "portal/expert.html",
        **({} if partly else frame()),
        partner=shown.partner_card(profile, None, str(entry.price(config) if entry else config.price), config.tax, listed=listed)
        | {"favourite": {"kept": found_id in kept, "next": address} if entry else None},
        bookable=bookable,
        times=None if later or not bookable else _times(profile, week, now, zone, ahead),
        times_url=_with(address, ahead=ahead),
        now_url=_with(address, ahead=ahead, slots=1),
        further=_further(address, ahead, week, now) if bookable else None,
        zone_line=_zone_line(profile, now, zone),
        zone_url="/zone?" + urlencode({"next": address} | ({"brief": brief} if brief else {})),
        zone_unknown=not zone_known() and not brief,
        hold_action="/holds",
        hold_fields={"partner": str(found_id)} | ({"brief": brief} if brief else {}),
        **({} if partly else _record(profile, week, now, zone, others, _telling(listed))),
        **({} if partly or spread is None else _said(spread, said, address, review_page, zone)),
        back={"label": _("Back to the shortlist"), "url": f"/briefs/{brief}"}
        if brief
        else {"label": _("All experts"), "url": "/experts"},
    )
    return make_response(page)


def _listed(brief: BriefRow | None, partner_id: UUID) -> Listed | None:
    """Where the expert stands on the shortlist of that brief."""
    shortlist = brief.matched.shortlist if brief and brief.matched else ()
    return next((one for one in shortlist if one.partner_id == partner_id), None)


def _telling(listed: Listed | None) -> frozenset[str]:
    """The lines of the record that decided, and what the reasons quote of it."""
    return frozenset(one.line for one in (*listed.evidence, *listed.quotes)) if listed else frozenset()


def _number(name: str, most: int) -> int:
    text = request.args.get(name, "")
    return min(int(text), most) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


def _with(address: str, **values: int) -> str:
    chosen = {name: value for name, value in values.items() if value}
    if not chosen:
        return address
    return address + ("&" if "?" in address else "?") + urlencode(chosen)


def _times(profile: Profile, week: Availability | None, now: datetime, zone: str, ahead: int) -> dict[str, Any]:
    """The free times of a fortnight, by day of the reader, each with the expert's own time beside it."""
    begin = now if not ahead else _midnight(now, zone) + ahead * SPAN
    found = times.times_within(
        [profile.id], (begin, _midnight(now, zone) + (ahead + 1) * SPAN), {profile.id: week} if week else None
    )
    if profile.id not in found:
        return {"unknown": True, "days": []}
    there = profile.zone if profile.zone != zone else ""
    days = times.by_day(found[profile.id], zone, there, profile.name, now)
    return {"unknown": False, "days": days, "there": there}


def _midnight(now: datetime, zone: str) -> datetime:
    return now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)


def _further(address: str, ahead: int, week: Availability | None, now: datetime) -> dict[str, str | None]:
    """The fortnights before and after, as far as the expert lets people book."""
    last = (timedelta(days=week.horizon_days) // SPAN) if week else 0
    return {
        "back": _with(address, ahead=ahead - 1) if ahead else None,
        "next": _with(address, ahead=ahead + 1) if ahead < last else None,
    }


def _zone_line(profile: Profile, now: datetime, zone: str) -> str:
    if not zone_known() and zone == "UTC":
        return _("Times are in UTC.")
    mine, theirs, first = shown.zone(now, zone), shown.zone(now, profile.zone), profile.name.split()[0]
    if in_zone(now, zone) == in_zone(now, profile.zone):
        return _("Your time, %(zone)s, which is %(name)s’s too.", zone=mine, name=first)
    return _("Your time, %(zone)s, and %(name)s’s in %(theirs)s beside it.", zone=mine, name=first, theirs=theirs)


def _record(
    profile: Profile, week: Availability | None, now: datetime, zone: str, others: list[Profile], telling: frozenset[str]
) -> dict[str, Any]:
    """The record, with the lines marked that tell for the reader's brief."""
    shared = hours_a_day(week, zone, now.astimezone(ZoneInfo(zone)).date()) if week else None

    def chips(values: Iterable[str], facet: str) -> list[dict[str, Any]]:
        return [{"label": one, "url": f"/experts?{urlencode({facet: one})}", "on": one in telling} for one in values]

    return {
        "headline": shown.highlighted(profile.headline, telling),
        "bio": shown.highlighted(profile.bio, telling),
        "cases": [shown.highlighted(line, telling) for line in profile.cases],
        "skills": chips(profile.skills, "skill"),
        "industries": chips(profile.industries, "industry"),
        "languages": chips(profile.languages, "language"),
        "certifications": [{"text": one, "on": one in telling} for one in profile.certifications],
        "facts": [
            {"label": _("Based in"), "value": profile.country},
            {"label": _("Their time now"), "value": in_zone(now, profile.zone).partition(", ")[2]},
            {"label": _("With your day"), "value": overlap_words(shared, profile.name)},
        ],
        "similar": [
            shown.person(other.name, other.id, other.title) | {"url": f"/experts/{other.id}", "line": other.headline}
            for other in similar(profile, others)
        ],
    }


def _said(spread: ratings.Spread, said: list[ratings.Review], address: str, page: int, zone: str) -> dict[str, Any]:
    """What clients of this tenant said; who they are stays with them, since nobody was asked to be named."""
    config = here().tenant
    pages = -(-spread.count // REVIEWS)

    def who(review: ratings.Review) -> str:
        if review.own:
            return _("You")
        return _("A client of %(name)s", name=config.name) if config.visitors_may_match else _("A colleague")

    return {
        "reviews": {
            "mean": f"{spread.mean:.1f}" if spread.mean else None,
            "count": spread.count,
            "spread": [
                {"stars": stars, "count": number, "percent": round(100 * number / spread.count) if spread.count else 0}
                for stars, number in spread.by_stars.items()
            ],
            "list": [
                {
                    "stars": review.stars,
                    "text": review.comment,
                    "who": who(review),
                    "month": shown.month(review.given_at, zone),
                }
                for review in said
            ],
            "pages": [
                {"label": str(number + 1), "url": _with(address, reviews=number) + "#reviews", "current": number == page}
                for number in range(pages)
            ]
            if pages > 1
            else [],
            "back": _with(address, reviews=page - 1) + "#reviews" if page else None,
            "next": _with(address, reviews=page + 1) + "#reviews" if page + 1 < pages else None,
        }
    }
