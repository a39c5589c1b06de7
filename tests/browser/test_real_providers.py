"""The main flow in a browser on real providers alone, each over HTTP at its emulator; and what people see while one is ill."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from playwright.sync_api import Browser, Page, Route, expect

from fxo.core.scope import CODE, system_scope
from fxo.demo.acts.booking import BRIEF
from fxo.demo.seed import Signin
from fxo.embedded.processes import free_port, wait_until
from fxo.plugins.payments_stripe.provider import SCRIPT
from fxo.settings import Settings
from fxo.tenants import network
from tests.browser.judge import Judge
from tests.browser.test_whole_flow import complete, earn, move_the_clock, rate, see_the_ledger, sign_up
from tests.conftest import PASSWORD, Databases, Given, write
from tests.emulators.illness import Illness
from tests.support.calendars import GOOGLE, connect
from tests.support.chromium import DESKTOP, PHONE, Person
from tests.support.outside import ADDRESSES, BusinessTime, Outside, outside, plugins
from tests.support.processes import Processes
from tests.support.story import DANA_MAIL, Story, story

pytestmark = pytest.mark.browser

DANA, HOUR = "Dana Whitfield", timedelta(hours=1)
EXPERT = Signin("partner", "partners", DANA, DANA_MAIL, PASSWORD)
OPERATOR = Signin("operator", "ops", "Olu Operator", "ops@fxo.example", PASSWORD)
PROOF, NUMBER, CARD, PRICE = "This is close to what you describe", "+46701234567", "pm_card_visa", 80_000
STRIPE_JS = """
window.Stripe = () => {
  const typed = document.createElement("input");
  typed.setAttribute("aria-label", "Card number");
  const heard = {};
  const field = {
    on: (name, does) => { heard[name] = does; },
    mount: (place) => { place.replaceChildren(typed); setTimeout(() => heard.ready()); },
  };
  return {
    elements: () => ({ create: () => field, submit: async () => ({}) }),
    createConfirmationToken: async () => {
      const answer = await fetch("https://api.stripe.com/v1/confirmation_tokens", { method: "POST", body: typed.value });
      return { confirmationToken: await answer.json() };
    },
  };
};
"""
"""What Stripe's own script does, as far as the card field needs it: its frame is one input, for the name of a test card."""


@dataclass(frozen=True)
class Site:
    """The platform as processes, and the companies that it asks."""

    settings: Settings
    told: Story
    outside: Outside


