"""Plugins at the booking: one may refuse before, the others are told after, and none of them can break it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import flask
import pytest
from psycopg.types.json import Jsonb

from fxo.core.clients import commands as clients
from fxo.core.events.model import ERASED
from fxo.core.scope import TenantConfig
from tests.conftest import PASSWORD
from tests.support.browser import Page, Person
from tests.support.flow import shortlist, sign_in
from tests.support.plugins import Listener, plugin
from tests.support.story import CLIENT_MAIL, DANA_MAIL, Story, story

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_the_connections_of_settings_that_were_changed_end_once_nobody_can_be_using_them(databases: Any) -> None:
    with story(databases, sandbox_fee_rate=1) as told:
        providers = told.parts.providers

        def connections(rate: int) -> Any:
            changed = told.reconfigured(providers={"payments": ["payments_sandbox"]}, fee_rate=rate)
            return providers.context(changed.config, "payments_sandbox").http

        first, second = connections(10), connections(20)
        assert (first.is_closed, second.is_closed) == (False, False), "a call may be under way"
        providers.seconds = 0
        third = connections(30)
        assert (first.is_closed, second.is_closed, third.is_closed) == (True, False, False)
        providers.close()
        assert (second.is_closed, third.is_closed) == (True, True)


# Asked before -------------------------------------------------------------------------------------------------------


def choose_a_time(told: Story) -> Page:
    """Sarah chooses the first time of her shortlist; where that leads."""
    sarah = Person(flask.current_app._get_current_object(), "fortium.localhost")  # type: ignore[attr-defined]
    sign_in(sarah, CLIENT_MAIL, PASSWORD)
    slot = shortlist(sarah).slots()[0]
    return sarah.follow(sarah.post(slot.pop(""), slot))


def asks(answer: Callable[..., Any]) -> Any:
    return plugin("budget", fxo_booking_requested=answer)


def fail(booking: Any) -> None:
    raise RuntimeError("the budget cannot be read")


def hang(booking: Any) -> None:
    Event().wait(3)


def test_a_plugin_refuses_a_booking_with_its_own_sentence(databases: Any) -> None:
    asked: list[Any] = []

    def refuse(booking: Any) -> str:
        asked.append(booking)
        return "This session is over your team's budget. Ask your administrator."

    with story(databases, asks(refuse)) as told:
        page = choose_a_time(told)
        assert page.status == 403
        assert "This session is over your team's budget. Ask your administrator." in page.words
        assert told.rows("select count(*) from consultations") == [(0,)]
        assert told.taken("dana") == told.taken("ines") == []
        [booking] = asked
        assert (booking.tenant_id, booking.client_id, booking.state) == (told.config.id, told.client.id, "requested")


def test_a_plugin_is_asked_about_the_price_that_the_client_would_pay(databases: Any) -> None:
    prices: list[int] = []
    with story(databases, asks(lambda booking: prices.append(booking.price.minor))) as told:
        told.rows("update roster set price_minor = 95000 returning 1")
        told.rows("update tenants set tax = %(x)s returning 1", x=Jsonb({"rate": 1000, "inclusive": False}))
        page = choose_a_time(told)
        assert prices == [104_500]
        assert "$1,045" in page.words
        assert "$800" not in page.words


def test_a_plugin_that_agrees_stands_in_nobodys_way(databases: Any) -> None:
    with story(databases, asks(lambda booking: None)) as told:
        told.reconfigured(required=["budget"])
        assert "Book your hour" in choose_a_time(told).words


@pytest.mark.parametrize("broken", [fail, hang, lambda booking: 7], ids=["fails", "hangs", "answers nonsense"])
def test_a_broken_plugin_counts_only_where_the_tenant_requires_it(databases: Any, broken: Any) -> None:
    with story(databases, asks(broken)) as told:
        assert "Book your hour" in choose_a_time(told).words
        told.reconfigured(required=["budget"])
        page = choose_a_time(told)
        assert page.status == 403
        assert "cannot be checked at the moment" in page.words
        assert told.rows("select count(*) from consultations") == [(1,)]


# Told afterwards ----------------------------------------------------------------------------------------------------


def test_each_plugin_hears_of_each_fact_once_and_one_that_fails_is_told_again_alone(databases: Any) -> None:
    calm, shaky = Listener("calm"), Listener("shaky", failures=2)
    with story(databases, calm.plugin, shaky.plugin) as told:
        starts_at = told.ahead(2 * DAY)
        booked = told.book("dana", starts_at)
        assert calm.heard == []
        told.work()
        assert calm.heard == [("fxo_booking_confirmed", "confirmed")]
        assert shaky.heard == []
        told.live(5 * MINUTE)
        assert shaky.heard == calm.heard == [("fxo_booking_confirmed", "confirmed")]
        told.live_until(starts_at)
        told.complete(booked, "dana")
        told.live(HOUR)
        told.rate(booked, 5)
        told.live(HOUR)
        assert [hook for hook, _ in calm.heard] == [
            "fxo_booking_confirmed", "fxo_session_started", "fxo_session_completed", "fxo_session_rated",
        ]  # fmt: skip
        assert shaky.heard == calm.heard
        assert told.alarms() == []


def test_a_plugin_that_always_fails_breaks_no_booking_and_is_brought_to_a_person(databases: Any) -> None:
    broken = Listener("broken", failures=1_000)
    with story(databases, broken.plugin) as told:
        starts_at = told.ahead(2 * DAY)
        booked = told.book("dana", starts_at)
        told.live_until(starts_at)
        told.complete(booked, "dana")
        told.live(DAY)
        assert told.payment(booked) == ("captured", None)
        assert told.dead() == ["hooks.announce"] * 3
        assert told.alarms() == ["work.hooks.announce"] * 3


def test_a_plugin_hears_of_a_cancelled_booking(databases: Any) -> None:
    calm = Listener("calm")
    with story(databases, calm.plugin) as told:
        starts_at = told.ahead(10 * DAY)
        told.book("dana", starts_at, "4000 0000 0000 0341")
        told.live_until(starts_at)
        assert calm.heard == [("fxo_booking_confirmed", "confirmed"), ("fxo_booking_cancelled", "cancelled")]


def test_the_hooks_of_one_tenant_carry_that_tenants_settings(databases: Any) -> None:
    told_by: list[tuple[str, Any]] = []

    def confirmed(booking: Any, context: Any) -> None:
        told_by.append((context.tenant_slug, booking.tenant_id))

    with story(databases, plugin("crm", fxo_booking_confirmed=confirmed)) as told:
        config: TenantConfig = told.config
        told.book("dana", told.ahead(2 * DAY))
        told.work()
        assert told_by == [("fortium", config.id)]


# Forgetting somebody -----------------------------------------------------------------------------------------------


def test_who_is_erased_is_forgotten_in_the_outbox_too_and_by_every_plugin_that_keeps_people(databases: Any) -> None:
    heard: list[Any] = []
    fails = [RuntimeError("not now")]

    def forget(erasure: Any) -> None:
        if fails:
            raise fails.pop()
        heard.append(erasure)

    with story(databases, plugin("crm", fxo_person_erased=forget)) as told:
        starts_at = told.ahead(2 * DAY)
        booked = told.book("dana", starts_at)
        told.live(MINUTE)
        other = [message.id for message in told.mails()]
        assert len(other) == 2 and "Sarah" in told.mails(to=DANA_MAIL)[0].text
        told.live_until(starts_at)
        told.complete(booked, "dana")
        told.live(HOUR)
        told.run(told.client, clients.erase, told.client.id)
        told.live(HOUR)
        for message in told.mails():
            assert (message.to_name, message.to_address, message.text, message.html) == (ERASED, "", ERASED, "")
            assert (message.subject, message.attachments) == (ERASED, ())
        [erasure] = heard
        assert erasure.person_ids == (told.client.id,) and erasure.tenant_id == told.config.id
        assert {message.id for message in told.mails()} == set(erasure.message_ids) > set(other)
        assert told.dead() == []
        states = told.rows("select body ->> 'plugin', state from work where kind = 'hooks.forget' order by 1")
        assert ("payments_stripe", "done") in states, "who is not set up here has nothing to forget"
        assert {state for _, state in states} == {"done"}
