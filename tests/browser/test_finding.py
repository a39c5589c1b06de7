"""Finding an expert with scripts: what changes is put in place, the keyboard stays where it was, the address tells the state."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from fxo.demo.acts.booking import BRIEF
from fxo.demo.start import Demo
from tests.support.chromium import DESKTOP, PHONE, Person

pytestmark = pytest.mark.browser


def test_the_shortlist_is_ranked_again_at_once_and_keeps_the_place(arrive: Callable[..., Person], demo: Demo) -> None:
    person = arrive("fortium", **DESKTOP)
    person.sign_in(demo.signins.member("fortium"))
    page = person.go("/")
    page.get_by_label("What are you facing?").fill(BRIEF)
    person.press("Show my experts")
    slots = page.locator("article.partner-card button[name=slot]")
    expect(slots.first).to_contain_text(re.compile("CES?T"))
    before = page.locator(".partner-card__name").all_inner_texts()

    chip = page.locator("input[name=topic]").first
    chip.focus()
    page.keyboard.press("Space")
    expect(page.locator("input[name=topic]:not(:checked)")).to_have_count(1)
    expect(page.locator("input[name=topic]:focus")).not_to_be_checked()
    page.get_by_label("Who you need", exact=True).select_option("CTO")
    expect(page.get_by_text("You asked for a CTO").first).to_be_visible()
    expect(slots.first).to_be_visible()
    assert page.locator(".partner-card__name").all_inner_texts() != before

    page.locator("label").filter(has_text="Free this week").click()
    expect(page).to_have_url(re.compile(r"\?free=week$"))
    first = page.locator(".favourite button").first
    first.click()
    expect(page.locator(".favourite button").first).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator(".favourite button[aria-pressed=true]")).to_have_count(1)
    assert person.faults == []


def test_the_directory_answers_while_one_types_and_goes_back(arrive: Callable[..., Person]) -> None:
    person = arrive("fortium", **PHONE)
    page = person.go("/experts")
    expect(page.get_by_text(re.compile("Times are yours, in CES?T"))).to_be_visible()
    found = page.locator("#found h2").first
    everybody = found.inner_text()
    page.get_by_label("Search by name").press_sequentially("ransom")
    expect(page).to_have_url(re.compile(r"\?q=ransom$"))
    expect(found).not_to_have_text(everybody)
    count = found.inner_text()
    page.get_by_role("link", name="Filters").click()
    page.get_by_label("English").check()
    expect(page).to_have_url(re.compile(r"q=ransom&language=English"))
    page.go_back()
    expect(page.locator("#found h2").first).to_have_text(count)

    page = person.go("/experts?q=zeppelin")
    person.follow("Without the words you searched for")
    expect(page.locator(".partner-card__name").first).to_be_visible()
    page.locator(".partner-card__name a").first.click()
    expect(page.locator("#times button[name=slot]").first).to_be_visible()
    day = page.locator("#times summary").first.inner_text()
    page.get_by_role("link", name="Two weeks later").click()
    expect(page.locator("#times summary").first).not_to_have_text(day)
    assert person.faults == []
