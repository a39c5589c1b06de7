"""Mail against the notification port: through a real SMTP server, and into the outbox."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import flask
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import SecretStr, ValidationError

from fxo.core.errors import Declined, Misconfigured, ProviderError, Retryable, Unavailable
from fxo.core.ids import new_id
from fxo.core.notifications.port import Attachment, Channel, NotificationProvider
from fxo.core.plugins import ProviderContext
from fxo.core.scope import TenantConfig
from fxo.plugins.notifications_email.outbox import outbox, outbox_message
from fxo.plugins.notifications_email.provider import Email, Settings
from fxo.plugins.notifications_email.smtp import Server
from fxo.testing import NotificationContract, Received, context


class Postbox:
    """What a mail server does with its mail: keeps it, or answers as it is told."""

    def __init__(self) -> None:
        self.kept: list[tuple[list[str], EmailMessage]] = []
        self.on_recipient = self.on_data = "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if self.on_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.on_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        if self.on_data.startswith("250"):
            self.kept.append((envelope.rcpt_tos, mail))
        return self.on_data

    def received(self) -> list[Received]:
        return [
            Received(
                ",".join(recipients),
                _text(mail, "plain"),
                str(mail["Subject"]),
                {str(one.get_filename()): one.get_payload(decode=True) for one in mail.iter_attachments()},  # type: ignore[misc]
                {name: str(value) for name, value in mail.items()},
            )
            for recipients, mail in self.kept
        ]


def _text(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _knows(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=isinstance(data, LoginPassword) and data.password == b"p@ss/word", handled=False)


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def port(postbox: Postbox) -> Iterator[int]:
    controller = Controller(
        postbox, "127.0.0.1", _free_port(), authenticator=_knows, auth_require_tls=False, enable_SMTPUTF8=True
    )
    controller.start()
    yield controller.port
    controller.stop()


def by(url: str) -> Email:
    return Email(context("notifications_email", settings=Settings(smtp_url=SecretStr(url), sender="Acme <hello@acme.example>")))


class TestMailBySmtp(NotificationContract):
    @pytest.fixture
    def provider(self, port: int) -> NotificationProvider:
        return by(f"smtp://127.0.0.1:{port}")

    @pytest.fixture
    def received(self, postbox: Postbox) -> Callable[[], Sequence[Received]]:
        return postbox.received

    def test_the_message_id_is_ours_in_every_retry(self, provider: NotificationProvider, postbox: Postbox) -> None:
        message = self.message()
        for _ in range(2):
            provider.deliver(message, Channel.MAIL)
        assert {mail["Message-ID"] for _, mail in postbox.kept} == {f"<{message.id}@acme.example>"}

    def test_it_has_a_page_beside_the_text_and_says_that_nobody_wrote_it(
        self, provider: NotificationProvider, postbox: Postbox
    ) -> None:
        provider.deliver(self.message(), Channel.MAIL)
        ((_, mail),) = postbox.kept
        assert "<p>See you on Monday.</p>" in _text(mail, "html")
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["From"] == "Acme <hello@acme.example>"

    def test_an_invitation_keeps_its_method(self, provider: NotificationProvider, postbox: Postbox) -> None:
        provider.deliver(self.message(), Channel.MAIL)
        ((_, mail),) = postbox.kept
        (ics,) = mail.iter_attachments()
        assert ics.get_content_type() == "text/calendar"
        assert ics.get_param("method") == "REQUEST"

    def test_it_signs_in_where_there_is_a_password(self, port: int, postbox: Postbox) -> None:
        by(f"smtp://acme:p%40ss%2Fword@127.0.0.1:{port}").deliver(self.message(), Channel.MAIL)
        assert len(postbox.kept) == 1

    def test_a_wrong_password_names_the_setting_to_mend(self, port: int) -> None:
        with pytest.raises(Misconfigured) as error:
            by(f"smtp://acme:wrong@127.0.0.1:{port}").deliver(self.message(), Channel.MAIL)
        assert error.value.field == "smtp_url" and "wrong" not in str(error.value)

    @pytest.mark.parametrize(
        ("answer", "error"),
        [("550 no such user", Declined), ("553 odd name", Declined), ("450 greylisted", Retryable), ("452 full", Retryable)],
    )
    def test_a_refused_recipient_is_declined_for_good_or_for_now(
        self, provider: NotificationProvider, postbox: Postbox, answer: str, error: type[ProviderError]
    ) -> None:
        postbox.on_recipient = answer
        with pytest.raises(error) as refusal:
            provider.deliver(self.message(), Channel.MAIL)
        assert not isinstance(refusal.value, Declined) or refusal.value.reason == "bad_address"
        assert not isinstance(refusal.value, Unavailable), "the server answers"

    @pytest.mark.parametrize(("answer", "error"), [("554 looks like spam", Declined), ("451 try later", Retryable)])
    def test_a_refused_mail_is_declined_for_good_or_for_now(
        self, provider: NotificationProvider, postbox: Postbox, answer: str, error: type[ProviderError]
    ) -> None:
        postbox.on_data = answer
        with pytest.raises(error):
            provider.deliver(self.message(), Channel.MAIL)

    def test_a_server_that_does_not_relay_says_nothing_about_the_address(
        self, provider: NotificationProvider, postbox: Postbox
    ) -> None:
        postbox.on_recipient = "554 5.7.1 Relay access denied"
        with pytest.raises(Declined) as refusal:
            provider.deliver(self.message(), Channel.MAIL)
        assert refusal.value.reason == "rejected"

    def test_a_server_that_is_not_there_is_unavailable(self) -> None:
        with pytest.raises(Unavailable):
            by(f"smtp://127.0.0.1:{_free_port()}").deliver(self.message(), Channel.MAIL)

    @pytest.mark.parametrize(
        "wrong", ["", "bo", "bo@", "@acme.example", "bo@acme.example\r\nRCPT TO:<eve@evil.example>", "a b@c.d"]
    )
    def test_what_is_no_address_is_declined_and_nothing_is_sent(
        self, provider: NotificationProvider, postbox: Postbox, wrong: str
    ) -> None:
        with pytest.raises(Declined) as refusal:
            provider.deliver(replace(self.message(), to_address=wrong), Channel.MAIL)
        assert refusal.value.reason == "bad_address"
        assert not postbox.kept

    def test_a_domain_in_another_script_is_sent_in_ascii(self, provider: NotificationProvider, postbox: Postbox) -> None:
        provider.deliver(replace(self.message(), to_address="bo@bücher.example"), Channel.MAIL)
        assert postbox.kept[0][0] == ["bo@xn--bcher-kva.example"]


class TestOutbox(NotificationContract):
    @pytest.fixture
    def own(self, app: flask.Flask, tenant: TenantConfig) -> ProviderContext:
        return context("notifications_email", settings=Settings(), tenant_id=tenant.id)

    @pytest.fixture
    def provider(self, own: ProviderContext) -> NotificationProvider:
        return Email(own)

    @pytest.fixture
    def received(self, own: ProviderContext) -> Callable[[], Sequence[Received]]:
        def read() -> list[Received]:
            kept = [one.message for one in outbox(own.tenant_id)]
            return [
                Received(one.to_address, one.text, one.subject, {a.filename: a.content for a in one.attachments}, one.headers)
                for one in kept
            ]

        return read

    def test_the_same_message_is_kept_once(
        self, provider: NotificationProvider, received: Callable[[], Sequence[Received]]
    ) -> None:
        message = self.message()
        for _ in range(3):
            provider.deliver(message, Channel.MAIL)
        assert len(received()) == 1

    def test_a_message_comes_back_as_it_was(self, provider: NotificationProvider, own: ProviderContext) -> None:
        message = replace(self.message(), attachments=(Attachment("a.bin", "application/octet-stream", bytes(range(256))),))
        provider.deliver(message, Channel.MAIL)
        for scope in (own.tenant_id, None):
            kept = outbox_message(message.id, scope)
            assert kept is not None and (kept.message, kept.tenant_id) == (message, own.tenant_id)

    def test_another_tenant_sees_nothing_of_it(self, provider: NotificationProvider) -> None:
        message = self.message()
        provider.deliver(message, Channel.MAIL)
        assert outbox_message(message.id, new_id()) is None
        assert outbox(new_id()) == []

    def test_the_newest_come_first_and_no_more_than_asked(self, provider: NotificationProvider, own: ProviderContext) -> None:
        messages = [self.message() for _ in range(3)]
        for message in messages:
            provider.deliver(message, Channel.MAIL)
        assert [one.message.id for one in outbox(own.tenant_id, 2)] == [messages[2].id, messages[1].id]


@pytest.mark.parametrize("url", ["mail.acme.example", "http://mail.acme.example", "smtp://", "smtp://host:port"])
def test_a_url_that_is_no_mail_server_is_refused_in_the_form(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(smtp_url=SecretStr(url))


def test_a_sender_that_is_no_address_is_refused_in_the_form() -> None:
    with pytest.raises(ValidationError):
        Settings(sender="Acme")


def test_a_server_s_password_is_shown_in_no_text() -> None:
    assert "hunter2" not in repr(Server.at("smtps://acme:hunter2@mail.acme.example"))
