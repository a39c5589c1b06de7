"""Why this partner, and why perhaps not: sentences that quote the record and claim nothing that is not in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fxo.core.matching.port import Brief, Evidence, PartnerRecord, Understanding

from .lexical import Document, Index, Line, Term
from .reading import Concept, taxonomy

FAR = 6
"""Hours between two zones from which it is said."""


def explain(
    document: Document, index: Index, wanted: Mapping[Term, float], brief: Brief, understood: Understanding
) -> tuple[tuple[str, str], tuple[Evidence, ...], str]:
    """Two reasons, the lines of the record that they rest on, and the caveat."""
    lines = _telling(document, index, wanted)
    deed = next((line for field in (("cases",), ("bio", "headline")) for line in lines if line.field in field), None)
    skills = [line for line in lines if line.field == "skills"][:2]
    industries = [line for line in lines if line.field == "industries"][: 3 - len(skills)]
    more = [line for line in lines if line.field in ("cases", "certifications") and line is not deed][:2]
    evidence = tuple(Evidence(line.text, line.field) for line in (deed, *skills, *industries, *more) if line)
    reasons = _deed(document, deed, wanted), _fit(document.record, skills, industries)
    return reasons, evidence, _caveat(document, lines, brief, understood)


def _telling(document: Document, index: Index, wanted: Mapping[Term, float]) -> list[Line]:
    """The lines that speak of what is wanted, the most telling first."""
    worth = [
        (sum(wanted[term] * index.rarity(term) for term in line.terms if term in wanted), -place, line)
        for place, line in enumerate(document.lines)
    ]
    return [line for value, _, line in sorted(worth, key=lambda found: found[:2], reverse=True) if value > 0]


def _deed(document: Document, deed: Line | None, wanted: Mapping[Term, float]) -> str:
    name = document.record.name
    if deed:
        met = [term for term in deed.terms if term in wanted]
        close = len(met) > 1 or any(isinstance(term, Concept) for term in met)
        said = {"cases": f"{name} has done work like this:"}.get(deed.field, f"{name}’s profile speaks of this:")
        return _ended(f"{said if close else f'The nearest line on {name}’s record is'} “{deed.text}”")
    for line in document.lines:
        if line.field in ("headline", "cases", "bio"):
            return _ended(f"Nothing on {name}’s record speaks of this directly; the profile says “{line.text}”")
    return f"{name}’s record says little so far."


def _fit(record: PartnerRecord, skills: list[Line], industries: list[Line]) -> str:
    known = f"{record.years} years of experience" if record.years > 1 else "experience"
    if industries:
        known += f" in {_quoted([line.text for line in industries])}"
    if skills:
        return f"Skills on record include {_quoted([line.text for line in skills])}, with {known}."
    return f"On record as “{record.title}”, with {known}." if record.title else f"The record shows {known}."


def _caveat(document: Document, lines: list[Line], brief: Brief, understood: Understanding) -> str:
    record = document.record
    if brief.role and brief.role == understood.role and brief.role not in document.roles | set(record.roles):
        return f"You asked for a {brief.role}, and the record says {_quoted(record.roles) or 'no role'}."
    if brief.language and brief.language not in record.languages:
        return f"The record does not list {_known_language(brief.language)} among the languages."
    about = {t.label for line in document.lines for t in line.terms if isinstance(t, Concept)}
    if missing := [topic for topic in understood.topics if topic not in about]:
        return f"Nothing on record about {_plainly(missing[0])}, which your brief touches."
    if understood.industry in taxonomy().industries and understood.industry not in about:
        return f"No work in {_plainly(understood.industry)} on record."
    apart = hours_apart(brief.zone, record.zone)
    if apart >= FAR:
        return f"Works about {apart} hours away from your time zone, so free times may be early or late for you."
    if not any(line.field == "cases" for line in lines):
        return "None of the case lines on record is close to your problem; ask for an example."
    return "The record does not say how large the organisations were; ask whether the case was of your size."


def _ended(sentence: str) -> str:
    return sentence if sentence[-2:-1] in {".", "!", "?"} else f"{sentence}."


def _quoted(texts: Sequence[str]) -> str:
    return " and ".join(f"“{text}”" for text in texts)


def _plainly(label: str) -> str:
    """A label of the taxonomy inside a sentence: `Identity and access` becomes `identity and access`; `ERP` stays."""
    return label if label[:2].isupper() else label[0].lower() + label[1:]


def _known_language(name: str) -> str:
    return name if name.isalpha() and len(name) <= 20 else "the language you chose"


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
