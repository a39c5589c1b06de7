"""The whole flow as people see it, on a phone and on a desktop: from a brief to a rated session and the operator's ledger."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from fxo.demo.acts.booking import BRIEF, CHALLENGE, DECLINED, GOOD
from fxo.demo.start import Demo
from tests.support.chromium import DESKTOP, PHONE, Person

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("device", "card"), [(PHONE, GOOD), (DESKTOP, CHALLENGE)], ids=["phone", "desktop"])
def test_a_newcomer_books_an_hour_pays_after_it_and_rates_it(
    arrive: Callable[..., Person], demo: Demo, device: dict[str, Any], card: str
) -> None:
    client = arrive("fortium", **device)
    expert, starts_at = choose(client)
    sign_up(client, expert)
    pay(client, card)
    session = client.page.url
    keep_a_theme(client)
    join(client, expert)

    move_the_clock(client, session, starts_at + timedelta(minutes=30))
    partner = arrive("partners", **device)
    partner.sign_in(demo.signins.partner(expert))
    complete(partner)
    move_the_clock(client, session, starts_at + timedelta(hours=2))
    rate(client)
    earn(partner)
    operator = arrive("ops", **device)
    operator.sign_in(demo.signins.operator)
    see_the_ledger(operator)

    assert [*client.faults, *partner.faults, *operator.faults] == []


# The client ----------------------------------------------------------------------------------------------------------


def choose(client: Person) -> tuple[str, datetime]:
    """Say what it is about, by keyboard, and take the first time of the first expert; who it is, and when."""
    page = client.go("/")
    page.get_by_label("What are you facing?").fill(BRIEF)
    reach_by_keyboard(page, "Show my experts")
    page.keyboard.press("Enter")
    first = page.locator("article.partner-card").first
    expect(first.locator(".why")).to_be_visible()
    expert = first.locator(".partner-card__name").inner_text()
    slot = first.locator("button[name=slot]").first
    starts_at = datetime.fromisoformat(slot.get_attribute("value") or "")
    slot.click()
    return expert, starts_at


def reach_by_keyboard(page: Page, name: str) -> None:
    """From where the cursor is, Tab leads to the button, and one sees that it did."""
    button = page.get_by_role("button", name=name)
    for _ in range(8):
        page.keyboard.press("Tab")
        if button.evaluate("button => button === document.activeElement"):
            break
    expect(button).to_be_focused()
    outline = button.evaluate(
        "button => [getComputedStyle(button).outlineStyle, parseFloat(getComputedStyle(button).outlineWidth)]"
    )
    assert outline == ["solid", 2], "the focus is not seen"


def sign_up(client: Person, expert: str) -> None:
    """Make an account on the way; the time that was chosen is held."""
    page = client.page
    expect(page.get_by_text("is waiting for you.")).to_be_visible()
    page.get_by_label("Your name").fill("Nora Newcomer")
    page.get_by_label("Work mail").fill(f"nora.{page.viewport_size['width'] if page.viewport_size else 0}@newcomer.example")
    expect(page.get_by_label("Your time zone")).to_have_value("Europe/Stockholm")
    page.get_by_label("Password").fill("a passphrase of one's own")
    client.press("Make my account")
    expect(page.get_by_role("heading", name=expert)).to_be_visible()
    left = page.locator("[data-timer-left]")
    seen = left.inner_text()
    assert re.fullmatch(r"9:\d\d|10:00", seen), seen
    expect(left).not_to_have_text(seen)


def pay(client: Person, card: str) -> None:
    """A card that is declined, then one that works, with or without the bank's question."""
    page = client.page
    client.type_card(DECLINED)
    client.press("Authorise $800 and book")
    expect(page.get_by_role("alert").filter(has_text="Your bank declined this card")).to_contain_text("Nothing was charged")
    client.type_card(card)
    client.press("Authorise $800 and book")
    if card == CHALLENGE:
        expect(page.get_by_role("heading", name="Your bank asks you to confirm")).to_be_visible()
        client.follow("Go to your bank")
        client.press("Yes, approve $800")
    expect(page.get_by_text("Booked", exact=True).first).to_be_visible()
    expect(page.get_by_text("Held on Visa")).to_be_visible()


def keep_a_theme(client: Person) -> None:
    """What is chosen stays, also on the next page."""
    root = client.page.locator("html")
    toggle = client.page.get_by_role("button", name="Theme: ")
    toggle.click()
    expect(root).to_have_attribute("data-theme", "light")
    toggle.click()
    expect(root).to_have_attribute("data-theme", "dark")
    client.page.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    expect(client.page.get_by_role("button", name="Theme: dark")).to_be_visible()


def join(client: Person, expert: str) -> None:
    """The link appears by itself and leads to the meeting."""
    client.follow("meet.localhost")
    expect(client.page.get_by_role("heading", name="Who is expected")).to_be_visible()
    expect(client.page.get_by_role("listitem").filter(has_text=expert)).to_be_visible()


def move_the_clock(client: Person, session: str, moment: datetime) -> None:
    """Press the bar's buttons until business time is past the moment; ends on the session's page."""
    page = client.page
    page.goto(session)
    for _ in range(60):
        ahead = moment - datetime.fromisoformat(page.locator(".clock-bar__now b time").get_attribute("datetime") or "")
        if ahead <= timedelta(0):
            return
        client.press("Move the clock: +1 day" if ahead > timedelta(days=1) else "Move the clock: +1 h")
        expect(page).to_have_url(session)
    raise AssertionError("the clock does not get there")


def rate(client: Person) -> None:
    """The session is paid, and five stars of five are given."""
    page = client.page
    expect(page.get_by_text("Completed and paid")).to_be_visible()
    page.locator("label").filter(has_text="5 of 5").click()
    page.get_by_label("One sentence for others").fill("Told us what comes first.")
    client.press("Send rating")
    expect(page.get_by_role("status").filter(has_text="Thank you")).to_be_visible()
    expect(page.get_by_text("Told us what comes first.").first).to_be_visible()


# The expert and the operator -----------------------------------------------------------------------------------------


def complete(partner: Person) -> None:
    """The session that needs the expert is completed with one click, which can be undone for a while."""
    page = partner.page
    partner.follow("Nora Newcomer")
    expect(page.get_by_text("ransomware")).to_be_visible()
    partner.press("Complete session")
    expect(page.get_by_text("Session with Nora Newcomer completed. $640 is on its way.")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()


def earn(partner: Person) -> None:
    """The share of the session is on the earnings page."""
    row = partner.go("/earnings").get_by_role("row").filter(has_text="Nora Newcomer").first
    expect(row).to_contain_text("$640")


def see_the_ledger(operator: Person) -> None:
    """What the client paid is owed to the expert and to the platform, and no alarm is on."""
    page = operator.go("/ledger")
    for amount in ("$800", "$640", "$160"):
        expect(page.get_by_role("cell", name=amount).first).to_be_visible()
    operator.go("/alarms")
    expect(page.get_by_text("Nothing needs you")).to_be_visible()
