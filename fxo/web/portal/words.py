"""What a tenant says on its portal: its own words where its record has them, the platform's elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fxo import platform
from fxo.core.matching import commands as matching
from fxo.core.scope import TenantConfig
from fxo.web.language import _

LONG_HEADLINE = 60
"""From so many characters a headline is set in smaller type."""


@dataclass(frozen=True, slots=True)
class Example:
    """A brief to begin from."""

    title: str
    text: str
    industry: str = ""
    urgency: str = ""


def headline(config: TenantConfig) -> str:
    return _own(config, "headline") or _("Sixty minutes with someone who has solved it before.")


def lead(config: TenantConfig) -> str:
    return _own(config, "lead") or _(
        "Describe it in your own words. You see who has been there before, why, and when they are free."
    )


def privacy(config: TenantConfig) -> str:
    """Who reads what a client writes; says so where a ranker of this tenant sends it out."""
    if own := _own(config, "privacy"):
        return own
    if sent_out(config):
        return _(
            "What you write is read by the matching service that ranks the experts, by the expert you book, and by nobody else."
        )
    if config.visitors_may_match:
        return _("You need no account to see who fits. What you write is read by the expert you book and by nobody else.")
    return _("What you write stays within %(name)s, and is read by the expert you book and by nobody else.", name=config.name)


def examples(config: TenantConfig) -> list[Example]:
    """The tenant's example briefs, or the platform's three."""
    found = [
        Example(one["title"], one["text"], one.get("industry", ""), one.get("urgency", ""))
        for one in _entries(config, "examples", ("title", "text"))
    ]
    return found or _examples()


def questions(config: TenantConfig) -> list[dict[str, str]]:
    """The tenant's questions and answers, or the platform's, which say what its code does."""
    found = [
        {"question": one["question"], "answer": one["answer"]} for one in _entries(config, "questions", ("question", "answer"))
    ]
    return found or _questions(config)


def _own(config: TenantConfig, key: str) -> str:
    value = config.brand.get(key)
    return value.strip() if isinstance(value, str) else ""


def _entries(config: TenantConfig, key: str, needed: tuple[str, ...]) -> list[dict[str, str]]:
    """The entries of a list in the record that have what they need; a record is data, so odd ones are passed over."""
    value: Any = config.brand.get(key)
    entries = value if isinstance(value, list) else []
    found = [
        {name: text.strip() for name, text in entry.items() if isinstance(text, str)}
        for entry in entries
        if isinstance(entry, Mapping)
    ]
    return [entry for entry in found if all(entry.get(name) for name in needed)]


def sent_out(config: TenantConfig) -> bool:
    """Whether a ranker of this tenant sends briefs to somebody outside."""
    chain = platform.current().providers.chain(config, "matching")
    return any(matching.capabilities(provider).sends_text_out for _name, provider in chain)


def _examples() -> list[Example]:
    return [
        Example(
            _("Our insurer wants a tested recovery plan before January"),
            _(
                "We run three plants on a fifteen-year-old Windows domain. Our insurer will not renew our cyber cover in January"
                " unless we can show a tested recovery plan, and two of our suppliers were hit by ransomware this autumn. I need"
                " to know what to do first, what it costs, and what to tell the board."
            ),
            "Manufacturing",
            "week",
        ),
        Example(
            _("An ERP replacement is nine months late, and the vendor wants more money"),
            _(
                "Our ERP replacement is nine months late and 40%% over budget. The vendor wants a change order for $1.2M. I need"
                " an independent view on whether to go on, renegotiate or stop."
            ),
            "Manufacturing",
            "fortnight",
        ),
        Example(
            _("The board wants an AI policy, and engineering is already using everything"),
            _(
                "Our board has asked for an AI policy by year end. Engineering already uses four assistants, legal is nervous,"
                " and nobody owns it. What is a sensible first version?"
            ),
            "Insurance",
            "fortnight",
        ),
    ]


def _questions(config: TenantConfig) -> list[dict[str, str]]:
    policy = config.policy
    return [
        {
            "question": _("When is my card charged?"),
            "answer": _(
                "After the session, once the expert has marked it as completed. Until then %(price)s is only held on your card;"
                " for a session that is more than a few days away, even that begins a few days before it. If the session does"
                " not take place, the hold is released.",
                price=str(config.tax.gross(config.price)),
            ),
        },
        {
            "question": _("What does it cost to cancel?"),
            "answer": _(
                "Nothing until %(free)s hours before the start, %(percent)s%% of the price until %(half)s hours before it, and"
                " the whole price after that. You see the days and amounts of your own session before you book.",
                free=policy.free_until_hours,
                percent=policy.late_percent,
                half=policy.half_until_hours,
            )
            if policy.half_until_hours < policy.free_until_hours
            else _(
                "Nothing until %(free)s hours before the start, and the whole price after that. You see the day and the amount of"
                " your own session before you book.",
                free=policy.free_until_hours,
            ),
        },
        {
            "question": _("How do you decide who fits?"),
            "answer": _(
                "Your words are compared with each expert’s own record: their cases, skills and industries. The lines that"
                " decided are shown with each expert, also what speaks against them. Nobody can pay to stand higher, and if"
                " nobody fits we say so."
            ),
        },
        {
            "question": _("Who reads what I write?"),
            "answer": _(
                "%(privacy)s Other clients never see your brief or that you booked; of a time that is taken they see only that it"
                " is not free.",
                privacy=privacy(config),
            ),
        },
    ]
