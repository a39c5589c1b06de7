"""The administrator's pages: for the tenant's administrator alone, and of that tenant alone."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from fxo.core.errors import NotAllowed
from fxo.core.partners import commands as partners
from fxo.core.partners import roster
from fxo.core.scope import CODE, ROLES, Actor, ActorKind, TenantConfig, system_scope, tenant_scope
from tests.conftest import add_member, write
from tests.support.browser import Page, Person

Enter = Callable[..., Person]


def said(page: Page) -> str:
    """What the page says about what was just done."""
    return " ".join(each.get_text(" ", strip=True) for each in page.soup.select(".toast__region"))


def token(page: Page) -> dict[str, str]:
    """The token of a form of the page."""
    field = page.soup.find("input", attrs={"name": "form_token"})
    return {"form_token": str(field["value"])}  # type: ignore[index]


@pytest.fixture
def ada(signed_in: Enter, tenant: TenantConfig, client_actor: Actor) -> Person:
    """Fortium's administrator, with Sarah as a client."""
    add_member(tenant, "ada@fortium.example", role="administrator", name="Ada Admin")
    return signed_in("fortium.localhost", "ada@fortium.example")


def test_the_overview_says_what_needs_doing_and_what_was_agreed(ada: Person) -> None:
    page = ada.get("/admin")
    assert page.status == 200
    for word in ("Fortium", "$800", "80 / 20", "No logo yet", "You are the only administrator", "1 administrator"):
        assert word in page.words
    for word in ("sarah@lindqvist.example", "Sarah Lindqvist"):
        assert word not in page.words, "figures name nobody"


def test_an_empty_portal_says_what_to_do_first(signed_in: Enter, parts: object, network_partners: dict[str, UUID]) -> None:
    from tests.conftest import add_tenant

    initech = add_tenant("initech", "Initech", 50_000, [])
    add_member(initech, "bill@initech.example", role="administrator", name="Bill")
    bill = signed_in("initech.localhost", "bill@initech.example")
    assert "Nobody can be booked yet" in bill.get("/admin").words
    assert "Nobody is on the roster yet" in bill.get("/admin/roster").words
    assert "Nobody is invited yet" in bill.get("/admin").words


@pytest.mark.parametrize(
    "path", ["/admin", "/admin/branding", "/admin/branding/preview.css", "/admin/roster", "/admin/roster/add", "/admin/members"]
)
def test_others_do_not_come_in(path: str, signed_in: Enter, visit: Callable[[str], Person], client_actor: Actor) -> None:
    assert signed_in("fortium.localhost", "sarah@lindqvist.example").get(path).status == 403
    page = visit("fortium.localhost").get(path)
    assert (page.status, page.location) == (303, f"/sign-in?next={path}")
    assert visit("partners.localhost").get(path).status == 404
    assert visit("ops.localhost").get(path).status == 404


def test_an_administrator_sees_nothing_of_another_tenant(
    signed_in: Enter, tenant: TenantConfig, other_tenant: TenantConfig, client_actor: Actor
) -> None:
    add_member(other_tenant, "gina@globex.example", role="administrator", name="Gina Globex")
    gina = signed_in("globex.localhost", "gina@globex.example")
    for path in ("/admin", "/admin/roster", "/admin/members", "/admin/branding"):
        page = gina.get(path)
        assert page.status == 200
        for word in ("Inês", "sarah@lindqvist.example", "$800"):
            assert word not in page.words, path
    assert gina.get(f"/admin/members/{client_actor.id}").status == 404
    token = gina.get("/admin/members").form("/admin/members/invite")["form_token"]
    for what in ("role", "deactivate", "reactivate", "invite-again", "revoke"):
        assert gina.post(f"/admin/members/{client_actor.id}/{what}", {"form_token": token, "role": "client"}).status == 404


# Roster and prices -------------------------------------------------------------------------------------------------


