"""SendGrid: one call to send (v3 mail/send), and the signed event webhook that tells what became of it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from email.headerregistry import Address
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from fxo.core.errors import Declined, Misconfigured, Unavailable
from fxo.core.notifications.port import Attachment, Message, Report
from fxo.core.plugins import ProviderContext

from .composing import address, one_line, sender

SIGNATURE, TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"
OURS = "fxo_message"
"""The custom argument in which a message's id comes back with every event."""
OLDEST = 25 * 3600.0
"""Seconds; SendGrid repeats what was not taken for 24 hours."""

_DROPPED = {
    "bounced address": "bounced",
    "invalid": "bounced",
    "spam reporting address": "complained",
    "unsubscribed address": "unsubscribed",
}
"""What a `dropped` event's reason says about the address; any other says nothing about it."""


class SendGrid:
    """`Carrier` by https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send.

    SendGrid knows no idempotency key: a call whose answer was lost is made again, with the same Message-ID.
    """

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self._key = context.secret("sendgrid_key")

    def send(self, message: Message) -> None:
        answer = self._context.ask(
            "POST",
            f"{self._context.settings.sendgrid_url}/v3/mail/send",
            json=written(message, self._context.settings.sender),
            headers={"Authorization": f"Bearer {self._key}"},
        )
        match answer.status_code:
            case 202:
                return
            case 401:
                raise Misconfigured("SendGrid does not know this key", field="sendgrid_key")
            case 403:
                raise Misconfigured("SendGrid has not verified this sender, or the key may not send", field="sender")
            case 413:
                raise Declined("too_large")
        if answer.status_code < 400:
            raise Unavailable("somebody answers in SendGrid's place, and has not taken the mail")
        fields = _wrong_fields(answer.content)
        if any(field.startswith("personalizations") for field in fields):
            raise Declined("bad_address")
        if any(field.startswith("from") for field in fields):
            raise Misconfigured("SendGrid refuses our sender", field="sender")
        raise Declined("rejected")

    def reports(self, headers: Mapping[str, str], body: bytes) -> Sequence[Report]:
        self._verify(headers, body)
        try:
            return list(_read(orjson.loads(body)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Declined("bad_report") from error

    def _verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """ECDSA over timestamp and body (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/
        getting-started-event-webhook-security-features).
        """
        moment = headers.get(TIMESTAMP, "")
        try:
            key = load_der_public_key(base64.b64decode(self._context.settings.sendgrid_verification_key, validate=True))
            signature = base64.b64decode(headers.get(SIGNATURE, ""), validate=True)
            if not isinstance(key, ec.EllipticCurvePublicKey):
                raise ValueError("a key of another kind")
            key.verify(signature, moment.encode() + body, ec.ECDSA(SHA256()))
            age = self._context.system_clock().timestamp() - int(moment)
        except (InvalidSignature, ValueError, binascii.Error):
            raise Declined("bad_signature") from None
        if abs(age) > OLDEST:
            raise Declined("bad_signature")


def written(message: Message, setting: str) -> dict[str, Any]:
    """The body of the call. An attachment's type goes without its parameters, which SendGrid refuses."""
    own = sender(setting, message)
    reader = address(message.to_name, message.to_address)
    headers = {"Auto-Submitted": "auto-generated", "Message-ID": f"<{message.id}@{own.domain}>"}
    headers |= {name: one_line(value) for name, value in message.headers.items()}
    content = [{"type": "text/plain", "value": message.text}]
    if message.html:
        content.append({"type": "text/html", "value": message.html})
    body = {
        "personalizations": [{"to": [_person(reader)], "custom_args": {OURS: message.id}}],
        "from": _person(own),
        "subject": one_line(message.subject),
        "content": content,
        "headers": headers,
        "tracking_settings": {"click_tracking": {"enable": False}, "open_tracking": {"enable": False}},
    }
    return body | ({"attachments": [_attached(each) for each in message.attachments]} if message.attachments else {})


def _person(who: Address) -> dict[str, str]:
    return {"email": who.addr_spec} | ({"name": who.display_name} if who.display_name else {})


def _attached(attachment: Attachment) -> dict[str, str]:
    return {
        "content": base64.b64encode(attachment.content).decode(),
        "type": attachment.content_type.partition(";")[0],
        "filename": attachment.filename,
        "disposition": "attachment",
    }


def _wrong_fields(body: bytes) -> list[str]:
    """The fields that SendGrid complains of; its sentences may quote an address and are not kept."""
    try:
        return [str(each.get("field") or "") for each in orjson.loads(body)["errors"]]
    except (ValueError, TypeError, KeyError, AttributeError):
        return []


def _read(events: Any) -> Iterator[Report]:
    for event in events:
        what = _meaning(event)
        if what:
            yield Report(str(event.get(OURS, "")), what, str(event.get("email", "")), id=str(event.get("sg_event_id", "")))


def _meaning(event: Mapping[str, Any]) -> str:
    match event["event"]:
        case "delivered":
            return "delivered"
        case "bounce":
            return "failed" if event.get("type") == "blocked" else "bounced"
        case "dropped":
            return _DROPPED.get(str(event.get("reason", "")).lower(), "failed")
        case "spamreport":
            return "complained"
        case "unsubscribe" | "group_unsubscribe":
            return "unsubscribed"
    return ""
