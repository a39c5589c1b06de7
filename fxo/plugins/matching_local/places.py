"""Where a client is and which languages are spoken: countries by their names and cities, in the languages that briefs come in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from . import data
from .words import fold, tokens

READ_IN = ("en", "de", "fr", "es", "it", "pt", "nl")
"""Languages in which names of countries and languages are known."""


@dataclass(frozen=True, slots=True)
class Place:
    """A country that a text names, and where."""

    country: str
    """Its code of two letters."""
    start: int
    end: int


def places_in(text: str) -> list[Place]:
    """The countries that the text names by their own name or that of a city, in its order."""
    found, known, longest = tokens(text), _places(), _longest()
    named: list[Place] = []
    for at, token in enumerate(found):
        if not token.written[0].isupper():
            continue
        for length in range(min(longest, len(found) - at), 0, -1):
            piece = found[at : at + length]
            if country := known.get(tuple(t.word for t in piece)):
                named.append(Place(country, token.start, piece[-1].end))
                break
    return named


@cache
def _places() -> Mapping[tuple[str, ...], str]:
    from babel import Locale

    known: dict[tuple[str, ...], str] = {}
    for language in READ_IN:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and (words := tuple(t.word for t in tokens(name))):
                known.setdefault(words, code)
    for code, names in data.read("places").items():
        for name in names:
            known[tuple(t.word for t in tokens(name))] = code
    return known


@cache
def _longest() -> int:
    return max(map(len, _places()))


@lru_cache(maxsize=512)
def code_of(country: str) -> str:
    """The code of the country that a record names in English; empty where it is not known."""
    return _places().get(tuple(t.word for t in tokens(country)), "")


@cache
def zones_of(country: str) -> tuple[str, ...]:
    """The country's time zones, the usual one first."""
    from babel.core import get_global

    zones: dict[str, list[str]] = {}
    for zone, code in get_global("zone_territories").items():
        zones.setdefault(code, []).append(zone)
    return tuple(sorted(zones.get(country, ()), key=lambda zone: (zone not in _USUAL, zone)))


_USUAL = frozenset(
    [
        "America/New_York",
        "America/Toronto",
        "America/Sao_Paulo",
        "America/Mexico_City",
        "America/Santiago",
        "Australia/Sydney",
        "Asia/Jakarta",
        "Asia/Shanghai",
        "America/Argentina/Buenos_Aires",
        "Asia/Almaty",
        "Asia/Kuala_Lumpur",
        "Europe/Berlin",
        "Europe/Lisbon",
        "Europe/Madrid",
        "Europe/Moscow",
        "Pacific/Auckland",
    ]
)
"""Of countries with several zones, the one that most people live in."""


@cache
def languages_of(country: str) -> frozenset[str]:
    """English names of the languages that are official there, or that half of the people speak."""
    from babel import Locale
    from babel.core import get_global

    names = Locale("en").languages
    spoken = get_global("territory_languages").get(country, {})
    usual = (code for code, known in spoken.items() if known.get("official_status") or known.get("population_percent", 0) >= 50)
    return frozenset(str(names[base]) for code in usual if (base := code.split("_")[0]) in names)


@cache
def _language_names() -> Mapping[str, str]:
    from babel import Locale

    english = Locale("en").languages
    kept = [
        "en",
        "de",
        "fr",
        "es",
        "it",
        "pt",
        "nl",
        "pl",
        "cs",
        "sk",
        "hu",
        "ro",
        "bg",
        "el",
        "tr",
        "ru",
        "uk",
        "sv",
        "da",
        "no",
        "fi",
        "et",
        "lv",
        "lt",
        "ar",
        "he",
        "fa",
        "hi",
        "ur",
        "bn",
        "ta",
        "zh",
        "ja",
        "ko",
        "vi",
        "th",
        "id",
        "ms",
        "sw",
        "ca",
        "eu",
        "hr",
        "sr",
        "sl",
        "am",
        "yo",
        "zu",
        "af",
    ]
    return {
        fold(str(name)): str(english[code])
        for language in READ_IN
        for code, name in Locale(language).languages.items()
        if code in kept
    }


_ASKED = re.compile(
    r"(?:\b(?:in|speak(?:s|ing)?|fluent(?: in)?|native|must know|auf|spricht|en|parl(?:e|ant|are)|habl[ae]|in lingua|fala"
    r"|spreekt|in het)\s+"
    r"(?P<after>[^\W\d_]+))|(?:\b(?P<before>[^\W\d_]+)[\s-]+(?:speak(?:er|ing)|needed|required|a must|is (?:needed|required"
    r"|a must)|only"
    r"|noetig|nötig|erforderlich|obligatoire|imprescindible|necessario|vereist))",
    re.IGNORECASE,
)


def language_asked(text: str) -> tuple[str, int, int] | None:
    """The language that a text asks for (`meetings are in French`), with its place."""
    for match in _ASKED.finditer(text):
        group = "after" if match.group("after") else "before"
        if name := _language_names().get(fold(match.group(group))):
            return name, match.start(group), match.end(group)
    return None


@lru_cache(maxsize=4_096)
def hours_apart(one: str | None, other: str) -> int:
    """Whole hours between two zones on a winter's day; 0 where a zone is not known."""
    day = datetime(2025, 1, 15, tzinfo=UTC)
    try:
        offsets = [day.astimezone(ZoneInfo(zone)).utcoffset() for zone in (one or other, other)]
    except (KeyError, ValueError, OSError):  # not a zone's name
        return 0
    hours = [offset.total_seconds() / 3600 for offset in offsets if offset is not None]
    apart = abs(hours[0] - hours[1])
    return round(min(apart, 24 - apart))
