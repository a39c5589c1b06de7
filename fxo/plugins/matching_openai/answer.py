"""From what a model wrote to a ranking that can be believed: what it says is joined with the local ranking and checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict

from fxo.core.matching.port import (
    STAGES,
    STRENGTHS,
    URGENCIES,
    Brief,
    Evidence,
    Match,
    PartnerRecord,
    Question,
    Ranking,
    Reading,
    Understanding,
)
from fxo.plugins.matching_local.certainty import SURE
from fxo.plugins.matching_local.data import small_words
from fxo.plugins.matching_local.guard import orders
from fxo.plugins.matching_local.provider import score_of, strength_of
from fxo.plugins.matching_local.words import fold

from .prompt import FIELDS

TRUST, TRUST_THAT_NOBODY_FITS = 0.6, 0.5
"""How much the model's odds count; the local ranker's count the rest. One lying model cannot turn a list upside down."""
_UNNAMED = 0.15
"""How likely somebody is a fit whom the model does not name, at most."""
_MOST_REASONS, _MOST_QUESTIONS, _MOST_TOPICS = 2, 3, 6
_SHORTEST_QUOTE, _LONGEST_QUOTE, _LONGEST_SAYING, _LONGEST_QUESTION, _LONGEST_OPTION = 3, 400, 180, 140, 60
_LACKING = ("problem", "subject", "industry", "goal")


class _Form(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class Reason(_Form):
    says: str
    field: str
    quote: str


class Candidate(_Form):
    partner: str
    fit: int | float
    reasons: list[Reason] = []


class Topic(_Form):
    topic: str
    words: str = ""


class Understood(_Form):
    role: str | None = None
    topics: list[Topic] = []
    industry: str | None = None
    urgency: str | None = None
    stage: str | None = None


class Asked(_Form):
    about: str
    text: str
    options: list[str] = []


class Answer(_Form):
    """What a model wrote, by the form that it was asked for; what it says is not checked yet."""

    candidates: list[Candidate]
    understood: Understood = Understood()
    nobody_fits: bool = False
    questions: list[Asked] = []


def refined(
    answer: Answer, ranking: Ranking, brief: Brief, keys: Mapping[str, PartnerRecord], topics: Sequence[str],
    industries: Sequence[str], partners: Sequence[PartnerRecord], *, limit: int,
) -> Ranking:  # fmt: skip
    """The ranking with what can be believed of the answer: who is no candidate is passed over, what is quoted stands in the
    record, and nobody rises without a quote.
    """
    first = {match.partner_id: match for match in ranking.matches}
    named: dict[Any, tuple[float, list[tuple[str, Evidence]]]] = {}
    for candidate in answer.candidates:
        record = keys.get(candidate.partner)
        if record is not None and record.id not in named:
            named[record.id] = _likely(candidate.fit), _proven(candidate.reasons, record, brief)
    unnamed = min([_UNNAMED, *(fit for fit, _ in named.values())])
    likely, told = {}, {}
    for record in keys.values():
        match = first[record.id]
        before = match.score if match.probability is None else match.probability
        fit, reasons = named.get(record.id, (unnamed, []))
        joined = _joined(fit, before, TRUST)
        likely[record.id] = joined if reasons else min(before, joined)
        told[record.id] = reasons
    best = max((fit for fit, _ in named.values()), default=0.0)
    sure = _joined(0.05 if answer.nobody_fits else max(best, 0.05), ranking.confidence, TRUST_THAT_NOBODY_FITS)
    nobody = sure < SURE
    matches = _ordered(ranking, likely, told, {record.id: record for record in partners}, limit, nobody=nobody)
    vague = bool(ranking.questions) or max(likely.values(), default=0.0) < 0.5
    asked = _questions(answer.questions, brief, topics, industries) if vague and not nobody else ()
    return replace(
        ranking,
        matches=matches,
        confidence=round(sure, 4),
        no_match=nobody,
        understood=_understood(answer.understood, ranking.understood, brief, topics, industries),
        lacking=(ranking.lacking or _LACKING) if nobody else (),
        questions=() if nobody else asked or ranking.questions,
    )


def _ordered(
    ranking: Ranking, likely: Mapping[Any, float], told: Mapping[Any, list[tuple[str, Evidence]]],
    records: Mapping[Any, PartnerRecord], limit: int, *, nobody: bool,
) -> tuple[Match, ...]:  # fmt: skip
    import numpy as np

    place = {match.partner_id: n for n, match in enumerate(ranking.matches)}

    def order(match: Match) -> tuple[bool, bool, float, int]:
        of = match.partner_id
        return bool(match.unmet), of not in likely, -likely.get(of, 0.0), place[of]

    found, most = [], 1.0
    for n, match in enumerate(sorted(ranking.matches, key=order)):
        probability = likely.get(match.partner_id, match.probability)
        score = float(score_of(np.array([likely[match.partner_id]]))[0]) if match.partner_id in likely else match.score
        most = min(most, round(score, 4))
        strong = STRENGTHS[-1] if nobody or probability is None else strength_of(min(probability, 1.0))
        reasons = told.get(match.partner_id)
        if reasons:
            match = _with(match, reasons)
        elif n < limit and not match.reasons:
            match = _with(match, _headline(records[match.partner_id]))
        found.append(
            replace(match, score=most, strength=strong, probability=None if probability is None else round(probability, 4))
        )
    return tuple(found)


def _with(match: Match, reasons: Sequence[tuple[str, Evidence]]) -> Match:
    """The match with these reasons in place of others; why perhaps not stays as the local ranker has it."""
    quotes = tuple(evidence for _, evidence in reasons)
    before = [one for one in match.quotes if f"“{one.line}”" in match.caveat]
    evidence = tuple(dict.fromkeys((*quotes, *match.evidence)))
    said = tuple(sentence for sentence, _ in reasons) or ("The record says little; ask for an example.",)
    return replace(match, reasons=said, quotes=(*quotes, *before), evidence=evidence)


def _headline(record: PartnerRecord) -> list[tuple[str, Evidence]]:
    for field in ("headline", "cases", "skills", "title"):
        for text in record.texts(field):
            if text.strip() and not {"“", "”"} & set(text):
                return [(_ended(f"On record is “{text}”."), Evidence(text, field))]
    return []


# What it says of a candidate ------------------------------------------------------------------------------------------


def _proven(reasons: Sequence[Reason], record: PartnerRecord, brief: Brief) -> list[tuple[str, Evidence]]:
    """Those whose quote stands in the record, as sentences; what else they say is left out where nothing bears it out."""
    found: list[tuple[str, Evidence]] = []
    for reason in reasons:
        line = quoted(reason.quote, reason.field, record)
        if line is None or any(line == evidence.line for _, evidence in found):
            continue
        says = saying(reason.says, brief, record)
        found.append((_ended(f"{says}: “{line}”." if says else f"On record is “{line}”."), Evidence(line, reason.field)))
    return found[:_MOST_REASONS]


def quoted(quote: str, field: str, record: PartnerRecord) -> str | None:
    """The piece of that field which is quoted, as it stands there; None where it does not, or where it is no whole words.

    Spaces and the kind of dashes and apostrophes may differ: models change them.
    """
    words = _alike(quote).split()
    if field not in FIELDS or not _SHORTEST_QUOTE <= len(" ".join(words)) <= _LONGEST_QUOTE:
        return None
    pattern = re.compile(r"(?<!\w)" + r"\s+".join(re.escape(word) for word in words) + r"(?!\w)")
    for text in record.texts(field):
        if found := pattern.search(_alike(text)):
            line = text[found.start() : found.end()]
            if not {"“", "”"} & set(line) and line.strip() == line:
                return line
    return None


_ALIKE = str.maketrans({"’": "'", "‘": "'", "–": "-", "—": "-", "‑": "-", "\u00a0": " "})


def _alike(text: str) -> str:
    """The text with one kind of dash, apostrophe and space; every character stays in its place."""
    return text.translate(_ALIKE)


def saying(text: str, brief: Brief, record: PartnerRecord) -> str:
    """The model's own words where nothing in them could be made up or is the client's secret: every number and name in them
    stands in the record. They are recorded with the match, in the clear, so nobody's name may come out of a brief by them.

    Empty where they do not, or where it is no sentence for a client.
    """
    said = " ".join(re.sub(r"[“”\"„«»]", "", text).split()).rstrip(" .:;,-")
    if not 8 <= len(said) <= _LONGEST_SAYING or _MARKUP.search(said) or orders(said):
        return ""
    there = " ".join((*(line for _, line in record.lines()), str(record.years)))
    return "" if _tells(said, brief, there) else said


_MARKUP = re.compile(r"[<>{}\[\]@|\\]|://|www\.")


def _tells(said: str, brief: Brief, known: str) -> bool:
    """Whether there is a number or a name in it that is not known. A first word counts where the brief has it as a name."""
    there, told = fold(known), set(re.findall(r"[^\W_][\w&'’/-]*", f"{brief.text} {brief.context}"))
    for n, word in enumerate(re.findall(r"[^\W_][\w&'’/-]*", said)):
        name = word[0].isupper() and word != "I" and (n > 0 or (word in told and fold(word) not in small_words()))
        if (name or re.search(r"\d", word)) and not re.search(rf"(?<!\w){re.escape(fold(word))}", there):
            return True
    return False


def _ended(sentence: str) -> str:
    return f"{sentence[:-1]}" if sentence[-3:-2] in {".", "!", "?"} and sentence.endswith("”.") else sentence


# What it says of the brief --------------------------------------------------------------------------------------------


def _understood(
    said: Understood, before: Understanding, brief: Brief, topics: Sequence[str], industries: Sequence[str]
) -> Understanding:
    """What was read, with what the model has understood beside it; what was chosen, or stands in the client's words, stays."""

    def known(name: str, value: str | None, allowed: Sequence[str]) -> str | None:
        there: str | None = getattr(before, name)
        return there if there or getattr(brief, name) else value if value in allowed else None

    readings, found = list(before.readings), list(before.topics)
    for one in said.topics if brief.topics is None else ():
        if one.topic in topics and one.topic not in (*found, *before.unwanted) and len(found) < _MOST_TOPICS:
            found.append(one.topic)
            words = one.words.strip()
            at = brief.text.lower().find(words.lower()) if len(words) >= _SHORTEST_QUOTE else -1
            if at >= 0 and len(brief.text.lower()) == len(brief.text):
                readings.append(Reading("topics", one.topic, "text", at, at + len(words)))
    return replace(
        before,
        role=known("role", said.role, [role for role in ("CIO", "CTO", "CISO") if role not in before.unwanted]),
        topics=tuple(found),
        industry=known("industry", said.industry, industries),
        urgency=known("urgency", said.urgency, list(URGENCIES)),
        stage=known("stage", said.stage, list(STAGES)),
        readings=tuple(sorted(readings, key=lambda one: (one.part != "text", one.start))),
    )


