"""The directory: search, filters, counts and order over a roster that is in memory. Pure.

Full-text operators of the database are not leakproof and so use no index under row security (architecture, section 6); a roster
is a few hundred records, which are read anyway.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from fxo.core.money import Money
from fxo.core.partners.queries import Profile

WITHIN: Mapping[str, timedelta] = {"48h": timedelta(hours=48), "week": timedelta(days=7), "fortnight": timedelta(days=14)}
"""How soon a partner is to have a free time: code to the time from now."""

OVERLAPS = (2, 4, 6)
"""Hours a day that may be asked to be shared with the reader's working day."""

SORTS = ("best", "rating", "experience", "sessions", "soonest", "price", "name")
"""The orders; `best` is by the words that were searched for, and by rating where there are none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A partner of the roster with what the directory filters and sorts by."""

    profile: Profile
    price: Money
    first_free: datetime | None = None
    """The start of the first free time, as far as times are known."""
    shared_hours: float | None = None
    """Hours a day shared with the reader's working day."""
    kept: bool = False
    """Whether the reader keeps this expert as a favourite."""

    @property
    def id(self) -> UUID:
        return self.profile.id


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader asks for. Within one filter any of the values will do; between filters all must hold."""

    words: str = ""
    roles: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    overlap: int = 0
    free: str = ""
    """A key of `WITHIN`."""
    kept: bool = False
    sort: str = "best"

    @property
    def narrow(self) -> list[str]:
        """The filters that are set, by their field."""
        return [name for name in FILTERS if getattr(self, name)]

    def without(self, name: str) -> Wanted:
        """The same with that filter taken off."""
        empty: object = {"words": "", "overlap": 0, "free": "", "kept": False}.get(name, ())
        return replace(self, **{name: empty})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Found:
    """Who answers to what is wanted, in order; and for each value of a filter how many there are with it."""

    entries: tuple[Entry, ...]
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Filter to value to how many there would be with that value, all other filters as they are."""


Test = Callable[[Entry, Wanted, datetime], bool]

FILTERS: Mapping[str, Test] = {
    "words": lambda entry, wanted, now: worth(entry.profile, wanted.words) > 0,
    "roles": lambda entry, wanted, now: _any(wanted.roles, entry.profile.roles),
    "skills": lambda entry, wanted, now: _any(wanted.skills, entry.profile.skills),
    "industries": lambda entry, wanted, now: _any(wanted.industries, entry.profile.industries),
    "languages": lambda entry, wanted, now: _any(wanted.languages, entry.profile.languages),
    "overlap": lambda entry, wanted, now: entry.shared_hours is not None and entry.shared_hours >= wanted.overlap,
    "free": lambda entry, wanted, now: entry.first_free is not None and entry.first_free < now + WITHIN[wanted.free],
    "kept": lambda entry, wanted, now: entry.kept,
}
"""Every filter by its field in `Wanted`; one that is not set is not asked."""


def search(entries: Sequence[Entry], wanted: Wanted, now: datetime) -> Found:
    """Who of these answers to what is wanted."""
    return Found(tuple(_ordered(_holding(entries, wanted, now), wanted)), _counts(entries, wanted, now))


def relax(entries: Sequence[Entry], wanted: Wanted, now: datetime) -> list[tuple[str, int]]:
    """Which filter to take off where nobody is found, and how many there are then; the most promising first."""
    found = [(name, len(_holding(entries, wanted.without(name), now))) for name in wanted.narrow]
    return sorted((pair for pair in found if pair[1]), key=lambda pair: -pair[1])


def similar(profile: Profile, others: Iterable[Profile], count: int = 3) -> list[Profile]:
    """Who is most like this partner: shared skills first, then industries and roles; nobody who shares nothing."""

    def alike(other: Profile) -> float:
        return (
            3 * _share(profile.skills, other.skills)
            + _share(profile.industries, other.industries)
            + _share(profile.roles, other.roles)
        )

    ranked = sorted((other for other in others if other.id != profile.id), key=lambda other: (-alike(other), other.name))
    return [other for other in ranked if alike(other) > 0][:count]


