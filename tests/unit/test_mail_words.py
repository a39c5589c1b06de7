"""The words of a mail: sentences with what is known, times for their reader, and nothing that somebody wrote taken for markup."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup

from fxo.core.money import Money
from fxo.core.notifications.catalogue import CATALOGUE
from fxo.core.notifications.entry import Entry, Row, When
from fxo.core.notifications.letter import Letter, Link, Moment, Word
from fxo.web.mail_words import Markups, Words, isolated

STARTS = datetime(2026, 11, 27, 13, 30, tzinfo=UTC)
ARABIC = "محمد العبدالله"


def letter(entry: Entry, **words: Word) -> Letter:
    return Letter(entry, words, "https://acme.example")


def entry(**parts: object) -> Entry:
    return Entry(**{"to": "client", "subject": "About %(name)s", "heading": "Hello", **parts})  # type: ignore[arg-type]


def test_a_sentence_of_which_a_word_is_not_known_is_left_out() -> None:
    about = entry(
        paragraphs=(("With %(name)s.", "From %(company)s."), ("Paid: %(paid)s.",), (When("by_client", "As you asked."),)),
        rows=(Row("Paid", "%(paid)s"), Row("Name", "%(name)s"), Row("Reason", "none", when="by_client"), Row("On %(card)s", "x")),
        sections=(("Brief", "%(brief)s"),),
        preview="%(paid)s",
    )
    said = Words(letter(about, name="Ada", company="", by_client="yes")).written()
    assert said["paragraphs"] == ["With Ada.", "As you asked."]
    assert [(row["label"], row["value"]) for row in said["rows"]] == [("Name", "Ada"), ("Reason", "none")]
    assert said["sections"] == []
    assert said["preview"] == "With Ada.", "the first paragraph where there is no preview"


def test_a_moment_is_told_in_its_readers_zone_and_the_other_ones_day_only_where_it_differs() -> None:
    about = entry(heading="%(when_day)s, %(when_hours)s", paragraphs=(("%(when)s. %(theirs_hours)s, %(theirs_zone)s.",),))
    until = STARTS + timedelta(hours=1)
    when = Moment(STARTS, "Europe/Stockholm", until)
    near = Words(letter(about, when=when, theirs=Moment(STARTS, "America/Chicago", until, beside=when.zone))).written()
    assert near["heading"] == "Friday 27 November, 14:30–15:30"
    assert near["paragraphs"] == ["Fri 27 Nov, 14:30 CET. 07:30–08:30, CST."]
    far = Words(letter(about, when=when, theirs=Moment(STARTS, "Pacific/Auckland", until, beside=when.zone))).written()
    assert far["paragraphs"] == ["Fri 27 Nov, 14:30 CET. Sat 28 Nov, 02:30–03:30, NZDT."]


def test_money_has_its_currency_and_a_date_its_year() -> None:
    about = entry(rows=(Row("Paid", "%(paid)s"), Row("On", "%(at_date)s")))
    said = Words(letter(about, paid=Money(72_050, "EUR"), at=Moment(STARTS, "UTC"))).written()
    assert [row["value"] for row in said["rows"]] == ["€720.50", "27 November 2026"]


def test_an_address_is_a_link_on_the_page_and_spelt_out_in_the_text() -> None:
    about = entry(rows=(Row("Join", "%(link)s"),))
    given = letter(about, link=Link('https://meet.example/a"b', "Meeting room"))
    assert Words(given).written()["rows"][0]["value"] == 'https://meet.example/a"b'
    [link] = BeautifulSoup(Markups(given, "#123456").written()["rows"][0]["value"], "html.parser").find_all("a")
    assert (link["href"], link.get_text()) == ('https://meet.example/a"b', "Meeting room")
    odd = letter(about, link=Link("javascript:alert(1)", "Meeting room"))
    assert "<a" not in Markups(odd, "#123456").written()["rows"][0]["value"]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "%(paid)s 100% %s", "{name} & Co", "\u2028"])
def test_what_somebody_wrote_is_neither_markup_nor_a_sentence(name: str) -> None:
    about = entry(paragraphs=(("With %(name)s.",),), sections=(("Brief", "%(name)s"),))
    text, page = Words(letter(about, name=name)).written(), Markups(letter(about, name=name), "#123456").written()
    assert text["paragraphs"] == [f"With {name}."]
    assert BeautifulSoup(page["paragraphs"][0], "html.parser").get_text() == f"With {name}."
    assert "<script" not in str(page["paragraphs"][0])


def test_a_name_from_right_to_left_keeps_its_sentence_in_order_and_a_text_of_its_own_stays_as_it_is() -> None:
    about = entry(paragraphs=(("%(name)s has booked.",),), sections=(("Brief", "%(name)s"),))
    said = Words(letter(about, name=ARABIC)).written()
    assert said["paragraphs"] == [f"\u2068{ARABIC}\u2069 has booked."]
    assert said["sections"] == [{"title": "Brief", "text": ARABIC}]
    assert isolated("Łukasz 李") == "Łukasz 李"


@pytest.mark.parametrize("kind", CATALOGUE)
def test_every_kind_says_why_one_gets_it_and_its_links_stay_on_the_readers_host(kind: str) -> None:
    about = CATALOGUE[kind]
    assert about.why
    for link in (about.action, about.change):
        assert link is None or link[1].startswith("/")
