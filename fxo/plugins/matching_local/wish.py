"""Understanding a brief: what it asks for, what it does not, and where each was read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from fxo.core.matching.port import ANY, URGENCIES, Brief, Budget, Reading, Understanding
from fxo.core.money import Money

from .elsewhere import asked_elsewhere
from .guard import orders
from .places import Place, language_asked, languages_of, places_in, zones_of
from .scope import not_wanted
from .spelling import mend
from .taxonomy import FAMILIES, Mention, Taxonomy
from .vectors import encode, read_subject, read_topics
from .words import LONGEST, Span, Token, blank, fold, language_of, sentences, stem, tokens

if TYPE_CHECKING:
    from .vectors import Matrix

MOST_SENTENCES = 12
"""Of a brief so many sentences are looked at each; the others count as part of the whole."""
MOST_TOPICS = 5
"""Topics that are shown as understood."""
PLAINLY_OURS = 0.3
"""From here on a sentence reads like a problem for an executive in technology."""
PLAIN = 0.22
"""From here on a sentence's vector alone says what it is about."""


@dataclass(frozen=True)
class Wish:
    """What a brief asks for, ready to be compared with records."""

    understood: Understanding
    terms: dict[str, float]
    """Stems that count, with their weight; mended where they were mistyped."""
    named: dict[str, float]
    """Topic to how plainly it is named in words, or chosen."""
    felt: Matrix
    """By topic, how much the sentences' vectors speak of it."""
    industries: dict[str, float]
    company: Matrix
    """Vectors of what tells most about the company: the context, or else all there is."""
    families: dict[str, float]
    """Family of roles to how much the subject is theirs; 1 together."""
    role_said: bool
    pieces: tuple[str, ...]
    """What is to be compared sentence by sentence."""
    whole: str
    subject: float
    """Whether it is about an executive's work in technology: about 1 if so, about -1 if not."""
    content: int
    """Words that say something."""
    countries: frozenset[str]
    spoken: frozenset[str]
    """Languages that would help."""
    elsewhere: bool
    """Whether it asks for an executive of another kind, and for nothing that anybody here does."""
    dropped: bool
    """Whether orders to the ranker were left out."""
    vectors: Matrix = field(repr=False)
    """Of `pieces`, then of the whole."""


def read(brief: Brief, taxonomy: Taxonomy, names: Iterable[str], known: Set[str]) -> Wish:
    """Understand the brief. `names` are folded names of partners; `known` are stems that are no typing errors."""
    names = list(names)
    text, context = brief.text[:LONGEST], brief.context[:LONGEST]
    ordered = [orders(part, names) for part in (text, context)]
    text, context = (blank(part, spans) for part, spans in zip((text, context), ordered, strict=True))
    refused = not_wanted(text)
    wanted = blank(text, refused)
    language = language_of(wanted)
    slips: dict[str, str] | None = {} if language == "English" else None

    @cache
    def written(said: str) -> list[Token]:
        return tokens(said) if slips is None else _tokens(said, known, slips)

    mentions = [(part, m) for part, said in (("text", wanted), ("context", context)) for m in taxonomy.mentions(written(said))]
    unwanted, unwanted_readings = _unwanted(brief, text, refused, taxonomy)
    mentions = [(part, m) for part, m in mentions if m.concept.kind not in ("topic", "role") or m.concept.label not in unwanted]
    wanted, mentions = _without_removed(brief, wanted, mentions)
    chosen = brief.topics or ()

    spans = [span for span in sentences(wanted) if any(not token.small for token in written(span.text))][:MOST_SENTENCES]
    found = [_rewritten(span.text, written(span.text)) for span in spans]
    body = _rewritten(wanted, written(wanted))
    pieces = (*found, *chosen) or (body,)
    company = " ".join(context.split())
    whole = " ".join(part for part in (body, company) if part) or " "
    made = encode([*pieces, whole, company or whole])
    vectors, of_company = made[:-1], made[-1:] if company else made[:-1]
    heard = read_topics(vectors)
    felt = heard.max(0).clip(0)
    named: dict[str, float] = {}
    for _, m in mentions:
        if m.concept.kind == "topic":
            named[m.concept.label] = max(named.get(m.concept.label, 0), m.weight) + 0.3 * m.weight
    if brief.topics is not None:
        named = {label: weight for label, weight in named.items() if label in chosen} | dict.fromkeys(chosen, 3.0)
        felt = felt * [label in chosen for label in (*taxonomy.topics[: len(felt)],)]

    terms: dict[str, float] = {}
    for said, weight in ((context, 0.7), (wanted, 1.0), (" . ".join(chosen), 1.5)):
        for token in written(said):
            if not token.small:
                sure = 1.0 if token.word == fold(token.written) or token.word == "infotech" else 0.7
                terms[token.stem] = max(terms.get(token.stem, 0), weight * sure)
    industries = _industries(brief, mentions)
    topics = _topics(brief, named, felt, taxonomy, vectors[: len(found)] if found else vectors[:0])
    role, families, said = _role(brief, mentions, named, felt, taxonomy)
    where = [("text", p) for p in places_in(wanted)] + [("context", p) for p in places_in(context)]
    asked = [(part, a) for part, s in (("text", wanted), ("context", context)) if (a := language_asked(s))]
    understood, countries, spoken = _rest(
        brief, text, topics, role, industries, unwanted, mentions, where, asked, language, taxonomy
    )
    readings = [*_readings(understood, mentions, taxonomy), *_felt_readings(understood, mentions, spans, heard, taxonomy)]
    readings += [*unwanted_readings, *_place_readings(understood, where, asked), *_budget_reading(understood, wanted)]
    order = {"text": 0, "context": 1}
    readings.sort(key=lambda r: (order[r.part], r.start, r.end, r.what, r.value))
    # Who chooses topics out of our list has a problem of ours, however little they write.
    heard_subject = read_subject(vectors)
    subject = max(float(heard_subject[-1]), float(heard_subject[:-1].mean()), 0.8 if chosen else -2.0)
    elsewhere = not said and not chosen and _elsewhere(found, heard_subject, taxonomy)
    content = len({token.stem for token in tokens(f"{wanted} {context}") if not token.small and not token.word.isdigit()})
    return Wish(
        Understanding(**{**understood, "readings": tuple(dict.fromkeys(readings))}),
        terms, named, felt, {} if brief.industry == ANY else industries, of_company, families, said,
        pieces, whole, subject, content + 2 * len(chosen), countries, spoken, elsewhere, any(ordered), vectors,
    )  # fmt: skip


