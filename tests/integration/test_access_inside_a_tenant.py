"""Inside a tenant the database parts nobody: every address with an id answers its owner, and is not there for anybody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import flask
import pytest
from flask import Flask

from fxo.core import life, record
from fxo.core.calendars import queries as calendars
from fxo.core.clients import commands as client_commands
from fxo.core.clients import queries as clients
from fxo.core.consultations import commands as consultations
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.model import Party
from fxo.core.errors import FxoError, NotAllowed, NotFound
from fxo.core.events.store import Transaction
from fxo.core.ids import new_id
from fxo.core.matching import commands as matching
from fxo.core.matching import queries as briefs
from fxo.core.money import Money
from fxo.core.payments import commands as payments
from fxo.core.payments import queries as payment_rows
from fxo.core.payments import receipts
from fxo.core.payments.outcomes import Paper
from fxo.core.payments.queries import payment_id_of
from fxo.core.ratings import commands as ratings
from fxo.core.scope import CODE, ROLES, Actor, ActorKind, tenant_scope
from tests.conftest import PASSWORD, add_member, add_tenant
from tests.support.browser import Page, Person
from tests.support.flow import BRIEF, sign_in
from tests.support.money import done, paid_out
from tests.support.story import Story, story

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FORTIUM, GLOBEX, PARTNERS = "fortium.localhost", "globex.localhost", "partners.localhost"

BOUND = {
    ("portal", "GET", "/briefs/<brief_id>"),
    ("portal", "POST", "/briefs/<brief_id>"),
    ("portal", "POST", "/briefs/<brief_id>/refine"),
    ("portal", "GET", "/book/<consultation_id>"),
    ("portal", "POST", "/book/<consultation_id>"),
    ("portal", "GET", "/book/<consultation_id>/bank"),
    ("portal", "GET", "/book/<consultation_id>/checking"),
    ("portal", "GET", "/book/<consultation_id>/return"),
    ("portal", "GET", "/sessions/<consultation_id>"),
    ("portal", "GET", "/sessions/<consultation_id>/session.ics"),
    ("portal", "GET", "/sessions/<consultation_id>/calendar/<which>"),
    ("portal", "GET", "/sessions/<consultation_id>/times"),
    ("portal", "GET", "/sessions/<consultation_id>/card"),
    ("portal", "POST", "/sessions/<consultation_id>/card"),
    ("portal", "POST", "/settings/cards/<card_id>/remove"),
    ("portal", "POST", "/settings/contacts/<contact_id>/remove"),
    ("portal", "POST", "/sessions/<consultation_id>/check-in"),
    ("portal", "POST", "/sessions/<consultation_id>/rating"),
    ("partners", "GET", "/sessions/<consultation_id>"),
    ("partners", "GET", "/sessions/<consultation_id>/session.ics"),
    ("partners", "POST", "/sessions/<consultation_id>/answer"),
    ("partners", "POST", "/sessions/<consultation_id>/check-in"),
    ("partners", "POST", "/sessions/<consultation_id>/complete"),
    ("partners", "POST", "/sessions/<consultation_id>/undo"),
    ("portal", "GET", "/sessions/<consultation_id>/cancel"),
    ("portal", "POST", "/sessions/<consultation_id>/cancel"),
    ("portal", "GET", "/sessions/<consultation_id>/move"),
    ("portal", "POST", "/sessions/<consultation_id>/move"),
    ("portal", "POST", "/sessions/<consultation_id>/refuse"),
    ("portal", "POST", "/sessions/<consultation_id>/withdraw"),
    ("portal", "GET", "/sessions/<consultation_id>/join"),
    ("portal", "POST", "/sessions/<consultation_id>/absent"),
    ("portal", "POST", "/sessions/<consultation_id>/object"),
    ("portal", "POST", "/sessions/<consultation_id>/rescue"),
    ("portal", "POST", "/sessions/<consultation_id>/rescue/end"),
    ("portal", "GET", "/sessions/<consultation_id>/pay"),
    ("portal", "POST", "/sessions/<consultation_id>/pay"),
    ("portal", "GET", "/sessions/<consultation_id>/record.json"),
    ("portal", "GET", "/receipts/<kind>-<int:number>.pdf"),
    ("partners", "GET", "/sessions/<consultation_id>/record.json"),
    ("partners", "GET", "/earnings/payouts/<payout_id>"),
    ("partners", "GET", "/earnings/payouts/<payout_id>.csv"),
    ("partners", "POST", "/sessions/<consultation_id>/accept"),
    ("partners", "POST", "/sessions/<consultation_id>/decline"),
    ("partners", "GET", "/sessions/<consultation_id>/cancel"),
    ("partners", "POST", "/sessions/<consultation_id>/cancel"),
    ("partners", "GET", "/sessions/<consultation_id>/propose"),
    ("partners", "POST", "/sessions/<consultation_id>/propose"),
    ("partners", "POST", "/sessions/<consultation_id>/keep"),
    ("partners", "GET", "/sessions/<consultation_id>/join"),
    ("partners", "POST", "/sessions/<consultation_id>/absent"),
    ("partners", "POST", "/sessions/<consultation_id>/object"),
}
"""Addresses that belong to one person; everybody else gets 404, as for an id that does not exist."""

OPEN = {
    ("portal", "/experts/<partner_id>"): "anybody whom the portal admits reads the experts of its roster",
    ("portal", "/plugins/payments_sandbox/challenge/<challenge>"): "the bank's own page; the address cannot be guessed",
    ("portal", "/plugins/payments_sandbox/static/<path:filename>"): "files that are the same for all",
    ("portal", "/plugins/payments_stripe/static/<path:filename>"): "files that are the same for all",
    ("portal", "/demo/outbox/<message_id>"): "the demo shows everybody the mails of the tenant",
    ("portal", "/demo/outbox/<message_id>/<filename>"): "the demo shows everybody the mails of the tenant",
    ("partners", "/demo/outbox/<message_id>"): "the demo shows everybody all mails",
    ("partners", "/demo/outbox/<message_id>/<filename>"): "the demo shows everybody all mails",
    ("ops", "/demo/outbox/<message_id>"): "the demo shows everybody all mails",
    ("ops", "/demo/outbox/<message_id>/<filename>"): "the demo shows everybody all mails",
    ("partners", "/availability/exceptions/<day>/remove"): "a day of one's own week",
    ("partners", "/calendar/<name>/connect"): "one's own calendar at that company",
    ("partners", "/calendar/<name>/return"): "an answer works in the browser that asked, once",
    ("partners", "/calendar/<name>/disconnect"): "one's own calendar at that company",
    ("portal", "/invitation/<token>"): "whoever has the link that was mailed; it cannot be guessed and works once",
    ("portal", "/logo-<digest>.png"): "everybody sees the portal's picture",
}
"""Addresses with something in them that belong to nobody in particular, each with its reason."""

OFFICE = {
    ("portal", "POST", "/admin/roster/<partner_id>/price"),
    ("portal", "POST", "/admin/roster/<partner_id>/end"),
    ("portal", "POST", "/admin/roster/<partner_id>/restore"),
    ("portal", "GET", "/admin/members/<member_id>"),
    ("portal", "POST", "/admin/members/<member_id>/role"),
    ("portal", "POST", "/admin/members/<member_id>/deactivate"),
    ("portal", "POST", "/admin/members/<member_id>/reactivate"),
    ("portal", "POST", "/admin/members/<member_id>/invite-again"),
    ("portal", "POST", "/admin/members/<member_id>/revoke"),
    ("portal", "POST", "/admin/api-keys/<key_id>/revoke"),
    ("portal", "GET", "/admin/providers/<name>"),
    ("portal", "POST", "/admin/providers/<name>"),
    ("portal", "POST", "/admin/providers/<name>/remove"),
    ("portal", "POST", "/admin/providers/<name>/test"),
    ("ops", "GET", "/bookings/<tenant_id>/<consultation_id>"),
    ("ops", "POST", "/bookings/<tenant_id>/<consultation_id>/decide"),
    ("ops", "POST", "/bookings/<tenant_id>/<consultation_id>/cancel"),
    ("ops", "GET", "/payments/<tenant_id>/<payment_id>"),
    ("ops", "POST", "/payments/<tenant_id>/<payment_id>/<what>"),
    ("ops", "GET", "/payments/<tenant_id>/<payment_id>/<kind>-<int:paper>.pdf"),
    ("ops", "GET", "/payments/<tenant_id>/<payment_id>/record.json"),
    ("ops", "POST", "/payouts/<tenant_id>/<payout_id>/paid"),
    ("ops", "POST", "/alarms/<tenant_id>/<alarm_id>/settle"),
    ("ops", "POST", "/alarms/<tenant_id>/<alarm_id>/reopen"),
    ("ops", "GET", "/tenants/<tenant_id>"),
    ("ops", "POST", "/tenants/<tenant_id>/suspend"),
    ("ops", "POST", "/tenants/<tenant_id>/resume"),
    ("ops", "POST", "/tenants/<tenant_id>/invite"),
    ("ops", "POST", "/tenants/<tenant_id>/fees"),
    ("ops", "GET", "/partners/<partner_id>"),
    ("ops", "POST", "/partners/<partner_id>/suspend"),
    ("ops", "POST", "/partners/<partner_id>/approve"),
    ("ops", "POST", "/partners/<partner_id>/visibility"),
}
"""Addresses of an office: the tenant's administrators, and the operators. Nobody without the permission comes in."""


