"""Amazon SES: one call to send (API v2), and what SNS tells of bounces and complaints."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from fxo.core.errors import Declined, Misconfigured, Retryable
from fxo.core.notifications.port import Message, Report
from fxo.core.plugins import ProviderContext

from .composing import compose
from .sigv4 import Key, signed
from .sns import Topic

OURS = "fxo-message"
"""The tag in which a message's id comes back with every event."""

_SETTINGS = {
    "MailFromDomainNotVerifiedException": ("Amazon SES has not verified this sender", "sender"),
    "NotFoundException": ("Amazon SES knows no such configuration set", "ses_configuration_set"),
    "AccountSuspendedException": ("Amazon SES has closed this account", "ses_key_id"),
    "SendingPausedException": ("Amazon SES has paused sending for this account", "ses_key_id"),
    "AccessDeniedException": ("this key may not send mail", "ses_key_id"),
    "SignatureDoesNotMatch": ("Amazon does not know this key and secret", "ses_secret"),
    "InvalidSignatureException": ("Amazon does not know this key and secret", "ses_secret"),
    "UnrecognizedClientException": ("Amazon does not know this key", "ses_key_id"),
    "InvalidClientTokenId": ("Amazon does not know this key", "ses_key_id"),
}
"""The errors that only other settings mend, each with what is said of it and the field."""


class Ses:
    """`Carrier` by https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html.

    SES knows no idempotency key and gives each mail a Message-ID of its own; our id goes along as a tag.
    """

    def __init__(self, context: ProviderContext, key: Key) -> None:
        settings = context.settings
        self._context = context
        self._key = key
        self._url = (settings.ses_endpoint or f"https://email.{key.region}.amazonaws.com") + "/v2/email/outbound-emails"
        self._topic = Topic(context, settings.ses_topic, settings.ses_endpoint) if settings.ses_topic else None

    def send(self, message: Message) -> None:
        settings, now = self._context.settings, self._context.system_clock()
        mail = compose(message, settings.sender, now)
        wanted: dict[str, Any] = {
            "FromEmailAddress": str(mail["From"].addresses[0]),
            "Destination": {"ToAddresses": [mail["To"].addresses[0].addr_spec]},
            "Content": {"Raw": {"Data": base64.b64encode(mail.as_bytes()).decode()}},
            "EmailTags": [{"Name": OURS, "Value": message.id}],
        }
        if settings.ses_configuration_set:
            wanted["ConfigurationSetName"] = settings.ses_configuration_set
        body = orjson.dumps(wanted)
        headers = signed(self._key, "ses", "POST", self._url, {"Content-Type": "application/json"}, body, now)
        answer = self._context.ask("POST", self._url, content=body, headers=headers)
        if answer.status_code != 200:
            raise _refusal(answer.headers.get("x-amzn-errortype", "").partition(":")[0], answer.content)

    def reports(self, headers: Mapping[str, str], body: bytes) -> Sequence[Report]:
        if self._topic is None:
            raise Declined("bad_signature")
        said = self._topic.read(body)
        try:
            return list(_read(orjson.loads(said))) if said else ()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Declined("bad_report") from error


def _refusal(kind: str, body: bytes) -> Exception:
    """What the answer means; its sentence may quote an address and is not kept."""
    text = body.decode(errors="replace").lower()
    if kind in _SETTINGS:
        sentence, field = _SETTINGS[kind]
        return Misconfigured(sentence, field=field)
    if kind == "LimitExceededException":
        return Retryable("Amazon SES takes no more mail for now", after=60)
    if kind == "MessageRejected":
        return Misconfigured("Amazon SES has not verified this sender", field="sender") if "not verified" in text else _rejected()
    if kind == "BadRequestException" and "address" in text:
        return Declined("bad_address")
    return _rejected()


def _rejected() -> Declined:
    return Declined("rejected")


def _read(event: Any) -> Iterator[Report]:
    """https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html"""
    ours = event["mail"].get("tags", {}).get(OURS, [""])[0]
    match event.get("eventType") or event["notificationType"]:
        case "Delivery":
            yield from (Report(ours, "delivered", each) for each in event["delivery"]["recipients"])
        case "Bounce":
            what = "bounced" if event["bounce"]["bounceType"] == "Permanent" else "failed"
            yield from (Report(ours, what, each["emailAddress"]) for each in event["bounce"]["bouncedRecipients"])
        case "Complaint":
            yield from (Report(ours, "complained", each["emailAddress"]) for each in event["complaint"]["complainedRecipients"])
        case "Reject":
            yield Report(ours, "failed")
