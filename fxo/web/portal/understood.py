"""What we understood of a brief, as a form that corrects it, and what the client says with that form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from flask import request

from fxo import platform
from fxo.core.errors import Invalid
from fxo.core.matching import commands as matching
from fxo.core.matching.port import ANY
from fxo.core.matching.queries import BriefRow
from fxo.core.partners.directory import folded
from fxo.core.partners.queries import Profile
from fxo.web import choices
from fxo.web.language import _, ngettext
from fxo.web.places import here

SHORTEST_BEGINNING = 3
"""From so many letters a topic is known by its beginning, or by a part of it."""


def understood(brief: BriefRow, roster: Iterable[Profile]) -> dict[str, Any]:
    """What was read or chosen, as a form that corrects it."""
    matched = brief.matched
    role = brief.role or (matched.role if matched else "") or ANY
    industry = brief.industry or (matched.industry if matched else "") or ANY
    urgency = brief.urgency or (matched.urgency if matched else "") or ANY
    on = list(brief.topics if brief.topics is not None else matched.topics if matched else ())
    off = [topic for topic in brief.topics_left if topic not in on]
    industries = choices.industries(ANY)
    if industry not in {option["value"] for option in industries}:
        industries.append({"value": industry, "label": industry})
    topics = ngettext("%(num)s topic", "%(num)s topics", len(on)) if on else _("no topics")
    roles = {
        "CIO": _("CIO, information technology"),
        "CTO": _("CTO, technology and product"),
        "CISO": _("CISO, security"),
    }
    if role != ANY and role not in roles:
        roles[role] = role
    said = [_("Any role") if role == ANY else role, _("any industry") if industry == ANY else industry, topics]
    return {
        "action": f"/briefs/{brief.id}",
        "summary": " · ".join(said),
        "role": {
            "value": role,
            "options": [{"value": ANY, "label": _("Any role")}]
            + [{"value": code, "label": label} for code, label in roles.items()],
        },
        "topics": [{"value": topic, "label": topic, "checked": topic in on} for topic in sorted([*on, *off], key=folded)],
        "to_add": sorted(topic for topic in _vocabulary(roster) if topic not in on and topic not in off),
        "industry": {"value": industry, "options": industries},
        "urgency": {"value": urgency, "options": choices.urgencies(ANY)},
    }


def _vocabulary(roster: Iterable[Profile]) -> set[str]:
    """What may be added as a topic: what the rankers know by name, and what is on somebody's record."""
    chain = platform.current().providers.chain(here().tenant, "matching")
    known = {topic for _name, provider in chain for topic in provider.capabilities.topics}
    names = {folded(topic) for topic in known}
    return known | {skill for profile in roster for skill in profile.skills if folded(skill) not in names}


def chosen_instead(brief: BriefRow, roster: list[Profile]) -> matching.Revision:
    """The choices of the form. One that says what was read already is not taken as made, so that other words are read anew."""
    shown, sent = understood(brief, roster), request.form
    matched = brief.matched

    def choice(name: str, chosen: str, read: str) -> str:
        value = sent.get(name, shown[name]["value"])
        if value not in {option["value"] for option in shown[name]["options"]}:
            raise Invalid(_("Please choose one of the list."), field=name)
        return chosen if not chosen and value == (read or ANY) else value

    shown_topics = [topic["value"] for topic in shown["topics"]]
    on = [topic for topic in shown_topics if topic in sent.getlist("topic")]
    if added := " ".join(sent.get("add", "").split()):
        on.append(_topic_named(added, [*shown_topics, *shown["to_add"]]))
    read = matched.topics if matched and brief.topics is None else None
    changed = read is None or list(read) != on
    wanted = matching.Revision(
        brief.id,
        role=choice("role", brief.role, matched.role if matched else ""),
        industry=choice("industry", brief.industry, matched.industry if matched else ""),
        urgency=choice("urgency", brief.urgency, matched.urgency if matched else ""),
    )
    if not changed:
        return wanted
    return replace(wanted, topics=tuple(dict.fromkeys(on)), left=tuple(topic for topic in shown_topics if topic not in on))


def _topic_named(text: str, known: list[str]) -> str:
    """The topic that a client means by what they typed."""
    typed, long_enough = folded(text), len(folded(text)) >= SHORTEST_BEGINNING
    for meant in (lambda name: name == typed, lambda name: name.startswith(typed), lambda name: typed in name):
        for topic in known:
            if meant(folded(topic)) and (long_enough or folded(topic) == typed):
                return topic
    raise Invalid(
        _("Nobody here has “%(topic)s” on their record. Choose one of the list, or say it in your words.", topic=text[:60]),
        field="topic",
    )
