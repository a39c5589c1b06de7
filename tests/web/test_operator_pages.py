"""The operator's pages: tenants, partners, ledger, alarms; every use is recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from fxo import platform
from fxo.core.consultations import queries as consultations
from fxo.core.ids import new_id
from fxo.core.scope import CODE, Actor, TenantConfig, operator_scope, tenant_scope
from fxo.core.work import alarms, demo_clock
from tests.support.booking import book
from tests.support.browser import Person

Enter = Callable[..., Person]


@pytest.fixture
def olu(signed_in: Enter, operator_actor: Actor) -> Person:
    return signed_in("ops.localhost", "ops@fxo.example")


def uses(parts: platform.Platform, operator: Actor) -> list[str]:
    with parts.store.transaction(operator_scope(operator.id), operator) as tx:
        return [row[0] for row in tx.driver.execute("select what from operator_uses order by id").fetchall()]


def test_every_page_asks_for_a_sign_in(visit: Callable[[str], Person], operator_actor: Actor) -> None:
    for path in ("/", "/ledger", "/alarms"):
        page = visit("ops.localhost").get(path)
        assert (page.status, page.location) == (303, f"/sign-in?next={path}")


def test_partners_and_clients_cannot_sign_in_here(visit: Callable[[str], Person], client_actor: Actor) -> None:
    person = visit("ops.localhost")
    for mail in ("sarah@lindqvist.example", "dana@partners.example"):
        assert person.submit(person.get("/sign-in"), "/sign-in", mail=mail, password="a passphrase for tests").status == 422


def test_the_overview_shows_every_tenant_and_partner(olu: Person, tenant: TenantConfig, other_tenant: TenantConfig) -> None:
    page = olu.get("/")
    assert page.status == 200
    for word in (
        "Fortium",
        "$800",
        "Globex Expert Desk",
        "$720",
        "Dana Whitfield",
        "Inês Carvalho",
        "Fortium, Globex Expert Desk",
    ):
        assert word in page.words


def test_the_pages_say_what_to_do_while_there_is_nothing(olu: Person) -> None:
    assert "fxo tenants create" in olu.get("/").words
    assert "The first captured session" in olu.get("/ledger").words
    assert "Nothing needs you" in olu.get("/alarms").words


def test_every_use_is_recorded(olu: Person, parts: platform.Platform, operator_actor: Actor) -> None:
    for path in ("/", "/ledger", "/alarms"):
        olu.get(path)
    assert uses(parts, operator_actor) == ["overview", "ledger", "alarms"]


def test_a_captured_session_stands_in_the_ledger_as_640_and_160(
    olu: Person, signed_in: Enter, parts: platform.Platform, tenant: TenantConfig, client_actor: Actor, partner_id: UUID
) -> None:
    session_id = book(signed_in("fortium.localhost", "sarah@lindqvist.example"), partner_id)
    with parts.store.transaction(tenant_scope(tenant.id), client_actor) as tx:
        start = consultations.find(tx, session_id).starts_at
    demo_clock.move(parts.store, parts.performer, start + timedelta(hours=1))
    dana = signed_in("partners.localhost", "dana@partners.example")
    dana.submit(dana.get(f"/sessions/{session_id}"), f"/sessions/{session_id}/complete")
    demo_clock.move(parts.store, parts.performer, start + timedelta(hours=2))
    page = olu.get("/ledger")
    entries = page.soup.select("table")[1].select("tbody tr")
    rows = [[cell.get_text(" ", strip=True) for cell in row.find_all("td")] for row in entries]
    assert [row[1:] for row in rows] == [
        ["Held by the payment provider", "$800", ""], ["Owed to partners", "", "$640"], ["Platform's share", "", "$160"],
    ]  # fmt: skip
    assert "Balanced." in page.words
    balances = [cell.get_text(strip=True) for cell in page.soup.select("table")[0].select("td.num")]
    assert set(balances) == {"$800", "-$160", "-$640"}


def raise_one(parts: platform.Platform, tenant: TenantConfig) -> None:
    parts.store.run(
        tenant_scope(tenant.id),
        CODE,
        alarms.raise_alarm,
        "meeting.no_link",
        new_id(),
        "A session begins soon and has no meeting link.",
    )


def test_an_alarm_is_shown_with_its_tenant_and_settled(
    olu: Person, parts: platform.Platform, tenant: TenantConfig, operator_actor: Actor
) -> None:
    raise_one(parts, tenant)
    assert "1 alarm" in olu.get("/").words
    page = olu.get("/alarms")
    assert "A session begins soon and has no meeting link." in page.words and "Fortium" in page.words
    action = next(str(form["action"]) for form in page.soup.main.find_all("form"))  # type: ignore[union-attr]
    settled = olu.follow(olu.submit(page, action))
    assert "Nothing needs you" in settled.words and "A session begins soon" in settled.words
    assert any(use.startswith("alarms: settled") for use in uses(parts, operator_actor))


def test_an_alarm_that_does_not_exist_cannot_be_settled(olu: Person, parts: platform.Platform, tenant: TenantConfig) -> None:
    raise_one(parts, tenant)
    page = olu.get("/alarms")
    action = next(str(form["action"]) for form in page.soup.main.find_all("form"))  # type: ignore[union-attr]
    form = page.form(action)
    assert olu.post(f"/alarms/{tenant.id}/{uuid4()}/settle", form).status == 404
    assert olu.post(f"/alarms/{uuid4()}/{action.split('/')[3]}/settle", form).status == 404
    assert olu.post("/alarms/x/y/settle", form).status == 404
    assert "A session begins soon" in olu.get("/alarms").words
