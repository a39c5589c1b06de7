"""The directory: everybody on the roster, to search, filter and sort; its state stands in the address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.clients import favourites
from fxo.core.partners import queries as partners
from fxo.core.partners.directory import FILTERS, OVERLAPS, SORTS, WITHIN, Entry, Found, Wanted, folded, relax, search
from fxo.core.partners.overlap import hours_a_day
from fxo.web import identity, shown
from fxo.web.frame import frame
from fxo.web.language import _, ngettext
from fxo.web.places import here
from fxo.web.portal import times
from fxo.web.portal.blueprint import blueprint
from fxo.web.portal.readers import part_wanted, reader_zone, scripts_run, visitors_welcome, zone_known
from fxo.web.portal.shortlist import times_words

PAGE = 12
SHOWN = 8
"""Values of a filter that are seen at once; the others are folded away."""
_MOST = 20

# Filter of `Wanted` to its name in the address.
_NAMES: Mapping[str, str] = {
    "words": "q",
    "roles": "role",
    "skills": "skill",
    "industries": "industry",
    "languages": "language",
    "overlap": "overlap",
    "free": "free",
    "kept": "kept",
}


@blueprint.get("/experts")
def directory() -> ResponseReturnValue:
    """Everybody whom the tenant may book, as far as the filters of the address let them through."""
    visitors_welcome()
    parts, config, partly = platform.current(), here().tenant, part_wanted()
    wanted, page, zone = _wanted(), _page_number(), reader_zone()
    with parts.store.transaction(identity.scope(), identity.actor()) as tx:
        now = tx.now
        roster = partners.roster(tx)
        weeks = partners.availability(tx, [profile.id for profile, _entry in roster])
        kept = favourites.of_reader(tx)
    # Where scripts run, the page is there at once and the times come in a second request; some answers need them at once.
    with_times = partly or not scripts_run() or bool(wanted.free) or wanted.sort == "soonest"
    known = times.next_times([profile.id for profile, _entry in roster], now, weeks) if with_times else None
    today = now.astimezone(ZoneInfo(zone)).date()
    entries = [
        Entry(
            profile,
            entry.price(config),
            next((slot.start for slot in (known or {}).get(profile.id, [])), None),
            hours_a_day(weeks[profile.id], zone, today) if profile.id in weeks else None,
            profile.id in kept,
        )
        for profile, entry in roster
    ]
    found = search(entries, wanted, now)
    pages = max(1, -(-len(found.entries) // PAGE))
    page = min(page, pages)
    here_address = _address(wanted, page)
    answer = make_response(
        render_template(
            "portal/directory_part.html" if partly else "portal/directory.html",
            **({} if partly else frame()),
            count=len(found.entries),
            total=len(entries),
            headline=ngettext("One expert", "%(num)s experts", len(found.entries)) if found.entries else _("Nobody found"),
            zone_line=_("Times are yours, in %(zone)s.", zone=shown.zone(now, zone)) if zone_known() else _("Times are in UTC."),
            zone_url="/zone?" + urlencode({"next": here_address}),
            zone_unknown=not zone_known(),
            words=wanted.words,
            sort={"value": wanted.sort, "options": _sorts()},
            facets=_facets(entries, wanted, found, with_times),
            chosen=_chosen(wanted),
            clear_url="/experts",
            partners=[_card(entry, known, now, zone, here_address) for entry in found.entries[(page - 1) * PAGE : page * PAGE]],
            pages=_pages(wanted, page, pages),
            back=_address(wanted, page - 1) if page > 1 else None,
            next=_address(wanted, page + 1) if page < pages else None,
            relax=_relax(entries, wanted, now),
            part_url=here_address,
            load_times=not with_times and bool(entries),
            portal_name=config.name,
            now_url=_address(replace(wanted, sort="soonest")),
            hold_action="/holds",
        )
    )
    if partly and request.headers.get("HX-Trigger") == "directory":
        answer.headers["HX-Push-Url"] = here_address
    return answer


def _wanted() -> Wanted:
    """What the address asks for; what it cannot mean is passed over, so that an old link still shows people."""
    sent = request.args

    def several(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value[:160] for value in sent.getlist(name) if value))[:_MOST]

    overlap = sent.get("overlap", "")
    sort = sent.get("sort", "")
    free = sent.get("free", "")
    return Wanted(
        words=" ".join(sent.get("q", "")[:120].split()),
        roles=several("role"),
        skills=several("skill"),
        industries=several("industry"),
        languages=several("language"),
        overlap=int(overlap) if overlap in map(str, OVERLAPS) else 0,
        free=free if free in WITHIN else "",
        kept=sent.get("kept") == "1",
        sort=sort if sort in SORTS else "best",
    )


def _page_number() -> int:
    page = request.args.get("page", "")
    return int(page) if page.isascii() and page.isdecimal() and 0 < int(page[:6]) < 100_000 and len(page) < 6 else 1


def _address(wanted: Wanted, page: int = 1) -> str:
    """The address that says this, and nothing that need not be said."""
    pairs: list[tuple[str, str]] = []
    for field, name in _NAMES.items():
        value = getattr(wanted, field)
        if isinstance(value, tuple):
            pairs += [(name, one) for one in value]
        elif value:
            pairs.append((name, "1" if value is True else str(value)))
    if wanted.sort != "best":
        pairs.append(("sort", wanted.sort))
    if page > 1:
        pairs.append(("page", str(page)))
    return "/experts" + (f"?{urlencode(pairs)}" if pairs else "")


def _sorts() -> list[dict[str, str]]:
    labels = {
        "best": _("Best first"),
        "rating": _("Best rated"),
        "sessions": _("Most ratings"),
        "experience": _("Most experience"),
        "soonest": _("Soonest free"),
        "price": _("Lowest price"),
        "name": _("By name"),
    }
    return [{"value": code, "label": label} for code, label in labels.items()]


def _facets(entries: list[Entry], wanted: Wanted, found: Found, with_times: bool) -> list[dict[str, Any]]:
    """The filters with their values, and how many there are with each; `single` ones are one of several."""

    def several(field: str, title: str) -> dict[str, Any]:
        chosen: tuple[str, ...] = getattr(wanted, field)
        counts = found.counts[field]
        names = sorted({*counts, *chosen}, key=lambda name: (name not in chosen, -counts.get(name, 0), folded(name)))
        values = [{"value": name, "label": name, "count": counts.get(name, 0), "checked": name in chosen} for name in names]
        return {"name": _NAMES[field], "title": title, "single": False, "first": values[:SHOWN], "more": values[SHOWN:]}

    def single(field: str, title: str, labels: Mapping[str, str], note: str = "") -> dict[str, Any]:
        chosen, counts = str(getattr(wanted, field) or ""), found.counts[field]
        values = [
            {"value": code, "label": label, "count": counts.get(code, 0) if code else None, "checked": code == chosen}
            for code, label in {"": _("Any"), **labels}.items()
        ]
        return {"name": _NAMES[field], "title": title, "single": True, "first": values, "more": [], "note": note}

    soon = {"48h": _("Within 48 hours"), "week": _("Within a week"), "fortnight": _("Within two weeks")}
    shared = {str(hours): ngettext("At least one hour a day", "At least %(num)s hours a day", hours) for hours in OVERLAPS}
    facets = [
        several("roles", _("Role")),
        single("free", _("Availability"), soon),
        several("industries", _("Industry")),
        several("skills", _("Skill")),
        several("languages", _("Language")),
        single("overlap", _("Hours shared with your day"), shared, _("With 9:00 to 17:00 where you are.")),
    ]
    if not with_times:  # nobody's times are known yet, so a count would say that nobody is free
        for value in facets[1]["first"]:
            value["count"] = None
    if any(entry.kept for entry in entries) or wanted.kept:
        count = found.counts["kept"]["1"]
        only = {"value": "1", "label": _("My favourites only"), "count": count, "checked": wanted.kept}
        facets.insert(0, {"name": "kept", "title": _("Favourites"), "single": False, "first": [only], "more": []})
    return [facet for facet in facets if facet["first"]]


def _chosen(wanted: Wanted) -> list[dict[str, str]]:
    """What is set, each with the address that takes it off."""
    found = []
    for field in wanted.narrow:
        value = getattr(wanted, field)
        for one in value if isinstance(value, tuple) else (value,):
            rest = wanted.without(field)
            if isinstance(value, tuple):
                rest = _with(rest, field, (other for other in value if other != one))
            found.append({"label": _said(field, one), "url": _address(rest)})
    return found


def _with(wanted: Wanted, field: str, values: Iterable[str]) -> Wanted:
    return replace(wanted, **{field: tuple(values)})  # type: ignore[arg-type]


def _said(field: str, value: object) -> str:
    """A filter that is set, in words."""
    match field:
        case "words":
            return _("“%(words)s”", words=value)
        case "overlap":
            return _("%(hours)s hours a day shared", hours=value)
        case "free":
            soon = {"48h": _("free within 48 hours"), "week": _("free within a week"), "fortnight": _("free within two weeks")}
            return soon[str(value)]
        case "kept":
            return _("my favourites")
    return str(value)


def _relax(entries: list[Entry], wanted: Wanted, now: datetime) -> list[dict[str, str]]:
    """Where nobody is found: which filters to take off, and whom that brings."""
    titles = {
        "words": _("the words you searched for"),
        "roles": _("the role"),
        "skills": _("the skill"),
        "industries": _("the industry"),
        "languages": _("the language"),
        "overlap": _("the hours shared with your day"),
        "free": _("how soon"),
        "kept": _("favourites only"),
    }
    assert titles.keys() == FILTERS.keys()
    return [
        {
            "label": ngettext(
                "Without %(filter)s there is one expert",
                "Without %(filter)s there are %(num)s experts",
                count,
                filter=titles[field],
            ),
            "url": _address(wanted.without(field)),
        }
        for field, count in relax(entries, wanted, now)[:3]
    ]


def _card(entry: Entry, known: times.Times | None, now: datetime, zone: str, address: str) -> dict[str, Any]:
    profile = entry.profile
    slots = (
        None
        if known is None
        else [shown.slot(one.start, zone, now=now) for one in times.offered(known.get(profile.id, []), zone)]
    )
    card = shown.partner_card(profile, slots, str(entry.price), here().tenant.tax, url=f"/experts/{profile.id}")
    return (
        card
        | times_words(profile, known, profile.id)
        | {
            "line": profile.headline,
            "skills": profile.skills[:5],
            "badges": [],
            "overlap": overlap_words(entry.shared_hours, profile.name),
            "favourite": {"kept": entry.kept, "next": address},
        }
    )


def overlap_words(hours: float | None, name: str) -> str:
    """How the expert's open hours meet the reader's working day."""
    if hours is None:
        return ""
    first, whole = name.split()[0], round(hours)
    if whole < 1:
        return _("%(name)s’s hours hardly meet your working day.", name=first)
    return ngettext(
        "About one hour a day shared with your working day.",
        "About %(num)s hours a day shared with your working day.",
        whole,
    )


def _pages(wanted: Wanted, page: int, pages: int) -> list[dict[str, Any]]:
    """The numbers of the pages near this one, the first and the last, with gaps."""
    if pages < 2:
        return []
    near = sorted({1, pages, *(number for number in range(page - 1, page + 2) if 1 <= number <= pages)})
    shown_pages: list[dict[str, Any]] = []
    for before, number in zip([0, *near], near, strict=False):
        if number - before > 1:
            shown_pages.append({"label": "…"})
        shown_pages.append({"label": str(number), "url": _address(wanted, number), "current": number == page})
    return shown_pages
