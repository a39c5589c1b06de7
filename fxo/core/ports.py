"""The four ports as a table: who may stand in for whom, how long a page waits, and how an answer is caught lying."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fxo.core.calendars.port import BusyTimes, CalendarProvider, Meeting
from fxo.core.matching.port import MatchingProvider, Ranking, check_ranking
from fxo.core.notifications.port import NotificationProvider
from fxo.core.payments.port import PaymentProvider, PaymentStatus, ProviderPayment
from fxo.core.plugins.port import Port


def _honest_busy(answer: BusyTimes, given: Mapping[str, Any]) -> None:
    if not set(answer.busy) <= set(given["partners"]):
        raise ValueError("busy times of somebody who was not asked for")
    if any(end <= start for times in answer.busy.values() for start, end in times):
        raise ValueError("a busy time that ends before it begins")


def _honest_meeting(answer: Meeting, given: Mapping[str, Any]) -> None:
    if not answer.join_url.startswith(("https://", "http://")):
        raise ValueError("the link of a meeting is not a web address")


def _honest_payment(*expected: PaymentStatus) -> Any:
    def check(answer: ProviderPayment, given: Mapping[str, Any]) -> None:
        order = given["order"]
        if (answer.order_reference, answer.amount) != (order.reference, order.amount):
            raise ValueError("the payment is not that of the order")
        if answer.status not in expected:
            raise ValueError(f"the payment is {answer.status}")

    return check


def _honest_fee(answer: ProviderPayment | None, given: Mapping[str, Any]) -> None:
    if answer and answer.fee and (answer.fee.currency != answer.amount.currency or answer.fee.minor < 0):
        raise ValueError("the fee is below nothing, or in another currency than the payment")


def _honest_capture(answer: ProviderPayment, given: Mapping[str, Any]) -> None:
    if answer.reference != given["reference"] or answer.captured > answer.amount:
        raise ValueError("the payment is another one, or more was taken than was held")
    _honest_fee(answer, given)


def _cost_of_ranking(answer: Ranking) -> int:
    return answer.usage.cost if answer.usage else 0


PORTS: Mapping[str, Port] = {
    port.name: port
    for port in (
        Port(
            "matching", "matching_", "matching_local", MatchingProvider, fails_over=True, local_last=True,
            seconds={"rank": 1.5, "refine": 6.0}, never_waits=frozenset({"refine"}),
            costs={"rank": _cost_of_ranking, "refine": _cost_of_ranking},
            checks={
                "rank": lambda answer, given: check_ranking(answer, given["partners"]),
                "refine": lambda answer, given: check_ranking(answer, given["partners"]),
            },
        ),
        Port(
            "calendars", "calendar_", "calendar_local", CalendarProvider, fails_over=True, local_last=True,
            seconds={"busy_times": 4.0}, repeats=frozenset({"busy_times"}),
            checks={"busy_times": _honest_busy, "create_meeting": _honest_meeting, "move_meeting": _honest_meeting},
        ),
        Port(
            "payments", "payments_", "payments_sandbox", PaymentProvider, fails_over=False,
            declares=frozenset({"windows", "client_setup"}),
            repeats=frozenset({"fetch", "find_by_reference", "list_changed_since"}),
            checks={
                "authorise": _honest_payment(PaymentStatus.AUTHORISED),
                "authorise_saved": _honest_payment(PaymentStatus.AUTHORISED),
                "save_method": _honest_payment(PaymentStatus.SAVED),
                "capture": _honest_capture, "fetch": _honest_fee,
            },
        ),
        Port(
            "notifications", "notifications_", "notifications_email", NotificationProvider, fails_over=True,
            costs={"deliver": lambda answer: answer.cost},
        ),
    )
}  # fmt: skip
