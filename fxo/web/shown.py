"""How values are shown: times in the reader's zone, people with monograms, slots, partner cards. Plain dicts for templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fxo.core.clock import in_zone
from fxo.core.matching.model import Listed
from fxo.core.matching.port import Evidence
from fxo.core.money import Money
from fxo.core.partners.queries import Profile
from fxo.core.scope import NO_TAX, Tax
from fxo.web.frame import initials, tone
from fxo.web.language import N_, _


def time(moment: datetime, zone: str) -> dict[str, str]:
    """A moment: `Wed 25 Nov, 14:30 CET` with its ISO form."""
    return {"text": in_zone(moment, zone), "iso": moment.isoformat()}


def moment_from(text: str, zone: str) -> str:
    """A moment that a form carries (ISO 8601 with its offset), for a reader there; in UTC where the zone is not known."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return in_zone(found, zone or "UTC") if found.tzinfo else ""


def date(moment: datetime, zone: str) -> dict[str, str]:
    """The day of something that may be long ago: `25 Nov 2026` with its ISO form."""
    local = moment.astimezone(ZoneInfo(zone))
    return {"text": f"{local.day} {local:%b %Y}", "iso": moment.isoformat()}


def clock(moment: datetime, zone: str) -> str:
    """The time of day alone, for what happens within minutes: `20:33`."""
    return f"{moment.astimezone(ZoneInfo(zone)):%H:%M}"


def zone(moment: datetime, name: str) -> str:
    """What people there call their time at that moment: `CET`, `GMT+5:45`."""
    return in_zone(moment, name).rpartition(" ")[2]


def day(moment: datetime, zone: str) -> str:
    """The day alone: `Wed 25 Nov`."""
    return in_zone(moment, zone).partition(", ")[0]


def month(moment: datetime, zone: str) -> str:
    """The month alone, for what happened a while ago: `September 2026`."""
    return f"{moment.astimezone(ZoneInfo(zone)):%B %Y}"


def span(start: datetime, end: datetime, zone: str, *, now: datetime, other: tuple[str, str] | None = None) -> dict[str, str]:
    """A session's hour, the reader's zone first; `other` is (name, zone) of the other person."""
    local, until = start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))
    theirs = ""
    if other and other[1] != zone:
        begin, finish = start.astimezone(ZoneInfo(other[1])), end.astimezone(ZoneInfo(other[1]))
        day = "" if begin.date() == local.date() else f"{begin:%a} {begin.day} {begin:%b}, "
        theirs = f"{day}{begin:%H:%M}–{finish:%H:%M} for {other[0]}, {in_zone(start, other[1]).rpartition(' ')[2]}"
    return {
        "day": f"{local:%A} {local.day} {local:%B}",
        "hours": f"{local:%H:%M}–{until:%H:%M}",
        "zone": in_zone(start, zone).rpartition(" ")[2],
        "iso": start.isoformat(),
        "other": theirs,
        "relative": relative(start, now),
    }


def relative(moment: datetime, now: datetime) -> str:
    """How far ahead it lies: `in 2 days`, `in 3 hours`, `in 20 minutes`; empty for what is past."""
    seconds = (moment - now).total_seconds()
    if seconds < 0:
        return ""
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"in {count} {word}{'s' if count != 1 else ''}"
    return "now"


def slot(start: datetime, zone: str, *, now: datetime | None = None, url: str | None = None) -> dict[str, Any]:
    """A bookable time as a button; with `now`, the days at hand are called today and tomorrow."""
    day, _comma, clock = in_zone(start, zone).partition(", ")
    if now:
        ahead = (start.astimezone(ZoneInfo(zone)).date() - now.astimezone(ZoneInfo(zone)).date()).days
        day = {0: _("Today"), 1: _("Tomorrow")}.get(ahead, day)
    return {"day": day, "time": clock, "value": start.isoformat(), "url": url, "current": False, "taken": False}


def strength(word: str) -> str:
    """How well somebody fits, in words (`matching.port.STRENGTHS`)."""
    words = {
        "very strong": _("Very strong match"),
        "strong": _("Strong match"),
        "good": _("Good match"),
        "possible": _("Possible match"),
    }
    return words.get(word, word)


def unmet(name: str) -> str:
    """What a client insists on (`matching.port.MUSTS`) and somebody does not meet."""
    words = {
        "role": _("Not the role you insist on"),
        "industry": _("No work on record in the industry you insist on"),
        "language": _("Does not list the language you insist on"),
        "zone": _("Far from the time zone you insist on"),
    }
    return words.get(name, name)


