"""Notifications of browsers against the notification port, over HTTP, read by a browser that decrypts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import http_ece
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from fxo.core.errors import Declined, ProviderError, Retryable, Unavailable
from fxo.core.notifications.port import Channel, Message, NotificationProvider
from fxo.plugins.notifications_webpush.provider import Settings, WebPush, unwrapped, wrapped
from fxo.testing import NotificationContract, Received, context
from tests.emulators.push import Browser, Push
from tests.emulators.service import Answer

KEY = wrapped(bytes(range(1, 33)))


@pytest.fixture
def push() -> Iterator[Push]:
    with Push().running() as service:
        yield service


def by(push: Push, **values: Any) -> WebPush:
    settings = {"contact": "ops@fxo.example", "private_key": KEY, "services": f"push.example {push.host}"}
    return WebPush(context("notifications_webpush", settings=Settings.model_validate(settings | values)))


@pytest.fixture
def browser(push: Push) -> Browser:
    return push.subscribe(by(push).capabilities.push_key)


def message(browser: Browser, text: str = "See you on Monday.") -> Message:
    return replace(NotificationContract().message(text=text), to_address=browser.json, link="https://acme.example/sessions/1")


class TestNotificationsOfBrowsers(NotificationContract):
    @pytest.fixture(autouse=True)
    def _to_a_browser(self, browser: Browser) -> None:
        self.address = browser.json

    @pytest.fixture
    def provider(self, push: Push) -> NotificationProvider:
        return by(push)

    @pytest.fixture
    def received(self, browser: Browser) -> Callable[[], Sequence[Received]]:
        return lambda: [Received(browser.json, each["text"], each["title"]) for each in browser.shown]

    def test_it_says_where_a_tap_leads(self, provider: NotificationProvider, browser: Browser) -> None:
        sent = message(browser)
        provider.deliver(sent, Channel.PUSH)
        [shown] = browser.shown
        assert shown == {"id": sent.id, "title": sent.subject, "text": sent.text, "link": "https://acme.example/sessions/1"}

    def test_what_comes_twice_takes_the_place_of_what_was_not_shown_yet(
        self, provider: NotificationProvider, browser: Browser, push: Push
    ) -> None:
        for _ in range(2):
            provider.deliver(message(browser), Channel.PUSH)
        sent = message(browser)
        for _ in range(2):
            provider.deliver(sent, Channel.PUSH)
        topics = [each.headers["topic"] for each in push.requests]
        assert topics[2] == topics[3] and len(set(topics)) == 3

    def test_nobody_on_the_way_can_read_it(self, provider: NotificationProvider, browser: Browser, push: Push) -> None:
        provider.deliver(message(browser), Channel.PUSH)
        assert b"Monday" not in push.requests[0].body
        first = push.requests[0].body
        provider.deliver(message(browser), Channel.PUSH)
        assert push.requests[1].body[:16] != first[:16], "each has a salt of its own"

    @pytest.mark.parametrize("text", ["a" * 20_000, "🎉" * 3_000, '"' * 5_000])
    def test_a_long_text_is_cut(self, provider: NotificationProvider, browser: Browser, text: str) -> None:
        provider.deliver(message(browser, text), Channel.PUSH)
        assert 100 < len(browser.shown[0]["text"]) < len(text)

    def test_a_subscription_that_has_ended_is_gone(self, provider: NotificationProvider, browser: Browser) -> None:
        browser.alive = False
        with pytest.raises(Declined) as refusal:
            provider.deliver(message(browser), Channel.PUSH)
        assert refusal.value.reason == "gone"
        assert browser.endpoint not in str(refusal.value)

    def test_one_that_was_made_with_another_key_or_never_was_is_gone(self, push: Push) -> None:
        other = push.subscribe(by(push, private_key=wrapped(bytes(range(2, 34)))).capabilities.push_key)
        unknown = replace_endpoint(other, f"{push.url}/push/99")
        for address in (other.json, unknown):
            with pytest.raises(Declined) as refusal:
                by(push).deliver(replace(message(other), to_address=address), Channel.PUSH)
            assert refusal.value.reason == "gone"

    @pytest.mark.parametrize(
        ("answer", "error", "after"),
        [(Answer(429, headers={"Retry-After": "120"}), Retryable, 120), (Answer(503), Unavailable, 0), (None, Unavailable, 0)],
    )
    def test_it_comes_back_when_the_push_service_says(
        self,
        provider: NotificationProvider,
        push: Push,
        browser: Browser,
        answer: Answer | None,
        error: type[Retryable],
        after: float,
    ) -> None:
        push.fail(answer)
        with pytest.raises(error) as refusal:
            provider.deliver(message(browser), Channel.PUSH)
        assert (type(refusal.value), refusal.value.after) == (error, after)
        provider.deliver(message(browser), Channel.PUSH)
        assert len(browser.shown) == 1

    @pytest.mark.parametrize(
        "endpoint",
        [
            "https://evil.example/push/1", "http://169.254.169.254/latest/meta-data", "http://push.example/1", "file:///etc/passwd",
            "https://push.example.evil.example/1", "https://push.example:8443/1", "https://eve@push.example/1", "", "https://[",
            "http://127.0.0.1:1/push/1",
        ],
    )  # fmt: skip
    def test_nobody_makes_us_call_another_address(
        self, provider: NotificationProvider, push: Push, browser: Browser, endpoint: str
    ) -> None:
        with pytest.raises(Declined) as refusal:
            provider.deliver(replace(message(browser), to_address=replace_endpoint(browser, endpoint)), Channel.PUSH)
        assert refusal.value.reason == "bad_address"
        assert not push.requests

    @pytest.mark.parametrize("address", ["", "{}", "[]", "null", '{"endpoint": 1, "keys": {}}', "bo@acme.example"])
    def test_what_is_no_subscription_is_declined(self, provider: NotificationProvider, browser: Browser, address: str) -> None:
        with pytest.raises(Declined) as refusal:
            provider.deliver(replace(message(browser), to_address=address), Channel.PUSH)
        assert refusal.value.reason == "bad_address"

    def test_no_error_is_of_another_family(self, provider: NotificationProvider, push: Push, browser: Browser) -> None:
        for status in (301, 400, 401, 403, 404, 410, 413, 429, 500, 504):
            push.fail(Answer(status, b"<html>"))
            with pytest.raises(ProviderError):
                provider.deliver(message(browser), Channel.PUSH)


def replace_endpoint(browser: Browser, endpoint: str) -> str:
    return orjson.dumps(orjson.loads(browser.json) | {"endpoint": endpoint}).decode()


def test_the_example_of_the_standard_is_read() -> None:
    """RFC 8291, appendix A: the library that we encrypt with agrees with the standard."""
    body = (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95b"
        "Qpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    key = ec.derive_private_key(int.from_bytes(unwrapped("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")), ec.SECP256R1())
    said = http_ece.decrypt(
        unwrapped(body), private_key=key, auth_secret=unwrapped("BTBZMqHH6r4Tts7J_aSIgg"), version="aes128gcm"
    )
    assert said == b"When I grow up, I want to be a watermelon"


@pytest.mark.parametrize("key", ["short", "", "not base64!"])
def test_a_key_that_is_none_is_refused(push: Push, key: str) -> None:
    if not key:
        with pytest.raises(ProviderError):
            by(push, private_key="")
        return
    with pytest.raises(ValidationError):
        Settings.model_validate({"private_key": key})
