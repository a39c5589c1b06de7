"""A message before it is laid out: its entry of the catalogue and the words for it. Words are values; the layout writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fxo.core.money import Money
from fxo.core.notifications.entry import Entry
from fxo.core.scope import TenantConfig


@dataclass(frozen=True, slots=True)
class Moment:
    """A time for a reader in this zone: `Wed 25 Nov, 14:30 CET`.

    A moment named `when` also gives the words `when_day` (`Wednesday 25 November`), `when_hours` (`14:30–15:30` with an end; with
    the day before it where that differs from the day in the zone `beside`) and `when_zone` (`CET`).
    """

    at: datetime
    zone: str
    until: datetime | None = None
    beside: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """An absolute address: a link with this label on the page, and spelt out in plain text."""

    url: str
    label: str = ""


Word = str | Money | Moment | Link
"""What fills `%(name)s`. An empty text counts as not known."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What the layout gets."""

    entry: Entry
    words: Mapping[str, Word]
    base_url: str
    """The reader's own host, which the paths of the entry belong to."""


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str
    html: str
    short: str = ""
    """What a phone shows; empty where the message goes by mail alone."""
    link: str = ""
    """The one thing to do, as an address."""


Layout = Callable[[TenantConfig, Letter], Rendered]
"""Writes a letter in the tenant's look; `app` hands it to core."""
