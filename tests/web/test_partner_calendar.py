"""Connecting one's own calendar: the way to the company's page and back, what the page says of it, taking it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest
from flask import Flask

from fxo import platform
from fxo.app import create_app
from fxo.core.calendars import connections
from fxo.core.scope import CODE, system_scope
from fxo.plugins.calendar_google import EVENTS, FREE_BUSY
from tests.conftest import Databases, add_member, add_partners, add_tenant, running
from tests.emulators.google import Google
from tests.support.browser import Person
from tests.support.calendars import GOOGLE, at_google

HOST = "partners.localhost"
BACK = f"http://{HOST}:8000/calendar/{GOOGLE}/return"
Enter = Callable[[str, str], Person]


@dataclass
class There:
    """Dana with a browser, and Google."""

    dana: Person
    google: Google
    other: Person
    """Somebody else's browser."""
    id: UUID
    app: Flask

    def asked(self, who: Person | None = None) -> str:
        """Where Google is asked."""
        answer = (who or self.dana).get(f"/calendar/{GOOGLE}/connect")
        assert answer.status == 303
        return answer.location

    def consented(self, url: str) -> str:
        """The way back that Google sends the browser."""
        answer = httpx.get(url)
        assert answer.status_code == 302, answer.text
        assert answer.headers["location"].startswith(BACK)
        return answer.headers["location"].removeprefix(f"http://{HOST}:8000")

    def connect(self) -> str:
        """What the page says after a consent."""
        return self.dana.follow(self.dana.get(self.consented(self.asked()))).text

    @property
    def state(self) -> str:
        with platform.current().store.transaction(system_scope("connections"), CODE) as tx:
            row = tx.driver.execute("select state from calendar_connections where partner_id = %s", (self.id,)).fetchone()
        return row[0] if row else ""


@pytest.fixture
def there(databases: Databases) -> Iterator[There]:
    google, settings = Google(), databases.make()
    google.consent.redirects.add(BACK)
    with google.running():
        for _ in running(app := create_app(settings, extra_plugins=(at_google(google),))):
            found = add_partners()
            add_tenant("fortium", "Fortium", 80_000, list(found.values()))
            people = []
            for mail in ("dana@partners.example", "ines@partners.example"):
                person = Person(app, HOST)
                person.submit(person.get("/sign-in"), "/sign-in", mail=mail, password="a passphrase for tests")
                people.append(person)
            yield There(people[0], google, people[1], found["dana"], app)
    databases.drop(settings)


def test_the_company_is_asked_for_two_scopes_with_a_state_and_a_challenge(there: There) -> None:
    asked = {name: values[0] for name, values in parse_qs(urlsplit(there.asked()).query).items()}
    assert set(asked["scope"].split()) == {EVENTS, FREE_BUSY}
    assert asked["redirect_uri"] == BACK
    assert (asked["response_type"], asked["code_challenge_method"], asked["access_type"]) == ("code", "S256", "offline")
    assert len(asked["state"]) >= 32
    again = parse_qs(urlsplit(there.asked()).query)
    assert again["state"] != [asked["state"]] and again["code_challenge"] != [asked["code_challenge"]]


def test_who_consents_is_connected_and_the_page_says_so(there: There) -> None:
    assert "Not connected" in there.dana.get("/calendar").words
    page = there.connect()
    assert "Connected. Clients see only times" in page
    assert there.state == "works"
    assert "Disconnect" in there.dana.get("/calendar").words


def test_who_refuses_is_not_connected_and_not_blamed(there: There) -> None:
    there.google.consent.refuses = True
    assert "Nothing was connected, as you decided" in there.connect()
    assert there.state == ""


def test_a_box_that_was_unticked_is_said_to_be_needed(there: There) -> None:
    there.google.consent.leaves_out = frozenset({FREE_BUSY})
    assert "Please leave every box ticked" in there.connect()
    assert there.state == ""


def test_an_answer_works_once_and_only_in_the_browser_that_asked(there: There) -> None:
    back = there.consented(there.asked())
    assert "does not belong to a question of this browser" in there.other.follow(there.other.get(back)).text
    assert there.state == ""
    assert "Connected. Clients" in there.dana.follow(there.dana.get(back)).text
    assert "does not belong to a question of this browser" in there.dana.follow(there.dana.get(back)).text


