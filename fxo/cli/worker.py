"""`fxo worker`: performs the work whose ids the queue brings, and does not mind when the queue forgets or is away."""

from __future__ import annotations

import logging
import signal
import time
from contextlib import suppress
from types import FrameType
from typing import Any
from uuid import UUID

import click
import redis
from flask import Flask
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer

from fxo import platform
from fxo.core.errors import Unready
from fxo.core.work.carrier import QUEUE

log = logging.getLogger("fxo.worker")
PAUSE = 0.5
"""Seconds before the queue is asked again after its connection has ended."""
LONGEST = 120
"""Seconds after which a job is broken off; each call to a provider has a much shorter limit of its own."""


@click.command()
def worker() -> None:
    """Perform the work that the queue hands out, one piece at a time. SIGTERM lets the current one finish."""
    from fxo.cli import target

    run(target.app())


def perform(tenant_id: str, work_id: str) -> None:
    """The job: perform this work if it is due and free. Whatever becomes of it stands in its row and not in the queue."""
    platform.current().performer.perform(UUID(tenant_id), UUID(work_id))


def run(app: Flask) -> None:
    """Work for this application until SIGTERM or SIGINT. For the main thread."""
    parts: platform.Platform = app.extensions["fxo"]
    if parts.carrier is None:
        raise Unready("Set FXO_REDIS_URL: it is where a worker gets its work from.")
    rq_log, ours = logging.getLogger("rq"), logging.getLogger("fxo")
    rq_log.handlers, rq_log.propagate = ours.handlers, False
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
    shift = _Shift()
    before = {number: signal.signal(number, shift.end) for number in (signal.SIGTERM, signal.SIGINT)}
    log.info("worker started")
    try:
        with suppress(StopRequested):
            while not shift.over:
                _live_once(app, parts.settings.redis_url, shift)
                time.sleep(0 if shift.over else PAUSE)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    log.info("worker stopped")


def _live_once(app: Flask, redis_url: str, shift: _Shift) -> None:
    """One life of an RQ worker: it ends with its connection or with the shift."""
    # RQ waits for a job in one long call and gives this connection a longer limit than the one that offers work has.
    connection = redis.Redis.from_url(redis_url, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0))
    try:
        Carried(app, shift, connection).work()
    except redis.RedisError as error:
        log.warning("the queue cannot be reached; it is asked again", extra={"error": type(error).__name__})
    finally:
        connection.close()


class _Shift:
    """Whether to go on. A signal ends an idle worker at once, and a busy one after its job."""

    def __init__(self) -> None:
        self.over = self.busy = False

    def end(self, number: int, frame: FrameType | None) -> None:
        self.over = True
        if not self.busy:
            raise StopRequested


class _Queue(Queue):
    """Takes a job away at once: what a worker loses with its life stands in PostgreSQL, and the sweeper offers it again."""

    @classmethod
    def lmove(cls, connection: redis.Redis, queue_key: str, timeout: int | None) -> Any:
        return cls.lpop([queue_key], timeout, connection=connection)


class Carried(SimpleWorker):
    """RQ's worker, reduced to what a carrier needs: it keeps no results, failures or retries, and runs this one function.

    What it tells Redis about itself is for people who look; it never fails because of that.
    """

    queue_class = _Queue
    max_connection_wait_time = 1.0

    def __init__(self, app: Flask, shift: _Shift, connection: redis.Redis) -> None:
        super().__init__([QUEUE], connection=connection, serializer=JSONSerializer, worker_ttl=20)
        self.app = app
        self.shift = shift

    def execute_job(self, job: Job, queue: Queue) -> None:
        self.shift.busy = True
        try:
            if job.func_name == platform.JOB:
                with self.death_penalty_class(LONGEST, TimeoutError), self.app.app_context():
                    perform(*job.args)
            else:
                log.error("a strange job was left alone", extra={"job": job.func_name})
        except Exception:
            # The edge of a job: its row says the rest, and the sweeper offers it again.
            log.exception("job failed")
        finally:
            self.shift.busy = False
        with suppress(redis.RedisError):
            self.connection.delete(job.key)
        if self.shift.over:
            raise StopRequested

    def bootstrap(self, *args: Any, **kwargs: Any) -> None:
        self.register_birth()

    def set_state(self, state: str, pipeline: Any = None) -> None:
        with suppress(redis.RedisError):
            super().set_state(state, pipeline)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        with suppress(redis.RedisError):
            super().heartbeat(timeout, pipeline)

    def teardown(self) -> None:
        with suppress(redis.RedisError):
            self.register_death()

    def check_for_suspension(self, burst: bool) -> None:
        """Nobody suspends us through Redis."""

    def run_maintenance_tasks(self) -> None:
        """There are no registries to clean."""

    def _install_signal_handlers(self) -> None:
        """`run` has its own."""
