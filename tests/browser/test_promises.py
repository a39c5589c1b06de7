"""What the product promises a client: booked within a minute, two clicks the next time, and all of it by keyboard alone."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from fxo.demo.acts.booking import BRIEF, GOOD
from tests.support.chromium import PHONE, Person

pytestmark = pytest.mark.browser

ZOOMED = {"viewport": {"width": 720, "height": 450}, "device_scale_factor": 2}
"""A desktop of 1440 x 900 at 200%."""


def test_a_newcomer_books_on_a_phone_within_a_minute_and_the_next_time_with_two_clicks(arrive: Callable[..., Person]) -> None:
    client = arrive("fortium", **PHONE)
    page = client.go("/")
    begun = time.monotonic()
    describe(client)
    slots(page).first.click()
    page.get_by_label("Your name").fill("Mona Minute")
    page.get_by_label("Work mail").fill("mona@minute.example")
    page.get_by_label("Password").first.fill("a passphrase of one's own")
    client.press("Make my account")
    client.type_card(GOOD)
    authorise(page).click()
    expect(page.get_by_text("Booked", exact=True).first).to_be_visible()
    assert time.monotonic() - begun < 60

    client.go("/")
    describe(client)
    clicks = count_clicks(page)
    slots(page).last.click()
    authorise(page).click()
    expect(page.get_by_text("Booked", exact=True).first).to_be_visible()
    assert clicks() == 2
    assert client.faults == []


def test_the_whole_way_to_a_booked_session_by_keyboard_alone_at_twice_the_size(arrive: Callable[..., Person]) -> None:
    client = arrive("fortium", **ZOOMED)
    page = client.go("/")
    clicks = count_clicks(page)
    keys = page.keyboard
    reach(page.get_by_label("What are you facing?"))
    keys.type(BRIEF)
    reach(page.get_by_role("button", name="Show my experts"))
    keys.press("Enter")
    page.wait_for_url("**/briefs/*")
    slots(page).first.wait_for()
    reach(slots(page).first)
    keys.press("Enter")
    page.wait_for_url("**/sign-up*")
    for label, text in (("Your name", "Kim Keys"), ("Work mail", "kim@keys.example"), ("Password", "a passphrase of one's own")):
        reach(page.get_by_label(label).first)
        keys.type(text)
    keys.press("Enter")
    page.wait_for_url("**/book/*")
    for label, text in (("Card number", GOOD), ("Expires", "1235"), ("Security code", "123")):
        page.get_by_label(label).wait_for()
        reach(page.get_by_label(label))
        keys.type(text)
    reach(authorise(page))
    keys.press("Enter")
    expect(page.get_by_text("Booked", exact=True).first).to_be_visible()
    assert clicks() == 0
    assert client.faults == []


def describe(client: Person) -> None:
    """Say what it is about, and wait for the first times."""
    client.page.get_by_label("What are you facing?").fill(BRIEF)
    client.press("Show my experts")
    slots(client.page).first.wait_for()


def slots(page: Page) -> Locator:
    return page.locator("article.partner-card button[name=slot]")


def authorise(page: Page) -> Locator:
    return page.get_by_role("button", name="Authorise $800 and book")


def count_clicks(page: Page) -> Callable[[], int]:
    """How often a pointer has clicked in this page and those that follow; a key that presses a button does not count."""
    seen: list[int] = []
    page.expose_function("fxoClicked", lambda: seen.append(1))
    script = "addEventListener('click', (event) => { if (event.detail > 0) fxoClicked(); }, true)"
    page.add_init_script(script)
    page.evaluate(script)
    return lambda: len(seen)


def reach(target: Locator) -> None:
    """Tab leads there from where the cursor is, in the order of the page, and one sees it there."""
    for _ in range(120):
        if target.evaluate("element => element === document.activeElement"):
            break
        target.page.keyboard.press("Tab")
    expect(target).to_be_focused()
    expect(target).to_be_in_viewport()
    width = target.evaluate(
        "element => [element, element.closest('.ask')].filter(Boolean).map((one) => getComputedStyle(one))"
        ".some((style) => parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== 'none' || style.boxShadow !== 'none')"
    )
    assert width, "the focus is not seen"
