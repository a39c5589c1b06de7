"""Money in hard weather: banks that ask, refuse and forget, notices that come early, twice or never, answers that are lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from fxo.core.consultations import commands as consultations
from fxo.core.errors import Conflict
from fxo.core.money import Money
from fxo.core.payments import commands as payments
from fxo.core.scope import CODE
from fxo.core.work import inbox, rows
from fxo.core.work.model import Work
from fxo.core.work.perform import Outcome, Performer
from fxo.plugins.payments_sandbox.network import issue_token
from tests.conftest import add_member
from tests.support.flow import CARD, FAILS_LATER
from tests.support.plugins import Line, silence, unavailable
from tests.support.story import CLIENT_MAIL, DANA_MAIL, Story, story

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ASKS = "4000 0025 0000 3155"
DECLINED = "4000 0000 0000 0002"
STUMBLES = "4000 0000 0000 5035"
SETTLED = ["consultation.held", "consultation.confirmed"]


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases) as made:
        yield made


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def over_line(databases: Any, line: Line) -> Iterator[Story]:
    """The tenant's payments go over a line that can fail."""
    with story(databases, line.plugin, provider_seconds=0.5) as made:
        yield made.reconfigured(providers={"payments": ["payments_line"]})


def asked(told: Story, starts_at: datetime, number: str = ASKS) -> tuple[UUID, UUID]:
    """A booking whose bank asks the client, and the work that waits for the answer."""
    held = told.hold("dana", starts_at)
    work_id = told.ask_to_pay(held, number)
    assert told.perform(work_id) is Outcome.WAITING
    assert told.payment(held) == ("challenged", None)
    return held, work_id


# A card that is refused ---------------------------------------------------------------------------------------------


def test_a_declined_card_keeps_the_hold_and_another_card_books(told: Story) -> None:
    held = told.hold("dana", told.ahead(2 * DAY))
    told.pay(held, DECLINED)
    assert told.payment(held) == ("declined", "card_declined")
    assert told.state(held) == "held"
    told.pay(held)
    assert told.events(held, "consultation") == SETTLED
    assert told.events(held, "payment") == ["payment.requested", "payment.declined", "payment.requested", "payment.authorised"]
    assert told.effects("hold") == ["hold"]


def test_a_second_attempt_is_refused_while_the_first_one_runs(told: Story) -> None:
    held = told.hold("dana", told.ahead(2 * DAY))
    told.ask_to_pay(held)
    with pytest.raises(Conflict) as refusal:
        told.ask_to_pay(held)
    assert refusal.value.code == "payment_running"


def test_case_2_a_saved_card_that_is_refused_twice_frees_the_slot_a_day_before_and_nobody_pays(told: Story) -> None:
    """Hard case 2."""
    starts_at = told.ahead(10 * DAY)
    booked = told.book("dana", starts_at, FAILS_LATER)
    told.live_until(starts_at - 3 * DAY + MINUTE)
    assert told.payment(booked) == ("card_saved", "card_declined")
    assert [message.to_address for message in told.mails("card_refused")] == [CLIENT_MAIL]
    assert told.state(booked) == "confirmed"
    told.live_until(starts_at - 2 * DAY - MINUTE)
    assert len(told.attempts()) == 2
    told.live_until(starts_at - 2 * DAY + MINUTE)
    assert told.attempts() == ["saved", "declined", "declined"]
    first, last = (message.text for message in told.mails("card_refused"))
    assert "We try again on" in first and "Otherwise" not in first
    assert "We try again on" not in last and "Otherwise the time is given back on" in last
    told.live_until(starts_at - DAY - 2 * MINUTE)
    assert told.taken("dana") == [starts_at]
    told.live_until(starts_at - DAY + MINUTE)
    assert told.state(booked) == "cancelled"
    assert told.taken("dana") == []
    assert told.payment(booked) == ("abandoned", "refused")
    assert told.kinds(CLIENT_MAIL)[-1] == "booking_cancelled_client"
    assert told.kinds(DANA_MAIL)[-1] == "booking_cancelled_partner"
    assert "Nothing was charged." in told.mails("booking_cancelled_client")[0].text
    told.live_until(starts_at + DAY)
    assert told.effects() == ["save"]
    assert told.kinds().count("booking_cancelled_client") == 1
    assert not [kind for kind in told.kinds() if kind.startswith(("reminder", "payment"))]
    assert told.alarms() == []


