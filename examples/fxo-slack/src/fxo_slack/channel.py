"""One call to Slack (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, SecretStr, field_validator

from fxo.core.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from fxo.core.hookspecs import Booking
    from fxo.core.plugins import ProviderContext

EVENTS = ("booked", "moved", "cancelled", "held", "rated")
SLACK = ("https://hooks.slack.com/services/", "https://hooks.slack-gov.com/services/", "http://127.0.0.1:")


class Settings(BaseModel):
    """The channel, and what it is told."""

    webhook_url: SecretStr = Field(default=SecretStr(""), description="The address of the channel's incoming webhook")
    tell: str = Field(default=" ".join(EVENTS), description=f"What is told: {' '.join(EVENTS)}")

    @field_validator("webhook_url")
    @classmethod
    def _of_slack(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not value.get_secret_value().startswith(SLACK):
            raise ValueError("copy the address from Slack: it begins with https://hooks.slack.com/services/")
        return value

    @field_validator("tell")
    @classmethod
    def _known(cls, value: str) -> str:
        if unknown := set(value.split()) - set(EVENTS):
            raise ValueError(f"{', '.join(sorted(unknown))}: choose from {' '.join(EVENTS)}")
        return value


def tell(context: ProviderContext, booking: Booking, event: str, sentence: str) -> None:
    """Tell the channel, once for the booking, the event and the time; what Slack does not take now is told later.

    Raises `Misconfigured` where the webhook is there no more, `Retryable` and `Unavailable` where Slack cannot take it now.
    """
    settings: Settings = context.settings
    url = settings.webhook_url.get_secret_value()
    once = f"told/{booking.id}/{event}/{booking.starts_at.isoformat()}"
    if not url or event not in settings.tell.split() or context.state.get(once):
        return
    when = f"{booking.starts_at:%A %d %B %Y, %H:%M}–{booking.ends_at:%H:%M} UTC"
    text = f"{sentence}: {when}. <{context.urls.portal}/sessions/{booking.id}|Open it>"
    answer = context.ask("POST", url, json={"text": text})
    if answer.status_code in (403, 404, 410):
        raise Misconfigured("Slack knows this webhook no more, or its channel is archived", field="webhook_url")
    if answer.status_code != 200:
        raise Unavailable(f"Slack says {answer.status_code}")
    context.state.put(once, True)
