"""Events as frozen values with an explicit name and version, and the registry that reads old ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar, get_type_hints
from uuid import UUID

from pydantic import TypeAdapter

T = TypeVar("T")
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

ERASED = "[erased]"
"""What a personal field reads as once its subject's key is destroyed."""


@dataclass(frozen=True, slots=True)
class Personal:
    """Marks a text field as personal: `Annotated[str, Personal("client_id")]` names the field that holds its subject's id."""

    subject: str


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of fact: its name and version in the log, its class, which fields are personal, how to read older versions."""

    name: str
    version: int
    cls: type[Any]
    adapter: TypeAdapter[Any]
    personal: Mapping[str, str]
    """Personal field to the field that names its subject."""
    upcasters: Mapping[int, Upcaster]
    """Version to the function that turns its data into the next version's."""

    def encode(self, value: Any) -> dict[str, Any]:
        encoded: dict[str, Any] = self.adapter.dump_python(value, mode="json")
        return encoded

    def decode(self, version: int, data: dict[str, Any]) -> Any:
        for step in range(version, self.version):
            data = self.upcasters[step](data)
        return self.adapter.validate_python(data)


_by_name: dict[str, EventType] = {}
_by_class: dict[type[Any], EventType] = {}


def event(name: str, version: int = 1, upcasters: Mapping[int, Upcaster] | None = None) -> Callable[[type[T]], type[T]]:
    """Register a frozen dataclass as the event `name` (explicit, never a class path) at its current version."""

    def register(cls: type[T]) -> type[T]:
        if name in _by_name:
            raise ValueError(f"two events are named {name!r}")
        missing = set(range(1, version)) - set(upcasters or {})
        if missing:
            raise ValueError(f"{name} is at version {version} but cannot read versions {sorted(missing)}")
        personal = {}
        hints = get_type_hints(cls, include_extras=True)
        for item in fields(cls):  # type: ignore[arg-type]
            for mark in getattr(hints[item.name], "__metadata__", ()):
                if isinstance(mark, Personal):
                    personal[item.name] = mark.subject
        kind = EventType(name, version, cls, TypeAdapter(cls), personal, dict(upcasters or {}))
        _by_name[name] = _by_class[cls] = kind
        return cls

    return register


def type_of(value: object) -> EventType:
    """The registered type of an event value."""
    return _by_class[type(value)]


def type_named(name: str) -> EventType:
    """The registered type of that name; a KeyError for a name that the code does not know."""
    return _by_name[name]


def registered() -> Mapping[str, EventType]:
    """Every event type by name."""
    return dict(_by_name)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it stands in the log, with its decoded value."""

    tenant_id: UUID
    stream_id: UUID
    version: int
    event_id: UUID
    stream_type: str
    type: str
    schema_version: int
    data: dict[str, Any]
    """As stored: personal fields are envelopes."""
    meta: dict[str, Any]
    recorded_at: datetime
    hash: bytes
    value: Any
    """The decoded event."""
