"""Plays the payment company, in the plugin's own memory. It goes away once the real one is called, or moves into the tests.

One process at a time: two that change the same payment at once are told apart by a real company only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from fxo.core.errors import Declined
from fxo.core.plugins.context import State

HELD_FOR = timedelta(days=7)
FEE = 20
"""What the company keeps of each thousand that is taken; it keeps it at refunds, too."""
REFUSED = {"card_declined": "card_declined"}
"""Tokens that the bank refuses, and why. Of all others, `card_asks` and `card_asks_later` want the client's word."""
TOKENS = ("card_works", "card_asks", "card_asks_later", *REFUSED)

Record = dict[str, Any]
Clock = Callable[[], datetime]


class Company:
    """Payments by our id and by the order's, cards by their token, and what was done by its key: JSON values in `State`."""

    def __init__(self, state: State, clock: Clock, system_clock: Clock, secret: str) -> None:
        self._state = state
        self._clock = clock
        self._system_clock = system_clock
        self._secret = secret
        self._lock = threading.RLock()
        self.sent: deque[tuple[Mapping[str, str], bytes]] = deque(maxlen=100)
        """The newest signed notices, headers and body, as the company would send them."""

    def order(self, order: str, method: str, person: str, amount: int, currency: str, *, wanted: str, present: bool) -> Record:
        """The payment of this order, made at the first call."""
        with self._lock:
            if known := self.by_order(order):
                return known
            card = method if method in TOKENS and present else self._token(method, person)
            made: Record = {
                "reference": _new("pay"), "order": order, "person": person, "customer": f"customer-{person}",
                "token": card, "wanted": wanted, "amount": amount, "currency": currency, "captured": 0, "refunded": 0,
                "card": None, "until": None, "url": None, "reason": None,
            }  # fmt: skip
            self._state.put(f"order/{order}", made["reference"])
            if card in REFUSED:
                return self._keep(made | {"status": "declined", "reason": REFUSED[card]})
            if card == "card_asks_later" and not present:
                return self._keep(made | {"status": "declined", "reason": "authentication_required"})
            if card == "card_asks":
                url = f"https://bank.example/confirm/{made['reference']}"
                return self._keep(made | {"status": "action_required", "url": url})
            return self._keep(made | self._approved(made))

    def confirm(self, url: str) -> None:
        """The client says yes at their bank's page."""
        with self._lock:
            asked = self.payment(url.rpartition("/")[2])
            self._keep(asked | self._approved(asked) | {"url": None})

    def payment(self, reference: str) -> Record:
        """The payment as it is now; `Declined` for a stranger."""
        found: Record | None = self._state.get(f"payment/{reference}")
        if found is None:
            raise Declined("unknown_payment", reference=reference)
        if found["status"] == "authorised" and datetime.fromisoformat(found["until"]) <= self._clock():
            return found | {"status": "expired"}
        return found

    def by_order(self, order: str) -> Record | None:
        reference = self._state.get(f"order/{order}")
        return self.payment(reference) if reference else None

    def change(self, reference: str, **values: Any) -> Record:
        with self._lock:
            return self._keep(self.payment(reference) | values)

    def forget(self, card: str) -> None:
        self._state.delete(f"card/{card}")

    def refund(self, reference: str, amount: int, key: str) -> str:
        """The refund's id; the same one for the same key."""
        with self._lock:
            if known := self._state.get(f"key/{key}"):
                return str(known)
            found = self.payment(reference)
            if found["refunded"] + amount > found["captured"]:
                raise Declined("over_refund", reference=reference)
            self._keep(found | {"refunded": found["refunded"] + amount})
            return self._done(key, "refund")

    def transfer(self, amount: int, key: str) -> str:
        with self._lock:
            made = self._state.get(f"key/{key}") or self._done(key, "transfer")
            if self._state.get(f"transfer/{made}") is None:
                self._state.put(f"transfer/{made}", amount)
            return str(made)

    def reverse(self, transfer: str, amount: int, key: str) -> str:
        with self._lock:
            if known := self._state.get(f"key/{key}"):
                return str(known)
            left = self._state.get(f"transfer/{transfer}") or 0
            if amount > left:
                raise Declined("over_reversal", reference=transfer)
            self._state.put(f"transfer/{transfer}", left - amount)
            return self._done(key, "reversal")

    def changed_since(self, moment: datetime) -> Sequence[str]:
        changes: dict[str, str] = self._state.get("changes") or {}
        return [reference for reference, at in changes.items() if datetime.fromisoformat(at) >= moment]

    def _approved(self, made: Record) -> Record:
        """What a payment becomes when the bank says yes: the card is kept, and the amount held where that was wanted."""
        card = _new("card")
        self._state.put(f"card/{card}", [made["token"], made["person"]])
        until = (self._clock() + HELD_FOR).isoformat() if made["wanted"] == "authorised" else None
        return {"status": made["wanted"], "card": card, "until": until}

    def _token(self, card: str, person: str) -> str:
        """The token behind a card that this person has saved."""
        token, owner = self._state.get(f"card/{card}") or (None, None)
        if token is None or owner != person:
            raise Declined("unknown_card")
        return str(token)

    def _keep(self, payment: Record) -> Record:
        at = self._clock().isoformat()
        self._state.put(f"payment/{payment['reference']}", payment)
        self._state.put("changes", (self._state.get("changes") or {}) | {payment["reference"]: at})
        notice = {
            "id": _new("notice"), "kind": f"payment.{payment['status']}", "at": at, "sent": self._system_clock().isoformat(),
            "reference": payment["reference"], "order": payment["order"],
        }  # fmt: skip
        body = json.dumps(notice).encode()
        self.sent.append(({"X-Signature": _sign(self._secret, body)}, body))
        return payment

    def _done(self, key: str, what: str) -> str:
        made = _new(what)
        self._state.put(f"key/{key}", made)
        return made


def read_notice(secret: str, headers: Mapping[str, str], body: bytes) -> Record:
    """What the company has sent; `Declined('bad_signature')` on a forgery."""
    if not hmac.compare_digest(_sign(secret, body).encode(), headers.get("X-Signature", "").encode()):
        raise Declined("bad_signature")
    notice: Record = json.loads(body)
    return notice


def _sign(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _new(what: str) -> str:
    return f"{what}_{secrets.token_hex(12)}"
