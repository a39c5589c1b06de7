"""`given(stream type, *events).when(decision, *arguments).then(*events)`: what a decision says after these events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, Generic, TypeVar

import pytest

from fxo.core.errors import FxoError
from fxo.core.events.store import StreamType

S = TypeVar("S")


def after(kind: StreamType[S], *events: object) -> S:
    """The state of a stream with these events."""
    return reduce(kind.evolve, events, kind.initial)


@dataclass(frozen=True)
class Decision:
    """A decision that is about to be taken."""

    take: Callable[[], list[Any]]

    def then(self, *expected: Any, code: str | None = None) -> None:
        """It says exactly these events; or, where an error class stands there, it refuses with that error (and that code)."""
        match expected:
            case (type() as error,) if issubclass(error, FxoError):
                with pytest.raises(error) as refusal:
                    self.take()
                assert refusal.type is error
                assert refusal.value.code == (code or error.code)
                assert refusal.value.message.endswith(".")
            case _:
                assert self.take() == list(expected)


@dataclass(frozen=True)
class Given(Generic[S]):
    """A stream with its past."""

    kind: StreamType[S]
    events: tuple[object, ...]

    def when(self, decision: Callable[..., list[Any]], *arguments: Any, **named: Any) -> Decision:
        return Decision(lambda: decision(after(self.kind, *self.events), *arguments, **named))


def given(kind: StreamType[S], *events: object) -> Given[S]:
    """A stream to which this has happened."""
    return Given(kind, events)
