"""A text message, a browser's notification, an expert's own calendar, and a worker that dies over it: it has happened once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fxo.core.calendars import looking
from fxo.core.clients import commands as clients
from fxo.core.notifications import notices
from fxo.core.scope import CODE
from fxo.plugins.notifications_webpush.provider import WebPush
from fxo.testing import context
from tests.chaos.test_killed_over_money import STEPS, killed_over
from tests.emulators.google import Google
from tests.emulators.push import Push
from tests.emulators.twilio import Twilio
from tests.integration.test_process_calendars import dragged, look
from tests.integration.test_push import KEY, Settings
from tests.integration.test_push import register as pushing
from tests.integration.test_texts import TEXTING, reachable, texting
from tests.support.calendars import GOOGLE, at_google, connect
from tests.support.plugins import plugin
from tests.support.story import DANA_MAIL, Story, story

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PUSHING = plugin("notifications_pushing", fxo_register_notification_provider=pushing)
KINDS = (notices.KIND, notices.DROP, looking.KIND)
"""What is tried here; `test_killed_workers` and `test_killed_over_money` have the others."""


def quick(told: Story) -> Story:
    told.parts.performer.lease = timedelta(milliseconds=1)
    return told


@pytest.mark.parametrize("step", STEPS)
def test_a_text_is_sent_once(databases: Any, step: str) -> None:
    with Twilio().running() as twilio, story(databases, TEXTING) as made:
        told = quick(texting(made, twilio))
        reachable(told)

        def cancelled(told: Story) -> None:
            booked = told.book("dana", told.ahead(2 * DAY))
            told.live(HOUR)
            told.cancel(booked, by=told.partner("dana"), reason="ill")
            told.live(DAY)

        killed_over(told, notices.KIND, step, cancelled)
        told.live(DAY)
        bodies = [text.body for text in twilio.texts]
        assert bodies
        assert len(set(bodies)) == len(bodies)


@pytest.mark.parametrize("step", STEPS)
def test_a_browser_that_is_gone_is_forgotten_once(databases: Any, step: str) -> None:
    with Push().running() as push, story(databases, PUSHING) as made:
        chosen = {"private_key": KEY, "contact": "ops@fxo.example", "services": push.host}
        told = quick(made.reconfigured(providers={"notifications": ["notifications_pushing"]}, **chosen))
        key = WebPush(context("p", settings=Settings.model_validate({"private_key": KEY}))).capabilities.push_key
        browser = push.subscribe(key)
        told.run(CODE, clients.add_contact, told.client.id, "push", browser.json, "Firefox")
        browser.alive = False

        def booked(told: Story) -> None:
            told.book("dana", told.ahead(2 * DAY))
            told.live(HOUR)

        killed_over(told, notices.DROP, step, booked)
        assert told.rows("select 1 from contacts") == []
        assert told.rows("select count(*) from events where type = 'client.contact_removed'") == [(1,)]


@pytest.mark.parametrize("step", STEPS)
def test_what_an_expert_moves_in_their_calendar_is_proposed_once(databases: Any, step: str) -> None:
    google = Google()
    with google.running(), story(databases, at_google(google)) as made:
        connect(GOOGLE, google.consent, made.partners["dana"], DANA_MAIL)
        told = quick(made.reconfigured(providers={"calendars": [GOOGLE]}))
        booked = told.book("dana", told.ahead(3 * DAY))
        told.live(HOUR)
        look(told)

        def by_hand(told: Story) -> None:
            dragged(told, google, told.ahead(3 * DAY) + 2 * HOUR)

        killed_over(told, looking.KIND, step, by_hand)
        look(told)
        assert told.events(booked, "consultation").count("consultation.move_proposed") == 1
        assert len(told.mails("calendar_moved_partner")) == 1