class Scene:
    """Sarah with a brief, a slot on hold, a session that is booked and one that was paid, with its receipt and its expert's
    payout; and everybody to whom they do not belong.
    """

    def __init__(self, told: Story) -> None:
        self.told = told
        app: Flask = flask.current_app  # type: ignore[assignment]
        globex = add_tenant("globex", "Globex", 72_000, list(told.partners.values()))
        add_member(told.config, "neighbour@lindqvist.example", name="Nils Neighbour")
        add_member(told.config, "boss@lindqvist.example", role="administrator")
        add_member(globex, "sarah@lindqvist.example")
        self.sarah = entered(app, FORTIUM, "sarah@lindqvist.example")
        self.paid = done(told)
        [self.payout_id] = paid_out(told)
        location = self.sarah.submit(self.sarah.get("/"), "/briefs", problem=BRIEF).location
        self.brief_id = UUID(location.rpartition("/")[2])
        self.booked = told.book("dana", told.ahead(2 * DAY))
        told.work()
        [(self.card_id,)] = told.rows("select id from saved_methods order by saved_at desc limit 1")
        self.contact_id = told.run(CODE, client_commands.add_contact, told.client.id, "sms", "+15551230000")
        self.held = told.hold("ines", told.ahead(3 * DAY))
        self.dana = entered(app, PARTNERS, "dana@partners.example")
        self.strangers = {
            "another member": entered(app, FORTIUM, "neighbour@lindqvist.example"),
            "an administrator": entered(app, FORTIUM, "boss@lindqvist.example"),
            "a member of another tenant": entered(app, GLOBEX, "sarah@lindqvist.example"),
            "another partner": entered(app, PARTNERS, "kofi@partners.example"),
            "a partner who was held": entered(app, PARTNERS, "ines@partners.example"),
        }
        add_member(globex, "governor@globex.example", role="administrator", name="Greta Governor")
        self.governor = entered(app, GLOBEX, "governor@globex.example")
        self.visitors = {"a visitor": Person(app, FORTIUM), "a visitor of another portal": Person(app, GLOBEX)}

    def path(self, rule: str, *, real: bool = True) -> str:
        """The address of what is there; or of what is not, of the same form."""
        booked = self.held if rule.startswith("/book/") else self.booked
        ids = {
            "brief_id": self.brief_id, "consultation_id": booked, "card_id": self.card_id, "payout_id": self.payout_id,
            "contact_id": self.contact_id,
            "payment_id": payment_id_of(self.paid), "tenant_id": self.told.config.id, "partner_id": self.told.partners["dana"],
            "member_id": self.told.client.id, "alarm_id": new_id(), "key_id": new_id(),
        }  # fmt: skip
        number = 1 if real else 77
        values = {
            "which": "google",
            "kind": "receipt",
            "int:number": number,
            "int:paper": number,
            "what": "refund",
            "name": "calendar_local",
        }
        for name, value in [*values.items(), *((name, known if real else new_id()) for name, known in ids.items())]:
            rule = rule.replace(f"<{name}>", str(value))
        return rule

    def send(self, person: Person, method: str, path: str) -> Page:
        if method == "GET":
            return person.get(path)
        page = person.get("/sessions" if person.host != PARTNERS else "/")
        if page.status != 200:
            page = person.get("/sign-in")
        token = str(page.soup.find("input", attrs={"name": "form_token"})["value"])  # type: ignore[index]
        fields = {"form_token": token, "stars": "1", "text": "Not mine", "method": "new", "method_token": "x"}
        if person is self.sarah and path.startswith("/briefs/"):
            fields["text"] = BRIEF  # her own brief stays what the tests below compare with
        return person.post(path, fields)


