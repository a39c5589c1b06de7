"""Who does not answer about a booking is told once, until they have answered again."""

from __future__ import annotations

import pytest

from fxo.core.ids import new_id
from fxo.core.work import outages
from fxo.core.work.outages import OUTAGE, Began, Ended
from tests.support.decisions import given

BOOKING = new_id()
BEGAN, ENDED = Began(BOOKING, "payments", "unavailable"), Ended(BOOKING, "payments")


@pytest.mark.parametrize("before", [(), (BEGAN, ENDED), (Began(BOOKING, "mail", "retryable"),)])
def test_who_has_answered_so_far_is_told_of(before: tuple[object, ...]) -> None:
    given(OUTAGE, *before).when(outages.began, BOOKING, "payments", "unavailable").then(BEGAN)


@pytest.mark.parametrize("before", [(BEGAN,), (BEGAN, ENDED, BEGAN)])
def test_who_does_not_answer_already_is_not_told_of_again(before: tuple[object, ...]) -> None:
    given(OUTAGE, *before).when(outages.began, BOOKING, "payments", "misconfigured: secret_key").then()
