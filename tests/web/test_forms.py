"""Forms that change something: sent twice they are done once, and from anywhere else they do nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import flask
import pytest
from flask import Flask
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from fxo.app import create_app
from fxo.core.consultations import commands as consultations
from fxo.core.matching.port import Brief, PartnerRecord, Ranking
from fxo.core.scope import Actor, TenantConfig, tenant_scope
from fxo.core.turns import AT_ONCE
from fxo.plugins.matching_local.provider import LocalMatching
from fxo.settings import Settings
from tests.conftest import PASSWORD, Databases, add_member, add_partners, add_tenant, running, write
from tests.support import sql
from tests.support.browser import Page, Person
from tests.support.flow import BRIEF, booking_of, sign_in
from tests.support.plugins import Ranker
from tests.support.story import story

HOST = "fortium.localhost"
STALE = "This form is too old, or was opened in another browser. Nothing was changed."


@pytest.fixture(scope="module")
def settings(databases: Databases) -> Iterator[Settings]:
    made = databases.make()
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Flask]:
    yield from running(create_app(settings))


@pytest.fixture(scope="module")
def tenant(app: Flask) -> TenantConfig:
    ids = add_partners()
    add_tenant("globex", "Globex", 72_000, list(ids.values()))
    return add_tenant("fortium", "Fortium", 80_000, list(ids.values()))


@pytest.fixture(scope="module")
def people(tenant: TenantConfig) -> Iterator[Callable[[], tuple[Actor, str]]]:
    """A new member each time, with their address."""
    count = iter(range(1_000))

    def make() -> tuple[Actor, str]:
        mail = f"client{next(count)}@lindqvist.example"
        return add_member(tenant, mail), mail

    return make


@pytest.fixture
def visitor(app: Flask, tenant: TenantConfig) -> Person:
    return Person(app, HOST)


@pytest.fixture
def client(app: Flask, people: Callable[[], tuple[Actor, str]]) -> Person:
    person = Person(app, HOST)
    sign_in(person, people()[1], PASSWORD)
    return person


def twin(app: Flask, person: Person) -> Person:
    """The same browser once more, with the cookies of this moment, for use in another thread."""
    other = Person(app, person.host)
    kept = person.client.get_cookie("fxo", domain=person.host)
    assert kept is not None
    other.client.set_cookie("fxo", kept.value, domain=person.host)
    return other


def count(settings: Settings, table: str) -> int:
    with sql.superuser(settings) as connection:
        row = connection.execute(f"select count(*) from {table}").fetchone()
    assert row
    return int(row[0])


def brief_form(person: Person, **values: str) -> dict[str, str]:
    return person.get("/").form("/briefs") | {"problem": BRIEF} | values


def slots(person: Person) -> list[dict[str, str]]:
    return person.follow(person.post("/briefs", brief_form(person))).slots()


def send(person: Person, slot: dict[str, str]) -> Page:
    fields = dict(slot)
    return person.post(fields.pop(""), fields)


def at_once(app: Flask, person: Person, path: str, form: dict[str, str], times: int = 6) -> list[Page]:
    """The same submission from so many tabs at the same moment."""
    answers: list[Page] = []
    start = threading.Barrier(times)

    def run(other: Person) -> None:
        start.wait(5)
        answers.append(other.post(path, form))

    threads = [threading.Thread(target=run, args=(twin(app, person),)) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(answers) == times
    return answers


# The same again ----------------------------------------------------------------------------------------------------


def test_a_form_that_is_sent_twice_is_done_once_and_gets_the_same_answer(visitor: Person, settings: Settings) -> None:
    form, before = brief_form(visitor), count(settings, "briefs")
    first, second = visitor.post("/briefs", form), visitor.post("/briefs", form)
    assert (first.status, second.status) == (303, 303)
    assert first.location == second.location
    assert count(settings, "briefs") == before + 1


def test_a_form_that_is_sent_from_many_tabs_at_once_is_done_once(app: Flask, visitor: Person, settings: Settings) -> None:
    form, before = brief_form(visitor), count(settings, "briefs")
    answers = at_once(app, visitor, "/briefs", form)
    assert {answer.status for answer in answers} == {303}
    assert len({answer.location for answer in answers}) == 1
    assert count(settings, "briefs") == before + 1


def test_who_sends_it_again_and_again_does_not_take_the_turn_that_the_first_one_needs(databases: Databases) -> None:
    begun, never = threading.Event(), threading.Event()

    def slowly(brief: Brief, partners: Sequence[PartnerRecord]) -> Ranking:
        begun.set()
        never.wait(1)  # a company that takes its time: who waits for it stands aside
        return LocalMatching().rank(brief, partners)

    with story(databases, Ranker(slowly).plugin) as told:
        told.reconfigured(providers={"matching": ["matching_told"]})
        app = flask.current_app._get_current_object()  # type: ignore[attr-defined]
        visitor = Person(app, HOST)
        form, answers = brief_form(visitor), []
        people = [twin(app, visitor) for _ in range(AT_ONCE + 2)]
        threads = [threading.Thread(target=lambda other=other: answers.append(other.post("/briefs", form))) for other in people]
        threads[0].start()
        assert begun.wait(10)
        for thread in threads[1:]:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert [answer.status for answer in answers] == [303] * len(people)
    assert len({answer.location for answer in answers}) == 1


def test_an_impatient_client_holds_one_slot(app: Flask, client: Person, settings: Settings) -> None:
    slot, before = slots(client)[0], count(settings, "consultations")
    path = slot.pop("")
    answers = at_once(app, client, path, slot)
    assert {answer.status for answer in answers} == {303}
    [location] = {answer.location for answer in answers}
    assert client.get(location).status == 200
    assert count(settings, "consultations") == before + 1


def test_another_slot_under_the_same_token_is_another_submission(client: Person) -> None:
    first, second = slots(client)[:2]
    assert first["form_token"] == second["form_token"] or first["partner"] != second["partner"]
    second = second | {"form_token": first["form_token"]}
    one, other = send(client, first), send(client, second)
    assert (one.status, other.status) == (303, 303)
    assert one.location != other.location
    assert send(client, first).location == one.location


def test_the_same_words_under_another_token_are_another_submission(visitor: Person) -> None:
    one, other = visitor.post("/briefs", brief_form(visitor)), visitor.post("/briefs", brief_form(visitor))
    assert one.location != other.location


def test_an_error_is_not_kept_and_the_mended_form_goes_through(visitor: Person) -> None:
    form = brief_form(visitor, problem="  ")
    refused = visitor.post("/briefs", form)
    assert refused.status == 422
    assert "Please describe what you are facing" in refused.words
    assert visitor.post("/briefs", form | {"problem": BRIEF}).status == 303


def test_a_slot_that_was_taken_may_be_asked_for_again_with_the_same_form(
    client: Person, people: Callable[[], tuple[Actor, str]], app: Flask, tenant: TenantConfig
) -> None:
    slot = slots(client)[-1]
    actor, mail = people()
    faster = Person(app, HOST)
    sign_in(faster, mail, PASSWORD)
    held = send(
        faster, next(each for each in slots(faster) if (each["partner"], each["slot"]) == (slot["partner"], slot["slot"]))
    )
    assert held.status == 303
    taken = send(client, slot)
    assert taken.status == 409
    assert "That time has just gone" in taken.words
    write(tenant_scope(tenant.id), actor, consultations.release, booking_of(held.location), "given_up")
    assert send(client, slot).status == 303


def test_a_submission_whose_process_died_is_taken_up_again(visitor: Person, settings: Settings) -> None:
    form = brief_form(visitor)
    first = visitor.post("/briefs", form)
    with sql.owner(settings) as connection:
        connection.execute(
            "update form_submissions set status = null, begun_at = now() - interval '61 seconds' where location = %s",
            (first.location,),
        )
    second = visitor.post("/briefs", form)
    assert second.status == 303
    assert second.location != first.location


@contextmanager
def unable_to(settings: Settings, change: str) -> Iterator[None]:
    """The database fails whenever a form's row is changed like this, as it does when it is stopped just then."""
    with sql.owner(settings) as connection:
        connection.execute(
            "create function fail() returns trigger language plpgsql as $$"
            " begin raise 'stopped just then' using errcode = 'admin_shutdown'; end $$"
        )
        connection.execute(f"create trigger fail before {change} on form_submissions for each row execute function fail()")
        try:
            yield
        finally:
            connection.execute("drop function fail cascade")