def test_an_answer_to_another_question_is_refused(there: There) -> None:
    back = there.consented(there.asked())
    there.asked()
    assert "does not belong to a question of this browser" in there.dana.follow(there.dana.get(back)).text
    assert not there.google.calls("/token"), "the code is not even looked at"


def test_a_code_that_somebody_made_up_is_refused(there: There) -> None:
    state = parse_qs(urlsplit(there.asked()).query)["state"][0]
    page = there.dana.follow(there.dana.get(f"/calendar/{GOOGLE}/return?state={state}&code=made-up"))
    assert "The answer was used or has ended" in page.text
    assert there.state == ""


def test_a_company_that_does_not_answer_is_named_and_nothing_is_lost(there: There) -> None:
    there.google.fail("/token")
    assert "Google Calendar does not answer us at the moment" in there.connect()
    assert "Connected. Clients" in there.connect()


def test_disconnecting_takes_it_back_at_the_company_too(there: There) -> None:
    there.connect()
    page = there.dana.get("/calendar")
    after = there.dana.follow(there.dana.submit(page, f"/calendar/{GOOGLE}/disconnect"))
    assert "Disconnected." in after.text
    assert there.state == "none"
    assert there.google.consent.grants == []


def test_disconnecting_works_while_the_company_does_not_answer(there: There) -> None:
    there.connect()
    there.google.drop("/revoke")
    after = there.dana.follow(there.dana.submit(there.dana.get("/calendar"), f"/calendar/{GOOGLE}/disconnect"))
    assert "could not be told" in after.text
    assert there.state == "none"


def test_a_broken_connection_is_seen_on_the_first_page_and_mended_with_one_link(there: There) -> None:
    there.connect()
    store = platform.current().store
    store.run(system_scope("connections"), CODE, connections.break_off, there.id, GOOGLE, "revoked")
    assert "Your Google Calendar does not answer us any more" in there.dana.get("/").text
    assert "Does not work" in there.dana.get("/calendar").words
    assert "Connected. Clients" in there.connect()
    assert "does not answer us any more" not in there.dana.get("/").text


def test_no_token_reaches_the_browser(there: There) -> None:
    page = there.connect()
    cookies = str(there.dana.client._cookies)
    assert "access-" not in page + cookies and "renewal-" not in page + cookies


def test_an_administrator_ticks_what_experts_may_connect_and_reads_how_many_have(there: There) -> None:
    there.connect()
    tenant = platform.current().records.by_slug("fortium")
    add_member(tenant, "ada@fortium.example", role="administrator", name="Ada Admin")
    ada = Person(there.app, "fortium.localhost")
    ada.submit(ada.get("/sign-in"), "/sign-in", mail="ada@fortium.example", password="a passphrase for tests")
    page = ada.get("/admin/calendars")
    assert "Google Calendar 1 expert has connected it." in page.words
    assert ada.submit(page, "/admin/calendars", calendars=GOOGLE).status == 303
    page = ada.get("/admin/calendars")
    assert "This counts for new sessions" in page.text
    assert page.form("/admin/calendars")["calendars"] == GOOGLE
    assert chosen() == [GOOGLE]

    ada.post("/admin/calendars", {"form_token": page.form("/admin/calendars")["form_token"]})
    assert chosen() == []


def chosen() -> list[str]:
    return [choice.name for choice in platform.current().records.by_slug("fortium").chosen("calendars")]


def test_nobody_but_a_partner_comes_near(there: There, visit: Callable[[str], Person]) -> None:
    assert visit(HOST).get("/calendar").location == "/sign-in?next=/calendar"
    assert visit("fortium.localhost").get("/calendar").status == 404


def test_where_the_operator_has_set_up_no_calendar_nobody_is_invited_to_connect_one(
    network_partners: dict[str, UUID], signed_in: Callable[..., Person]
) -> None:
    page = signed_in(HOST, "dana@partners.example").get("/calendar")
    assert "The operator has set up no calendar to connect here." in page.words
    assert "Connect the calendar" not in page.words and not page.soup.select("main a")


def test_a_calendar_that_is_not_set_up_cannot_be_connected(there: There) -> None:
    assert there.dana.get("/calendar/calendar_google/connect").status == 404
    assert there.dana.get("/calendar/calendar_local/connect").status == 404
