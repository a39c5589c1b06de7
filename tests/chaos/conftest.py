"""Servers that these tests may stop, kill and flush, since nobody else uses them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import redis

from fxo import embedded
from fxo.embedded.processes import free_port
from tests.conftest import Databases, Given
from tests.support.processes import Processes
from tests.support.world import World, world

QUICK = {"lease_seconds": 2, "idle_seconds": 0.3, "sweep_seconds": 0.1}
"""Settings with which what was left behind is found soon."""


@dataclass(frozen=True)
class Own:
    """PostgreSQL, as safe on disk as it would be for customers, and Valkey."""

    servers: embedded.Servers
    databases: Databases


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    """Servers for fault tests alone; each test leaves them running."""
    folder = tmp_path_factory.mktemp("own")
    with embedded.servers(folder) as started:
        log = folder / "logs" / "postgres.log"
        databases = Databases(Given(started.admin_url, started.redis_url, log), durable=True)
        yield Own(started, databases)
        databases.close()
    embedded.remove(folder)


@dataclass(frozen=True)
class Site:
    """A running platform: what is in its database, and its processes."""

    world: World
    children: Processes


@pytest.fixture(scope="module")
def site(own: Own, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Web, worker and sweeper as processes, on servers that may be hurt; for all tests of a module."""
    with redis.Redis.from_url(own.servers.redis_url) as client:
        client.flushall()
    folder = tmp_path_factory.mktemp("site")
    values = {"port": free_port(), "redis_url": own.servers.redis_url, "web_threads": 8, **QUICK}
    with world(own.databases, **values) as here, Processes(here.settings, folder) as children:
        started = [children.web(), children.worker(), children.sweeper()]
        yield Site(here, children)
        assert [child.poll() for child in started] == [None, None, None], "a process did not survive"