def _tokens(text: str, known: Set[str], slips: dict[str, str]) -> list[Token]:
    """The words of the text with their slips mended, each where it stands; `slips` remembers what each word becomes."""
    found = []
    for token in tokens(text):
        if token.word not in slips:
            slips[token.word] = token.word if token.small else mend(token.word, known)
        mended = slips[token.word]
        found.append(token if mended == token.word else replace(token, word=mended, stem=stem(mended)))
    return found


def _rewritten(text: str, found: list[Token]) -> str:
    """The text with its mended words, and without wide gaps."""
    pieces, at = [], 0
    for token in found:
        if token.word != fold(token.written) and token.word != "infotech":
            pieces += [text[at : token.start], token.word]
            at = token.end
    return " ".join("".join((*pieces, text[at:])).split())


def _unwanted(brief: Brief, text: str, refused: list[Span], taxonomy: Taxonomy) -> tuple[tuple[str, ...], list[Reading]]:
    if brief.unwanted is not None:
        return brief.unwanted, []
    readings = [
        Reading("unwanted", m.concept.label, "text", span.start + m.start, span.start + m.end)
        for span in refused
        for m in taxonomy.mentions(span.text)
        if m.concept.kind in ("topic", "role") and m.weight >= 0.5
    ]
    return tuple(dict.fromkeys(r.value for r in readings)), readings


def _without_removed(brief: Brief, wanted: str, mentions: list[tuple[str, Mention]]) -> tuple[str, list[tuple[str, Mention]]]:
    """Take out the words that name only topics which the client does not mean."""
    if brief.topics is None:
        return wanted, mentions
    stay = {
        (m.start, m.end)
        for part, m in mentions
        if part == "text" and (m.concept.kind != "topic" or m.concept.label in brief.topics)
    }
    gone = [
        Span("", m.start, m.end)
        for part, m in mentions
        if part == "text" and m.concept.kind == "topic" and m.concept.label not in brief.topics and (m.start, m.end) not in stay
    ]
    return blank(wanted, gone), [(p, m) for p, m in mentions if m.concept.kind != "topic" or m.concept.label in brief.topics]


def _topics(brief: Brief, named: dict[str, float], felt: Matrix, taxonomy: Taxonomy, vectors: Matrix) -> tuple[str, ...]:
    if brief.topics is not None:
        return brief.topics
    worth = {label: 0.6 * weight for label, weight in named.items() if weight >= 0.5}
    for at, label in enumerate(taxonomy.topics[: len(felt)]):
        if felt[at] >= PLAIN or label in worth:
            worth[label] = worth.get(label, 0) + 1.5 * float(felt[at])
    best = sorted(worth, key=lambda label: -worth[label])
    least = 0.35 * worth[best[0]] if best else 0
    return tuple(label for label in best[:MOST_TOPICS] if worth[label] >= least)


