"""A company that is ill for everybody who asks it anything, until it is well again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

A = TypeVar("A")

Sick = tuple[int, dict[str, str], bytes]
"""Status, headers and body instead of an answer."""


class Illness(StrEnum):
    """What is wrong with a company."""

    DOWN = "down"
    """Nobody answers, and nothing is done."""
    SLOW = "slow"
    """It is done, and answered once the company is well again."""
    LYING = "lying"
    """It says that all is well, in words that are not its own, and does nothing."""
    RATE_LIMITED = "rate_limited"
    """It wants to be asked later."""
    REVOKED = "revoked"
    """It does not know us any more."""


class Health:
    """How a company is; well at first."""

    def __init__(self) -> None:
        self.ill: Illness | None = None
        self.asked = 0
        """How often it was asked while it was ill."""
        self._well = threading.Event()

    def falls_ill(self, illness: Illness) -> None:
        self.ill, self.asked = illness, 0
        self._well.clear()

    def recovers(self) -> None:
        self.ill = None
        self._well.set()

    def answer(
        self, does: Callable[[], A], says: Callable[[Sick], A], patience: bytes = b"{}", unknown: bytes = b"{}"
    ) -> A | None:
        """What is answered by who `does` it when well; None for nothing. `patience` and `unknown` are the company's own words."""
        self.asked += 1
        match self.ill:
            case Illness.DOWN:
                return None
            case Illness.SLOW:
                done = does()
                self._well.wait(30)
                return done
            case Illness.LYING:
                return says((200, {"Content-Type": "text/html"}, b"<html><p>Everything is fine.</p></html>"))
            case Illness.RATE_LIMITED:
                return says((429, {"Content-Type": "application/json", "Retry-After": "20"}, patience))
            case Illness.REVOKED:
                return says((401, {"Content-Type": "application/json"}, unknown))
        return does()
