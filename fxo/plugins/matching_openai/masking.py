"""What must not leave our servers: it is replaced by what kind of thing it was."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME = r"[A-ZÀ-ÖØ-ÞŁŚŠŽ][\w'’-]+"
_NAMES = rf"{_NAME}(?:[ \t]+(?:(?:van|von|de|da|del|di|der|den|la|le|al)[ \t]+)*{_NAME}){{0,2}}"

_PATTERNS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("[address]", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
        ("[link]", r"(?i:\b(?:https?://|www\.)[^\s<>\"]+)"),
        ("[account]", r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,4})?\b"),
        ("[card]", r"(?<![\w.])(?:\d[ -]?){12,18}\d(?!\w)"),
        ("[number]", r"\b\d{1,3}(?:\.\d{1,3}){3}\b"),
        (
            "[telephone]",
            r"(?<![\w.,/-])(?!\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?!\d))(?:\+\d|00\d|\(?0\d)(?:[\s()./-]*\d){6,13}(?!\w)",
        ),
    )
)
_TITLED = re.compile(
    rf"\b((?:Mr|Mrs|Ms|Miss|Dr|Prof|Herrn?|Frau|Monsieur|Madame|Mme|Señora?|Sra?|Signora?|Sig|Dhr|Mevr)\.?[ \t]+){_NAMES}"
)
_INTRODUCED = re.compile(
    r"(?i:\b(my name is|i am called|mein name ist|ich hei(?:ß|ss)e|je m['’]appelle|mon nom est|me llamo|mi nombre es|mi chiamo"
    r"|o meu nome é|chamo-me|ik heet|mijn naam is)\s+)"
    rf"({_NAMES})"
)
_SIGNED = re.compile(
    r"(?i:((?:kind|best|warm)?[ ]?regards|best wishes|yours sincerely|sincerely|mit freundlichen gr(?:ü|ue)(?:ß|ss)en"
    r"|(?:viele|beste) gr(?:ü|ue)(?:ß|ss)e|cordialement|un saludo|saludos|cordiali saluti|atenciosamente|met vriendelijke groet)"
    rf"[,.]?\s+)({_NAMES})"
)


def masked(text: str) -> str:
    """The text without mail addresses, links, numbers of accounts, cards and telephones, and people who are named as such."""
    for kind, pattern in _PATTERNS:
        text = pattern.sub(kind, text)
    text = _TITLED.sub(r"\1[name]", text)
    text = _INTRODUCED.sub(r"\1 [name]", text)
    return _SIGNED.sub(r"\1[name]", text)


def nameless(text: str, names: Iterable[str], instead: str) -> str:
    """The text with something else in place of these names. A single one counts with its capital alone: Will is also a word."""
    for name in names:
        if name.strip():
            flags = re.IGNORECASE if " " in name.strip() else re.NOFLAG
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", instead, text, flags=flags)
    return text


def own_names(name: str) -> list[str]:
    """A person's whole name and its parts, the longest first; `Jo` is too short to be looked for alone."""
    return [name, *sorted((part for part in name.split() if len(part) > 2), key=len, reverse=True)]
