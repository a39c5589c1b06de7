"""The partner's pages: the day, one session with its one click, earnings, availability; and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from fxo import platform
from fxo.core.consultations import queries as consultations
from fxo.core.partners import queries as partners
from fxo.core.scope import Actor, ActorKind, TenantConfig, partner_scope, tenant_scope
from fxo.core.work import demo_clock
from tests.support.booking import book
from tests.support.browser import Person

Enter = Callable[..., Person]
Visit = Callable[[str], Person]


@pytest.fixture
def dana(signed_in: Enter, partner_id: UUID) -> Person:
    return signed_in("partners.localhost", "dana@partners.example")


@pytest.fixture
def session_id(signed_in: Enter, client_actor: Actor, tenant: TenantConfig, partner_id: UUID) -> UUID:
    """A session that Sarah booked with Dana."""
    return book(signed_in("fortium.localhost", "sarah@lindqvist.example"), partner_id)


def starts_at(parts: platform.Platform, tenant: TenantConfig, client: Actor, session_id: UUID) -> datetime:
    with parts.store.transaction(tenant_scope(tenant.id), client) as tx:
        return consultations.find(tx, session_id).starts_at


@pytest.fixture
def under_way(parts: platform.Platform, tenant: TenantConfig, client_actor: Actor, session_id: UUID) -> UUID:
    """The session, twenty minutes after its start."""
    start = starts_at(parts, tenant, client_actor, session_id)
    demo_clock.move(parts.store, parts.performer, start + timedelta(minutes=20))
    return session_id


def test_a_visitor_is_asked_to_sign_in(visit: Visit, partner_id: UUID) -> None:
    for path in ("/", "/earnings", "/availability", f"/sessions/{uuid4()}"):
        page = visit("partners.localhost").get(path)
        assert page.status == 303
        assert page.location == f"/sign-in?next={path}"


def test_a_clients_password_opens_nothing_at_the_partners_host(visit: Visit, client_actor: Actor) -> None:
    person = visit("partners.localhost")
    page = person.submit(person.get("/sign-in"), "/sign-in", mail="sarah@lindqvist.example", password="a passphrase for tests")
    assert page.status == 422


def test_an_empty_day_says_what_to_do_first(dana: Person) -> None:
    page = dana.get("/")
    assert page.status == 200
    assert "What to do first" in page.words and "Paint your week" in page.words
    assert "in New York" in page.words


def test_a_booked_session_stands_on_the_dashboard_with_client_and_share(dana: Person, session_id: UUID) -> None:
    page = dana.get("/")
    assert "Sarah Lindqvist" in page.words
    assert any(link["href"] == f"/sessions/{session_id}" for link in page.soup.find_all("a"))


def test_the_session_page_shows_the_brief_the_money_and_no_completion_before_the_start(dana: Person, session_id: UUID) -> None:
    page = dana.get(f"/sessions/{session_id}")
    assert "tested ransomware recovery plan" in page.words
    assert "$640" in page.words
    assert "Complete session" not in page.words
    assert "for Sarah" in page.words


def test_completing_before_the_start_is_refused(dana: Person, session_id: UUID) -> None:
    page = dana.post(f"/sessions/{session_id}/complete", token(dana))
    assert page.status == 409
    assert "has not begun" in page.words


def test_the_link_to_join_appears_once_the_meeting_is_made(
    dana: Person, session_id: UUID, parts: platform.Platform, visit: Visit
) -> None:
    assert "The meeting link is being made" in dana.get(f"/sessions/{session_id}").words
    demo_clock.move(parts.store, parts.performer, demo_clock.now(parts.store) + timedelta(seconds=1))
    link = next(link for link in dana.get(f"/sessions/{session_id}").soup.find_all("a") if "Join the meeting" in link.get_text())
    assert link["href"] == f"/sessions/{session_id}/join"
    host, _, path = dana.get(str(link["href"])).location.partition("//")[2].partition("/")
    assert host.startswith("meet.localhost")
    page = visit("meet.localhost").get(f"/{path}")
    assert page.status == 200
    assert "Sarah Lindqvist" in page.words and "Dana Whitfield" in page.words


def test_a_meeting_link_that_was_guessed_leads_nowhere(visit: Visit, tenant: TenantConfig) -> None:
    assert visit("meet.localhost").get("/not-a-meeting").status == 404


def test_a_partner_checks_in_shortly_before_the_start(
    dana: Person, session_id: UUID, parts: platform.Platform, tenant: TenantConfig, client_actor: Actor
) -> None:
    start = starts_at(parts, tenant, client_actor, session_id)
    demo_clock.move(parts.store, parts.performer, start - timedelta(minutes=5))
    page = dana.follow(dana.submit(dana.get(f"/sessions/{session_id}"), f"/sessions/{session_id}/check-in"))
    assert "Under way" in page.words
    assert "You are there. The client has not said yet that they are there." in page.words


def test_one_click_completes_and_ten_seconds_later_640_are_earned(
    dana: Person, under_way: UUID, parts: platform.Platform
) -> None:
    page = dana.get(f"/sessions/{under_way}")
    assert "The card is charged $800: $640 to you, $160 to the platform." in page.words
    done = dana.follow(dana.submit(page, f"/sessions/{under_way}/complete"))
    assert "Completed" in done.words
    assert done.form(f"/sessions/{under_way}/undo")
    waiting = dana.get("/earnings")
    assert "On its way $640" in waiting.words and "All time $0" in waiting.words
    demo_clock.move(parts.store, parts.performer, demo_clock.now(parts.store) + timedelta(seconds=13))
    earnings = dana.get("/earnings")
    assert "On its way $0" in earnings.words and "All time $640" in earnings.words
    assert "$640" in earnings.words
    assert "Sarah Lindqvist" in earnings.words
    assert "$640" in dana.get("/").words


def test_the_same_click_twice_completes_once(dana: Person, under_way: UUID) -> None:
    form = dana.get(f"/sessions/{under_way}").form(f"/sessions/{under_way}/complete")
    first, second = (dana.post(f"/sessions/{under_way}/complete", form) for _ in range(2))
    assert (first.status, first.location) == (second.status, second.location) == (303, f"/sessions/{under_way}")


def test_a_completion_is_undone_in_time_and_nothing_is_taken(dana: Person, under_way: UUID, parts: platform.Platform) -> None:
    done = dana.follow(dana.submit(dana.get(f"/sessions/{under_way}"), f"/sessions/{under_way}/complete"))
    page = dana.follow(dana.submit(done, f"/sessions/{under_way}/undo"))
    assert "Under way" in page.words
    demo_clock.move(parts.store, parts.performer, demo_clock.now(parts.store) + timedelta(minutes=1))
    assert "$640" not in dana.get("/earnings").words


def test_an_undo_after_ten_seconds_comes_too_late(dana: Person, under_way: UUID, parts: platform.Platform) -> None:
    dana.submit(dana.get(f"/sessions/{under_way}"), f"/sessions/{under_way}/complete")
    demo_clock.move(parts.store, parts.performer, demo_clock.now(parts.store) + timedelta(seconds=13))
    page = dana.post(f"/sessions/{under_way}/undo", token(dana))
    assert page.status == 410


def test_another_partners_session_does_not_exist(signed_in: Enter, under_way: UUID, dana: Person) -> None:
    ines = signed_in("partners.localhost", "ines@partners.example")
    assert ines.get(f"/sessions/{under_way}").status == 404
    for action in ("check-in", "complete", "undo"):
        assert ines.post(f"/sessions/{under_way}/{action}", token(ines)).status == 404
    assert ines.get(f"/sessions/{uuid4()}").status == 404
    assert ines.get("/sessions/not-an-id").status == 404
    assert "Sarah" not in ines.get("/").words
    assert "Under way" in dana.get(f"/sessions/{under_way}").words


def test_a_form_without_its_token_changes_nothing(dana: Person, under_way: UUID) -> None:
    assert dana.post(f"/sessions/{under_way}/complete").status == 422
    assert "Under way" in dana.get(f"/sessions/{under_way}").words


# Availability ------------------------------------------------------------------------------------------------------


def week_of(parts: platform.Platform, partner_id: UUID) -> partners.Availability:
    with parts.store.transaction(partner_scope(partner_id), Actor(partner_id, ActorKind.PARTNER)) as tx:
        return partners.availability_of(tx, partner_id)


def test_saving_the_week_as_it_stands_changes_nothing(dana: Person, parts: platform.Platform, partner_id: UUID) -> None:
    before = week_of(parts, partner_id)
    assert dana.submit(dana.get("/availability"), "/availability").status == 303
    assert week_of(parts, partner_id) == before


def test_the_week_is_changed_and_shown_again(dana: Person, parts: platform.Platform, partner_id: UUID) -> None:
    page = dana.get("/availability")
    wanted = page.form("/availability") | {
        "zone": "Europe/Lisbon", "mon-0-start": "09:00", "mon-0-end": "12:00", "mon-1-start": "13:00", "mon-1-end": "00:00",
        "tue-0-start": "", "tue-0-end": "", "notice_hours": "24", "buffer_before": "5",
    }  # fmt: skip
    shown = dana.follow(dana.post("/availability", wanted))
    assert "Your week is saved" in shown.text
    week = week_of(parts, partner_id)
    assert week.zone == "Europe/Lisbon"
    assert [(w.start_minute, w.end_minute) for w in week.weekly if w.weekday == 0] == [(540, 720), (780, 1440)]
    assert not [w for w in week.weekly if w.weekday == 1]
    assert (week.notice_hours, week.buffer_before_minutes, week.grid_minutes) == (24, 5, 30)
    assert {name: shown.form("/availability")[name] for name in wanted if name != "form_token"} == {
        name: value for name, value in wanted.items() if name != "form_token"
    }


def test_what_is_wrong_is_said_next_to_its_field_and_nothing_typed_is_lost(
    dana: Person, parts: platform.Platform, partner_id: UUID
) -> None:
    before = week_of(parts, partner_id)
    page = dana.get("/availability")
    wanted = page.form("/availability") | {
        "zone": "Europe/Lisbon", "mon-0-start": "17:00", "mon-0-end": "09:00", "wed-0-start": "", "thu-0-end": "noon",
        "notice_hours": "soon", "horizon_days": "4000",
    }  # fmt: skip
    answer = dana.post("/availability", wanted)
    assert answer.status == 422
    errors = {str(field["id"]).removesuffix("-error") for field in answer.soup.select(".field__error")}
    assert errors == {"mon", "wed", "thu", "f-notice_hours", "f-horizon_days"}
    again = answer.form("/availability")
    assert all(again[name] == wanted[name] for name in wanted if name not in ("form_token", "thu-0-end"))
    assert week_of(parts, partner_id) == before
    right = {
        "mon-0-start": "09:00", "mon-0-end": "17:00", "wed-0-start": "09:00", "wed-0-end": "10:00", "thu-0-start": "",
        "thu-0-end": "", "notice_hours": "2", "horizon_days": "60",
    }  # fmt: skip
    mended = dana.post("/availability", again | right)
    assert mended.status == 303
    assert week_of(parts, partner_id) != before


def test_notice_and_horizon_must_leave_something_to_book(dana: Person) -> None:
    page = dana.get("/availability")
    answer = dana.post("/availability", page.form("/availability") | {"notice_hours": "720", "horizon_days": "30"})
    assert answer.status == 422
    assert "Nobody could ever book" in answer.words


def test_a_day_off_is_added_and_taken_back(dana: Person, parts: platform.Platform, partner_id: UUID) -> None:
    day = (demo_clock.now(parts.store) + timedelta(days=9)).date()
    page = dana.submit(dana.get("/availability"), "/availability/exceptions", date=str(day), kind="away")
    shown = dana.follow(page)
    assert f"{day.year}, all day" in shown.words
    assert [(one.date, one.windows) for one in week_of(parts, partner_id).exceptions] == [(day, ())]
    dana.submit(shown, f"/availability/exceptions/{day}/remove")
    assert week_of(parts, partner_id).exceptions == ()


def test_some_hours_of_a_day_are_taken_out(dana: Person, parts: platform.Platform, partner_id: UUID) -> None:
    day = (demo_clock.now(parts.store) + timedelta(days=9)).date()
    dana.submit(dana.get("/availability"), "/availability/exceptions", date=str(day), kind="away", start="12:00", end="14:00")
    assert week_of(parts, partner_id).exceptions[0].windows == ((0, 720), (840, 1440))


def test_a_day_that_cannot_be_is_refused_beside_the_field_with_what_was_typed(dana: Person, parts: platform.Platform) -> None:
    past = str((demo_clock.now(parts.store) - timedelta(days=30)).date())
    for values in (
        {"date": past, "kind": "away"}, {"date": "", "kind": "away"}, {"date": "2026-02-31", "kind": "away"},
        {"date": str((demo_clock.now(parts.store) + timedelta(days=3)).date()), "kind": "extra"},
        {"date": str((demo_clock.now(parts.store) + timedelta(days=3)).date()), "kind": "away", "start": "14:00", "end": "12:00"},
    ):  # fmt: skip
        answer = dana.submit(dana.get("/availability"), "/availability/exceptions", **values)
        assert answer.status == 422
        assert answer.soup.select_one(".field__error")
        assert answer.form("/availability/exceptions")["kind"] == values["kind"]
        assert answer.form("/availability/exceptions")["date"] == values["date"]


def token(person: Person) -> dict[str, str]:
    """A form token of this person's browser."""
    return {"form_token": person.get("/availability").form("/availability")["form_token"]}