_SOURCES = {
    "cases": N_("case record"), "certifications": N_("certificate on record"), "skills": N_("skill on record"),
    "industries": N_("industry on record"), "languages": N_("language on record"), "roles": N_("role on record"),
}  # fmt: skip


def _evidence(one: Evidence) -> dict[str, str]:
    """A line of the record with where it stands there."""
    kind = "certificate" if one.field == "certifications" else "case"
    return {"text": one.line.rstrip("."), "source": _(_SOURCES.get(one.field, N_("profile"))), "kind": kind}


def marked(text: str, places: Mapping[tuple[int, int], Mapping[str, str]]) -> list[dict[str, str]]:
    """The text in pieces, for `ui.marked`: those at the places (start, end; in order, none over another) carry what is said of
    them, as `{"kind": "mark", "id": ...}`.
    """
    pieces, at = [], 0
    for (start, end), about in places.items():
        pieces += [{"text": text[at:start]}, {"text": text[start:end], "kind": "mark", **about}]
        at = end
    return [piece for piece in (*pieces, {"text": text[at:]}) if piece["text"]]


def highlighted(text: str, lines: Iterable[str]) -> list[dict[str, str]]:
    """The text in pieces, those lines in it marked."""
    places: dict[tuple[int, int], dict[str, str]] = {}
    for start, end in sorted((text.index(line), text.index(line) + len(line)) for line in set(lines) if line and line in text):
        if start >= max((after for _begin, after in places), default=0):
            places[start, end] = {}
    return marked(text, places)


def quoting(sentence: str) -> list[dict[str, str]]:
    """A sentence of a ranker in pieces; what it quotes, with its quotation marks, is a quote."""
    return marked(sentence, {found.span(): {"kind": "quote"} for found in re.finditer("“[^”]*”", sentence)})


def likelihood(match: Listed) -> str:
    """How likely it is that the client finds them a fit, where the ranker says; never quite nothing, and never certain."""
    if match.probability is None:
        return ""
    return _("%(percent)s%% likely to fit", percent=min(max(round(match.probability * 100), 1), 99))


def person(name: str, key: UUID, title: str = "") -> dict[str, Any]:
    """Somebody with a monogram."""
    return {
        "name": name,
        "first_name": name.split()[0] if name.split() else name,
        "title": title,
        "initials": initials(name),
        "tone": tone(str(key)),
        "photo": None,
        "url": None,
    }


def on_top(tax: Tax) -> str:
    """What comes on top of the prices that are shown, as `plus 19% VAT`; empty where nothing does."""
    return "" if tax.inclusive or not tax.rate else _("plus %(rate)s%% %(name)s", rate=f"{tax.rate / 100:g}", name=tax.name)


def partner_card(
    profile: Profile, slots: list[dict[str, Any]] | None, price: str, tax: Tax = NO_TAX, *, listed: Listed | None = None,
    url: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A partner as the card shows them; with why, where they stand on a shortlist. Nothing on a record says yet that a
    certificate was checked, so none is shown as verified. `tax` is that of the portal which shows the price.
    """
    card = person(profile.name, profile.id, profile.title) | {
        "id": str(profile.id),
        "url": url,
        "former": "",
        "rating": {"value": f"{profile.rating:.1f}" if profile.rating else None, "count": profile.ratings},
        "years": profile.years,
        "industries": ", ".join(profile.industries[:3]),
        "match": None,
        "why": [],
        "evidence": [],
        "caveat": [],
        "unmet": [],
        "badges": [{"text": text, "verified": False} for text in profile.certifications[:3]],
        "price": price,
        "tax": on_top(tax),
        "minutes": 60,
        "slots": slots,
        "all_times_url": url,
        "hidden": {"partner": str(profile.id)},
    }
    if listed:
        said = " ".join(listed.reasons)
        strength_of = listed.score if listed.probability is None else listed.probability
        card |= {
            "match": {"score": round(strength_of * 100), "words": strength(listed.strength), "likely": likelihood(listed)},
            "why": quoting(said),
            "caveat": quoting(listed.caveat),
            "evidence": [_evidence(one) for one in listed.evidence if one.line.rstrip(".") not in said],
            "unmet": [unmet(name) for name in listed.unmet],
        }
    return card


def shortened(text: str, longest: int) -> str:
    """The text on one line, cut between words where it is longer."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def city(zone: str) -> str:
    """The place that names a zone: `New York`."""
    return zone.rpartition("/")[2].replace("_", " ")


def total(amounts: Iterable[Money]) -> str:
    """The sum as text, by currency: `$1,280 + €640`; empty where there is nothing."""
    sums: dict[str, Money] = {}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, Money(0, amount.currency)) + amount
    return "\u00a0+ ".join(str(sums[currency]) for currency in sorted(sums))
