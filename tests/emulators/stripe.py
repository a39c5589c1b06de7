"""Stripe's API as far as the plugin speaks it: stateful, strict, and able to fail in every way that a network can.

Built from Stripe's published reference. Unknown fields, a wrong key, another API version, a write without an idempotency key and
steps in the wrong order are errors. A fault is used up by the first request that it fits; `down` stays.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import SplitResult, urlsplit

import stripe
from stripe import _api_version, params

from tests.emulators.illness import Health
from tests.emulators.stripe_books import Books
from tests.emulators.stripe_wire import Json, Refusal, check_fields, invalid, page, read_form

SECRET_KEY, PUBLISHABLE_KEY = "sk_test_emulated", "pk_test_emulated"
WEBHOOK_SECRET = "whsec_emulated"
KEYS_LAST = timedelta(days=1)
ACCOUNT = {"id": "acct_platform", "object": "account", "type": "standard"}

Answer = tuple[int, Json | bytes, dict[str, str]]


@dataclass
class Fault:
    """What happens to the next request whose method and path match.

    `refused`: nobody answers, nothing is done. `lost`: it is done, and nobody answers. `error`: an error 500 after nothing was
    done, which the idempotency key keeps. `patience`: 429. `slow`: it is done, and answered when the emulator is told to
    (`go_on`). `garbled`: it is done, and what comes back is no JSON.
    """

    kind: str
    where: str = ""


@dataclass
class Kept:
    """What was answered to an idempotency key."""

    asked: tuple[str, str, str]
    at: datetime
    answer: Answer | None = None


def _routes() -> list[tuple[str, str, Any, Callable[..., Any]]]:
    """Method, path, the published fields, and what is done with the books, the ids in the path and the form."""
    made = params
    tokens = params.test_helpers.ConfirmationTokenCreateParams
    intents = [
        (kind, f"{kind}s", prefix) for kind, prefix in (("payment_intent", "PaymentIntent"), ("setup_intent", "SetupIntent"))
    ]
    found: list[tuple[str, str, Any, Callable[..., Any]]] = [
        ("GET", "/v1/account", made.AccountRetrieveCurrentParams, lambda b, f: ACCOUNT),
        ("POST", "/v1/customers", made.CustomerCreateParams, lambda b, f: b.make_customer(f)),
        ("DELETE", "/v1/customers/(\\w+)", made.CustomerDeleteParams, lambda b, f, i: b.delete_customer(i)),
        ("POST", "/v1/test_helpers/confirmation_tokens", tokens, lambda b, f: b.make_token(f)),
        ("GET", "/v1/payment_methods/([\\w-]+)", made.PaymentMethodRetrieveParams, lambda b, f, i: b.get("payment_method", i)),
        ("POST", "/v1/payment_methods/(\\w+)/detach", made.PaymentMethodDetachParams, lambda b, f, i: b.detach(i, f)),
        ("GET", "/v1/payment_intents/search", made.PaymentIntentSearchParams, _search),
        ("POST", "/v1/payment_intents/(\\w+)/capture", made.PaymentIntentCaptureParams,
         lambda b, f, i: b.capture(b.get("payment_intent", i), f)),
        ("POST", "/v1/refunds", made.RefundCreateParams, lambda b, f: b.make_refund(f)),
        ("GET", "/v1/refunds", made.RefundListParams, lambda b, f: _listed(b, f, "refund", "refunds")),
        ("GET", "/v1/disputes", made.DisputeListParams, lambda b, f: _listed(b, f, "dispute", "disputes")),
        ("POST", "/v1/disputes/(\\w+)", made.DisputeUpdateParams, lambda b, f, i: b.update_dispute(b.get("dispute", i), f)),
        ("GET", "/v1/events", made.EventListParams, _events),
        ("POST", "/v1/accounts", made.AccountCreateParams, lambda b, f: b.make_account(f)),
        ("POST", "/v1/account_links", made.AccountLinkCreateParams, lambda b, f: b.make_link(f)),
        ("POST", "/v1/transfers", made.TransferCreateParams, lambda b, f: b.make_transfer(f)),
        ("GET", "/v1/transfers", made.TransferListParams, lambda b, f: _listed(b, f, "transfer", "transfers")),
        ("GET", "/v1/transfers/(\\w+)", made.TransferRetrieveParams, lambda b, f, i: b.get("transfer", i)),
        ("POST", "/v1/transfers/(\\w+)/reversals", made.TransferReversalCreateParams,
         lambda b, f, i: b.make_reversal(b.get("transfer", i), f)),
        ("GET", "/v1/transfers/(\\w+)/reversals", made.TransferReversalListParams,
         lambda b, f, i: _listed(b, f, "transfer_reversal", f"transfers/{i}/reversals", transfer=i)),
    ]  # fmt: skip
    for kind, path, prefix in intents:
        found += [
            ("POST", f"/v1/{path}", getattr(made, f"{prefix}CreateParams"), lambda b, f, kind=kind: b.make_intent(f, kind)),
            ("GET", f"/v1/{path}/(\\w+)", getattr(made, f"{prefix}RetrieveParams"), lambda b, f, i, kind=kind: b.get(kind, i)),
            ("POST", f"/v1/{path}/(\\w+)/confirm", getattr(made, f"{prefix}ConfirmParams"),
             lambda b, f, i, kind=kind: b.confirm(b.get(kind, i), f)),
            ("POST", f"/v1/{path}/(\\w+)/cancel", getattr(made, f"{prefix}CancelParams"),
             lambda b, f, i, kind=kind: b.cancel(b.get(kind, i), f)),
        ]  # fmt: skip
    return found


def _listed(books: Books, form: Json, kind: str, path: str, **also: str) -> Json:
    wanted = {name: form[name] for name in ("payment_intent", "charge", "transfer_group", "destination") if name in form} | also
    found = [each for each in books.all(kind) if all(each[name] == value for name, value in wanted.items())]
    return page(found, form, f"/v1/{path}")


def _search(books: Books, form: Json) -> Json:
    return page(books.search(form["query"]), form, "/v1/payment_intents/search") | {"object": "search_result"}


def _events(books: Books, form: Json) -> Json:
    kinds = form.get("types", [])
    if len(kinds) > 20:
        raise invalid("You may specify at most 20 types.", param="types")
    since = int(form.get("created", {}).get("gte", 0))
    found = [each for each in reversed(books.events) if each["created"] >= since and (not kinds or each["type"] in kinds)]
    return page(found, form, "/v1/events")


class Stripe:
    """The company: an address, its books, and what the tests tell it."""

    def __init__(self, clock: Callable[[], datetime], address: str) -> None:
        self.address, self.books = address, Books(clock, address)
        self.faults: list[Fault] = []
        self.down = False
        self.health = Health()
        self.revoked = False
        """Whether somebody has made the secret key invalid."""
        self.asked: list[str] = []
        """Method and path of each request."""
        self._keys: dict[str, Kept] = {}
        self._lock = threading.Lock()
        self._go_on = threading.Event()
        self._routes = _routes()

    # ---- what tests tell it

    def fail(self, *kinds: str, where: str = "") -> None:
        self.faults += [Fault(kind, where) for kind in kinds]

    def go_on(self) -> None:
        """Answer what was slow."""
        self._go_on.set()

    def forget_keys(self) -> None:
        """A day has passed for idempotency keys."""
        self._keys.clear()

    def messages(self) -> list[tuple[dict[str, str], bytes]]:
        """Every event so far as the webhook would get it, headers and body."""
        return [self.message(event) for event in self.books.events]

    @staticmethod
    def message(event: Json, *, secret: str = WEBHOOK_SECRET, at: int | None = None) -> tuple[dict[str, str], bytes]:
        body = json.dumps(event)
        return {"Stripe-Signature": stripe.WebhookSignature.generate_signature_header(body, secret, at)}, body.encode()

    def of_kind(self, kind: str) -> list[Json]:
        """What stands in the books, oldest first."""
        return self.books.all(kind)[::-1]

    # ---- requests

    def answer(self, method: str, target: str, headers: Any, body: str) -> Answer | None:
        """What is answered; None for nothing."""
        parts = urlsplit(target)
        self.asked.append(f"{method} {parts.path}")
        if self.health.ill:
            unknown = json.dumps(Refusal(401, "invalid_request_error", "Expired API Key provided", "api_key_expired").body())
            patience = json.dumps(Refusal(429, "invalid_request_error", "Too many requests.", "rate_limit").body())
            return self.health.answer(
                lambda: self._well(method, parts, headers, body),
                lambda sick: (sick[0], sick[2], sick[1]),
                patience.encode(), unknown.encode(),
            )  # fmt: skip
        return self._well(method, parts, headers, body)

    def _well(self, method: str, parts: SplitResult, headers: Any, body: str) -> Answer | None:
        fault = next((each for each in self.faults if re.search(each.where, self.asked[-1])), None)
        if fault:
            self.faults.remove(fault)
        if self.down or (fault and fault.kind == "refused"):
            return None
        if parts.path.startswith("/3ds/"):
            with self._lock:
                back = self.books.answer_bank(parts.path.removeprefix("/3ds/"), str(read_form(body).get("answer")))
            return 303, {}, {"Location": back}
        if fault and fault.kind == "patience":
            error = Refusal(429, "invalid_request_error", "Too many requests.", "rate_limit")
            return 429, error.body(), {"Retry-After": "3"}
        found = self._once(method, parts.path, parts.query if method == "GET" else body, headers, fault)
        if fault and fault.kind == "slow":
            self._go_on.wait(20)
        if fault and fault.kind == "garbled":
            return 200, b"<html>", {}
        return None if fault and fault.kind == "lost" else found

    def _once(self, method: str, path: str, text: str, headers: Any, fault: Fault | None) -> Answer:
        """Do it, or answer as the first time."""
        key, asked = headers.get("Idempotency-Key", ""), (method, path, text)
        with self._lock:
            now = self.books.clock()
            kept = self._keys.get(key) if key and method == "POST" else None
            if kept and now - kept.at < KEYS_LAST:
                if kept.asked != asked:
                    other = "Keys for idempotent requests can only be used with the same parameters."
                    return self._refused(Refusal(400, "idempotency_error", other))
                if kept.answer is None:
                    return self._refused(Refusal(409, "idempotency_error", "in use", "idempotency_key_in_use"))
                status, body, extra = kept.answer
                return status, body, extra | {"Idempotent-Replayed": "true"}
            if fault and fault.kind == "error":
                answer: Answer = self._refused(Refusal(500, "api_error", "An unknown error occurred"))
            else:
                answer = self._do(method, path, text, headers)
            if key and method == "POST" and (answer[0] < 400 or answer[0] in (402, 500)):
                self._keys[key] = Kept(asked, now, answer)
            return answer

    def _do(self, method: str, path: str, text: str, headers: Any) -> Answer:
        try:
            if self.revoked:
                raise Refusal(401, "invalid_request_error", "Expired API Key provided", "api_key_expired")
            self._check(method, path, headers)
            self.books.pass_time()
            form = read_form(text)
            for verb, pattern, published, act in self._routes:
                if verb == method and (found := re.fullmatch(pattern, path)):
                    check_fields(form, published)
                    done = act(self.books, form, *found.groups())
                    if done["object"] in ("list", "search_result"):
                        return 200, done | {"data": [self.books.shown(each) for each in done["data"]]}, {}
                    return 200, self.books.shown(done, form.get("expand")), {}
            raise invalid(f"Unrecognized request URL ({method}: {path}).", status=404)
        except Refusal as refusal:
            return self._refused(refusal)

    def _check(self, method: str, path: str, headers: Any) -> None:
        if headers.get("Authorization") != f"Bearer {SECRET_KEY}":
            raise Refusal(401, "invalid_request_error", "Invalid API Key provided", "api_key_invalid")
        if headers.get("Stripe-Version") != _api_version._ApiVersion.CURRENT:
            raise invalid(f"Invalid Stripe API version: {headers.get('Stripe-Version')}")
        without_effect = path.startswith(("/v1/account_links", "/v1/test_helpers"))
        if method == "POST" and not headers.get("Idempotency-Key") and not without_effect:
            raise invalid("This emulator wants a key with every write.", param="idempotency_key")
        if len(headers.get("Idempotency-Key", "")) > 255:
            raise invalid("The key is too long.", param="idempotency_key")

    @staticmethod
    def _refused(refusal: Refusal) -> Answer:
        return refusal.status, refusal.body(), {}


@contextmanager
def running(clock: Callable[[], datetime]) -> Iterator[Stripe]:
    """The emulator at an address of this machine, as long as the block lasts."""
    requests = iter(range(1, 1_000_000))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer: two wait for each other for 40 ms

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            found = emulated.answer(self.command, self.path, self.headers, body)
            if found is None:
                self.close_connection = True
                return
            status, content, extra = found
            text = content if isinstance(content, bytes) else json.dumps(content).encode()
            with suppress(ConnectionError):  # who asked has given up
                self.send_response(status)
                for name, value in {"Request-Id": f"req_{next(requests)}", "Content-Type": "application/json", **extra}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        do_GET = do_POST = do_DELETE = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A connection that was closed by the other side is nothing to report."""

    with Server(("127.0.0.1", 0), Handler) as server:
        emulated = Stripe(clock, f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield emulated
        finally:
            emulated.go_on()
            server.shutdown()
            thread.join()
