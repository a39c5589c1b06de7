"""What becomes of a message, and when an address is left alone: given, when, then."""

from __future__ import annotations

import pytest

from fxo.core.ids import new_id
from fxo.core.notifications.model import (
    NOTIFICATION,
    STRENGTH,
    SUPPRESSION,
    Began,
    Delivered,
    Dropped,
    Lifted,
    Reported,
    lift,
    report,
    suppress,
)
from tests.support.decisions import given

SARAH = new_id()
DELIVERED = Delivered("password_changed", None, SARAH, "notifications_email", "1", with_link=False)
ARRIVED = Reported("password_changed", SARAH, "delivered")
BOUNCED, UNSUBSCRIBED = Began("mail", "k", "bounced", "1"), Began("mail", "k", "unsubscribed", "2")
AGAIN = Lifted("mail", "k", "3")


def test_what_became_of_a_message_is_recorded_once_for_each_word() -> None:
    given(NOTIFICATION, DELIVERED).when(report, "delivered").then(ARRIVED)
    given(NOTIFICATION, DELIVERED, ARRIVED).when(report, "delivered").then()
    given(NOTIFICATION, DELIVERED, ARRIVED).when(report, "bounced").then(Reported("password_changed", SARAH, "bounced"))
    dropped = Dropped("password_changed", None, SARAH, "suppressed")
    given(NOTIFICATION, dropped).when(report, "bounced").then(Reported("password_changed", SARAH, "bounced"))


def test_nothing_becomes_of_a_message_that_never_was() -> None:
    given(NOTIFICATION).when(report, "delivered").then()


@pytest.mark.parametrize("before", range(1, len(STRENGTH)))
@pytest.mark.parametrize("then", range(1, len(STRENGTH)))
def test_a_stronger_reason_takes_the_place_of_a_weaker_one(before: int, then: int) -> None:
    wanted = Began("mail", "k", STRENGTH[then])
    expected = [wanted] if then > before else []
    given(SUPPRESSION, Began("mail", "k", STRENGTH[before])).when(suppress, wanted).then(*expected)


def test_an_address_that_was_lifted_is_left_alone_again_by_a_new_report_and_by_no_old_one() -> None:
    given(SUPPRESSION, BOUNCED).when(lift, AGAIN).then(AGAIN)
    given(SUPPRESSION, BOUNCED, AGAIN).when(suppress, BOUNCED).then()
    given(SUPPRESSION, BOUNCED, AGAIN).when(suppress, UNSUBSCRIBED).then(UNSUBSCRIBED)
    given(SUPPRESSION, BOUNCED, AGAIN).when(lift, AGAIN).then()
    given(SUPPRESSION).when(lift, AGAIN).then()


def test_an_old_word_to_write_again_lifts_nothing() -> None:
    given(SUPPRESSION, BOUNCED, AGAIN, Began("mail", "k", "bounced", "4")).when(lift, AGAIN).then()
