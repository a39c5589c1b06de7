"""What every notification provider must hold to: a suite of tests to inherit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from fxo.core.errors import Declined, Misconfigured
from fxo.core.ids import new_id
from fxo.core.notifications.port import Attachment, Channel, Message, NotificationProvider

ICS = Attachment("session.ics", "text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")


@dataclass(frozen=True, slots=True)
class Received:
    """A message as the person has it before them; a channel without subjects or attachments leaves them empty."""

    to_address: str
    text: str
    subject: str = ""
    attachments: Mapping[str, bytes] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class NotificationContract:
    """The tests that each notification provider passes. Inherit, and give `provider` and `received`::

        from fxo.testing import NotificationContract, Received, context

        class TestNotificationsAcme(NotificationContract):
            @pytest.fixture
            def provider(self, acme):
                return AcmeTexts(context("notifications_acme", settings=Settings(url=acme.url)))

            @pytest.fixture
            def received(self, acme):
                return lambda: [Received(sms.to, sms.body) for sms in acme.sent]

    Everything runs against the service's own test mode or a simulator of it; nothing is patched.
    """

    address = "bo@acme.example"
    """Where the tests write to: an address of the provider's first channel."""

    @pytest.fixture
    def provider(self) -> NotificationProvider:
        raise NotImplementedError("give a fixture `provider`")

    @pytest.fixture
    def received(self) -> Callable[[], Sequence[Received]]:
        raise NotImplementedError("give a fixture `received`")

    def message(
        self, subject: str = "Your session is booked", text: str = "See you on Monday.", to_name: str = "Bo Client"
    ) -> Message:
        """A new message with an id of its own."""
        return Message(
            id=f"message-{new_id()}",
            kind="booking_confirmed_client",
            to_name=to_name,
            to_address=self.address,
            subject=subject,
            text=text,
            html=f"<p>{text}</p>",
            attachments=(ICS,),
            headers={"List-Unsubscribe": "<https://acme.example/unsubscribe>"},
        )

    @staticmethod
    def channel(provider: NotificationProvider) -> Channel:
        return min(provider.capabilities.channels)

    def test_it_serves_a_channel(self, provider: NotificationProvider) -> None:
        assert provider.capabilities.channels

    def test_a_message_arrives_and_has_a_reference(
        self, provider: NotificationProvider, received: Callable[[], Sequence[Received]]
    ) -> None:
        assert provider.deliver(self.message(), self.channel(provider)).reference
        (arrived,) = received()
        assert arrived.to_address == self.address
        assert "See you on Monday." in arrived.text

    def test_every_script_arrives_as_it_was_written(
        self, provider: NotificationProvider, received: Callable[[], Sequence[Received]]
    ) -> None:
        text = "Grüße, 明日, שלום, 🎉"
        provider.deliver(self.message(subject=text, text=text, to_name="Zoë Ångström, 李"), self.channel(provider))
        (arrived,) = received()
        assert text in arrived.text
        assert arrived.subject in (text, "")

    def test_the_same_message_again_is_taken_again(self, provider: NotificationProvider) -> None:
        message = self.message()
        first, again = (provider.deliver(message, self.channel(provider)) for _ in range(2))
        assert first == again

    def test_two_messages_are_two_deliveries(
        self, provider: NotificationProvider, received: Callable[[], Sequence[Received]]
    ) -> None:
        first, second = (provider.deliver(self.message(), self.channel(provider)) for _ in range(2))
        assert first.reference != second.reference
        assert len(received()) == 2

    def test_a_line_break_in_a_name_or_subject_adds_no_header(
        self, provider: NotificationProvider, received: Callable[[], Sequence[Received]]
    ) -> None:
        message = self.message(subject="Booked\r\nBcc: eve@evil.example", to_name="Bo\nBcc: eve@evil.example")
        provider.deliver(message, self.channel(provider))
        (arrived,) = received()
        assert arrived.to_address == self.address
        assert "bcc" not in {name.lower() for name in arrived.headers}

    def test_a_mail_has_its_subject_its_headers_and_its_attachments(
        self, provider: NotificationProvider, received: Callable[[], Sequence[Received]]
    ) -> None:
        if Channel.MAIL not in provider.capabilities.channels:
            pytest.skip("this provider brings no mail")
        provider.deliver(self.message(), Channel.MAIL)
        (arrived,) = received()
        assert arrived.subject == "Your session is booked"
        assert arrived.attachments == {ICS.filename: ICS.content}
        assert arrived.headers["List-Unsubscribe"] == "<https://acme.example/unsubscribe>"

    def test_a_channel_that_it_does_not_serve_is_refused(self, provider: NotificationProvider) -> None:
        for channel in set(Channel) - provider.capabilities.channels:
            with pytest.raises(Misconfigured):
                provider.deliver(self.message(), channel)

    def test_a_forged_message_is_declined(self, provider: NotificationProvider) -> None:
        with pytest.raises(Declined) as refusal:
            provider.read_webhook({"X-Forged": "yes"}, b"{}")
        assert refusal.value.reason == "bad_signature"
