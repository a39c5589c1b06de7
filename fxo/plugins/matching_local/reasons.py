"""Why this partner, and why perhaps not: sentences that quote the record and claim nothing that is not in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fxo.core.matching.port import Brief, Evidence, PartnerRecord

from .index import Index
from .places import hours_apart
from .ranker import beyond
from .records import Document, Line
from .wish import Wish

FAR = 6
"""Hours between two zones from which it is said."""
CLOSE = 0.34
"""From here on a line is close to the brief; below, it is only the nearest."""


@dataclass(frozen=True, slots=True)
class Why:
    """What a match says for itself."""

    reasons: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    caveat: str
    quotes: tuple[Evidence, ...]


def explain(place: int, index: Index, wish: Wish, brief: Brief, record: PartnerRecord, unmet: Sequence[str]) -> Why:
    """Two reasons, the lines of the record that they rest on, and the caveat, for the partner at that place of the index."""
    document = index.documents[place]
    worth = _worth(place, index, wish)
    lines = [line for line in sorted(document.lines, key=lambda line: -worth[line]) if worth[line] > 0.05]
    deed = _deed(lines, worth)
    skills = [line for line in lines if line.field == "skills"][:2]
    industries = _of_industry(document, wish)[: 3 - len(skills)]
    more = [
        line
        for line in lines
        if line.field in ("cases", "certifications") and line is not deed and (line.field == "cases" or worth[line] > CLOSE)
    ][:2]
    proof = list(dict.fromkeys(line for line in (deed, *skills, *industries, *more) if line))
    first, quoted = _says(document, deed, worth, wish)
    second, also = _fit(document, record, skills, industries)
    caveat, besides = _caveat(document, lines, worth, brief, wish, record, unmet)
    return Why((first, second), tuple(_quote(line) for line in proof), caveat, (*quoted, *also, *besides))


def _worth(place: int, index: Index, wish: Wish) -> dict[Line, float]:
    """How near each line is to the brief: by its vector, by topics in common, by rare words in common."""
    near: dict[Line, float] = {}
    lines = index.lines[place]
    if lines:
        similar = (wish.vectors @ index.line_vectors[index.starts[place] : index.starts[place + 1]].T).max(0)
        near = dict(zip(lines, map(float, similar), strict=True))
    topics = set(wish.understood.topics)
    worth = {}
    for line in index.documents[place].lines:
        common = sum(wish.terms[stem] * index.words.rarity(stem) for stem in set(line.stems) if stem in wish.terms)
        worth[line] = max(0.0, near.get(line, 0.0)) + min(0.3, 0.04 * common) + 0.15 * bool(topics & set(line.topics))
    return worth


def _deed(lines: list[Line], worth: dict[Line, float]) -> Line | None:
    """The line that tells most; a case unless another is much nearer."""
    case = next((line for line in lines if line.field == "cases"), None)
    told = next((line for line in lines if line.field in ("bio", "headline")), None)
    if case and told:
        return case if worth[case] > 0.7 * worth[told] else told
    return case or told


def _of_industry(document: Document, wish: Wish) -> list[Line]:
    found = [line for line in document.lines if line.field == "industries"]
    asked = set(wish.industries)
    return [line for line in found if asked & set(line.industries) or set(line.stems) & wish.terms.keys()]


def _says(document: Document, deed: Line | None, worth: dict[Line, float], wish: Wish) -> tuple[str, list[Evidence]]:
    name = document.record.name
    if deed and worth[deed] >= CLOSE:
        shared = next((topic for topic in wish.understood.topics if topic in deed.topics), None)
        about = f"On {plainly(shared)}, " if shared else ""
        said = f"{name} has done work like this:" if deed.field == "cases" else f"{name}’s profile says:"
        return _ended(f"{about}{said} “{deed.text}”"), [_quote(deed)]
    if deed:
        return _ended(f"The nearest line on {name}’s record is “{deed.text}”"), [_quote(deed)]
    for line in document.lines:
        if line.field in ("headline", "cases", "bio"):
            return _ended(f"Nothing on {name}’s record speaks of this directly; the profile says “{line.text}”"), [_quote(line)]
    return f"{name}’s record says little so far.", []


def _fit(document: Document, record: PartnerRecord, skills: list[Line], industries: list[Line]) -> tuple[str, list[Evidence]]:
    known = f"{record.years} years of experience" if record.years > 1 else "experience"
    if industries:
        known += f" in {_quoted([line.text for line in industries])}"
    if skills:
        said = f"Skills on record include {_quoted([line.text for line in skills])}, with {known}."
        return said, [_quote(line) for line in (*skills, *industries)]
    if title := next((line for line in document.lines if line.field == "title"), None):
        return f"On record as “{title.text}”, with {known}.", [_quote(line) for line in (title, *industries)]
    return f"The record shows {known}.", [_quote(line) for line in industries]


def _caveat(
    document: Document,
    lines: list[Line],
    worth: dict[Line, float],
    brief: Brief,
    wish: Wish,
    record: PartnerRecord,
    unmet: Sequence[str],
) -> tuple[str, list[Evidence]]:
    understood = wish.understood
    apart = hours_apart(understood.zone, record.zone)
    if (brief.role or "role" in unmet) and understood.role and understood.role not in document.families | set(record.roles):
        if record.roles:
            roles = [Evidence(role, "roles") for role in record.roles]
            return f"You asked for a {understood.role}, and the record says {_quoted(record.roles)}.", roles
        return f"You asked for a {understood.role}, and the record says no role.", []
    if understood.language and understood.language not in record.languages and (brief.language or "language" in unmet):
        return f"The record does not list {_known_language(understood.language)} among the languages.", []
    if "industry" in unmet and understood.industry:
        return f"You asked for work in {plainly(understood.industry)}, and none is on record.", []
    if beyond(wish, record):
        return f"An hour costs {record.price}, which is more than you said you can pay.", []
    about = {topic for line in document.lines for topic in line.topics}
    if missing := [topic for topic in understood.topics if topic in wish.named and topic not in about]:
        return f"Nothing on record about {plainly(missing[0])}, which your brief touches.", []
    if wish.industries and not set(wish.industries) & document.industries.keys() and understood.industry:
        return f"No work in {plainly(understood.industry)} on record.", []
    if understood.language and understood.language not in record.languages:
        return f"The record does not list {_known_language(understood.language)}, the language of your brief.", []
    if apart >= FAR:
        return f"Works about {apart} hours away from your time zone, so free times may be early or late for you.", []
    if not any(line.field == "cases" and worth[line] >= CLOSE for line in lines):
        return "None of the case lines on record is close to your problem; ask for an example.", []
    return "The record does not say how large the organisations were; ask whether the case was of your size.", []


def _quote(line: Line) -> Evidence:
    return Evidence(line.text, line.field)


def _ended(sentence: str) -> str:
    return sentence if sentence[-2:-1] in {".", "!", "?"} else f"{sentence}."


def _quoted(texts: Sequence[str]) -> str:
    return " and ".join(f"“{text}”" for text in texts)


def plainly(label: str) -> str:
    """A label of the taxonomy inside a sentence: `Identity and access` becomes `identity and access`; `ERP` stays."""
    return label if label[:2].isupper() else label[0].lower() + label[1:]


def _known_language(name: str) -> str:
    return name if name.replace(" ", "").isalpha() and len(name) <= 20 else "the language you chose"
