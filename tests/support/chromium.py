"""A demo that runs, and people who look at it with Chromium; what a page must never do is written down while they look."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, sync_playwright

from fxo.demo.seed import Signin
from fxo.demo.start import Demo, started
from fxo.settings import Settings
from tests.support.room import room

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`against the policy: ${event.violatedDirective} ${event.blockedURI}`));
addEventListener("load", () => {
  const root = document.documentElement;
  const look = () => {
    if (root.scrollWidth > root.clientWidth) console.error(`scrolls sideways: ${root.scrollWidth} in ${root.clientWidth}`);
  };
  look();
  new ResizeObserver(look).observe(document.body);
});
"""


def path() -> str | None:
    """Where Chromium is on this machine, if it is."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path(), args=_OPTIONS)
        yield found
        found.close()


@contextmanager
def demo(*, bare: bool = True) -> Iterator[Demo]:
    """A demo with data of its own, on a free port, with all its processes; `bare` without a past."""
    with room() as folder, started(_settings(folder), port=0, bare=bare) as running:
        yield running


def _settings(folder: Path) -> Settings:
    return Settings(
        _env_file=None,
        **dict.fromkeys(("database_url", "database_admin_url", "database_system_url", "database_operator_url", "redis_url"), ""),
        data_dir=folder,
        base_domain="localhost",
        bind="127.0.0.1",
        public_scheme="http",
        public_port=None,
        trusted_proxies=0,
        idle_seconds=1,
        sweep_seconds=0.2,
        log_level="WARNING",
    )


def asks_before_leaving(page: Page) -> bool:
    """Whether a script of the page holds up who is about to leave it; the browser's own question, with which Chromium now and
    then stands still, is left out.
    """
    return bool(page.evaluate("() => !dispatchEvent(new Event('beforeunload', { cancelable: true }))"))


class Person:
    """Somebody with a browser of their own at one of the demo's hosts: `Person(browser, demo, "fortium", **PHONE)`.

    `faults` holds everything that is never right: errors and policy violations on the console, pages that scroll sideways,
    broken scripts, answers of 500 and above, requests to other machines.
    """

    def __init__(self, browser: Browser, demo: Demo, host: str, **device: Any) -> None:
        self.demo, self.host = demo, host
        self.faults: list[str] = []
        self.context = browser.new_context(locale="en-GB", timezone_id="Europe/Stockholm", **device)
        self.context.set_default_timeout(20_000)
        self.context.add_init_script(_WATCH)
        self.context.on("console", self._heard)
        self.context.on("weberror", lambda error: self._fault(f"broken script: {error.error}"))
        self.context.on("request", self._asked)
        self.context.on("response", self._answered)
        self.page: Page = self.context.new_page()

    def go(self, path: str) -> Page:
        """Open a page of this host."""
        self.page.goto(self.demo.settings.url(self.demo.settings.host(self.host), path))
        return self.page

    def button(self, name: str) -> Locator:
        """The one button of that name."""
        return self.page.get_by_role("button", name=name)

    def link(self, name: str) -> Locator:
        """The first link of that name."""
        return self.page.get_by_role("link", name=name).first

    def press(self, name: str) -> None:
        """Press the one button of that name."""
        self.button(name).click()

    def follow(self, name: str) -> None:
        """Follow the first link of that name."""
        self.link(name).click()

    def sign_in(self, signin: Signin) -> None:
        """Sign in with an account of the demo."""
        page = self.go("/sign-in")
        page.get_by_label("Mail address").fill(signin.mail)
        page.get_by_label("Password").fill(signin.password)
        self.press("Sign in")
        page.get_by_text(f"Account: {signin.name}").wait_for(state="attached")

    def type_card(self, number: str) -> None:
        """Fill in the card field."""
        self.page.get_by_label("Card number").fill(number)
        self.page.get_by_label("Expires").fill("12 / 35")
        self.page.get_by_label("Security code").fill("123")

    def leave(self) -> None:
        """Close the browser window."""
        self.context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._fault(message.text)

    def _asked(self, request: Request) -> None:
        host = urlsplit(request.url).hostname or ""
        if host not in ("localhost", "127.0.0.1", "") and not host.endswith(".localhost"):
            self._fault(f"asks another machine: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self._fault(f"{response.status} from {response.url}")

    def _fault(self, sentence: str) -> None:
        self.faults.append(f"{self.page.url}: {sentence}")
