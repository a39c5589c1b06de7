"""Text messages by Twilio against the notification port, over HTTP: never twice, never over the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import flask
import pytest
from pydantic import ValidationError

from fxo.core.errors import Declined, Misconfigured, ProviderError, Retryable, Unavailable
from fxo.core.ids import new_id
from fxo.core.notifications.port import Channel, Message, NotificationProvider, Report
from fxo.core.scope import TenantConfig
from fxo.embedded.processes import wait_until
from fxo.plugins.notifications_twilio.parts import parts
from fxo.plugins.notifications_twilio.provider import Settings
from fxo.plugins.notifications_twilio.provider import Twilio as Provider
from fxo.plugins.notifications_twilio.signing import signature
from fxo.testing import NotificationContract, Received, context
from tests.emulators import twilio as outside
from tests.emulators.service import Answer
from tests.emulators.twilio import ACCOUNT, LANDLINE, NUMBER, TOKEN, UNKNOWN, Twilio

BO = "+15551230000"
HOOK = "https://hooks.example/notifications_twilio/acme"


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with Twilio().running() as service:
        yield service


@pytest.fixture
def made(app: flask.Flask, tenant: TenantConfig, twilio: Twilio) -> Callable[..., Provider]:
    def make(seconds: float = 8, **values: Any) -> Provider:
        settings = {"account_sid": ACCOUNT, "auth_token": TOKEN, "sender": NUMBER, "url": twilio.url}
        made = context("notifications_twilio", settings=Settings.model_validate(settings | values), tenant_id=tenant.id)
        return Provider(replace(made, seconds=seconds))

    return make


def message(text: str = "See you on Monday.", to: str = BO) -> Message:
    return replace(NotificationContract().message(text=text), to_address=to)


class TestTextsByTwilio(NotificationContract):
    address = BO

    @pytest.fixture
    def provider(self, made: Callable[..., Provider]) -> NotificationProvider:
        return made()

    @pytest.fixture
    def received(self, twilio: Twilio) -> Callable[[], Sequence[Received]]:
        return lambda: [Received(each.to, each.body) for each in twilio.texts]

    def test_the_same_message_again_is_texted_once(self, provider: NotificationProvider, twilio: Twilio) -> None:
        same = message()
        for _ in range(3):
            provider.deliver(same, Channel.SMS)
        assert len(twilio.texts) == 1

    def test_two_messages_of_the_same_words_are_two(self, provider: NotificationProvider, twilio: Twilio) -> None:
        twilio.fail(None, after=True)
        first, second = message(), message()
        with pytest.raises(Unavailable):
            provider.deliver(first, Channel.SMS)
        provider.deliver(second, Channel.SMS)
        provider.deliver(first, Channel.SMS)
        assert len(twilio.texts) == 2

    def test_a_text_whose_answer_was_lost_is_looked_for_before_it_is_sent_again(
        self, provider: NotificationProvider, twilio: Twilio
    ) -> None:
        twilio.fail(None, after=True)
        same = message()
        with pytest.raises(Unavailable):
            provider.deliver(same, Channel.SMS)
        assert provider.deliver(same, Channel.SMS).reference == same.id
        assert len(twilio.texts) == 1
        assert provider.read_webhook(*twilio.told(twilio.texts[0], "delivered")) == [
            Report(same.id, "delivered", BO, Channel.SMS)
        ]

    def test_a_text_says_what_it_has_cost_once(self, made: Callable[..., Provider]) -> None:
        provider, same = made(part_cost="0.07"), message("x" * 200)
        assert [provider.deliver(same, Channel.SMS).cost for _ in range(2)] == [140_000, 0]

    def test_the_account_is_tried_without_a_text(self, made: Callable[..., Provider], twilio: Twilio) -> None:
        made().look_at_account()
        with pytest.raises(Misconfigured) as refused:
            made(auth_token="another").look_at_account()
        assert refused.value.field == "auth_token" and not twilio.texts

    def test_a_text_that_never_arrived_at_twilio_is_sent_again(self, provider: NotificationProvider, twilio: Twilio) -> None:
        twilio.fail(None, Answer(500), Answer(200, b"<html>"))
        same = message()
        for _ in range(3):
            with pytest.raises(Unavailable):
                provider.deliver(same, Channel.SMS)
        provider.deliver(same, Channel.SMS)
        assert len(twilio.texts) == 1

    @pytest.mark.parametrize(
        ("answer", "error", "after"),
        [
            (Answer(429, headers={"Retry-After": "5"}), Retryable, 5),
            (Answer.json({"code": 20429}, 429), Retryable, 0),
            (Answer(503, headers={"Retry-After": "30"}), Unavailable, 30),
            (None, Unavailable, 0),
        ],
    )
    def test_it_comes_back_when_twilio_says(
        self, provider: NotificationProvider, twilio: Twilio, answer: Answer | None, error: type[Retryable], after: float
    ) -> None:
        twilio.fail(answer)
        same = message()
        with pytest.raises(error) as refusal:
            provider.deliver(same, Channel.SMS)
        assert (type(refusal.value), refusal.value.after) == (error, after)
        provider.deliver(same, Channel.SMS)
        assert len(twilio.texts) == 1

    @pytest.mark.parametrize(
        ("to", "reason"),
        [
            (LANDLINE, "bad_address"), (UNKNOWN, "bad_address"), ("", "bad_address"), ("0155123", "bad_address"),
            ("+1555123000a", "bad_address"), ("bo@acme.example", "bad_address"),
        ],
    )  # fmt: skip
    def test_a_number_that_gets_no_texts_is_declined(
        self, provider: NotificationProvider, twilio: Twilio, to: str, reason: str
    ) -> None:
        with pytest.raises(Declined) as refusal:
            provider.deliver(message(to=to), Channel.SMS)
        assert refusal.value.reason == reason
        assert not to or to not in str(refusal.value)
        assert not twilio.texts

    def test_who_said_stop_to_twilio_is_left_alone(self, provider: NotificationProvider, twilio: Twilio) -> None:
        twilio.texted(HOOK, BO, "Stop")
        with pytest.raises(Declined) as refusal:
            provider.deliver(message(), Channel.SMS)
        assert refusal.value.reason == "opted_out"

    @pytest.mark.parametrize(
        ("values", "field"), [({"auth_token": "wrong"}, "auth_token"), ({"sender": "+15559999999"}, "sender")]
    )
    def test_what_only_other_settings_mend_names_them(
        self, made: Callable[..., Provider], values: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(Misconfigured) as error:
            made(**values).deliver(message(), Channel.SMS)
        assert error.value.field == field

    def test_no_error_is_of_another_family(self, provider: NotificationProvider, twilio: Twilio) -> None:
        for status in (200, 301, 400, 401, 403, 404, 409, 422, 429, 500, 504):
            twilio.fail(Answer(status, b"[]"))
            with pytest.raises(ProviderError):
                provider.deliver(message(), Channel.SMS)


def test_a_slow_answer_is_not_waited_for_and_its_text_is_found_later(made: Callable[..., Provider], twilio: Twilio) -> None:
    same = message()
    twilio.fail(Answer(201), after=True, slow=1)
    with pytest.raises(Unavailable):
        made(seconds=0.4).deliver(same, Channel.SMS)
    assert wait_until(lambda: len(twilio.texts) == 1, 10)
    made().deliver(same, Channel.SMS)
    assert len(twilio.texts) == 1


# What it may cost --------------------------------------------------------------------------------------------------


def test_a_month_costs_no_more_than_it_may_even_where_many_are_sent_at_once(
    app: flask.Flask, made: Callable[..., Provider], twilio: Twilio
) -> None:
    provider = made(part_cost="0.10", monthly_budget="0.50")

    def send(_: int) -> str:
        with app.app_context():
            try:
                provider.deliver(message(), Channel.SMS)
            except Declined as refusal:
                return refusal.reason
            return "sent"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(send, range(12)))
    assert (outcomes.count("sent"), outcomes.count("over_budget")) == (5, 7)
    assert len(twilio.texts) == 5


def test_a_long_text_costs_as_many_parts_as_it_has(made: Callable[..., Provider]) -> None:
    provider = made(part_cost="0.10", monthly_budget="0.30")
    provider.deliver(message("a" * 161), Channel.SMS)
    with pytest.raises(Declined):
        provider.deliver(message("a" * 161), Channel.SMS)
    provider.deliver(message("a"), Channel.SMS)


def test_a_refused_text_costs_nothing(made: Callable[..., Provider], twilio: Twilio) -> None:
    provider = made(part_cost="0.10", monthly_budget="0.10")
    for _ in range(3):
        with pytest.raises(Declined):
            provider.deliver(message(to=LANDLINE), Channel.SMS)
    provider.deliver(message(), Channel.SMS)


def test_one_tenant_does_not_spend_the_budget_of_another(
    made: Callable[..., Provider], twilio: Twilio, other_tenant: TenantConfig
) -> None:
    made(part_cost="1", monthly_budget="1").deliver(message(), Channel.SMS)
    values = {
        "account_sid": ACCOUNT,
        "auth_token": TOKEN,
        "sender": NUMBER,
        "url": twilio.url,
        "part_cost": "1",
        "monthly_budget": "1",
    }
    settings = Settings.model_validate(values)
    Provider(context("notifications_twilio", settings=settings, tenant_id=other_tenant.id)).deliver(message(), Channel.SMS)
    assert len(twilio.texts) == 2


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2), ("ç", 1),
        ("ş" * 71, 2), ("🎉" * 35, 1), ("🎉" * 36, 2), ("Grüße, Zoë", 1),
    ],
)  # fmt: skip
def test_a_text_is_counted_in_parts(text: str, count: int) -> None:
    assert parts(text) == count


# What Twilio tells -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "what"),
    [
        ("delivered", "", "delivered"), ("undelivered", "30003", "failed"), ("failed", "30007", "failed"),
        ("undelivered", "30005", "bounced"), ("undelivered", "30006", "bounced"), ("failed", "21610", "opted_out"),
        ("queued", "", ""), ("sent", "", ""), ("something_new", "", ""),
    ],
)  # fmt: skip
def test_a_status_is_read_in_our_words(made: Callable[..., Provider], twilio: Twilio, status: str, code: str, what: str) -> None:
    provider, sent = made(), message()
    provider.deliver(sent, Channel.SMS)
    expected = [Report(sent.id, what, BO, Channel.SMS)] if what else []
    assert twilio.texts[0].callback == HOOK
    assert list(provider.read_webhook(*twilio.told(twilio.texts[0], status, code))) == expected


def test_the_status_of_somebody_elses_text_is_no_report(made: Callable[..., Provider], twilio: Twilio) -> None:
    stranger = outside.Text("SM-other", BO, "Hello", HOOK)
    assert list(made().read_webhook(*twilio.told(stranger, "failed", "30005"))) == []


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("STOP", "opted_out"),
        (" stop ", "opted_out"),
        ("Unsubscribe", "opted_out"),
        ("start", "opted_in"),
        ("Hello", ""),
        ("", ""),
    ],
)
def test_stop_and_start_are_heard(made: Callable[..., Provider], twilio: Twilio, words: str, what: str) -> None:
    expected = [Report("", what, BO, Channel.SMS, "SM1")] if what else []
    assert list(made().read_webhook(*twilio.texted(HOOK, BO, words, "SM1"))) == expected


def test_what_is_not_signed_by_our_account_is_declined(made: Callable[..., Provider], twilio: Twilio) -> None:
    said = {"MessageSid": "SM1", "From": BO, "To": NUMBER, "Body": "STOP"}
    headers, body = outside.signed(HOOK, said)
    forged, _ = outside.signed(HOOK, said, token="guess")
    other_place, _ = outside.signed(HOOK + "x", said)
    other_account = outside.signed(HOOK, said | {"AccountSid": "AC" + "2" * 32})
    for wrong, form in (
        (forged, body), (other_place, body), ({}, body), (headers, body + b"&Body=START"), (headers, b"\xff\xfe"), (headers, b""),
        other_account, ({"X-Twilio-Signature": "ü"}, body),
    ):  # fmt: skip
        with pytest.raises(Declined) as refusal:
            made().read_webhook(wrong, form)
        assert refusal.value.reason == "bad_signature"


def test_the_published_example_of_a_signature_holds() -> None:
    """From https://www.twilio.com/docs/usage/security, worked through there step by step."""
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    form = parse_qsl("CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212")
    assert signature("12345", url, form) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize(
    "values", [{"sender": "Acme"}, {"account_sid": "AC1"}, {"monthly_budget": "-1"}, {"url": "http://elsewhere.example"}]
)
def test_settings_that_cannot_work_are_refused_in_the_form(values: dict[str, Any]) -> None:
    good = {"account_sid": ACCOUNT, "auth_token": TOKEN, "sender": NUMBER}
    assert Settings.model_validate(good)
    with pytest.raises(ValidationError):
        Settings.model_validate(good | values)


def test_a_token_is_shown_in_no_text(made: Callable[..., Provider]) -> None:
    assert TOKEN not in repr(Settings.model_validate({"account_sid": ACCOUNT, "auth_token": TOKEN, "sender": NUMBER}))
    assert str(new_id()) not in TOKEN
