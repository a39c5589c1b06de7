"""The meeting of a booking: it exists once at a provider or not at all, and keeps its link."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from fxo.core.calendars.model import (
    MEETING,
    Cancelled,
    Created,
    Failed,
    Moved,
    NoMeeting,
    Replaced,
    Standing,
    meeting_id_of,
    uid_of,
)
from fxo.core.ids import new_id
from tests.support.decisions import after

BOOKING = new_id()
CREATED = Created(BOOKING, "calendar_local", "m-1", "https://meet.example/abc", 0)
STANDING = Standing("calendar_local", "m-1", "https://meet.example/abc", 0)


def test_a_meeting_that_was_made_stands() -> None:
    assert after(MEETING, CREATED) == STANDING


def test_a_second_one_does_not_take_its_place() -> None:
    other = Created(BOOKING, "calendar_other", "m-2", "https://meet.example/other", 0)
    assert after(MEETING, CREATED, other) == STANDING


def test_a_moved_meeting_keeps_its_link() -> None:
    assert after(MEETING, CREATED, Moved(BOOKING, 1)) == Standing("calendar_local", "m-1", STANDING.join_url, 1)


def test_a_cancelled_meeting_is_gone_and_its_sequence_is_remembered() -> None:
    assert after(MEETING, CREATED, Moved(BOOKING, 1), Cancelled(BOOKING)) == NoMeeting(1)


@pytest.mark.parametrize("late", [Moved(BOOKING, 3), Cancelled(BOOKING), Failed(BOOKING, "unavailable")])
def test_without_a_meeting_there_is_nothing_to_move_or_cancel(late: object) -> None:
    assert after(MEETING, late) == NoMeeting()


def test_a_failure_may_be_followed_by_a_meeting() -> None:
    assert after(MEETING, Failed(BOOKING, "unavailable"), CREATED) == STANDING


def test_a_booking_has_one_meeting_stream_and_one_uid_for_life() -> None:
    assert meeting_id_of(BOOKING) == meeting_id_of(BOOKING) != meeting_id_of(new_id())
    assert uid_of(BOOKING) == f"{BOOKING}@fxo"


@for_any(
    st.lists(st.sampled_from([CREATED, Moved(BOOKING, 1), Moved(BOOKING, 2), Cancelled(BOOKING), Failed(BOOKING, "unavailable")]))
)
def test_a_link_comes_from_a_provider_and_is_never_invented(events: list[Any]) -> None:
    state = after(MEETING, *events)
    last = max((place for place, item in enumerate(events) if isinstance(item, Cancelled)), default=-1)
    made = CREATED in events[last + 1 :]
    assert isinstance(state, Standing if made else NoMeeting)
    if isinstance(state, Standing):
        assert (state.provider, state.reference, state.join_url) == (CREATED.provider, CREATED.reference, CREATED.join_url)


def test_a_meeting_that_cannot_be_reached_any_more_is_replaced_elsewhere_with_another_link() -> None:
    elsewhere = Replaced(BOOKING, "calendar_other", "m-2", "https://meet.example/other", 1)
    assert after(MEETING, CREATED, elsewhere) == Standing("calendar_other", "m-2", "https://meet.example/other", 1)
