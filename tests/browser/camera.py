"""Takes the pictures of a page in its sizes and themes, and puts them on a contact sheet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

from playwright.sync_api import Page

FOLDER = Path("screens")
SIZES = ((390, 844), (820, 1180), (1440, 900))
THEMES = ("light", "dark")


class Camera:
    """Takes the pictures of a state, and remembers their names in order."""

    def __init__(self, wanted: Callable[[str], bool] | None = None) -> None:
        self.wanted = wanted
        FOLDER.mkdir(exist_ok=True)
        self.names: list[str] = []
        self.faults: list[str] = []

    def take(self, name: str, page: Page) -> None:
        """The page as it is now, at each width in each theme."""
        if self.wanted and not self.wanted(name):
            return
        self.names.append(name)
        page.wait_for_load_state()
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            whole = page.evaluate("() => document.documentElement.scrollHeight")
            page.set_viewport_size({"width": width, "height": max(height, whole)})  # what sticks to the foot is at the foot
            for theme in THEMES:
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                page.evaluate("() => document.fonts.ready")
                page.screenshot(path=FOLDER / picture(name, width, theme))
            if (needed := page.evaluate("() => document.documentElement.scrollWidth")) > width:
                self.faults.append(f"{name} scrolls sideways at {width}: {needed}")

    def put_in_order(self) -> None:
        """After a whole tour: remove what earlier ones have left, and write the contact sheet."""
        if self.wanted:
            return
        for path in set(FOLDER.glob("*.png")) - {FOLDER / picture(*each) for name in self.names for each in views(name)}:
            path.unlink()
        (FOLDER / "index.html").write_text("\n".join(sheet(self.names)))


def views(name: str) -> Iterator[tuple[str, int, str]]:
    """The pictures of a state."""
    return ((name, width, theme) for width, _ in SIZES for theme in THEMES)


def picture(name: str, width: int, theme: str) -> str:
    """The file of a picture."""
    return f"{re.sub('[^a-z]+', '-', name)}-{width}-{theme}.png"


def sheet(names: list[str]) -> Iterator[str]:
    """The contact sheet, as HTML."""
    yield '<!doctype html><html lang="en"><meta charset="utf-8"><title>Screens</title><style>'
    yield "body{font:14px/1.4 system-ui;margin:2rem;background:#f5f5f4;color:#1c1917}h2{font-size:1rem;margin:2.5rem 0 .75rem}"
    yield "div{display:flex;flex-wrap:wrap;gap:1rem;align-items:start}a{color:inherit;text-decoration:none;font-size:12px}"
    yield "img{display:block;height:22rem;max-width:100%;object-fit:cover;object-position:top;border:1px solid #d6d3d1}</style>"
    yield f"<h1>{len(names)} states</h1>"
    for name in names:
        yield f'<h2 id="{escape(name)}">{escape(name)}</h2><div>'
        for _, width, theme in views(name):
            file = escape(picture(name, width, theme))
            yield f'<a href="{file}"><img src="{file}" alt="{escape(name)}" loading="lazy">{width} {theme}</a>'
        yield "</div>"
