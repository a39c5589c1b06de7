"""What may happen to a booking and its session, decision by decision, and in any order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from fxo.core.consultations import absences, changes, model
from fxo.core.consultations.changes import Cancel, Move
from fxo.core.consultations.model import (
    CONSULTATION,
    EARLY,
    UNDO,
    AbsenceSettled,
    Booked,
    Cancelled,
    Closed,
    Completed,
    CompletionUndone,
    Confirmed,
    Decided,
    Done,
    Ended,
    Held,
    Missed,
    Moved,
    OnHold,
    Party,
    Released,
    Rescued,
    RescueEnded,
    SlotLost,
    Started,
)
from fxo.core.errors import Conflict, FxoError, Gone, Invalid, NotAllowed, NotFound
from fxo.core.ids import new_id
from fxo.core.money import Money
from fxo.core.scope import CancellationPolicy
from tests.support.decisions import after
from tests.support.decisions import given as given_events

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
START = NOW + timedelta(days=2)
SECOND = timedelta(seconds=1)
CLIENT, PARTNER, PAYMENT, OTHER = new_id(), new_id(), new_id(), new_id()
HELD = Held(
    CLIENT, PARTNER, None, START, START + timedelta(hours=1), START, START + timedelta(minutes=75), NOW + timedelta(minutes=10),
    Money(80_000, "USD"), 8_000, CancellationPolicy(),
)  # fmt: skip
CONFIRMED, STARTED, COMPLETED = Confirmed(PAYMENT), Started(Party.SYSTEM), Completed(Party.PARTNER)
FREE, HALF = Money(0, "USD"), Money(40_000, "USD")
EXPIRED, CANCELLED = Released("expired"), Cancelled(Party.SYSTEM, "payment", FREE, Party.PARTNER, None)
PAYMENT_REFUSED = Cancel(Party.SYSTEM, "payment")


def given(*events: object) -> Any:
    return given_events(CONSULTATION, *events)


# Holding ------------------------------------------------------------------------------------------------------------


def test_a_free_time_is_held() -> None:
    given().when(model.hold, HELD, NOW).then(HELD)


def test_a_time_that_has_come_cannot_be_held() -> None:
    given().when(model.hold, replace(HELD, starts_at=NOW), NOW).then(Invalid)


@pytest.mark.parametrize("past", [(HELD,), (HELD, CONFIRMED), (HELD, EXPIRED)])
def test_a_booking_is_held_once(past: tuple[object, ...]) -> None:
    given(*past).when(model.hold, HELD, NOW).then(Conflict)


def test_a_hold_is_released_when_it_has_run_out() -> None:
    given(HELD).when(model.release, "expired", HELD.until).then(EXPIRED)


def test_a_hold_is_not_released_before_it_has_run_out() -> None:
    given(HELD).when(model.release, "expired", HELD.until - SECOND).then()


def test_a_client_gives_a_hold_up_at_any_time() -> None:
    given(HELD).when(model.release, "given_up", NOW).then(Released("given_up"))


@pytest.mark.parametrize("past", [(HELD, EXPIRED), (HELD, CONFIRMED), (HELD, CONFIRMED, CANCELLED), (HELD, SlotLost())])
def test_what_is_no_hold_any_more_is_not_released(past: tuple[object, ...]) -> None:
    given(*past).when(model.release, "expired", START).then()


def test_what_never_was_cannot_be_released() -> None:
    given().when(model.release, "expired", NOW).then(NotFound)


# Confirming ---------------------------------------------------------------------------------------------------------


def test_a_hold_that_is_paid_for_is_confirmed() -> None:
    given(HELD).when(model.confirm, PAYMENT, slot_is_ours=True, ask_until=NOW).then(CONFIRMED)


def test_a_released_hold_is_confirmed_where_the_time_could_be_taken_again() -> None:
    given(HELD, EXPIRED).when(model.confirm, PAYMENT, slot_is_ours=True, ask_until=NOW).then(CONFIRMED)


@pytest.mark.parametrize("past", [(HELD,), (HELD, EXPIRED)])
def test_case_6_money_without_the_time_loses_the_slot(past: tuple[object, ...]) -> None:
    given(*past).when(model.confirm, PAYMENT, slot_is_ours=False, ask_until=NOW).then(SlotLost())


@pytest.mark.parametrize("later", [(), (STARTED,), (STARTED, COMPLETED)])
def test_a_confirmed_session_is_not_confirmed_again_by_the_same_payment(later: tuple[object, ...]) -> None:
    given(HELD, CONFIRMED, *later).when(model.confirm, PAYMENT, slot_is_ours=True, ask_until=NOW).then()


def test_a_confirmed_session_cannot_be_confirmed_by_another_payment() -> None:
    given(HELD, CONFIRMED).when(model.confirm, OTHER, slot_is_ours=True, ask_until=NOW).then(Conflict)


@pytest.mark.parametrize("end", [(SlotLost(),), (CONFIRMED, CANCELLED)])
def test_a_booking_that_has_ended_cannot_be_confirmed(end: tuple[object, ...]) -> None:
    given(HELD, *end).when(model.confirm, PAYMENT, slot_is_ours=True, ask_until=NOW).then(Conflict)


def test_what_never_was_cannot_be_confirmed() -> None:
    given().when(model.confirm, PAYMENT, slot_is_ours=True, ask_until=NOW).then(NotFound)


@pytest.mark.parametrize(
    ("past", "needed"),
    [
        ((), False), ((HELD,), True), ((HELD, EXPIRED), True), ((HELD, SlotLost()), False), ((HELD, CONFIRMED), False),
        ((HELD, CONFIRMED, CANCELLED), False), ((HELD, CONFIRMED, COMPLETED), False),
    ],
)  # fmt: skip
def test_confirming_needs_the_time_only_of_a_hold(past: tuple[object, ...], needed: bool) -> None:
    assert model.needs_slot(after(CONSULTATION, *past)) is needed


# Starting -----------------------------------------------------------------------------------------------------------


def test_the_start_time_starts_the_session() -> None:
    given(HELD, CONFIRMED).when(model.start, Party.SYSTEM, START).then(STARTED)


def test_the_first_check_in_starts_the_session_ten_minutes_early() -> None:
    given(HELD, CONFIRMED).when(model.start, Party.CLIENT, START - EARLY).then(Started(Party.CLIENT))


def test_nobody_checks_in_earlier_than_that() -> None:
    given(HELD, CONFIRMED).when(model.start, Party.CLIENT, START - EARLY - SECOND).then(Conflict)


@pytest.mark.parametrize("later", [(STARTED,), (STARTED, COMPLETED)])
def test_a_session_starts_once(later: tuple[object, ...]) -> None:
    given(HELD, CONFIRMED, *later).when(model.start, Party.PARTNER, START).then()


def test_the_timer_of_a_cancelled_session_changes_nothing() -> None:
    given(HELD, CONFIRMED, CANCELLED).when(model.start, Party.SYSTEM, START).then()


def test_nobody_checks_in_to_a_cancelled_session() -> None:
    given(HELD, CONFIRMED, CANCELLED).when(model.start, Party.CLIENT, START).then(Conflict)


def test_nobody_checks_in_to_what_never_was() -> None:
    given().when(model.start, Party.CLIENT, START).then(NotFound)


# Completing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [(HELD, CONFIRMED), (HELD, CONFIRMED, STARTED)])
def test_the_partner_completes_a_session_that_has_begun(past: tuple[object, ...]) -> None:
    given(*past).when(model.complete, Party.PARTNER, PARTNER, START).then(COMPLETED)


def test_a_session_cannot_be_completed_before_it_begins() -> None:
    given(HELD, CONFIRMED).when(model.complete, Party.PARTNER, PARTNER, START - SECOND).then(Conflict)


def test_another_partner_cannot_complete_it() -> None:
    given(HELD, CONFIRMED).when(model.complete, Party.PARTNER, OTHER, START).then(NotAllowed)


def test_a_session_is_completed_once() -> None:
    given(HELD, CONFIRMED, COMPLETED).when(model.complete, Party.PARTNER, PARTNER, START).then()


@pytest.mark.parametrize("past", [(HELD,), (HELD, EXPIRED), (HELD, SlotLost()), (HELD, CONFIRMED, CANCELLED)])
def test_what_is_not_booked_cannot_be_completed(past: tuple[object, ...]) -> None:
    given(*past).when(model.complete, Party.PARTNER, PARTNER, START).then(Conflict)


def test_what_never_was_cannot_be_completed() -> None:
    given().when(model.complete, Party.PARTNER, PARTNER, START).then(NotFound)


def test_a_completion_is_taken_back_within_ten_seconds() -> None:
    given(HELD, CONFIRMED, COMPLETED).when(model.undo_completion, START, START + UNDO - SECOND).then(CompletionUndone())


def test_a_completion_stands_after_ten_seconds() -> None:
    given(HELD, CONFIRMED, COMPLETED).when(model.undo_completion, START, START + UNDO).then(Gone)


def test_a_completion_is_closed_once_nobody_can_take_it_back_any_more() -> None:
    given(HELD, CONFIRMED, COMPLETED).when(model.close, START, START + UNDO).then(Closed())
    given(HELD, CONFIRMED, COMPLETED).when(model.close, START, START + UNDO - SECOND).then()
    given(HELD, CONFIRMED, COMPLETED, Closed()).when(model.close, START, START + UNDO).then()
    given(HELD, CONFIRMED, COMPLETED, CompletionUndone()).when(model.close, START, START + UNDO).then()
    given(HELD, CONFIRMED, CANCELLED).when(model.close, START, START + UNDO).then()


def test_what_is_closed_stands_also_for_a_clock_that_is_behind() -> None:
    given(HELD, CONFIRMED, COMPLETED, Closed()).when(model.undo_completion, START, START + UNDO - SECOND).then(Gone)


def test_taking_back_what_is_not_completed_changes_nothing() -> None:
    given(HELD, CONFIRMED, STARTED).when(model.undo_completion, START, START).then()


def test_a_session_whose_completion_was_taken_back_is_completed_again() -> None:
    given(HELD, CONFIRMED, COMPLETED, CompletionUndone()).when(model.complete, Party.PARTNER, PARTNER, START).then(COMPLETED)


@pytest.mark.parametrize(("past", "error"), [((HELD, CONFIRMED, CANCELLED), Conflict), ((HELD,), Conflict), ((), NotFound)])
def test_only_a_booked_session_has_a_completion_to_take_back(past: tuple[object, ...], error: type[FxoError]) -> None:
    given(*past).when(model.undo_completion, START, START).then(error)


# Cancelling ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "past", [(HELD, CONFIRMED), (HELD, CONFIRMED, STARTED), (HELD, CONFIRMED, COMPLETED, CompletionUndone())]
)
def test_a_booking_is_cancelled_until_its_session_is_done(past: tuple[object, ...]) -> None:
    given(*past).when(changes.cancel, PAYMENT_REFUSED, NOW).then(CANCELLED)


def test_a_booking_is_cancelled_once() -> None:
    given(HELD, CONFIRMED, CANCELLED).when(changes.cancel, Cancel(Party.CLIENT, "other"), NOW).then()


@pytest.mark.parametrize(
    ("past", "error"),
    [
        ((HELD, CONFIRMED, COMPLETED), Conflict),
        ((HELD,), Conflict),
        ((HELD, EXPIRED), Conflict),
        ((HELD, SlotLost()), Conflict),
        ((), NotFound),
    ],
)
def test_what_is_not_booked_cannot_be_cancelled(past: tuple[object, ...], error: type[FxoError]) -> None:
    given(*past).when(changes.cancel, Cancel(Party.CLIENT, "other"), NOW).then(error)


def test_a_hold_that_is_not_paid_for_is_not_said_to_have_ended() -> None:
    with pytest.raises(Conflict, match="not confirmed"):
        changes.cancel(after(CONSULTATION, HELD), Cancel(Party.CLIENT, "other"), NOW)


# In any order -------------------------------------------------------------------------------------------------------

Intent = Callable[[model.State, datetime], list[object]]
_INTENTS: dict[str, Intent] = {
    "hold": lambda state, now: model.hold(state, HELD, now),
    "expire": lambda state, now: model.release(state, "expired", now),
    "give up": lambda state, now: model.release(state, "given_up", now),
    "confirm": lambda state, now: model.confirm(state, PAYMENT, slot_is_ours=True, ask_until=NOW),
    "confirm too late": lambda state, now: model.confirm(state, PAYMENT, slot_is_ours=False, ask_until=NOW),
    "confirm by another payment": lambda state, now: model.confirm(state, OTHER, slot_is_ours=True, ask_until=NOW),
    "start": lambda state, now: model.start(state, Party.SYSTEM, now),
    "check in": lambda state, now: model.start(state, Party.CLIENT, now),
    "complete": lambda state, now: model.complete(state, Party.PARTNER, PARTNER, now),
    "complete by another": lambda state, now: model.complete(state, Party.PARTNER, OTHER, now),
    "close": lambda state, now: model.close(state, START, now),
    "undo": lambda state, now: model.undo_completion(state, START, now),
    "cancel": lambda state, now: changes.cancel(state, Cancel(Party.CLIENT, "other"), now),
    "cancel by the expert": lambda state, now: changes.cancel(state, Cancel(Party.PARTNER, "ill", rescue=True), now),
    "move": lambda state, now: changes.move(state, _to(state, timedelta(days=1)), now),
    "propose": lambda state, now: changes.propose(state, [START + timedelta(days=9)], now),
    "withdraw": lambda state, now: changes.withdraw_proposal(state),
    "take the proposal": lambda state, now: changes.move(state, _to(state, timedelta(days=9)), now),
    "refuse the proposal": lambda state, now: changes.refuse_move(state, now),
    "arrive": lambda state, now: absences.arrive(state, Party.CLIENT, "checked_in", now),
    "arrive too": lambda state, now: absences.arrive(state, Party.PARTNER, "joined", now),
    "report the expert": lambda state, now: absences.report(state, Party.CLIENT, Party.PARTNER, now),
    "report the client": lambda state, now: absences.report(state, Party.PARTNER, Party.CLIENT, now),
    "object": lambda state, now: absences.object_to(state, Party.CLIENT, "was_there", START + 2 * model.ANSWER, now),
    "object too": lambda state, now: absences.object_to(state, Party.PARTNER, "was_there", START + 2 * model.ANSWER, now),
    "conclude": lambda state, now: absences.conclude(state, now),
    "decide": lambda state, now: absences.decide(state, HALF),
    "stand in": lambda state, now: changes.rescue(state, OTHER, now),
    "let go": lambda state, now: changes.end_rescue(state, "expired", now),
}
_STEPS = st.lists(
    st.tuples(
        st.sampled_from([*_INTENTS, "confirm", "complete", "cancel", "undo", "close"]),
        st.sampled_from([timedelta(), SECOND, timedelta(minutes=10), timedelta(days=2)]),
    ),
    max_size=14,
)
_ENDINGS = (Cancelled, SlotLost, Missed, Completed, Decided)
_MONEY = (Cancelled, Closed, AbsenceSettled, Decided, RescueEnded, Rescued)
"""After these it is known what the client owes."""


def _to(state: model.State, later: timedelta) -> Move:
    """A move of the session to a fixed time after the first one."""
    at = START + later
    return Move(Party.CLIENT, at, at + timedelta(hours=1), at, at + timedelta(minutes=75))


def _lived(steps: list[tuple[str, timedelta]]) -> list[object]:
    """What happened to a booking whose people wanted all this, one after the other; refusals change nothing."""
    past, now = [HELD], NOW
    for wish, later in steps:
        now += later
        state = after(CONSULTATION, *past)
        try:
            happened = _INTENTS[wish](state, now)
        except FxoError:
            continue
        for item in happened:
            changed = CONSULTATION.evolve(state, item)
            assert changed != state, f"{item} was decided and changes nothing"
            state = changed
        try:
            again = _INTENTS[wish](state, now)
        except FxoError:
            again = []
        assert again == [], f"{wish} again says {again}"
        past += happened
    return past


@for_any(_STEPS)
def test_whatever_people_want_a_booking_ends_in_one_way(steps: list[tuple[str, timedelta]]) -> None:
    past = _lived(steps)
    kinds = [type(item) for item in past]
    undone = kinds.count(CompletionUndone)
    assert kinds.count(Held) == 1
    assert kinds.count(Confirmed) <= 1
    assert kinds.count(Closed) <= 1
    for kind in (Cancelled, SlotLost, Missed, Decided, AbsenceSettled):
        assert kinds.count(kind) <= 1
    assert kinds.count(Completed) - undone in (0, 1)
    stands = {Cancelled, Missed} & set(kinds) | ({Completed} if kinds.count(Completed) > undone else set())
    assert len(stands) <= 1, "a session that is two of cancelled, missed and completed"
    assert not (Missed in kinds and Closed in kinds)
    for kind in (Started, Completed, Cancelled, Missed, Moved):
        if kind in kinds:
            assert Confirmed in kinds[: kinds.index(kind)]
    assert sum(item.by is Party.CLIENT for item in past if isinstance(item, Moved)) <= HELD.policy.moves
    payments = {item.payment_id for item in past if isinstance(item, Confirmed)}
    match after(CONSULTATION, *past):
        case Booked(terms, payment_id) | Done(terms, payment_id):
            assert (
                replace(terms, starts_at=HELD.starts_at, ends_at=HELD.ends_at, taken_from=HELD.taken_from, taken_to=HELD.taken_to)
                == HELD
            )
            assert payments == {payment_id}
        case OnHold() | Ended(how="released" | "lost"):
            assert not payments
        case Ended(how="cancelled", payment_id=payment_id):
            assert payments == {payment_id}


@for_any(_STEPS)
def test_nobody_owes_two_things_at_a_time(steps: list[tuple[str, timedelta]]) -> None:
    """Of what says what the client owes, only the operator's decision may come after another."""
    past = [item for item in _lived(steps) if isinstance(item, _MONEY)]
    owed = [type(item) for item in past if not (isinstance(item, Cancelled) and item.rescue_until)]
    assert len(owed) - owed.count(Decided) <= 1
    assert Decided not in owed or owed[-1] is Decided
