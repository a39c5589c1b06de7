"""Durable work: done once although it may be tried often, by whoever holds the lease, and never forgotten."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from fxo import platform
from fxo.app import create_app
from fxo.core.clock import system_now
from fxo.core.errors import Conflict, Declined, Misconfigured, Retryable, StaleStream, Unavailable
from fxo.core.events.model import event
from fxo.core.events.store import StreamType, Transaction
from fxo.core.ids import NETWORK, new_id
from fxo.core.scope import CODE, tenant_scope
from fxo.core.work import rows, sweeper
from fxo.core.work.carrier import Carrier
from fxo.core.work.model import PATIENT, Reaction, Registry, Waiting, Work, timer
from fxo.core.work.perform import Outcome, Performer, work_scope
from fxo.embedded.processes import free_port, wait_until
from fxo.settings import Settings
from tests.conftest import Databases, Given, running, write
from tests.support import clock, sql

LEASE = timedelta(seconds=30)
IDLE = timedelta(seconds=30)


@event("work_test.performed")
@dataclass(frozen=True, slots=True)
class Performed:
    outcome: str


PERFORMED = StreamType[tuple[str, ...]]("performed", (), lambda state, it: (*state, it.outcome))


@pytest.fixture(scope="module")
def settings(databases: Databases) -> Iterator[Settings]:
    made = databases.make()
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Flask]:
    yield from running(create_app(settings))


@dataclass
class Errand:
    """One kind of work whose three steps do what the test says, for a tenant of its own."""

    settings: Settings
    act: Callable[[Work], Any] = lambda work: "done"
    look: Callable[[], object] = lambda: "wanted"
    record: Callable[[Transaction, Work], Waiting | None] = lambda tx, work: None
    tenant_id: UUID = field(default_factory=new_id)
    kind: str = field(default_factory=lambda: f"errand.{new_id().hex}")
    acted: list[Work] = field(default_factory=list)
    attempts: int = 3
    first_pause: float = 5.0
    lease: timedelta = LEASE

    def performer(self) -> Performer:
        registry = Registry()

        def act(wanted: object, work: Work) -> object:
            self.acted.append(work)
            return self.act(work)

        def record(tx: Transaction, work: Work, wanted: object, outcome: object) -> Waiting | None:
            waiting = self.record(tx, work)
            if not waiting:
                tx.append((tx.load(PERFORMED, work.id), [Performed(str(outcome))]))
            return waiting

        def give_up(tx: Transaction, work: Work, error: str) -> None:
            tx.append((tx.load(PERFORMED, work.id), [Performed(f"gave up: {error}")]))

        registry.add(
            Reaction(
                self.kind, lambda tx, work: self.look(), act, record, give_up,
                attempts=self.attempts, first_pause=self.first_pause,
            )
        )  # fmt: skip
        return Performer(platform.current().store, registry, lease=self.lease)

    def schedule(self, stream_id: UUID | None = None, **values: Any) -> UUID:
        work_id: UUID = write(tenant_scope(self.tenant_id), CODE, rows.schedule, self.kind, stream_id or new_id(), **values)
        return work_id

    def perform(self, work_id: UUID) -> Outcome:
        return self.performer().perform(self.tenant_id, work_id)

    def claim(self, work_id: UUID, lease: timedelta = LEASE) -> Work | None:
        with platform.current().store.transaction(tenant_scope(self.tenant_id), CODE) as tx:
            return rows.claim(tx, work_id, lease)

    def wake(self, work_id: UUID) -> bool:
        woken: bool = write(tenant_scope(self.tenant_id), CODE, rows.wake, work_id)
        return woken

    def recorded(self, work_id: UUID) -> tuple[str, ...]:
        """The outcomes that stand in the log."""
        found: tuple[str, ...] = write(tenant_scope(self.tenant_id), CODE, lambda tx: tx.load(PERFORMED, work_id).state)
        return found

    def row(self, work_id: UUID, *columns: str) -> Any:
        with sql.superuser(self.settings) as connection:
            found = connection.execute(f"select {', '.join(columns)} from work where id = %s", (work_id,)).fetchone()
        assert found is not None
        return found if len(columns) > 1 else found[0]

    def change(self, work_id: UUID, assignment: str) -> None:
        with sql.owner(self.settings) as connection:
            assert connection.execute(f"update work set {assignment} where id = %s", (work_id,)).rowcount == 1

    def alarms(self, work_id: UUID) -> list[str]:
        with sql.superuser(self.settings) as connection:
            query = "select kind from alarms where tenant_id = %s and subject_id = %s"
            return [kind for (kind,) in connection.execute(query, (self.tenant_id, work_id))]


@pytest.fixture
def errand(app: Flask, settings: Settings) -> Iterator[Errand]:
    made = Errand(settings)
    yield made
    with sql.owner(settings) as connection:
        connection.execute("delete from work where tenant_id = %s", (made.tenant_id,))


def business_now() -> datetime:
    return clock.now(platform.current())


# Scheduling --------------------------------------------------------------------------------------------------------


def test_work_is_done_once_and_stays_done(errand: Errand) -> None:
    work_id = errand.schedule()
    assert errand.perform(work_id) is Outcome.DONE
    assert errand.perform(work_id) is Outcome.NOT_NOW
    assert len(errand.recorded(work_id)) == len(errand.acted) == 1
    assert errand.row(work_id, "state", "leased_until", "error") == ("done", None, None)


def test_with_a_key_there_is_one_row_for_ever(errand: Errand) -> None:
    stream_id = new_id()
    first = errand.schedule(stream_id, key="reminder/1")
    assert errand.schedule(stream_id, key="reminder/1") == first
    assert errand.perform(first) is Outcome.DONE
    assert errand.schedule(stream_id, key="reminder/1") == first
    assert errand.row(first, "state") == "done"
    assert errand.schedule(stream_id, key="reminder/2") != first
    assert errand.schedule(new_id(), key="reminder/1") != first
    assert errand.schedule(stream_id) != errand.schedule(stream_id)


def test_work_stands_or_falls_with_the_command_that_asks_for_it(errand: Errand) -> None:
    asked: list[UUID] = []

    def command(tx: Transaction) -> None:
        asked.append(rows.schedule(tx, errand.kind, new_id()))
        raise Conflict("no")

    with pytest.raises(Conflict):
        write(tenant_scope(errand.tenant_id), CODE, command)
    assert errand.perform(asked[0]) is Outcome.NOT_NOW
    assert errand.acted == []


def test_what_is_due_now_is_offered_after_the_commit_and_what_is_due_later_is_not(errand: Errand, app: Flask) -> None:
    store, offered = platform.current().store, []
    store.offer = lambda tenant_id, work_id: offered.append((tenant_id, work_id, errand.row(work_id, "state")))
    try:
        now = errand.schedule()
        errand.schedule(due_at=business_now() + timedelta(hours=1))
        errand.schedule(offer=False)
    finally:
        store.offer = None
    assert offered == [(errand.tenant_id, now, "due")]


def test_nothing_is_wanted_any_more(errand: Errand) -> None:
    errand.look = lambda: None
    work_id = errand.schedule()
    assert errand.perform(work_id) is Outcome.DONE
    assert errand.acted == []
    assert errand.recorded(work_id) == ()


# The lease ---------------------------------------------------------------------------------------------------------


def test_of_many_who_claim_one_gets_the_lease(errand: Errand, app: Flask) -> None:
    work_id, leases, start = errand.schedule(), [], threading.Barrier(8)

    def claim() -> None:
        with app.app_context():
            start.wait(5)
            leases.append(errand.claim(work_id))

    _run([claim] * 8)
    assert len(leases) == 8
    [lease] = [found for found in leases if found]
    assert (lease.id, lease.lease_no, lease.attempts, lease.key) == (work_id, 1, 0, str(work_id))


def test_of_many_who_perform_one_does_it(errand: Errand, app: Flask) -> None:
    work_id, outcomes, start, go = errand.schedule(), [], threading.Barrier(8), threading.Event()
    errand.act = lambda work: go.wait(0.3)

    def perform() -> None:
        with app.app_context():
            start.wait(5)
            outcomes.append(errand.perform(work_id))

    _run([perform] * 8)
    assert Counter(outcomes) == {Outcome.DONE: 1, Outcome.NOT_NOW: 7}
    assert len(errand.recorded(work_id)) == len(errand.acted) == 1


def _run(calls: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
        assert not thread.is_alive()


def test_a_lease_that_ran_out_is_taken_over_with_a_higher_number_and_the_same_key(errand: Errand) -> None:
    work_id = errand.schedule()
    first = errand.claim(work_id, timedelta(seconds=-1))
    second = errand.claim(work_id)
    assert first is not None and second is not None
    assert (first.lease_no, second.lease_no) == (1, 2)
    assert first.key == second.key
    assert errand.claim(work_id) is None


def test_who_lost_the_lease_records_nothing(errand: Errand) -> None:
    """The slow one acts, is overtaken, and comes back with its answer."""
    slow = errand.act
    errand.lease = timedelta(seconds=-1)

    def overtaken(work: Work) -> str:
        errand.act = slow
        assert errand.perform(work.id) is Outcome.DONE
        return "too late"

    errand.act = overtaken
    work_id = errand.schedule()
    assert errand.perform(work_id) is Outcome.NOT_NOW
    assert [work.lease_no for work in errand.acted] == [1, 2]
    assert errand.recorded(work_id) == ("done",)
    assert errand.row(work_id, "state", "lease_no") == ("done", 2)


@pytest.mark.parametrize("error", [Retryable("busy"), Declined("no"), ValueError("a bug"), Conflict("no")], ids=repr)
def test_who_lost_the_lease_and_fails_changes_nothing(errand: Errand, error: Exception) -> None:
    taken_over: list[Work | None] = []

    def fail(work: Work) -> None:
        errand.change(work.id, "leased_until = now() - interval '1 second'")
        taken_over.append(errand.claim(work.id))
        raise error

    errand.act = fail
    work_id = errand.schedule()
    assert errand.perform(work_id) is Outcome.NOT_NOW
    assert taken_over[0] is not None
    assert errand.row(work_id, "state", "lease_no", "attempts", "error") == ("leased", 2, 0, None)
    assert errand.recorded(work_id) == ()
    assert errand.alarms(work_id) == []


def test_finishing_with_an_old_lease_is_an_error(errand: Errand) -> None:
    work_id = errand.schedule()
    first = errand.claim(work_id, timedelta(seconds=-1))
    errand.claim(work_id)
    assert first is not None
    endings: list[Callable[[Transaction], None]] = [
        lambda tx: rows.finish(tx, first),
        lambda tx: rows.finish(tx, first, waiting_until=tx.now),
        lambda tx: rows.postpone(tx, first, until=tx.now, error="x"),
        lambda tx: rows.bury(tx, first, error="x"),
    ]
    for end in endings:
        with pytest.raises(rows.LeaseLost):
            write(tenant_scope(errand.tenant_id), CODE, end)


def test_one_kind_of_work_for_one_stream_is_done_one_at_a_time(errand: Errand) -> None:
    stream_id = new_id()
    first, second, elsewhere = errand.schedule(stream_id), errand.schedule(stream_id), errand.schedule()
    lease = errand.claim(first)
    assert lease is not None
    with pytest.raises(rows.Busy):
        errand.claim(second)
    assert errand.perform(second) is Outcome.NOT_NOW
    assert errand.row(second, "state", "lease_no", "offered_at") == ("due", 0, None), "the next sweep hands it out again"
    assert errand.perform(elsewhere) is Outcome.DONE
    other_kind: UUID = write(tenant_scope(errand.tenant_id), CODE, rows.schedule, "another.kind", stream_id)
    assert errand.claim(other_kind) is not None
    write(tenant_scope(errand.tenant_id), CODE, rows.finish, lease)
    assert errand.perform(second) is Outcome.DONE


def test_work_of_another_tenant_cannot_be_performed(errand: Errand) -> None:
    work_id = errand.schedule()
    assert errand.performer().perform(new_id(), work_id) is Outcome.NOT_NOW
    assert errand.performer().perform(NETWORK, work_id) is Outcome.NOT_NOW
    assert errand.acted == []


def test_work_of_the_network_is_done_in_the_systems_scope(errand: Errand) -> None:
    errand.tenant_id = NETWORK
    work_id: UUID = write(work_scope(NETWORK), CODE, rows.schedule, errand.kind, new_id())
    assert errand.perform(work_id) is Outcome.DONE
    assert errand.row(work_id, "tenant_id", "state") == (NETWORK, "done")


# Failing, waiting, giving up ---------------------------------------------------------------------------------------


def test_a_failure_that_may_pass_is_tried_again_later_and_later(errand: Errand) -> None:
    errand.attempts = 4

    def busy(work: Work) -> None:
        raise Unavailable("busy")

    errand.act = busy
    work_id, pauses = errand.schedule(), []
    for attempt in (1, 2, 3):
        before = business_now()
        assert errand.perform(work_id) is Outcome.LATER
        assert errand.row(work_id, "state", "attempts", "error") == ("due", attempt, "unavailable")
        pauses.append((errand.row(work_id, "due_at") - before).total_seconds())
        assert errand.perform(work_id) is Outcome.NOT_NOW, "not before its time"
        errand.change(work_id, "due_at = created_at")
    for pause, least in zip(pauses, (5, 10, 20), strict=True):
        assert least - 1 <= pause <= 1.2 * least + 1
    assert errand.perform(work_id) is Outcome.DEAD
    assert errand.row(work_id, "state", "attempts", "error") == ("dead", 4, "unavailable")
    assert errand.recorded(work_id) == ("gave up: unavailable",)
    assert errand.alarms(work_id) == [f"work.{errand.kind}"]
    assert errand.perform(work_id) is Outcome.NOT_NOW


def test_a_provider_that_asks_for_more_time_gets_it(errand: Errand) -> None:
    def limited(work: Work) -> None:
        raise Retryable("rate limit", after=300)

    errand.act = limited
    work_id, before = errand.schedule(), business_now()
    assert errand.perform(work_id) is Outcome.LATER
    assert errand.row(work_id, "due_at") >= before + timedelta(seconds=300)


def test_pauses_grow_up_to_an_hour() -> None:
    reaction = Reaction("x", lambda tx, work: 1, lambda wanted, work: 1, lambda tx, work, wanted, outcome: None)
    assert [reaction.pause(attempts) for attempts in (0, 1, 2, 9, 10, 50)] == [5, 10, 20, 2560, 3600, 3600]


def test_rows_that_failed_together_do_not_come_back_together() -> None:
    reaction = timer("x", lambda tx, work: None)
    ids = [new_id() for _ in range(200)]
    pauses = [reaction.pause(3, work_id) for work_id in ids]
    assert pauses == [reaction.pause(3, work_id) for work_id in ids], "the same row pauses for the same time"
    assert len({round(pause, 2) for pause in pauses}) > 50
    assert 40 <= min(pauses) < max(pauses) <= 48


@pytest.mark.parametrize(
    ("error", "code"),
    [(Misconfigured("no key", field="secret_key"), "misconfigured: secret_key"), (Declined("no_such"), "declined: no_such"),
     (Conflict("the state has moved on", code="too_late"), "too_late")],
    ids=["misconfigured", "declined", "conflict"],
)  # fmt: skip
def test_what_can_never_work_is_given_up_at_once(errand: Errand, error: Exception, code: str) -> None:
    def fail(work: Work) -> None:
        raise error

    errand.act = fail
    work_id = errand.schedule()
    assert errand.perform(work_id) is Outcome.DEAD
    assert errand.recorded(work_id) == (f"gave up: {code}",)
    assert errand.row(work_id, "state", "error") == ("dead", code)
    assert errand.alarms(work_id) == [f"work.{errand.kind}"]


def test_what_must_not_be_lost_waits_until_settings_are_mended_and_the_operator_is_told(errand: Errand) -> None:
    def revoked(work: Work) -> None:
        raise Misconfigured("no key", field="secret_key")

    errand.act, errand.attempts = revoked, PATIENT
    work_id, before = errand.schedule(), business_now()
    assert errand.perform(work_id) is Outcome.LATER
    assert errand.row(work_id, "state", "attempts", "error") == ("due", 1, "misconfigured: secret_key")
    assert errand.row(work_id, "due_at") >= before + timedelta(minutes=15)
    assert errand.alarms(work_id) == [f"work.{errand.kind}"]
    errand.change(work_id, "due_at = created_at")
    errand.act = lambda work: "done"
    assert errand.perform(work_id) is Outcome.DONE
    errand.act = revoked
    last = errand.schedule()
    errand.change(last, f"attempts = {PATIENT - 1}")
    assert errand.perform(last) is Outcome.DEAD


def test_a_mistake_in_our_own_code_is_tried_again_and_tells_no_words(errand: Errand) -> None:
    def fail(work: Work) -> None:
        raise ValueError("Sarah Lindqvist")

    errand.act = fail
    work_id = errand.schedule()
    assert errand.perform(work_id) is Outcome.LATER
    assert errand.row(work_id, "error") == "valueerror"


def test_losing_a_race_for_a_stream_again_and_again_is_no_reason_to_give_up(errand: Errand) -> None:
    def stale(tx: Transaction, work: Work) -> None:
        raise StaleStream("somebody was faster")

    errand.record = stale
    work_id = errand.schedule()
    assert errand.perform(work_id) is Outcome.LATER
    assert errand.row(work_id, "state", "error") == ("due", "stale_stream")


def test_a_kind_that_nobody_knows_is_given_up_with_an_alarm(errand: Errand) -> None:
    work_id = errand.schedule()
    nobody = Performer(platform.current().store, Registry(), lease=LEASE)
    assert nobody.perform(errand.tenant_id, work_id) is Outcome.DEAD
    assert errand.alarms(work_id) == [f"work.{errand.kind}"]


def test_a_record_that_fails_leaves_nothing_of_itself(errand: Errand) -> None:
    def halfway(tx: Transaction, work: Work) -> None:
        tx.append((tx.load(PERFORMED, work.id), [Performed("halfway")]))
        raise Retryable("no")

    errand.record = halfway
    work_id = errand.schedule()
    assert errand.perform(work_id) is Outcome.LATER
    assert errand.recorded(work_id) == ()


def test_who_waits_is_not_done_and_looks_again_at_its_time(errand: Errand) -> None:
    until = business_now() + timedelta(minutes=5)
    errand.record = lambda tx, work: Waiting(until)
    work_id = errand.schedule()
    assert errand.perform(work_id) is Outcome.WAITING
    assert errand.row(work_id, "state", "attempts", "due_at", "offered_at") == ("due", 0, until, None)
    assert errand.perform(work_id) is Outcome.NOT_NOW


def test_who_waits_is_woken(errand: Errand) -> None:
    errand.record = lambda tx, work: Waiting(tx.now + timedelta(minutes=5))
    work_id = errand.schedule()
    assert errand.perform(work_id) is Outcome.WAITING
    assert errand.wake(work_id)
    errand.record = lambda tx, work: None
    assert errand.perform(work_id) is Outcome.DONE
    assert errand.wake(work_id) is False, "what is done stays done"
    assert errand.wake(new_id()) is False


def test_waking_offers_the_work(errand: Errand) -> None:
    work_id, store, offered = errand.schedule(due_at=business_now() + timedelta(hours=1)), platform.current().store, []
    store.offer = lambda tenant_id, work_id: offered.append((tenant_id, work_id))
    try:
        assert errand.wake(work_id)
    finally:
        store.offer = None
    assert offered == [(errand.tenant_id, work_id)]


@pytest.mark.parametrize("ending", ["waits", "fails"])
def test_who_is_woken_while_being_performed_looks_again_at_once(errand: Errand, ending: str) -> None:
    """A notice that comes while we ask the provider is about something that this answer may not contain."""

    def act(work: Work) -> str:
        if len(errand.acted) == 1:
            assert errand.wake(work.id)
            if ending == "fails":
                raise Retryable("no answer", after=3600)
        return "done"

    errand.act = act
    errand.record = lambda tx, work: Waiting(tx.now + timedelta(hours=1)) if len(errand.acted) == 1 else None
    work_id = errand.schedule()
    assert errand.perform(work_id) is (Outcome.WAITING if ending == "waits" else Outcome.LATER)
    assert errand.row(work_id, "offered_at") is None, "the sweeper may hand it out"
    assert errand.perform(work_id) is Outcome.DONE
    assert len(errand.acted) == 2


def test_a_wake_counts_once(errand: Errand) -> None:
    errand.record = lambda tx, work: Waiting(tx.now + timedelta(hours=1))
    work_id = errand.schedule()
    errand.wake(work_id)
    assert errand.perform(work_id) is Outcome.WAITING
    assert errand.row(work_id, "due_at") > business_now() + timedelta(minutes=50)


def test_a_timer_runs_its_command_and_nothing_outside(errand: Errand) -> None:
    registry, seen = Registry(), []
    registry.add(timer(errand.kind, lambda tx, work: seen.append((tx.scope.tenant_id, work.stream_id))))
    stream_id = new_id()
    work_id = errand.schedule(stream_id)
    performer = Performer(platform.current().store, registry, lease=LEASE)
    assert performer.perform(errand.tenant_id, work_id) is Outcome.DONE
    assert seen == [(errand.tenant_id, stream_id)]


def test_two_reactions_of_one_name_are_refused() -> None:
    registry = Registry()
    registry.add(timer("x", lambda tx, work: None))
    with pytest.raises(ValueError, match="two reactions are named"):
        registry.add(timer("x", lambda tx, work: None))


# The sweeper -------------------------------------------------------------------------------------------------------


def sweep(idle: timedelta = IDLE) -> list[UUID]:
    found: list[UUID] = []
    sweeper.sweep(platform.current().store, lambda tenant_id, work_id: found.append(work_id), idle=idle)
    return found


def test_the_sweeper_hands_out_what_is_due_and_was_not_taken(errand: Errand) -> None:
    forgotten, fresh, later = errand.schedule(), errand.schedule(), errand.schedule(due_at=business_now() + timedelta(hours=1))
    errand.change(forgotten, "offered_at = now() - interval '31 seconds'")
    found = sweep()
    assert forgotten in found
    assert fresh not in found, "it was just put into the queue"
    assert later not in found
    assert forgotten not in sweep(), "not again before it was idle"
    assert {forgotten, fresh} <= set(sweep(timedelta()))


def test_the_sweeper_hands_out_a_timer_as_soon_as_it_is_due(errand: Errand) -> None:
    work_id = errand.schedule(due_at=business_now() + timedelta(milliseconds=300))
    assert work_id not in sweep()
    assert wait_until(lambda: work_id in sweep(), 3)


def test_the_sweeper_leaves_alone_what_is_being_done_and_done(errand: Errand) -> None:
    leased, done, dead, lost = (errand.schedule() for _ in range(4))
    errand.claim(leased)
    errand.perform(done)
    errand.change(dead, "state = 'dead'")
    errand.claim(lost, timedelta(seconds=-1))
    found = sweep(timedelta())
    assert lost in found, "whoever had it is gone"
    assert not {leased, done, dead} & set(found)


def test_of_two_sweepers_one_sweeps(errand: Errand, app: Flask, settings: Settings) -> None:
    work_id = errand.schedule()
    with sql.superuser(settings, autocommit=False) as connection:
        connection.execute("select pg_advisory_xact_lock(hashtextextended('fxo/sweeper', 0))")
        assert sweep(timedelta()) == []
    assert work_id in sweep(timedelta())
    found: list[UUID] = []

    def run() -> None:
        with app.app_context():
            found.extend(each for each in sweep() if each == again)

    again = errand.schedule()
    errand.change(again, "offered_at = null")
    _run([run] * 4)
    assert found == [again]


def test_a_failed_offer_is_left_to_the_next_round(errand: Errand) -> None:
    work_id = errand.schedule()
    sweeper.sweep(platform.current().store, lambda tenant_id, work_id: False, idle=timedelta())
    errand.change(work_id, "offered_at = offered_at - interval '31 seconds'")
    assert work_id in sweep()


def test_a_queue_that_cannot_be_reached_is_counted_and_loses_nothing(errand: Errand) -> None:
    carrier, store = Carrier(f"redis://127.0.0.1:{free_port()}", "nobody.performs"), platform.current().store
    store.offer = carrier.offer
    try:
        ids = [errand.schedule() for _ in range(3)]
    finally:
        store.offer = None
    assert carrier.failed == 3
    assert {errand.row(work_id, "state") for work_id in ids} == {"due"}
    assert set(ids) <= set(sweep(timedelta()))


def test_what_the_queue_carries_is_two_ids_and_no_more(errand: Errand, servers: Given) -> None:
    carrier = Carrier(servers.redis_url, "nobody.performs", prefix=f"test-{new_id().hex}")
    work_id = errand.schedule(body={"message": "secret"})
    assert carrier.offer(errand.tenant_id, work_id)
    [job] = carrier.queue.get_jobs()
    assert list(job.args) == [str(errand.tenant_id), str(work_id)]
    assert (job.kwargs, job.retries_left) == ({}, None)
    carrier.queue.delete(delete_jobs=True)


# Two clocks --------------------------------------------------------------------------------------------------------


def test_work_falls_due_by_business_time_and_a_lease_ends_by_real_time(errand: Errand) -> None:
    """Runs last in this file: business time never goes back."""
    work_id, leased = errand.schedule(due_at=business_now() + timedelta(days=2)), errand.schedule()
    assert errand.claim(leased) is not None
    assert errand.perform(work_id) is Outcome.NOT_NOW
    clock.move_by(platform.current(), timedelta(days=3))
    assert work_id in sweep()
    assert errand.perform(work_id) is Outcome.DONE
    assert errand.claim(leased) is None, "three days of business time are no reason to take over a lease"
    assert leased not in sweep(timedelta())
    assert errand.row(work_id, "done_at") > system_now() + timedelta(days=2)
    assert errand.row(leased, "leased_until") < system_now() + LEASE
