"""What one message of the catalogue is made of. Its sentences are marked for translation here and looked up by the layout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


def N_(sentence: str) -> str:
    """Mark a sentence for the catalogue of words (`make catalogue`); the layout translates it and fills in its values."""
    return sentence


@dataclass(frozen=True, slots=True)
class When:
    """A sentence that is said only where this fact is known."""

    fact: str
    sentence: str


Said = str | When
"""A sentence over the message's words, such as `With %(partner)s.`; it is left out where a word of it is not known."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of facts; left out where a word of it, or the fact `when`, is not known."""

    label: str
    value: str
    when: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One message: who gets it, what it says from top to bottom, and for how long it is true.

    `to` is the reader: `client` and `partner` of a session, `member` (an account of the tenant), `expert` (a partner's account),
    `operator` (an operator's), or `operators` for alarms. Words for every message are in `facts.py`; messages about accounts
    bring their own (`reactions.tell`).
    """

    to: str
    subject: str
    heading: str
    greeting: str = ""
    """One small line above the heading."""
    paragraphs: tuple[tuple[Said, ...], ...] = ()
    """Each a few sentences that belong together."""
    action: tuple[str, str] | None = None
    """(label, path on the reader's own host): the one thing to do, a button near the top."""
    instead: tuple[str, tuple[str, str]] | None = None
    """(fact, action): the one thing to do where this fact is known."""
    under_action: tuple[Said, ...] = ()
    rows: tuple[Row, ...] = ()
    sections: tuple[tuple[str, Said], ...] = ()
    """(title, text), at the end."""
    why: str = ""
    """Why one gets this mail."""
    change: tuple[str, str] | None = None
    """(label, path on the reader's own host) where one changes which mails one gets."""
    short: tuple[Said, ...] = ()
    """What is said where there is room for two lines, on a phone; left out: by mail alone."""
    critical: bool = False
    """It goes as a text message too, to who has a number here."""
    at_once: bool = False
    """It cannot wait until the reader's morning."""
    preview: str = ""
    """What a list of mails shows after the subject; left out, the first paragraph."""
    states: frozenset[str] = frozenset()
    """The consultation's states in which it is still true; none named: in all of them."""
    until: timedelta | None = None
    """It is of no use later than this before the start."""
    invitation: str | None = None
    """`REQUEST` or `CANCEL`: an .ics goes with it."""
    attaches: str = ""
    """`receipt` or `credit_note`: the document goes with it, as a PDF."""
