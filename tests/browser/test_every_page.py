"""Every page in its main states: axe finds nothing in either theme, and nothing scrolls sideways at 320 px."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.judge import Judge
from tests.browser.tour import Tour, TourOfMuch
from tests.support import chromium

pytestmark = pytest.mark.browser


def test_no_page_of_a_booking_s_life_has_an_accessibility_fault_or_scrolls_sideways(browser: Browser) -> None:
    judge = Judge()
    with chromium.demo() as running:
        Tour(browser, running, judge).whole()
    assert not judge.faults, "\n".join(judge.faults)
    assert len(judge.names) > 80


def test_no_page_of_everybody_s_own_place_has_either(browser: Browser) -> None:
    judge = Judge()
    with chromium.demo(bare=False) as running:
        TourOfMuch(browser, running, judge).whole()
    assert not judge.faults, "\n".join(judge.faults)
    assert len(judge.names) > 70


def test_the_judge_finds_what_is_wrong(browser: Browser) -> None:
    page, judge = browser.new_page(), Judge()
    page.set_content(
        '<title>x</title><p>wide</p><img src="data:," width="500"><input><span tabindex=0 style="color:#bbb">pale</span>'
    )
    judge.take("bad", page)
    page.close()
    told = "\n".join(judge.faults)
    assert all(word in told for word in ("image-alt", "label", "color-contrast", "scrolls sideways at 320", "dark", "390"))
