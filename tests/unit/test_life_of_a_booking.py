"""How a booking lives after it was made: asked for, cancelled, moved, missed, contested, rescued; decision by decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from fxo.core.consultations import absences, changes, model
from fxo.core.consultations.changes import RESCUE, Cancel, Move, PriceChanged
from fxo.core.consultations.model import (
    ANSWER,
    CONSULTATION,
    EARLY,
    AbsenceSettled,
    Arrived,
    Cancelled,
    Closed,
    Completed,
    Decided,
    Explained,
    Missed,
    Moved,
    MoveProposed,
    Objected,
    Party,
    ProposalWithdrawn,
    Requested,
    RequestEnded,
    Rescued,
    RescueEnded,
    Started,
)
from fxo.core.errors import Conflict, Gone, Invalid
from fxo.core.money import Money
from tests.support.decisions import given as given_events
from tests.unit.test_consultation_decisions import CONFIRMED, FREE, HALF, HELD, NOW, OTHER, PARTNER, PAYMENT, SECOND, START

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
PRICE = HELD.price
ASKS = replace(HELD, asks=True)
UNTIL = NOW + timedelta(hours=12)
REQUESTED = Requested(PAYMENT, UNTIL)
GRACE = START + timedelta(minutes=10)
END = START + HOUR
STARTED = Started(Party.SYSTEM)
CLIENT_CAME, PARTNER_CAME = Arrived(Party.CLIENT, "checked_in"), Arrived(Party.PARTNER, "joined")
BOOKED = (HELD, CONFIRMED)
BEGUN = (HELD, CONFIRMED, STARTED)


def given(*events: object) -> Any:
    return given_events(CONSULTATION, *events)


def cancelled(by: Party, reason: str, fee: Money, until: datetime | None = None) -> Cancelled:
    return Cancelled(by, reason, fee, Party.CLIENT if fee.minor else Party.PARTNER, until)


def to(at: datetime, by: Party = Party.CLIENT) -> Move:
    return Move(by, at, at + HOUR, at, at + 75 * MINUTE)


def moved(at: datetime, by: Party = Party.CLIENT) -> Moved:
    return Moved(by, at, at + HOUR, at, at + 75 * MINUTE)


# Request to confirm (hard case 5) -------------------------------------------------------------------------------------


def test_case_5_with_the_card_saved_a_booking_that_asks_first_is_a_request() -> None:
    given(ASKS).when(model.confirm, PAYMENT, slot_is_ours=True, ask_until=UNTIL).then(REQUESTED)
    given(ASKS, REQUESTED).when(model.confirm, PAYMENT, slot_is_ours=True, ask_until=UNTIL).then()


@pytest.mark.parametrize(
    ("ahead", "notice", "expected"),
    [(48, 12, 12), (20, 12, 8), (13, 12, 1), (1, 1, 0.5), (12, 0, 12)],
    ids=["twelve hours", "the notice", "an hour at least", "half of what is left", "no notice"],
)
def test_case_5_a_request_lapses_after_twelve_hours_or_by_the_notice(ahead: int, notice: int, expected: float) -> None:
    assert changes.answer_until(NOW + ahead * HOUR, notice * HOUR, NOW) == NOW + expected * HOUR


def test_case_5_the_expert_accepts_and_it_is_a_booking() -> None:
    given(ASKS, REQUESTED).when(changes.accept, NOW).then(CONFIRMED)
    given(ASKS, REQUESTED, CONFIRMED).when(changes.accept, NOW).then()
    given(ASKS, REQUESTED).when(changes.accept, UNTIL).then(Gone)


@pytest.mark.parametrize("by", [Party.PARTNER, Party.CLIENT])
def test_case_5_the_expert_declines_or_the_client_takes_it_back(by: Party) -> None:
    given(ASKS, REQUESTED).when(changes.end_request, by, NOW).then(RequestEnded(by))
    given(ASKS, REQUESTED, RequestEnded(by)).when(changes.end_request, by, NOW).then()
    given(ASKS, REQUESTED, RequestEnded(by)).when(changes.accept, NOW).then(Gone)


def test_case_5_silence_releases() -> None:
    given(ASKS, REQUESTED).when(changes.end_request, Party.SYSTEM, UNTIL - SECOND).then()
    given(ASKS, REQUESTED).when(changes.end_request, Party.SYSTEM, UNTIL).then(RequestEnded(Party.SYSTEM))
    given(ASKS, REQUESTED, CONFIRMED).when(changes.end_request, Party.SYSTEM, UNTIL).then()


# Cancelling (hard cases 15 and 16) ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "fee"),
    [
        (START - 24 * HOUR, FREE), (START - 24 * HOUR + SECOND, HALF), (START - 2 * HOUR, HALF),
        (START - 2 * HOUR + SECOND, PRICE), (START + 30 * MINUTE, PRICE),
    ],
)  # fmt: skip
def test_case_16_a_client_who_cancels_owes_what_the_accepted_policy_says_at_that_moment(at: datetime, fee: Money) -> None:
    wanted = Cancel(Party.CLIENT, "plans_changed")
    given(*BOOKED).when(changes.cancel, wanted, at).then(cancelled(Party.CLIENT, "plans_changed", fee))


def test_case_16_who_was_told_another_price_is_asked_again() -> None:
    wanted = Cancel(Party.CLIENT, "other", agreed=FREE)
    given(*BOOKED).when(changes.cancel, wanted, START - DAY).then(cancelled(Party.CLIENT, "other", FREE))
    given(*BOOKED).when(changes.cancel, wanted, START - DAY + SECOND).then(PriceChanged, code="price_changed")


@pytest.mark.parametrize("at", [NOW, START - MINUTE, START + 5 * MINUTE])
def test_case_15_an_experts_cancellation_is_always_free_and_others_may_stand_in(at: datetime) -> None:
    wanted = Cancel(Party.PARTNER, "ill", rescue=True)
    given(*BOOKED).when(changes.cancel, wanted, at).then(cancelled(Party.PARTNER, "ill", FREE, at + RESCUE))
    alone = replace(wanted, rescue=False)
    given(*BOOKED).when(changes.cancel, alone, at).then(cancelled(Party.PARTNER, "ill", FREE))


def test_an_expert_does_not_cancel_what_is_over() -> None:
    given(*BEGUN).when(changes.cancel, Cancel(Party.PARTNER, "ill"), END).then(Conflict)


def test_an_operator_cancels_for_the_clients_fee_or_waives_it() -> None:
    wanted = Cancel(Party.OPERATOR, "client_asked")
    given(*BOOKED).when(changes.cancel, wanted, START - HOUR).then(cancelled(Party.OPERATOR, "client_asked", PRICE))
    waived = replace(wanted, waived=True)
    given(*BOOKED).when(changes.cancel, waived, START - HOUR).then(cancelled(Party.OPERATOR, "client_asked", FREE))


def test_a_reason_is_one_of_the_list() -> None:
    given(*BOOKED).when(changes.cancel, Cancel(Party.CLIENT, "ill"), NOW).then(Invalid)


# Moving (hard case 18) ------------------------------------------------------------------------------------------------


def test_case_18_a_client_moves_a_session_twice_and_not_a_third_time() -> None:
    given(*BOOKED).when(changes.move, to(START + DAY), NOW).then(moved(START + DAY))
    given(*BOOKED, moved(START + DAY)).when(changes.move, to(START + 2 * DAY), NOW).then(moved(START + 2 * DAY))
    twice = (*BOOKED, moved(START + DAY), moved(START + 2 * DAY))
    given(*twice).when(changes.move, to(START + 3 * DAY), NOW).then(Conflict, code="moves_used")


def test_case_18_four_hours_before_is_the_last_moment_to_move() -> None:
    given(*BOOKED).when(changes.move, to(START + DAY), START - 4 * HOUR).then(moved(START + DAY))
    given(*BOOKED).when(changes.move, to(START + DAY), START - 4 * HOUR + SECOND).then(Conflict, code="too_late_to_move")


def test_case_18_what_a_cancellation_costs_goes_by_the_new_time() -> None:
    later = (*BOOKED, moved(START + 2 * DAY))
    given(*later).when(changes.cancel, Cancel(Party.CLIENT, "other"), START - HOUR).then(cancelled(Party.CLIENT, "other", FREE))


def test_case_18_a_cancelled_or_a_begun_session_is_not_moved() -> None:
    given(*BOOKED, cancelled(Party.CLIENT, "other", FREE)).when(changes.move, to(START + DAY), NOW).then(Conflict)
    given(*BEGUN).when(changes.move, to(START + DAY), START).then(Conflict)


def test_a_move_to_the_same_time_is_none_and_one_into_the_past_is_refused() -> None:
    given(*BOOKED).when(changes.move, to(START), NOW).then()
    given(*BOOKED).when(changes.move, to(NOW), NOW).then(Invalid)


def test_an_expert_proposes_and_the_client_takes_one_which_does_not_count_as_theirs() -> None:
    times = (START + DAY, START + 2 * DAY)
    given(*BOOKED).when(changes.propose, [times[1], times[0]], NOW).then(MoveProposed(times))
    proposed = (*BOOKED, moved(START - HOUR), moved(START), MoveProposed(times))
    given(*proposed).when(changes.move, to(times[0]), NOW).then(moved(times[0], Party.PARTNER))
    given(*proposed).when(changes.move, to(START + 5 * DAY), NOW).then(Conflict, code="moves_used")


def test_a_client_whom_none_of_the_proposed_times_suits_goes_for_free_however_late() -> None:
    proposed = (*BOOKED, MoveProposed((START + DAY,)))
    given(*proposed).when(changes.refuse_move, START - HOUR).then(cancelled(Party.CLIENT, "move_refused", FREE))
    given(*proposed, ProposalWithdrawn()).when(changes.refuse_move, START - HOUR).then(Conflict)


def test_a_proposal_has_one_to_three_times_ahead_and_comes_in_time() -> None:
    for times in ([], [NOW], [START], [START + n * DAY for n in range(1, 5)]):
        given(*BOOKED).when(changes.propose, times, NOW).then(Invalid)
    given(*BOOKED).when(changes.propose, [START + DAY], START - HOUR).then(Conflict, code="too_late_to_move")


def test_a_proposal_is_taken_back_once() -> None:
    proposed = (*BOOKED, MoveProposed((START + DAY,)))
    given(*proposed).when(changes.withdraw_proposal).then(ProposalWithdrawn())
    given(*proposed, ProposalWithdrawn()).when(changes.withdraw_proposal).then()


# Who came (hard case 17) ----------------------------------------------------------------------------------------------


def test_the_first_to_come_begins_the_session_and_both_leave_evidence() -> None:
    given(*BOOKED).when(absences.arrive, Party.CLIENT, "checked_in", START - EARLY).then(CLIENT_CAME, Started(Party.CLIENT))
    given(*BEGUN, CLIENT_CAME).when(absences.arrive, Party.PARTNER, "joined", START).then(PARTNER_CAME)
    given(*BEGUN, CLIENT_CAME).when(absences.arrive, Party.CLIENT, "joined", START).then()
    given(*BOOKED).when(absences.arrive, Party.CLIENT, "joined", START - EARLY - SECOND).then(Conflict)


def test_case_17_nobody_is_absent_before_the_grace_is_over() -> None:
    early = GRACE - SECOND
    given(*BEGUN, CLIENT_CAME).when(absences.report, Party.CLIENT, Party.PARTNER, early).then(Conflict, code="too_early")


def test_case_17_an_absent_expert_costs_nothing_and_others_may_stand_in() -> None:
    missed = Missed(Party.PARTNER, Party.CLIENT, FREE, Party.PARTNER, GRACE + RESCUE)
    given(*BEGUN, CLIENT_CAME).when(absences.report, Party.CLIENT, Party.PARTNER, GRACE).then(missed)
    given(*BEGUN, CLIENT_CAME, missed).when(absences.report, Party.CLIENT, Party.PARTNER, GRACE).then()


def test_case_17_an_absent_client_owes_by_the_policy_once_a_day_has_passed_without_objection() -> None:
    missed = Missed(Party.CLIENT, Party.PARTNER, PRICE, Party.CLIENT, None)
    given(*BEGUN, PARTNER_CAME).when(absences.report, Party.PARTNER, Party.CLIENT, GRACE).then(missed)
    given(*BEGUN, PARTNER_CAME, missed).when(absences.conclude, END + ANSWER - SECOND).then()
    given(*BEGUN, PARTNER_CAME, missed).when(absences.conclude, END + ANSWER).then(AbsenceSettled(PRICE))
    given(*BEGUN, missed, AbsenceSettled(PRICE)).when(absences.conclude, END + ANSWER).then()


@pytest.mark.parametrize("evidence", [(PARTNER_CAME, CLIENT_CAME), (PARTNER_CAME,), ()], ids=["both", "the other one", "none"])
def test_case_17_a_word_against_evidence_or_without_any_is_a_case(evidence: tuple[object, ...]) -> None:
    given(*BEGUN, *evidence).when(absences.report, Party.CLIENT, Party.PARTNER, GRACE).then(
        Objected(Party.CLIENT, "other_absent")
    )


def test_case_17_who_says_that_they_did_not_come_themselves_is_believed() -> None:
    missed = Missed(Party.PARTNER, Party.PARTNER, FREE, Party.PARTNER, END + RESCUE)
    given(*BEGUN, CLIENT_CAME).when(absences.report, Party.PARTNER, Party.PARTNER, END).then(missed)


def test_case_17_two_who_both_say_that_the_other_one_was_absent_are_a_case() -> None:
    missed = Missed(Party.PARTNER, Party.CLIENT, FREE, Party.PARTNER, GRACE + RESCUE)
    given(*BEGUN, CLIENT_CAME, missed).when(absences.report, Party.PARTNER, Party.CLIENT, GRACE + MINUTE).then(
        Objected(Party.PARTNER, "was_there")
    )


def test_case_17_i_was_there_freezes_the_money_and_an_operator_decides() -> None:
    missed = Missed(Party.CLIENT, Party.PARTNER, PRICE, Party.CLIENT, None)
    objected = Objected(Party.CLIENT, "was_there")
    absent, contested = (*BEGUN, PARTNER_CAME, missed), (*BEGUN, PARTNER_CAME, missed, objected)
    given(*absent).when(absences.object_to, Party.CLIENT, "was_there", END + ANSWER, END).then(objected)
    given(*absent).when(absences.object_to, Party.CLIENT, "was_there", END + ANSWER, END + ANSWER).then(Gone)
    given(*contested).when(absences.conclude, END + ANSWER).then()
    for fee in (PRICE, HALF, FREE):
        given(*contested).when(absences.decide, fee).then(Decided(fee, Party.CLIENT if fee.minor else Party.PARTNER))
    given(*contested).when(absences.decide, PRICE + Money(1, "USD")).then(Invalid)
    given(*absent).when(absences.decide, FREE).then(Conflict, code="no_case")


def test_a_contested_session_hears_each_side_once_and_is_neither_completed_nor_cancelled() -> None:
    contested = (*BEGUN, Objected(Party.CLIENT, "not_as_agreed"))
    given(*contested).when(absences.object_to, Party.PARTNER, "was_there", END + ANSWER, END).then(
        Objected(Party.PARTNER, "was_there")
    )
    given(*contested).when(absences.object_to, Party.CLIENT, "was_there", END + ANSWER, END).then()
    heard = (*contested, Explained(Party.PARTNER, PARTNER, "We talked for an hour."))
    given(*heard).when(absences.object_to, Party.PARTNER, "was_there", END + ANSWER, END).then()
    given(*contested).when(model.complete, Party.PARTNER, PARTNER, END).then(Conflict)
    given(*contested).when(changes.cancel, Cancel(Party.CLIENT, "other"), END).then(Conflict)


def test_a_completed_session_may_be_objected_to_by_its_client_for_a_day() -> None:
    done = (*BEGUN, Completed(Party.PARTNER), Closed())
    objected = Objected(Party.CLIENT, "not_as_agreed")
    given(*done).when(absences.object_to, Party.CLIENT, "not_as_agreed", END + ANSWER, END).then(objected)
    given(*done).when(absences.object_to, Party.PARTNER, "not_as_agreed", END + ANSWER, END).then(Conflict)
    given(*done).when(absences.object_to, Party.CLIENT, "not_as_agreed", END + ANSWER, END + ANSWER).then(Gone)


# The expert forgets to complete (hard case 3) -------------------------------------------------------------------------


def test_case_3_a_session_that_nobody_completes_is_completed_a_day_after_its_end() -> None:
    given(*BEGUN).when(absences.conclude, END + ANSWER - SECOND).then()
    given(*BEGUN).when(absences.conclude, END + ANSWER).then(Completed(Party.SYSTEM))
    given(*BEGUN, Completed(Party.PARTNER)).when(absences.conclude, END + ANSWER).then()


def test_case_3_a_session_that_was_moved_is_not_completed_by_its_old_time() -> None:
    given(*BOOKED, moved(START + DAY)).when(absences.conclude, END + ANSWER).then()


# Another expert stands in (hard case 15) ------------------------------------------------------------------------------


LEFT = (*BOOKED, cancelled(Party.PARTNER, "ill", FREE, NOW + RESCUE))


def test_case_15_another_expert_stands_in_once_and_within_the_time() -> None:
    given(*LEFT).when(changes.rescue, OTHER, NOW).then(Rescued(OTHER))
    given(*LEFT, Rescued(OTHER)).when(changes.rescue, OTHER, NOW).then(Conflict, code="no_rescue")
    given(*LEFT).when(changes.rescue, OTHER, NOW + RESCUE).then(Gone)


def test_case_15_what_is_held_is_let_go_when_nobody_stands_in() -> None:
    given(*LEFT).when(changes.end_rescue, "expired", NOW + RESCUE - SECOND).then()
    given(*LEFT).when(changes.end_rescue, "expired", NOW + RESCUE).then(RescueEnded("expired", FREE))
    given(*LEFT).when(changes.end_rescue, "not_wanted", NOW).then(RescueEnded("not_wanted", FREE))
    given(*LEFT, Rescued(OTHER)).when(changes.end_rescue, "expired", NOW + RESCUE).then()


def test_case_17_an_absent_expert_may_object_for_a_day_too_and_until_then_what_is_held_stays_held() -> None:
    missed = Missed(Party.PARTNER, Party.CLIENT, FREE, Party.PARTNER, GRACE + RESCUE)
    absent = (*BEGUN, CLIENT_CAME, missed)
    given(*absent).when(changes.end_rescue, "not_wanted", GRACE).then()
    given(*absent).when(changes.end_rescue, "expired", GRACE + RESCUE).then()
    given(*absent).when(changes.rescue, OTHER, GRACE + RESCUE).then(Gone)
    given(*absent).when(absences.object_to, Party.PARTNER, "was_there", END + ANSWER, END + ANSWER - SECOND).then(
        Objected(Party.PARTNER, "was_there")
    )
    given(*absent, Objected(Party.PARTNER, "was_there")).when(changes.end_rescue, "expired", END + ANSWER).then()
    given(*absent).when(changes.end_rescue, "expired", END + ANSWER).then(RescueEnded("expired", FREE))
    gone = (*absent, RescueEnded("expired", FREE))
    given(*gone).when(absences.object_to, Party.PARTNER, "was_there", END + ANSWER, END + ANSWER - SECOND).then(Gone)


def test_case_17_of_an_expert_who_says_so_themselves_nothing_stays_held_once_nobody_can_stand_in() -> None:
    missed = Missed(Party.PARTNER, Party.PARTNER, FREE, Party.PARTNER, GRACE + RESCUE)
    given(*BEGUN, missed).when(changes.end_rescue, "expired", GRACE + RESCUE - SECOND).then()
    given(*BEGUN, missed).when(changes.end_rescue, "expired", GRACE + RESCUE).then(RescueEnded("expired", FREE))


def test_nobody_stands_in_for_a_session_that_its_client_has_cancelled() -> None:
    by_client = (*BOOKED, cancelled(Party.CLIENT, "other", FREE))
    given(*by_client).when(changes.rescue, OTHER, NOW).then(Conflict, code="no_rescue")
