"""Without JavaScript everything works up to the card field, which says what it needs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from fxo.demo.acts.booking import BRIEF
from tests.support.chromium import PHONE, Person

pytestmark = pytest.mark.browser


def test_without_javascript_the_flow_goes_up_to_the_card_field(arrive: Callable[..., Person]) -> None:
    person = arrive("fortium", **PHONE, java_script_enabled=False)
    page = person.go("/")
    brief = page.get_by_label("What are you facing?")
    page.locator("a.example").first.click()
    expect(brief).not_to_be_empty()

    brief.fill(BRIEF)
    page.get_by_label("Your time zone").select_option("Europe/Stockholm")
    person.press("Show my experts")
    person.follow("Change the brief")
    expect(brief).to_have_value(BRIEF)
    brief.fill(f"{BRIEF} The board meets on Friday.")
    person.press("Save and rank again")
    page.get_by_role("link", name="What we understood").click()
    page.get_by_label("Who you need", exact=True).select_option("CISO")
    page.get_by_role("button", name="Rank again", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("been here before")
    first = page.locator("article.partner-card").first
    expert = first.locator(".partner-card__name").inner_text()
    first.locator("button[name=slot]").first.click()

    page.get_by_label("Your name").fill("Noor Scriptless")
    page.get_by_label("Work mail").fill("noor@scriptless.example")
    page.get_by_label("Your time zone").select_option("Europe/Stockholm")
    page.get_by_label("Password").fill("a passphrase of one's own")
    person.press("Make my account")
    expect(page.get_by_role("heading", name=expert)).to_be_visible()
    expect(page.get_by_text("This time is held for you until")).to_be_visible()
    notice = page.locator("noscript .banner")
    expect(notice).to_be_visible()
    expect(notice).to_contain_text("The card field needs JavaScript.")

    person.press("Authorise $800 and book")
    expect(page.get_by_role("alert")).to_contain_text("Please enter your card.")
    page.get_by_role("link", name="Choose another time").click()
    expect(page.get_by_role("heading", name=expert)).to_be_visible()
    assert all("422" in fault for fault in person.faults), person.faults
