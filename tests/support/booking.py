"""A booked session, made over pages as a client makes it."""

from __future__ import annotations

from uuid import UUID

from tests.support.browser import Page, Person

BRIEF = "Our insurer wants a tested ransomware recovery plan before January. We run three plants on an old Windows domain."
CARD = {"number": "4242 4242 4242 4242", "exp_month": 12, "exp_year": 2031, "cvc": "123"}


def book(person: Person, partner_id: UUID, *, brief: str = BRIEF, number: str = CARD["number"]) -> UUID:  # type: ignore[assignment]
    """Describe, choose this partner's first free slot, pay with this card; returns the id of the session."""
    found = person.follow(person.submit(person.get("/"), "/briefs", problem=brief))
    slot = next(slot for slot in found.slots() if slot["partner"] == str(partner_id))
    checkout = person.follow(person.post(slot.pop(""), slot))
    token = person.json("/plugins/payments_sandbox/tokens", CARD | {"number": number}).get_json()["token"]
    action = _first_action(checkout, "/book/")
    landed = person.follow(person.submit(checkout, action, method="new", method_token=token))
    assert "Booked" in landed.words, landed.words
    return UUID(action.rpartition("/")[2])


def _first_action(page: Page, start: str) -> str:
    return next(str(form["action"]) for form in page.soup.find_all("form") if str(form.get("action", "")).startswith(start))