def test_an_answer_that_cannot_be_written_down_is_given_all_the_same_and_once_more(visitor: Person, settings: Settings) -> None:
    form, before = brief_form(visitor), count(settings, "briefs")
    with unable_to(settings, "update"):
        first = visitor.post("/briefs", form)
    second = visitor.post("/briefs", form)
    assert (first.status, second.status) == (303, 303)
    assert first.location == second.location
    assert count(settings, "briefs") == before + 1


@pytest.mark.parametrize("change", ["insert", "delete"])
def test_a_form_whose_failure_cannot_be_written_down_can_be_sent_again_at_once(
    visitor: Person, settings: Settings, change: str
) -> None:
    wrong = brief_form(visitor, problem="")
    with unable_to(settings, change):
        assert visitor.post("/briefs", wrong).status == {"insert": 503, "delete": 422}[change]
    begun = time.monotonic()
    assert visitor.post("/briefs", wrong).status == 422
    assert time.monotonic() - begun < 10
    assert visitor.post("/briefs", wrong | {"problem": BRIEF}).status == 303


def test_one_persons_answer_is_never_anothers(app: Flask, visitor: Person, settings: Settings) -> None:
    """The token of one browser and the same words: somebody else does not get to see where it led."""
    form = brief_form(visitor)
    location = visitor.post("/briefs", form).location
    stranger = Person(app, HOST)
    stranger.get("/")
    answer = stranger.post("/briefs", form)
    assert answer.status == 422
    assert location not in answer.text
    assert stranger.get(location).status == 404


