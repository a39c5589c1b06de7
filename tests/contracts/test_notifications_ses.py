"""Mail by Amazon SES against the notification port, over HTTP; its signatures, and what its topic tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from google.auth import aws

from fxo.core.errors import Declined, Misconfigured, ProviderError, Retryable, Unavailable
from fxo.core.notifications.port import Channel, NotificationProvider, Report
from fxo.plugins.notifications_email.provider import Email, Settings
from fxo.plugins.notifications_email.sigv4 import Key, signed
from fxo.testing import NotificationContract, Received, context
from tests.emulators.amazon import CONFIGURATION_SET, KEY_ID, REGION, SECRET, TOPIC, Amazon
from tests.emulators.service import Answer


@pytest.fixture
def amazon() -> Iterator[Amazon]:
    with Amazon().running() as service:
        yield service


def by(amazon: Amazon, **values: Any) -> Email:
    settings = {
        "service": "ses", "sender": "Acme <hello@acme.example>", "ses_region": REGION, "ses_key_id": KEY_ID, "ses_secret": SECRET,
        "ses_configuration_set": CONFIGURATION_SET, "ses_topic": TOPIC, "ses_endpoint": amazon.url,
    }  # fmt: skip
    return Email(context("notifications_email", settings=Settings.model_validate(settings | values)))


class TestMailBySes(NotificationContract):
    @pytest.fixture
    def provider(self, amazon: Amazon) -> NotificationProvider:
        return by(amazon)

    @pytest.fixture
    def received(self, amazon: Amazon) -> Callable[[], Sequence[Received]]:
        def read() -> list[Received]:
            return [
                Received(
                    each.to,
                    str(each.mail.get_body(("plain",)).get_content()),  # type: ignore[union-attr]
                    str(each.mail["Subject"]),
                    {str(one.get_filename()): one.get_payload(decode=True) for one in each.mail.iter_attachments()},  # type: ignore[misc]
                    {name: str(value) for name, value in each.mail.items()},
                )
                for each in amazon.sent
            ]

        return read

    def test_an_invitation_keeps_its_method_and_our_id_goes_along(self, provider: NotificationProvider, amazon: Amazon) -> None:
        message = self.message()
        provider.deliver(message, Channel.MAIL)
        [sent] = amazon.sent
        [ics] = sent.mail.iter_attachments()
        assert ics.get_param("method") == "REQUEST"
        assert sent.tags == {"fxo-message": message.id}

    @pytest.mark.parametrize(
        ("answer", "error", "after"),
        [
            (
                Answer.json({"message": "Rate"}, 429, **{"x-amzn-ErrorType": "TooManyRequestsException"}),
                Retryable,
                0,
            ),
            (Answer(429, headers={"Retry-After": "3"}), Retryable, 3),
            (Answer(503), Unavailable, 0),
            (None, Unavailable, 0),
            (Answer.json({"message": "quota"}, 400, **{"x-amzn-ErrorType": "LimitExceededException"}), Retryable, 60),
        ],
    )
    def test_it_comes_back_when_amazon_is_able(
        self, provider: NotificationProvider, amazon: Amazon, answer: Answer | None, error: type[Retryable], after: float
    ) -> None:
        amazon.fail(answer)
        with pytest.raises(error) as refusal:
            provider.deliver(self.message(), Channel.MAIL)
        assert (type(refusal.value), refusal.value.after) == (error, after)
        provider.deliver(self.message(), Channel.MAIL)
        assert len(amazon.sent) == 1

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"ses_key_id": "AKIAOTHER"}, "ses_key_id"),
            ({"ses_secret": "wrong"}, "ses_secret"),
            ({"sender": "Eve <eve@elsewhere.example>"}, "sender"),
            ({"ses_configuration_set": "unknown"}, "ses_configuration_set"),
        ],
    )
    def test_what_only_other_settings_mend_names_them(self, amazon: Amazon, values: dict[str, Any], field: str) -> None:
        with pytest.raises(Misconfigured) as error:
            by(amazon, **values).deliver(self.message(), Channel.MAIL)
        assert error.value.field == field
        assert not amazon.sent

    @pytest.mark.parametrize("wrong", ["", "bo", "bo@nowhere", "a b@c.example"])
    def test_what_is_no_address_is_declined(self, provider: NotificationProvider, amazon: Amazon, wrong: str) -> None:
        with pytest.raises(Declined) as refusal:
            provider.deliver(replace(self.message(), to_address=wrong), Channel.MAIL)
        assert refusal.value.reason == "bad_address"
        assert not amazon.sent

    def test_a_refused_mail_is_declined_and_quotes_nobody(self, provider: NotificationProvider, amazon: Amazon) -> None:
        amazon.fail(Answer.json({"message": "bo@acme.example has a virus"}, 400, **{"x-amzn-ErrorType": "MessageRejected"}))
        with pytest.raises(Declined) as refusal:
            provider.deliver(self.message(), Channel.MAIL)
        assert str(refusal.value) == "rejected"

    def test_no_error_is_of_another_family(self, provider: NotificationProvider, amazon: Amazon) -> None:
        for status in (301, 400, 401, 403, 404, 413, 422, 429, 500, 504):
            amazon.fail(Answer(status, b"<html>"))
            with pytest.raises(ProviderError):
                provider.deliver(self.message(), Channel.MAIL)


# The topic ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def sent(amazon: Amazon) -> str:
    message = NotificationContract().message()
    by(amazon).deliver(message, Channel.MAIL)
    return message.id


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(
    ("kind", "values", "what"),
    [
        ("Delivery", {}, "delivered"),
        ("Bounce", {}, "bounced"),
        ("Bounce", {"bounceType": "Transient"}, "failed"),
        ("Complaint", {}, "complained"),
    ],
)
def test_what_the_topic_tells_is_read_in_our_words(
    amazon: Amazon, sent: str, version: str, kind: str, values: dict[str, Any], what: str
) -> None:
    body = amazon.posted(amazon.event(amazon.sent[0], kind, **values), version=version)
    assert by(amazon).read_webhook({"Content-Type": "text/plain"}, body) == [Report(sent, what, "bo@acme.example")]


def test_events_of_mails_that_are_not_ours_have_no_reference(amazon: Amazon, sent: str) -> None:
    said = orjson.loads(amazon.event(amazon.sent[0], "Bounce"))
    del said["mail"]["tags"]
    [report] = by(amazon).read_webhook({}, amazon.posted(orjson.dumps(said).decode()))
    assert report == Report("", "bounced", "bo@acme.example")
    opened = orjson.dumps({"eventType": "Open", "mail": {"tags": {}}}).decode()
    assert by(amazon).read_webhook({}, amazon.posted(opened)) == []


def test_the_certificate_is_fetched_once(amazon: Amazon, sent: str) -> None:
    provider = by(amazon)
    for _ in range(3):
        provider.read_webhook({}, amazon.posted(amazon.event(amazon.sent[0], "Delivery")))
    assert [each.path for each in amazon.requests].count("/SimpleNotificationService.pem") == 1


def test_the_question_of_a_new_subscription_is_answered_with_yes(amazon: Amazon) -> None:
    assert list(by(amazon).read_webhook({}, amazon.asked())) == []
    assert amazon.confirmed == ["token-1"]


def test_where_amazon_does_not_answer_the_topic_is_to_ask_again(amazon: Amazon) -> None:
    amazon.fail(None)
    with pytest.raises(Retryable):
        by(amazon).read_webhook({}, amazon.asked())
    assert amazon.confirmed == []


def test_another_topic_another_signer_and_a_changed_message_are_declined(amazon: Amazon, sent: str) -> None:
    event = amazon.event(amazon.sent[0], "Bounce")
    genuine = amazon.posted(event)
    with Amazon().running() as eve:
        forged = orjson.loads(eve.posted(event)) | {"SigningCertURL": f"{amazon.url}/SimpleNotificationService.pem"}
        elsewhere = eve.posted(event)
    wrong = [
        amazon.posted(event, topic=TOPIC + "2"), genuine.replace(b"bo@", b"eve@"), orjson.dumps(forged), elsewhere, b"{}", b"[]",
        orjson.dumps({**orjson.loads(genuine), "SignatureVersion": "9"}),
        orjson.dumps({**orjson.loads(genuine), "Signature": "%%"}),
    ]  # fmt: skip
    for body in wrong:
        with pytest.raises(Declined) as refusal:
            by(amazon).read_webhook({}, body)
        assert refusal.value.reason == "bad_signature"


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/x.pem", "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
        "https://evil.example/x.pem", "https://eve@sns.eu-west-1.amazonaws.com:444/x.pem", "file:///etc/passwd", "",
    ],
)  # fmt: skip
def test_a_certificate_from_elsewhere_is_never_fetched(amazon: Amazon, sent: str, url: str) -> None:
    before = len(amazon.requests)
    body = amazon.posted(amazon.event(amazon.sent[0], "Bounce"), SigningCertURL=url)
    with pytest.raises(Declined):
        by(amazon).read_webhook({}, body)
    assert len(amazon.requests) == before


def test_without_a_topic_nothing_is_heard(amazon: Amazon, sent: str) -> None:
    body = amazon.posted(amazon.event(amazon.sent[0], "Bounce"))
    with pytest.raises(Declined):
        by(amazon, ses_topic="").read_webhook({}, body)


# The signature -----------------------------------------------------------------------------------------------------

EXAMPLE = Key("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1")
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


@pytest.mark.parametrize(
    ("method", "query", "headers", "body", "signature"),
    [
        ("GET", "/", {}, b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "/", {}, b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "POST", "/", {"Content-Type": "application/x-www-form-urlencoded"}, b"Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        ("GET", "/?Param2=value2&Param1=value1", {}, b"", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        (
            "GET", "/", {"My-Header1": "value2,value2,value1"}, b"",
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
    ],
)  # fmt: skip
def test_the_signatures_are_those_of_amazons_test_suite(
    method: str, query: str, headers: dict[str, str], body: bytes, signature: str
) -> None:
    """get-vanilla, post-vanilla, post-x-www-form-urlencoded, get-vanilla-query-order-key-case, get-header-key-duplicate."""
    made = signed(EXAMPLE, "service", method, f"https://example.amazonaws.com{query}", headers, body, AT)
    assert made["Authorization"].endswith(f"Signature={signature}")
    assert made["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ")


def test_another_implementation_signs_the_same() -> None:
    """The one within google-auth."""
    url, body = "https://email.us-east-1.amazonaws.com/v2/email/outbound-emails", '{"a": "ö"}'
    credentials = aws.AwsSecurityCredentials(EXAMPLE.id, EXAMPLE.secret)
    theirs = aws.RequestSigner("us-east-1").get_request_options(credentials, url, "POST", body)
    moment = datetime.strptime(theirs["headers"]["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours = signed(EXAMPLE, "email", "POST", url, {}, body.encode(), moment)
    assert ours["Authorization"] == theirs["headers"]["Authorization"]


def test_a_key_is_shown_in_no_text() -> None:
    assert "wJalr" not in repr(EXAMPLE)