def _role(
    brief: Brief, mentions: list[tuple[str, Mention]], named: dict[str, float], felt: Matrix, taxonomy: Taxonomy
) -> tuple[str | None, dict[str, float], bool]:
    """Whose work it is: as chosen, as said, or as follows from the subject."""
    votes = dict.fromkeys(FAMILIES, 0.05)
    for at, label in enumerate(taxonomy.topics):
        weight = named.get(label, 0) + (3 * float(felt[at]) if at < len(felt) else 0)
        for place, role in enumerate(taxonomy.topic_roles[at]):
            votes[role] += weight**2 / (1 + place)
    total = sum(votes.values())
    families = {role: vote / total for role, vote in votes.items()}
    if brief.role == ANY:
        return None, dict.fromkeys(FAMILIES, 1 / 3), False
    said = brief.role or next((m.concept.label for _, m in mentions if m.concept.kind == "role"), None)
    if said:
        return said, {role: 0.1 + 0.9 * (role == said) for role in FAMILIES} if said in FAMILIES else families, True
    best = max(families, key=lambda role: families[role])
    return (best if families[best] > 0.4 and (named or felt.max() > PLAIN) else None), families, False


def _elsewhere(found: list[str], subject: Matrix, taxonomy: Taxonomy) -> bool:
    """Whether a sentence asks for an executive of another kind, and neither it nor another one for anything of ours."""
    asked = [(sentence, asked_elsewhere(sentence)) for sentence in found]
    ours = [
        any(m.concept.kind == "topic" and m.weight >= 1 for m in taxonomy.mentions(blank(sentence, [span])))
        if span
        else subject[n] >= PLAINLY_OURS
        for n, (sentence, span) in enumerate(asked)
    ]
    return any(span for _, span in asked) and not any(ours)