def entered(app: Flask, host: str, mail: str) -> Person:
    person = Person(app, host)
    sign_in(person, mail, PASSWORD)
    return person


@pytest.fixture(scope="module")
def scene(databases: Any) -> Iterator[Scene]:
    with story(databases) as told:
        yield Scene(told)


def rules(scene: Scene) -> set[tuple[str, str, str]]:
    """Every address with something in it where people are; those for programs are in `tests/web/test_api.py`."""
    found = set()
    for rule in flask.current_app.url_map.iter_rules():
        if (
            rule.arguments
            and rule.subdomain in ("portal", "partners", "ops")
            and not rule.endpoint.startswith(("static", "theme", "api."))
        ):
            found |= {(rule.subdomain, method, rule.rule) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    return found


def test_every_address_with_an_id_is_looked_at_here(scene: Scene) -> None:
    """A new one is either bound to its owner, and so tested below, or open for a reason."""
    there = rules(scene)
    assert there == BOUND | OFFICE | {(place, method, rule) for place, method, rule in there if (place, rule) in OPEN}
    assert {(place, rule) for place, _, rule in there} >= OPEN.keys()


@pytest.mark.parametrize(("place", "method", "rule"), sorted(BOUND))
def test_nobody_else_finds_what_belongs_to_somebody(scene: Scene, place: str, method: str, rule: str) -> None:
    path, nowhere = scene.path(rule), scene.path(rule, real=False)
    on_portal = place == "portal"
    for who, person in scene.strangers.items():
        if (person.host == PARTNERS) is on_portal:
            continue
        page, unknown = scene.send(person, method, path), scene.send(person, method, nowhere)
        assert page.status == unknown.status == 404, (who, page.status, page.words)
        assert _without_numbers(page) == _without_numbers(unknown), f"{who} can tell that it exists"
    for who, person in scene.visitors.items() if on_portal else ():
        page, unknown = scene.send(person, method, path), scene.send(person, method, nowhere)
        assert page.status == unknown.status, who
        assert page.status in (401, 404) or page.location.startswith("/sign-in"), (who, page.status)


@pytest.mark.parametrize(("place", "method", "rule"), sorted(OFFICE))
def test_nobody_without_the_office_comes_in(scene: Scene, place: str, method: str, rule: str) -> None:
    """Clients of the tenant, and an administrator of another one; at the operators' host nobody of them can even sign in."""
    told, app, path = scene.told, flask.current_app, scene.path(rule)
    if place == "ops":
        visitor = Person(app, "ops.localhost")  # type: ignore[arg-type]
        page = scene.send(visitor, method, path)
        assert asks_to_sign_in(page), page.words
        assert scene.send(scene.strangers["an administrator"], method, path).status == 404
        return
    assert scene.send(scene.strangers["another member"], method, path).status == 403
    assert scene.send(scene.sarah, method, path).status == 403
    page = scene.send(scene.visitors["a visitor"], method, path)
    assert asks_to_sign_in(page), page.words
    foreign = scene.send(scene.governor, method, path)
    if "member" in rule:
        assert foreign.status == 404, "of another tenant's roster there is the own one instead"
    mine = {"t": told.config.id}
    others = "select count(*) from members where tenant_id = %(t)s and (deactivated_at is not null or role <> 'client')"
    assert told.rows(others, **mine) == [(1,)], "the administrator of the scene, as before"
    changed = "select count(*) from roster where tenant_id = %(t)s and (ended_at is not null or price_minor is not null)"
    assert told.rows(changed, **mine) == [(0,)]


def asks_to_sign_in(page: Page) -> bool:
    """Whether it leads to the sign-in; a form is asked for it in its place, so that what was typed is kept."""
    return page.location.startswith("/sign-in") if page.status == 303 else page.status == 401 and page.form("/sign-in") != {}


def _without_numbers(page: Page) -> str:
    return page.words.rpartition("give this number")[0]


@pytest.mark.parametrize(("place", "method", "rule"), sorted(BOUND, key=lambda each: (each[1], each)))
def test_its_owner_finds_it(scene: Scene, place: str, method: str, rule: str) -> None:
    """Otherwise the test above would prove nothing. What is refused for another reason says so."""
    person = scene.sarah if place == "portal" else scene.dana
    page = scene.send(person, method, scene.path(rule))
    assert page.status in (200, 204, 303, 409, 410, 422), page.words
    assert not page.headers.get("Location", "").startswith("/sign-in")


def test_nothing_was_changed_by_all_who_tried(scene: Scene) -> None:
    told = scene.told
    assert told.state(scene.booked) == "confirmed"
    assert told.state(scene.held) == "held"
    assert told.rows("select count(*) from ratings") == [(0,)]
    assert told.payment(scene.booked)[0] == "authorised"
    assert told.payment(scene.paid)[0] == "captured"
    assert told.rows("select kind, number from receipts") == [("receipt", 1)]
    assert told.rows("select state, way from partner_payouts") == [("paid", "transfer")]


def test_a_visitors_brief_is_bound_to_their_cookie_until_they_sign_up(scene: Scene) -> None:
    app: Flask = flask.current_app  # type: ignore[assignment]
    visitor = Person(app, FORTIUM)
    location = visitor.submit(visitor.get("/"), "/briefs", problem=BRIEF).location
    others = [Person(app, FORTIUM), *(person for person in scene.strangers.values() if person.host == FORTIUM), scene.sarah]
    assert visitor.get(location).status == 200
    assert {other.get(location).status for other in others} == {404}
    fields = {"name": "Vera Visitor", "mail": "vera@lindqvist.example", "password": PASSWORD, "zone": "Europe/Vienna"}
    assert visitor.submit(visitor.get("/sign-up"), "/sign-up", **fields).status == 303
    assert visitor.get(location).status == 200
    assert {other.get(location).status for other in others} == {404}


def test_a_slot_cannot_be_held_for_somebody_elses_brief(scene: Scene) -> None:
    neighbour = scene.strangers["another member"]
    own = neighbour.follow(neighbour.submit(neighbour.get("/"), "/briefs", problem=BRIEF))
    slot = own.slots()[0] | {"brief": str(scene.brief_id)}
    before = scene.told.rows("select count(*) from consultations")
    assert neighbour.post(slot.pop(""), slot).status == 404
    assert scene.told.rows("select count(*) from consultations") == before


def test_a_list_shows_its_readers_own_alone(scene: Scene) -> None:
    for who in ("another member", "an administrator", "a member of another tenant"):
        page = scene.strangers[who].get("/sessions")
        assert page.status == 200
        assert str(scene.booked) not in page.text and str(scene.held) not in page.text, who
    for who in ("another partner", "a partner who was held"):
        page = scene.strangers[who].get("/")
        assert page.status == 200
        assert "Sarah" not in page.text and str(scene.booked) not in page.text, who
    assert str(scene.booked) in scene.sarah.get("/sessions").text
    assert "Sarah" in scene.dana.get("/").text


def test_a_mail_of_one_tenant_is_not_found_on_the_portal_of_another(scene: Scene) -> None:
    message = scene.told.mails(to="sarah@lindqvist.example")[0]
    assert scene.sarah.get(f"/demo/outbox/{message.id}").status == 200
    assert scene.strangers["a member of another tenant"].get(f"/demo/outbox/{message.id}").status == 404


# The same below the pages: queries and commands by themselves ------------------------------------------------------


def strangers(scene: Scene) -> dict[str, Actor]:
    dana, kofi = scene.told.partners["dana"], scene.told.partners["kofi"]
    return {
        "another member": scene.told.newcomer(),
        "an administrator": Actor(new_id(), ActorKind.MEMBER, ROLES["administrator"]),
        "another partner": Actor(kofi, ActorKind.PARTNER, ROLES["partner"]),
        "a visitor": Actor(new_id(), ActorKind.VISITOR),
        "a member with the partner's id": Actor(dana, ActorKind.MEMBER, ROLES["client"]),
        "a partner with the client's id": Actor(scene.told.client.id, ActorKind.PARTNER, ROLES["partner"]),
        "a visitor with the client's id": Actor(scene.told.client.id, ActorKind.VISITOR),
    }


Call = Callable[[Transaction], object]


def calls(scene: Scene) -> dict[str, Call]:
    booked, held, config = scene.booked, scene.held, scene.told.config
    _, provider = scene.told.parts.providers.chain(config, "payments")[0]
    windows = provider.windows()
    return {
        "find a session": lambda tx: consultation_rows.find(tx, booked),
        "release a hold": lambda tx: consultations.release(tx, held, "given_up"),
        "check in": lambda tx: consultations.arrive(tx, booked),
        "complete": lambda tx: consultations.complete(tx, booked),
        "undo a completion": lambda tx: consultations.undo_completion(tx, booked),
        "rate": lambda tx: ratings.rate(tx, booked, 1, "Not mine", public=True),
        "answer a rating": lambda tx: ratings.answer(tx, booked, "Not mine"),
        "pay": lambda tx: payments.request(tx, payments.Pay(held, "x"), "payments_sandbox", windows),
        "pay what is owed": lambda tx: payments.pay_due(tx, payments.Pay(booked, "x")),
        "save the record": lambda tx: record.export(tx, booked),
        "read a receipt": lambda tx: receipts.find(tx, Paper.RECEIPT, 1),
        "accept a request": lambda tx: consultations.accept(tx, booked),
        "end a request": lambda tx: consultations.end_request(tx, booked),
        "cancel": lambda tx: consultations.cancel(tx, config, booked, "other"),
        "move": lambda tx: consultations.move(tx, booked, tx.now),
        "propose another time": lambda tx: consultations.propose(tx, booked, [tx.now]),
        "take a proposal back": lambda tx: consultations.withdraw_proposal(tx, booked),
        "refuse a proposal": lambda tx: consultations.refuse_move(tx, booked),
        "report an absence": lambda tx: consultations.report_absence(tx, booked, Party.PARTNER),
        "object": lambda tx: consultations.object_to(tx, booked, "was_there", "Not mine"),
        "decide a case": lambda tx: consultations.decide(tx, booked, Money(0, "USD"), "Not mine"),
        "let nobody stand in": lambda tx: consultations.end_rescue(tx, booked, "not_wanted"),
        "let another stand in": lambda tx: life.rescue(
            tx, config, booked, consultations.Hold(new_id(), scene.told.partners["ines"], tx.now), windows
        ),
        "find a client": lambda tx: clients.find(tx, scene.told.client.id),
    }


@pytest.mark.parametrize(
    "what",
    [
        "find a session",
        "release a hold",
        "check in",
        "complete",
        "undo a completion",
        "rate",
        "answer a rating",
        "pay",
        "pay what is owed",
        "save the record",
        "read a receipt",
        "accept a request",
        "end a request",
        "cancel",
        "move",
        "propose another time",
        "take a proposal back",
        "refuse a proposal",
        "report an absence",
        "object",
        "decide a case",
        "let nobody stand in",
        "let another stand in",
        "find a client",
    ],
)
def test_no_query_and_no_command_serves_anybody_else(scene: Scene, what: str) -> None:
    call = calls(scene)[what]
    for who, actor in strangers(scene).items():
        if what == "find a client" and actor.id == scene.told.client.id:
            continue  # a client's own id is no secret of theirs to others, and no other kind of actor can have it
        with pytest.raises(FxoError) as caught:
            scene.told.run(actor, call)
        assert isinstance(caught.value, NotFound | NotAllowed), (who, caught.value)


def test_a_payment_and_a_brief_are_shown_to_their_own_people_alone(scene: Scene) -> None:
    payment_id = payment_id_of(scene.booked)
    own = [scene.told.client, scene.told.partner("dana")]
    assert [scene.told.run(actor, payment_rows.find, payment_id) is not None for actor in own] == [True, True]
    for who, actor in strangers(scene).items():
        assert scene.told.run(actor, payment_rows.find, payment_id) is None, who
        if actor.id != scene.told.client.id:
            with pytest.raises(NotFound):
                scene.told.run(actor, briefs.find, scene.brief_id)
            with pytest.raises(NotFound):
                scene.told.run(actor, matching.revise, matching.Revision(scene.brief_id, text="Not mine"))
    assert scene.told.run(scene.told.client, briefs.find, scene.brief_id).text == BRIEF


def test_the_documents_of_a_payment_are_its_clients_alone(scene: Scene) -> None:
    told, payment_id = scene.told, payment_id_of(scene.paid)
    assert [paper.number for paper in told.run(told.client, receipts.of_payment, payment_id)] == [1]
    for who, actor in strangers(scene).items():
        assert told.run(actor, receipts.of_payment, payment_id) == [], who


def test_in_another_tenants_scope_not_even_code_finds_anything(scene: Scene) -> None:
    elsewhere = tenant_scope(scene.told.parts.records.by_slug("globex").id)
    for call in (
        lambda tx: consultation_rows.find(tx, scene.booked),
        lambda tx: briefs.find(tx, scene.brief_id),
        lambda tx: clients.find(tx, scene.told.client.id),
        lambda tx: consultations.complete(tx, scene.booked),
        lambda tx: record.export(tx, scene.booked),
        lambda tx: receipts.find(tx, Paper.RECEIPT, 1),
    ):
        with pytest.raises(NotFound):
            scene.told.parts.store.run(elsewhere, CODE, call)
    assert scene.told.parts.store.run(elsewhere, CODE, payment_rows.find, payment_id_of(scene.booked)) is None
    assert scene.told.parts.store.run(elsewhere, CODE, calendars.join_url, scene.booked) is None


def test_a_brief_is_not_written_over_by_somebody_who_knows_its_id(scene: Scene) -> None:
    scene.told.run(scene.told.newcomer(), matching.submit, matching.Submission(scene.brief_id, "Something else"))
    assert scene.told.run(scene.told.client, briefs.find, scene.brief_id).text == BRIEF
