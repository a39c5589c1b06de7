"""Notifications of a browser (RFC 8030), encrypted for it alone (RFC 8291) and signed as ours (RFC 8292)."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

import http_ece
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey
from pydantic import BaseModel, Field, SecretStr, field_validator

from fxo.core.errors import Declined, Misconfigured, Unavailable
from fxo.core.notifications.port import Channel, Delivery, Message, NotificationCapabilities, Report
from fxo.core.plugins import ProviderContext

LIVES = 6 * 3600
"""Seconds that a push service keeps it for a browser that is not there."""
SIGNED_FOR = 12 * 3600
ROOM = 3_000
"""Bytes of a notification before it is encrypted; push services take 4,096 after it."""
SERVICES = "fcm.googleapis.com *.push.services.mozilla.com *.push.apple.com *.notify.windows.com"


class Settings(BaseModel):
    """Whose notifications they are, and which push services they may go to."""

    contact: str = Field(
        title="Contact", default="", description="A mail address that push services may write to when something is wrong"
    )
    private_key: SecretStr = Field(
        title="Private key",
        default=SecretStr(""),
        description="Of the pair that signs: 32 bytes as base64url. Another key ends all subscriptions",
    )
    services: str = Field(
        title="Push services", default=SERVICES, description="Hosts of the push services of browsers, separated by spaces"
    )

    @field_validator("private_key")
    @classmethod
    def _a_key(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            private_key(value.get_secret_value())
        return value


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a browser gives us: where to send, and the keys to encrypt with."""

    endpoint: str
    p256dh: bytes
    auth: bytes

    @classmethod
    def read(cls, text: str) -> Subscription:
        """From the JSON of `PushSubscription.toJSON()`; ValueError where it is none."""
        try:
            said = orjson.loads(text)
            endpoint, keys = said["endpoint"], said["keys"]
            p256dh, auth = unwrapped(keys["p256dh"]), unwrapped(keys["auth"])
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError("that is no subscription") from error
        if not isinstance(endpoint, str) or len(auth) != 16:
            raise ValueError("that is no subscription")
        return cls(endpoint, p256dh, auth)


class WebPush:
    """`NotificationProvider` for browsers. It hears nothing back, but a dead subscription is refused when it is used."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self._key = private_key(context.secret("private_key"))
        self._public = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self._capabilities = NotificationCapabilities(frozenset({Channel.PUSH}), push_key=wrapped(self._public))

    @property
    def capabilities(self) -> NotificationCapabilities:
        return self._capabilities

    def deliver(self, message: Message, channel: Channel) -> Delivery:
        if channel not in self.capabilities.channels:
            raise Misconfigured(f"a browser's notification is no way to reach {channel}")
        try:
            to = Subscription.read(message.to_address)
        except ValueError:
            raise Declined("bad_address") from None
        if not self._is_push_service(to.endpoint):
            raise Declined("bad_address")
        body = http_ece.encrypt(
            written(message), salt=os.urandom(16), private_key=ec.generate_private_key(ec.SECP256R1()), dh=to.p256dh,
            auth_secret=to.auth, version="aes128gcm",
        )  # fmt: skip
        headers = {
            "TTL": str(LIVES), "Urgency": "high", "Topic": wrapped(sha256(message.id.encode()).digest()[:24]),
            "Content-Encoding": "aes128gcm", "Content-Type": "application/octet-stream",
            "Authorization": self._signed(to.endpoint),
        }  # fmt: skip
        answer = self._context.ask("POST", to.endpoint, content=body, headers=headers)
        match answer.status_code:
            case 201 | 202:
                return Delivery(message.id)
            case status if status < 400:
                raise Unavailable("somebody answers in the push service's place, and has not taken the notification")
            case 404 | 410:
                raise Declined("gone")
            case 401 | 403:
                raise Declined("gone")  # it was made with another key of ours: only the browser can renew it
            case 413:
                raise Declined("too_large")
        raise Declined("rejected")

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[Report]:
        raise Declined("bad_signature")

    def _is_push_service(self, url: str) -> bool:
        """Whether the address, which a browser has told us, is that of a push service: nobody makes us call another one."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        if parts.username or parts.password:
            return False
        for service in self._context.settings.services.split():
            name, _, own_port = service.partition(":")
            fits = host == name or (name.startswith("*.") and host.endswith(name[1:]))
            if fits and (f"{port or ''}" == own_port) and (parts.scheme == "https" or name == "127.0.0.1"):
                return True
        return False

    def _signed(self, endpoint: str) -> str:
        """The header by which the push service knows us (RFC 8292)."""
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(self._context.system_clock().timestamp()) + SIGNED_FOR,
            "sub": f"mailto:{self._context.settings.contact}" if self._context.settings.contact else self._context.urls.portal,
        }
        numbers = self._key.private_numbers()
        point = numbers.public_numbers
        key = ECKey.import_key(
            {
                "kty": "EC", "crv": "P-256", "d": wrapped(numbers.private_value.to_bytes(32)), "x": wrapped(point.x.to_bytes(32)),
                "y": wrapped(point.y.to_bytes(32)),
            }
        )  # fmt: skip
        return f"vapid t={jwt.encode({'typ': 'JWT', 'alg': 'ES256'}, claims, key)}, k={wrapped(self._public)}"


def written(message: Message) -> bytes:
    """What our service worker reads; a long text is cut."""
    said = {"id": message.id, "title": " ".join(message.subject.split()), "text": message.text, "link": message.link}
    while len(body := orjson.dumps(said)) > ROOM and said["text"]:
        said["text"] = said["text"][: len(said["text"]) * 3 // 4]
    return body


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """The key of 32 bytes in base64url; ValueError where it is none."""
    try:
        return ec.derive_private_key(int.from_bytes(unwrapped(text)), ec.SECP256R1())
    except (ValueError, TypeError) as error:
        raise ValueError("write a private key of the curve P-256: 32 bytes as base64url") from error


def wrapped(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unwrapped(text: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9_\-]+={0,2}", text):
        raise ValueError("not base64url")
    text = text.rstrip("=")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
