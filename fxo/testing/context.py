"""A `ProviderContext` that needs no platform: for a plugin's own tests."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
from pydantic import BaseModel

from fxo.core.clock import system_now
from fxo.core.ids import new_id
from fxo.core.plugins.context import Connections, NoConnections, ProviderContext, State, Urls


class MemoryState:
    """`State` in memory."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return copy.deepcopy(self._values.get(key))

    def put(self, key: str, value: Any) -> None:
        self._values[key] = copy.deepcopy(value)

    def delete(self, key: str) -> None:
        self._values.pop(key, None)


def context(
    plugin: str,
    *,
    settings: BaseModel | None = None,
    tenant_id: UUID | None = None,
    clock: Callable[[], datetime] = system_now,
    state: State | None = None,
    http: httpx.Client | None = None,
    connections: Connections | None = None,
) -> ProviderContext:
    """What the plugin would get for a tenant called `acme` with these settings.

    `http` stands for the service outside: `httpx.Client(transport=httpx.MockTransport(simulator))`.
    """
    made = ProviderContext(
        tenant_id=tenant_id or new_id(),
        tenant_slug="acme",
        plugin=plugin,
        settings=settings,
        clock=clock,
        system_clock=system_now,
        urls=Urls("https://acme.example", f"https://hooks.example/{plugin}", lambda token: f"https://meet.example/{token}"),
        state=state or MemoryState(),
        connections=connections or NoConnections(),
        log=logging.LoggerAdapter(logging.getLogger(f"fxo.plugins.{plugin}"), {"tenant": "acme", "plugin": plugin}),
    )
    if http is not None:
        vars(made)["http"] = http  # in place of the one that is made at first use
    return made
