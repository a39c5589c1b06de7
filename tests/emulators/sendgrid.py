"""SendGrid's v3 mail/send and its signed event webhook, after https://www.twilio.com/docs/sendgrid/api-reference/mail-send."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fxo.core.clock import system_now
from tests.emulators.service import Answer, Refused, Request, Service, check

KEY = "SG.key-of-the-tests"
_TOP = {"personalizations", "from", "subject", "content", "headers", "tracking_settings", "attachments", "reply_to", "categories"}
_RESERVED = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding", "to", "from", "subject",
    "reply-to", "cc", "bcc",
}  # fmt: skip
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+")


@dataclass(frozen=True)
class Sent:
    """A mail that SendGrid has taken."""

    message_id: str
    body: Mapping[str, Any]

    @property
    def to(self) -> str:
        return str(self.body["personalizations"][0]["to"][0]["email"])


class SendGrid(Service):
    """One account with one verified sender and one key, which may send and nothing else."""

    def __init__(self, sender: str = "hello@acme.example") -> None:
        super().__init__()
        self.sent: list[Sent] = []
        self.sender = sender
        self.suppressed: dict[str, str] = {}
        """Address to why mails to it are dropped: `Bounced Address`, `Spam Reporting Address`."""
        self._signing = ec.generate_private_key(ec.SECP256R1())

    @property
    def verification_key(self) -> str:
        """As its settings page shows it."""
        public = self._signing.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(public).decode()

    def answer(self, request: Request) -> Answer:
        check((request.method, request.path) == ("POST", "/v3/mail/send"), Answer(404))
        check(request.headers.get("authorization") == f"Bearer {KEY}", _errors(401, None, "authorization required"))
        check(request.headers.get("content-type", "").startswith("application/json"), Answer(415))
        body = orjson.loads(request.body)
        for field, sentence in _wrong(body):
            raise Refused(_errors(400, field, sentence))
        check(body["from"]["email"] == self.sender, _errors(403, "from", "not a verified Sender Identity"))
        self.sent.append(Sent(f"sg-{len(self.sent) + 1}", body))
        return Answer(202, headers={"X-Message-Id": self.sent[-1].message_id})

    def event(self, sent: Sent, event: str, **values: Any) -> dict[str, Any]:
        """What the webhook says of this mail."""
        return {
            "email": sent.to,
            "timestamp": int(system_now().timestamp()),
            "smtp-id": sent.body["headers"]["Message-ID"],
            "event": event,
            "sg_event_id": f"{event}-{sent.message_id}",
            "sg_message_id": f"{sent.message_id}.filter0001",
            **sent.body["personalizations"][0].get("custom_args", {}),
            **values,
        }

    def signed(self, *events: dict[str, Any], age: float = 0) -> tuple[dict[str, str], bytes]:
        """Headers and body of one call of the event webhook."""
        body = orjson.dumps(list(events))
        moment = str(int(system_now().timestamp() - age))
        signature = self._signing.sign(moment.encode() + body, ec.ECDSA(SHA256()))
        return {
            "Content-Type": "application/json",
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": moment,
        }, body


def _wrong(body: Any) -> Iterator[tuple[str, str]]:
    """The field and sentence of what breaks the reference."""
    for name in set(body) - _TOP:
        yield name, "unknown"
    people = body.get("personalizations") or []
    if len(people) != 1 or set(people[0]) - {"to", "custom_args"}:
        yield "personalizations", "exactly one here"
    for who in people[0].get("to") or [{}]:
        if set(who) - {"email", "name"} or not _ADDRESS.fullmatch(who.get("email", "")):
            yield "personalizations.0.to.0.email", "Does not contain a valid address."
    if any(not isinstance(value, str) for value in people[0].get("custom_args", {}).values()):
        yield "personalizations.0.custom_args", "strings only"
    if not _ADDRESS.fullmatch(body.get("from", {}).get("email", "")):
        yield "from.email", "The from email does not contain a valid address."
    if not body.get("subject"):
        yield "subject", "The subject is required."
    types = [each.get("type") for each in body.get("content", [])]
    if not types or types != sorted(types, reverse=True) or any(not each.get("value") for each in body["content"]):
        yield "content", "text/plain first, then text/html, each with at least one character"
    for each in body.get("attachments", []):
        if set(each) - {"content", "type", "filename", "disposition", "content_id"}:
            yield "attachments", "unknown"
        if any(character in each.get("type", "") for character in ";\r\n"):
            yield "attachments.0.type", "cannot contain ';', or CRLF characters"
        base64.b64decode(each["content"], validate=True)
    for name, value in body.get("headers", {}).items():
        if name.lower() in _RESERVED or not isinstance(value, str) or "\n" in value or not value.isascii():
            yield f"headers.{name}", "reserved, or no header"


def _errors(status: int, field: str | None, sentence: str) -> Answer:
    return Answer.json({"errors": [{"message": sentence, "field": field, "help": None}]}, status)
