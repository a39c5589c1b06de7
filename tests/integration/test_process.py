"""The story of a booking with the real database: from the hold to the money, the mails and the rating."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextvars import Context
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any
from uuid import UUID

import flask
import pytest
from flask import Flask

from fxo.core.consultations import commands
from fxo.core.consultations import model as consultation
from fxo.core.consultations.model import CONSULTATION
from fxo.core.errors import Conflict, Gone, NotAllowed, NotFound
from fxo.core.events.store import Transaction
from fxo.core.ledger import queries as ledger
from fxo.core.money import Money
from fxo.core.partners import queries as partners
from fxo.core.scope import partner_scope
from fxo.core.work.perform import Outcome
from tests.support.story import CLIENT_MAIL, DANA_MAIL, Story, ics, story

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases) as made:
        yield made


def test_a_booking_that_is_authorised_now_goes_all_the_way(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    assert told.events(booked, "consultation") == ["consultation.held", "consultation.confirmed"]
    assert told.events(booked, "payment") == ["payment.requested", "payment.authorised"]
    told.work()
    assert told.events(booked, "meeting") == ["meeting.created"]
    link = told.join_url(booked)

    # Both are told at once, with an invitation that has the link.
    assert sorted(told.kinds()) == ["booking_confirmed_client", "booking_confirmed_partner"]
    for message in told.mails("booking_confirmed"):
        event = ics(message)
        assert event.decoded("dtstart") == starts_at
        assert event.decoded("dtend") == starts_at + HOUR
        assert event["uid"] == f"{booked}@fxo"
        assert event["location"] == link
        assert event["organizer"] == f"mailto:{DANA_MAIL}"
        assert event["attendee"] == f"mailto:{CLIENT_MAIL}"
        assert message.attachments[0].content_type.startswith("text/calendar; method=REQUEST")

    # Both are reminded twice, and the session starts by itself.
    told.live_until(starts_at - 2 * HOUR)
    assert told.kinds(CLIENT_MAIL) == ["booking_confirmed_client", "reminder_24h_client"]
    told.live_until(starts_at)
    assert told.kinds(CLIENT_MAIL) == ["booking_confirmed_client", "reminder_24h_client", "reminder_1h_client"]
    assert told.kinds(DANA_MAIL) == ["booking_confirmed_partner", "reminder_24h_partner", "reminder_1h_partner"]
    assert told.state(booked) == "started"
    assert told.effects() == ["hold", "save"]

    # A completion that is taken back takes no money; the second one takes it once.
    told.complete(booked, "dana")
    told.undo(booked, "dana")
    told.live(timedelta(minutes=1))
    assert told.payment(booked) == ("authorised", None)
    assert told.effects("capture") == []
    told.complete(booked, "dana")
    told.sleep_until(told.now + timedelta(seconds=10))
    with pytest.raises(Gone):
        told.undo(booked, "dana")
    told.work()
    told.live(DAY)
    assert told.payment(booked) == ("captured", None)
    assert told.effects("capture") == ["capture"]
    assert told.events(booked, "payment") == [
        "payment.requested", "payment.authorised", "payment.due", "payment.captured", "payment.receipt_issued",
    ]  # fmt: skip

    # The ledger has it, and both have their receipts.
    lines = told.rows("select account, amount_minor, currency from postings order by line")
    assert lines == [("provider", 80_000, "USD"), ("partner", -64_000, "USD"), ("platform", -16_000, "USD")]
    earned = told.parts.store.run(partner_scope(told.partners["dana"]), told.partner("dana"), ledger.earnings)
    assert [(item.consultation_id, item.amount) for item in earned] == [(booked, Money(64_000, "USD"))]
    assert "$800" in told.mails("payment_received_client")[0].subject
    assert "$640" in told.mails("payment_received_partner")[0].subject
    assert len(told.mails("payment_received")) == 2

    # The rating stands, and the public number follows by subscription.
    told.rate(booked, 5, "She had been there before.")
    told.subscribe()
    profile = told.run(told.client, partners.profile, told.partners["dana"])
    assert (profile.rating, profile.ratings) == (5.0, 1)
    assert told.alarms() == told.dead() == []


def test_nobody_is_told_or_charged_twice_when_all_work_is_done_again(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at)
    told.complete(booked, "dana")
    told.live(DAY)
    seen = (told.events(booked), told.kinds(), told.effects())
    told.rows("update work set state = 'due', leased_until = null, lease_no = lease_no + 1 returning id")
    told.work()
    assert (told.events(booked), told.kinds(), told.effects()) == seen
    assert told.alarms() == []


def test_case_1_a_session_ten_days_out_keeps_the_card_and_holds_the_money_three_days_before(told: Story) -> None:
    starts_at = told.ahead(10 * DAY)
    booked = told.book("dana", starts_at)
    assert told.events(booked, "consultation") == ["consultation.held", "consultation.confirmed"]
    assert told.events(booked, "payment") == ["payment.requested", "payment.card_saved"]
    told.work()
    assert told.effects() == ["save"]
    assert re.search(r"Held on Visa ending 4242: from \w{3} \d", told.mails("booking_confirmed_client")[0].text)
    told.live_until(starts_at - 3 * DAY - HOUR)
    assert told.payment(booked) == ("card_saved", None)
    told.live_until(starts_at - 3 * DAY + timedelta(minutes=1))
    assert told.payment(booked) == ("authorised", None)
    told.live_until(starts_at + timedelta(minutes=50))
    told.complete(booked, "dana")
    told.live(DAY)
    assert told.effects() == ["save", "hold", "capture"]
    assert told.payment(booked) == ("captured", None)
    assert told.mails("card_refused") == []
    assert told.state(booked) == "completed"


def test_the_hold_ends_by_itself_and_the_time_is_free_again(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    held = told.hold("dana", starts_at)
    assert told.taken("dana") == [starts_at]
    told.live(timedelta(minutes=9))
    assert told.state(held) == "held"
    told.live(timedelta(minutes=2))
    assert told.state(held) == "released"
    assert told.taken("dana") == []
    assert told.kinds() == []


def test_a_session_booked_inside_two_hours_raises_no_alarm_while_its_meeting_is_made(told: Story) -> None:
    booked = told.book("ines", told.ahead(timedelta(minutes=70)))
    [(check,)] = told.rows("select id from work where kind = 'calendars.check_link'")
    assert told.perform(check) is Outcome.NOT_NOW, "nobody has tried to make the meeting yet"
    told.work()
    told.live(timedelta(minutes=2))
    assert told.join_url(booked)
    assert told.alarms() == []


# Taking a completion back, at the last moment ------------------------------------------------------------------------


def test_an_undo_that_is_overtaken_by_the_end_of_its_time_is_refused_and_the_money_is_taken(told: Story) -> None:
    """It began in time and was slow: while it was on its way, the completion was closed."""
    booked = _completed(told)

    def overtaken(tx: Transaction) -> None:
        began.append(tx.now)
        stream = tx.load(CONSULTATION, booked)
        happened = consultation.undo_completion(stream.state, commands.completed_at(stream), tx.now)
        if len(began) == 1:
            Thread(target=Context().run, args=(_eleven_seconds_pass,)).start()
            assert passed.wait(30)
        tx.append((stream, happened))

    app: Flask = flask.current_app._get_current_object()  # type: ignore[attr-defined]

    def _eleven_seconds_pass() -> None:
        with app.app_context():
            told.live(timedelta(seconds=11))
        passed.set()

    began: list[datetime] = []
    passed = Event()
    with pytest.raises(Gone):
        told.run(told.partner("dana"), overtaken)
    assert len(began) == 2, "it was decided again, on what had happened meanwhile"
    assert told.state(booked) == "completed"
    assert told.payment(booked) == ("captured", None)
    assert told.events(booked, "consultation.c")[-2:] == ["consultation.completed", "consultation.closed"]


def test_an_undo_in_time_wins_also_where_the_end_of_its_time_is_looked_at_late(told: Story) -> None:
    booked = _completed(told)
    told.undo(booked, "dana")
    told.sleep_until(told.now + HOUR)
    told.work()
    assert told.state(booked) == "started"
    assert told.payment(booked) == ("authorised", None)
    assert "consultation.closed" not in told.events(booked)


def _completed(told: Story) -> UUID:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at + timedelta(minutes=50))
    told.complete(booked, "dana")
    return booked


# Who may do what ----------------------------------------------------------------------------------------------------


def test_only_its_own_partner_completes_a_session_and_only_its_own_client_rates_it(told: Story, databases: Any) -> None:
    from tests.conftest import add_member

    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at)
    with pytest.raises(NotFound):
        told.complete(booked, "ines")
    with pytest.raises(NotAllowed):
        told.run(told.client, _complete, booked)
    with pytest.raises(Conflict):
        told.rate(booked, 5)
    told.complete(booked, "dana")
    other = told.of(told.config, add_member(told.config, "erik@lindqvist.example"))
    with pytest.raises(NotFound):
        other.rate(booked, 1)
    told.rate(booked, 4)
    assert told.rows("select stars, client_id from ratings") == [(4, told.client.id)]


def _complete(tx: Any, booked: Any) -> None:
    commands.complete(tx, booked)