@pytest.fixture(scope="module")
def site(databases: Databases, servers: Given, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushall()
    clock, folder = BusinessTime(), tmp_path_factory.mktemp("outside")
    values = {"port": free_port(), "redis_url": servers.redis_url, "web_processes": 1}
    with outside(clock) as companies, story(databases, *plugins(companies.addresses), **values) as made:
        clock.settings = made.settings
        companies.openai.seconds = 0.3
        told = companies.used_by(made)
        write(system_scope("sign_in"), CODE, network.add_operator, OPERATOR.mail, OPERATOR.name, PASSWORD)
        with Processes(made.settings, folder) as children:
            where = {ADDRESSES: json.dumps(companies.addresses)}
            for name in ("worker", "sweeper"):
                children.start(name, sys.executable, "-m", "tests.support.outside", name, **where)
            children.web("tests.support.outside:web()", **where)
            yield Site(made.settings, told, companies)
            errors = [line for name in ("web", "worker", "sweeper") for line in children.errors(name)]
            assert [line for line in errors if '"work given up"' not in line] == []


@pytest.fixture
def arrive(browser: Browser, site: Site) -> Iterator[Callable[..., Person]]:
    people: list[Person] = []

    def come(host: str, **device: Any) -> Person:
        person = Person(browser, site, host, **device)  # type: ignore[arg-type]
        person.context.route(SCRIPT, lambda route: route.fulfill(body=STRIPE_JS, content_type="text/javascript"))
        person.context.route("https://api.stripe.com/**", lambda route: give_token(route, site.outside))
        people.append(person)
        return person

    yield come
    for person in people:
        assert [
            fault for fault in person.faults if "asks another machine: https://" not in fault or "stripe.com" not in fault
        ] == []
        person.leave()


def give_token(route: Route, companies: Outside) -> None:
    """What Stripe hands to its script for a card."""
    made = companies.stripe.books.make_token({"payment_method": route.request.post_data, "setup_future_usage": "off_session"})
    route.fulfill(json={"id": made["id"]}, headers={"Access-Control-Allow-Origin": "*"})


def test_a_newcomer_books_an_hour_pays_after_it_and_rates_it(arrive: Callable[..., Person], site: Site) -> None:
    companies = site.outside
    client = arrive("fortium", **DESKTOP)
    starts_at = choose(client, "In the plant near the river.")
    sign_up(client, DANA)
    checkout, mail = client.page.url, "nora.1440@newcomer.example"
    judge = Judge()
    browser = reachable(client, site, judge)
    assert not judge.faults, "\n".join(judge.faults)
    client.page.goto(checkout)
    pay(client)
    session = client.page.url
    link = join_link(client)
    assert link == companies.google.event(DANA_MAIL)["hangoutLink"]

    move_the_clock(client, session, starts_at + timedelta(minutes=30))
    partner = arrive("partners", **DESKTOP)
    partner.sign_in(EXPERT)
    complete(partner)
    move_the_clock(client, session, starts_at + 2 * HOUR)
    rate(client)
    earn(partner)
    operator = arrive("ops", **DESKTOP)
    operator.sign_in(OPERATOR)
    see_the_ledger(operator)

    told = timeline(client)
    for sentence in (
        "Experts ranked anew by a language model",
        "Written into the expert's calendar",
        "$800.00 paid",
        "Receipt R-",
    ):
        assert sentence in told, told
    assert "did not answer" not in told
    assert [each["amount_captured"] for each in companies.stripe.of_kind("charge")] == [PRICE]
    subjects = [sent.body["subject"].partition(":")[0] for sent in companies.sendgrid.sent if sent.to == mail]
    assert {"Booked", "In one hour", "Receipt"} <= set(subjects)
    assert [text.body.partition(":")[0] for text in companies.twilio.texts if "code" not in text.body] == ["In one hour"]
    assert {"Booked", "In one hour"} <= {each["title"].partition(":")[0] for each in browser.shown}


def test_while_the_bank_and_the_calendar_fail_the_page_says_so_goes_on_by_itself_and_the_hour_takes_place(
    arrive: Callable[..., Person], site: Site
) -> None:
    client = arrive("fortium", **PHONE)
    choose(client, "In the plant on the hill.")
    sign_up(client, DANA)
    site.outside.google.consent.take_back(DANA_MAIL)
    site.outside.stripe.health.falls_ill(Illness.DOWN)
    type_card(client)
    client.press("Authorise $800 and book")
    expect(client.page.get_by_role("heading", name="Your bank is taking its time")).to_be_visible()
    site.outside.stripe.health.recovers()
    expect(client.page.get_by_text("Booked", exact=True).first).to_be_visible(timeout=60_000)
    assert join_link(client).startswith("http://meet.localhost")
    told = timeline(client)
    for sentence in (
        "The payment service did not answer", "The payment service answers again",
        "Our access to the expert's calendar has ended", "The invitation goes by mail instead",
    ):  # fmt: skip
        assert sentence in told, told
    expert = arrive("partners", **PHONE)
    expert.sign_in(EXPERT)
    expect(expert.go("/calendar").get_by_text("It does not answer us any more")).to_be_visible()
    connect(GOOGLE, site.outside.google.consent, site.told.partners["dana"], DANA_MAIL)


def test_a_key_that_is_revoked_at_the_card_is_said_and_once_mended_the_same_page_books(
    arrive: Callable[..., Person], site: Site
) -> None:
    client = arrive("fortium", viewport={"width": 820, "height": 1180})
    choose(client, "In the plant behind the wood.")
    sign_up(client, DANA)
    site.outside.stripe.health.falls_ill(Illness.REVOKED)
    type_card(client)
    client.press("Authorise $800 and book")
    alert = client.page.get_by_role("alert").filter(has_text="The payment service does not answer at the moment")
    expect(alert).to_contain_text("Nothing was charged")
    site.outside.stripe.health.recovers()
    pay(client)
    assert "The payment service refused our access" in timeline(client)
    operator = arrive("ops", **DESKTOP)
    operator.sign_in(OPERATOR)
    expect(operator.go("/alarms").get_by_text("secret_key").first).to_be_visible()


# What people do ------------------------------------------------------------------------------------------------------


def choose(client: Person, words: str) -> datetime:
    """Say what it is about, see the model's list take the place of the first one, and take Dana's first time."""
    page = client.go("/")
    page.get_by_label("What are you facing?").fill(f"{BRIEF} {words}")
    client.press("Show my experts")
    expect(page.locator(".results__list")).to_contain_text(PROOF, timeout=30_000)
    slot = page.locator("article.partner-card").filter(has_text=DANA).locator("button[name=slot]").first
    starts_at = datetime.fromisoformat(slot.get_attribute("value") or "")
    slot.click()
    return starts_at


def reachable(client: Person, site: Site, judge: Judge) -> Any:
    """A number that is confirmed by its code, and a browser that may show notifications; the judge sees each step."""
    page = client.go("/settings")
    judge.take("settings, neither a number nor notifications", page)
    page.get_by_label("Your number").fill(NUMBER)
    client.press("Text me a code")
    page.get_by_label("The code").wait_for()
    judge.take("settings, the code that was sent", page)
    assert wait_until(lambda: bool(site.outside.twilio.texts), 20)
    [code] = re.findall(r"\b\d{6}\b", site.outside.twilio.texts[-1].body)
    page.get_by_label("The code").fill(code)
    client.press("Confirm the number")
    expect(page.get_by_role("button", name="Remove this number")).to_be_visible()
    browser = site.outside.browser()
    page.evaluate(f"PushManager.prototype.subscribe = async () => ({{ toJSON: () => ({browser.json}) }})")
    client.press("Notify me in this browser")
    expect(page.get_by_role("button", name="Remove", exact=True)).to_be_visible()
    judge.take("settings, a number and notifications", page)
    return browser


def type_card(client: Person) -> None:
    client.page.get_by_label("Card number").fill(CARD)


def pay(client: Person) -> None:
    type_card(client)
    client.press("Authorise $800 and book")
    expect(client.page.get_by_text("Booked", exact=True).first).to_be_visible()
    expect(client.page.get_by_text("Held on Visa")).to_be_visible()


def join_link(client: Person) -> str:
    """The link to the meeting, once it has appeared by itself."""
    link = client.page.locator("a[href*='://meet.']").first
    expect(link).to_be_visible(timeout=60_000)
    return link.get_attribute("href") or ""


def timeline(client: Person) -> str:
    """Every step, with its time, once it is unfolded."""
    page: Page = client.page
    page.reload()
    page.get_by_text("Every step, with its time").click()
    steps = page.locator(".stepper").last
    expect(steps).to_be_visible()
    return " ".join(steps.inner_text().split())
