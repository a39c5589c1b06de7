"""Twilio's signature of what it sends (https://www.twilio.com/docs/usage/security#validating-requests)."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence

Parameters = Sequence[tuple[str, str]]


def signature(token: str, url: str, parameters: Parameters) -> str:
    """Base64 of the HMAC-SHA1 over the address and the sorted parameters of the form, each name before its value."""
    said = url + "".join(f"{name}{value}" for name, value in sorted(set(parameters)))
    return base64.b64encode(hmac.digest(token.encode(), said.encode(), "sha1")).decode()


def is_genuine(token: str, url: str, parameters: Parameters, given: str) -> bool:
    return hmac.compare_digest(signature(token, url, parameters).encode(), given.encode())
