"""The guard around every call into a plugin: outside transactions, within a time limit, with checked answers."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from fxo.core.db import in_transaction
from fxo.core.errors import ProviderError, Unavailable
from fxo.core.plugins.answers import BrokenPromise
from fxo.core.plugins.breaker import Breaker
from fxo.core.plugins.port import Port

T = TypeVar("T")
log = logging.getLogger(__name__)
Around = Callable[[], AbstractContextManager[Any]]
"""Called by the thread that asks, entered by the thread that calls the plugin: brings the application's context along."""


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


class Crowded(Unavailable):
    """All places are taken. It says nothing about the next call, and nothing that the breaker has to know."""


class Bulkhead:
    """So many calls into one plugin at a time, each in a thread of its own; one that hangs holds its place until it returns."""

    def __init__(self, name: str, around: Around, *, places: int = 16) -> None:
        self.name = name
        self._around = around
        self._places = threading.BoundedSemaphore(places)

    @property
    def full(self) -> bool:
        """Whether there is no place at the moment."""
        if not self._places.acquire(blocking=False):
            return True
        self._places.release()
        return False

    def run(self, call: Callable[[], T], seconds: float, *, waits: bool = True) -> T:
        """What the call returns or raises; `Unavailable` where it takes longer than that, with waiting for a place."""
        deadline = time.monotonic() + seconds
        if not self._places.acquire(timeout=seconds if waits else 0):
            raise Crowded(f"{self.name} has all its places taken")
        context = self._around()
        done = threading.Event()
        answer: list[T] = []
        failure: list[BaseException] = []

        def work() -> None:
            try:
                with context:
                    answer.append(call())
            except BaseException as error:
                failure.append(error if isinstance(error, Exception) else RuntimeError(type(error).__name__))
            finally:
                self._places.release()
                done.set()

        threading.Thread(target=work, name=f"plugin {self.name}", daemon=True).start()
        if not done.wait(max(0.0, deadline - time.monotonic())):
            raise Unavailable(f"{self.name} did not answer within {seconds:g} s")
        if failure:
            raise failure[0]
        return answer[0]


def is_resting(provider: Guarded) -> bool:
    """Whether its breaker is open; a function, since the guard has the members of its port and no others."""
    return provider._breaker.resting


def is_full(provider: Guarded) -> bool:
    """Whether all its places are taken."""
    return provider._bulkhead.full


class Guarded:
    """A provider for one tenant that keeps its port's promises: it has the port's members, and each is guarded.

    A call returns what the port says, or raises one of the port's errors; whatever else happens is `Unavailable`.
    The provider itself is made at the first call, under the same guard.
    """

    def __init__(
        self, name: str, port: Port, make: Callable[[], Any], *, bulkhead: Bulkhead, breaker: Breaker, seconds: float
    ) -> None:
        self._name = name
        self._port = port
        self._make = make
        self._bulkhead = bulkhead
        self._breaker = breaker
        self._seconds = seconds
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
                answer = self._bulkhead.run(say, self._seconds)
                self._port.check(member, answer, {})
            except ProviderError:
                raise
            except Exception as error:
                log.warning("%s failed at %s: %s", self._name, member, trace(error))
                raise Unavailable(f"{self._name} failed at {member}") from None
            self._declared[member] = answer
        return self._declared[member]

    def _ask(self, member: str, call: Callable[[], Any], given: Mapping[str, Any]) -> Any:
        refuse_inside_transaction(self._name)
        self._breaker.admit()
        try:
            seconds = min(self._seconds, self._port.seconds.get(member, self._seconds))
            answer = self._bulkhead.run(call, seconds, waits=member not in self._port.never_waits)
            self._port.check(member, answer, given)
        except Crowded:
            raise
        except ProviderError as error:
            (self._breaker.failed if isinstance(error, Unavailable) else self._breaker.succeeded)()
            raise
        except Exception as error:
            self._breaker.failed()
            log.warning("%s failed at %s: %s", self._name, member, trace(error))
            raise Unavailable(f"{self._name} failed at {member}") from None
        self._breaker.succeeded()
        return answer