def test_case_2_a_saved_card_that_works_the_second_time_is_held_then(told: Story) -> None:
    starts_at = told.ahead(10 * DAY)
    booked = told.book("dana", starts_at, FAILS_LATER)
    told.live_until(starts_at - 3 * DAY + MINUTE)
    told.rows("update plugin_payments_sandbox.methods set card = 'works' returning 1")
    told.live_until(starts_at)
    assert told.payment(booked) == ("authorised", None)
    assert told.effects() == ["save", "hold"]
    assert told.state(booked) == "started"
    assert told.mails("booking_cancelled") == []


def test_the_card_of_a_booking_that_was_cancelled_is_not_asked_for_money_any_more(told: Story) -> None:
    starts_at = told.ahead(10 * DAY)
    booked = told.book("dana", starts_at)
    cancel(told, booked)
    told.live_until(starts_at)
    assert told.effects() == ["save"]
    assert told.attempts() == ["saved"]


def test_what_is_held_for_a_booking_that_is_cancelled_is_let_go(told: Story) -> None:
    booked = told.book("dana", told.ahead(2 * DAY))
    cancel(told, booked)
    told.work()
    assert told.payment(booked) == ("voided", "booking_ended")
    assert told.effects() == ["hold", "save", "void"]
    assert told.taken("dana") == []


def cancel(told: Story, booked: UUID) -> None:
    from fxo.core.consultations import changes, model

    def command(tx: Any) -> None:
        stream = tx.load(model.CONSULTATION, booked)
        tx.append((stream, changes.cancel(stream.state, changes.Cancel(model.Party.PARTNER, "ill"), tx.now)))

    told.run(CODE, command)


# The bank asks ------------------------------------------------------------------------------------------------------


def test_who_confirms_at_the_bank_and_comes_back_is_booked(told: Story) -> None:
    held, work_id = asked(told, told.ahead(2 * DAY))
    told.answer_bank(held, "approve")
    told.run(CODE, rows.wake, work_id, offer=False)
    assert told.perform(work_id) is Outcome.DONE
    assert told.events(held, "consultation") == SETTLED
    assert told.events(held, "payment") == ["payment.requested", "payment.challenge_asked", "payment.authorised"]


def test_who_refuses_at_the_bank_may_try_another_card(told: Story) -> None:
    held, work_id = asked(told, told.ahead(2 * DAY))
    told.answer_bank(held, "refuse")
    told.run(CODE, rows.wake, work_id, offer=False)
    told.perform(work_id)
    assert told.payment(held) == ("declined", "authentication_failed")
    assert told.state(held) == "held"
    told.pay(held)
    assert told.state(held) == "confirmed"


def test_who_never_answers_the_bank_loses_the_hold_and_the_attempt_is_ended_there(told: Story) -> None:
    held, _ = asked(told, told.ahead(2 * DAY))
    told.live(14 * MINUTE)
    assert told.payment(held) == ("challenged", None)
    assert told.state(held) == "released"
    told.live(4 * MINUTE)
    assert told.payment(held) == ("declined", "abandoned")
    assert told.attempts() == ["voided"]
    told.live(DAY)
    assert told.effects() == ["void"]
    assert told.taken("dana") == []
    assert told.alarms() == []


def test_case_7_without_redirect_and_notice_the_answer_is_found_before_the_hold_runs_out(told: Story) -> None:
    """Hard case 7: never."""
    held, _ = asked(told, told.ahead(2 * DAY))
    told.answer_bank(held, "approve")
    told.live(5 * MINUTE)
    assert told.state(held) == "confirmed"


def test_case_6_who_confirms_after_the_hold_ran_out_gets_the_time_where_it_is_still_free(told: Story) -> None:
    """Hard case 6."""
    starts_at = told.ahead(2 * DAY)
    held, _ = asked(told, starts_at)
    told.live(11 * MINUTE)
    assert told.state(held) == "released"
    told.answer_bank(held, "approve")
    told.live(3 * MINUTE)
    assert told.events(held, "consultation") == ["consultation.held", "consultation.released", "consultation.confirmed"]
    assert told.taken("dana") == [starts_at]
    assert told.payment(held) == ("authorised", None)


