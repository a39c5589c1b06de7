"""The notification port over a list in memory: a working start, to be replaced by calls of a gateway."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field, SecretStr

from fxo.core.errors import Declined, Misconfigured
from fxo.core.notifications.port import Channel, Delivery, Message, NotificationCapabilities, Report
from fxo.core.plugins import ProviderContext


class Settings(BaseModel):
    """What a tenant fills in."""

    sender: str = Field(default="fxo", title="Sender", description="In whose name texts are sent.")
    webhook_secret: SecretStr = Field(title="Webhook secret", description="Signs what the gateway reports.")


class AcmeMessages:
    """`NotificationProvider` for texts. What was sent stands in `sent` by the message's id, until the process ends."""

    capabilities = NotificationCapabilities(frozenset({Channel.SMS}))

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self.sent: dict[str, tuple[str, str]] = {}

    def deliver(self, message: Message, channel: Channel) -> Delivery:
        if channel not in self.capabilities.channels:
            raise Misconfigured("this plugin sends texts only")
        self.sent[message.id] = (message.to_address, f"{self._context.settings.sender}: {message.text}")
        return Delivery(message.id)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[Report]:
        signed = hmac.new(self._context.secret("webhook_secret").encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signed.encode(), headers.get("X-Signature", "").encode()):
            raise Declined("bad_signature")
        return [Report(each["reference"], each["what"]) for each in json.loads(body)]
