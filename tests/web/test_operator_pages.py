"""The operator's pages: tenants, partners, ledger, alarms; every use is recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from fxo import platform
from fxo.core.consultations import queries as consultations
from fxo.core.errors import Misconfigured, NotAllowed
from fxo.core.ids import new_id
from fxo.core.partners import commands as partners
from fxo.core.scope import CODE, ROLES, Actor, ActorKind, FeeBearer, TenantConfig, operator_scope, system_scope, tenant_scope
from fxo.core.work import alarms, demo_clock
from fxo.tenants import records
from tests.conftest import add_member, write
from tests.support.booking import book
from tests.support.browser import Page, Person

Enter = Callable[..., Person]


@pytest.fixture
def olu(signed_in: Enter, operator_actor: Actor) -> Person:
    return signed_in("ops.localhost", "ops@fxo.example")


def uses(parts: platform.Platform, operator: Actor) -> list[str]:
    with parts.store.transaction(operator_scope(operator.id), operator) as tx:
        return [row[0] for row in tx.driver.execute("select what from operator_uses order by id").fetchall()]


def test_every_page_asks_for_a_sign_in(visit: Callable[[str], Person], operator_actor: Actor) -> None:
    for path in ("/", "/ledger", "/alarms", "/tenants", "/tenants/new", "/partners", "/providers"):
        page = visit("ops.localhost").get(path)
        assert (page.status, page.location) == (303, f"/sign-in?next={path}")


def test_partners_and_clients_cannot_sign_in_here(visit: Callable[[str], Person], client_actor: Actor) -> None:
    person = visit("ops.localhost")
    for mail in ("sarah@lindqvist.example", "dana@partners.example"):
        assert person.submit(person.get("/sign-in"), "/sign-in", mail=mail, password="a passphrase for tests").status == 422


def test_the_overview_shows_every_tenant_and_partner(olu: Person, tenant: TenantConfig, other_tenant: TenantConfig) -> None:
    page = olu.get("/")
    assert page.status == 200
    for word in ("Fortium", "$800", "Globex Expert Desk", "$720", "Members only", "3 on a roster"):
        assert word in page.words
    assert "Globex Expert Desk" in olu.get("/tenants").words
    partners = olu.get("/partners").words
    for word in ("Dana Whitfield", "Inês Carvalho", "Fortium, Globex Expert Desk", "1–3 of 3"):
        assert word in partners


def test_the_pages_say_what_to_do_while_there_is_nothing(olu: Person) -> None:
    assert "fxo tenants create" in olu.get("/").words
    assert "The first captured session" in olu.get("/ledger").words
    assert "Nothing needs you" in olu.get("/alarms").words


def test_providers_that_are_ill_stand_first_with_what_is_wrong_and_no_word_of_theirs(
    olu: Person, parts: platform.Platform, tenant: TenantConfig, other_tenant: TenantConfig, operator_actor: Actor
) -> None:
    assert "No provider was asked within a day" in olu.get("/providers").words
    assert parts.providers.faring
    well = parts.providers.faring.of(tenant.id, "payments", "payments_sandbox")
    well.answered(0.2, 0)
    down = parts.providers.faring.of(other_tenant.id, "matching", "matching_openai")
    down.failed("refine", 6.0, Misconfigured("the key sk-4711 of Ada is old", field="api_key"), rests=False)
    parts.providers.faring.keep()
    page = olu.get("/providers")
    for sentence in ("1 provider is ill", "Language model Matching Globex Expert Desk Down", "Sandbox Payments Fortium Well"):
        assert sentence in page.words
    assert "It does not take what stands in “API key”" in page.words and "sk-4711" not in page.text
    assert page.words.index("Language model") < page.words.index("Sandbox")
    assert uses(parts, operator_actor) == ["providers", "providers"]


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


def raise_one(parts: platform.Platform, tenant: TenantConfig, subject: UUID | None = None) -> None:
    sentence = "A session begins soon and has no meeting link."
    parts.store.run(tenant_scope(tenant.id), CODE, alarms.raise_alarm, "meeting.no_link", subject or new_id(), sentence)


def settle_action(page: Page, ends: str = "/settle") -> str:
    return next(str(form["action"]) for form in page.soup.find_all("form") if str(form.get("action")).endswith(ends))


def test_an_alarm_says_what_to_do_and_is_settled_with_a_note_and_opened_again(
    olu: Person, parts: platform.Platform, tenant: TenantConfig, operator_actor: Actor
) -> None:
    subject = new_id()
    for _ in range(3):
        raise_one(parts, tenant, subject)
    assert "A session without a meeting link" in olu.get("/").words
    page = olu.get("/alarms")
    for word in ("A session begins soon", "Fortium", "Look at the calendar provider", "3 times", "today"):
        assert word in page.words
    too_long = olu.submit(page, settle_action(page), note="x" * 501)
    assert too_long.status == 422 and "shorten the note" in too_long.words
    settled = olu.follow(olu.submit(page, settle_action(page), note="Rang the calendar's people."))
    assert "Nothing needs you" in settled.words
    done = olu.get("/alarms?state=settled")
    for word in ("Rang the calendar's people.", "Olu Operator", "A session begins soon"):
        assert word in done.words
    opened = olu.follow(olu.submit(done, settle_action(done, "/reopen")))
    assert "A session begins soon" in opened.words
    olu.submit(opened, settle_action(opened))
    raise_one(parts, tenant, subject)
    assert "4 times, last" in olu.get("/alarms").words, "what happens again opens again by itself"
    recorded = uses(parts, operator_actor)
    assert [use.split(" ")[1] for use in recorded if use.startswith("alarms: ")] == ["settled", "reopened", "settled"]


def test_alarms_are_filtered_by_kind_and_tenant(
    olu: Person, parts: platform.Platform, tenant: TenantConfig, other_tenant: TenantConfig
) -> None:
    raise_one(parts, tenant)
    assert "A session begins soon" in olu.get(f"/alarms?tenant={tenant.id}&kind=meeting.").words
    for query in (f"tenant={other_tenant.id}", "kind=payment."):
        assert "Nothing answers to this" in olu.get(f"/alarms?{query}").words
    assert olu.get("/alarms?tenant=nonsense&kind=%25&state=what").status == 200


def test_an_alarm_that_does_not_exist_cannot_be_settled(olu: Person, parts: platform.Platform, tenant: TenantConfig) -> None:
    raise_one(parts, tenant)
    page = olu.get("/alarms")
    action = settle_action(page)
    form = page.form(action)
    for verb in ("settle", "reopen"):
        assert olu.post(f"/alarms/{tenant.id}/{uuid4()}/{verb}", form).status == 404
        assert olu.post(f"/alarms/{uuid4()}/{action.split('/')[3]}/{verb}", form).status == 404
        assert olu.post(f"/alarms/x/y/{verb}", form).status == 404
    assert "A session begins soon" in olu.get("/alarms").words


def test_an_alarm_leads_to_the_booking_it_is_about_which_names_no_client(
    olu: Person, signed_in: Enter, parts: platform.Platform, tenant: TenantConfig, client_actor: Actor, partner_id: UUID
) -> None:
    session_id = book(signed_in("fortium.localhost", "sarah@lindqvist.example"), partner_id)
    raise_one(parts, tenant, session_id)
    link = olu.get("/alarms").link("/bookings/")
    page = olu.get(link)
    assert page.status == 200
    for word in ("Fortium", "Dana Whitfield", "Booked", "$800", "80 / 20", "$640 / $160", "authorised"):
        assert word in page.words
    for word in ("Sarah", "Lindqvist", "ransomware"):
        assert word not in page.words
    assert olu.get(f"/bookings/{tenant.id}/{uuid4()}").status == 404
    assert olu.get(f"/bookings/{uuid4()}/{session_id}").status == 404


# Tenants -----------------------------------------------------------------------------------------------------------

NEW = {
    "slug": "initech", "name": "Initech", "price": "650", "currency": "EUR", "share": "75", "domains": "initech.example",
    "hosts": "experts.initech.example", "colour": "#FAB117", "tagline": "Ask first", "open": "",
}  # fmt: skip


def test_a_tenant_is_made_by_a_form_and_its_first_administrator_invited(
    olu: Person, visit: Callable[[str], Person], parts: platform.Platform, operator_actor: Actor
) -> None:
    page = olu.get("/tenants/new")
    created = olu.follow(olu.submit(page, "/tenants/new", **NEW))
    assert created.status == 200
    for word in (
        "Initech", "€650", "75 / 25", "@initech.example", "initech.localhost", "experts.initech.example",
        "Nobody looks after this portal yet", "Sandbox",
    ):  # fmt: skip
        assert word in created.words
    for host in ("initech.localhost", "experts.initech.example"):
        assert visit(host).get("/sign-in").status == 200
    invite = settle_action(created, "/invite")
    assert olu.submit(created, invite, mail="bill@elsewhere.example").status == 422
    assert "on its way" in olu.follow(olu.submit(created, invite, mail="bill@initech.example")).text
    assert "tenants: created initech" in uses(parts, operator_actor)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("slug", "Bad Name", "lower-case letters"), ("slug", "ops", "host of the platform itself"),
        ("slug", "fortium", "exists already"), ("name", "", "Use 1 to 60 characters"), ("price", "much", "such as 800.00"),
        ("price", "0", "a price between"), ("share", "120", "from 0 to 100"), ("currency", "XXX", "Choose one of the list"),
        ("colour", "blue", "Write the colour as #"), ("domains", "initech", "is no domain"),
        ("hosts", "fortium.localhost", "belongs to the platform"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_new_tenant_is_said_beside_its_field(
    olu: Person, tenant: TenantConfig, field: str, value: str, sentence: str
) -> None:
    answer = olu.submit(olu.get("/tenants/new"), "/tenants/new", **(NEW | {field: value}))
    assert answer.status in (409, 422) and sentence in answer.words
    form = answer.form("/tenants/new")
    assert form["tagline"] == "Ask first" and (field == "currency" or form[field] == value)


def test_a_domain_leads_to_one_portal_alone(olu: Person) -> None:
    olu.submit(olu.get("/tenants/new"), "/tenants/new", **NEW)
    again = olu.submit(olu.get("/tenants/new"), "/tenants/new", **(NEW | {"slug": "other"}))
    assert again.status == 409 and "leads to another portal already" in again.words


# Partners ----------------------------------------------------------------------------------------------------------


def test_partners_are_searched_and_filtered(olu: Person, tenant: TenantConfig, other_tenant: TenantConfig) -> None:
    assert "Dana Whitfield" not in olu.get("/partners?q=kofi").words
    assert "Inês Carvalho" not in olu.get(f"/partners?tenant={other_tenant.id}").words
    assert "Nobody answers to this" in olu.get("/partners?state=suspended").words
    assert olu.get("/partners?state=nonsense&tenant=x&page=0").status == 200


def test_one_partner_has_a_page_with_rosters_and_can_be_suspended_with_a_reason(
    olu: Person, parts: platform.Platform, tenant: TenantConfig, other_tenant: TenantConfig, partner_id: UUID,
    operator_actor: Actor,
) -> None:  # fmt: skip
    path = f"/partners/{partner_id}"
    page = olu.get(path)
    for word in ("Dana Whitfield", "Fortium", "Globex Expert Desk", "$800", "$720", "80 / 20"):
        assert word in page.words
    assert olu.submit(page, f"{path}/suspend", reason="x" * 501).status == 422
    suspended = olu.follow(olu.submit(page, f"{path}/suspend", reason="Under review"))
    assert "Suspended since" in suspended.words and "Reason: Under review" in suspended.words
    assert "Dana Whitfield" in olu.get("/partners?state=suspended").words
    approved = olu.follow(olu.submit(suspended, f"{path}/approve")).words
    assert "Suspended since" not in approved and "Under review" not in approved
    assert olu.submit(page, f"{path}/visibility", visible_to="nonsense").status == 422
    assert olu.submit(page, f"{path}/visibility", visible_to=str(uuid4())).status == 422
    only = olu.follow(olu.submit(page, f"{path}/visibility", visible_to=str(other_tenant.id)))
    assert "Globex Expert Desk alone" in only.words
    assert olu.get(f"/partners/{uuid4()}").status == 404 and olu.get("/partners/x").status == 404
    recorded = uses(parts, operator_actor)
    assert f"partners: suspended {partner_id}" in recorded and f"partners: approved {partner_id}" in recorded


def test_nobody_else_may_decide_about_partners_and_tenants(tenant: TenantConfig, partner_id: UUID, client_actor: Actor) -> None:
    boss = add_member(tenant, "boss@fortium.example", role="administrator")
    dana = Actor(partner_id, ActorKind.PARTNER, ROLES["partner"])
    for actor in (boss, dana, client_actor):
        for command, arguments in (
            (partners.suspend, (partner_id, "")), (partners.approve, (partner_id,)), (partners.show_to, (partner_id, None)),
        ):  # fmt: skip
            with pytest.raises(NotAllowed):
                write(system_scope("partners"), actor, command, *arguments)
        with pytest.raises(NotAllowed):
            write(system_scope("tenants"), actor, records.pause, tenant.id, suspended=True)
        with pytest.raises(NotAllowed):
            write(system_scope("tenants"), actor, records.let_bear_fees, tenant.id, FeeBearer.PARTNER)
