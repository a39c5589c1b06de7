"""Performing one piece of work: claim, look, act outside any transaction, record and finish in one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from fxo.core.errors import FxoError, Misconfigured, NotYet, ProviderError, Retryable, StaleStream, code_of
from fxo.core.events.store import Store, Transaction, causation
from fxo.core.ids import NETWORK
from fxo.core.scope import CODE, Scope, system_scope, tenant_scope
from fxo.core.work import alarms, rows
from fxo.core.work.model import PATIENT, Registry, Waiting, Work

log = logging.getLogger("fxo.work")
MENDING = 900.0
"""Seconds until work looks again whether settings were mended."""


class Outcome(StrEnum):
    """What became of one try to perform a piece of work."""

    DONE = "done"
    WAITING = "waiting"
    LATER = "later"
    DEAD = "dead"
    NOT_NOW = "not_now"
    """Not due, finished, unknown, or in somebody else's hands."""


Probe = Callable[[str, Work], None]
"""Told of each step (`claimed`, `before_act`, `acted`, `recorded`); fault tests stop the process there."""


class Performer:
    """Performs work by id; the same function serves the web request that waits for an answer and the worker behind the queue."""

    def __init__(self, store: Store, registry: Registry, *, lease: timedelta, probe: Probe = lambda step, work: None) -> None:
        self.store = store
        self.registry = registry
        self.lease = lease
        self.probe = probe

    def perform(self, tenant_id: UUID, work_id: UUID) -> Outcome:
        """Perform the work if it is due and free. Never raises for what a provider does; the row says what happened."""
        scope = work_scope(tenant_id)
        try:
            with self.store.transaction(scope, CODE) as tx:
                work = rows.claim(tx, work_id, self.lease)
        except rows.Busy:
            self.store.run(scope, CODE, rows.hand_out_again, work_id)
            return Outcome.NOT_NOW
        if work is None:
            return Outcome.NOT_NOW
        self.probe("claimed", work)
        token = causation.set(str(work.id))
        try:
            return self._try(scope, work)
        except rows.LeaseLost:
            log.warning("lease lost", extra={"work": str(work.id), "kind": work.kind})
            return Outcome.NOT_NOW
        finally:
            causation.reset(token)

    def _try(self, scope: Scope, work: Work) -> Outcome:
        try:
            return self._perform(scope, work)
        except rows.LeaseLost:
            raise
        except Retryable as error:
            self._note(scope, work, error)
            return self._again(scope, work, error, after=error.after)
        except StaleStream as error:
            return self._again(scope, work, error, after=0)
        except Misconfigured as error:
            self._note(scope, work, error)
            return self._once_mended(scope, work, error)
        except (ProviderError, FxoError) as error:
            return self._failed(scope, work, error)
        except Exception as error:
            # The edge of a job: recorded in the row and the log, tried again, and in the end the operator's.
            log.exception("work failed", extra={"work": str(work.id), "kind": work.kind})
            return self._again(scope, work, error, after=0)

    def _perform(self, scope: Scope, work: Work) -> Outcome:
        reaction = self.registry[work.kind]
        with self.store.transaction(scope, CODE) as tx:
            wanted = reaction.look(tx, work)
        if wanted is None:
            self.store.run(scope, CODE, rows.finish, work)
            return Outcome.DONE
        self.probe("before_act", work)
        outcome = reaction.act(wanted, work)
        self.probe("acted", work)

        def settle(tx: Transaction) -> Waiting | None:
            waiting = reaction.record(tx, work, wanted, outcome)
            rows.finish(tx, work, waiting_until=waiting.until if waiting else None)
            return waiting

        waiting = self.store.run(scope, CODE, settle)
        self.probe("recorded", work)
        return Outcome.WAITING if waiting else Outcome.DONE

    def _note(self, scope: Scope, work: Work, error: Retryable | Misconfigured) -> None:
        """Write down that whoever is asked did not answer, where somebody reads about it."""
        with suppress(Misconfigured):
            unanswered = self.registry[work.kind].unanswered
            if unanswered and not isinstance(error, NotYet):
                self.store.run(scope, CODE, unanswered, work, code_of(error))

    def _again(self, scope: Scope, work: Work, error: Exception, *, after: float) -> Outcome:
        with suppress(Misconfigured):
            reaction = self.registry[work.kind]
            if work.attempts + 1 < reaction.attempts:
                pause = timedelta(seconds=max(after, reaction.pause(work.attempts, work.id)))
                self.store.run(scope, CODE, lambda tx: rows.postpone(tx, work, until=tx.now + pause, error=code_of(error)))
                return Outcome.LATER
        return self._failed(scope, work, error)

    def _once_mended(self, scope: Scope, work: Work, error: Misconfigured) -> Outcome:
        """Settings can be mended (a key that was revoked): work that must not be lost tells the operator, and waits for it."""
        with suppress(Misconfigured):
            if self.registry[work.kind].attempts >= PATIENT and work.attempts + 1 < PATIENT:
                self.store.run(scope, CODE, lambda tx: _tell(tx, work, f"waits until this is mended: {code_of(error)}"))
                return self._again(scope, work, error, after=MENDING)
        return self._failed(scope, work, error)

    def _failed(self, scope: Scope, work: Work, error: Exception) -> Outcome:
        log.error("work given up", extra={"work": str(work.id), "kind": work.kind, "error": code_of(error)})

        def give_up(tx: Transaction) -> None:
            with suppress(Misconfigured):
                reaction = self.registry[work.kind]
                if reaction.give_up:
                    reaction.give_up(tx, work, code_of(error))
            rows.bury(tx, work, error=code_of(error))
            _tell(tx, work, f"was given up: {code_of(error)}")

        self.store.run(scope, CODE, give_up)
        return Outcome.DEAD


def _tell(tx: Transaction, work: Work, what: str) -> None:
    """Tell the operator."""
    alarms.raise_alarm(tx, f"work.{work.kind}", work.id, f"Work of kind {work.kind} {what}.", mail=work.kind != "mail")


def work_scope(tenant_id: UUID) -> Scope:
    """Work of a tenant runs in that tenant's scope, work of the network in the system's."""
    return system_scope("network") if tenant_id == NETWORK else tenant_scope(tenant_id)