def test_the_default_price_changes_for_new_bookings_and_can_be_taken_back(ada: Person) -> None:
    page = ada.get("/admin/roster")
    refused = ada.submit(page, "/admin/roster/price", price="a lot")
    assert refused.status == 422 and "such as 800.00" in refused.words
    assert refused.form("/admin/roster/price")["price"] == "a lot", "what was typed is not lost"
    assert "between $1 and $100,000" in ada.submit(page, "/admin/roster/price", price="0").words
    changed = ada.follow(ada.submit(page, "/admin/roster/price", price="$950.50"))
    assert "The default price is $950.50 now. It counts for new bookings" in said(changed)
    assert "$950.50" in ada.get("/experts").words
    undo = ada.follow(ada.submit(changed, "/admin/roster/price", price="800"))
    assert "$950.50" not in ada.get("/experts").words and "$800 now" in said(undo)


def test_an_expert_gets_a_price_of_their_own_and_loses_it_again(ada: Person, network_partners: dict[str, UUID]) -> None:
    action = f"/admin/roster/{network_partners['dana']}/price"
    page = ada.get("/admin/roster")
    wrong = ada.submit(page, action, price="12.345")
    assert wrong.status == 422 and "such as 800.00" in wrong.words and "12.345" in wrong.text
    page = ada.follow(ada.submit(page, action, price="1,100"))
    assert "$1,100" in page.words and "own price" in page.words
    assert "$1,100" in ada.get(f"/experts/{network_partners['dana']}").words
    assert "own price" not in ada.follow(ada.submit(page, action, price="")).words


def test_an_entry_ends_and_comes_back(ada: Person, network_partners: dict[str, UUID]) -> None:
    kofi = network_partners["kofi"]
    page = ada.follow(ada.submit(ada.get("/admin/roster"), f"/admin/roster/{kofi}/end"))
    assert "Nobody can book this expert here any more" in said(page)
    assert "Kofi Mensah" not in ada.get("/experts").words
    assert "Kofi Mensah" in ada.get("/admin/roster?state=ended").words
    assert "Kofi Mensah" not in ada.get("/admin/roster").words
    ada.submit(page, f"/admin/roster/{kofi}/restore")
    assert "Kofi Mensah" in ada.get("/experts").words


def test_search_and_filters_narrow_the_roster(ada: Person) -> None:
    assert "Kofi Mensah" not in ada.get("/admin/roster?q=dana").words
    assert "Nobody answers to this" in ada.get("/admin/roster?q=nobody+at+all").words
    assert "Dana Whitfield" not in ada.get("/admin/roster?price=own").words
    assert ada.get("/admin/roster?page=99&state=nonsense&price=nonsense").status == 200


def test_experts_of_the_network_are_added_but_none_who_are_kept_to_somebody_else(
    ada: Person, tenant: TenantConfig, other_tenant: TenantConfig, network_partners: dict[str, UUID], operator_actor: Actor
) -> None:
    dana, kofi = network_partners["dana"], network_partners["kofi"]
    for partner_id in (dana, kofi):
        write(tenant_scope(tenant.id), CODE, partners.end_roster_entry, partner_id)
    write(system_scope("partners"), operator_actor, partners.show_to, kofi, other_tenant.id)

    def add(page: Page, **values: str) -> Page:
        return ada.post("/admin/roster/add", token(page) | values)

    page = ada.get("/admin/roster/add")
    assert "Dana Whitfield" in page.words
    assert "Kofi Mensah" not in page.words
    assert "Choose at least one expert" in add(page).words
    smuggled = ada.follow(add(page, partner=str(kofi)))
    assert "Kofi Mensah" not in ada.get("/experts").words and smuggled.status == 200
    added = ada.follow(add(ada.get("/admin/roster/add"), partner=str(dana)))
    assert "1 expert can be booked here from now on." in said(added)
    assert "Dana Whitfield" in ada.get("/experts").words
    ada.post(f"/admin/roster/{kofi}/restore", token(ada.get("/admin/roster")))
    assert "Kofi Mensah" not in ada.get("/experts").words


def test_only_an_administrator_may_ask_who_could_join(tenant: TenantConfig, client_actor: Actor) -> None:
    scope = system_scope("roster")
    for actor in (client_actor, Actor(client_actor.id, ActorKind.PARTNER, ROLES["partner"])):
        with pytest.raises(NotAllowed):
            write(scope, actor, roster.candidates, tenant.id)
        with pytest.raises(NotAllowed):
            write(scope, actor, roster.joinable, tenant.id, [])
