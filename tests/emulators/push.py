"""A push service of browsers (RFC 8030) and the browsers behind it, which can read what was encrypted for them (RFC 8291)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import http_ece
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from fxo.core.clock import system_now
from fxo.plugins.notifications_webpush.provider import unwrapped, wrapped
from tests.emulators.service import Answer, Request, Service, check


@dataclass
class Browser:
    """One browser with its keys, and the notifications that it has shown."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey
    auth: bytes
    server_key: str
    """The key that it was subscribed with."""
    shown: list[dict[str, Any]]
    alive: bool = True

    @property
    def json(self) -> str:
        """`PushSubscription.toJSON()`."""
        public = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return orjson.dumps({"endpoint": self.endpoint, "keys": {"p256dh": wrapped(public), "auth": wrapped(self.auth)}}).decode()


class Push(Service):
    """A push service; a subscription that has ended is 410, one that never was 404."""

    def __init__(self) -> None:
        super().__init__()
        self.browsers: dict[str, Browser] = {}

    def subscribe(self, server_key: str) -> Browser:
        path = f"/push/{len(self.browsers) + 1}"
        made = Browser(self.url + path, ec.generate_private_key(ec.SECP256R1()), bytes(range(16)), server_key, [])
        self.browsers[path] = made
        return made

    @property
    def host(self) -> str:
        """As it stands in the list of push services."""
        return self.url.removeprefix("http://")

    def answer(self, request: Request) -> Answer:
        check(request.method == "POST", Answer(405))
        check(request.path in self.browsers, Answer(404))
        browser, headers = self.browsers[request.path], request.headers
        check(browser.alive, Answer(410))
        check(re.fullmatch(r"\d+", headers.get("ttl", "")), Answer(400))
        check(headers.get("content-encoding") == "aes128gcm", Answer(415))
        check(headers.get("urgency", "normal") in {"very-low", "low", "normal", "high"}, Answer(400))
        check(re.fullmatch(r"[A-Za-z0-9_-]{1,32}", headers.get("topic", "x")), Answer(400))
        check(len(request.body) <= 4096, Answer(413))
        found = re.fullmatch(r"vapid t=([\w.-]+), k=([\w-]+)", headers.get("authorization", ""))
        check(found, Answer(401))
        assert found is not None
        check(found[2] == browser.server_key, Answer(403))
        check(self._signed(found[1], found[2]), Answer(403))
        said = http_ece.decrypt(request.body, private_key=browser.key, auth_secret=browser.auth, version="aes128gcm")
        browser.shown.append(orjson.loads(said))
        return Answer(201, headers={"Location": f"{self.url}/message/1"})

    def _signed(self, token: str, key: str) -> bool:
        point = unwrapped(key)
        public = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": wrapped(point[1:33]), "y": wrapped(point[33:])})
        claims = jwt.decode(token, public, algorithms=["ES256"]).claims
        lives = claims["exp"] - system_now().timestamp()
        return claims["aud"] == self.url and 0 < lives <= 86_400 and claims["sub"].startswith(("mailto:", "https://"))
