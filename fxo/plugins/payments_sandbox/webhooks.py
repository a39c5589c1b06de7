"""Signed notices: how the network announces a change, and how what arrives is verified. A notice may be lost; then it is."""

from __future__ import annotations

import hashlib
import hmac
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from logging import Logger, LoggerAdapter
from urllib.parse import urlsplit

import orjson

from fxo.core.errors import Declined
from fxo.core.payments.port import Notice
from fxo.plugins.payments_sandbox.attempt import Account, Change

Log = Logger | LoggerAdapter[Logger]
HEADER = "Sandbox-Signature"
"""`t=<unix seconds>,v1=<hex>`, the HMAC-SHA256 of `<t>.<body>` under the tenant's webhook secret."""
LIFETIME = timedelta(minutes=5)
"""How far the signature's time may be from real time, so that an old notice cannot be sent again."""
DELIVERY_SECONDS = 2.0


def sign(secret: str, body: bytes, at: datetime) -> str:
    """The header's value for this body, signed at this real time."""
    moment = int(at.timestamp())
    return f"t={moment},v1={_digest(secret, moment, body)}"


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Raises `Declined('bad_signature')` unless the body was signed with this secret within the lifetime."""
    given = next((value for name, value in headers.items() if name.lower() == HEADER.lower()), "")
    found = re.fullmatch(r"t=(\d{1,12}),v1=([0-9a-f]{64})", given, re.ASCII)
    if found is None:
        raise Declined("bad_signature")
    moment = int(found[1])
    genuine = hmac.compare_digest(found[2], _digest(secret, moment, body))
    if not genuine or abs(now.timestamp() - moment) > LIFETIME.total_seconds():
        raise Declined("bad_signature")


def _digest(secret: str, moment: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


@cache
def _trusted() -> ssl.SSLContext:
    """The machine's certificates, read once."""
    return ssl.create_default_context()


def write(change: Change) -> bytes:
    """The body of a notice: what changed, never what it changed to; the reader asks for the truth."""
    return orjson.dumps(
        {
            "id": change.id,
            "kind": change.kind,
            "reference": change.reference,
            "order_reference": change.order_reference,
            "created": change.at.isoformat(),
        }
    )


def read(body: bytes) -> Notice:
    """The notice in a verified body. Raises `Declined('bad_notice')` where it is none."""
    try:
        said = orjson.loads(body)
        return Notice(
            event_id=str(said["id"]),
            kind=str(said["kind"]),
            reference=str(said["reference"]),
            order_reference=said.get("order_reference"),
            at=datetime.fromisoformat(said["created"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Declined("bad_notice") from error


class Courier:
    """Carries notices to the account's endpoint in threads of its own, two seconds each; failures are only logged."""

    def __init__(self, account: Account, *, system_clock: Callable[[], datetime], log: Log) -> None:
        self.account = account
        self._system_clock = system_clock
        self._log = log
        self._carrying: set[threading.Thread] = set()

    def send(self, change: Change) -> None:
        """Start carrying the notice, where the account has an address and a secret."""
        if self.account.deliver_to and self.account.secret:
            thread = threading.Thread(target=self._carry, args=(change,), name="sandbox notice", daemon=True)
            self._carrying.add(thread)
            thread.start()

    def wait(self) -> None:
        """Return when everything sent so far has arrived or is lost."""
        for thread in tuple(self._carrying):
            thread.join()

    def _carry(self, change: Change) -> None:
        import httpx

        endpoint, body = urlsplit(self.account.endpoint), write(change)
        headers = {
            "Host": endpoint.netloc,
            "Content-Type": "application/json",
            HEADER: sign(self.account.secret, body, self._system_clock()),
        }
        try:
            url = self.account.deliver_to.rstrip("/") + (endpoint.path or "/")
            answer = httpx.post(url, content=body, headers=headers, timeout=DELIVERY_SECONDS, trust_env=False, verify=_trusted())
            answer.raise_for_status()
        except httpx.HTTPError as error:
            self._log.warning("notice %s (%s) was not delivered: %s", change.id, change.kind, type(error).__name__)
        finally:
            self._carrying.discard(threading.current_thread())
