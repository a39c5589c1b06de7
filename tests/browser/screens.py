"""Pictures of every page in its main states, at three widths in light and dark, with a contact sheet: `make screens`.

Into the folder screens/. ARGS narrow it: `make screens ARGS="checkout partner"` keeps pictures whose name contains a word,
and `make screens ARGS="--readme"` takes those that the README shows, into docs/pictures/.
"""

from __future__ import annotations

import logging
import sys

from tests.browser import album
from tests.browser.camera import FOLDER, Camera
from tests.browser.tour import Tour, TourOfMuch
from tests.browser.tour import log as steps
from tests.support import chromium

log = logging.getLogger("screens")


def main(words: list[str]) -> int:
    """Take the pictures; 1 where a page scrolls sideways."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    steps.setLevel(logging.INFO)
    if chromium.path() is None:
        log.error("Chromium is not here: install your system's package `chromium`.")
        return 1
    readme = words == ["--readme"]
    if readme:
        camera = Camera(lambda name: any(name == each.state for each in album.ALBUM))
    else:
        camera = Camera((lambda name: any(word in name for word in words)) if words else None)
    with chromium.chromium() as browser:
        with chromium.demo() as running:
            Tour(browser, running, camera).whole()
        with chromium.demo(bare=False) as running:
            TourOfMuch(browser, running, camera).whole()
    camera.put_in_order()
    if readme:
        album.make()
    for fault in camera.faults:
        log.error("%s", fault)
    log.info("%d states: %s", len(camera.names), FOLDER / "index.html")
    return 1 if camera.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
