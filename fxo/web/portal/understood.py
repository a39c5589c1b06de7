"""What we understood of a brief, as chips that say where it was read and a form that corrects it; and what that form sends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from flask import request

from fxo import platform
from fxo.core.errors import Invalid
from fxo.core.matching import commands as matching
from fxo.core.matching.model import Matched
from fxo.core.matching.port import ANY, MUSTS, Budget, Question, Reading
from fxo.core.matching.queries import BriefRow
from fxo.core.partners.directory import folded
from fxo.core.partners.queries import Profile
from fxo.web import choices, shown
from fxo.web.language import _, ngettext
from fxo.web.places import here

SHORTEST_BEGINNING = 3
"""From so many letters a topic is known by its beginning, or by a part of it."""

_CHOICES = ("role", "industry", "stage", "urgency", "language")
"""What one of a list is chosen for."""


def understood(brief: BriefRow, roster: Iterable[Profile]) -> dict[str, Any]:
    """What was read or chosen, as a form that corrects it."""
    matched, known = brief.matched, list(roster)
    on = list(brief.topics if brief.topics is not None else matched.topics if matched else ())
    off = [topic for topic in brief.topics_left if topic not in on]
    not_needed = _not_needed(brief)
    topics = ngettext("%(num)s topic", "%(num)s topics", len(on)) if on else _("no topics")
    facts = {name: _fact(brief, name, options) for name, options in _options(known).items()}
    role, industry = facts["role"]["value"], facts["industry"]["value"]
    said = [_("Any role") if role == ANY else role, _("any industry") if industry == ANY else industry, topics]
    taken = {*on, *off}
    vocabulary, roles_too = _vocabulary(known)
    return {
        "action": f"/briefs/{brief.id}",
        "summary": " · ".join(said),
        "facts": list(facts.values()),
        "zone": _zone(brief),
        "budget": _budget(brief),
        "topics": [_chip(brief, "topics", topic, on=topic in on) for topic in sorted([*on, *off], key=folded)],
        "to_add": [topic for topic in vocabulary if topic not in taken],
        "not_needed": [_chip(brief, "unwanted", one) for one in not_needed],
        "not_to_add": [one for one in roles_too if one not in not_needed],
        "words": shown.marked(brief.text, {place: {"id": f"read-{place[0]}"} for place in _places(brief)}),
    }


def _options(roster: list[Profile]) -> dict[str, list[dict[str, str]]]:
    spoken = sorted({language for profile in roster for language in profile.languages}, key=folded)
    return {
        "role": choices.roles(ANY),
        "industry": choices.industries(ANY),
        "stage": choices.stages(ANY),
        "urgency": choices.urgencies(ANY),
        "language": [{"value": ANY, "label": _("Any language")}] + [{"value": name, "label": name} for name in spoken],
    }


def _fact(brief: BriefRow, name: str, options: list[dict[str, str]]) -> dict[str, Any]:
    """One thing that was read or chosen, with what else it could be."""
    labels = {
        "role": _("Who you need"),
        "industry": _("Industry"),
        "stage": _("Your company"),
        "urgency": _("Urgency"),
        "language": _("Language of the session"),
    }
    value = getattr(brief, name) or _read(brief.matched, name) or ANY
    if value not in {option["value"] for option in options}:
        options = [*options, {"value": value, "label": value}]
    return {
        "name": name,
        "label": labels[name],
        "value": value,
        "set": value != ANY,
        "options": options,
        "where": _where(brief, name, value) if value != ANY or getattr(brief, name) else None,
        "must": {"checked": name in brief.musts} if name in MUSTS and value != ANY else None,
    }


def _chip(brief: BriefRow, field: str, value: str, *, on: bool = True) -> dict[str, Any]:
    return {"value": value, "label": value, "checked": on, "where": _where(brief, field, value) if on else None}


def _read(matched: Matched | None, name: str) -> str:
    return str(getattr(matched, name) or "") if matched else ""


def _where(brief: BriefRow, field: str, value: str) -> dict[str, str]:
    """Where it comes from: the client's choice, their words (with a link to them), or a conclusion of ours."""
    chosen = {"text": _("chosen by you"), "url": ""}
    if field == "zone" and brief.zone:
        return {"text": _("sent with your brief"), "url": ""}
    if field in _CHOICES and getattr(brief, field):
        return chosen
    for one in _readings(brief):
        if one.what == field and (one.value == value or field == "budget"):
            place = next(begin for begin, end in _places(brief) if begin <= one.start < end)
            return {"text": f"“{_short(brief.text[one.start : one.end])}”", "url": f"#read-{place}"}
    said = {"topics": brief.topics, "unwanted": brief.unwanted}.get(field)
    return {"text": _("concluded from your words"), "url": ""} if said is None else chosen


