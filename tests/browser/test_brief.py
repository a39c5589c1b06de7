"""A brief from nothing to somebody, on a phone: nobody fits, a line is added, what was understood is corrected and stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from fxo.demo.acts.booking import BRIEF
from tests.support.chromium import PHONE, Person

pytestmark = pytest.mark.browser


def test_a_brief_grows_by_an_answer_and_keeps_what_was_corrected(arrive: Callable[..., Person]) -> None:
    person = arrive("fortium", **PHONE)
    page = person.go("/")
    page.get_by_label("What are you facing?").fill("Hello there")
    person.press("Show my experts")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Nobody here fits this well", timeout=60_000
    )  # the ranker reads its model first
    page.get_by_label("Say it in a sentence or two").fill(BRIEF)
    person.press("Add to the brief")
    cards = page.locator("article.partner-card")
    expect(cards.first.locator("button[name=slot]").first).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("been here before")

    page.get_by_role("link", name="What we understood").click()
    page.locator("#understood .where a").first.click()
    expect(page.locator("blockquote mark:target")).to_be_in_viewport()
    language = page.get_by_label("Language of the session", exact=True)
    language.select_option("German")
    expect(page.locator(".fact", has=language)).to_contain_text("chosen by you")
    insist = page.get_by_role("checkbox", name="Insist on: Language of the session")
    insist.focus()
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.keyboard.press("Space")
    expect(insist).to_be_checked()
    page.get_by_role("link", name="Close").click()
    page.reload()
    expect(page.locator("#f-language")).to_have_value("German")
    expect(page.locator("#must-language")).to_be_checked()

    cards.first.locator(".partner-card__name a").click()
    expect(page.get_by_role("region", name="For your brief")).to_contain_text("Why perhaps not:")
    expect(page.locator("main mark").first).to_be_visible()
    assert person.faults == []
