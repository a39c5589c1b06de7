"""The main flow over the API: a brief, a shortlist, a time, a card, a session; each answer as it is described."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from fxo import platform
from fxo.app import create_app
from fxo.core.clients import commands as clients
from fxo.core.ids import new_id
from fxo.core.payments import queries as payment_rows
from fxo.core.payments.queries import payment_id_of
from fxo.core.scope import CODE, TenantConfig, tenant_scope
from fxo.core.work import rows
from fxo.settings import Settings
from fxo.web.api.description import description
from fxo.web.api.routes import OPERATIONS
from tests.conftest import Databases, add_member, add_partners, add_tenant, running, write
from tests.support import sql
from tests.support.api import Program, new_key
from tests.support.flow import ASKS, BRIEF, CARD, WORKS

HOST, OTHER = "fortium.localhost", "globex.localhost"
SARAH, OMAR = "sarah@x.example", "omar@x.example"
DECLINED = "4000 0000 0000 0002"


@pytest.fixture(scope="module")
def settings(databases: Databases) -> Iterator[Settings]:
    made = databases.make()
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Flask]:
    yield from running(create_app(settings))


@pytest.fixture(scope="module")
def partner_ids(app: Flask) -> dict[str, UUID]:
    return add_partners()


@pytest.fixture(scope="module")
def config(partner_ids: dict[str, UUID]) -> TenantConfig:
    made = add_tenant("fortium", "Fortium", 80_000, list(partner_ids.values()))
    for mail in (SARAH, OMAR):
        add_member(made, mail)
    return made


@pytest.fixture(scope="module")
def other(partner_ids: dict[str, UUID]) -> TenantConfig:
    made = add_tenant("globex", "Globex", 72_000, [partner_ids["dana"]])
    add_member(made, SARAH)
    return made


@pytest.fixture(scope="module")
def sarah(app: Flask, config: TenantConfig) -> Program:
    return Program(app, HOST, new_key(config, SARAH))


@pytest.fixture(scope="module")
def omar(app: Flask, config: TenantConfig) -> Program:
    return Program(app, HOST, new_key(config, OMAR))


@pytest.fixture(scope="module")
def reader(app: Flask, config: TenantConfig) -> Program:
    return Program(app, HOST, new_key(config))


def token(program: Program, number: str = WORKS) -> str:
    """What the provider's card field gives for this card."""
    client = program.app.test_client()
    answer = client.post("/plugins/payments_sandbox/tokens", json=CARD | {"number": number}, base_url=f"http://{program.host}")
    return str(answer.get_json()["token"])


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.get_json()


def refused(answer: Any, status: int, code: str) -> Any:
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    assert answer.get_json()["type"] == f"urn:fxo:{code}", answer.text
    return answer.get_json()


def a_slot(program: Program, partner_id: UUID, number: int = 0) -> str:
    return str(ok(program.get(f"/partners/{partner_id}/slots"))["items"][number]["starts_at"])


def wish(program: Program, partner_id: UUID, number: str = WORKS, **more: Any) -> dict[str, Any]:
    """The body that books this expert's first free time with this card."""
    found = {"partner": str(partner_id), "starts_at": a_slot(program, partner_id), "method_token": token(program, number)}
    return found | more


def answers_bank(program: Program, config: TenantConfig, booked: dict[str, Any], answer: str) -> None:
    """The client decides on the bank's page, and the provider is asked how it stands, as after its notice."""
    client = program.app.test_client()
    client.post(booked["payment"]["action_url"], data={"answer": answer}, base_url=f"http://{program.host}")
    parts, scope = platform.current(), tenant_scope(config.id)
    with parts.store.transaction(scope, CODE) as tx:
        paying = payment_rows.find(tx, payment_id_of(UUID(booked["id"])))
    assert paying and paying.order_reference
    work_id = UUID(paying.order_reference)
    parts.store.run(scope, CODE, rows.wake, work_id, offer=False)
    parts.performer.perform(config.id, work_id)