@pytest.mark.parametrize("ahead", [2 * DAY, 10 * DAY], ids=["authorised now", "card saved"])
def test_case_6_who_confirms_after_somebody_else_took_the_time_pays_nothing_and_is_told_at_once(
    told: Story, ahead: timedelta
) -> None:
    """Hard case 6."""
    starts_at = told.ahead(ahead)
    held, work_id = asked(told, starts_at)
    told.live(11 * MINUTE)
    faster = told.of(told.config, add_member(told.config, "erik@lindqvist.example"))
    theirs = faster.book("dana", starts_at)
    told.answer_bank(held, "approve")
    assert told.notice(work_id, "sn_1").status_code == 200
    told.work()
    assert told.state(held) == "lost"
    assert told.kinds(CLIENT_MAIL) == ["slot_lost_client"]
    assert told.state(theirs) == "confirmed"
    assert told.taken("dana") == [starts_at]
    if ahead < 7 * DAY:
        assert told.payment(held) == ("voided", "booking_ended")
        assert told.effects("void", "capture") == ["void"]
    else:
        assert told.payment(held) == ("abandoned", "slot_lost")
        assert "hold" not in told.effects()
    told.live_until(starts_at)
    assert told.effects("capture") == []
    assert told.alarms() == []


# Redirect and notice ------------------------------------------------------------------------------------------------


def test_case_7_redirect_and_notice_in_any_order_and_number_have_one_outcome(told: Story) -> None:
    """Hard case 7: before, after, twice."""
    held, work_id = asked(told, told.ahead(2 * DAY))
    told.answer_bank(held, "approve")
    assert told.notice(work_id, "sn_1").status_code == 200
    assert told.work()[:1] == [Outcome.DONE]
    happened = told.events(held, "payment", "consultation")
    assert told.state(held) == "confirmed"
    for event_id in ("sn_1", "sn_2", "sn_2"):
        assert told.notice(work_id, event_id).status_code == 200
    assert told.run(CODE, rows.wake, work_id) is False
    assert told.perform(work_id) is Outcome.NOT_NOW
    told.work()
    assert told.events(held, "payment", "consultation") == happened
    assert told.effects("hold") == ["hold"]
    assert told.rows("select count(*) from inbox") == [(2,)]


def test_case_7_a_notice_that_comes_too_early_is_not_believed(told: Story) -> None:
    held, work_id = asked(told, told.ahead(2 * DAY))
    assert told.notice(work_id, "sn_1").status_code == 200
    told.work()
    assert told.payment(held) == ("challenged", None)
    told.answer_bank(held, "approve")
    told.live(3 * MINUTE)
    assert told.state(held) == "confirmed"


def test_a_forged_or_foreign_notice_changes_nothing(told: Story) -> None:
    held, work_id = asked(told, told.ahead(2 * DAY))
    told.answer_bank(held, "approve")
    assert told.notice(work_id, "sn_1", secret="somebody else's").status_code == 403
    assert told.rows("select count(*) from inbox") == [(0,)]
    assert told.notice(UUID(int=7), "sn_2").status_code == 200
    assert inbox.receive(told.parts.store, "payments_sandbox", "sn_3", "x", "sp", "not an id") is False
    assert inbox.receive(told.parts.store, "payments_sandbox", "sn_4", "x", "sp", None) is False
    assert told.due() == []
    assert told.payment(held) == ("challenged", None)


def line_works_again(told: Story, line: Line) -> None:
    line.down = False
    told.reconfigured(providers={"payments": ["payments_line"]}, deliver_to="")


# Answers that are lost ----------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process died."""


def die_at(step: str, kind: str) -> Any:
    """A probe that stops the process once, at this step of this kind of work."""
    left = [1]

    def probe(now: str, work: Work) -> None:
        if (now, work.kind) == (step, kind) and left:
            left.pop()
            raise Killed

    return probe


def restarted(told: Story, work_id: UUID, *, step: str, kind: str) -> None:
    """The work is performed by a process that dies at this step, and taken over by another one once the lease has run out."""
    mortal = Performer(told.parts.store, told.parts.registry, lease=timedelta(milliseconds=1), probe=die_at(step, kind))
    with pytest.raises(Killed):
        mortal.perform(told.config.id, work_id)


def capture_work(told: Story, booked: UUID) -> UUID:
    [(work_id,)] = told.rows("select id from work where kind = 'payments.settle'")
    return work_id  # type: ignore[no-any-return]


@pytest.mark.parametrize("step", ["claimed", "before_act", "acted", "recorded"])
def test_case_8_a_process_that_dies_while_capturing_captures_once(told: Story, step: str) -> None:
    """Hard case 8."""
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at)
    told.complete(booked, "dana")
    told.sleep_until(told.now + timedelta(seconds=13))
    for kind in ("consultations.close", "payments.keep_fee"):
        [(work_id,)] = told.rows("select id from work where kind = %(k)s", k=kind)
        assert told.perform(work_id) is Outcome.DONE
    restarted(told, capture_work(told, booked), step=step, kind="payments.settle")
    told.work()
    assert told.events(booked, "payment.cap") == ["payment.captured"]
    assert told.effects("capture") == ["capture"]
    assert told.rows("select count(*), sum(amount_minor) from postings") == [(3, 0)]
    assert len(told.mails("payment_received")) == 2


