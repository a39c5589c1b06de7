"""The main flow as a person walks it: signing in, a brief, a slot, a card."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tests.support.browser import Page, Person

BRIEF = "Our insurer wants a tested ransomware recovery plan before January. We run three plants on an old Windows domain."
WORKS = "4242 4242 4242 4242"
ASKS = "4000 0025 0000 3155"
FAILS_LATER = "4000 0000 0000 0341"
CARD = {"number": WORKS, "exp_month": 12, "exp_year": 2040, "cvc": "123"}


def sign_in(person: Person, mail: str, password: str) -> None:
    landed = person.submit(person.get("/sign-in"), "/sign-in", mail=mail, password=password)
    assert landed.status == 303, landed.words


def shortlist(person: Person, problem: str = BRIEF) -> Page:
    """The page with experts and times for the brief; looked at again while the ranker still reads its model."""
    page = person.follow(person.submit(person.get("/"), "/briefs", problem=problem))
    for _again in range(8):
        if not page.soup.select(".working"):
            break
        page = person.get(page.action("/briefs/"))
    return page


def hold(person: Person, slot: dict[str, str]) -> Page:
    """The answer to choosing this slot of a page."""
    fields = dict(slot)
    return person.post(fields.pop(""), fields)


def choice(page: Page, partner_id: UUID, start: datetime) -> dict[str, str]:
    """What the button of any time of any expert would send to /holds, with the form token of the first page."""
    return {"form_token": page.form("/briefs")["form_token"], "partner": str(partner_id), "slot": start.isoformat()}


def card_token(person: Person, number: str = WORKS) -> str:
    return str(person.json("/plugins/payments_sandbox/tokens", CARD | {"number": number}).get_json()["token"])


def pay(person: Person, checkout: Page, number: str = WORKS) -> Page:
    """The answer to paying with a new card on this checkout page."""
    token = card_token(person, number)
    actions = (str(form.get("action", "")) for form in checkout.soup.find_all("form"))
    action = next(action for action in actions if action.startswith("/book/"))
    return person.submit(checkout, action, method="new", method_token=token)


def booking_of(path: str) -> UUID:
    """The booking that `/book/<id>...` or `/sessions/<id>...` is about."""
    return UUID(path.split("/")[2])
