"""What client, expert, administrator and operator see and do when a booking does not go straight: on pages, by forms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import flask
import pytest

from fxo.core.clock import in_zone
from fxo.core.consultations import commands as consultations
from tests.conftest import PASSWORD
from tests.support.browser import Person
from tests.support.flow import sign_in
from tests.support.story import CLIENT_MAIL, DANA_MAIL, Story, story

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZONE = "Europe/Stockholm"


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases) as made:
        yield made


def entered(mail: str, host: str = "fortium.localhost") -> Person:
    person = Person(flask.current_app._get_current_object(), host)  # type: ignore[attr-defined]
    sign_in(person, mail, PASSWORD)
    return person


@pytest.fixture
def sarah(told: Story) -> Person:
    return entered(CLIENT_MAIL)


@pytest.fixture
def dana(told: Story) -> Person:
    return entered(DANA_MAIL, "partners.localhost")


def asking(told: Story) -> Story:
    """The tenant wants every booking confirmed by its expert."""
    told.rows("update tenants set asks_first = true returning id")
    return told.of(told.parts.records.by_slug("fortium"), told.client)


def booked(told: Story, ahead: timedelta, partner: str = "dana") -> tuple[UUID, datetime]:
    starts_at = told.ahead(ahead)
    found = told.book(partner, starts_at)
    told.work()
    return found, starts_at


# Cancelling ----------------------------------------------------------------------------------------------------------


def test_the_page_says_exactly_what_cancelling_costs_now_and_until_when_that_holds(told: Story, sarah: Person) -> None:
    session, starts_at = booked(told, 2 * DAY)
    assert f"Cancelling is free until {in_zone(starts_at - DAY, ZONE)}" in sarah.get(f"/sessions/{session}").words
    page = sarah.get(f"/sessions/{session}/cancel")
    assert "Cancelling costs nothing" in page.words
    assert f"This holds until {in_zone(starts_at - DAY, ZONE)}" in page.words
    assert f"Then $400 until {in_zone(starts_at - 2 * HOUR, ZONE)}. From then on the whole $800." in page.words
    nothing = sarah.submit(page, f"/sessions/{session}/cancel", reason="")
    assert (nothing.status, "Please choose a reason" in nothing.words, told.state(session)) == (422, True, "confirmed")
    done = sarah.follow(sarah.submit(page, f"/sessions/{session}/cancel", reason="plans_changed", words="So sorry."))
    assert "This session is cancelled. It was cancelled as you asked. Nothing was charged." in done.words
    assert (told.state(session), told.taken("dana")) == ("cancelled", [])
    assert sarah.get(f"/sessions/{session}/cancel").location == f"/sessions/{session}"


def test_who_saw_another_price_is_asked_again_and_pays_what_the_second_page_said(told: Story, sarah: Person) -> None:
    session, starts_at = booked(told, 2 * DAY)
    free = sarah.get(f"/sessions/{session}/cancel")
    told.live_until(starts_at - 23 * HOUR)
    again = sarah.submit(free, f"/sessions/{session}/cancel", reason="plans_changed", words="Typed once.")
    assert again.status == 409
    assert "Cancelling costs $400 now: a limit has passed since you opened the page." in again.words
    assert "Typed once." in again.text and told.state(session) == "confirmed"
    assert "Cancel and pay $400" in again.words
    done = sarah.follow(sarah.submit(again, f"/sessions/{session}/cancel", reason="plans_changed"))
    assert "By the rules you accepted it costs $400." in done.words
    told.work()
    assert "Paid $400" in sarah.get(f"/sessions/{session}").words
    assert told.effects("capture") == ["capture"]


def test_a_form_without_the_price_is_no_consent_to_pay(told: Story, sarah: Person) -> None:
    session, starts_at = booked(told, 2 * DAY)
    told.live_until(starts_at - HOUR)
    form = sarah.get(f"/sessions/{session}/cancel").form(f"/sessions/{session}/cancel")
    form.pop("fee")
    assert sarah.post(f"/sessions/{session}/cancel", form | {"reason": "other"}).status == 409
    assert told.state(session) == "confirmed"


# Moving --------------------------------------------------------------------------------------------------------------


def test_a_session_is_moved_with_one_tap_and_says_so(told: Story, sarah: Person) -> None:
    session, starts_at = booked(told, 3 * DAY)
    page = sarah.get(f"/sessions/{session}/move")
    assert "You may move it 2 times." in page.words
    slots = [str(each["value"]) for each in page.soup.select("button[name=slot]")]
    later = next(value for value in slots if datetime.fromisoformat(value) > starts_at + DAY)
    assert (starts_at + 30 * MINUTE).isoformat() in slots, "also half an hour later, into its own time"
    done = sarah.follow(sarah.submit(page, f"/sessions/{session}/move", slot=later))
    assert "This session has been moved." in done.words
    assert f"It was to be on {in_zone(starts_at, ZONE)}" in done.words
    assert told.taken("dana") == [datetime.fromisoformat(later)]
    told.work()
    assert told.effects() == ["hold", "save"]


def test_a_move_to_a_time_that_has_gone_says_so_and_leaves_everything(told: Story, sarah: Person) -> None:
    session, starts_at = booked(told, 3 * DAY)
    page = sarah.get(f"/sessions/{session}/move")
    told.of(told.config, told.newcomer()).book("dana", starts_at + DAY)
    answer = sarah.submit(page, f"/sessions/{session}/move", slot=(starts_at + DAY).isoformat())
    assert (answer.status, "Your session is where it was." in answer.words) == (409, True)


def test_a_session_that_may_not_be_moved_any_more_says_why(told: Story, sarah: Person) -> None:
    session, starts_at = booked(told, 3 * DAY)
    told.move(session, starts_at + HOUR)
    told.move(session, starts_at + 2 * HOUR)
    page = sarah.get(f"/sessions/{session}")
    assert "It has been moved as often as its rules allow." in page.words
    assert sarah.get(f"/sessions/{session}/move").location == f"/sessions/{session}"


def test_an_expert_proposes_times_and_the_client_takes_one_or_goes_for_free(told: Story, sarah: Person, dana: Person) -> None:
    session, starts_at = booked(told, 3 * DAY)
    page = dana.get(f"/sessions/{session}/propose")
    wanted = (starts_at + DAY).isoformat()
    none = dana.submit(page, f"/sessions/{session}/propose")
    assert (none.status, "Please choose at least one other time." in none.words) == (422, True)
    sent = dana.follow(dana.submit(page, f"/sessions/{session}/propose", slot=wanted, words="My flight moved."))
    assert "You have proposed" in sent.words
    asked = sarah.get(f"/sessions/{session}")
    assert "Dana asks for another time" in asked.words and "My flight moved." in asked.words
    assert "New time proposed" in sarah.get("/sessions").words
    done = sarah.follow(sarah.submit(asked, f"/sessions/{session}/move", slot=wanted))
    assert "This session has been moved." in done.words
    dana.submit(dana.get(f"/sessions/{session}/propose"), f"/sessions/{session}/propose", slot=starts_at.isoformat())
    refused = sarah.follow(sarah.submit(sarah.get(f"/sessions/{session}"), f"/sessions/{session}/refuse"))
    assert "It was cancelled as you asked. Nothing was charged." in refused.words
    told.work()
    assert told.effects("void", "capture") == ["void"]


def test_an_expert_takes_a_proposal_back(told: Story, dana: Person, sarah: Person) -> None:
    session, starts_at = booked(told, 3 * DAY)
    told.run(told.partner("dana"), consultations.propose, session, [starts_at + DAY])
    page = dana.follow(dana.submit(dana.get(f"/sessions/{session}"), f"/sessions/{session}/keep"))
    assert "You have proposed" not in page.words
    assert "asks for another time" not in sarah.get(f"/sessions/{session}").words


# Asked first (hard case 5) -------------------------------------------------------------------------------------------


def test_case_5_an_administrator_lets_experts_confirm_and_the_expert_accepts_on_the_sessions_page(
    told: Story, sarah: Person, dana: Person
) -> None:
    told = asking(told)
    held = told.hold("dana", told.ahead(2 * DAY))
    checkout = sarah.get(f"/book/{held}")
    assert "Keep the card and ask Dana" in checkout.words and "Dana accepts or declines" in checkout.words
    told.pay(held)
    page = sarah.get(f"/sessions/{held}")
    assert "Dana is asked." in page.words and "Waiting for Dana" in page.words
    assert "Waiting for Dana" in sarah.get("/sessions").words
    assert "Asks for an hour. Answer by" in dana.get("/").words
    asked = dana.get(f"/sessions/{held}")
    assert "Answer by" in asked.words
    done = dana.follow(dana.submit(asked, f"/sessions/{held}/accept"))
    assert "Booked" in done.words
    assert told.state(held) == "confirmed"
    told.work()
    assert "Held on Visa ending 4242 $800" in sarah.get(f"/sessions/{held}").words


def test_case_5_a_declined_request_says_why_and_who_else_is_free(told: Story, sarah: Person, dana: Person) -> None:
    told = asking(told)
    session, _ = booked(told, 2 * DAY)
    page = dana.get(f"/sessions/{session}")
    dana.submit(page, f"/sessions/{session}/decline", words="I am travelling.")
    shown = sarah.get(f"/sessions/{session}")
    assert "Dana cannot take this hour. “I am travelling.” Nothing was held on your card." in shown.words
    assert "Another time with Dana" in shown.words
    other, _ = booked(told, 3 * DAY)
    back = sarah.follow(sarah.submit(sarah.get(f"/sessions/{other}"), f"/sessions/{other}/withdraw"))
    assert "You have taken the request back." in back.words


# Who came (hard case 17) ---------------------------------------------------------------------------------------------


def test_case_17_an_expert_who_does_not_come_is_replaced_with_one_tap(told: Story, sarah: Person) -> None:
    session, starts_at = booked(told, 2 * DAY)
    told.live_until(starts_at)
    landed = sarah.get(f"/sessions/{session}/join")
    assert landed.location == told.join_url(session)
    assert told.rows("select client_here_at is not null, partner_here_at from consultations") == [(True, None)]
    told.live_until(starts_at + 10 * MINUTE)
    page = sarah.get(f"/sessions/{session}")
    assert "Dana is late" in page.words and "Others who can take over" in page.words
    slots = page.soup.select(f"form[action='/sessions/{session}/rescue'] button[name=slot]")
    form = page.form(f"/sessions/{session}/rescue")
    done = sarah.follow(sarah.post(f"/sessions/{session}/rescue", form | {"slot": str(slots[0]["value"])}))
    assert "You are booked, with the same brief and the same payment." in done.words
    assert "Held on Visa ending 4242 $800" in done.words
    left = sarah.get(f"/sessions/{session}")
    assert "Dana could not come. Somebody else has taken over" in left.words
    told.work()
    assert told.effects() == ["hold", "save"]


def test_case_17_a_client_says_that_nobody_came_and_the_expert_that_they_were_there(
    told: Story, sarah: Person, dana: Person
) -> None:
    session, starts_at = booked(told, 2 * DAY)
    told.live_until(starts_at)
    sarah.submit(sarah.get(f"/sessions/{session}"), f"/sessions/{session}/check-in")
    told.live_until(starts_at + 10 * MINUTE)
    page = sarah.follow(sarah.submit(sarah.get(f"/sessions/{session}"), f"/sessions/{session}/absent"))
    assert "Dana did not come. We are sorry. You pay nothing" in page.words
    theirs = dana.get(f"/sessions/{session}")
    assert "said not to have come" in theirs.words
    empty = dana.submit(theirs, f"/sessions/{session}/object", words=" ")
    assert (empty.status, "Please say in a sentence or two" in empty.words) == (422, True)
    dana.submit(theirs, f"/sessions/{session}/object", words="I sat in the room from ten on.")
    assert told.state(session) == "contested"
    asked = sarah.get(f"/sessions/{session}")
    assert "What happened is being looked at." in asked.words and "How did you see it?" in asked.words
    done = sarah.follow(sarah.submit(asked, f"/sessions/{session}/object", words="The room was empty."))
    assert "What you said" in done.words and "The room was empty." in done.words


def test_case_17_an_operator_hears_both_with_the_evidence_and_decides(
    told: Story, sarah: Person, dana: Person, operator_mail: str
) -> None:
    session, starts_at = booked(told, 2 * DAY)
    told.live_until(starts_at)
    dana.submit(dana.get(f"/sessions/{session}"), f"/sessions/{session}/check-in")
    told.live_until(starts_at + 10 * MINUTE)
    dana.submit(dana.get(f"/sessions/{session}"), f"/sessions/{session}/absent", words="I waited.")
    missed = sarah.get(f"/sessions/{session}")
    assert "We missed you." in missed.words and "$800 is charged on" in missed.words
    sarah.submit(missed, f"/sessions/{session}/object", words="The link did not open.")
    ops = entered(operator_mail, "ops.localhost")
    assert "Client and expert do not agree" in ops.get("/alarms").words
    queue = ops.get("/cases")
    assert "Dana" in queue.words
    path = f"/bookings/{told.config.id}/{session}"
    page = ops.get(path)
    for words in ("The link did not open.", "I waited.", "Expert came", "Client came never"):
        assert words in page.words, words
    wrong = ops.submit(page, f"{path}/decide", fee="part", part="900", words="Too much.")
    assert wrong.status == 422
    silent = ops.submit(page, f"{path}/decide", fee="nothing", words="")
    assert (silent.status, "Please say in a sentence why" in silent.words) == (422, True)
    ops.submit(page, f"{path}/decide", fee="part", part="300", words="The room's log shows nobody.")
    assert told.state(session) == "decided"
    told.work()
    assert "It is decided. You pay $300." in sarah.get(f"/sessions/{session}").words
    assert "The room's log shows nobody." in dana.get(f"/sessions/{session}").words
    assert "Nothing waits for you" in ops.get("/cases").words
    assert "Nothing needs you" in ops.get("/alarms").words, "the alarm is settled with it"
    assert told.effects("capture") == ["capture"]


def test_an_operator_cancels_a_booking_and_says_who_pays(told: Story, sarah: Person, operator_mail: str) -> None:
    session, starts_at = booked(told, 2 * DAY)
    told.live_until(starts_at - HOUR)
    ops = entered(operator_mail, "ops.localhost")
    path = f"/bookings/{told.config.id}/{session}"
    page = ops.get(path)
    ops.submit(page, f"{path}/cancel", reason="expert_asked", waived="on", words="Dana is in hospital.")
    shown = sarah.get(f"/sessions/{session}")
    assert "It was cancelled by the platform. “Dana is in hospital.” Nothing was charged." in shown.words


# The expert ----------------------------------------------------------------------------------------------------------


def test_case_15_an_expert_cancels_and_the_client_takes_another_with_one_tap(told: Story, sarah: Person, dana: Person) -> None:
    session, starts_at = booked(told, 2 * DAY)
    page = dana.get(f"/sessions/{session}/cancel")
    assert "The client pays nothing" in page.words
    done = dana.follow(dana.submit(page, f"/sessions/{session}/cancel", reason="ill", words="I am so sorry."))
    assert "This session does not take place." in done.words
    shown = sarah.get(f"/sessions/{session}")
    assert "Dana had to cancel. We are sorry. “I am so sorry.” Nothing was charged." in shown.words
    offered = shown.soup.select(f"form[action='/sessions/{session}/rescue'] button[name=slot]")
    assert starts_at.isoformat() in [str(each["value"]) for each in offered], "the same time first of all"
    form = shown.form(f"/sessions/{session}/rescue")
    kept = sarah.follow(sarah.post(f"/sessions/{session}/rescue", form | {"slot": starts_at.isoformat()}))
    assert "You are booked, with the same brief" in kept.words


def test_case_15_a_client_who_wants_nobody_else_lets_the_hold_go(told: Story, sarah: Person) -> None:
    session, _ = booked(told, 2 * DAY)
    told.cancel(session, by=told.partner("dana"), reason="ill")
    page = sarah.get(f"/sessions/{session}")
    done = sarah.follow(sarah.submit(page, f"/sessions/{session}/rescue/end"))
    assert "Others who can take over" not in done.words
    told.work()
    assert told.effects("void") == ["void"]


def test_case_3_an_expert_who_forgot_is_asked_and_the_client_may_object(told: Story, sarah: Person, dana: Person) -> None:
    session, starts_at = booked(told, 2 * DAY)
    told.live_until(starts_at + 3 * HOUR)
    assert "Complete session" in dana.get(f"/sessions/{session}").words
    page = sarah.get(f"/sessions/{session}")
    sent = sarah.submit(page, f"/sessions/{session}/object", says="not_as_agreed", words="The line broke after a minute.")
    assert "What happened is being looked at." in sarah.follow(sent).words
    assert "Being looked at" in dana.get(f"/sessions/{session}").words


# The administrator ---------------------------------------------------------------------------------------------------


def test_an_administrator_changes_the_rules_for_new_bookings_and_not_for_those_that_are_made(
    told: Story, sarah: Person, admin_mail: str
) -> None:
    before, _ = booked(told, 2 * DAY)
    admin = entered(admin_mail)
    page = admin.get("/admin/policy")
    assert page.form("/admin/policy")["free_until_hours"] == "24"
    wrong = admin.submit(page, "/admin/policy", free_until_hours="1", half_until_hours="5", late_percent="101")
    assert wrong.status == 422
    assert wrong.form("/admin/policy")["late_percent"] == "101"
    done = admin.follow(admin.submit(page, "/admin/policy", free_until_hours="72", late_percent="30", moves="1", asks_first="on"))
    assert "count for new bookings" in done.text
    assert "Cancelling is free" in sarah.get(f"/sessions/{before}").words
    after, _ = booked(told.of(told.parts.records.by_slug("fortium"), told.client), 2 * DAY, "ines")
    assert told.state(after) == "requested"
    told.run(told.partner("ines"), consultations.accept, after)
    assert "Cancelling costs $240" in sarah.get(f"/sessions/{after}").words
    versions = told.rows("select policy->>'version' from consultations order by id")
    assert versions == [("1",), ("2",)]
    assert told.rows("select type from events where type = 'tenant.policy_changed'") == [("tenant.policy_changed",)]
    assert sarah.get("/admin/policy").status in (403, 404)


# The requirement, and every way to an end ----------------------------------------------------------------------------


def test_fr_2_1_a_partner_completes_a_session_with_one_click_and_both_are_told_of_the_payment(
    told: Story, dana: Person, sarah: Person
) -> None:
    """PRD FR-2: one-click completion; captured within five minutes; both receive a payment confirmation."""
    session, starts_at = booked(told, 2 * DAY)
    told.live_until(starts_at + 50 * MINUTE)
    dana.submit(dana.get("/"), f"/sessions/{session}/complete")
    clicked = told.now
    told.live(5 * MINUTE)
    [(captured,)] = told.rows("select captured_at from payments where consultation_id = %(id)s", id=session)
    assert captured - clicked < 5 * MINUTE
    assert "payment_received_client" in told.kinds(CLIENT_MAIL) and "payment_received_partner" in told.kinds(DANA_MAIL)
    assert "Paid $800" in sarah.get(f"/sessions/{session}").words


FINAL = {"cancelled", "declined", "completed", "missed", "decided"}
"""Nobody has to do anything about these; a missed session settles itself, or becomes a case."""


@pytest.mark.parametrize("state", ["requested", "confirmed", "proposed", "started", "over", "absent client", "contested"])
def test_from_every_state_that_is_not_final_forms_on_pages_lead_to_a_final_one(
    told: Story, sarah: Person, dana: Person, operator_mail: str, state: str
) -> None:
    if state == "requested":
        told = asking(told)
    session, starts_at = booked(told, 2 * DAY)
    here = f"/sessions/{session}"
    if state == "proposed":
        told.run(told.partner("dana"), consultations.propose, session, [starts_at + DAY])
    if state in ("started", "over", "absent client", "contested"):
        told.live_until(starts_at)
        dana.submit(dana.get(here), f"{here}/check-in")
        told.live_until(starts_at + (2 * HOUR if state == "over" else 10 * MINUTE))
    if state in ("absent client", "contested"):
        dana.submit(dana.get(here), f"{here}/absent")
    if state == "contested":
        sarah.submit(sarah.get(here), f"{here}/object", words="I was there.")
    match state:
        case "requested":
            sarah.submit(sarah.get(here), f"{here}/withdraw")
        case "confirmed":
            sarah.submit(sarah.get(f"{here}/cancel"), f"{here}/cancel", reason="other")
        case "proposed":
            sarah.submit(sarah.get(here), f"{here}/refuse")
        case "started" | "over":
            dana.submit(dana.get(here), f"{here}/complete")
        case "absent client":
            told.live(2 * DAY)  # nobody objects
        case "contested":
            ops = entered(operator_mail, "ops.localhost")
            path = f"/bookings/{told.config.id}/{session}"
            ops.submit(ops.get(path), f"{path}/decide", fee="nothing", words="Nobody can tell.")
    told.live(MINUTE)
    assert told.state(session) in FINAL | {"settled"}
    assert told.dead() == []
    assert told.payment(session)[0] in ("abandoned", "voided", "captured"), "the money has come to its end too"


@pytest.fixture
def operator_mail(told: Story, operator_of: Any) -> str:
    return str(operator_of())


@pytest.fixture
def operator_of(told: Story) -> Any:
    from fxo.core.scope import CODE, system_scope
    from fxo.tenants import network

    def add() -> str:
        told.parts.store.run(system_scope("sign_in"), CODE, network.add_operator, "ops@fxo.example", "Olu Operator", PASSWORD)
        return "ops@fxo.example"

    return add


@pytest.fixture
def admin_mail(told: Story) -> str:
    from tests.conftest import add_member

    add_member(told.config, "admin@lindqvist.example", role="administrator", name="Ada Admin")
    return "admin@lindqvist.example"
