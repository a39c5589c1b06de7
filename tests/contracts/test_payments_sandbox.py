"""The sandbox against the payment port, and that each thing at the card network happens exactly once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Thread
from threading import enumerate as enumerate_threads
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fxo.core.clock import system_now
from fxo.core.db import execute, transaction
from fxo.core.errors import ActionRequired, Declined, Misconfigured, Retryable
from fxo.core.ids import new_id
from fxo.core.money import Money
from fxo.core.payments.port import Customer, DisputeStatus, Order, PaymentProvider, PaymentStatus, SavedMethod
from fxo.core.scope import TenantConfig, system_scope
from fxo.plugins.payments_sandbox.cards import BY_NAME
from fxo.plugins.payments_sandbox.network import issue_token
from fxo.plugins.payments_sandbox.provider import PAGES, Sandbox, Settings
from fxo.plugins.payments_sandbox.webhooks import HEADER, sign
from fxo.testing import PaymentContract, PaymentWorld, context

PRICE = Money(80_000, "USD")
SECRET = "whsec_of_the_tests"


@dataclass
class Time:
    """Business time that a test can move."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return system_now() + self.ahead

    def pass_(self, by: timedelta) -> None:
        self.ahead += by


@dataclass
class Post:
    """A web server that keeps what it gets, in place of the platform's hooks host."""

    address: str
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@dataclass
class Browser:
    """A client on the tenant's portal."""

    client: FlaskClient
    portal: str

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=self.portal)

    def post(self, path: str, **request: Any) -> TestResponse:
        return self.client.post(path, base_url=self.portal, **request)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def post() -> Iterator[Post]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.received.append((dict(self.headers), body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept = Post(f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


@pytest.fixture
def sandbox(app: Flask, tenant: TenantConfig, time: Time, post: Post) -> Sandbox:
    settings = Settings.model_validate({"webhook_secret": SECRET, "deliver_to": post.address})
    return Sandbox(context("payments_sandbox", settings=settings, tenant_id=tenant.id, clock=time.now))


@pytest.fixture
def browser(app: Flask, tenant: TenantConfig) -> Browser:
    return Browser(app.test_client(), tenant.portal_url)


def token(card: str) -> str:
    """What the card field hands over after this test card was typed."""
    return issue_token({"number": BY_NAME[card].number, "exp_month": 12, "exp_year": 99, "cvc": "123"}, system_now())


def order(card: str, amount: Money = PRICE, *, person: Customer | None = None, method: SavedMethod | None = None) -> Order:
    """A new order with a card that was just typed, or with a saved one."""
    source = method.reference if method else token(card)
    return Order(f"order-{new_id()}", amount, person or Customer(new_id()), source, "60-minute session", "/book/return")


def key() -> str:
    return f"key-{new_id()}"


def effects(of: str, *kinds: str) -> list[str]:
    """What really happened to this attempt or transfer."""
    with transaction(system_scope("card_network")) as connection:
        rows = execute(
            connection,
            "select kind from plugin_payments_sandbox.effects where attempt = :of or transfer = :of order by at, id",
            of=of,
        )
        return [row.kind for row in rows if not kinds or row.kind in kinds]


def challenged(sandbox: Sandbox, asked: Order, verb: str = "authorise") -> ActionRequired:
    with pytest.raises(ActionRequired) as action:
        getattr(sandbox, verb)(asked)
    return action.value


def answer(browser: Browser, url: str, word: str) -> TestResponse:
    return browser.post(urlsplit(url).path, data={"answer": word})


def saved(sandbox: Sandbox, card: str) -> tuple[Customer, SavedMethod]:
    person = Customer(new_id())
    method = sandbox.save_method(order(card, person=person)).method
    assert method is not None
    return Customer(person.person_id, method.customer), method


def at_once(app: Flask, call: Callable[[], object], threads: int = 8) -> list[object]:
    """What the same call gives to so many threads that start together; what it raises counts as an answer."""
    start = Barrier(threads)

    def run(_: int) -> object:
        with app.app_context():
            start.wait()
            try:
                return call()
            except Exception as error:
                return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


class TestPaymentsSandbox(PaymentContract):
    @pytest.fixture
    def provider(self, sandbox: Sandbox) -> PaymentProvider:
        return sandbox

    @pytest.fixture
    def world(self, sandbox: Sandbox, browser: Browser, time: Time, post: Post) -> PaymentWorld:
        def confirm(url: str) -> None:
            assert answer(browser, url, "approve").status_code == 303

        def sent() -> list[tuple[dict[str, str], bytes]]:
            sandbox.courier.wait()
            return post.received

        return PaymentWorld(
            good=token("works"),
            declined=token("declined"),
            challenged=token("asks_once"),
            challenged_off_session=token("asks_later"),
            confirm=confirm,
            pass_time=time.pass_,
            now=time.now,
            webhooks=sent,
        )


# Once is once.


def test_the_same_order_from_eight_threads_holds_the_money_once(app: Flask, sandbox: Sandbox) -> None:
    asked = order("works")
    answers = at_once(app, lambda: sandbox.authorise(asked).reference)
    assert len(set(answers)) == 1
    assert effects(str(answers[0])) == ["hold", "save"]


def test_an_order_reference_is_not_used_for_another_order(sandbox: Sandbox) -> None:
    asked = order("works")
    sandbox.authorise(asked)
    for other in (
        replace(asked, amount=Money(1, "USD")),
        replace(asked, amount=Money(80_000, "EUR")),
        replace(asked, method=token("works")),
        replace(asked, customer=Customer(new_id())),
    ):
        with pytest.raises(Misconfigured) as refusal:
            sandbox.authorise(other)
        assert refusal.value.field == "reference"
    with pytest.raises(Misconfigured):
        sandbox.save_method(asked)


def test_the_same_order_may_come_with_what_was_learnt_since(sandbox: Sandbox) -> None:
    asked = order("works")
    first = sandbox.authorise(asked)
    assert first.method is not None
    known = replace(asked, customer=Customer(asked.customer.person_id, first.method.customer), return_url="/elsewhere")
    assert sandbox.authorise(known) == first


def test_a_capture_from_eight_threads_takes_the_money_once(app: Flask, sandbox: Sandbox) -> None:
    held, used = sandbox.authorise(order("works")).reference, key()
    answers = at_once(app, lambda: sandbox.capture(held, PRICE, used).captured)
    assert answers == [PRICE] * 8
    assert effects(held, "capture") == ["capture"]


def test_captures_with_eight_keys_take_the_money_once(app: Flask, sandbox: Sandbox) -> None:
    held = sandbox.authorise(order("works")).reference
    assert at_once(app, lambda: sandbox.capture(held, PRICE, key()).captured) == [PRICE] * 8
    assert effects(held, "capture") == ["capture"]


def test_of_capture_and_void_at_once_exactly_one_wins(app: Flask, sandbox: Sandbox) -> None:
    held = sandbox.authorise(order("works")).reference
    both: list[Callable[[], object]] = [lambda: sandbox.capture(held, PRICE, key()), lambda: sandbox.void(held, key())]
    calls = iter(both * 4)
    at_once(app, lambda: next(calls)())
    assert effects(held, "capture", "void") in (["capture"], ["void"])


def test_refunds_from_eight_threads_never_give_back_too_much(app: Flask, sandbox: Sandbox) -> None:
    held = sandbox.authorise(order("works")).reference
    sandbox.capture(held, PRICE, key())
    at_once(app, lambda: sandbox.refund(held, Money(30_000, "USD"), key()))
    assert effects(held, "refund") == ["refund", "refund"]
    assert sandbox.fetch(held).refunded == Money(60_000, "USD")


def test_a_refund_with_one_key_from_eight_threads_is_one_refund(app: Flask, sandbox: Sandbox) -> None:
    held, used = sandbox.authorise(order("works")).reference, key()
    sandbox.capture(held, PRICE, key())
    answers = at_once(app, lambda: sandbox.refund(held, Money(30_000, "USD"), used))
    assert len(set(answers)) == 1
    assert sandbox.fetch(held).refunded == Money(30_000, "USD")


def test_a_transfer_with_one_key_from_eight_threads_is_one_transfer(app: Flask, sandbox: Sandbox) -> None:
    partner, used = new_id(), key()
    references = set(at_once(app, lambda: sandbox.transfer(partner, Money(64_000, "USD"), used).reference))
    assert len(references) == 1
    assert effects(str(references.pop())) == ["transfer"]


def test_a_key_is_not_used_for_something_else(sandbox: Sandbox) -> None:
    first, second, used = sandbox.authorise(order("works")).reference, sandbox.authorise(order("works")).reference, key()
    sandbox.capture(first, PRICE, used)
    partner = new_id()
    sandbox.transfer(partner, PRICE, used)
    for again in (
        lambda: sandbox.capture(second, PRICE, used),
        lambda: sandbox.capture(first, Money(1, "USD"), used),
        lambda: sandbox.transfer(partner, Money(1, "USD"), used),
        lambda: sandbox.transfer(new_id(), PRICE, used),
    ):
        with pytest.raises(Misconfigured) as refusal:
            again()
        assert refusal.value.field == "key"
    assert effects(second) == ["hold", "save"]


def test_a_replayed_void_and_reversal_have_one_effect(sandbox: Sandbox) -> None:
    held, used = sandbox.authorise(order("works")).reference, key()
    assert sandbox.void(held, used) == sandbox.void(held, used)
    assert effects(held, "void") == ["void"]
    paid = sandbox.transfer(new_id(), PRICE, key()).reference
    assert sandbox.reverse_transfer(paid, PRICE, used) == sandbox.reverse_transfer(paid, PRICE, used)
    assert effects(paid, "reversal") == ["reversal"]


# Holds, captures, refunds.


@pytest.mark.parametrize("amount", [Money(120_000, "JPY"), Money(250_500, "KWD")])
def test_currencies_without_and_with_three_decimals_are_counted_in_minor_units(sandbox: Sandbox, amount: Money) -> None:
    held = sandbox.authorise(order("works", amount))
    part = Money(1, amount.currency)
    assert sandbox.capture(held.reference, amount - part, key()).captured == amount - part
    sandbox.refund(held.reference, part, key())
    now = sandbox.fetch(held.reference)
    assert (now.amount, now.captured, now.refunded) == (amount, amount - part, part)


def test_an_amount_in_another_currency_is_refused(sandbox: Sandbox) -> None:
    held = sandbox.authorise(order("works")).reference
    with pytest.raises(Misconfigured):
        sandbox.capture(held, Money(80_000, "JPY"), key())


def test_more_than_is_held_is_declined_with_its_reason(sandbox: Sandbox) -> None:
    held = sandbox.authorise(order("works")).reference
    with pytest.raises(Declined, match="over_capture"):
        sandbox.capture(held, Money(80_001, "USD"), key())
    assert effects(held, "capture") == []


def test_what_a_partial_capture_let_go_cannot_be_captured(sandbox: Sandbox) -> None:
    held = sandbox.authorise(order("works")).reference
    sandbox.capture(held, Money(40_000, "USD"), key())
    with pytest.raises(Declined, match="already_captured"):
        sandbox.capture(held, PRICE, key())
    with pytest.raises(Declined, match="over_refund"):
        sandbox.refund(held, PRICE, key())


@pytest.mark.parametrize(
    ("card", "lasts"), [("works", timedelta(days=7)), ("short_hold", timedelta(days=2)), ("asks_later", timedelta(days=7))]
)
def test_a_hold_ends_by_business_time(sandbox: Sandbox, time: Time, card: str, lasts: timedelta) -> None:
    asked = order(card)
    held = sandbox.authorise(asked)
    assert held.capture_before is not None
    assert abs(held.capture_before - time.now() - lasts) < timedelta(minutes=1)
    time.pass_(lasts)
    assert sandbox.fetch(held.reference).status is PaymentStatus.EXPIRED
    assert held.reference in sandbox.list_changed_since(time.now() - timedelta(minutes=1))
    with pytest.raises(Declined, match="authorisation_expired"):
        sandbox.capture(held.reference, PRICE, key())
    with pytest.raises(Declined, match="authorisation_expired"):
        sandbox.authorise(asked)
    assert sandbox.void(held.reference, key()).status is PaymentStatus.EXPIRED
    assert effects(held.reference) == ["hold", "save"]


def test_a_hold_made_while_the_client_is_away_is_shorter(sandbox: Sandbox, time: Time) -> None:
    person, method = saved(sandbox, "works")
    held = sandbox.authorise_saved(order("works", person=person, method=method))
    assert held.capture_before is not None
    assert abs(held.capture_before - time.now() - timedelta(days=4, hours=18)) < timedelta(minutes=1)
    assert held.method == method


def test_a_capture_that_stumbles_works_when_tried_again_with_the_same_key(sandbox: Sandbox) -> None:
    held, used = sandbox.authorise(order("stumbles")).reference, key()
    with pytest.raises(Retryable):
        sandbox.capture(held, PRICE, used)
    assert effects(held, "capture") == []
    assert sandbox.capture(held, PRICE, used).captured == PRICE
    assert effects(held, "capture") == ["capture"]


def test_a_disputed_payment_takes_evidence_once_and_is_not_refunded(sandbox: Sandbox, time: Time) -> None:
    held, used = sandbox.authorise(order("disputed")).reference, key()
    sandbox.capture(held, PRICE, key())
    with pytest.raises(Declined, match="disputed"):
        sandbox.refund(held, PRICE, key())
    for _ in range(2):
        sandbox.submit_evidence(held, {"session": "was held"}, used)
    assert effects(held, "evidence", "refund") == ["evidence"]
    time.pass_(timedelta(days=8))
    with pytest.raises(Declined, match="dispute_closed"):
        sandbox.submit_evidence(held, {"session": "was held"}, key())


@pytest.mark.parametrize(
    ("card", "answered", "ends"), [("disputed", True, "won"), ("disputed", False, "lost"), ("disputed_lost", True, "lost")]
)
def test_a_dispute_is_decided_by_what_was_answered(sandbox: Sandbox, time: Time, card: str, answered: bool, ends: str) -> None:
    held = sandbox.authorise(order(card)).reference
    sandbox.capture(held, PRICE, key())
    opened = sandbox.fetch(held).dispute
    assert opened is not None
    assert (opened.status, opened.amount, opened.fee.minor) == ("open", PRICE, 1_500)
    began = time.now()
    if answered:
        sandbox.submit_evidence(held, {"session": "was held"}, key())
        assert sandbox.fetch(held).dispute == replace(opened, status=DisputeStatus.UNDER_REVIEW)
    time.pass_(timedelta(days=8))
    assert sandbox.fetch(held).dispute == replace(opened, status=DisputeStatus(ends))
    assert held in sandbox.list_changed_since(began + timedelta(days=1))
    if ends == "won":
        assert sandbox.refund(held, PRICE, key()).amount == PRICE
    else:
        with pytest.raises(Declined, match="over_refund"):
            sandbox.refund(held, PRICE, key())


def test_the_demo_opens_and_decides_a_dispute_and_both_are_announced(sandbox: Sandbox, post: Post) -> None:
    held = sandbox.authorise(order("works")).reference
    sandbox.dispute(held)
    assert sandbox.fetch(held).dispute is None, "nothing was taken yet"
    sandbox.capture(held, PRICE, key())
    sandbox.refund(held, Money(10_000, "USD"), key())
    for _ in range(2):
        sandbox.dispute(held)
    found = sandbox.fetch(held).dispute
    assert found is not None
    assert (found.amount.minor, found.reason) == (PRICE.minor - 10_000, "not_received")
    sandbox.decide_dispute(held, won=True)
    sandbox.courier.wait()
    kinds = [notice.kind for sent in post.received for notice in sandbox.read_webhook(*sent)]
    assert sorted(kinds)[:2] == ["dispute.closed", "dispute.opened"]


# Cards.


@pytest.mark.parametrize(
    ("card", "reason"), [("declined", "card_declined"), ("empty", "insufficient_funds"), ("expired", "expired_card")]
)
def test_a_refused_card_is_declined_for_holding_and_for_saving(sandbox: Sandbox, card: str, reason: str) -> None:
    for verb in (sandbox.authorise, sandbox.save_method):
        asked = order(card)
        with pytest.raises(Declined) as refusal:
            verb(asked)
        assert refusal.value.reason == reason
        found = sandbox.find_by_reference(asked.reference)
        assert found is not None and (found.status, found.reason) == (PaymentStatus.DECLINED, reason)
        assert effects(found.reference) == []


@pytest.mark.parametrize(("card", "reason"), [("fails_later", "card_declined"), ("asks_later", "authentication_required")])
def test_a_card_that_was_saved_may_be_declined_away(sandbox: Sandbox, card: str, reason: str) -> None:
    person, method = saved(sandbox, card)
    with pytest.raises(Declined) as refusal:
        sandbox.authorise_saved(order(card, person=person, method=method))
    assert refusal.value.reason == reason
    assert sandbox.authorise(order(card, person=person, method=method)).status is PaymentStatus.AUTHORISED


def test_a_token_or_saved_card_of_somebody_else_is_unknown(sandbox: Sandbox) -> None:
    _, method = saved(sandbox, "works")
    asked = order("works")
    sandbox.authorise(asked)
    stranger = Customer(new_id())
    for source in (method.reference, asked.method, "tok_never_issued", ""):
        with pytest.raises(Declined, match="unknown_card"):
            sandbox.authorise(Order(f"order-{new_id()}", PRICE, stranger, source))


def test_a_card_that_was_just_typed_is_not_charged_as_a_saved_one(sandbox: Sandbox) -> None:
    with pytest.raises(Declined, match="unknown_card"):
        sandbox.authorise_saved(order("works"))


def test_the_customer_reference_must_be_the_person_s_own(sandbox: Sandbox) -> None:
    person, _ = saved(sandbox, "works")
    with pytest.raises(Misconfigured) as refusal:
        sandbox.authorise(order("works", person=Customer(new_id(), person.reference)))
    assert refusal.value.field == "customer"


def test_another_tenant_finds_nothing_of_this_one(sandbox: Sandbox) -> None:
    asked = order("works")
    held = sandbox.authorise(asked)
    other = Sandbox(context("payments_sandbox", settings=Settings()))
    assert other.find_by_reference(asked.reference) is None
    assert other.list_changed_since(system_now() - timedelta(hours=1)) == ()
    for call in (
        lambda: other.fetch(held.reference),
        lambda: other.capture(held.reference, PRICE, key()),
        lambda: other.void(held.reference, key()),
        lambda: other.refund(held.reference, PRICE, key()),
    ):
        with pytest.raises(Declined, match="unknown_payment"):
            call()


def test_both_tenants_may_use_the_same_order_reference(sandbox: Sandbox) -> None:
    asked = order("works")
    other = Sandbox(context("payments_sandbox", settings=Settings()))
    assert sandbox.authorise(asked).reference != other.authorise(replace(asked, method=token("works"))).reference


# The bank's confirmation page.


def test_the_page_shows_the_amount_and_two_buttons(sandbox: Sandbox, browser: Browser) -> None:
    page = browser.get(urlsplit(challenged(sandbox, order("asks_once")).url).path)
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert "$800" in text
    assert re.findall(r'name="answer" value="(\w+)"', text) == ["approve", "refuse"]
    assert "style=" not in text and "<script>" not in text


def test_an_approved_challenge_goes_back_to_the_booking_and_holds_the_money_once(sandbox: Sandbox, browser: Browser) -> None:
    asked = challenged(sandbox, order("asks_once"))
    for _ in range(2):
        back = answer(browser, asked.url, "approve")
        assert (back.status_code, back.location) == (303, "/book/return")
    now = sandbox.fetch(asked.reference)
    assert (now.status, now.url) == (PaymentStatus.AUTHORISED, None)
    assert now.method is not None
    assert effects(asked.reference) == ["hold", "save"]


def test_a_refused_challenge_is_declined_for_good(sandbox: Sandbox, browser: Browser) -> None:
    attempt = order("asks_once")
    asked = challenged(sandbox, attempt)
    assert answer(browser, asked.url, "refuse").status_code == 303
    answer(browser, asked.url, "approve")
    now = sandbox.fetch(asked.reference)
    assert (now.status, now.reason) == (PaymentStatus.DECLINED, "authentication_failed")
    with pytest.raises(Declined, match="authentication_failed"):
        sandbox.authorise(attempt)
    assert "refused" in browser.get(urlsplit(asked.url).path).get_data(as_text=True)
    assert effects(asked.reference) == []


def test_answers_from_eight_threads_count_once(app: Flask, sandbox: Sandbox, browser: Browser) -> None:
    asked = challenged(sandbox, order("asks_once"))
    words = iter(["approve", "refuse"] * 4)

    def click() -> int:
        return answer(Browser(app.test_client(), browser.portal), asked.url, next(words)).status_code

    assert at_once(app, click) == [303] * 8
    assert effects(asked.reference) in (["hold", "save"], [])


def test_a_challenge_that_was_voided_holds_nothing_when_approved_later(sandbox: Sandbox, browser: Browser) -> None:
    asked = challenged(sandbox, order("asks_once"))
    sandbox.void(asked.reference, key())
    answer(browser, asked.url, "approve")
    assert sandbox.fetch(asked.reference).status is PaymentStatus.VOIDED
    assert effects(asked.reference) == ["void"]


def test_a_card_confirmed_while_saving_is_charged_away(sandbox: Sandbox, browser: Browser) -> None:
    person = Customer(new_id())
    asked = challenged(sandbox, order("asks_once", person=person), "save_method")
    answer(browser, asked.url, "approve")
    now = sandbox.fetch(asked.reference)
    assert now.status is PaymentStatus.SAVED
    assert now.method is not None
    assert effects(asked.reference) == ["save"]
    held = sandbox.authorise_saved(order("asks_once", person=person, method=now.method))
    assert held.status is PaymentStatus.AUTHORISED


def test_a_bank_that_always_asks_declines_away_and_asks_again_when_present(sandbox: Sandbox, browser: Browser) -> None:
    person = Customer(new_id())
    answer(browser, challenged(sandbox, asked := order("asks_always", person=person), "save_method").url, "approve")
    method = sandbox.save_method(asked).method
    assert method is not None
    with pytest.raises(Declined, match="authentication_required"):
        sandbox.authorise_saved(order("asks_always", person=person, method=method))
    challenged(sandbox, order("asks_always", person=person, method=method))


def test_an_unknown_confirmation_is_not_found(sandbox: Sandbox, browser: Browser) -> None:
    assert browser.get(f"{PAGES}/challenge/guessed").status_code == 404
    assert browser.post(f"{PAGES}/challenge/guessed", data={"answer": "approve"}).status_code == 404


def test_an_answer_that_is_neither_is_refused(sandbox: Sandbox, browser: Browser) -> None:
    asked = challenged(sandbox, order("asks_once"))
    assert answer(browser, asked.url, "perhaps").status_code == 400
    assert sandbox.fetch(asked.reference).status is PaymentStatus.ACTION_REQUIRED


# The card field.


def test_typed_details_become_a_token(sandbox: Sandbox, browser: Browser) -> None:
    setup = sandbox.client_setup()
    details = {"number": "4242 4242 4242 4242", "exp_month": "12", "exp_year": "99", "cvc": "123"}
    given = browser.post(setup.public_config["tokens_url"], json=details)
    assert given.status_code == 200
    assert given.headers["Cache-Control"] == "no-store"
    method = sandbox.save_method(replace(order("works"), method=given.get_json()["token"])).method
    assert method is not None and method.label == "Visa ending 4242"


@pytest.mark.parametrize("details", [{"number": "4242 4242 4242 4241"}, {}, [], "text", None])
def test_details_to_mend_get_a_sentence_and_the_field(app: Flask, browser: Browser, details: object) -> None:
    refused = browser.post(f"{PAGES}/tokens", json=details)
    assert refused.status_code == 422
    said = refused.get_json()
    assert said["field"] == "number"
    assert said["message"].endswith(".")


def test_details_from_another_site_are_refused(app: Flask, browser: Browser) -> None:
    assert browser.post(f"{PAGES}/tokens", json={}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_more_than_card_details_is_not_read(app: Flask, browser: Browser) -> None:
    assert browser.post(f"{PAGES}/tokens", json={"number": "4" * 2_000}).status_code == 413


def test_no_table_and_no_log_ever_holds_a_card_number(
    sandbox: Sandbox, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    number = BY_NAME["works"].digits
    details = {"number": number, "exp_month": "12", "exp_year": "99", "cvc": "123"}
    given = browser.post(f"{PAGES}/tokens", json=details).get_json()["token"]
    sandbox.authorise(replace(order("works"), method=given))
    assert number not in caplog.text
    with transaction(system_scope("card_network")) as connection:
        tables = (
            execute(connection, "select tablename from pg_tables where schemaname = 'plugin_payments_sandbox'").scalars().all()
        )
        for table in tables:
            rows = execute(connection, f"select * from plugin_payments_sandbox.{table}").all()
            assert number not in repr(rows), table


def test_the_card_field_is_served_as_a_module(sandbox: Sandbox, browser: Browser) -> None:
    with browser.get(sandbox.client_setup().module_url) as module:
        assert module.mimetype == "text/javascript"
        text = module.get_data(as_text=True)
    assert "export function mount(element, config)" in text
    assert "export async function confirm()" in text


# Notices.


def test_a_notice_reaches_the_hooks_host_by_name(sandbox: Sandbox, post: Post) -> None:
    sandbox.authorise(order("works"))
    sandbox.courier.wait()
    headers, body = post.received[-1]
    assert headers["Host"] == "hooks.example"
    assert [notice.kind for notice in sandbox.read_webhook(headers, body)] == ["payment.authorised"]


def test_a_lost_notice_is_found_by_asking_what_changed(tenant: TenantConfig, sandbox: Sandbox, post: Post) -> None:
    before = system_now()
    settings = Settings.model_validate({"webhook_secret": SECRET, "deliver_to": "http://127.0.0.1:1"})
    unlucky = Sandbox(context("payments_sandbox", settings=settings, tenant_id=tenant.id))
    held = unlucky.authorise(order("works"))
    unlucky.capture(held.reference, PRICE, key())
    unlucky.courier.wait()
    assert post.received == []
    assert held.reference in sandbox.list_changed_since(before)
    assert sandbox.fetch(held.reference).status is PaymentStatus.CAPTURED


def test_without_a_secret_nothing_is_sent_and_nothing_believed(app: Flask, tenant: TenantConfig, post: Post) -> None:
    closed = Sandbox(context("payments_sandbox", settings=Settings(deliver_to=post.address), tenant_id=tenant.id))
    closed.authorise(order("works"))
    closed.courier.wait()
    assert post.received == []
    with pytest.raises(Misconfigured) as refusal:
        closed.read_webhook({HEADER: sign("", b"{}", system_now())}, b"{}")
    assert refusal.value.field == "webhook_secret"


def test_the_age_of_a_notice_is_real_time_and_not_business_time(sandbox: Sandbox, time: Time, post: Post) -> None:
    time.pass_(timedelta(days=30))
    held = sandbox.authorise(order("works"))
    sandbox.courier.wait()
    (notice,) = sandbox.read_webhook(*post.received[-1])
    assert notice.reference == held.reference
    assert notice.at > system_now() + timedelta(days=29)
    headers, body = post.received[-1]
    stale = {**headers, HEADER: sign(SECRET, body, system_now() - timedelta(minutes=6))}
    with pytest.raises(Declined, match="bad_signature"):
        sandbox.read_webhook(stale, body)


def test_a_notice_carries_references_and_nothing_else(sandbox: Sandbox, post: Post) -> None:
    held = sandbox.authorise(order("works"))
    sandbox.courier.wait()
    said = json.loads(post.received[-1][1])
    assert set(said) == {"id", "kind", "reference", "order_reference", "created"}
    assert (said["reference"], said["order_reference"]) == (held.reference, held.order_reference)


def test_a_confirmation_on_the_page_is_announced_before_the_client_is_back(
    sandbox: Sandbox, browser: Browser, post: Post
) -> None:
    asked = challenged(sandbox, order("asks_once"))
    answer(browser, asked.url, "approve")
    for thread in enumerate_threads():
        if thread.name == "sandbox notice":
            thread.join()
    kinds = [notice.kind for sent in post.received for notice in sandbox.read_webhook(*sent)]
    assert kinds == ["payment.action_required", "payment.authorised"]