@pytest.mark.parametrize(("ahead", "kind"), [(2 * DAY, "payments.authorise"), (10 * DAY, "payments.save_card")])
def test_case_8_a_process_that_dies_after_the_bank_has_answered_asks_it_how_it_stands(
    told: Story, ahead: timedelta, kind: str
) -> None:
    held = told.hold("dana", told.ahead(ahead))
    restarted(told, told.ask_to_pay(held), step="acted", kind=kind)
    told.work()
    assert told.events(held, "consultation") == SETTLED
    assert len(told.attempts()) == 1
    assert told.effects("save") == ["save"]


def test_case_8_what_the_provider_forgot_by_its_key_is_found_by_our_reference(over_line: Story, line: Line) -> None:
    """Hard case 8: before a late retry the attempt is looked up, and not made again."""
    held = over_line.hold("dana", over_line.ahead(2 * DAY))
    work_id = over_line.ask_to_pay(held)
    line.after.append(unavailable)
    assert over_line.perform(work_id) is Outcome.LATER
    assert over_line.payment(held) == ("requested", None)
    over_line.live(MINUTE)
    assert over_line.state(held) == "confirmed"
    assert line.calls == [("authorise", str(work_id)), ("find", str(work_id))]
    assert over_line.effects("hold") == ["hold"]


def test_case_8_a_capture_whose_answer_was_lost_is_asked_for_again_with_the_same_key(over_line: Story, line: Line) -> None:
    starts_at = over_line.ahead(2 * DAY)
    booked = over_line.book("dana", starts_at)
    over_line.live_until(starts_at)
    over_line.complete(booked, "dana")
    line.after += [unavailable, unavailable]
    over_line.live(5 * MINUTE)
    keys = [key for verb, key in line.calls if verb == "capture"]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert over_line.effects("capture") == ["capture"]
    assert over_line.events(booked, "payment.cap") == ["payment.captured"]


def test_a_capture_that_stumbles_is_tried_again(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at, STUMBLES)
    told.live_until(starts_at)
    told.complete(booked, "dana")
    told.live(MINUTE)
    assert told.payment(booked) == ("captured", None)
    assert told.effects("capture") == ["capture"]


def test_an_outage_of_a_day_loses_no_money(over_line: Story, line: Line) -> None:
    starts_at = over_line.ahead(2 * DAY)
    booked = over_line.book("dana", starts_at)
    over_line.live_until(starts_at)
    over_line.complete(booked, "dana")
    line.down = True
    over_line.live(DAY)
    assert over_line.payment(booked) == ("authorised", None)
    line_works_again(over_line, line)
    over_line.live(2 * HOUR)
    assert over_line.payment(booked) == ("captured", None)
    assert over_line.dead() == []


def test_case_3_a_hold_that_expired_before_it_was_captured_is_never_shown_as_captured(told: Story) -> None:
    """Hard case 3."""
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at)
    told.sleep_until(starts_at + 6 * DAY)  # nobody works, so that not even the day after the end completes it
    told.complete(booked, "dana")
    told.live(MINUTE)
    assert told.events(booked, "payment.")[-5:] == [
        "payment.due", "payment.capture_failed", "payment.authorised", "payment.captured", "payment.receipt_issued",
    ]  # fmt: skip
    assert sorted(told.alarms()) == ["payment.capture_failed", "payment.lapses"]
    assert told.effects("hold", "capture") == ["hold", "hold", "capture"]


def test_a_provider_that_does_not_answer_declines_nothing_and_its_later_answer_counts(over_line: Story, line: Line) -> None:
    held = over_line.hold("dana", over_line.ahead(2 * DAY))
    with silence() as fault:
        line.before.append(fault)
        assert over_line.pay(held) is Outcome.LATER
        assert over_line.payment(held) == ("requested", None)
    over_line.live(MINUTE)
    assert over_line.state(held) == "confirmed"
    assert over_line.effects("hold") == ["hold"]


