"""What only the demo has: the clock that moves forward and does the work on its way, and the outbox."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from icalendar import Calendar

from fxo import platform
from fxo.app import create_app
from fxo.core.clock import system_now
from fxo.core.events.store import Transaction
from fxo.core.ids import new_id
from fxo.core.scope import CODE, Actor, TenantConfig, tenant_scope
from fxo.core.work import demo_clock, rows
from fxo.core.work.model import timer
from tests.conftest import add_member
from tests.support.booking import book
from tests.support.browser import Page, Person

Enter = Callable[..., Person]


def move(person: Person, step: str, page: Page | None = None, **values: str) -> Page:
    return person.submit(page or person.get("/"), "/demo/clock", step=step, **values)


@pytest.fixture
def sarah(signed_in: Enter, client_actor: Actor) -> Person:
    return signed_in("fortium.localhost", "sarah@lindqvist.example")


def test_a_visitor_moves_the_clock_by_an_hour_and_comes_back(
    visit: Callable[[str], Person], parts: platform.Platform, tenant: TenantConfig
) -> None:
    person, before = visit("fortium.localhost"), demo_clock.now(parts.store)
    answer = move(person, "1h", return_to="/sign-in")
    assert (answer.status, answer.location) == (303, "/sign-in")
    after = demo_clock.now(parts.store)
    assert timedelta(hours=1) <= after - before < timedelta(hours=1, minutes=1)
    move(person, "1d")
    assert demo_clock.now(parts.store) - after >= timedelta(days=1)


def test_the_same_click_twice_moves_once(visit: Callable[[str], Person], parts: platform.Platform, tenant: TenantConfig) -> None:
    person, before = visit("fortium.localhost"), demo_clock.now(parts.store)
    form = person.get("/").form("/demo/clock") | {"step": "1h"}
    assert {person.post("/demo/clock", form).status for _ in range(2)} == {303}
    assert demo_clock.now(parts.store) - before < timedelta(hours=2)


def test_it_never_leads_to_another_site_and_knows_its_steps(visit: Callable[[str], Person], tenant: TenantConfig) -> None:
    person = visit("fortium.localhost")
    for elsewhere in ("https://evil.example/", "//evil.example/", "/\\evil.example", "/\t/evil.example"):
        assert move(person, "1h", return_to=elsewhere).location == "/"
    assert move(person, "1y").status == 422
    assert person.post("/demo/clock", {"step": "1h"}).status == 422


def test_the_clock_stands_on_all_three_kinds_of_host(
    visit: Callable[[str], Person], signed_in: Enter, tenant: TenantConfig, operator_actor: Actor
) -> None:
    for person, path in (
        (visit("partners.localhost"), "/sign-in"), (visit("ops.localhost"), "/sign-in"),
        (signed_in("partners.localhost", "dana@partners.example"), "/"), (signed_in("ops.localhost", "ops@fxo.example"), "/"),
    ):  # fmt: skip
        assert move(person, "1h", person.get(path)).status == 303


def test_next_goes_to_the_next_thing_that_is_due(sarah: Person, parts: platform.Platform, partner_id: UUID) -> None:
    quiet = move(sarah, "next")
    assert "Nothing is waiting to happen" in sarah.follow(quiet).text
    book(sarah, partner_id)
    before = demo_clock.now(parts.store)
    move(sarah, "next")
    assert timedelta() < demo_clock.now(parts.store) - before < timedelta(hours=1)
    assert "Nothing is waiting" not in sarah.get("/").text


def test_a_day_ahead_does_what_was_due_on_the_way_in_its_order(sarah: Person, parts: platform.Platform, partner_id: UUID) -> None:
    session_id = book(sarah, partner_id)
    move(sarah, "1d")
    assert " Over " in sarah.get(f"/sessions/{session_id}").words
    subjects = [link.b.get_text() for link in sarah.get("/demo/outbox").soup.select(".mails a")]
    assert len(subjects) == 6, subjects  # both confirmations, both reminders of the last hour, and both asked about the end


def test_the_bar_says_what_happens_next_and_names_people_to_each_other_alone(
    sarah: Person, visit: Callable[[str], Person], parts: platform.Platform, partner_id: UUID, other_tenant: TenantConfig
) -> None:
    assert sarah.get("/").soup.select_one(".clock-bar__next") is None
    book(sarah, partner_id)
    demo_clock.move(parts.store, parts.performer, demo_clock.now(parts.store) + timedelta(minutes=11))

    def bar(person: Person, path: str = "/") -> str:
        found = person.get(path).soup.select_one(".clock-bar__next")
        return " ".join(found.get_text(" ").split()) if found else ""

    for _ in range(6):
        if "a reminder to" in bar(sarah):
            break
        move(sarah, "next")
    assert re.search(r"Next: a reminder to (Sarah|Dana) \w+, (today|tomorrow) \d\d:\d\d", bar(sarah)), bar(sarah)
    assert "a reminder to a client" in bar(visit("fortium.localhost")) or "to an expert" in bar(visit("fortium.localhost"))
    assert "something in another portal" in bar(visit("globex.localhost"), "/sign-in")


def test_one_press_makes_one_anybody_of_the_place(
    visit: Callable[[str], Person], tenant: TenantConfig, client_actor: Actor, partner_id: UUID, operator_actor: Actor
) -> None:
    add_member(tenant, "boss@lindqvist.example", name="Bea Boss", role="administrator")
    for host, name in (("fortium", "Bea Boss"), ("fortium", "Sarah Lindqvist"), ("partners", "Dana Whitfield"), ("ops", "Olu")):
        person = visit(f"{host}.localhost")
        panel = person.get("/demo")
        [door] = [each for each in panel.soup.select(".door") if name in each.get_text()]
        form = panel.form("/demo/sign-in") | {"who": str(door.select_one("[name=who]")["value"])}  # type: ignore[index]
        assert person.post("/demo/sign-in", form).status == 303
        assert f"Account: {name}" in person.get("/").text
    panel = visit("fortium.localhost").get("/demo")
    assert "4242 4242 4242 4242" in panel.words
    assert "Go there" in panel.words


def test_nobody_is_signed_in_as_somebody_of_another_place(
    visit: Callable[[str], Person], tenant: TenantConfig, other_tenant: TenantConfig, client_actor: Actor, partner_id: UUID
) -> None:
    stranger = add_member(other_tenant, "gina@globex.example").id
    for host, who in (("fortium", stranger), ("fortium", partner_id), ("partners", client_actor.id), ("ops", partner_id)):
        person = visit(f"{host}.localhost")
        form = {"form_token": person.get("/demo").form("/demo/clock")["form_token"], "who": str(who)}
        assert person.post("/demo/sign-in", form).status == 404
        assert "Account:" not in person.get("/demo").text


# The mover itself --------------------------------------------------------------------------------------------------


def recorded(parts: platform.Platform, kind: str, command: Callable[[Transaction], None] = lambda tx: None) -> list[Any]:
    """Register a timer that notes when it was performed."""
    seen: list[Any] = []

    def note(tx: Transaction, work: Any) -> None:
        seen.append((work.body.get("name"), tx.now))
        command(tx)

    parts.registry.add(timer(kind, note))
    return seen


def plan(parts: platform.Platform, tenant: TenantConfig, kind: str, after: timedelta, name: str = "") -> UUID:
    def command(tx: Transaction) -> UUID:
        return rows.schedule(tx, kind, new_id(), due_at=tx.now + after, body={"name": name})

    return parts.store.run(tenant_scope(tenant.id), CODE, command)


def test_it_stops_at_each_due_row_and_does_what_follows_from_it(parts: platform.Platform, tenant: TenantConfig) -> None:
    begin = demo_clock.now(parts.store)

    def follow(tx: Transaction) -> None:
        if tx.now < begin + timedelta(hours=2, minutes=30):
            rows.schedule(tx, "test.second", new_id(), due_at=tx.now + timedelta(hours=1), body={"name": "followed"})

    first = recorded(parts, "test.first", follow)
    second = recorded(parts, "test.second")
    plan(parts, tenant, "test.first", timedelta(hours=2), "b")
    plan(parts, tenant, "test.first", timedelta(hours=1), "a")
    plan(parts, tenant, "test.first", timedelta(hours=9), "late")
    demo_clock.move(parts.store, parts.performer, begin + timedelta(hours=4))
    assert [(name, round((at - begin) / timedelta(hours=1))) for name, at in first] == [("a", 1), ("b", 2)]
    assert [round((at - begin) / timedelta(hours=1)) for _, at in second] == [2, 3]


def test_the_clock_never_goes_back(parts: platform.Platform, tenant: TenantConfig) -> None:
    there = demo_clock.move(parts.store, parts.performer, system_now() + timedelta(days=3))
    assert demo_clock.move(parts.store, parts.performer, system_now()) >= there


def test_work_in_other_hands_is_waited_for(app: Flask, parts: platform.Platform, tenant: TenantConfig) -> None:
    begin, entered, go_on = demo_clock.now(parts.store), threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        entered.set()
        assert go_on.wait(5)

    slow = recorded(parts, "test.slow", hold)
    after = recorded(parts, "test.after")
    work_id = plan(parts, tenant, "test.slow", timedelta())
    plan(parts, tenant, "test.after", timedelta(hours=1))

    def other() -> None:
        with app.app_context():
            parts.performer.perform(tenant.id, work_id)

    worker = threading.Thread(target=other)
    worker.start()
    assert entered.wait(5)
    threading.Timer(0.3, go_on.set).start()
    demo_clock.move(parts.store, parts.performer, begin + timedelta(hours=2))
    worker.join(5)
    assert len(slow) == 1
    assert len(after) == 1


def test_work_that_stays_in_other_hands_is_left_to_them(parts: platform.Platform, tenant: TenantConfig) -> None:
    recorded(parts, "test.held")
    begin, work_id = demo_clock.now(parts.store), plan(parts, tenant, "test.held", timedelta())
    with parts.store.transaction(tenant_scope(tenant.id), CODE) as tx:
        assert rows.claim(tx, work_id, timedelta(minutes=1))
    there = demo_clock.move(parts.store, parts.performer, begin + timedelta(hours=1), patience=0.2)
    assert there >= begin + timedelta(hours=1)


def test_one_press_works_no_longer_than_it_may_and_the_next_one_goes_on(parts: platform.Platform, tenant: TenantConfig) -> None:
    begin, seen = demo_clock.now(parts.store), recorded(parts, "test.many")
    for hour in range(1, 6):
        plan(parts, tenant, "test.many", timedelta(hours=hour))
    there = demo_clock.move(parts.store, parts.performer, begin + timedelta(hours=9), seconds=0)
    assert there < begin + timedelta(hours=2), "it stands where it has come to"
    assert demo_clock.move(parts.store, parts.performer, begin + timedelta(hours=9)) >= begin + timedelta(hours=9)
    assert len(seen) == 5


def test_a_platform_that_is_no_demo_has_none_of_it(databases: Any) -> None:
    settings = databases.settings("nowhere", demo=False)
    rules = {str(rule) for rule in create_app(settings).url_map.iter_rules()}
    assert not any(rule.startswith("/demo") for rule in rules)


# The outbox --------------------------------------------------------------------------------------------------------


def test_the_outbox_shows_a_mail_its_invitation_and_how_it_looks(
    sarah: Person, parts: platform.Platform, partner_id: UUID
) -> None:
    assert "No mail yet" in sarah.get("/demo/outbox").words
    book(sarah, partner_id)
    demo_clock.move(parts.store, parts.performer, demo_clock.now(parts.store) + timedelta(minutes=1))
    listed = sarah.get("/demo/outbox")
    links = [str(link["href"]) for link in listed.soup.select(".mails a")]
    assert len(links) == 2
    opened = sarah.get(links[0])
    mail = f"/demo/outbox/{links[0].partition('mail=')[2]}"
    assert "From Fortium <no-reply@localhost>" in opened.words
    frame = opened.soup.select_one("iframe")
    assert frame and frame["src"] == mail and "allow-scripts" not in str(frame["sandbox"])
    assert "frame-src 'self'" in opened.headers["Content-Security-Policy"]
    plain = sarah.get(links[0] + "&view=text")
    assert "frame-src" not in plain.headers["Content-Security-Policy"]
    assert "\nhttp://fortium.localhost:8000" in plain.text, "each part of a plain mail stands on its own line"
    assert "BEGIN:VCALENDAR" in sarah.get(links[0] + "&view=ics").text
    looks = sarah.get(mail)
    assert looks.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert "script" not in looks.headers["Content-Security-Policy"]
    attached = [str(link["href"]) for link in opened.soup.select("article a[download]")]
    assert len(attached) == 1
    got = sarah.get(attached[0])
    assert got.headers["Content-Type"].startswith("text/calendar")
    assert "attachment" in got.headers["Content-Disposition"]
    assert Calendar.from_ical(got.text).walk("VEVENT")
    assert sarah.get(mail + "/other.ics").status == 404
    assert sarah.get("/demo/outbox/unknown").status == 404


def test_the_outbox_is_searched_by_reader_and_subject(sarah: Person, parts: platform.Platform, partner_id: UUID) -> None:
    book(sarah, partner_id)
    demo_clock.move(parts.store, parts.performer, demo_clock.now(parts.store) + timedelta(minutes=1))

    def found(words: str) -> list[str]:
        page = sarah.get(f"/demo/outbox?q={words}")
        return [link.b.get_text() for link in page.soup.select(".mails a")]

    assert [subject.partition(":")[0] for subject in found("SARAH@lindqvist")] == ["Booked"]
    assert [subject.partition(":")[0] for subject in found("dana@")] == ["New session"]
    assert found("nobody%") == []
    assert "No mail has these words" in sarah.get("/demo/outbox?q=nobody%25").words


def test_a_portal_shows_the_mails_of_its_tenant_alone(
    sarah: Person, signed_in: Enter, parts: platform.Platform, partner_id: UUID, other_tenant: TenantConfig, operator_actor: Actor
) -> None:
    book(sarah, partner_id)
    demo_clock.move(parts.store, parts.performer, demo_clock.now(parts.store) + timedelta(minutes=1))
    mail = sarah.get("/demo/outbox").soup.select_one(".mails a")
    assert mail
    path = f"/demo/outbox/{str(mail['href']).partition('mail=')[2]}"
    add_member(other_tenant, "gina@globex.example")
    gina = signed_in("globex.localhost", "gina@globex.example")
    assert "No mail yet" in gina.get("/demo/outbox").words
    assert gina.get(path).status == gina.get(path + "/invite.ics").status == 404
    assert signed_in("ops.localhost", "ops@fxo.example").get(path).status == 200
