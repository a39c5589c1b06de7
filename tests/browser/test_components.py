"""The components on the style guide, by keyboard alone; and what axe finds on it, in both themes and at both widths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from fxo.demo.start import Demo
from tests.support.chromium import DESKTOP, PHONE, Person, asks_before_leaving

pytestmark = pytest.mark.browser
Arrive = Callable[..., Person]


def guide(arrive: Arrive, **device: Any) -> Page:
    person = arrive("fortium", **device)
    page = person.go("/styleguide")
    page.wait_for_function("document.querySelector('[data-tabs=on]')")
    return page


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent.trim()"))


@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["390", "1440"])
def test_axe_finds_nothing_on_the_style_guide_in_either_theme(arrive: Arrive, device: dict[str, Any]) -> None:
    person = arrive("fortium", **device, reduced_motion="reduce")
    page = person.go("/styleguide")
    page.wait_for_function("document.querySelector('[data-tabs=on]')")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        found = Axe().run(page).response["violations"]
        assert [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found] == [], theme
    assert person.faults == []


def test_axe_finds_nothing_on_the_pages_of_the_footer_and_on_an_error(arrive: Arrive) -> None:
    person = arrive("fortium", **PHONE)
    for path in ("/help", "/how-payment-works", "/privacy", "/nothing"):
        found = Axe().run(person.go(path)).response["violations"]
        assert [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found] == [], path


def test_axe_finds_nothing_in_the_command_menu_over_a_page(arrive: Arrive, demo: Demo) -> None:
    person = arrive("ops", **DESKTOP)
    person.sign_in(demo.signins.operator)
    person.page.keyboard.press("Control+k")
    expect(person.page.locator("#commands").get_by_role("combobox")).to_be_focused()
    found = Axe().run(person.page).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found] == []


def test_a_menu_opens_moves_and_closes_by_keyboard(arrive: Arrive) -> None:
    page = guide(arrive, **DESKTOP)
    opener = page.locator("#dialog").get_by_role("button", name="Add to calendar")
    opener.focus()
    page.keyboard.press("Enter")
    expect(opener).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    assert focused(page) == "Google Calendar"
    page.keyboard.press("ArrowDown")
    assert focused(page) == "Download .ics"
    page.keyboard.press("ArrowUp")
    assert focused(page) == "Google Calendar"
    page.keyboard.press("Escape")
    expect(opener).to_have_attribute("aria-expanded", "false")
    expect(opener).to_be_focused()


def test_a_dialog_keeps_the_focus_and_gives_it_back(arrive: Arrive) -> None:
    page = guide(arrive, **DESKTOP)
    opener = page.get_by_role("button", name="Cancel session", exact=True).last
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Cancel Wednesday’s session?")
    expect(dialog).to_be_focused()
    for _ in range(5):
        page.keyboard.press("Tab")  # from the last control on to the browser's own, never to the page behind
        assert dialog.evaluate(
            "box => [box, document.body].some((one) => one === document.activeElement) || box.matches(':focus-within')"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_be_hidden()


def test_a_sheet_lies_over_a_phone_and_in_the_page_on_a_desktop(arrive: Arrive) -> None:
    page = guide(arrive, **PHONE)
    sheet = page.locator("#guide-filters")
    expect(sheet).to_be_hidden()
    opener = page.get_by_role("button", name="Filters")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Filters")).to_be_focused()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(opener).to_be_focused()
    opener.tap()
    expect(sheet).to_be_visible()
    page.get_by_role("link", name="Close").tap()
    expect(sheet).to_be_hidden()

    wide = guide(arrive, **DESKTOP)
    expect(wide.locator("#guide-filters")).to_be_visible()
    expect(wide.get_by_role("button", name="Filters")).to_be_hidden()


def test_a_tooltip_shows_on_focus_and_goes_by_escape(arrive: Arrive) -> None:
    page = guide(arrive, **PHONE)
    term = page.get_by_role("button", name="hold", exact=True)
    text = page.locator(".tooltip-inner")
    term.focus()
    expect(text).to_have_text("Reserves the amount on your card. It is not a payment.")
    box = text.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.keyboard.press("Escape")
    expect(text).to_have_count(0)
    assert page.get_by_role("button", name="hold", exact=True).get_attribute("aria-describedby")


def test_help_opens_beside_the_page_and_gives_the_focus_back(arrive: Arrive) -> None:
    page = guide(arrive, **DESKTOP)
    opener = page.get_by_role("button", name="What the words mean")
    opener.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="What the words mean")
    expect(panel).to_contain_text("The bank lets go of what it reserved.")
    expect(panel).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(opener).to_be_focused()


def test_tabs_move_by_arrow_keys(arrive: Arrive) -> None:
    page = guide(arrive, **DESKTOP)
    tabs = page.locator("[data-tabs]")
    first, second = tabs.get_by_role("tab", name="First"), tabs.get_by_role("tab", name="Second")
    first.focus()
    page.keyboard.press("ArrowRight")
    expect(second).to_be_focused()
    expect(second).to_have_attribute("aria-selected", "true")
    expect(tabs.get_by_role("tabpanel")).to_have_count(1)
    expect(tabs.get_by_role("tabpanel")).to_contain_text("Without scripts both are there")
    page.keyboard.press("Home")
    expect(first).to_have_attribute("aria-selected", "true")


def test_the_command_menu_finds_goes_and_closes(arrive: Arrive) -> None:
    page = guide(arrive, **DESKTOP)
    page.keyboard.press("Control+k")
    box = page.locator("#guide-modal").get_by_role("combobox")
    expect(box).to_be_focused()
    page.keyboard.type("nothing like it")
    expect(page.locator("#guide-modal").get_by_role("status")).to_be_visible()
    page.keyboard.press("Control+a")
    page.keyboard.type("avail")
    chosen = page.locator("#guide-modal [role=option]:visible")
    expect(chosen).to_have_count(1)
    expect(chosen.locator("mark")).to_have_text("Avail")
    expect(box).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "")
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(box).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/styleguide#reached")


def test_a_field_says_how_to_mend_it_on_leaving_and_on_sending(arrive: Arrive) -> None:
    page = guide(arrive, **PHONE)
    form = page.locator("#try")
    mail = form.get_by_label("Mail address")
    mail.fill("sarah@")
    page.keyboard.press("Tab")
    expect(form.locator("#try-mail ~ .field__error")).to_contain_text("It should read name@company.com.")
    expect(mail).to_have_attribute("aria-invalid", "true")
    mail.fill("sarah@lindqvist.example")
    expect(form.locator("#try-mail ~ .field__error")).to_have_count(0)

    form.get_by_label("Passphrase").fill("short")
    form.get_by_label("Seats").fill("50")
    form.get_by_role("button", name="Check it").click()
    expect(form.get_by_label("Passphrase")).to_be_focused()
    expect(form.locator(".field__error")).to_have_text(
        [
            "This needs at least 12 characters; it has 5.", "This may not be more than 40.", "Please choose one.",
            "Please choose one.", "Please agree to the terms to go on.",
        ]
    )  # fmt: skip
    described = str(form.get_by_label("Passphrase").get_attribute("aria-describedby"))
    assert {page.locator(f"#{each}").inner_text() for each in described.split()} == {
        "Twelve characters or more.", "This needs at least 12 characters; it has 5.",
    }  # fmt: skip
    form.get_by_label("Passphrase").fill("a passphrase of twelve")
    form.get_by_label("Seats").fill("4")
    form.get_by_label("Zone").select_option("Europe/Stockholm")
    form.get_by_text("Invoice", exact=True).click()
    form.get_by_label("I agree").check()
    expect(form.locator(".field__error")).to_have_count(0)
    form.get_by_role("button", name="Check it").click()
    page.wait_for_url("**/styleguide?mail=sarah%40lindqvist.example*")


def test_undo_is_reached_by_keyboard_save_while_somebody_types(arrive: Arrive) -> None:
    page = guide(arrive, **DESKTOP)
    page.evaluate("document.querySelector('[data-sample]').removeAttribute('data-sample')")
    page.get_by_label("Company", exact=True).press("Control+z")
    # Chromium may stand still where a window is closed on the way to another page.
    with page.expect_request(lambda request: request.method == "POST") as sent, page.expect_navigation():
        page.get_by_label("Company", exact=True).evaluate("box => box.blur()")
        page.keyboard.press("Control+z")
    assert "form_token=token" in str(sent.value.post_data)


def test_a_long_form_asks_before_it_is_left_unsent(arrive: Arrive) -> None:
    page = guide(arrive, **DESKTOP)
    assert not asks_before_leaving(page)
    page.get_by_label("Notes", exact=True).press_sequentially("And one more thing.")
    assert asks_before_leaving(page)


def test_the_theme_changes_at_once_and_stays(arrive: Arrive) -> None:
    page = guide(arrive, **PHONE)
    page.get_by_role("button", name="Theme: as the system. Change to light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.get_by_role("button", name="Theme: light. Change to dark").click()
    page.reload()  # sooner than the server may have been told
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_being_offline_is_said_and_nothing_is_sent(arrive: Arrive) -> None:
    person = arrive("fortium", **PHONE)
    page = person.go("/")
    page.get_by_label("What are you facing?").fill("Our identity provider was breached on Friday.")
    person.context.set_offline(True)
    expect(page.get_by_text("You are offline.", exact=True)).to_be_visible()
    person.press("Show my experts")
    expect(page.locator(".toast__region")).to_contain_text("What you typed is still here.")
    expect(page.get_by_label("What are you facing?")).to_have_value("Our identity provider was breached on Friday.")
    person.context.set_offline(False)
    expect(page.get_by_text("You are offline.", exact=True)).to_be_hidden()
    person.press("Show my experts")
    page.wait_for_url("**/briefs/*")


@pytest.mark.parametrize("scale", [1, 2], ids=["320 px", "200% of 640 px"])
def test_nothing_is_cut_off_on_a_very_narrow_page(arrive: Arrive, scale: int) -> None:
    person = arrive("fortium", viewport={"width": 320, "height": 700}, device_scale_factor=scale)
    for path in ("/styleguide", "/help", "/terms", "/nothing"):
        person.go(path)
        assert person.page.evaluate("document.documentElement.scrollWidth") <= 320, path


def test_without_scripts_every_part_is_there(arrive: Arrive) -> None:
    person = arrive("fortium", **DESKTOP, java_script_enabled=False)
    page = person.go("/styleguide")
    page.locator("summary", has_text="Cancel session").click()
    expect(page.get_by_text("It is before Tuesday, 14:30, so you pay nothing.")).to_be_visible()
    page.locator("summary", has_text="What the words mean").click()
    expect(page.get_by_text("The bank lets go of what it reserved.")).to_be_visible()
    for text in ("Panels are one page", "Without scripts both are there", "And this is the rest of it"):
        expect(page.get_by_text(text)).to_be_visible()
    page.get_by_role("button", name="Theme: as the system. Change to light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert page.url.endswith("/styleguide")
