"""Mail by SendGrid against the notification port, over HTTP, and what its webhook tells."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pydantic import SecretStr, ValidationError

from fxo.core.errors import Declined, Misconfigured, ProviderError, Retryable, Unavailable
from fxo.core.notifications.port import Channel, NotificationProvider, Report
from fxo.plugins.notifications_email.provider import Email, Settings
from fxo.plugins.notifications_email.sendgrid import OURS
from fxo.testing import NotificationContract, Received, context
from tests.emulators.sendgrid import KEY, SendGrid
from tests.emulators.service import Answer


@pytest.fixture
def sendgrid() -> Iterator[SendGrid]:
    with SendGrid().running() as service:
        yield service


def by(sendgrid: SendGrid, *, seconds: float = 8, **values: Any) -> Email:
    settings = {
        "service": "sendgrid", "sender": "Acme <hello@acme.example>", "sendgrid_key": KEY, "sendgrid_url": sendgrid.url,
        "sendgrid_verification_key": sendgrid.verification_key,
    }  # fmt: skip
    made = context("notifications_email", settings=Settings.model_validate(settings | values))
    return Email(replace(made, seconds=seconds))


class TestMailBySendGrid(NotificationContract):
    @pytest.fixture
    def provider(self, sendgrid: SendGrid) -> NotificationProvider:
        return by(sendgrid)

    @pytest.fixture
    def received(self, sendgrid: SendGrid) -> Callable[[], Sequence[Received]]:
        def read() -> list[Received]:
            return [
                Received(
                    each.to,
                    each.body["content"][0]["value"],
                    each.body["subject"],
                    {one["filename"]: base64.b64decode(one["content"]) for one in each.body.get("attachments", [])},
                    each.body["headers"],
                )
                for each in sendgrid.sent
            ]

        return read

    def test_our_id_goes_along_in_every_try(self, provider: NotificationProvider, sendgrid: SendGrid) -> None:
        message = self.message()
        for _ in range(2):
            assert provider.deliver(message, Channel.MAIL).reference == message.id
        assert {each.body["headers"]["Message-ID"] for each in sendgrid.sent} == {f"<{message.id}@acme.example>"}
        assert {each.body["personalizations"][0]["custom_args"][OURS] for each in sendgrid.sent} == {message.id}

    def test_nobody_is_followed_by_pictures_or_links(self, provider: NotificationProvider, sendgrid: SendGrid) -> None:
        provider.deliver(self.message(), Channel.MAIL)
        tracking = sendgrid.sent[0].body["tracking_settings"]
        assert tracking == {"click_tracking": {"enable": False}, "open_tracking": {"enable": False}}

    @pytest.mark.parametrize(
        ("answer", "error", "after"),
        [
            (Answer(429, headers={"Retry-After": "17"}), Retryable, 17),
            (Answer(429), Retryable, 0),
            (Answer(503, headers={"Retry-After": "9999999"}), Unavailable, 3600),
            (Answer(500), Unavailable, 0),
            (Answer(429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), Retryable, 0),
            (Answer(429, headers={"Retry-After": "soon"}), Retryable, 0),
            (None, Unavailable, 0),
        ],
    )
    def test_it_comes_back_when_sendgrid_says(
        self, provider: NotificationProvider, sendgrid: SendGrid, answer: Answer | None, error: type[Retryable], after: float
    ) -> None:
        sendgrid.fail(answer)
        with pytest.raises(error) as refusal:
            provider.deliver(self.message(), Channel.MAIL)
        assert type(refusal.value) is error
        assert refusal.value.after == after
        provider.deliver(self.message(), Channel.MAIL)
        assert len(sendgrid.sent) == 1

    def test_a_rate_limit_that_names_its_end_is_waited_for(self, provider: NotificationProvider, sendgrid: SendGrid) -> None:
        sendgrid.fail(Answer(429, headers={"X-RateLimit-Reset": "99999999999"}))
        with pytest.raises(Retryable) as refusal:
            provider.deliver(self.message(), Channel.MAIL)
        assert refusal.value.after == 3600

    @pytest.mark.parametrize(
        ("values", "field"),
        [({"sendgrid_key": "SG.wrong"}, "sendgrid_key"), ({"sender": "Eve <eve@elsewhere.example>"}, "sender")],
    )
    def test_what_only_other_settings_mend_names_them(self, sendgrid: SendGrid, values: dict[str, Any], field: str) -> None:
        with pytest.raises(Misconfigured) as error:
            by(sendgrid, **values).deliver(self.message(), Channel.MAIL)
        assert error.value.field == field
        assert "wrong" not in str(error.value)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (Answer.json({"errors": [{"field": "personalizations.0.to.0.email", "message": "bo@x"}]}, 400), "bad_address"),
            (Answer.json({"errors": [{"field": "content", "message": "bo@x"}]}, 400), "rejected"),
            (Answer(413), "too_large"),
            (Answer(400, b"<html>"), "rejected"),
            (Answer(400, b"[]"), "rejected"),
        ],
    )
    def test_a_refusal_is_for_good_and_quotes_nobody(
        self, provider: NotificationProvider, sendgrid: SendGrid, answer: Answer, reason: str
    ) -> None:
        sendgrid.fail(answer)
        with pytest.raises(Declined) as refusal:
            provider.deliver(self.message(), Channel.MAIL)
        assert refusal.value.reason == reason
        assert "bo@" not in str(refusal.value)

    @pytest.mark.parametrize("wrong", ["", "bo", "bo@nowhere", "bo@acme.example\r\nBcc: eve@evil.example"])
    def test_what_is_no_address_is_declined(self, provider: NotificationProvider, sendgrid: SendGrid, wrong: str) -> None:
        with pytest.raises(Declined) as refusal:
            provider.deliver(replace(self.message(), to_address=wrong), Channel.MAIL)
        assert refusal.value.reason == "bad_address"
        assert not sendgrid.sent


def test_nobody_waits_for_a_service_that_is_slow(sendgrid: SendGrid) -> None:
    provider = by(sendgrid, seconds=0.4)
    sendgrid.fail(Answer(202), slow=30)
    begun = monotonic()
    with pytest.raises(Unavailable):
        provider.deliver(NotificationContract().message(), Channel.MAIL)
    assert monotonic() - begun < 5


# The event webhook -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "values", "what"),
    [
        ("delivered", {"response": "250 OK"}, "delivered"),
        ("bounce", {"type": "bounce", "status": "5.1.1", "reason": "550 no such user"}, "bounced"),
        ("bounce", {"type": "blocked", "reason": "421 greylisted"}, "failed"),
        ("dropped", {"reason": "Bounced Address"}, "bounced"),
        ("dropped", {"reason": "Spam Reporting Address"}, "complained"),
        ("dropped", {"reason": "Unsubscribed Address"}, "unsubscribed"),
        ("dropped", {"reason": "Invalid SMTPAPI header"}, "failed"),
        ("spamreport", {}, "complained"),
        ("unsubscribe", {}, "unsubscribed"),
        ("processed", {}, ""),
        ("deferred", {"response": "451 later", "attempt": "3"}, ""),
        ("open", {}, ""),
        ("something_new", {}, ""),
    ],
)
def test_what_the_webhook_tells_is_read_in_our_words(sendgrid: SendGrid, event: str, values: dict[str, Any], what: str) -> None:
    provider, message = by(sendgrid), NotificationContract().message()
    provider.deliver(message, Channel.MAIL)
    headers, body = sendgrid.signed(sendgrid.event(sendgrid.sent[0], event, **values))
    expected = [Report(message.id, what, "bo@acme.example", id=f"{event}-sg-1")] if what else []
    assert provider.read_webhook(headers, body) == expected
    lower = {name.lower(): value for name, value in headers.items()}
    assert provider.read_webhook(lower, body) == expected


def test_many_reports_come_at_once_and_those_of_other_mails_have_no_reference(sendgrid: SendGrid) -> None:
    provider = by(sendgrid)
    for _ in range(3):
        provider.deliver(NotificationContract().message(), Channel.MAIL)
    events = [sendgrid.event(each, "delivered") for each in sendgrid.sent]
    del events[2][OURS]
    reports = provider.read_webhook(*sendgrid.signed(*events))
    assert [bool(each.reference) for each in reports] == [True, True, False]


def test_what_was_signed_by_another_or_changed_or_is_days_old_is_declined(sendgrid: SendGrid) -> None:
    provider = by(sendgrid)
    provider.deliver(NotificationContract().message(), Channel.MAIL)
    event = sendgrid.event(sendgrid.sent[0], "bounce")
    headers, body = sendgrid.signed(event)
    other, _ = SendGrid().signed(event)
    old = sendgrid.signed(event, age=3 * 86_400)
    name = "X-Twilio-Email-Event-Webhook-Signature"
    for wrong, said in (
        (headers, body.replace(b"bo@", b"eve@")), (other, body), ({}, body), (headers | {name: "%%%"}, body),
        (headers | {"X-Twilio-Email-Event-Webhook-Timestamp": "1"}, body), old,
    ):  # fmt: skip
        with pytest.raises(Declined) as refusal:
            provider.read_webhook(wrong, said)
        assert refusal.value.reason == "bad_signature"


def test_without_a_verification_key_the_webhook_is_closed(sendgrid: SendGrid) -> None:
    headers, body = sendgrid.signed({"event": "delivered"})
    for key in ("", "bm90IGEga2V5"):
        with pytest.raises(Declined):
            by(sendgrid, sendgrid_verification_key=key).read_webhook(headers, body)


@pytest.mark.parametrize("body", [b"{}", b"[1]", b'[{"no": "event"}]', b"null"])
def test_a_signed_body_that_is_no_list_of_events_is_declined(sendgrid: SendGrid, body: bytes) -> None:
    headers, signed = sendgrid.signed(*[orjson.loads(body)][:1] if body.startswith(b"[") else [orjson.loads(body)])
    with pytest.raises(Declined):
        by(sendgrid).read_webhook(headers, signed)


def test_the_published_example_of_a_signature_holds() -> None:
    """From SendGrid's own libraries (their tests of the event webhook)."""
    key = (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4C"
        "wrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA=="
    )
    signature = "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0="
    body = b'{"category":"example_payload","event":"test_event","message_id":"message_id"}'
    public = load_der_public_key(base64.b64decode(key))
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(base64.b64decode(signature), b"1588788367" + body, ec.ECDSA(SHA256()))


# The form ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"service": "sendgrid"},
        {"service": "ses", "ses_region": "eu-west-1", "ses_key_id": "AKIA"},
        {"service": "pigeon"},
        {"sendgrid_url": "http://elsewhere.example"},
    ],
)
def test_what_the_chosen_service_needs_is_asked_for_in_the_form(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(values)


def test_a_service_that_is_not_chosen_needs_nothing() -> None:
    assert Settings(smtp_url=SecretStr("smtp://localhost:25")).service == "smtp"


def test_no_error_of_a_provider_is_of_another_family(sendgrid: SendGrid) -> None:
    for status in (301, 400, 401, 403, 404, 405, 406, 408, 409, 422, 429, 500, 502, 504):
        sendgrid.fail(Answer(status))
        with pytest.raises(ProviderError):
            by(sendgrid).deliver(NotificationContract().message(), Channel.MAIL)
