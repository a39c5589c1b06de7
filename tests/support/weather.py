"""Bad weather over money: a card network of which any call may fail, and workers of which any may die."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from types import ModuleType
from typing import Any

import orjson

from fxo.core.clock import system_now
from fxo.core.errors import Retryable, Unavailable
from fxo.core.hookspecs import ProviderSpec
from fxo.core.work.model import Work
from fxo.plugins.payments_sandbox import webhooks
from fxo.plugins.payments_sandbox.provider import Sandbox, Settings
from tests.support.plugins import plugin
from tests.support.story import Story, webhook_secret

VERBS = (
    "authorise", "save_method", "authorise_saved", "capture", "void", "refund", "fetch", "find_by_reference",
    "list_changed_since", "transfer", "reverse_transfer", "submit_evidence",
)  # fmt: skip
"""Every call that asks the company outside."""

FAULTS = ("error", "no answer", "notice first", "notice twice")
"""Nobody there; done, and we do not know; a notice that arrives before the answer; and one that arrives twice."""

IN_A_ROW = 4
"""So many calls fail one after the other, and no more: the fifth would open the breaker, which counts real seconds."""


class Killed(BaseException):
    """The worker died."""


@dataclass
class Weather:
    """`payments_weather` is the sandbox behind it. A fault depends on the seed and on how often the same was asked, so that a
    run is the same each time.
    """

    seed: int = 0
    chance: float = 0.0
    """How likely each call fails, and half as likely each step of a worker is its last."""
    tariff: Mapping[str, int] = field(default_factory=dict)
    """What the network keeps of a payment, as its settings say it."""
    met: Counter[str] = field(default_factory=Counter)
    """How often each fault happened."""
    _asked: Counter[str] = field(default_factory=Counter)
    _in_a_row: int = 0

    @property
    def plugin(self) -> ModuleType:
        def outside(context: Any) -> Sandbox:
            return _Outside(replace(context, settings=Settings(**self.tariff)), self)

        def register() -> ProviderSpec:
            return ProviderSpec("payments_weather", "payments", outside, settings=Settings)

        return plugin("payments_weather", fxo_register_payment_provider=register)

    def probe(self, step: str, work: Work) -> None:
        """Let the worker die here, perhaps."""
        if self._draw(f"{work.kind} {step}").random() < self.chance / 2:
            self.met["killed"] += 1
            raise Killed

    def fault(self, verb: str) -> str | None:
        """What happens to this call."""
        draw = self._draw(verb)
        found = draw.choice(FAULTS) if draw.random() < self.chance else None
        fails = found in ("error", "no answer")
        if fails and self._in_a_row == IN_A_ROW:
            found, fails = None, False
        self._in_a_row = self._in_a_row + 1 if fails else 0
        if found:
            self.met[found] += 1
        return found

    def _draw(self, what: str) -> Random:
        self._asked[what] += 1
        return Random(f"{self.seed}/{what}/{self._asked[what]}")


class _Outside(Sandbox):
    def __init__(self, context: Any, weather: Weather) -> None:
        super().__init__(context)
        self._weather = weather

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in VERBS:
            return found
        return lambda *args, **kwargs: _asked(self, self._weather, name, lambda: found(*args, **kwargs), args)


def _asked(outside: Sandbox, weather: Weather, verb: str, call: Any, args: tuple[Any, ...]) -> Any:
    fault = weather.fault(verb)
    if fault == "error":
        raise (Unavailable if weather.met["error"] % 2 else Retryable)("nobody answers")
    try:
        answer = call()
    finally:
        if fault and fault.startswith("notice"):
            _announce(args[0] if args else None, f"{verb}/{weather.met.total()}", twice=fault == "notice twice")
    if fault == "no answer":
        raise Unavailable("the answer was lost")
    return answer


def _announce(subject: Any, event_id: str, *, twice: bool) -> None:
    """The network tells of an attempt, or of a payment, by its own reference."""
    order, reference = getattr(subject, "reference", None), subject if isinstance(subject, str) else "sp_x"
    said = {"id": event_id, "kind": "payment.changed", "reference": reference, "order_reference": order}
    body = orjson.dumps(said | {"created": system_now().isoformat()})
    headers = {webhooks.HEADER: webhooks.sign(webhook_secret(), body, system_now())}
    for _ in range(2 if twice else 1):
        answer = Story.outside("http://hooks.localhost/payments_sandbox", data=body, headers=headers)
        assert answer.status_code == 200, answer.text