def _holding(entries: Sequence[Entry], wanted: Wanted, now: datetime) -> list[Entry]:
    tests = [FILTERS[name] for name in wanted.narrow]
    return [entry for entry in entries if all(test(entry, wanted, now) for test in tests)]


def _counts(entries: Sequence[Entry], wanted: Wanted, now: datetime) -> dict[str, dict[str, int]]:
    def with_others(name: str) -> list[Entry]:
        return _holding(entries, wanted.without(name), now)

    lists = {
        name: dict(Counter(value for entry in with_others(name) for value in getattr(entry.profile, name)))
        for name in ("roles", "skills", "industries", "languages")
    }
    overlap, free, kept = with_others("overlap"), with_others("free"), with_others("kept")
    return lists | {
        "overlap": {str(hours): len(_holding(overlap, Wanted(overlap=hours), now)) for hours in OVERLAPS},
        "free": {code: len(_holding(free, Wanted(free=code), now)) for code in WITHIN},
        "kept": {"1": sum(entry.kept for entry in kept)},
    }


def _ordered(entries: list[Entry], wanted: Wanted) -> list[Entry]:
    """By name at first, so that equals stand in an order that people understand."""
    entries = sorted(entries, key=lambda entry: folded(entry.profile.name))
    match wanted.sort:
        case "name":
            return entries
        case "experience":
            return sorted(entries, key=lambda entry: -entry.profile.years)
        case "sessions":
            return sorted(entries, key=lambda entry: -entry.profile.ratings)
        case "price":
            return sorted(entries, key=lambda entry: entry.price.minor)
        case "soonest":
            free = sorted((entry.first_free, place) for place, entry in enumerate(entries) if entry.first_free)
            return [entries[place] for _, place in free] + [entry for entry in entries if entry.first_free is None]
        case "best" if wanted.words:
            return sorted(entries, key=lambda entry: (-worth(entry.profile, wanted.words), -trust(entry.profile)))
    return sorted(entries, key=lambda entry: -trust(entry.profile))


def trust(profile: Profile) -> float:
    """The rating, drawn towards four stars while few have rated: one five-star session is not better than sixty of 4.9."""
    return ((profile.rating or 0.0) * profile.ratings + 4.0 * 3) / (profile.ratings + 3)


def worth(profile: Profile, words: str) -> int:
    """How much of the record speaks of these words, each of which must begin a word of it; 0 where one is missing."""
    total = 0
    for wanted in folded(words).split():
        best = max((value for value, text in _texts(profile) if f" {wanted}" in text), default=0)
        if not best:
            return 0
        total += best
    return total


@lru_cache(maxsize=4_096)
def _texts(profile: Profile) -> tuple[tuple[int, str], ...]:
    """The record's words, folded and each after a space, with how much a hit there is worth."""
    weighed: list[tuple[int, tuple[str, ...]]] = [
        (8, (profile.name,)),
        (5, (*profile.skills, *profile.roles)),
        (4, (profile.title, profile.headline)),
        (3, (*profile.industries, *profile.certifications, *profile.languages, profile.country)),
        (2, profile.cases),
        (1, (profile.bio,)),
    ]
    return tuple((value, " " + " ".join(map(folded, texts))) for value, texts in weighed)


_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})


@lru_cache(maxsize=16_384)
def folded(text: str) -> str:
    """The text's words in small letters without accents, one space between them."""
    marked = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    plain = (" " if not c.isalnum() and c not in "+#" else c for c in marked if unicodedata.category(c) != "Mn")
    return " ".join("".join(plain).split())


def _any(wanted: Collection[str], has: Collection[str]) -> bool:
    return any(value in has for value in wanted)


def _share(ones: Collection[str], others: Collection[str]) -> float:
    both = {folded(one) for one in ones} & {folded(other) for other in others}
    return len(both) / (len({*ones, *others}) or 1)
