"""The mail provider: composes one message and hands it to a mail server or to the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field, SecretStr, field_validator

from fxo.core.errors import Declined, Misconfigured
from fxo.core.notifications.port import Channel, Delivery, Message, NotificationCapabilities, Report
from fxo.core.plugins import ProviderContext

from .composing import compose, named_address
from .outbox import keep
from .smtp import Server


class Settings(BaseModel):
    """Where mail goes out, and in whose name."""

    smtp_url: SecretStr = Field(
        default=SecretStr(""),
        title="Mail server",
        description="smtp://user:password@host:587 or smtps://...; empty: the outbox page",
    )
    sender: str = Field(
        default="fxo <no-reply@localhost>", title="Sender", description="The name and address that mails come from"
    )

    @field_validator("smtp_url")
    @classmethod
    def _a_server(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            Server.at(value.get_secret_value())
        return value

    @field_validator("sender")
    @classmethod
    def _an_address(cls, value: str) -> str:
        named_address(value)
        return value


class Email:
    """`NotificationProvider` for mail. It hears nothing back: bounces arrive in the sender's mailbox."""

    capabilities = NotificationCapabilities(frozenset({Channel.MAIL}))

    def __init__(self, context: ProviderContext) -> None:
        url = context.settings.smtp_url.get_secret_value()
        self._context = context
        self._server = Server.at(url) if url else None

    def deliver(self, message: Message, channel: Channel) -> Delivery:
        if channel not in self.capabilities.channels:
            raise Misconfigured(f"mail is no way to reach {channel}")
        try:
            mail = compose(message, self._context.settings.sender, self._context.system_clock())
        except ValueError:
            raise Declined("bad_address") from None
        if self._server is None:
            keep(message, self._context.tenant_id, self._context.clock())
        else:
            self._server.send(mail, timeout=self._context.seconds / 2)
        return Delivery(message.id)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[Report]:
        raise Declined("bad_signature")