def test_from_a_brief_to_a_cancelled_session(sarah: Program) -> None:
    submitted = sarah.change("/briefs", {"text": BRIEF, "urgency": "week", "zone": "Europe/Stockholm"})
    brief = ok(submitted, 201)
    found = ok(sarah.get(submitted.headers["Location"].removeprefix("/api/v1")))
    assert (found["state"], found["brief"]) == ("ready", brief["id"])
    first = found["items"][0]
    assert first["reasons"] and first["evidence"] and first["slots"]
    partner_id = first["partner"]["id"]
    assert ok(sarah.get(f"/partners/{partner_id}"))["bookable"]
    answer = sarah.change("/bookings", {
        "partner": partner_id, "starts_at": first["slots"][0], "method_token": token(sarah), "brief": brief["id"],
    })  # fmt: skip
    booked = ok(answer, 201)
    assert (booked["state"], booked["price"]) == ("confirmed", {"minor": 80_000, "currency": "USD"})
    assert booked["payment"]["state"] in ("authorised", "card_saved")
    assert booked["payment"]["card"] == "Visa ending 4242"
    assert answer.headers["Location"] == f"/api/v1/bookings/{booked['id']}"
    assert ok(sarah.get(f"/bookings/{booked['id']}")) == booked
    assert ok(sarah.get(f"/sessions/{booked['id']}")).items() >= booked.items()
    assert booked["id"] in [each["id"] for each in ok(sarah.get("/sessions"))["items"]]
    fee = booked["cancellation"]["fee"]["minor"]
    told = refused(sarah.change(f"/bookings/{booked['id']}/cancel", {"fee_minor": fee + 1}), 409, "price_changed")
    assert "fee_minor" in told["detail"]
    ended = ok(sarah.change(f"/bookings/{booked['id']}/cancel", {"reason": "not_needed", "fee_minor": fee}))
    assert (ended["state"], ended["cancellation"], ended["fee"]["minor"]) == ("cancelled", None, fee)


def test_the_same_request_again_gets_the_same_answer(sarah: Program, partner_ids: dict[str, UUID]) -> None:
    body, key = wish(sarah, partner_ids["ines"]), str(new_id())
    first, again = sarah.change("/bookings", body, key), sarah.change("/bookings", body, key)
    assert ok(first, 201) == ok(again, 201)
    assert first.headers["Location"] == again.headers["Location"]
    refused(sarah.change("/bookings", body | {"brief": None, "method_token": "other"}, key), 422, "idempotency_key_used")
    refused(sarah.send("POST", "/bookings", json=body), 422, "idempotency_key_needed")


def test_a_refusal_is_kept_too_and_a_mended_request_takes_the_same_key(sarah: Program, partner_ids: dict[str, UUID]) -> None:
    key, body = str(new_id()), wish(sarah, partner_ids["dana"], DECLINED)
    first = sarah.change("/bookings", body, key)
    assert "Nothing was charged" in refused(first, 402, "card_refused")["detail"]
    assert sarah.change("/bookings", body, key).get_json() == first.get_json()
    mended = str(new_id())
    refused(sarah.change("/briefs", {"text": " "}, mended), 422, "invalid")
    ok(sarah.change("/briefs", {"text": BRIEF}, mended), 201)


def test_keys_do_not_meet_each_others_idempotency_keys(sarah: Program, omar: Program) -> None:
    key = str(new_id())
    assert (
        ok(sarah.change("/briefs", {"text": BRIEF}, key), 201)["id"]
        != ok(omar.change("/briefs", {"text": BRIEF}, key), 201)["id"]
    )


def test_a_time_that_is_taken_says_so(sarah: Program, omar: Program, partner_ids: dict[str, UUID]) -> None:
    body = wish(sarah, partner_ids["kofi"])
    ok(sarah.change("/bookings", body), 201)
    refused(omar.change("/bookings", body | {"method_token": token(omar)}), 409, "slot_taken")
    assert body["starts_at"] not in [each["starts_at"] for each in ok(omar.get(f"/partners/{body['partner']}/slots"))["items"]]