# Without the right token -------------------------------------------------------------------------------------------


def old_token(app: Flask, person: Person) -> str:
    """A token of this very browser from three days ago."""

    class Then(TimestampSigner):
        def get_timestamp(self) -> int:
            return super().get_timestamp() - 3 * 24 * 3600

    form = URLSafeTimedSerializer(app.secret_key or "", salt="form")
    content = form.loads(brief_form(person)["form_token"])
    then = URLSafeTimedSerializer(app.secret_key or "", salt="form", signer=Then)
    return str(then.dumps(content))


def test_an_old_token_is_made_like_a_fresh_one(app: Flask, visitor: Person) -> None:
    """So that the next test refuses it for its age and for nothing else."""
    token = old_token(app, visitor)
    assert URLSafeTimedSerializer(app.secret_key or "", salt="form").loads(token)


@pytest.mark.parametrize("kind", ["none", "empty", "nonsense", "changed", "another browser's", "another portal's", "old"])
def test_a_form_without_a_token_of_this_browser_changes_nothing(
    app: Flask, visitor: Person, settings: Settings, kind: str
) -> None:
    form, before = brief_form(visitor), count(settings, "briefs")
    tokens = {
        "empty": lambda: "",
        "nonsense": lambda: "🙂\x00..",
        "changed": lambda: form["form_token"][:-2] + "xx",
        "another browser's": lambda: brief_form(Person(app, HOST))["form_token"],
        "another portal's": lambda: brief_form(Person(app, "globex.localhost"))["form_token"],
        "old": lambda: old_token(app, visitor),
    }
    if kind == "none":
        del form["form_token"]
    else:
        form["form_token"] = tokens[kind]()
    answer = visitor.post("/briefs", form)
    assert answer.status == 422
    assert STALE in answer.words
    assert count(settings, "briefs") == before


