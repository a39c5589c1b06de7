"""The best of the pictures, cropped and compressed for the README: `make screens ARGS="--readme"`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.browser.camera import FOLDER as SCREENS
from tests.browser.camera import picture

FOLDER = Path("docs/pictures")
HEAVIEST = 150_000
"""Bytes of a picture."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of the README: of which state, at which width, in which theme, and how much of the page from where on."""

    file: str
    state: str
    width: int
    theme: str
    height: int
    top: int = 0


ALBUM = (
    Shown("home", "much, fortium, home", 1440, "light", 900),
    Shown("shortlist", "much, fortium, shortlist", 1440, "light", 900),
    Shown("session", "session, booked", 1440, "dark", 900),
    Shown("branding", "closed portal, admin, branding", 1440, "light", 900),
    Shown("availability", "much, partners, availability", 1440, "dark", 900),
    Shown("shortlist-phone", "much, fortium, shortlist", 390, "dark", 844),
    Shown("checkout-phone", "checkout, authorise now", 390, "light", 844),
    Shown("mail-phone", "mail, confirmation", 390, "light", 844, top=735),
)


def make() -> None:
    """Write them all."""
    FOLDER.mkdir(exist_ok=True)
    for each in ALBUM:
        path = FOLDER / f"{each.file}.webp"
        with Image.open(SCREENS / picture(each.state, each.width, each.theme)) as taken:
            taken.convert("RGB").crop((0, each.top, each.width, min(each.top + each.height, taken.height))).save(
                path, quality=84, method=6
            )
        assert path.stat().st_size < HEAVIEST, path
