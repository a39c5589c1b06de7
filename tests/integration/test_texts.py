"""Text messages beside the mail: whose number it is, what is critical, nights, STOP, and a budget; with Twilio, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import flask
import pytest

from fxo.core.clients import commands as clients
from fxo.core.errors import Invalid, NotFound
from fxo.core.hookspecs import ProviderSpec
from fxo.core.notifications import notices
from fxo.core.scope import CODE
from fxo.plugins.notifications_twilio.provider import Settings
from fxo.plugins.notifications_twilio.provider import Twilio as Provider
from fxo.tenants import numbers
from tests.emulators.service import Answer
from tests.emulators.twilio import ACCOUNT, NUMBER, TOKEN, Twilio
from tests.support.browser import Person
from tests.support.plugins import plugin
from tests.support.story import CLIENT_MAIL, Story, story

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SARAH = "+46701234567"
HOOK = "http://hooks.localhost:8000/notifications_texting/fortium"
STOCKHOLM = ZoneInfo("Europe/Stockholm")


def register() -> ProviderSpec:
    """Twilio at a world whose clock can be moved: the demo starts with nobody who is live."""
    return ProviderSpec("notifications_texting", "notifications", Provider, settings=Settings)


TEXTING = plugin("notifications_texting", fxo_register_notification_provider=register)


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with Twilio().running() as service:
        yield service


@pytest.fixture
def told(databases: Any, twilio: Twilio) -> Iterator[Story]:
    with story(databases, TEXTING) as made:
        yield texting(made, twilio)


def texting(made: Story, twilio: Twilio, **values: Any) -> Story:
    """The tenant has chosen Twilio, and keeps its mail; it is noon for the client."""
    settings = {"account_sid": ACCOUNT, "auth_token": TOKEN, "sender": NUMBER, "url": twilio.url} | values
    return made.reconfigured(providers={"notifications": ["notifications_texting"]}, **settings)


def reachable(told: Story, number: str = SARAH) -> None:
    told.run(CODE, clients.add_contact, told.client.id, "sms", number, only=True)


def until_hour(told: Story, hour: int, minute: int = 0) -> datetime:
    """Live until it is so late where the client lives."""
    local = told.now.astimezone(STOCKHOLM)
    day = local.date() + timedelta(days=local.time() >= time(hour, minute))
    told.live_until(datetime.combine(day, time(hour, minute), STOCKHOLM).astimezone(UTC))
    return told.now


def signed_in() -> Person:
    person = Person(flask.current_app, "fortium.localhost")  # type: ignore[arg-type]
    person.submit(person.get("/sign-in"), "/sign-in", mail=CLIENT_MAIL, password="a passphrase for tests")
    return person


def code_in(twilio: Twilio) -> str:
    found = re.search(r"\d{6}", twilio.texts[-1].body)
    assert found
    return found[0]


# Whose number it is ------------------------------------------------------------------------------------------------


def test_a_number_is_theirs_once_they_have_typed_the_code_that_was_texted_to_it(told: Story, twilio: Twilio) -> None:
    person = signed_in()
    page = person.get("/settings")
    assert "Your number" in page.words
    page = person.follow(person.submit(page, "/settings/number", number="+46 70-123 45 67"))
    told.work()
    assert f"Six digits, texted to {SARAH}." in page.words
    [text] = twilio.texts
    assert text.to == SARAH
    assert text.body.endswith("Nobody of us will ever ask you for it.")
    assert told.rows("select 1 from contacts") == []

    wrong = "000000" if code_in(twilio) != "000000" else "111111"
    page = person.submit(person.get("/settings"), "/settings/number/code", code=wrong)
    assert (page.status, "That is not the code" in page.words) == (422, True)
    page = person.follow(person.submit(person.get("/settings"), "/settings/number/code", code=f" {code_in(twilio)} "))
    assert "Remove this number" in page.words
    assert told.rows("select channel, address from contacts") == [("sms", SARAH)]

    page = person.submit(person.get("/settings"), "/settings/number", number=SARAH)
    told.work()
    old = code_in(twilio)
    page = person.follow(page)
    [(contact_id,)] = told.rows("select id from contacts")
    person.submit(page, f"/settings/contacts/{contact_id}/remove")
    assert told.rows("select 1 from contacts") == []
    person.submit(person.get("/settings"), "/settings/number/code", code=old)
    assert len(told.rows("select 1 from contacts")) == 1


def test_what_was_texted_stands_nowhere_afterwards(told: Story, twilio: Twilio) -> None:
    told.run(told.client, numbers.ask, SARAH)
    told.work()
    code = code_in(twilio)
    kept = told.rows("select body::text from work") + told.rows("select data::text from events")
    assert not any(code in text or SARAH in text for (text,) in kept)
    told.run(told.client, numbers.confirm, code)
    kept = told.rows("select data::text from events where type like 'client.contact%%'")
    assert kept and not any(SARAH in text for (text,) in kept)


@pytest.mark.parametrize("typed", ["", "hello", "070 123 45 67", "+0123456789", "+12", "+123456789012345678", "+46 70 abc"])
def test_what_is_no_number_is_sent_back_with_a_sentence(typed: str) -> None:
    with pytest.raises(Invalid) as error:
        numbers.read(typed)
    assert error.value.field == "number"


@pytest.mark.parametrize("typed", ["+46 70 123 45 67", "0046-70-123 45 67", "+46 70.123.45.67", "+46\u00a070 1234567"])
def test_a_number_may_be_typed_as_people_write_it(typed: str) -> None:
    assert numbers.read(typed) == SARAH


def test_codes_cannot_be_guessed_and_nobody_is_flooded(told: Story, twilio: Twilio) -> None:
    person = signed_in()
    person.submit(person.get("/settings"), "/settings/number", number=SARAH)
    told.work()
    statuses = [person.submit(person.get("/settings"), "/settings/number/code", code=f"{guess:06d}").status for guess in range(7)]
    assert statuses.count(429) == 2
    statuses = [person.submit(person.get("/settings"), "/settings/number", number=SARAH).status for _ in range(5)]
    assert statuses == [303, 303, 303, 429, 429]
    told.work()
    assert len(twilio.texts) <= 4


def test_an_older_code_works_no_longer(told: Story, twilio: Twilio) -> None:
    told.run(told.client, numbers.ask, SARAH)
    told.work()
    first = code_in(twilio)
    told.run(told.client, numbers.ask, "+46700000000")
    told.work()
    if first != code_in(twilio):
        with pytest.raises(Invalid):
            told.run(told.client, numbers.confirm, first)
    told.run(told.client, numbers.confirm, code_in(twilio))
    assert told.rows("select address from contacts") == [("+46700000000",)]


# What is texted ----------------------------------------------------------------------------------------------------


def test_what_is_critical_is_texted_beside_the_mail_once(told: Story, twilio: Twilio) -> None:
    reachable(told)
    until_hour(told, 9)
    booked = told.book("dana", told.ahead(2 * DAY))
    told.live(2 * DAY)
    assert [text.to for text in twilio.texts] == [SARAH]
    [reminder] = twilio.texts
    assert reminder.body.startswith("In one hour: your session with Dana")
    assert reminder.body.endswith(f"http://fortium.localhost:8000/sessions/{booked}")
    assert len(told.mails("reminder_1h_client")) == 1
    told.live(HOUR)
    assert len(twilio.texts) == 1


def test_without_a_number_nothing_is_texted_and_the_mail_goes_by_the_platforms_own_server(told: Story, twilio: Twilio) -> None:
    told.book("dana", told.ahead(2 * DAY))
    told.live(2 * DAY)
    assert twilio.texts == []
    assert told.mails("booking_confirmed_client")


def test_at_night_a_text_waits_for_the_readers_morning_unless_it_cannot(told: Story, twilio: Twilio) -> None:
    reachable(told)
    until_hour(told, 12)
    booked = told.book("dana", told.ahead(3 * DAY))
    until_hour(told, 22)
    told.cancel(booked)
    told.work()
    assert told.mails("booking_cancelled_client")
    assert twilio.texts == []
    until_hour(told, 7, 59)
    assert twilio.texts == []
    until_hour(told, 8, 1)
    assert [text.body.startswith("Cancelled:") for text in twilio.texts] == [True]


def test_what_is_about_the_early_morning_is_texted_at_night(told: Story, twilio: Twilio) -> None:
    reachable(told)
    until_hour(told, 23)
    morning = datetime.combine(told.now.astimezone(STOCKHOLM).date() + DAY, time(8), STOCKHOLM).astimezone(UTC)
    booked = told.book("dana", morning)
    told.live(MINUTE)
    told.cancel(booked)
    told.work()
    assert len(twilio.texts) == 1


@pytest.mark.parametrize(("hour", "until"), [(7, 8), (8, None), (12, None), (20, None), (21, 8), (23, 8), (0, 8)])
def test_the_quiet_hours_are_the_readers_own(hour: int, until: int | None) -> None:
    for zone in ("Europe/Stockholm", "America/Los_Angeles", "Asia/Kolkata"):
        now = datetime(2026, 11, 27, hour, 30, tzinfo=ZoneInfo(zone))
        found = notices.quiet_until(now.astimezone(UTC), zone)
        assert (found.astimezone(ZoneInfo(zone)).hour if found else None) == until
        assert found is None or timedelta(0) < found - now < timedelta(hours=12)


def test_a_text_that_was_overtaken_is_not_sent(told: Story, twilio: Twilio) -> None:
    reachable(told)
    until_hour(told, 12)
    booked = told.book("dana", told.ahead(3 * DAY))
    until_hour(told, 22)
    told.move(booked, told.ahead(4 * DAY))
    told.work()
    told.cancel(booked)
    told.work()
    until_hour(told, 9)
    assert [text.body.split(":")[0] for text in twilio.texts] == ["Cancelled"]


# STOP, START, what became of it ------------------------------------------------------------------------------------


def post(message: tuple[dict[str, str], bytes]) -> int:
    headers, body = message
    return Story.outside(HOOK, data=body, headers=headers).status_code


def remind(told: Story) -> None:
    """One more session comes near, and one text is due."""
    until_hour(told, 9)
    told.book("dana", told.ahead(1 * DAY))
    told.live(1 * DAY + 2 * HOUR)


def test_after_stop_nothing_is_texted_and_after_start_it_is_again(told: Story, twilio: Twilio) -> None:
    reachable(told)
    assert post(twilio.texted(HOOK, SARAH, "Stop", "SM-stop")) == 204
    remind(told)
    assert twilio.texts == []
    assert [each.path for each in twilio.requests] == [], "Twilio is not even asked"
    assert "You have texted STOP." in signed_in().get("/settings").words
    assert post(twilio.texted(HOOK, SARAH, "START", "SM-start")) == 204
    assert post(twilio.texted(HOOK, SARAH, "Stop", "SM-stop")) == 204, "the same word again is not heard again"
    twilio.stopped.clear()
    remind(told)
    assert len(twilio.texts) == 1


def test_who_said_stop_to_twilio_alone_is_left_alone_too(told: Story, twilio: Twilio) -> None:
    reachable(told)
    twilio.stopped.add(SARAH)
    remind(told)
    remind(told)
    assert [each.method for each in twilio.requests] == ["POST"]


def test_what_became_of_a_text_is_recorded(told: Story, twilio: Twilio) -> None:
    reachable(told)
    remind(told)
    state = "select state from deliveries where kind = 'sms:reminder_1h_client'"
    assert told.rows(state) == [("delivered",)]
    for status in ("sent", "delivered", "delivered"):
        assert post(twilio.told(twilio.texts[0], status)) == 204
    assert told.rows(state) == [("arrived",)]


def test_a_number_where_nobody_is_is_left_alone(told: Story, twilio: Twilio) -> None:
    reachable(told)
    remind(told)
    post(twilio.told(twilio.texts[0], "undelivered", "30005"))
    remind(told)
    assert len(twilio.texts) == 1
    assert "Texts to this number come back." in signed_in().get("/settings").words
    told.run(told.client, numbers.ask, SARAH)
    told.work()
    told.run(told.client, numbers.confirm, code_in(twilio))
    remind(told)
    assert len(twilio.texts) == 3


def test_twilio_in_hard_weather_texts_once(told: Story, twilio: Twilio) -> None:
    reachable(told)
    until_hour(told, 12)
    booked = told.book("dana", told.ahead(3 * DAY))
    told.live(MINUTE)
    told.cancel(booked)
    twilio.fail(Answer(429, headers={"Retry-After": "120"}), Answer(503), None)
    told.live(2 * HOUR)
    assert len(twilio.texts) == 1


def test_a_lost_answer_is_looked_up_and_nothing_is_texted_twice(told: Story, twilio: Twilio) -> None:
    reachable(told)
    until_hour(told, 12)
    booked = told.book("dana", told.ahead(3 * DAY))
    told.live(MINUTE)
    twilio.fail(None, after=True)
    told.cancel(booked)
    told.live(2 * HOUR)
    assert len(twilio.texts) == 1
    assert [each.method for each in twilio.requests] == ["POST", "GET"]


def test_over_the_budget_nothing_is_texted_and_the_operator_is_told_once(told: Story, twilio: Twilio) -> None:
    told = texting(told, twilio, part_cost="1", monthly_budget="0.5")
    reachable(told)
    remind(told)
    remind(told)
    assert twilio.texts == []
    assert told.alarms() == ["texts.over_budget"]
    assert told.dead() == []


def test_who_is_erased_is_texted_nothing_more(told: Story, twilio: Twilio) -> None:
    reachable(told)
    told.run(told.client, clients.erase, told.client.id)
    assert told.rows("select 1 from contacts") == []


def test_another_client_cannot_remove_the_number(told: Story) -> None:
    reachable(told)
    [(contact_id,)] = told.rows("select id from contacts")
    with pytest.raises(NotFound):
        told.run(told.newcomer(), clients.remove_contact, contact_id)
    assert len(told.rows("select id from contacts")) == 1