def test_a_bank_that_asks_is_where_the_client_goes(omar: Program, config: TenantConfig, partner_ids: dict[str, UUID]) -> None:
    answer = omar.change("/bookings", wish(omar, partner_ids["dana"], ASKS))
    waiting = ok(answer, 202)
    assert (waiting["state"], waiting["payment"]["state"]) == ("held", "challenged")
    assert waiting["payment"]["action_url"].startswith("http")
    assert "Retry-After" in answer.headers
    refused(omar.change(f"/bookings/{waiting['id']}/cancel", {}), 409, "payment_running")
    answers_bank(omar, config, waiting, "refuse")
    declined = ok(omar.get(f"/bookings/{waiting['id']}"))
    assert (declined["state"], declined["payment"]["state"]) == ("held", "declined")
    assert ok(omar.change(f"/bookings/{waiting['id']}/cancel", {}))["state"] == "released"
    waiting = ok(omar.change("/bookings", wish(omar, partner_ids["dana"], ASKS)), 202)
    answers_bank(omar, config, waiting, "approve")
    assert ok(omar.get(f"/bookings/{waiting['id']}"))["state"] == "confirmed"


def lost(settings: Settings, key: str, *, ago: str) -> None:
    """As if the process that answered this request had died before it wrote its answer down."""
    with sql.owner(settings) as connection:
        connection.execute(
            "update api_answers set status = null, begun_at = begun_at - %s::interval where idempotency_key = %s", (ago, key)
        )


def test_a_request_whose_process_died_is_taken_up_by_the_next(
    omar: Program, partner_ids: dict[str, UUID], settings: Settings
) -> None:
    body, key = wish(omar, partner_ids["dana"]), str(new_id())
    booked = ok(omar.change("/bookings", body, key), 201)
    lost(settings, key, ago="1 second")
    answer = omar.change("/bookings", body, key)
    refused(answer, 409, "still_running")
    assert answer.headers["Retry-After"] == "1"
    lost(settings, key, ago="2 minutes")
    assert ok(omar.change("/bookings", body, key), 201) == booked


def test_what_is_anothers_is_not_found(
    app: Flask, sarah: Program, omar: Program, reader: Program, other: TenantConfig, partner_ids: dict[str, UUID]
) -> None:
    brief = ok(sarah.change("/briefs", {"text": BRIEF}), 201)["id"]
    booked = ok(sarah.change("/bookings", wish(sarah, partner_ids["kofi"], brief=brief)), 201)["id"]
    mine_elsewhere = Program(app, OTHER, new_key(other, SARAH))
    for stranger in (omar, mine_elsewhere, Program(app, OTHER, new_key(other))):
        for path in (f"/bookings/{booked}", f"/sessions/{booked}", f"/bookings/{new_id()}"):
            refused(stranger.get(path), 404, "not_found")
        assert booked not in [each["id"] for each in ok(stranger.get("/sessions"))["items"]]
    for stranger in (omar, mine_elsewhere):
        refused(stranger.get(f"/briefs/{brief}/shortlist"), 404, "not_found")
        refused(stranger.change(f"/bookings/{booked}/cancel", {}), 404, "not_found")
        refused(stranger.change("/bookings", wish(stranger, partner_ids["dana"], brief=brief)), 404, "not_found")


def test_a_key_that_reads_sees_all_sessions_and_nothing_that_is_the_clients(
    reader: Program, sarah: Program, partner_ids: dict[str, UUID]
) -> None:
    booked = ok(sarah.change("/bookings", wish(sarah, partner_ids["dana"])), 201)
    seen = ok(reader.get(f"/sessions/{booked['id']}"))
    assert (seen["state"], seen["payment"]["card"], seen["join_url"]) == ("confirmed", None, None)
    assert seen in ok(reader.get("/sessions?limit=100"))["items"]
    for path, body in (("/briefs", {"text": BRIEF}), ("/bookings", wish(reader, partner_ids["dana"])),
                       (f"/bookings/{booked['id']}/cancel", {})):  # fmt: skip
        refused(reader.change(path, body), 403, "not_allowed")
    refused(reader.get(f"/briefs/{new_id()}/shortlist"), 403, "not_allowed")


