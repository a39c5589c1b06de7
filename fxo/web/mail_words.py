"""A letter's sentences filled with its words: as plain text, and as markup."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from fxo.core.clock import in_zone
from fxo.core.notifications.entry import Row, Said, When
from fxo.core.notifications.letter import Letter, Link, Moment, Word
from fxo.web.language import SOURCE, languages

_NAME = re.compile(r"%\((\w+)\)s")
_ISOLATE, _END = "\u2068", "\u2069"


class Words:
    """The letter as plain text. A sentence of which a word is not known is left out."""

    def __init__(self, letter: Letter) -> None:
        self.letter = letter
        self.words = {name: said for given, word in letter.words.items() for name, said in self._spelt(given, word) if said}

    def written(self) -> dict[str, Any]:
        """What the templates of both twins take."""
        entry = self.letter.entry
        paragraphs = [said for each in entry.paragraphs if (said := self._together(each))]
        return {
            "subject": self._said(entry.subject),
            "preview": self._said(entry.preview) or (paragraphs[0] if paragraphs else ""),
            "short": self._together(entry.short),
            "greeting": self._said(entry.greeting),
            "heading": self._said(entry.heading),
            "paragraphs": paragraphs,
            "action": self._link(entry.instead[1] if entry.instead and self._known(entry.instead[0]) else entry.action),
            "under_action": self._together(entry.under_action),
            "rows": [self._row(row) for row in entry.rows if self._known(row.when, row.label, row.value)],
            "sections": [
                {"title": self._said(title), "text": said} for title, text in entry.sections if (said := self._said(text))
            ],
            "why": self._said(entry.why),
            "change": self._link(entry.change),
        }

    def _known(self, fact: str, *sentences: str) -> bool:
        needed = {name for sentence in sentences for name in _NAME.findall(sentence)} | ({fact} if fact else set())
        return needed <= self.words.keys()

    def _said(self, said: Said) -> str:
        fact, sentence = (said.fact, said.sentence) if isinstance(said, When) else ("", said)
        if not sentence or not self._known(fact, sentence):
            return ""
        if alone := _NAME.fullmatch(sentence):
            return self.words[alone[1]]
        return self._filled(_translated(sentence))

    def _filled(self, sentence: str) -> str:
        return sentence % {name: isolated(said) for name, said in self.words.items()}

    def _together(self, sentences: Iterable[Said]) -> str:
        return " ".join(said for each in sentences if (said := self._said(each)))

    def _row(self, row: Row) -> dict[str, Any]:
        return {"label": self._said(row.label), "value": self._said(row.value), "strong": row.strong}

    def _link(self, link: tuple[str, str] | None) -> dict[str, str] | None:
        if link is None:
            return None
        label, path = link
        raw = {name: word for name, word in self.letter.words.items() if isinstance(word, str)}
        return {"label": self._said(label), "url": self.letter.base_url + path % raw}

    def _spelt(self, name: str, word: Word) -> Iterator[tuple[str, str]]:
        """A word as people read it, and the words that a moment gives besides."""
        if not isinstance(word, Moment):
            yield name, word.url if isinstance(word, Link) else str(word)
            return
        local = word.at.astimezone(ZoneInfo(word.zone))
        yield name, in_zone(word.at, word.zone)
        yield f"{name}_day", f"{local:%A} {local.day} {local:%B}"
        yield f"{name}_date", f"{local.day} {local:%B} {local.year}"
        yield f"{name}_zone", in_zone(word.at, word.zone).rpartition(" ")[2]
        yield f"{name}_hours", self._hours(word)

    def _hours(self, word: Moment) -> str:
        local = word.at.astimezone(ZoneInfo(word.zone))
        there = word.at.astimezone(ZoneInfo(word.beside or word.zone))
        day = "" if local.date() == there.date() else f"{local:%a} {local.day} {local:%b}, "
        return f"{day}{local:%H:%M}" + (f"–{word.until.astimezone(ZoneInfo(word.zone)):%H:%M}" if word.until else "")


class Markups(Words):
    """The letter as markup: what somebody wrote is escaped, hours stay on one line, an address is a link in this colour."""

    def __init__(self, letter: Letter, link_colour: str) -> None:
        self.link_colour = link_colour
        super().__init__(letter)

    def _filled(self, sentence: str) -> str:
        return escape(sentence) % {name: isolated(said) for name, said in self.words.items()}

    def _together(self, sentences: Iterable[Said]) -> str:
        return Markup(" ").join(said for each in sentences if (said := self._said(each)))

    def _spelt(self, name: str, word: Word) -> Iterator[tuple[str, str]]:
        if isinstance(word, Link) and word.url.startswith(("https://", "http://")):
            label = _translated(word.label) if word.label else word.url
            yield name, Markup('<a class="text" href="{}" style="color:{};">{}</a>').format(word.url, self.link_colour, label)
            return
        for given, said in super()._spelt(name, word):
            yield given, self._unbroken(said) if isinstance(word, Moment) and given == name else said

    def _unbroken(self, moment: str) -> str:
        """The hour stays with its zone: `Sun 29 Nov,` may stand above `23:00 CET`, and `CET` never alone."""
        day, _comma, hour = moment.rpartition(", ")
        return Markup('{}, <span style="white-space:nowrap">{}</span>').format(day, hour) if day else moment

    def _hours(self, word: Moment) -> str:
        return Markup('<span style="white-space:nowrap">{}</span>').format(super()._hours(word))


def _translated(sentence: str) -> str:
    """In the source language: a mail is written where no browser is that could be asked for another."""
    return languages()[SOURCE].gettext(sentence)


def isolated(text: str) -> str:
    """The text, kept together where it is written from right to left, so that the sentence around it stays in order."""
    if isinstance(text, Markup) or text.isascii() or not any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text):
        return text
    return f"{_ISOLATE}{text}{_END}"
