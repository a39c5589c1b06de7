"""Stripe's card field on a page with the checkout's policy; a small script plays Stripe's and tells what it was given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.sync_api import Browser, Page, Route

from fxo.plugins import payments_stripe
from fxo.plugins.payments_stripe.provider import CSP_SOURCES, SCRIPT

CARD_JS = (Path(payments_stripe.__file__).parent / "static" / "card.js").read_text()
POLICY = "; ".join(
    ["default-src 'none'", "style-src 'self'", *(" ".join([name, "'self'", *sources]) for name, sources in CSP_SOURCES.items())]
)
HTML = """<!doctype html><link rel="stylesheet" href="/page.css"><div id="field">loading</div><script src="/page.js"></script>"""
CSS = ":root { --accent: oklch(.45 .2 27); --surface: #ffffff; --ink: #111111; --danger: #b00020 }"
STRIPE_JS = """
window.Stripe = (key, options) => {
  window.given = { key, options };
  return {
    elements: (how) => {
      window.given.how = how;
      return {
        create: (kind) => {
          const heard = {};
          return {
            on: (name, does) => { heard[name] = does; },
            mount: (place) => {
              place.textContent = kind;
              setTimeout(() => window.broken ? heard.loaderror({ error: { message: "No connection." } }) : heard.ready());
            },
          };
        },
        submit: async () => window.incomplete ? { error: { message: "Your card number is incomplete." } } : {},
      };
    },
    createConfirmationToken: async () => ({ confirmationToken: { id: "ctoken_1" } }),
  };
};
"""
CONFIG: dict[str, Any] = {
    "publishable_key": "pk_test_1", "script": SCRIPT, "shifts": {"ISK": 2}, "amount": {"minor": 80_000, "currency": "USD"},
    "holds": True, "language": "en",
}  # fmt: skip


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    faults: list[str] = []
    context.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    files = {"/": ("text/html", HTML), "/page.css": ("text/css", CSS), "/page.js": ("text/javascript", "")}
    files["/card.js"] = ("text/javascript", CARD_JS)

    def serve(route: Route) -> None:
        kind, text = files["/" + route.request.url.split("/", 3)[3]]
        route.fulfill(body=text, headers={"Content-Type": kind, "Content-Security-Policy": POLICY})

    context.route("http://portal.example/**", serve)
    context.route(SCRIPT, lambda route: route.fulfill(body=STRIPE_JS, content_type="text/javascript"))
    found = context.new_page()
    found.goto("http://portal.example/")
    yield found
    context.close()
    assert faults == []


def mount(page: Page, **config: Any) -> None:
    given = orjson.dumps(CONFIG | config).decode()
    page.evaluate(f"import('/card.js').then((card) => card.mount(document.getElementById('field'), {given}))")


def confirm(page: Page) -> Any:
    return page.evaluate("import('/card.js').then((card) => card.confirm()).catch((problem) => problem.message)")


def test_an_amount_that_is_held_is_shown_to_stripe_in_its_own_units_and_the_page_s_colours(page: Page) -> None:
    mount(page)
    assert page.text_content("#field") == "payment"
    given = page.evaluate("window.given")
    assert given["key"] == "pk_test_1"
    look = given["how"].pop("appearance")
    assert given["how"] == {
        "mode": "payment", "amount": 80_000, "currency": "usd", "captureMethod": "manual", "setupFutureUsage": "off_session",
        "allowedPaymentMethodTypes": ["card"],
    }  # fmt: skip
    assert look["theme"] == "stripe"
    assert look["variables"]["colorBackground"] == "rgb(255, 255, 255)"
    assert all(look["variables"][name].startswith("rgb(") for name in ("colorPrimary", "colorText", "colorDanger"))
    assert confirm(page) == {"token": "ctoken_1"}


def test_a_card_that_is_only_kept_shows_no_amount_and_krona_are_counted_as_stripe_does(page: Page) -> None:
    mount(page, holds=False)
    assert page.evaluate("[window.given.how.mode, window.given.how.amount ?? null]") == ["setup", None]
    mount(page, amount={"minor": 9_900, "currency": "ISK"})
    assert page.evaluate("window.given.how.amount") == 990_000


def test_what_is_to_be_mended_is_said_in_stripe_s_sentence(page: Page) -> None:
    mount(page)
    page.evaluate("window.incomplete = true")
    assert confirm(page) == "Your card number is incomplete."


def test_a_field_that_cannot_be_loaded_is_refused_with_a_sentence(page: Page) -> None:
    page.evaluate("window.broken = true")
    mounting = f"card.mount(document.getElementById('field'), {orjson.dumps(CONFIG).decode()})"
    assert page.evaluate(f"import('/card.js').then((card) => {mounting}).catch((problem) => problem.message)") == "No connection."
