"""What Amazon SNS posts: whose it is, that its signature holds, and the one question it asks at the beginning."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from urllib.parse import urlsplit

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from fxo.core.errors import Declined
from fxo.core.plugins import ProviderContext

_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_HASHES = {"1": SHA1, "2": SHA256}
_HOST = re.compile(r"sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")


class Topic:
    """One topic, by its ARN: anybody can make Amazon sign a message of a topic of their own.

    https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html
    """

    def __init__(self, context: ProviderContext, arn: str, endpoint: str) -> None:
        self._context = context
        self._arn = arn
        self._endpoint = endpoint
        self._certificates: dict[str, rsa.RSAPublicKey] = {}

    def read(self, body: bytes) -> str:
        """The message within; empty for the question whether we want to hear, which is answered with yes.

        Raises `Declined('bad_signature')` for what is not this topic's.
        """
        try:
            said: dict[str, Any] = orjson.loads(body)
            kind = said["Type"]
            if said["TopicArn"] != self._arn:
                raise Declined("bad_signature")
            self._verify(said, _NOTIFICATION if kind == "Notification" else _CONFIRMATION)
        except (ValueError, TypeError, KeyError, AttributeError, InvalidSignature, binascii.Error):
            raise Declined("bad_signature") from None
        if kind == "SubscriptionConfirmation":
            self._context.ask("GET", self._of_amazon(said["SubscribeURL"]))
        return str(said["Message"]) if kind == "Notification" else ""

    def _verify(self, said: dict[str, Any], names: tuple[str, ...]) -> None:
        text = "".join(f"{name}\n{said[name]}\n" for name in names if name in said)
        key = self._key(self._of_amazon(said["SigningCertURL"]))
        hash_class = _HASHES[said["SignatureVersion"]]
        key.verify(base64.b64decode(said["Signature"], validate=True), text.encode(), padding.PKCS1v15(), hash_class())

    def _key(self, url: str) -> rsa.RSAPublicKey:
        if url not in self._certificates:
            answer = self._context.ask("GET", url)
            key = x509.load_pem_x509_certificate(answer.content).public_key()
            if not isinstance(key, rsa.RSAPublicKey):
                raise ValueError("a key of another kind")
            self._certificates[url] = key
        return self._certificates[url]

    def _of_amazon(self, url: str) -> str:
        """The address, where it is Amazon's own or that of the endpoint in the settings."""
        parts = urlsplit(url)
        genuine = parts.scheme == "https" and parts.netloc == parts.hostname and _HOST.fullmatch(parts.netloc)
        if not genuine and not (self._endpoint and url.startswith(self._endpoint + "/")):
            raise Declined("bad_signature")
        return url