def _questions(asked: Sequence[Asked], brief: Brief, topics: Sequence[str], industries: Sequence[str]) -> tuple[Question, ...]:
    """Those that a client can answer with one tap, or in a line; none about what they have chosen already."""
    allowed = {
        "topics": topics, "role": ("CIO", "CTO", "CISO"), "industry": industries, "urgency": list(URGENCIES),
        "stage": list(STAGES),
    }  # fmt: skip
    labels = " ".join((*topics, *industries, "CIO CTO CISO IT AI"))
    found: dict[str, Question] = {}
    for one in asked:
        text = " ".join(one.text.split())
        options = tuple(dict.fromkeys(option for option in one.options if option in allowed.get(one.about, ())))[:4]
        answerable = one.about in allowed and getattr(brief, one.about) is None and len(options) > 1
        plain = text.endswith("?") and len(text) <= _LONGEST_QUESTION and not _MARKUP.search(text) and not orders(text)
        if answerable and plain and not _tells(text, brief, labels):
            found.setdefault(one.about, Question(one.about, text, options))
    return tuple(found.values())[:_MOST_QUESTIONS]


# Numbers --------------------------------------------------------------------------------------------------------------


def _likely(fit: float) -> float:
    return min(0.98, max(0.02, fit / 100)) if math.isfinite(fit) else 0.02


def _joined(model: float, local: float, trust: float) -> float:
    """Both as one probability: a weighted mean of their log odds."""
    odds = trust * _log_odds(model) + (1 - trust) * _log_odds(local)
    return 1 / (1 + math.exp(-odds))


def _log_odds(probability: float) -> float:
    kept = min(0.995, max(0.005, probability))
    return math.log(kept / (1 - kept))
