"""Checkout with Stripe, whose sources are allowed there and nowhere else; and where an expert sets up being paid by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import flask
import pytest
from pydantic import SecretStr

from fxo.core.clock import system_now
from fxo.core.hookspecs import ProviderSpec
from fxo.plugins.payments_stripe.provider import CSP_SOURCES, Stripe
from fxo.plugins.payments_stripe.settings import Settings
from tests.conftest import PASSWORD
from tests.emulators import stripe as emulators
from tests.emulators.stripe import PUBLISHABLE_KEY, SECRET_KEY, WEBHOOK_SECRET
from tests.support.browser import Page, Person
from tests.support.flow import booking_of, choice, sign_in
from tests.support.plugins import plugin
from tests.support.story import CLIENT_MAIL, DANA_MAIL, Story, story

NAME = "payments_emulated"


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    def register() -> ProviderSpec:
        return ProviderSpec(NAME, "payments", Stripe, settings=Settings)  # looking at checkout asks nobody

    keys = {"publishable_key": PUBLISHABLE_KEY, "secret_key": SECRET_KEY, "webhook_secret": WEBHOOK_SECRET}
    with story(databases, plugin(NAME, fxo_register_payment_provider=register)) as made:
        yield made.reconfigured(providers={"payments": [NAME]}, **keys)


@pytest.fixture
def company() -> Iterator[emulators.Stripe]:
    with emulators.running(system_now) as emulated:
        yield emulated


class Filled(Settings):
    """The operator's own account, as if its settings were filled in."""

    publishable_key: str = PUBLISHABLE_KEY
    secret_key: SecretStr = SecretStr(SECRET_KEY)


@pytest.fixture
def platform_pays(databases: Any, company: emulators.Stripe) -> Iterator[Story]:
    def register() -> ProviderSpec:
        return ProviderSpec(NAME, "payments", lambda context: Stripe(context, api=company.address), settings=Filled)

    with story(databases, plugin(NAME, fxo_register_payment_provider=register)) as made:
        told = made.reconfigured(providers={"payments": [NAME]})
        yield told
        told.parts.providers.context(told.config, NAME).http.close()


def visitor(host: str) -> Person:
    return Person(flask.current_app._get_current_object(), host)  # type: ignore[attr-defined]


def policy(page: Page) -> dict[str, list[str]]:
    parts = (part.split() for part in page.headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in parts}


@pytest.mark.parametrize(("ahead", "holds"), [(2, True), (20, False)])
def test_checkout_allows_stripe_and_no_other_page_does(told: Story, ahead: int, holds: bool) -> None:
    sarah = visitor("fortium.localhost")
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
    module = visitor("fortium.localhost").get("/plugins/payments_stripe/card.js")
    assert module.status == 200
    assert module.headers["Content-Type"].startswith("text/javascript")
    assert "export async function mount(element, config)" in module.text


def test_an_expert_is_led_to_stripe_and_back_and_has_one_account(platform_pays: Story, company: emulators.Stripe) -> None:
    dana = visitor("partners.localhost")
    sign_in(dana, DANA_MAIL, PASSWORD)
    for _ in range(2):
        page = dana.get("/earnings")
        assert "Set up how you are paid" in page.words
        led = dana.submit(page, "/earnings/account")
        assert led.status == 200, led.words
        [way] = [str(link["href"]) for link in led.soup.select("a") if "connect.stripe.com" in str(link.get("href"))]
        assert way.startswith("https://connect.stripe.com/setup/e/acct_")
    [account] = company.of_kind("account")
    assert account["metadata"] == {"partner": str(platform_pays.partners["dana"])}


def test_while_stripe_is_down_an_expert_is_asked_to_come_back(platform_pays: Story, company: emulators.Stripe) -> None:
    dana = visitor("partners.localhost")
    sign_in(dana, DANA_MAIL, PASSWORD)
    company.down = True
    led = dana.submit(dana.get("/earnings"), "/earnings/account")
    assert led.status == 503
    assert "Please try again in a minute." in led.words


def test_where_nothing_is_to_be_set_up_nothing_is_offered(told: Story) -> None:
    """The tenant's own account pays no expert."""
    dana = visitor("partners.localhost")
    sign_in(dana, DANA_MAIL, PASSWORD)
    assert "Set up how you are paid" not in dana.get("/earnings").words
