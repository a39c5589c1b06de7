"""The week is painted with the mouse, a finger and the keyboard, and what is painted is what is saved."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from fxo.demo.start import Demo
from tests.support.chromium import DESKTOP, PHONE, Person, asks_before_leaving

pytestmark = pytest.mark.browser

Arrive = Callable[..., Person]


def week(person: Person, demo: Demo, who: int) -> Page:
    """The availability page of one of the demo's experts, with an empty week painted."""
    person.sign_in(demo.signins.partners[who])
    page = person.go("/availability")
    page.evaluate("""() => {
      for (const input of document.querySelectorAll('.week__window input')) input.value = '';
      document.querySelector('.week__window input').dispatchEvent(new Event('input', { bubbles: true }));
    }""")
    expect(page.locator("[data-week-sum]")).to_have_text("0 hours a week")
    return page


def cell(page: Page, day: int, clock: str) -> Locator:
    hours, minutes = clock.split(":")
    return page.locator(f".week-grid__cell[data-day='{day}'][data-half='{int(hours) * 2 + int(minutes) // 30}']")


def typed(page: Page, day: str) -> list[str]:
    """The windows in the day's fields."""
    rows = page.locator(f"fieldset[data-day={day}] .week__window")
    found = [[field.input_value() for field in row.locator("input").all()] for row in rows.all()]
    return [f"{start}-{end}" for start, end in found if start or end]


def save(person: Person) -> None:
    person.press("Save availability")
    person.page.get_by_text("Your week is saved.").wait_for()


def test_a_block_of_days_and_hours_is_painted_with_the_mouse(arrive: Arrive, demo: Demo) -> None:
    person = arrive("partners", **DESKTOP)
    page = week(person, demo, 1)
    drag(page, cell(page, 0, "09:00"), cell(page, 3, "16:30"))
    expect(page.locator("[data-week-sum]")).to_have_text("32 hours a week")
    expect(page.locator("[data-week-say]")).to_have_text("Monday to Thursday, 09:00 to 17:00 is open.")
    drag(page, cell(page, 1, "12:00"), cell(page, 1, "12:30"))
    assert typed(page, "tue") == ["09:00-12:00", "13:00-17:00"]
    expect(page.get_by_text("Not saved yet.").first).to_be_visible()
    page.get_by_text("The next 5 times").wait_for()
    page.locator("[data-week-undo]").click()
    assert typed(page, "tue") == ["09:00-17:00"]
    page.locator("[data-week-copy]").click()
    assert typed(page, "fri") == ["09:00-17:00"]
    page.get_by_label("Show the night too").check()
    drag(page, cell(page, 5, "22:00"), cell(page, 5, "23:30"))
    assert typed(page, "sat") == ["22:00-00:00"]
    save(person)
    assert typed(page, "mon") == ["09:00-17:00"] and typed(page, "sat") == ["22:00-00:00"]
    page.get_by_text("Undo this change").click()
    page.get_by_text("Taken back.").wait_for()
    assert typed(page, "sat") == []
    assert person.faults == []


def drag(page: Page, first: Locator, last: Locator) -> None:
    first.scroll_into_view_if_needed()
    start, end = first.bounding_box(), last.bounding_box()
    assert start and end
    page.mouse.move(start["x"] + 5, start["y"] + 5)
    page.mouse.down()
    page.mouse.move(end["x"] + 5, end["y"] + 5, steps=6)
    page.mouse.up()


def test_one_day_at_a_time_is_painted_with_a_finger(arrive: Arrive, demo: Demo) -> None:
    person = arrive("partners", **PHONE)
    page = week(person, demo, 2)
    assert cell(page, 0, "09:00").is_visible() and not cell(page, 2, "09:00").is_visible()
    page.get_by_role("button", name="Wednesday", exact=True).tap()
    assert cell(page, 2, "09:00").is_visible() and not cell(page, 0, "09:00").is_visible()
    cell(page, 2, "09:00").tap()
    assert typed(page, "wed") == ["09:00-09:30"]
    touch(page, cell(page, 2, "09:00"), cell(page, 2, "11:30"), hold=True)
    assert typed(page, "wed") == [], "from an open half hour on, it closes"
    touch(page, cell(page, 2, "09:00"), cell(page, 2, "11:30"), hold=True)
    assert typed(page, "wed") == ["09:00-12:00"]
    before = page.evaluate("scrollY")
    touch(page, cell(page, 2, "14:00"), cell(page, 2, "10:30"), hold=False)
    page.wait_for_function("before => scrollY > before", arg=before)
    assert typed(page, "wed") == ["09:00-12:00"], "a finger that does not wait scrolls"
    boxes = [cell(page, 2, "09:00").bounding_box(), page.locator("[data-show]").first.bounding_box()]
    assert all(box and box["height"] >= 44 and box["width"] >= 44 for box in boxes)
    save(person)
    assert typed(page, "wed") == ["09:00-12:00"]
    assert person.faults == []


