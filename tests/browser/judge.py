"""Looks at a page for what none may have: accessibility faults in either theme, and sideways scrolling where room is scarce."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

NARROW = (320, 568)  # the narrowest phone, and what 400% zoom leaves of a desktop (WCAG 1.4.10)
VIEWS = ((390, 844, "light"), (1440, 900, "dark"))
"""Each layout and each theme once: colours do not depend on the width, nor boxes on the theme."""

_RUN = "axe.run(document, {resultTypes: ['violations'], preload: false}).then((found) => found.violations)"
_WIDE = "() => document.documentElement.scrollWidth"


class Judge:
    """Collects `faults` of the states it is shown: each names the state, the width and theme, the rule and the element."""

    def __init__(self) -> None:
        self.axe = Axe()
        self.names: list[str] = []
        self.faults: list[str] = []

    def take(self, name: str, page: Page) -> None:
        """Look at the page as it is now."""
        self.names.append(name)
        before = page.viewport_size
        page.evaluate(self.axe.axe_script)
        for width, height, theme in VIEWS:
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            for violation in page.evaluate(_RUN):
                self.faults += [f"{name}, {width}, {theme}: {fault}" for fault in _told(violation)]
        page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        if (needed := page.evaluate(_WIDE)) > NARROW[0]:
            self.faults.append(f"{name}: scrolls sideways at {NARROW[0]}: {needed}")
        if before:
            page.set_viewport_size(before)


def _told(violation: dict[str, Any]) -> list[str]:
    return [f"{violation['id']}: {violation['help']}: {node['target']} {node['html'][:160]}" for node in violation["nodes"]]
