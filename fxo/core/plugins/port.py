"""A port as the guard sees it: its name, its Protocol as promises that can be checked, and what happens when a provider fails."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, get_type_hints

from fxo.core.hookspecs import PortName
from fxo.core.plugins.answers import check_type


@dataclass(frozen=True, slots=True)
class Promise:
    """What a member of a port gives back; `signature` is None for a property."""

    type: Any
    signature: inspect.Signature | None


@dataclass(frozen=True)
class Port:
    """One of the four ports. The table of them is `fxo.core.ports.PORTS`."""

    name: PortName
    prefix: str
    """How the names of its plugins begin."""
    local: str
    """The embedded provider: the choice of a tenant that has made none."""
    protocol: type
    fails_over: bool
    """Whether the tenant's next provider is asked when one fails."""
    local_last: bool = False
    """Whether the embedded provider is asked when all others have failed."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Members with a time limit shorter than the platform's."""
    never_waits: frozenset[str] = frozenset()
    """Members that are refused at once where all places of the provider are taken: whoever asks has something already."""
    declares: frozenset[str] = frozenset()
    """Members that only say how the provider is, without a network call: asked once, also while its breaker is open.
    They take no arguments. `capabilities` need not be named: a property is always one.
    """
    repeats: frozenset[str] = frozenset()
    """Members that only read: asked once more at once where the first try has failed early in its time limit. All others are
    repeated by durable work alone, with the same key, or by nobody.
    """
    costs: Mapping[str, Callable[[Any], int]] = field(default_factory=dict)
    """For members whose answer says what it has cost: in millionths of the account's currency."""
    checks: Mapping[str, Callable[[Any, Mapping[str, Any]], None]] = field(default_factory=dict)
    """For members whose answer can lie without being of the wrong type: (answer, arguments by name), raises ValueError."""

    @cached_property
    def answers(self) -> Mapping[str, Promise]:
        """The Protocol's own members by name."""
        return {name: _promise(member) for name, member in vars(self.protocol).items() if not name.startswith("_")}

    def check(self, member: str, answer: object, arguments: Mapping[str, Any]) -> None:
        """Raise where the answer is not what the member promises."""
        check_type(answer, self.answers[member].type)
        if member in self.checks:
            self.checks[member](answer, arguments)


def _promise(member: Any) -> Promise:
    if isinstance(member, property):
        return Promise(get_type_hints(member.fget)["return"], None)
    signature = inspect.signature(member)
    without_self = signature.replace(parameters=list(signature.parameters.values())[1:])
    return Promise(get_type_hints(member)["return"], without_self)
