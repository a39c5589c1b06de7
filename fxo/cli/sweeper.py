"""`fxo sweeper`: hands out what is due, and moves the asynchronous projections forward."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger("fxo.sweeper")


@click.command()
def sweeper() -> None:
    """Hand out what is due, and keep figures up to date. One is enough; more of them take turns."""
    from fxo.cli import target

    run(target.app())


def run(app: Flask) -> None:
    """Sweep until SIGTERM or SIGINT, which end the process at once. For the main thread."""
    from fxo.core.errors import Unready
    from fxo.platform import Platform

    parts: Platform = app.extensions["fxo"]
    if parts.carrier is None:
        raise Unready("Set FXO_REDIS_URL: it is where the sweeper hands out work.")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    log.info("sweeper started")
    never = threading.Event()
    while True:
        once(app)
        never.wait(parts.settings.sweep_seconds)


def once(app: Flask) -> None:
    """One round: every due row that nobody took is offered, every subscription is read to its end. Failures are logged."""
    from fxo.core.events.subscriptions import advance
    from fxo.core.settlement import ROUTINES
    from fxo.core.work.routine import hand_out
    from fxo.core.work.sweeper import sweep
    from fxo.platform import Platform

    parts: Platform = app.extensions["fxo"]
    offer = parts.carrier.offer if parts.carrier else lambda tenant_id, work_id: False
    with app.app_context():
        try:
            found = sweep(parts.store, offer, idle=timedelta(seconds=parts.settings.idle_seconds))
            found += hand_out(parts.store, ROUTINES, offer)
            if found:
                log.info("handed out", extra={"rows": found})
        except Exception:
            # The edge of a round: the next one tries again.
            log.exception("sweeping failed")
        for subscription in parts.subscriptions:
            try:
                while advance(subscription, parts.store.keyring):
                    pass
            except Exception:
                log.exception("a subscription failed", extra={"subscription": subscription.name})
