"""`fxo worker` as a process: quick, tidy, and not impressed by a queue that forgets or goes away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import redis
from flask import Flask

from fxo import embedded, platform
from fxo.app import create_app
from fxo.core.ids import new_id
from fxo.core.notifications.catalogue import CATALOGUE
from fxo.core.scope import CODE, Scope, TenantConfig, tenant_scope
from fxo.core.work import rows
from fxo.core.work.sweeper import sweep
from fxo.demo import environment
from fxo.embedded.account import home_for, servers_account
from fxo.embedded.processes import wait_until
from fxo.embedded.valkey import Valkey
from fxo.settings import Settings
from tests.conftest import Databases, running

NOBODYS = next(name for name, entry in CATALOGUE.items() if entry.to == "client")
"""A mail to the client of a booking that does not exist: the shortest work there is."""


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A queue of this test's own, to be flushed and restarted."""
    account = servers_account()
    server = Valkey(home_for(tmp_path, account), tmp_path / "valkey.log", account)
    server.start()
    yield server
    server.stop()
    embedded.remove(tmp_path)


@pytest.fixture
def settings(databases: Databases, valkey: Valkey) -> Iterator[Settings]:
    made = databases.make(redis_url=valkey.url, idle_seconds=0.1, log_level="INFO")
    yield made
    databases.drop(made)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    yield from running(create_app(settings))


@pytest.fixture
def worker(settings: Settings, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that waits for work."""
    log = tmp_path / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "fxo.cli", "worker"], env=os.environ | environment.variables(settings), stderr=output
        )
    assert wait_until(lambda: "worker started" in log.read_text(), 30)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def scope(tenant: TenantConfig) -> Scope:
    """A tenant's, so that there is work to write down."""
    return tenant_scope(tenant.id)


def work(scope: Scope, *, offer: bool = True) -> UUID:
    """Work that is due, and in the queue unless that is away."""
    body = {"message": NOBODYS}
    return platform.current().store.run(scope, CODE, rows.schedule, "mail", new_id(), body=body, offer=offer)


def done(scope: Scope, *ids: UUID) -> bool:
    with platform.current().store.transaction(scope, CODE) as tx:
        row = tx.driver.execute("select count(*) from work where state = 'done' and id = any(%s)", (list(ids),)).fetchone()
    return row == (len(ids),)


def swept_until(reached: Callable[[], bool], also: Callable[[], object] = lambda: None) -> bool:
    parts = platform.current()
    assert parts.carrier

    def look() -> bool:
        also()
        assert parts.carrier
        sweep(parts.store, parts.carrier.offer, idle=timedelta(seconds=0.1))
        return reached()

    return wait_until(look, 30)


def test_work_is_performed_and_nothing_stays_in_the_queue(
    parts: platform.Platform, scope: Scope, worker: subprocess.Popen[bytes], valkey: Valkey
) -> None:
    ids = [work(scope) for _ in range(20)]
    assert wait_until(lambda: done(scope, *ids), 20)
    with redis.Redis.from_url(valkey.url, decode_responses=True) as client:
        assert wait_until(lambda: not list(client.scan_iter("rq:job:*")), 5)
        kept = {key for key in client.scan_iter("rq:*") if not key.startswith("rq:worker")}
        assert kept == {"rq:queues"}


def test_a_queue_that_forgets_all_the_time_costs_nothing(
    parts: platform.Platform, scope: Scope, worker: subprocess.Popen[bytes], valkey: Valkey
) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        ids = []
        for _ in range(30):
            ids.append(work(scope))
            client.flushall()
        assert swept_until(lambda: done(scope, *ids), also=client.flushall)
    assert worker.poll() is None


def test_a_queue_that_was_away_is_found_again(
    parts: platform.Platform, scope: Scope, worker: subprocess.Popen[bytes], valkey: Valkey
) -> None:
    valkey.stop()
    lost = work(scope)
    valkey.start()
    assert swept_until(lambda: done(scope, lost))
    assert worker.poll() is None


def test_somebody_elses_job_is_left_alone(
    parts: platform.Platform, scope: Scope, worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert parts.carrier
    parts.carrier.queue.enqueue("os.mkdir", args=(str(tmp_path / "made"),))
    parts.carrier.queue.enqueue(platform.JOB, args=("no id", "at all"))
    after = work(scope)
    assert wait_until(lambda: done(scope, after), 20)
    assert not (tmp_path / "made").exists()


def test_an_idle_worker_stops_at_once(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    assert worker.wait(10) == 0


def test_a_busy_worker_finishes_its_work_first(
    parts: platform.Platform, scope: Scope, worker: subprocess.Popen[bytes], settings: Settings, databases: Databases
) -> None:
    database = settings.login_url("app").database
    work_id = work(scope, offer=False)
    with psycopg.connect(databases.given.admin_url, dbname=database) as blocking:
        blocking.execute("select set_config('role', %s, false)", (settings.role("owner"),))
        blocking.execute("lock table work in exclusive mode")
        with psycopg.connect(databases.given.admin_url, autocommit=True) as watching:

            def waiting() -> bool:
                query = "select count(*) from pg_stat_activity where datname = %s and wait_event_type = 'Lock'"
                return watching.execute(query, (database,)).fetchone() == (1,)

            assert parts.carrier
            parts.carrier.offer(scope.id, work_id)
            assert wait_until(waiting, 20)
            os.kill(worker.pid, signal.SIGTERM)
            assert waiting()
            blocking.rollback()
    assert worker.wait(10) == 0
    assert done(scope, work_id)
