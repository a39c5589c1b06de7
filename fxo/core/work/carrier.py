"""RQ as carrier: it carries tenant id and work id to a worker, and nothing is lost when it forgets them."""

from __future__ import annotations

import logging
import threading
import time
from uuid import UUID

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

log = logging.getLogger("fxo.work")
QUEUE = "fxo"
_PAUSE = 1.0


class Carrier:
    """Offers work to the queue. A failed offer is counted and left to the sweeper."""

    def __init__(self, redis_url: str, job: str, *, prefix: str = QUEUE) -> None:
        self.connection = redis.Redis.from_url(
            redis_url, socket_connect_timeout=0.5, socket_timeout=2, retry=Retry(NoBackoff(), 0), health_check_interval=30
        )
        self.queue = Queue(prefix, connection=self.connection, serializer=JSONSerializer)
        self.job = job
        self.failed = 0
        self._quiet_until = 0.0
        self._lock = threading.Lock()

    def offer(self, tenant_id: UUID, work_id: UUID) -> bool:
        """Put the ids into the queue; false where it cannot be reached."""
        if time.monotonic() < self._quiet_until:
            self._count()
            return False
        try:
            self.queue.enqueue(
                self.job, args=(str(tenant_id), str(work_id)), job_timeout=120, result_ttl=0, failure_ttl=60, ttl=300
            )
        except redis.RedisError as error:
            self._quiet_until = time.monotonic() + _PAUSE
            self._count()
            log.warning("the queue cannot be reached; the sweeper will hand the work out", extra={"error": type(error).__name__})
            return False
        return True

    def _count(self) -> None:
        with self._lock:
            self.failed += 1
