"""The branding form: what was typed, what is wrong with it, and what it comes to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fxo.core.matching.port import URGENCIES
from fxo.tenants.branding import EXAMPLES, LIMITS, QUESTIONS, BrandingChanged, Example, Question
from fxo.web.choices import INDUSTRIES
from fxo.web.language import _, ngettext

LINES = ("portal_name", "logo_text", "headline", "tagline", "lead", "privacy")


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was sent: the branding it comes to, and a sentence for each field that cannot stay so."""

    branding: BrandingChanged
    colour: str
    """As it was typed."""
    errors: Mapping[str, str] = field(default_factory=dict)


def read(form: Mapping[str, str], logo: str) -> Typed:
    """What the form says; `logo` is the hash of the picture that goes with it."""
    errors: dict[str, str] = {}
    lines = {name: _line(form.get(name, "")) for name in LINES}
    for name, text in lines.items():
        _short(errors, name, text, LIMITS[name])
    if not lines["portal_name"]:
        errors["portal_name"] = _("Give the portal a name; it stands at the top of every page and in every mail.")
    typed = form.get("colour", "").strip()
    colour = colour_from(typed)
    if typed and not colour:
        errors["colour"] = _("Write the colour as # and six digits or letters from a to f, such as #104e39.")
    examples, questions = _examples(form, errors), _questions(form, errors)
    branding = BrandingChanged(
        lines["portal_name"], colour, logo, lines["logo_text"], lines["headline"], lines["lead"], lines["tagline"],
        examples, questions, lines["privacy"],
    )  # fmt: skip
    return Typed(branding, typed, errors)


def colour_from(text: str) -> str:
    """`#104E39`, `104e39` or `#1a3` as `#rrggbb`; empty for anything else."""
    digits = text.strip().removeprefix("#").lower()
    if re.fullmatch("[0-9a-f]{3}", digits):
        digits = "".join(digit * 2 for digit in digits)
    return f"#{digits}" if re.fullmatch("[0-9a-f]{6}", digits) else ""


def _examples(form: Mapping[str, str], errors: dict[str, str]) -> tuple[Example, ...]:
    found = []
    for n in range(EXAMPLES):
        title, text = _line(form.get(f"example-{n}-title", "")), _text(form.get(f"example-{n}-text", ""))
        industry, urgency = form.get(f"example-{n}-industry", ""), form.get(f"example-{n}-urgency", "")
        if not title and not text:
            continue
        if not title:
            errors[f"example-{n}-title"] = _("Say in a few words what it is about; this is what people see first.")
        if not text:
            errors[f"example-{n}-text"] = _("Write the brief that this example fills in.")
        _short(errors, f"example-{n}-title", title, LIMITS["title"])
        _short(errors, f"example-{n}-text", text, LIMITS["text"])
        found.append(Example(
            title, text, industry if industry in INDUSTRIES else "", urgency if urgency in URGENCIES else ""
        ))  # fmt: skip
    return tuple(found)


def _questions(form: Mapping[str, str], errors: dict[str, str]) -> tuple[Question, ...]:
    found = []
    for n in range(QUESTIONS):
        question, answer = _line(form.get(f"question-{n}-question", "")), _text(form.get(f"question-{n}-answer", ""))
        if not question and not answer:
            continue
        if not question:
            errors[f"question-{n}-question"] = _("Write the question that this answers.")
        if not answer:
            errors[f"question-{n}-answer"] = _("Write the answer.")
        _short(errors, f"question-{n}-question", question, LIMITS["question"])
        _short(errors, f"question-{n}-answer", answer, LIMITS["answer"])
        found.append(Question(question, answer))
    return tuple(found)


def _line(text: str) -> str:
    return " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())


def _text(text: str) -> str:
    kept = "".join(c for c in text.replace("\r\n", "\n") if c.isprintable() or c == "\n")
    return re.sub(r"\n{3,}", "\n\n", kept).strip()


def _short(errors: dict[str, str], name: str, text: str, most: int) -> None:
    if (over := len(text) - most) > 0:
        errors[name] = ngettext(
            "Take out %(num)s character: there is room for %(most)s.",
            "Take out %(num)s characters: there is room for %(most)s.",
            over, most=most,
        )  # fmt: skip


def fields(branding: BrandingChanged, typed: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The values of the form: the branding's, or exactly what was typed."""
    values: dict[str, Any] = {name: getattr(branding, name) for name in LINES}
    values["colour"] = branding.colour
    for n, example in enumerate(branding.examples):
        for name in ("title", "text", "industry", "urgency"):
            values[f"example-{n}-{name}"] = getattr(example, name)
    for n, question in enumerate(branding.questions):
        for name in ("question", "answer"):
            values[f"question-{n}-{name}"] = getattr(question, name)
    if typed is not None:
        names = [*LINES, "colour"]
        names += [f"example-{n}-{name}" for n in range(EXAMPLES) for name in ("title", "text", "industry", "urgency")]
        names += [f"question-{n}-{name}" for n in range(QUESTIONS) for name in ("question", "answer")]
        values = {name: typed.get(name, "") for name in names}
    return values
