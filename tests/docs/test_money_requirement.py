"""What is required of the money (FR-2, risk 9.1, the hard cases), sentence by sentence, each with the tests that show it.

Run a sentence's tests by name: `make test ARGS="-k case_16"`, `make test ARGS="-k fr_2_5"`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
NAMES = {
    name
    for path in TESTS.rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
}

FR_2 = {
    "FR-2.1: a partner completes a session with one click": ["fr_2_1_a_partner_completes_a_session_with_one_click"],
    "FR-2.2: the capture occurs within 5 minutes of the completion": [
        "fr_2_1_a_partner_completes_a_session_with_one_click_and_fr_2_2_the_money_is_taken_within_five_minutes",
    ],
    "FR-2.3: the split is calculated correctly and tracked for reporting": [
        "fr_2_3_the_split_is_tracked_for_reporting_with_overrides_of_the_tenant_and_of_the_roster",
        "the_parts_of_a_split_always_add_up",
        "eight_hundred_dollars_are_six_hundred_and_forty_and_one_hundred_and_sixty",
    ],
    "FR-2.4: both parties get a payment confirmation": [
        "fr_2_4_both_parties_get_a_payment_confirmation_and_the_clients_has_the_receipt",
    ],
    "FR-2.5: a failed capture is retried automatically, and the operator is notified": [
        "fr_2_5_a_capture_that_fails_is_retried_on_the_saved_card_and_the_operator_is_told",
        "a_client_whose_card_is_refused_for_a_session_is_asked_for_another_one_and_pays",
        "a_client_who_does_not_pay_within_three_days_becomes_the_operators",
    ],
    "Risk 9.1: retries back off exponentially, with jitter": [
        "pauses_grow_up_to_an_hour", "rows_that_failed_together_do_not_come_back_together", "an_outage_of_a_day_loses_no_money",
    ],
    "Risk 9.1: a failed capture can be made by hand": [
        "an_operator_has_the_card_charged_again_and_it_works", "an_operator_enters_what_came_by_bank",
        "a_refused_card_is_decided_about_on_the_payments_page",
    ],
    "Risk 9.1: failures are monitored and raise alarms": [
        "what_must_never_be_is_counted", "work_that_can_never_work_is_an_alarm_in_the_queue_and_one_mail",
        "integrity_shows_that_all_is_well_and_what_is_not",
    ],
    "Risk 9.1: payments are reconciled, with an audit trail": [
        "a_difference_with_the_provider_is_listed_and_raises_an_alarm", "an_entry_that_was_tampered_with_is_found",
        "a_booking_record_can_be_verified_and_shows_what_was_changed",
    ],
}  # fmt: skip

CASES = {
    1: ("A session beyond the card's window", 6),
    2: ("An off-session authorisation that is refused", 3),
    3: ("An authorisation that expires uncaptured: the partner forgot", 6),
    4: ("Two clients, one slot", 4),
    5: ("Request to confirm", 10),
    6: ("Paid, but the hold ran out during authentication", 3),
    7: ("A webhook before the redirect, after, twice, out of order, never", 6),
    8: ("A capture twice, or a crash between the provider's answer and our commit", 5),
    15: ("The partner cancels", 12),
    16: ("The client cancels late", 5),
    17: ("No-show: client, partner, both, or “I was there”", 14),
    18: ("Reschedule with money", 11),
    20: ("A partial refund against 80/20, and who bears the provider's fee", 16),
    21: ("A dispute after capture, and after payout", 5),
}
"""Each hard case about money, and how many tests have its name at least."""


@pytest.mark.parametrize("criterion", FR_2)
def test_every_criterion_has_tests(criterion: str) -> None:
    assert [name for name in FR_2[criterion] if not any(found.startswith(f"test_{name}") for found in NAMES)] == []


@pytest.mark.parametrize("number", CASES, ids=[f"{number}: {title}" for number, (title, _) in CASES.items()])
def test_every_hard_case_has_tests_of_its_name(number: int) -> None:
    found = [name for name in NAMES if re.match(rf"test_case_{number}(_and_\d+)?_", name)]
    assert len(found) >= CASES[number][1], found


def test_no_test_names_a_case_that_does_not_exist() -> None:
    assert {int(number) for name in NAMES for number in re.findall(r"^test_case_(\d+)", name)} <= set(range(1, 26))