def test_a_provider_that_never_answers_frees_the_client_and_what_it_held_is_let_go(over_line: Story, line: Line) -> None:
    held = over_line.hold("dana", over_line.ahead(2 * DAY))
    line.after.append(unavailable)
    over_line.pay(held)
    line.down = True
    over_line.live(HOUR)
    assert over_line.payment(held) == ("declined", "provider_unavailable")
    assert over_line.attempts() == ["authorised"]
    line_works_again(over_line, line)
    over_line.live(2 * HOUR)
    assert over_line.attempts() == ["voided"]
    assert over_line.state(held) == "released"


def test_what_an_unclear_try_at_a_saved_card_held_is_let_go_when_the_next_one_succeeds(over_line: Story, line: Line) -> None:
    starts_at = over_line.ahead(10 * DAY)
    booked = over_line.book("dana", starts_at)
    over_line.live_until(starts_at - 3 * DAY - MINUTE)
    line.after.append(lambda: setattr(line, "down", True) or unavailable())
    over_line.live(HOUR)
    assert over_line.payment(booked) == ("card_saved", None)
    assert over_line.attempts() == ["saved", "authorised"]
    line_works_again(over_line, line)
    over_line.live_until(starts_at - DAY - MINUTE)
    assert over_line.payment(booked) == ("authorised", None)
    assert sorted(over_line.attempts()) == ["authorised", "saved", "voided"]
    over_line.live_until(starts_at)
    over_line.complete(booked, "dana")
    over_line.live(MINUTE)
    assert over_line.payment(booked) == ("captured", None)


def test_what_an_unclear_try_at_a_saved_card_held_is_let_go_when_the_booking_was_cancelled_meanwhile(
    over_line: Story, line: Line
) -> None:
    starts_at = over_line.ahead(10 * DAY)
    booked = over_line.book("dana", starts_at)
    over_line.live_until(starts_at - 3 * DAY - MINUTE)
    line.after.append(unavailable)
    over_line.sleep_until(starts_at - 3 * DAY)
    over_line.work()
    assert over_line.attempts() == ["saved", "authorised"]
    cancel(over_line, booked)
    over_line.live(HOUR)
    assert over_line.attempts() == ["saved", "voided"]
    over_line.live_until(starts_at)
    assert over_line.effects("hold") == ["hold"]


# What nobody waits for any more -------------------------------------------------------------------------------------


def test_a_hold_whose_answer_was_lost_is_let_go_when_the_session_was_moved_meanwhile(over_line: Story, line: Line) -> None:
    starts_at = over_line.ahead(9 * DAY)
    booked = over_line.book("dana", starts_at)
    over_line.live_until(starts_at - 4 * DAY)
    line.after = [unavailable]
    while line.after:  # until the saved card is authorised, and we do not know
        over_line.sleep_until(over_line.now + HOUR)
        for tenant_id, work_id in over_line.due():
            over_line.parts.performer.perform(tenant_id, work_id)
    assert over_line.attempts() == ["saved", "authorised"]
    over_line.move(booked, starts_at + 10 * DAY)
    over_line.live(HOUR)
    assert over_line.attempts() == ["saved", "voided"]


def test_a_question_of_the_bank_that_nobody_waits_for_any_more_cannot_be_answered(told: Story) -> None:
    booked = told.book("dana", told.ahead(20 * DAY))
    windows = told.parts.providers.chain(told.config, "payments")[0][1].windows()
    pay = payments.Pay(booked, issue_token(CARD | {"number": ASKS}, told.now))
    work_id = told.run(told.client, payments.change_card, pay, "payments_sandbox", windows)
    assert told.perform(work_id) is Outcome.WAITING
    told.cancel(booked)
    told.live(HOUR)
    assert told.payment(booked)[0] == "abandoned"
    assert told.attempts() == ["saved", "voided"]


def test_a_charge_whose_answer_was_lost_is_let_go_when_nothing_is_owed_after_all(over_line: Story, line: Line) -> None:
    starts_at = over_line.ahead(2 * DAY)
    booked = over_line.book("dana", starts_at)
    over_line.live_until(starts_at)
    over_line.sleep_until(starts_at + 8 * DAY)
    over_line.complete(booked, "dana")
    line.after = [unavailable]
    over_line.live(11 * SECOND)
    assert over_line.payment(booked)[0] == "owing"
    over_line.run(over_line.client, consultations.object_to, booked, "not_as_agreed", "The line broke.")
    over_line.run(over_line.operator(), consultations.decide, booked, Money(0, "USD"), "Heard both.")
    line.down = True
    over_line.work()
    line.down = False
    over_line.live(HOUR)
    assert over_line.payment(booked)[0] == "abandoned"
    assert over_line.attempts()[-1] == "voided"
