"""Amazon SES (API v2, SendEmail) and the SNS topic of its events, after https://docs.aws.amazon.com/ses/latest/APIReference-V2/."""

from __future__ import annotations

import base64
import email
import email.policy
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from hashlib import sha256
from typing import Any

import orjson
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from fxo.core.clock import system_now
from tests.emulators.service import Answer, Request, Service, check

KEY_ID, SECRET, REGION = "AKIATESTS", "secret/of+the+tests", "eu-west-1"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:mail"
CONFIGURATION_SET = "fxo"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/(\d{8})/([a-z0-9-]+)/ses/aws4_request, SignedHeaders=([a-z0-9;-]+),"
    r" Signature=([0-9a-f]{64})"
)
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+")


@dataclass(frozen=True)
class Sent:
    """A mail that SES has taken: who gets it, the mail, and the tags that come back with its events."""

    message_id: str
    to: str
    mail: EmailMessage
    tags: Mapping[str, str]


class Amazon(Service):
    """One account that has verified one sender; its topic is signed with a certificate of this run."""

    def __init__(self, sender: str = "hello@acme.example") -> None:
        super().__init__()
        self.sent: list[Sent] = []
        self.confirmed: list[str] = []
        self.sender = sender
        self._signing = rsa.generate_private_key(65537, 2048)
        self.pem = _certificate(self._signing)

    def answer(self, request: Request) -> Answer:
        match request.method, request.path:
            case "POST", "/v2/email/outbound-emails":
                return self._send(request)
            case "GET", "/SimpleNotificationService.pem":
                return Answer(200, self.pem)
            case "GET", "/":
                check(request.query.get("Action") == "ConfirmSubscription", Answer(400))
                self.confirmed.append(request.query["Token"])
                return Answer(200, b"<ConfirmSubscriptionResponse/>")
        return Answer(404)

    def _send(self, request: Request) -> Answer:
        _check_signature(request)
        wanted = orjson.loads(request.body)
        unknown = set(wanted) - {"FromEmailAddress", "Destination", "Content", "EmailTags", "ConfigurationSetName"}
        check(not unknown and set(wanted["Content"]) == {"Raw"}, _error(400, "BadRequestException", f"unknown {unknown}"))
        known = wanted.get("ConfigurationSetName", CONFIGURATION_SET) == CONFIGURATION_SET
        check(known, _error(404, "NotFoundException", "Configuration set does not exist."))
        [to] = wanted["Destination"]["ToAddresses"]
        check(_ADDRESS.fullmatch(to) and to.isascii(), _error(400, "BadRequestException", f"Illegal address {to}"))
        verified = f"<{self.sender}>" in wanted["FromEmailAddress"] or wanted["FromEmailAddress"] == self.sender
        check(verified, _error(400, "MessageRejected", "Email address is not verified."))
        tags = {each["Name"]: each["Value"] for each in wanted.get("EmailTags", [])}
        fits = all(re.fullmatch(r"[A-Za-z0-9_.@-]{1,256}", part) for pair in tags.items() for part in pair)
        check(fits, _error(400, "BadRequestException", "a tag holds what it may not"))
        mail = email.message_from_bytes(base64.b64decode(wanted["Content"]["Raw"]["Data"]), policy=email.policy.default)
        self.sent.append(Sent(f"0100-{len(self.sent) + 1}", to, mail, tags))
        return Answer.json({"MessageId": self.sent[-1].message_id})

    def event(self, sent: Sent, kind: str, **values: Any) -> str:
        """What SES publishes of this mail: `Delivery`, `Bounce` (with `bounceType`), `Complaint`."""
        people = [{"emailAddress": sent.to}]
        details: dict[str, Any] = {
            "Delivery": {"recipients": [sent.to], "smtpResponse": "250 OK"},
            "Bounce": {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": people},
            "Complaint": {"complainedRecipients": people, "complaintFeedbackType": "abuse"},
        }[kind]
        mail = {"messageId": sent.message_id, "destination": [sent.to], "tags": {k: [v] for k, v in sent.tags.items()}}
        return orjson.dumps({"eventType": kind, kind.lower(): details | values, "mail": mail}).decode()

    def posted(self, message: str, *, version: str = "2", topic: str = TOPIC, **values: str) -> bytes:
        """The body that SNS posts for this message, signed."""
        said = {
            "Type": "Notification", "MessageId": f"sns-{len(self.requests)}", "TopicArn": topic, "Message": message,
            "Timestamp": "2026-11-27T12:00:00.000Z", "SignatureVersion": version,
            "SigningCertURL": f"{self.url}/SimpleNotificationService.pem", **values,
        }  # fmt: skip
        names = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
        text = "".join(f"{name}\n{said[name]}\n" for name in names if name in said)
        signature = self._signing.sign(text.encode(), padding.PKCS1v15(), {"1": SHA1, "2": SHA256}[version]())
        return orjson.dumps({"Signature": base64.b64encode(signature).decode(), **said})

    def asked(self) -> bytes:
        """The question at the beginning of a subscription."""
        url = f"{self.url}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=token-1"
        return self.posted("You have chosen to subscribe.", Type="SubscriptionConfirmation", SubscribeURL=url, Token="token-1")


def _check_signature(request: Request) -> None:
    """Signature Version 4, worked out from what arrived."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    check(found, _error(403, "MissingAuthenticationTokenException", "no signature"))
    assert found is not None
    key_id, day, region, names, signature = found.groups()
    check(key_id == KEY_ID, _error(403, "UnrecognizedClientException", "The security token included is invalid."))
    moment = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    check(abs(system_now() - moment) < timedelta(minutes=5), _error(403, "RequestExpired", "too old"))
    signed = {*names.split(";")}
    check({"host", "x-amz-date", "content-type"} <= signed, _error(403, "InvalidSignatureException", "unsigned header"))
    lines = [request.method, request.path, ""] + [f"{name}:{request.headers[name]}" for name in names.split(";")]
    canonical = "\n".join([*lines, "", names, sha256(request.body).hexdigest()])
    scope = f"{day}/{region}/ses/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, sha256(canonical.encode()).hexdigest()])
    key = b"AWS4" + SECRET.encode()
    for part in (day, REGION, "ses", "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    expected = hmac.new(key, to_sign.encode(), sha256).hexdigest()
    check(hmac.compare_digest(expected, signature), _error(403, "InvalidSignatureException", "does not match"))


def _error(status: int, kind: str, sentence: str) -> Answer:
    return Answer.json({"message": sentence}, status, **{"x-amzn-ErrorType": f"{kind}:http://internal.amazon.com/"})


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = system_now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.PEM)
