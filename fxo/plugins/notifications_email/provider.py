"""The mail provider: composes one message and hands it to a mail server, SendGrid, Amazon SES, or the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from fxo.core.errors import Declined, Misconfigured
from fxo.core.notifications.port import Channel, Delivery, Message, NotificationCapabilities, Report
from fxo.core.plugins import ProviderContext

from .composing import compose, named_address
from .outbox import keep
from .sendgrid import SendGrid
from .ses import Ses
from .sigv4 import Key
from .smtp import Server


class Settings(BaseModel):
    """Where mail goes out, and in whose name."""

    sender: str = Field(
        default="fxo <no-reply@localhost>", title="Sender", description="The name and address that mails come from"
    )
    service: Literal["smtp", "sendgrid", "ses"] = Field(title="Service", default="smtp", description="Who carries the mail")
    smtp_url: SecretStr = Field(
        default=SecretStr(""),
        title="Mail server",
        description="smtp://user:password@host:587 or smtps://...; empty: the outbox page",
    )
    sendgrid_key: SecretStr = Field(
        title="SendGrid key", default=SecretStr(""), description="SendGrid: an API key that may only send mail"
    )
    sendgrid_verification_key: str = Field(
        title="SendGrid verification key", default="", description="SendGrid: the verification key of the signed event webhook"
    )
    sendgrid_url: str = Field(
        title="Address of SendGrid",
        default="https://api.sendgrid.com",
        description="SendGrid: https://api.eu.sendgrid.com in the EU",
    )
    ses_region: str = Field(title="SES region", default="", description="Amazon SES: the region, such as eu-west-1")
    ses_key_id: str = Field(
        title="SES key ID",
        default="",
        description="Amazon SES: the id of an access key that may ses:SendEmail and ses:SendRawEmail",
    )
    ses_secret: SecretStr = Field(
        title="SES secret", default=SecretStr(""), description="Amazon SES: the secret of that access key"
    )
    ses_configuration_set: str = Field(
        title="SES configuration set", default="", description="Amazon SES: the configuration set whose events go to the topic"
    )
    ses_topic: str = Field(
        title="SES topic", default="", description="Amazon SES: the ARN of the SNS topic that tells of bounces and complaints"
    )
    ses_endpoint: str = Field(
        title="SES address", default="", description="Amazon SES: another address than the region's, such as a VPC endpoint"
    )

    @field_validator("sender")
    @classmethod
    def _an_address(cls, value: str) -> str:
        named_address(value)
        return value

    @field_validator("smtp_url")
    @classmethod
    def _a_server(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            Server.at(value.get_secret_value())
        return value

    @field_validator("sendgrid_url", "ses_endpoint")
    @classmethod
    def _an_origin(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise ValueError("write it as https://host")
        return value.rstrip("/")

    @field_validator("sendgrid_key", "ses_region", "ses_key_id", "ses_secret", mode="after")
    @classmethod
    def _what_the_service_needs(cls, value: SecretStr | str, info: ValidationInfo) -> SecretStr | str:
        given = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not given and str(info.field_name).startswith(f"{info.data.get('service')}_"):
            raise ValueError("this is needed for the chosen service")
        return value

    model_config = {"validate_default": True}


class Carrier(Protocol):
    """Who carries mails."""

    def send(self, message: Message) -> None:
        """Hand over the mail. Fails as `NotificationProvider.deliver` does; ValueError where an address is none."""
        ...

    def reports(self, headers: Mapping[str, str], body: bytes) -> Sequence[Report]:
        """What the carrier tells of earlier mails, verified."""
        ...


class Email:
    """`NotificationProvider` for mail. By SMTP it hears nothing back: bounces arrive in the sender's mailbox."""

    capabilities = NotificationCapabilities(frozenset({Channel.MAIL}))

    def __init__(self, context: ProviderContext) -> None:
        self._carrier = _carrier(context)

    def deliver(self, message: Message, channel: Channel) -> Delivery:
        if channel not in self.capabilities.channels:
            raise Misconfigured(f"mail is no way to reach {channel}")
        try:
            self._carrier.send(message)
        except ValueError:
            raise Declined("bad_address") from None
        return Delivery(message.id)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[Report]:
        return self._carrier.reports({name.lower(): value for name, value in headers.items()}, body)


def _carrier(context: ProviderContext) -> Carrier:
    settings = context.settings
    match settings.service:
        case "sendgrid":
            return SendGrid(context)
        case "ses":
            return Ses(context, Key(settings.ses_key_id, context.secret("ses_secret"), settings.ses_region))
    url = settings.smtp_url.get_secret_value()
    return _Post(context, Server.at(url)) if url else _Outbox(context)


class _Silent:
    """A carrier that tells nothing later."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context

    def reports(self, headers: Mapping[str, str], body: bytes) -> Sequence[Report]:
        raise Declined("bad_signature")


class _Post(_Silent):
    def __init__(self, context: ProviderContext, server: Server) -> None:
        super().__init__(context)
        self._server = server

    def send(self, message: Message) -> None:
        mail = compose(message, self._context.settings.sender, self._context.system_clock())
        self._server.send(mail, timeout=self._context.seconds / 2)


class _Outbox(_Silent):
    def send(self, message: Message) -> None:
        compose(message, self._context.settings.sender, self._context.system_clock())
        keep(message, self._context.tenant_id, self._context.clock())
