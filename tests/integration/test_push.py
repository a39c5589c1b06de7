"""Notifications of browsers beside the mail: subscribed on the settings page, removed when they have died."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import flask
import pytest

from fxo.core.clients import commands as clients
from fxo.core.hookspecs import ProviderSpec
from fxo.core.scope import CODE
from fxo.plugins.notifications_webpush.provider import Settings, WebPush, wrapped
from fxo.testing import context
from tests.emulators.push import Browser, Push
from tests.support.browser import Person
from tests.support.plugins import plugin
from tests.support.story import CLIENT_MAIL, Story, story

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
KEY = wrapped(bytes(range(1, 33)))


def register() -> ProviderSpec:
    """Web push at a world whose clock can be moved."""
    return ProviderSpec("notifications_pushing", "notifications", WebPush, settings=Settings)


@pytest.fixture
def push() -> Iterator[Push]:
    with Push().running() as service:
        yield service


@pytest.fixture
def told(databases: Any, push: Push) -> Iterator[Story]:
    with story(databases, plugin("notifications_pushing", fxo_register_notification_provider=register)) as made:
        yield made.reconfigured(
            providers={"notifications": ["notifications_pushing"]}, private_key=KEY, contact="ops@fxo.example", services=push.host
        )


@pytest.fixture
def browser(push: Push) -> Browser:
    return push.subscribe(WebPush(context("p", settings=Settings.model_validate({"private_key": KEY}))).capabilities.push_key)


def signed_in() -> Person:
    person = Person(flask.current_app, "fortium.localhost")  # type: ignore[arg-type]
    person.submit(person.get("/sign-in"), "/sign-in", mail=CLIENT_MAIL, password="a passphrase for tests")
    return person


def test_a_browser_that_was_allowed_to_shows_what_is_new_beside_the_mail(told: Story, browser: Browser) -> None:
    person = signed_in()
    page = person.get("/settings")
    assert f'data-push="{browser.server_key}"' in page.text
    page = person.follow(person.submit(page, "/settings/browser", subscription=browser.json))
    assert len(told.rows("select 1 from contacts where channel = 'push'")) == 1
    person.submit(person.get("/settings"), "/settings/browser", subscription=browser.json)
    assert len(told.rows("select 1 from contacts where channel = 'push'")) == 1, "the same browser is there once"

    booked = told.book("dana", told.ahead(2 * DAY))
    told.live(2 * DAY)
    titles = [each["title"].split(":")[0] for each in browser.shown]
    assert titles == ["Booked", "Tomorrow", "In one hour"]
    assert {each["link"] for each in browser.shown} == {f"http://fortium.localhost:8000/sessions/{booked}"}
    assert told.mails("booking_confirmed_client")

    [(contact_id,)] = told.rows("select id from contacts")
    person.submit(person.get("/settings"), f"/settings/contacts/{contact_id}/remove")
    assert told.rows("select 1 from contacts") == []


def test_a_subscription_that_has_died_is_removed(told: Story, browser: Browser, push: Push) -> None:
    told.run(CODE, clients.add_contact, told.client.id, "push", browser.json, "Firefox")
    browser.alive = False
    told.book("dana", told.ahead(2 * DAY))
    told.live(2 * DAY)
    assert told.rows("select 1 from contacts") == []
    assert len(push.requests) == 1
    [(reason,)] = told.rows("select data->>'reason' from events where type = 'client.contact_removed'")
    assert reason == "gone"


@pytest.mark.parametrize("subscription", ["", "{}", "null", "[1]", '{"endpoint": "https://x.example", "keys": null}'])
def test_what_is_no_subscription_is_sent_back(told: Story, subscription: str) -> None:
    person = signed_in()
    page = person.submit(person.get("/settings"), "/settings/browser", subscription=subscription)
    assert page.status == 422
    assert "This browser was not added." in page.words


def test_the_worker_stands_at_the_top_and_is_always_the_newest(told: Story) -> None:
    page = signed_in().get("/push-worker.js")
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/javascript")
    assert page.headers["Cache-Control"] == "no-cache"


def test_a_tenant_without_it_offers_nothing(told: Story) -> None:
    told.reconfigured()
    assert "data-push" not in signed_in().get("/settings").text
