"""The life of a booking with the real database: asked for, cancelled, moved, missed, contested, forgotten, rescued."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from fxo.core.consultations import commands as consultations
from fxo.core.consultations.commands import SlotTaken
from fxo.core.errors import Conflict, Gone, NotAllowed, NotFound
from fxo.core.ids import new_id
from fxo.core.ledger import queries as ledger
from fxo.core.money import Money
from fxo.core.scope import operator_scope, partner_scope
from fxo.tenants import operations
from tests.support.story import CLIENT_MAIL, DANA_MAIL, Story, ics, story

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FAILS_LATER = "4000 0000 0000 0341"


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases) as made:
        yield made


def asking(told: Story) -> Story:
    """The tenant wants every booking confirmed by its expert."""
    told.rows("update tenants set asks_first = true where id = %(t)s returning id", t=told.config.id)
    return told.of(told.parts.records.by_slug(told.config.slug), told.client)


def balances(told: Story) -> dict[str, int]:
    return dict(told.rows("select account, sum(amount_minor)::int from postings group by account"))


def fee(told: Story, booked: UUID) -> int | None:
    [(found,)] = told.rows("select fee_minor from consultations where id = %(id)s", id=booked)
    return found  # type: ignore[no-any-return]


def well(told: Story, *alarms: str) -> None:
    """Nothing was given up, and nothing else than this needs a person."""
    assert told.dead() == []
    assert told.alarms() == list(alarms)


# Cancelled (hard cases 15 and 16) ------------------------------------------------------------------------------------


def test_case_16_cancelled_in_time_costs_nothing_and_everything_is_undone(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.work()
    told.cancel(booked, reason="plans_changed", words="The board moved.", agreed=Money(0, "USD"))
    told.work()
    assert (told.state(booked), told.payment(booked)[0], fee(told, booked)) == ("cancelled", "voided", 0)
    assert told.effects() == ["hold", "save", "void"]
    assert told.taken("dana") == []
    assert told.events(booked, "meeting") == ["meeting.created", "meeting.cancelled"]
    for mail in (CLIENT_MAIL, DANA_MAIL):
        [message] = told.mails("booking_cancelled", mail)
        event = ics(message)
        assert (event["status"], event["sequence"], event["uid"]) == ("CANCELLED", 1, f"{booked}@fxo")
        assert message.attachments[0].content_type.startswith("text/calendar; method=CANCEL")
        assert "The board moved." in message.text
    told.live_until(starts_at + 3 * DAY)
    assert [kind for kind in told.kinds() if "reminder" in kind or "complete" in kind] == [], "no reminder after a cancel"
    assert balances(told) == {}
    well(told)


@pytest.mark.parametrize(("before", "owed"), [(24 * HOUR + MINUTE, 0), (23 * HOUR, 40_000), (HOUR, 80_000)])
def test_case_16_a_late_cancellation_takes_the_fee_of_what_is_held_and_splits_what_was_taken(
    told: Story, before: timedelta, owed: int
) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at - before)
    told.cancel(booked, reason="plans_changed")
    told.work()
    assert fee(told, booked) == owed
    assert told.effects() == ["hold", "save", "capture" if owed else "void"]
    if owed:
        assert balances(told) == {"provider": owed, "partner": -owed * 8 // 10, "platform": -owed * 2 // 10}
        assert f"${owed // 100}" in told.mails("booking_cancelled_client")[0].text
        assert told.mails("payment_received_client")[0].subject.startswith(f"Receipt: ${owed // 100}")
        assert f"${owed * 8 // 1000}" in told.mails("payment_received_partner")[0].subject
        assert "Nothing was charged" not in told.mails("booking_cancelled_client")[0].text
    well(told)


def test_case_16_the_policy_that_was_accepted_counts_and_not_the_one_of_today(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    harder = {"version": 2, "free_until_hours": 96, "half_until_hours": 48}
    told.rows("update tenants set policy = %(p)s returning id", p=Jsonb(harder))
    told.cancel(booked)
    told.work()
    assert fee(told, booked) == 0
    assert told.effects("capture") == []


def test_a_saved_card_is_charged_a_fee_that_falls_due_before_anything_was_held(told: Story) -> None:
    told.rows("update tenants set policy = %(p)s returning id", p=Jsonb({"free_until_hours": 240, "half_until_hours": 2}))
    strict = told.of(told.parts.records.by_slug("fortium"), told.client)
    booked = strict.book("dana", strict.ahead(9 * DAY))
    assert strict.payment(booked)[0] == "card_saved"
    strict.cancel(booked)
    strict.work()
    assert (fee(strict, booked), strict.payment(booked)[0]) == (40_000, "captured")
    assert strict.effects() == ["save", "hold", "capture"]
    strict.live(20 * DAY)
    assert strict.effects("capture") == ["capture"]
    well(strict)


def test_a_cancelled_booking_with_a_saved_card_is_never_authorised(told: Story) -> None:
    booked = told.book("dana", told.ahead(9 * DAY))
    told.cancel(booked)
    told.work()
    assert told.payment(booked)[0] == "abandoned"
    told.live(12 * DAY)
    assert told.effects() == ["save"]
    well(told)


def test_exactly_one_of_cancel_and_complete_wins(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at)
    told.complete(booked, "dana")
    with pytest.raises(Conflict):
        told.cancel(booked)
    told.live(HOUR)
    assert told.effects("capture", "void") == ["capture"]


def test_an_operator_cancels_and_may_waive_the_fee(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at - HOUR)
    told.cancel(booked, by=told.operator(), reason="expert_asked", waived=True)
    told.work()
    assert (fee(told, booked), told.payment(booked)[0]) == (0, "voided")
    assert "It was cancelled by the platform." in told.mails("booking_cancelled_client")[0].text


# Moved (hard cases 18 and 19) ----------------------------------------------------------------------------------------


def test_case_18_a_move_takes_the_new_time_and_frees_the_old_one_with_the_same_money_and_meeting(told: Story) -> None:
    starts_at = told.ahead(3 * DAY)
    booked = told.book("dana", starts_at)
    told.work()
    link, later = told.join_url(booked), starts_at + DAY
    told.move(booked, later)
    assert told.taken("dana") == [later]
    told.work()
    assert told.events(booked, "meeting") == ["meeting.created", "meeting.moved"]
    assert told.join_url(booked) == link
    assert told.rows("select starts_at, sequence from plugin_calendar_local.meetings") == [(later, 1)]
    for mail in (CLIENT_MAIL, DANA_MAIL):
        [message] = told.mails("session_moved", mail)
        event = ics(message)
        assert (event.decoded("dtstart"), event["sequence"], event["uid"]) == (later, 1, f"{booked}@fxo")
    assert told.effects() == ["hold", "save"]
    told.live_until(later)
    assert told.state(booked) == "started"
    told.complete(booked, "dana")
    told.live(HOUR)
    assert told.effects() == ["hold", "save", "capture"]
    well(told)


def test_case_19_reminders_go_by_the_new_time_and_each_is_sent_once(told: Story) -> None:
    starts_at = told.ahead(3 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at - 25 * HOUR)
    told.move(booked, starts_at + DAY)
    told.live_until(starts_at - 23 * HOUR)
    assert "reminder_24h_client" not in told.kinds(CLIENT_MAIL), "it is not tomorrow any more"
    told.live_until(starts_at + DAY + HOUR)
    assert [kind for kind in told.kinds(CLIENT_MAIL) if "reminder" in kind] == ["reminder_24h_client", "reminder_1h_client"]
    assert told.state(booked) == "started"
    well(told)


def test_case_18_moved_out_of_what_is_held_it_is_held_anew_first_and_the_old_hold_let_go_afterwards(told: Story) -> None:
    booked = told.book("dana", told.ahead(2 * DAY))
    later = told.ahead(9 * DAY)
    told.move(booked, later)
    told.work()
    assert told.payment(booked)[0] == "card_saved"
    assert told.effects() == ["hold", "save"], "the first hold stands until there is another one"
    told.live_until(later - 3 * DAY + MINUTE)
    assert told.payment(booked)[0] == "authorised"
    assert told.effects() == ["hold", "save", "hold", "void"]
    told.live_until(later + 30 * MINUTE)
    told.complete(booked, "dana")
    told.live(DAY)
    assert told.effects() == ["hold", "save", "hold", "void", "capture"], "never a second charge"
    assert balances(told)["provider"] == 80_000
    well(told)


def test_case_18_moved_and_cancelled_before_it_is_held_anew_lets_the_old_hold_go(told: Story) -> None:
    booked = told.book("dana", told.ahead(2 * DAY))
    told.move(booked, told.ahead(9 * DAY))
    told.work()
    told.cancel(booked)
    told.work()
    assert told.payment(booked)[0] == "voided"
    told.live(12 * DAY)
    assert told.effects() == ["hold", "save", "void"]
    well(told)


def test_case_18_a_saved_card_is_authorised_three_days_before_the_new_time(told: Story) -> None:
    starts_at = told.ahead(9 * DAY)
    booked = told.book("dana", starts_at)
    later = starts_at + 7 * DAY
    told.move(booked, later)
    told.live_until(later - 3 * DAY - HOUR)
    assert told.effects() == ["save"]
    told.live_until(later - 3 * DAY + MINUTE)
    assert told.effects() == ["save", "hold"]
    sooner = told.ahead(DAY)
    told.move(booked, sooner)
    told.live_until(sooner + MINUTE)
    assert told.effects() == ["save", "hold"]
    well(told)


def test_case_18_a_taken_time_loses_nothing(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    other = told.of(told.config, told.newcomer())
    other.book("dana", starts_at + DAY)
    with pytest.raises(SlotTaken):
        told.move(booked, starts_at + DAY)
    assert told.taken("dana") == [starts_at, starts_at + DAY]
    told.move(booked, starts_at + timedelta(minutes=30))
    assert told.taken("dana") == [starts_at + timedelta(minutes=30), starts_at + DAY], "also into its own time"


def test_an_expert_proposes_times_and_the_client_takes_one_with_one_tap(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.run(told.partner("dana"), consultations.propose, booked, [starts_at + DAY, starts_at + 2 * DAY], words="My flight.")
    told.work()
    [mail] = told.mails("move_proposed_client")
    assert "My flight." in mail.text
    told.move(booked, starts_at + 2 * DAY)
    told.work()
    assert told.taken("dana") == [starts_at + 2 * DAY]
    assert told.rows("select moves, sequence, moved_by from consultations") == [(0, 1, "partner")]
    assert "one of the times that you proposed" in told.mails("session_moved_partner")[0].text
    well(told)


def test_who_refuses_an_experts_proposal_goes_free_of_charge(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.run(told.partner("dana"), consultations.propose, booked, [starts_at + DAY])
    told.live_until(starts_at - HOUR)
    told.run(told.client, consultations.refuse_move, booked)
    told.work()
    assert (told.state(booked), fee(told, booked), told.effects("void", "capture")) == ("cancelled", 0, ["void"])
    well(told)


# Asked first (hard case 5) -------------------------------------------------------------------------------------------


def test_case_5_a_request_keeps_the_time_and_the_card_and_holds_no_money(told: Story) -> None:
    told = asking(told)
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live(HOUR)
    assert (told.state(booked), told.payment(booked)[0]) == ("requested", "card_saved")
    assert told.effects() == ["save"]
    assert told.taken("dana") == [starts_at]
    assert told.events(booked, "meeting") == []
    assert sorted(told.kinds()) == ["request_received_partner", "request_sent_client"]
    told.run(told.partner("dana"), consultations.accept, booked)
    told.work()
    assert (told.state(booked), told.payment(booked)[0]) == ("confirmed", "authorised")
    assert told.effects() == ["save", "hold"]
    told.live(MINUTE)
    assert "booking_confirmed_client" in told.kinds(CLIENT_MAIL)
    assert told.join_url(booked)
    told.live_until(starts_at)
    told.complete(booked, "dana")
    told.live(HOUR)
    assert told.effects() == ["save", "hold", "capture"]
    well(told)


@pytest.mark.parametrize("how", ["declined", "taken back", "silence"])
def test_case_5_declined_taken_back_or_unanswered_it_ends_and_nothing_was_held(told: Story, how: str) -> None:
    told = asking(told)
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    match how:
        case "declined":
            told.run(told.partner("dana"), consultations.end_request, booked, "I am travelling.")
        case "taken back":
            told.run(told.client, consultations.end_request, booked)
        case "silence":
            told.live(12 * HOUR + MINUTE)
    told.work()
    assert (told.state(booked), told.payment(booked)[0]) == ("declined", "abandoned")
    assert told.taken("dana") == []
    assert ("request_ended_client" in told.kinds(CLIENT_MAIL)) is (how != "taken back")
    told.live(5 * DAY)
    assert told.effects() == ["save"]
    with pytest.raises(Gone):
        told.run(told.partner("dana"), consultations.accept, booked)
    well(told)


def test_case_5_an_accepted_request_far_ahead_is_held_when_its_time_comes(told: Story) -> None:
    told = asking(told)
    starts_at = told.ahead(10 * DAY)
    booked = told.book("dana", starts_at)
    told.run(told.partner("dana"), consultations.accept, booked)
    told.live_until(starts_at - 3 * DAY - MINUTE)
    assert told.effects() == ["save"]
    told.live_until(starts_at - 3 * DAY + MINUTE)
    assert told.effects() == ["save", "hold"]


def test_case_5_of_two_who_ask_for_one_time_the_first_has_it_and_the_other_gets_alternatives(told: Story) -> None:
    told = asking(told)
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    other = told.of(told.config, told.newcomer())
    with pytest.raises(SlotTaken) as taken:
        other.hold("dana", starts_at + 30 * MINUTE)
    assert (taken.value.partner_id, taken.value.wanted) == (told.partners["dana"], starts_at + 30 * MINUTE)
    told.run(told.partner("dana"), consultations.end_request, booked)
    other.book("dana", starts_at + 30 * MINUTE)
    assert told.taken("dana") == [starts_at + 30 * MINUTE], "a declined one has given the time back"


def test_case_5_and_10_a_calendar_that_cannot_be_read_makes_it_a_request(told: Story) -> None:
    unknown = consultations.Hold(new_id(), told.partners["dana"], told.ahead(2 * DAY))
    told.run(told.client, consultations.hold, told.config, unknown, minutes=10, external=None)
    told.pay(unknown.consultation_id)
    assert told.state(unknown.consultation_id) == "requested"


# Who came (hard case 17) ---------------------------------------------------------------------------------------------


def begun(told: Story, *who: str) -> tuple[UUID, datetime]:
    """A session with Dana that has begun, and who is there."""
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at)
    for side in who:
        told.arrive(booked, told.client if side == "client" else told.partner("dana"))
    return booked, starts_at


def test_case_17_an_absent_expert_costs_nothing_and_what_is_held_is_let_go(told: Story) -> None:
    booked, starts_at = begun(told, "client")
    told.live_until(starts_at + 10 * MINUTE)
    assert "expert_late_client" in told.kinds(CLIENT_MAIL)
    assert "client_waits_partner" in told.kinds(DANA_MAIL)
    told.report(booked, told.client, "partner")
    told.work()
    assert (told.state(booked), fee(told, booked), told.payment(booked)[0]) == ("missed", 0, "authorised")
    assert "partner_missed_client" in told.kinds(CLIENT_MAIL) and "partner_missed_partner" in told.kinds(DANA_MAIL)
    told.live_until(starts_at + HOUR + DAY - MINUTE)
    assert told.payment(booked)[0] == "authorised", "the expert has a day to object, as everybody has"
    told.live(2 * MINUTE)
    assert told.payment(booked)[0] == "voided"
    told.live(3 * DAY)
    assert told.state(booked) == "missed"
    assert told.effects("capture") == []
    well(told, "session.expert_absent")


def test_case_17_an_expert_who_was_there_after_all_says_so_within_the_day_and_a_person_decides(told: Story) -> None:
    booked, starts_at = begun(told, "client")
    told.live_until(starts_at + 10 * MINUTE)
    told.report(booked, told.client, "partner")
    told.live_until(starts_at + 20 * HOUR)
    told.run(told.partner("dana"), consultations.object_to, booked, "was_there", "I came by the link of the invitation.")
    told.live_until(starts_at + 3 * DAY)
    assert (told.state(booked), told.effects("capture", "void")) == ("contested", [])
    told.run(told.operator(), consultations.decide, booked, Money(80_000, "USD"), "The meeting's log shows both.")
    told.work()
    assert (told.state(booked), told.effects("capture", "void")) == ("decided", ["capture"])
    well(told, "session.expert_absent", "session.contested")


def test_case_17_an_absent_client_is_charged_by_the_policy_a_day_later(told: Story) -> None:
    booked, starts_at = begun(told, "partner")
    told.live_until(starts_at + 10 * MINUTE)
    told.report(booked, told.partner("dana"), "client")
    told.work()
    assert (told.state(booked), fee(told, booked)) == ("missed", 80_000)
    assert told.effects("capture") == []
    assert "$800 is charged" in told.mails("client_missed_client")[0].text
    told.live_until(starts_at + HOUR + DAY + MINUTE)
    assert (told.state(booked), told.payment(booked)[0]) == ("settled", "captured")
    assert balances(told) == {"provider": 80_000, "partner": -64_000, "platform": -16_000}
    assert "payment_received_client" in told.kinds(CLIENT_MAIL)
    well(told)


@pytest.mark.parametrize(("owed", "effects"), [(80_000, ["capture"]), (30_000, ["capture"]), (0, ["void"])])
def test_case_17_i_was_there_freezes_the_money_until_an_operator_has_decided(told: Story, owed: int, effects: list[str]) -> None:
    booked, starts_at = begun(told, "partner")
    told.live_until(starts_at + 10 * MINUTE)
    told.report(booked, told.partner("dana"), "client")
    told.run(told.client, consultations.object_to, booked, "was_there", "I sat in the room for ten minutes.")
    told.work()
    assert told.state(booked) == "contested"
    assert told.alarms() == ["session.contested"]
    assert "case_opened_partner" in told.kinds(DANA_MAIL)
    told.run(told.partner("dana"), consultations.object_to, booked, "was_there", "So did I, and nobody came.")
    told.live_until(starts_at + 2 * DAY)
    assert (told.state(booked), told.effects("capture", "void")) == ("contested", []), "no money moves before"
    assert told.rows("select client_words, partner_words, opened_by, says from cases") == [
        ("I sat in the room for ten minutes.", "So did I, and nobody came.", "client", "was_there")
    ]
    for who in (told.client, told.partner("dana")):
        with pytest.raises(NotAllowed):
            told.run(who, consultations.decide, booked, Money(0, "USD"), "Me.")
    told.run(told.operator(), consultations.decide, booked, Money(owed, "USD"), "The room's log shows both.")
    told.work()
    assert (told.state(booked), fee(told, booked), told.effects("capture", "void")) == ("decided", owed, effects)
    for mail in told.mails("case_decided"):
        assert "The room's log shows both." in mail.text
    assert balances(told).get("provider", 0) == owed


def test_case_17_what_was_taken_already_is_given_back_as_far_as_it_is_decided(told: Story) -> None:
    booked, starts_at = begun(told, "client", "partner")
    told.live_until(starts_at + HOUR)
    told.complete(booked, "dana")
    told.live(HOUR)
    told.run(told.client, consultations.object_to, booked, "not_as_agreed", "We spoke for ten minutes.")
    told.run(told.operator(), consultations.decide, booked, Money(20_000, "USD"), "It was short.")
    told.work()
    assert told.effects("capture", "refund") == ["capture", "refund"]
    assert (told.state(booked), fee(told, booked)) == ("decided", 20_000)


def test_case_17_both_are_absent_and_the_expert_says_so(told: Story) -> None:
    booked, starts_at = begun(told)
    told.live_until(starts_at + 2 * HOUR)
    told.report(booked, told.partner("dana"), "partner")
    told.live(3 * HOUR)
    assert (told.state(booked), fee(told, booked), told.payment(booked)[0]) == ("missed", 0, "voided")
    assert "partner_missed_client" in told.kinds(CLIENT_MAIL)
    assert "partner_missed_partner" not in told.kinds(DANA_MAIL), "who has said so is not asked whether it is so"
    well(told, "session.expert_absent")


def test_case_17_cancelled_is_not_a_no_show(told: Story) -> None:
    booked, _ = begun(told, "partner")
    told.cancel(booked)
    told.live(HOUR)
    with pytest.raises(Conflict):
        told.report(booked, told.partner("dana"), "client")
    assert told.state(booked) == "cancelled"


# The expert forgets to complete (hard case 3) ------------------------------------------------------------------------


def test_case_3_the_expert_is_asked_after_an_hour_and_a_day_later_it_is_completed_and_paid(told: Story) -> None:
    booked, starts_at = begun(told, "client", "partner")
    told.live_until(starts_at + 2 * HOUR - MINUTE)
    assert "to_complete_partner" not in told.kinds(DANA_MAIL)
    told.live_until(starts_at + 2 * HOUR + MINUTE)
    assert "to_complete_partner" in told.kinds(DANA_MAIL)
    assert "to_complete_client" in told.kinds(CLIENT_MAIL)
    told.live_until(starts_at + HOUR + DAY - MINUTE)
    assert (told.state(booked), told.effects("capture")) == ("started", [])
    told.live_until(starts_at + HOUR + DAY + MINUTE)
    assert (told.state(booked), told.effects("capture")) == ("completed", ["capture"])
    assert told.events(booked, "consultation.c")[-2:] == ["consultation.completed", "consultation.closed"]
    well(told)


def test_case_3_who_objects_in_that_day_stops_it(told: Story) -> None:
    booked, starts_at = begun(told, "client", "partner")
    told.live_until(starts_at + 3 * HOUR)
    told.run(told.client, consultations.object_to, booked, "not_as_agreed", "The line broke after a minute.")
    told.live(3 * DAY)
    assert (told.state(booked), told.effects("capture")) == ("contested", [])


def test_case_3_nobody_is_asked_about_a_session_that_is_completed(told: Story) -> None:
    booked, _ = begun(told, "client", "partner")
    told.complete(booked, "dana")
    told.live(3 * DAY)
    assert [kind for kind in told.kinds() if kind.startswith("to_complete")] == []
    assert told.effects("capture") == ["capture"]


# Rescue (hard case 15) -----------------------------------------------------------------------------------------------


def test_case_15_an_equal_expert_stands_in_with_the_same_brief_and_the_same_payment(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    left = told.book("dana", starts_at)
    told.work()
    told.cancel(left, by=told.partner("dana"), reason="ill", words="I am so sorry.")
    told.work()
    assert (told.state(left), fee(told, left), told.payment(left)[0]) == ("cancelled", 0, "authorised")
    assert "I am so sorry." in told.mails("booking_cancelled_client")[0].text
    assert "one tap" in told.mails("booking_cancelled_client")[0].text
    assert "See who can take over" in told.mails("booking_cancelled_client")[0].text
    kept = told.stand_in(left, "ines", starts_at)
    told.work()
    assert (told.state(kept), told.payment(kept)[0], told.payment(left)[0]) == ("confirmed", "authorised", "handed_over")
    assert told.rows("select rescued_by from consultations where id = %(id)s", id=left) == [(kept,)]
    assert (told.taken("dana"), told.taken("ines")) == ([], [starts_at])
    assert told.effects() == ["hold", "save"], "the same hold"
    told.live_until(starts_at + 30 * MINUTE)
    told.complete(kept, "ines")
    told.live(DAY)
    assert told.effects() == ["hold", "save", "capture"]
    earned = "select partner_id, amount_minor from postings where account = 'partner'"
    assert told.rows(earned) == [(told.partners["ines"], -64_000)]
    assert told.join_url(kept)
    well(told)


def test_case_15_a_notice_about_the_payment_is_received_though_two_bookings_have_had_it(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    left = told.book("dana", starts_at)
    told.cancel(left, by=told.partner("dana"))
    told.stand_in(left, "ines", starts_at)
    told.work()
    [(reference,), (same,)] = told.rows("select provider_reference from payments")
    assert reference == same
    sent = told.notice(new_id(), "sn_of_both", kind="dispute.opened", reference=reference)
    assert sent.status_code < 300, sent.text
    assert told.rows("select tenant_id from inbox where event_id = 'sn_of_both'") == [(told.config.id,)]


def test_case_15_a_late_expert_is_replaced_with_one_tap(told: Story) -> None:
    booked, starts_at = begun(told, "client")
    told.live_until(starts_at + 10 * MINUTE)
    later = told.ahead(DAY)
    kept = told.stand_in(booked, "ines", later)
    told.work()
    assert (told.state(booked), told.state(kept)) == ("missed", "confirmed")
    told.live_until(later + 30 * MINUTE)
    told.complete(kept, "ines")
    told.live(DAY)
    assert told.effects() == ["hold", "save", "capture"]
    well(told, "session.expert_absent")


@pytest.mark.parametrize(("before", "alarms"), [(25 * HOUR, ()), (23 * HOUR, ("session.expert_cancelled",))])
def test_case_15_an_operator_is_told_of_an_expert_who_cancels_inside_a_day(
    told: Story, before: timedelta, alarms: tuple[str, ...]
) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at - before)
    told.cancel(booked, by=told.partner("dana"), reason="ill")
    told.work()
    well(told, *alarms)


def test_case_15_who_does_not_keep_sessions_is_noted(told: Story) -> None:
    told.cancel(told.book("dana", told.ahead(2 * DAY)), by=told.partner("dana"), reason="ill")
    booked, starts_at = begun(told, "client")
    told.live_until(starts_at + 10 * MINUTE)
    told.report(booked, told.client, "partner")
    told.cancel(told.book("dana", told.ahead(2 * DAY)))  # by the client
    found = told.parts.store.run(operator_scope(told.operator().id), told.operator(), operations.partner, told.partners["dana"])
    assert (found.cancelled, found.missed) == (1, 1)


def test_case_15_where_the_hold_does_not_reach_the_saved_card_is_held_anew_and_charged_once(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    left = told.book("dana", starts_at)
    told.cancel(left, by=told.partner("dana"), reason="ill")
    later = told.ahead(9 * DAY)
    kept = told.stand_in(left, "ines", later)
    told.live_until(later + 30 * MINUTE)
    assert told.payment(kept)[0] == "authorised"
    told.complete(kept, "ines")
    told.live(DAY)
    assert told.effects() == ["hold", "save", "hold", "void", "capture"]
    well(told)


def test_case_15_a_saved_card_goes_along_and_is_held_when_its_time_comes(told: Story) -> None:
    starts_at = told.ahead(9 * DAY)
    left = told.book("dana", starts_at)
    told.cancel(left, by=told.partner("dana"), reason="ill")
    kept = told.stand_in(left, "ines", starts_at)
    told.live_until(starts_at + MINUTE)
    assert (told.payment(kept)[0], told.effects()) == ("authorised", ["save", "hold"])
    well(told)


@pytest.mark.parametrize("how", ["expired", "not wanted"])
def test_case_15_what_is_held_is_let_go_where_nobody_stands_in(told: Story, how: str) -> None:
    left = told.book("dana", told.ahead(2 * DAY))
    told.cancel(left, by=told.partner("dana"), reason="ill")
    told.live(HOUR)
    assert told.payment(left)[0] == "authorised"
    if how == "expired":
        told.live(HOUR + MINUTE)
    else:
        told.run(told.client, consultations.end_rescue, left, "not_wanted")
        told.work()
    assert (told.payment(left)[0], told.effects("void", "capture")) == ("voided", ["void"])
    with pytest.raises(Conflict):
        told.stand_in(left, "ines", told.ahead(2 * DAY))
    well(told)


def test_case_15_without_an_equal_expert_it_is_let_go_at_once(told: Story) -> None:
    told.rows("update roster set ended_at = now() where partner_id <> %(p)s returning 1", p=told.partners["dana"])
    left = told.book("dana", told.ahead(2 * DAY))
    told.cancel(left, by=told.partner("dana"), reason="ill")
    told.work()
    assert told.payment(left)[0] == "voided"


def test_case_15_only_an_equal_expert_stands_in_and_only_at_a_free_time(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    left = told.book("dana", starts_at)
    told.cancel(left, by=told.partner("dana"), reason="ill")
    other = told.of(told.config, told.newcomer())
    other.book("ines", starts_at)
    with pytest.raises(SlotTaken):
        told.stand_in(left, "ines", starts_at)
    assert (told.state(left), told.payment(left)[0]) == ("cancelled", "authorised"), "nothing has changed"
    told.rows("update roster set price_minor = 90000 where partner_id = %(p)s returning 1", p=told.partners["ines"])
    with pytest.raises(NotFound):
        told.stand_in(left, "ines", starts_at + DAY)


def test_of_a_rescued_session_its_first_expert_earns_nothing(told: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    left = told.book("dana", starts_at)
    told.cancel(left, by=told.partner("dana"), reason="ill")
    kept = told.stand_in(left, "ines", starts_at)
    told.live_until(starts_at + HOUR)
    told.complete(kept, "ines")
    told.live(HOUR)
    earned = told.parts.store.run(partner_scope(told.partners["dana"]), told.partner("dana"), ledger.earnings)
    assert list(earned) == []
