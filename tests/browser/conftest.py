"""One demo and one browser for all browser tests; without Chromium they are skipped, save in CI."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from fxo.demo.start import Demo
from tests.support import chromium
from tests.support.chromium import Person

expect.set_options(timeout=20_000)  # what is expected comes at once, where nobody else wants the machine

Arrive = Callable[..., Person]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium."""
    if chromium.path() is None:
        sentence = "Chromium is not here: install your system's package `chromium`."
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    with chromium.chromium() as found:
        yield found


@pytest.fixture(scope="package")
def demo(browser: Browser) -> Iterator[Demo]:
    """A real demo, as `make run` starts it."""
    with chromium.demo() as running:
        yield running


@pytest.fixture
def arrive(browser: Browser, demo: Demo) -> Iterator[Arrive]:
    """Somebody comes to a host with a browser of their own: `arrive("fortium", **PHONE)`."""
    people: list[Person] = []

    def come(host: str, **device: Any) -> Person:
        people.append(Person(browser, demo, host, **device))
        return people[-1]

    yield come
    for person in people:
        person.leave()