def touch(page: Page, first: Locator, last: Locator, *, hold: bool) -> None:
    """A finger from the middle of one half hour to that of another; `hold`: it waits until it may paint."""
    # Clear of the bar at the foot of a phone, and at once: the page's own scrolling is smooth.
    first.evaluate("cell => cell.scrollIntoView({ block: 'center', behavior: 'instant' })")
    ends = [box for box in (first.bounding_box(), last.bounding_box()) if box]
    (x, y), (to_x, to_y) = ((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in ends)
    client = page.context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]})

    send("touchStart", (x, y))
    if hold:
        page.locator(".week-grid[data-painting]").wait_for()
    for step in range(1, 9):
        send("touchMove", (x + (to_x - x) * step / 8, y + (to_y - y) * step / 8))
    send("touchEnd")
    client.detach()
    page.locator(".week-grid:not([data-painting])").wait_for()


def test_the_keyboard_alone_paints_draws_on_and_takes_back(arrive: Arrive, demo: Demo) -> None:
    person = arrive("partners", **DESKTOP)
    page = week(person, demo, 3)
    page.get_by_label("Show the night too").focus()
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.get_attribute("role") == "gridcell"
    expect(focused).to_have_attribute("aria-label", "Monday 09:00 to 09:30, closed")
    page.keyboard.press("Space")
    expect(focused).to_have_attribute("aria-selected", "true")
    for _ in range(5):
        page.keyboard.press("Shift+ArrowDown")
    assert typed(page, "mon") == ["09:00-12:00"]
    expect(page.locator("[data-week-say]")).to_have_text("Monday, 11:00 to 12:00 is open.")
    page.keyboard.press("Shift+ArrowRight")
    assert typed(page, "tue") == ["11:30-12:00"]
    page.keyboard.press("Control+z")
    assert typed(page, "tue") == []
    page.keyboard.press("Home")
    expect(page.locator(":focus")).to_have_attribute("aria-label", "Tuesday 06:00 to 06:30, closed")
    page.keyboard.press("ArrowUp")
    expect(page.locator(":focus")).to_have_attribute("aria-label", "Tuesday 06:00 to 06:30, closed")
    assert page.locator(".week-grid [tabindex='0']").count() == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.get_by_label("Monday, window 1, from").is_visible()
    page.get_by_label("Tuesday, window 1, from").fill("09:15")
    page.get_by_label("Tuesday, window 1, until").fill("10:00")
    assert cell(page, 1, "09:00").get_attribute("data-part") is not None
    expect(cell(page, 1, "09:00")).to_have_attribute("aria-label", "Tuesday 09:00 to 09:30, partly open")
    save(person)
    assert typed(page, "tue") == ["09:15-10:00"], "what was typed to the quarter stays so"
    assert person.faults == []


CASES: dict[str, Any] = {
    "opened([], 540, 570)": [[540, 570]],
    "opened([[540, 570]], 570, 600)": [[540, 600]],
    "opened([[540, 600], [660, 720]], 590, 700)": [[540, 720]],
    "opened([[540, 600]], 550, 560)": [[540, 600]],
    "closed([[540, 720]], 600, 630)": [[540, 600], [630, 720]],
    "closed([[540, 720]], 0, 1440)": [],
    "closed([[540, 600], [660, 720]], 570, 690)": [[540, 570], [690, 720]],
    "filled([[555, 600]], 18)": 1,
    "filled([[540, 600]], 18)": 2,
    "filled([[540, 555], [555, 570]], 18)": 2,
    "filled([[540, 600]], 20)": 0,
    "minutes('09:30')": 570,
    "minutes('00:00', true)": 1440,
    "minutes('24:00')": None,
    "clock(1440)": "00:00",
    "clock(1440, true)": "24:00",
    "clock(75)": "01:15",
}


def test_painting_and_windows_are_two_ways_to_say_the_same(arrive: Arrive, demo: Demo) -> None:
    person = arrive("partners", **DESKTOP)
    page = week(person, demo, 4)
    found = page.evaluate(
        """async (cases) => {
          const { opened, closed, filled, minutes, clock } = await import(document.querySelector('script[src*="week.js"]').src);
          const call = { opened, closed, filled, minutes, clock };
          const given = (text) => JSON.parse(`[${text.replaceAll("'", '"')}]`);
          return cases.map((each) => {
            const [, name, values] = /^(\\w+)\\((.*)\\)$/.exec(each);
            const value = call[name](...given(values));
            return JSON.stringify(Number.isNaN(value) ? null : value);
          });
        }""",
        list(CASES),
    )
    assert dict(zip(CASES, map(json.loads, found), strict=True)) == CASES


def test_what_is_not_saved_is_asked_about_before_it_is_left(arrive: Arrive, demo: Demo) -> None:
    person = arrive("partners", **DESKTOP)
    person.sign_in(demo.signins.partners[5])
    page = person.go("/availability")
    assert not asks_before_leaving(page)
    cell(page, 0, "09:00").click()
    assert asks_before_leaving(page)
