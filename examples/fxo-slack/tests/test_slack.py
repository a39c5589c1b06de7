"""The plugin's hooks against a Slack of our own, over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import entry_points
from typing import Any
from uuid import UUID

import fxo_slack
import pytest
from fxo_slack.channel import Settings
from pydantic import ValidationError

from fxo.core.errors import Misconfigured, Retryable, Unavailable
from fxo.core.hookspecs import Booking
from fxo.core.money import Money
from fxo.testing import context

PATH = "/services/T000/B000/XXXX"
MONDAY = datetime(2026, 11, 30, 14, tzinfo=UTC)
IDS = [UUID(int=number) for number in range(1, 5)]
BOOKING = Booking(*IDS, MONDAY, MONDAY + timedelta(hours=1), Money(80_000, "USD"), "confirmed")
HOOKS = {
    fxo_slack.fxo_booking_confirmed: "A session is booked",
    fxo_slack.fxo_booking_rescheduled: "A session has a new time",
    fxo_slack.fxo_booking_cancelled: "A session is cancelled",
    fxo_slack.fxo_session_completed: "A session was held",
    fxo_slack.fxo_session_rated: "A session was rated",
}


@dataclass
class Slack:
    """One incoming webhook. Strict as the real one: another path, no JSON or no text are errors."""

    url: str = ""
    said: list[str] = field(default_factory=list)
    faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    def answer(self, path: str, kind: str, body: bytes) -> tuple[int, str, dict[str, str]]:
        if self.faults:
            status, headers = self.faults.pop(0)
            return status, "error", headers
        if path != PATH:
            return 404, "no_service", {}
        if not kind.startswith("application/json"):
            return 400, "invalid_payload", {}
        said = json.loads(body)
        if set(said) - {"text", "blocks", "thread_ts", "unfurl_links"} or not said.get("text"):
            return 400, "no_text", {}
        self.said.append(said["text"])
        return 200, "ok", {}


@pytest.fixture
def slack() -> Iterator[Slack]:
    made = Slack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, text, headers = made.answer(self.path, self.headers["Content-Type"], body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}{PATH}"
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def of_tenant(slack: Slack, **values: Any) -> Any:
    return context("slack", settings=Settings.model_validate({"webhook_url": slack.url} | values))


def test_it_is_found_by_its_entry_point() -> None:
    assert "slack" in {each.name for each in entry_points(group="fxo.plugins")}


@pytest.mark.parametrize("hook", HOOKS)
def test_what_happens_is_told_with_its_time_and_where_to_look(hook: Callable[..., None], slack: Slack) -> None:
    hook(BOOKING, of_tenant(slack))
    link = f"<https://acme.example/sessions/{BOOKING.id}|Open it>"
    assert slack.said == [f"{HOOKS[hook]}: Monday 30 November 2026, 14:00–15:00 UTC. {link}"]


def test_what_is_told_twice_to_us_is_told_once_to_the_channel(slack: Slack) -> None:
    tenant = of_tenant(slack)
    for _ in range(3):
        fxo_slack.fxo_booking_confirmed(BOOKING, tenant)
    assert len(slack.said) == 1


def test_each_new_time_is_told(slack: Slack) -> None:
    tenant = of_tenant(slack)
    for days in (1, 2, 2):
        fxo_slack.fxo_booking_rescheduled(replace(BOOKING, starts_at=MONDAY + timedelta(days=days)), tenant)
    assert len(slack.said) == 2


def test_only_what_was_chosen_is_told_and_nothing_without_a_webhook(slack: Slack) -> None:
    fxo_slack.fxo_session_rated(BOOKING, of_tenant(slack, tell="booked cancelled"))
    fxo_slack.fxo_booking_confirmed(BOOKING, of_tenant(slack, webhook_url=""))
    assert slack.said == []


@pytest.mark.parametrize(
    ("status", "headers", "error", "after"),
    [
        (429, {"Retry-After": "30"}, Retryable, 30),
        (500, {}, Unavailable, 0),
        (400, {}, Unavailable, 0),
        (302, {}, Unavailable, 0),
    ],
)
def test_what_slack_does_not_take_now_is_told_later(
    slack: Slack, status: int, headers: dict[str, str], error: type[Retryable], after: float
) -> None:
    tenant = of_tenant(slack)
    slack.faults = [(status, headers)]
    with pytest.raises(error) as refusal:
        fxo_slack.fxo_booking_confirmed(BOOKING, tenant)
    assert (type(refusal.value), refusal.value.after) == (error, after)
    fxo_slack.fxo_booking_confirmed(BOOKING, tenant)
    assert len(slack.said) == 1


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_webhook_that_is_gone_names_the_setting_and_not_its_secret(slack: Slack, status: int) -> None:
    slack.faults = [(status, {})]
    with pytest.raises(Misconfigured) as error:
        fxo_slack.fxo_booking_confirmed(BOOKING, of_tenant(slack))
    assert error.value.field == "webhook_url"
    assert "XXXX" not in str(error.value)


def test_where_nobody_answers_it_is_unavailable(slack: Slack) -> None:
    with pytest.raises(Unavailable):
        fxo_slack.fxo_booking_confirmed(BOOKING, of_tenant(slack, webhook_url="http://127.0.0.1:9/services/XXXX"))


@pytest.mark.parametrize(
    "values",
    [{"webhook_url": "https://evil.example/services/1"}, {"webhook_url": "hooks.slack.com"}, {"tell": "booked everything"}],
)
def test_settings_that_cannot_work_are_refused_in_the_form(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(values)


def test_the_address_is_shown_in_no_text() -> None:
    assert "XXXX" not in repr(Settings.model_validate({"webhook_url": "https://hooks.slack.com/services/XXXX"}))