def test_pages_of_sessions_and_times_follow_each_other(reader: Program, partner_ids: dict[str, UUID]) -> None:
    for path, name in (("/sessions", "id"), (f"/partners/{partner_ids['dana']}/slots", "starts_at")):
        whole = [each[name] for each in ok(reader.get(f"{path}?limit=100"))["items"]][:7]
        seen, query = [], "limit=2"
        while query and len(seen) < len(whole):
            page = ok(reader.get(f"{path}?{query}"))
            seen += [each[name] for each in page["items"]]
            query = f"limit=2&after={page['next']}" if page["next"] else ""
        assert seen[: len(whole)] == whole and len(set(seen)) == len(seen)


def test_times_are_asked_for_within_a_window(reader: Program, partner_ids: dict[str, UUID]) -> None:
    path = f"/partners/{partner_ids['dana']}/slots"
    starts = [datetime.fromisoformat(each["starts_at"]) for each in ok(reader.get(f"{path}?limit=9"))["items"]]
    asked = f"since={starts[2].isoformat()}&until={starts[5].isoformat()}".replace("+", "%2B")
    assert [datetime.fromisoformat(each["starts_at"]) for each in ok(reader.get(f"{path}?{asked}"))["items"]] == starts[2:5]
    refused(reader.get(f"{path}?since=2026-01-01T00:00:00Z&until=2027-01-01T00:00:00Z"), 422, "invalid")
    refused(reader.get(f"{path}?since=0001-01-01T00:00:00Z"), 422, "invalid")
    refused(reader.get(f"{path}?since=2026-01-01T00:00:00"), 422, "invalid")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "bad_request"),
        (b'{"text": "\\ud800"}', 400, "bad_request"),
        (b"[]", 422, "invalid"),
        (b'{"text": 1}', 422, "invalid"),
        (b'{"text": "x", "more": 1}', 422, "invalid"),
        (b'{"text": "x", "zone": "Mars/Olympus"}', 422, "invalid"),
        (b'{"text": "' + b"x" * 600_000 + b'"}', 413, "request_entity_too_large"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(sarah: Program, body: bytes, status: int, code: str) -> None:
    headers = {"Idempotency-Key": str(new_id()), "Content-Type": "application/json"}
    told = refused(sarah.send("POST", "/briefs", data=body, headers=headers), status, code)
    assert len(told["detail"].split()) > 5
    refused(
        sarah.send("POST", "/briefs", data=body[:9], headers=headers | {"Content-Type": "text/plain"}),
        415,
        "unsupported_media_type",
    )


def test_who_is_erased_leaves_no_answer_behind_and_no_key(app: Flask, config: TenantConfig, reader: Program) -> None:
    member, text = add_member(config, "gone@lindqvist.example"), "Our plant stands still, says Greta Gone."
    program = Program(app, HOST, new_key(config, "gone@lindqvist.example"))
    answer = program.change("/briefs", {"text": text})
    assert answer.status_code == 201
    brief_id = answer.get_json()["id"]
    write(tenant_scope(config.id), member, clients.erase, member.id)
    assert program.get("/sessions").status_code == 401
    with platform.current().store.transaction(tenant_scope(config.id), CODE) as tx:
        assert tx.driver.execute("select 1 from api_answers where body like %s", (f"%{brief_id}%",)).fetchone() is None
        assert tx.driver.execute("select 1 from api_answers").fetchone(), "others have theirs"
    assert reader.get("/partners").status_code == 200


def test_every_route_is_described_and_nothing_else(app: Flask, reader: Program) -> None:
    described = {(method, path) for path, found in description()["paths"].items() for method in found}
    routes = {
        (method.lower(), rule.rule.replace("<uuid:", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.description"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == routes and len(routes) == len(OPERATIONS) == 10
    assert ok(Program(app, HOST).get("/openapi.json")) == description()