def _industries(brief: Brief, mentions: list[tuple[str, Mention]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for part, m in mentions:
        if m.concept.kind == "industry":
            found[m.concept.label] = max(found.get(m.concept.label, 0), min(m.weight, 1.0) * (1.0 if part == "context" else 0.7))
    return found


def _rest(
    brief: Brief, text: str, topics: tuple[str, ...], role: str | None, industries: dict[str, float], unwanted: tuple[str, ...],
    mentions: list[tuple[str, Mention]], where: list[tuple[str, Place]], asked: list[tuple[str, tuple[str, int, int]]],
    language: str, taxonomy: Taxonomy,
) -> tuple[dict[str, object], frozenset[str], frozenset[str]]:  # fmt: skip
    def first(kind: str) -> str | None:
        labels = [m.concept.label for _, m in mentions if m.concept.kind == kind]
        if kind == "urgency":
            return next((code for code in URGENCIES if code in labels), None)
        return labels[0] if labels else None

    def choice(chosen: str | None, found: str | None) -> str | None:
        return None if chosen == ANY else chosen or found

    sector = next(
        (taxonomy.sectors[taxonomy.industries.index(i)] for i in sorted(industries, key=lambda i: -industries[i])), None
    )
    if brief.industry and brief.industry != ANY:
        chosen = [m.concept.label for m in taxonomy.mentions(brief.industry) if m.concept.kind == "industry"]
        own = [label for label, s in zip(taxonomy.industries, taxonomy.sectors, strict=True) if s == brief.industry] or chosen
        sector = (
            brief.industry
            if brief.industry in taxonomy.sectors
            else next((taxonomy.sectors[taxonomy.industries.index(label)] for label in chosen), brief.industry)
        )
        for label in own:
            industries[label] = max(industries.get(label, 0), 0.8)
    countries = frozenset(place.country for _, place in where)
    spoken = asked[0][1][0] if asked else (language if language != "English" else None)
    wished = choice(brief.language, spoken)
    local = frozenset(name for country in countries for name in languages_of(country))
    zone = brief.zone or next((zones_of(place.country)[0] for _, place in where if zones_of(place.country)), None)
    understood: dict[str, object] = {
        "role": role, "topics": topics, "industry": None if brief.industry == ANY else sector,
        "urgency": choice(brief.urgency, first("urgency")), "stage": choice(brief.stage, first("stage")),
        "language": wished, "zone": zone, "budget": None if brief.budget == ANY else budget_in(text), "unwanted": unwanted,
    }  # fmt: skip
    return understood, countries, local | ({wished} if wished else frozenset())


_MONEY = re.compile(
    r"(?:(?P<sign>[$€£]|US\$|USD|EUR|GBP|CHF|CAD|AUD|BRL|R\$|INR)\s?)?(?P<amount>\d{1,3}(?:[.,' ]\d{3})+"
    r"|\d+(?:[.,]\d{1,2})?)\s?(?P<thousand>k\b|m\b|mio\b|million\b)?"
    r"\s?(?P<unit>[$€£]|dollars?|euros?|pounds?|francs?|USD|EUR|GBP|CHF|CAD|AUD|BRL|reais|rupees)?"
    r"(?P<per>\s?(?:an?|per|/|pro|par|por|all['’]|l['’]|the|die|à l['’])\s?(?:hour|hr|h\b|stunde|heure|hora|ora|uur|day|tag"
    r"|jour|d[íi]a|giorno|dag|month|monat|mois|mes\b"
    r"|mese|m[êe]s\b|maand)\w*)?",
    re.IGNORECASE,
)
_CAN_PAY = re.compile(
    r"budget|budjet|afford|can pay|could pay|we pay|up to|at most|maximum|no more than|bis zu|h[öo]chstens|au plus|maxim"
    r"|presupuesto|or[çc]amento"
    r"|zahlen|payer|pagar|pagare|betalen|rate\b|fee\b",
    re.IGNORECASE,
)
_CURRENCY = {
    "$": "USD", "us$": "USD", "€": "EUR", "£": "GBP", "dollar": "USD", "dollars": "USD",
    "euro": "EUR", "euros": "EUR", "pound": "GBP",
    "pounds": "GBP", "franc": "CHF", "francs": "CHF", "r$": "BRL", "reais": "BRL", "rupees": "INR",
}  # fmt: skip
_PER = {"h": "hour", "s": "hour", "o": "hour", "u": "hour", "d": "day", "t": "day", "j": "day", "g": "day", "m": "month"}


def _money(text: str) -> tuple[Budget, int, int] | None:
    """The first sum of which the text says that it can be paid, with its place."""
    for found in _MONEY.finditer(text):
        sign, unit, per = found.group("sign"), found.group("unit"), found.group("per")
        before = text[max(0, found.start() - 40) : found.start()]
        if not (sign or unit or per or found.group("thousand")) or not (per or _CAN_PAY.search(before)):
            continue
        if per and not (sign or unit) and not _CAN_PAY.search(text):
            continue
        digits = re.sub(r"[,.' ](?=\d{3}(?:\D|$))", "", found.group("amount")).replace(",", ".")
        try:
            amount = float(digits)
        except ValueError:
            continue
        amount *= {"k": 1e3, "m": 1e6}.get((found.group("thousand") or " ")[0].lower(), 1)
        code = (sign or unit or "USD").lower()
        currency = _CURRENCY.get(code, code.upper() if len(code) == 3 else "USD")
        period = (
            re.sub(r"^\s?(?:an?|per|/|pro|par|por|all['’]|l['’]|the|die|à l['’])\s?", "", per, flags=re.IGNORECASE) if per else ""
        )
        if 0 < amount < 1e9:
            return Budget(Money(round(amount * 100), currency), _PER.get(period[:1].lower(), "whole")), found.start(), found.end()
    return None


def budget_in(text: str) -> Budget | None:
    """What the text says can be paid."""
    found = _money(text)
    return found[0] if found else None


def _budget_reading(understood: dict[str, object], text: str) -> list[Reading]:
    found = _money(text) if understood["budget"] else None
    return [Reading("budget", text[found[1] : found[2]].strip(), "text", found[1], found[2])] if found else []


def _readings(understood: dict[str, object], mentions: list[tuple[str, Mention]], taxonomy: Taxonomy) -> Iterator[Reading]:
    for part, m in mentions:
        label, what = m.concept.label, m.concept.kind
        if what == "industry":
            label = taxonomy.sectors[taxonomy.industries.index(label)]
        what = "topics" if what == "topic" else what
        shown = understood[what]
        if label == shown or (isinstance(shown, tuple) and label in shown):
            yield Reading(what, label, part, m.start, m.end)


def _felt_readings(
    understood: dict[str, object], mentions: list[tuple[str, Mention]], found: list[Span], heard: Matrix, taxonomy: Taxonomy
) -> Iterator[Reading]:
    """Of a topic that no phrase names, the sentence that speaks of it most: the rows of `heard` begin with those of `found`."""
    topics = understood["topics"]
    named = {m.concept.label for _, m in mentions}
    missing = [label for label in topics if label not in named and label in taxonomy.topics] if isinstance(topics, tuple) else []
    if missing and found:
        for label in missing:
            at = taxonomy.topics.index(label)
            if at < heard.shape[1]:
                span = found[int(heard[: len(found), at].argmax())]
                yield Reading("topics", label, "text", span.start, span.end)


def _place_readings(
    understood: dict[str, object], where: list[tuple[str, Place]], asked: list[tuple[str, tuple[str, int, int]]]
) -> Iterator[Reading]:
    for part, place in where:
        if understood["zone"] in zones_of(place.country)[:1]:
            yield Reading("zone", str(understood["zone"]), part, place.start, place.end)
    for part, (name, start, end) in asked:
        if name == understood["language"]:
            yield Reading("language", name, part, start, end)
