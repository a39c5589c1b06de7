"""Plugins for tests: a line to the bank, a calendar and a ranker that do as they are told, and one that hears of bookings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from types import ModuleType
from typing import Any

from fxo.core.calendars.port import CalendarCapabilities, Meeting, MeetingWanted
from fxo.core.errors import Retryable, Unavailable
from fxo.core.hookspecs import ProviderSpec, hookimpl
from fxo.core.matching.port import Brief, MatchingCapabilities, PartnerRecord, Ranking
from fxo.plugins.payments_sandbox.provider import Sandbox, Settings


def plugin(name: str, **hooks: Callable[..., Any]) -> ModuleType:
    """A plugin of that name with these hook implementations."""
    module = ModuleType(name)
    for hook, implementation in hooks.items():
        setattr(module, hook, hookimpl(implementation))
    return module


@dataclass
class Line:
    """The line to the card network: `payments_line` is the sandbox behind it. Faults are used up one after the other."""

    down: bool = False
    """Nobody answers at all."""
    before: list[Callable[[], None]] = field(default_factory=list)
    """Happen instead of a call that changes something."""
    after: list[Callable[[], None]] = field(default_factory=list)
    """Happen after it, so that the network has done it and we do not know."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    """What was asked, with the key."""

    @property
    def plugin(self) -> ModuleType:
        def register() -> ProviderSpec:
            return ProviderSpec("payments_line", "payments", lambda context: _OverLine(context, self), settings=Settings)

        return plugin("payments_line", fxo_register_payment_provider=register)


class _OverLine(Sandbox):
    def __init__(self, context: Any, line: Line) -> None:
        super().__init__(context)
        self._line = line

    def _order(self, verb: Any, order: Any) -> Any:
        return self._over(verb.value, order.reference, lambda: super(_OverLine, self)._order(verb, order))

    def capture(self, reference: str, amount: Any, key: str) -> Any:
        return self._over("capture", key, lambda: super(_OverLine, self).capture(reference, amount, key))

    def void(self, reference: str, key: str) -> Any:
        return self._over("void", key, lambda: super(_OverLine, self).void(reference, key))

    def find_by_reference(self, order_reference: str) -> Any:
        return self._over("find", order_reference, lambda: super(_OverLine, self).find_by_reference(order_reference))

    def _over(self, verb: str, key: str, call: Callable[[], Any]) -> Any:
        self._line.calls.append((verb, key))
        if self._line.down:
            unavailable()
        if self._line.before:
            self._line.before.pop(0)()
        answer = call()
        if self._line.after:
            self._line.after.pop(0)()
        return answer


def unavailable() -> None:
    raise Unavailable("the line is dead")


@contextmanager
def silence() -> Iterator[Callable[[], None]]:
    """A fault that never answers, until the block ends."""
    over = Event()

    def fault() -> None:
        over.wait(20)
        unavailable()

    try:
        yield fault
    finally:
        over.set()


@dataclass
class Calendar:
    """`calendar_moody`: makes no meeting while `down`, and then one whose link it gives only once it is `ready`."""

    down: bool = True
    calls: list[str] = field(default_factory=list)

    capabilities = CalendarCapabilities(reads_busy=False)

    def create_meeting(self, wanted: MeetingWanted) -> Meeting:
        self.calls.append(wanted.reference)
        if self.down:
            raise Retryable("the calendar does not answer")
        return Meeting(wanted.reference, f"https://moody.example/{wanted.reference}", wanted.sequence)

    def cancel_meeting(self, reference: str) -> None:
        self.calls.append(f"cancel {reference}")

    @property
    def plugin(self) -> ModuleType:
        def register() -> ProviderSpec:
            return ProviderSpec("calendar_moody", "calendars", lambda context: self)  # type: ignore[arg-type, return-value]

        return plugin("calendar_moody", fxo_register_calendar_provider=register)


@dataclass
class Ranker:
    """`matching_told`: ranks as it is told, and keeps what it was asked."""

    answer: Callable[[Brief, Sequence[PartnerRecord]], Ranking]
    asked: list[Brief] = field(default_factory=list)

    capabilities = MatchingCapabilities(topics=("Recovery", "Cyber insurance", "Privacy"))

    def rank(self, brief: Brief, partners: Sequence[PartnerRecord], *, limit: int = 5) -> Ranking:
        self.asked.append(brief)
        return self.answer(brief, partners)

    def refine(self, brief: Brief, ranking: Ranking, partners: Sequence[PartnerRecord]) -> Ranking:
        return ranking

    @property
    def plugin(self) -> ModuleType:
        def register() -> ProviderSpec:
            return ProviderSpec("matching_told", "matching", lambda context: self)  # type: ignore[arg-type, return-value]

        return plugin("matching_told", fxo_register_matching_provider=register)


@dataclass
class Listener:
    """A plugin that hears of bookings; it fails as often as it is told, and then listens."""

    name: str
    failures: int = 0
    heard: list[tuple[str, str]] = field(default_factory=list)
    """(hook, state of the booking) of each time it listened."""

    @property
    def plugin(self) -> ModuleType:
        return plugin(self.name, **{hook: self._hear(hook) for hook in _OBSERVED})

    def _hear(self, hook: str) -> Callable[..., None]:
        def hear(booking: Any) -> None:
            if self.failures:
                self.failures -= 1
                raise RuntimeError("not now")
            self.heard.append((hook, booking.state))

        return hear


_OBSERVED = (
    "fxo_booking_confirmed", "fxo_booking_cancelled", "fxo_session_started", "fxo_session_completed", "fxo_session_rated",
)  # fmt: skip
