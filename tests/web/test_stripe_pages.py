"""Checkout with Stripe: its sources are allowed there and nowhere else, and no secret is on the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import flask
import pytest

from fxo.core.hookspecs import ProviderSpec
from fxo.plugins.payments_stripe.provider import CSP_SOURCES, Stripe
from fxo.plugins.payments_stripe.settings import Settings
from tests.conftest import PASSWORD
from tests.emulators.stripe import PUBLISHABLE_KEY, SECRET_KEY, WEBHOOK_SECRET
from tests.support.browser import Page, Person
from tests.support.flow import booking_of, choice, sign_in
from tests.support.plugins import plugin
from tests.support.story import CLIENT_MAIL, Story, story

NAME = "payments_emulated"


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    def register() -> ProviderSpec:
        return ProviderSpec(NAME, "payments", Stripe, settings=Settings)  # looking at checkout asks nobody

    keys = {"publishable_key": PUBLISHABLE_KEY, "secret_key": SECRET_KEY, "webhook_secret": WEBHOOK_SECRET}
    with story(databases, plugin(NAME, fxo_register_payment_provider=register)) as made:
        yield made.reconfigured(providers={"payments": [NAME]}, **keys)


def policy(page: Page) -> dict[str, list[str]]:
    parts = (part.split() for part in page.headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in parts}


@pytest.mark.parametrize(("ahead", "holds"), [(2, True), (20, False)])
def test_checkout_allows_stripe_and_no_other_page_does(told: Story, ahead: int, holds: bool) -> None:
    sarah = Person(flask.current_app._get_current_object(), "fortium.localhost")  # type: ignore[attr-defined]
    sign_in(sarah, CLIENT_MAIL, PASSWORD)
    home = sarah.get("/")
    landed = sarah.post("/holds", choice(home, told.partners["dana"], told.ahead(timedelta(days=ahead))))
    page = sarah.get(landed.location)
    assert page.status == 200, page.words
    for directive, sources in CSP_SOURCES.items():
        assert set(sources) <= set(policy(page)[directive])
    assert policy(page)["default-src"] == ["'none'"]
    assert 'payment=(self "https://js.stripe.com" "https://hooks.stripe.com")' in page.headers["Permissions-Policy"]
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin-allow-popups"
    [field] = page.soup.select("[data-card-field]")
    config = json.loads(str(field["data-config"]))
    assert field["data-module"] == "/plugins/payments_stripe/card.js"
    assert (config["publishable_key"], config["holds"]) == (PUBLISHABLE_KEY, holds)
    assert config["amount"] == {"minor": 80_000, "currency": "USD"}
    assert SECRET_KEY not in page.text and WEBHOOK_SECRET not in page.text
    assert booking_of(landed.location)
    for elsewhere in ("/", "/sessions", "/settings"):
        other = sarah.get(elsewhere)
        assert "stripe.com" not in other.headers["Content-Security-Policy"], elsewhere
        assert other.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_card_field_is_served_as_a_module_that_takes_stripe_s_script_from_stripe(told: Story) -> None:
    person = Person(flask.current_app._get_current_object(), "fortium.localhost")  # type: ignore[attr-defined]
    module = person.get("/plugins/payments_stripe/card.js")
    assert module.status == 200
    assert module.headers["Content-Type"].startswith("text/javascript")
    assert "export async function mount(element, config)" in module.text
