"""A tenant's settings page: for its administrator alone."""

from __future__ import annotations

from collections.abc import Callable

from fxo.core.scope import Actor, TenantConfig
from tests.conftest import add_member
from tests.support.browser import Person

Enter = Callable[..., Person]


def test_the_administrator_sees_settings_roster_and_members(signed_in: Enter, tenant: TenantConfig, client_actor: Actor) -> None:
    add_member(tenant, "ada@fortium.example", role="administrator", name="Ada Admin")
    page = signed_in("fortium.localhost", "ada@fortium.example").get("/admin")
    assert page.status == 200
    for word in (
        "Fortium",
        "$800",
        "80 / 20",
        "Dana Whitfield",
        "Kofi Mensah",
        "sarah@lindqvist.example",
        "Ada Admin",
        "#14532d",
    ):
        assert word in page.words


def test_an_administrator_sees_nothing_of_another_tenant(
    signed_in: Enter, tenant: TenantConfig, other_tenant: TenantConfig, client_actor: Actor
) -> None:
    add_member(other_tenant, "gina@globex.example", role="administrator", name="Gina Globex")
    page = signed_in("globex.localhost", "gina@globex.example").get("/admin")
    assert "$720" in page.words
    for word in ("Inês", "sarah@lindqvist.example", "$800"):
        assert word not in page.words


def test_a_client_may_not_open_it(signed_in: Enter, client_actor: Actor) -> None:
    assert signed_in("fortium.localhost", "sarah@lindqvist.example").get("/admin").status == 403


def test_a_visitor_is_asked_to_sign_in(visit: Callable[[str], Person], tenant: TenantConfig) -> None:
    page = visit("fortium.localhost").get("/admin")
    assert (page.status, page.location) == (303, "/sign-in?next=/admin")


def test_it_stands_on_portals_alone(visit: Callable[[str], Person], tenant: TenantConfig) -> None:
    assert visit("partners.localhost").get("/admin").status == 404
    assert visit("ops.localhost").get("/admin").status == 404
