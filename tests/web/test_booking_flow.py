"""The main flow over pages: from a brief to a rating."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from fxo.core.scope import Actor, TenantConfig
from tests.support.browser import Page, Person

BRIEF = "Our insurer wants a tested ransomware recovery plan before January. We run three plants on an old Windows domain."
CARD = {"number": "4242 4242 4242 4242", "exp_month": 12, "exp_year": 2031, "cvc": "123"}


def shortlist(person: Person) -> Page:
    return person.follow(person.submit(person.get("/"), "/briefs", problem=BRIEF))


def book(person: Person, page: Page, *, number: str = CARD["number"]) -> Page:
    """Hold the first slot of the page and pay with this card."""
    slot = page.slots()[0]
    checkout = person.follow(person.post(slot.pop(""), slot))
    token = person.json("/plugins/payments_sandbox/tokens", CARD | {"number": number}).get_json()["token"]
    action = next(
        str(form["action"]) for form in checkout.soup.find_all("form") if str(form.get("action", "")).startswith("/book/")
    )
    return person.follow(person.submit(checkout, action, method="new", method_token=token))


def test_a_client_gets_from_a_brief_to_a_booked_session(
    signed_in: Callable[..., Person], client_actor: Actor, tenant: TenantConfig, partner_id: UUID
) -> None:
    sarah = signed_in("fortium.localhost", "sarah@lindqvist.example")
    page = shortlist(sarah)
    assert page.status == 200
    assert "Dana Whitfield" in page.words
    session = book(sarah, page)
    assert session.status == 200, session.words
    assert "Booked" in session.words