def test_a_script_is_told_the_reason_as_a_code(visitor: Person) -> None:
    answer = visitor.client.post("/briefs", base_url=f"http://{HOST}", headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["type"] == "urn:fxo:stale_form"


def test_every_page_that_changes_something_asks_for_a_token(app: Flask, tenant: TenantConfig) -> None:
    """Every POST of every place; what providers send, a plugin's own pages and the API are guarded by other means."""
    hosts = {"portal": HOST, "partners": "partners.localhost", "ops": "ops.localhost"}
    checked = 0
    for rule in app.url_map.iter_rules():
        if "POST" not in (rule.methods or set()) or rule.subdomain not in hosts or rule.endpoint.startswith(("plugin_", "api.")):
            continue
        path = rule.rule
        for argument in rule.arguments:
            path = path.replace(f"<{argument}>", str(tenant.id))
        answer = Person(app, hosts[rule.subdomain]).post(path)
        assert answer.status == 422, rule
        assert STALE in answer.words, rule
        checked += 1
    assert checked > 15


def test_a_form_fetched_by_another_method_is_refused_in_a_sentence(visitor: Person) -> None:
    answer = visitor.get("/briefs")
    assert answer.status == 405
    assert "Please go back and use the buttons of the page" in answer.words


# What the form cannot say ------------------------------------------------------------------------------------------


def test_the_price_comes_from_the_server_and_never_from_a_form(client: Person, settings: Settings) -> None:
    slot = slots(client)[0] | {
        "price": "1",
        "price_minor": "1",
        "currency": "JPY",
        "partner_share": "0",
        "client_id": str(UUID(int=1)),
    }
    held = send(client, slot)
    with sql.superuser(settings) as connection:
        row = connection.execute(
            "select price_minor, currency, partner_share, client_id from consultations where id = %s",
            (booking_of(held.location),),
        ).fetchone()
    assert row is not None
    assert row[:3] == (80_000, "USD", 8_000)
    assert row[3] != UUID(int=1)


@pytest.mark.parametrize(
    "values",
    [
        {"problem": "a\x00b " + BRIEF},
        {"industry": "\x00"},
        {"urgency": "now\x00"},
        {"zone": "Mars/Olympus\x00"},
        {"industry": "x" * 10_000, "urgency": "y" * 10_000, "zone": "z" * 10_000},
        {"problem": "\ud83d\ude42".encode("utf-16", "surrogatepass").decode("utf-16") * 100},
    ],
    ids=["nul in the text", "nul in the industry", "nul in the urgency", "no such zone", "long fields", "emoji"],
)
def test_odd_values_never_break_a_form(visitor: Person, values: dict[str, str]) -> None:
    answer = visitor.post("/briefs", brief_form(visitor, **values))
    assert answer.status in (303, 400, 422), answer.words
    if answer.status == 303:
        assert visitor.get(answer.location).status == 200


@pytest.mark.parametrize(
    "values",
    [
        {"mail": "a\x00@lindqvist.example", "password": "x"},
        {"mail": "", "password": ""},
        {"mail": "x" * 100_000, "password": "y" * 100_000},
        {"mail": "' or 1=1 --", "password": "' or 1=1 --"},
    ],
    ids=["nul", "empty", "long", "sql"],
)
def test_an_odd_sign_in_is_refused_in_a_sentence(visitor: Person, values: dict[str, str]) -> None:
    answer = visitor.submit(visitor.get("/sign-in"), "/sign-in", **values)
    assert answer.status in (400, 422), answer.words
    assert visitor.get("/sessions").status == 303


@pytest.mark.parametrize(
    "slot", ["", "tomorrow", "2026-01-01T00:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "²", "\x00"]
)
def test_an_odd_time_is_refused_in_a_sentence(client: Person, slot: str) -> None:
    answer = send(client, slots(client)[0] | {"slot": slot})
    assert answer.status in (400, 404, 409, 422), answer.words
    assert len(answer.words) > 40


def test_who_signs_up_to_book_keeps_the_slot_and_the_brief(visitor: Person) -> None:
    slot = slots(visitor)[0]
    to_sign_up = send(visitor, slot)
    assert to_sign_up.status == 303
    asked = parse_qs(urlsplit(to_sign_up.location).query)
    assert asked["slot"] == [slot["slot"]]
    form: dict[str, Any] = visitor.get(to_sign_up.location).form("/sign-up")
    form |= {"name": "Noor", "mail": "noor@lindqvist.example", "password": PASSWORD, "zone": "Asia/Kathmandu"}
    landed = visitor.post("/sign-up", form)
    assert landed.status == 303
    assert landed.location.startswith("/book/")
    assert visitor.get(landed.location).status == 200
    assert visitor.get(asked["next"][0]).status == 200, "the brief is the member's now"