def _short(words: str, most: int = 48) -> str:
    line = " ".join(words.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _readings(brief: BriefRow) -> list[Reading]:
    """What was read in the client's words. Places outside them are passed over: a ranker names them, and it may be wrong."""
    found = brief.matched.readings if brief.matched else ()
    return [one for one in found if one.part == "text" and 0 <= one.start < one.end <= len(brief.text)]


def _places(brief: BriefRow) -> list[tuple[int, int]]:
    """The places to mark, in order; where two overlap, they are one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted((one.start, one.end) for one in _readings(brief)):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _zone(brief: BriefRow) -> dict[str, Any]:
    value = brief.zone or _read(brief.matched, "zone")
    back = {"next": f"/briefs/{brief.id}", "brief": str(brief.id)}
    return {
        "label": _("Time zone"),
        "value": shown.city(value),
        "set": bool(value),
        "url": f"/zone?{urlencode(back)}",
        "where": _where(brief, "zone", value) if value else None,
        "must": {"checked": "zone" in brief.musts} if value else None,
    }


def _budget(brief: BriefRow) -> dict[str, Any] | None:
    """What they can pay, to be taken out and put in again; None where nothing was read about money."""
    found = brief.matched.budget if brief.matched else None
    if brief.budget == ANY:
        return {"label": _("Budget"), "text": _("Count what I say about money"), "checked": False, "where": None}
    if found is None:
        return None
    return {"label": _("Budget"), "text": _money(found), "checked": True, "where": _where(brief, "budget", "")}


def _money(budget: Budget) -> str:
    match budget.per:
        case "hour":
            return _("%(amount)s an hour", amount=budget.amount)
        case "day":
            return _("%(amount)s a day", amount=budget.amount)
        case "month":
            return _("%(amount)s a month", amount=budget.amount)
    return _("%(amount)s in all", amount=budget.amount)


def _not_needed(brief: BriefRow) -> list[str]:
    if brief.unwanted is not None:
        return list(brief.unwanted)
    return list(brief.matched.unwanted) if brief.matched else []


def _vocabulary(roster: Iterable[Profile]) -> tuple[Sequence[str], Sequence[str]]:
    """What may be added as a topic: what the rankers know by name, and what is on somebody's record; and the same with roles."""
    rankers = platform.current().providers.chain(here().tenant, "matching")
    topics = tuple(matching.capabilities(ranker).topics for _name, ranker in rankers)
    return _words(topics, tuple(profile.skills for profile in roster))


@lru_cache(maxsize=256)
def _words(topics: tuple[tuple[str, ...], ...], skills: tuple[tuple[str, ...], ...]) -> tuple[Sequence[str], Sequence[str]]:
    """Some hundred words to put in order, and the same ones for every brief until somebody's record changes."""
    known = set(chain.from_iterable(topics))
    names = {folded(topic) for topic in known}
    known |= {skill for skill in chain.from_iterable(skills) if folded(skill) not in names}
    return sorted(known), sorted({*choices.ROLES, *known})


def chosen_instead(brief: BriefRow, roster: list[Profile]) -> matching.Revision:
    """The choices of the form. One that says what was read already is not taken as made, so that other words are read anew."""
    there, sent, matched = understood(brief, roster), request.form, brief.matched
    facts = {fact["name"]: fact for fact in there["facts"]}

    def choice(name: str) -> str:
        value, chosen = sent.get(name, facts[name]["value"]), getattr(brief, name)
        if value not in {option["value"] for option in facts[name]["options"]}:
            raise Invalid(_("Please choose one of the list."), field=name)
        return chosen if not chosen and value == (_read(matched, name) or ANY) else value

    not_needed = _listed(there["not_needed"], "unwanted", "add_unwanted", there["not_to_add"])
    shown_topics = [topic["value"] for topic in there["topics"]]
    on = [topic for topic in _listed(there["topics"], "topic", "add", there["to_add"]) if topic not in not_needed]
    read = matched.topics if matched and brief.topics is None else None
    wanted = matching.Revision(
        brief.id,
        **{name: choice(name) for name in _CHOICES},
        budget="" if not there["budget"] or "budget" in sent else ANY,
        unwanted=None if not_needed == _not_needed(brief) else tuple(not_needed),
        musts=tuple(name for name in MUSTS if name in sent.getlist("must")),
    )
    if read is not None and list(read) == on:
        return wanted
    return replace(wanted, topics=tuple(on), left=tuple(topic for topic in shown_topics if topic not in on))


def _listed(shown_chips: list[dict[str, Any]], name: str, field: str, to_add: list[str]) -> list[str]:
    """The chips that are on, with the one that was typed."""
    values = [chip["value"] for chip in shown_chips]
    on = [value for value in values if value in request.form.getlist(name)]
    if added := " ".join(request.form.get(field, "").split()):
        on.append(_topic_named(added, [*values, *to_add], name))
    return list(dict.fromkeys(on))


def _topic_named(text: str, known: list[str], field: str) -> str:
    """The topic that a client means by what they typed."""
    typed, long_enough = folded(text), len(folded(text)) >= SHORTEST_BEGINNING
    for meant in (lambda name: name == typed, lambda name: name.startswith(typed), lambda name: typed in name):
        for topic in known:
            if meant(folded(topic)) and (long_enough or folded(topic) == typed):
                return topic
    raise Invalid(
        _("Nobody here has “%(topic)s” on their record. Choose one of the list, or say it in your words.", topic=text[:60]),
        field=field,
    )


# What we ask back -----------------------------------------------------------------------------------------------------


def questions(brief: BriefRow) -> list[dict[str, Any]]:
    """What we would ask, each to be answered with one tap or in a line."""
    asked = brief.matched.questions if brief.matched else ()
    return [
        {
            "about": question.about,
            "text": question.text,
            "options": [{"value": value, "label": _answer(question, value)} for value in question.options],
        }
        for question in asked
    ]


def _answer(question: Question, value: str) -> str:
    """An answer as a person reads it."""
    match question.about:
        case "stage":
            return choices.label(choices.stages(), value)
        case "urgency":
            return choices.label(choices.urgencies(), value)
        case "role":
            return choices.label(choices.roles(), value)
    return value


def answered(brief: BriefRow) -> matching.Revision:
    """What the client answers: a choice of those that were offered, or a line that goes on with their words."""
    if line := request.form.get("line", "").strip():
        return matching.Revision(brief.id, text=f"{brief.text}\n\n{line}")
    asked = brief.matched.questions if brief.matched else ()
    given = [(one.about, value) for one in asked if (value := request.form.get(f"answer-{one.about}")) in one.options]
    if not given:
        raise Invalid(_("Please choose one of the answers, or write a line."), field="line")
    [(about, value), *_rest] = given
    if about != "topics":
        return matching.Revision(brief.id, **{about: value})
    on = brief.topics if brief.topics is not None else brief.matched.topics if brief.matched else ()
    return matching.Revision(brief.id, topics=tuple(dict.fromkeys((*on, value))), left=brief.topics_left)
