"""The guard around every call into a plugin: outside transactions, within a time limit, with checked answers."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from fxo.core.db import in_transaction
from fxo.core.errors import Misconfigured, ProviderError, Retryable, Unavailable
from fxo.core.plugins.answers import BrokenPromise
from fxo.core.plugins.faring import Fares
from fxo.core.plugins.port import Port
from fxo.core.plugins.resilience import Breaker, Bulkhead, Crowded, Limits, Resting, Slow

log = logging.getLogger(__name__)


def refuse_inside_transaction(name: str) -> None:
    """Raise RuntimeError where a transaction is open: nobody outside is waited for while rows are locked."""
    if in_transaction():
        raise RuntimeError(f"{name} is called inside a database transaction")


def trace(error: BaseException) -> str:
    """Kind and place of a failure for the log; never its text, which may quote a person."""
    if isinstance(error, BrokenPromise):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {frames[-1].filename}:{frames[-1].lineno}" if frames else type(error).__name__


def is_resting(provider: Guarded) -> bool:
    """Whether its breaker is open; a function, since the guard has the members of its port and no others."""
    return provider._breaker.resting


def is_full(provider: Guarded) -> bool:
    """Whether all its places are taken."""
    return provider._bulkhead.full


def try_now(provider: Guarded) -> None:
    """Let the next call through, also while the breaker is open: somebody has mended something and wants to know."""
    provider._breaker.try_now()


def checked(provider: Guarded, check: Callable[[], None]) -> None:
    """Let the plugin's own check run as a call of the provider."""
    provider._ask("check", check, {})


class Guarded:
    """A provider for one tenant that keeps its port's promises: it has the port's members, and each is guarded.

    A call returns what the port says, or raises one of the port's errors; whatever else happens is `Unavailable`.
    The provider itself is made at the first call, under the same guard.
    """

    def __init__(
        self, name: str, port: Port, make: Callable[[], Any], *, bulkhead: Bulkhead, breaker: Breaker, limits: Limits,
        fares: Fares | None = None,
    ) -> None:  # fmt: skip
        self._name = name
        self._port = port
        self._make = make
        self._bulkhead = bulkhead
        self._breaker = breaker
        self._limits = limits
        self._fares = fares
        self._provider: Any = None
        self._declared: dict[str, Any] = {}
        self._making = threading.Lock()

    def __repr__(self) -> str:
        return f"<{self._name} for the port {self._port.name}>"

    def __getattr__(self, member: str) -> Any:
        promised = self._port.answers.get(member)
        if promised is None:
            raise AttributeError(f"the port {self._port.name} has no {member!r}")
        signature = promised.signature
        if signature is None:
            return self._declaration(member, lambda: getattr(self._made(), member))

        def method(*args: Any, **kwargs: Any) -> Any:
            given = signature.bind(*args, **kwargs)
            if member in self._port.declares:
                return self._declaration(member, lambda: getattr(self._made(), member)())
            return self._ask(member, lambda: getattr(self._made(), member)(*args, **kwargs), given.arguments)

        return method

    def _made(self) -> Any:
        with self._making:
            if self._provider is None:
                self._provider = self._make()
            return self._provider

    def _declaration(self, member: str, say: Callable[[], Any]) -> Any:
        """What the provider says of itself, kept from the first time: a page can be shown while nobody answers.

        The breaker is neither asked nor told: a declaration says nothing about whether the company outside answers.
        """
        refuse_inside_transaction(self._name)
        if member not in self._declared:
            try:
                answer = self._bulkhead.run(say, self._limits.platform)
                self._port.check(member, answer, {})
            except ProviderError:
                raise
            except Exception as error:
                raise self._broken(member, error) from None
            self._declared[member] = answer
        return self._declared[member]

    def _ask(self, member: str, call: Callable[[], Any], given: Mapping[str, Any]) -> Any:
        """What the provider answers, told to the breaker and counted."""
        refuse_inside_transaction(self._name)
        begun = time.perf_counter()
        try:
            self._breaker.admit()
            answer = self._answer(member, call, given, begun)
        except (Resting, Crowded):
            if self._fares:
                self._fares.refused()
            raise
        except Exception as error:
            self._failed(member, error, time.perf_counter() - begun)
            if isinstance(error, ProviderError):
                raise
            raise self._broken(member, error) from None
        self._breaker.succeeded()
        if self._fares:
            cost = self._port.costs.get(member)
            self._fares.answered(time.perf_counter() - begun, cost(answer) if cost else 0)
        return answer

    def _answer(self, member: str, call: Callable[[], Any], given: Mapping[str, Any], begun: float) -> Any:
        """The checked answer; what only reads is asked once more where it has failed early in its time."""
        seconds, waits = self._limits.seconds(member), member not in self._port.never_waits
        try:
            return self._checked(member, self._bulkhead.run(call, seconds, waits=waits), given)
        except (Crowded, Slow, Misconfigured):
            raise
        except Exception as error:
            left = seconds - (time.perf_counter() - begun)
            briefly = (isinstance(error, Unavailable) and not error.after) or not isinstance(error, ProviderError)
            if member not in self._port.repeats or not briefly or left < seconds / 2:
                raise
            log.info("%s failed at %s and is asked once more: %s", self._name, member, trace(error))
            return self._checked(member, self._bulkhead.run(call, left, waits=waits), given)

    def _checked(self, member: str, answer: Any, given: Mapping[str, Any]) -> Any:
        if member in self._port.answers:
            self._port.check(member, answer, given)
        return answer

    def _failed(self, member: str, error: Exception, seconds: float) -> None:
        """A strike where nobody answered, or not as promised; a refusal, and a wish for patience, are answers."""
        answers = isinstance(error, ProviderError) and not isinstance(error, Unavailable)
        (self._breaker.succeeded if answers else self._breaker.failed)()
        if not self._fares:
            return
        if answers and not isinstance(error, (Retryable, Misconfigured)):
            self._fares.answered(seconds, 0)
        else:
            self._fares.failed(member, seconds, error, rests=self._breaker.resting)

    def _broken(self, member: str, error: Exception) -> Unavailable:
        log.warning("%s failed at %s: %s", self._name, member, trace(error))
        return Unavailable(f"{self._name} failed at {member}")
