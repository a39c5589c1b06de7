"""Redis forgets everything again and again, dies, stays away: all happens, and happens once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from uuid import UUID

import psutil
import redis

from fxo.core.calendars.model import meeting_id_of
from fxo.core.consultations import model as consultation
from fxo.core.payments.queries import payment_id_of
from fxo.embedded import Servers
from fxo.embedded.processes import wait_until
from tests.chaos.conftest import Own, Site
from tests.conftest import PASSWORD
from tests.support.flow import booking_of, hold, pay, shortlist, sign_in
from tests.support.processes import Visitor

SARAH = "sarah@lindqvist.example"
BOTH = ("client", "partner")


@contextmanager
def flushed(url: str, every: float) -> Iterator[None]:
    """Redis is emptied all the time, whatever anybody is doing."""
    over, times = threading.Event(), 0

    def flush() -> None:
        nonlocal times
        with redis.Redis.from_url(url) as client:
            while not over.wait(every):
                client.flushall()
                times += 1

    thread = threading.Thread(target=flush)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert times > 10


def signed_in(site: Site, label: str, mail: str) -> Visitor:
    person = site.children.visit(label)
    sign_in(person, mail, PASSWORD)
    return person


def booked(person: Visitor, slot: dict[str, str]) -> UUID:
    """Book this time and see that it is booked."""
    landed = pay(person, person.follow(hold(person, slot)))
    session = person.follow(landed)
    assert "Booked" in session.words
    return booking_of(landed.location)


def in_two_days(site: Site, slot: dict[str, str]) -> dict[str, str]:
    """The same choice for a later time, so that both reminders lie ahead."""
    return slot | {"slot": (site.world.next_hour() + timedelta(days=2)).isoformat()}


def whole_flow(site: Site, away: Callable[[], AbstractContextManager[None]] = nullcontext) -> UUID:
    """From a brief to a rating over the pages; the clock goes on to each thing that is to happen.

    What people do, they do while something is `away`; what follows by itself is waited for afterwards.
    """
    here, sarah = site.world, signed_in(site, "fortium", SARAH)
    with away():
        slot = next(each for each in shortlist(sarah).slots() if each["partner"] == str(here.partners["dana"]))
        booking_id = booked(sarah, in_two_days(site, slot))
    ((start,),) = here.rows("select starts_at from consultations where id = %(id)s", id=booking_id)
    here.until_quiet()
    for before in (timedelta(hours=24), timedelta(hours=1), timedelta()):
        here.move_clock(start - before)
        here.until_quiet()
    path = f"/sessions/{booking_id}"
    with away():
        dana = signed_in(site, "partners", "dana@partners.example")
        assert dana.submit(dana.get(path), f"{path}/complete").status == 303
    here.move_clock(here.now + consultation.UNDO)
    here.until_quiet()
    with away():
        assert "Completed and paid" in sarah.get(path).words
        assert sarah.submit(sarah.get(path), f"{path}/rating", stars="5", text="Clear and quick.").status == 303
    here.until_quiet()
    return booking_id


def assert_once(site: Site, booking_id: UUID) -> None:
    """Each thing of a whole flow has happened, and once: mails, meeting, money, ledger."""
    ids = {"booking": booking_id, "payment": payment_id_of(booking_id), "meeting": str(meeting_id_of(booking_id))}

    def counts(query: str) -> dict[str, int]:
        return dict(site.world.rows(query, **ids))

    mails = counts(
        "select m.kind, count(*) from plugin_notifications_email.outbox m join work w on w.id::text = m.message_id"
        " where w.stream_id = %(booking)s group by m.kind"
    )
    kinds = ("booking_confirmed", "reminder_24h", "reminder_1h", "payment_received")
    assert mails == {f"{kind}_{reader}": 1 for kind in kinds for reader in ("client", "partner")}
    assert counts("select 'meeting', count(*) from plugin_calendar_local.meetings where reference = %(meeting)s") == {
        "meeting": 1
    }
    effects = counts(
        "select e.kind, count(*) from plugin_payments_sandbox.effects e join payments y on y.provider_reference = e.attempt"
        " where y.id = %(payment)s group by e.kind"
    )
    assert effects == {"hold": 1, "save": 1, "capture": 1}
    events = counts("select type, count(*) from events where stream_id in (%(booking)s, %(payment)s) group by type")
    of_booking = {f"consultation.{happened}": 1 for happened in ("held", "confirmed", "started", "completed", "closed")}
    of_payment = {f"payment.{happened}": 1 for happened in ("requested", "authorised", "due", "captured", "receipt_issued")}
    assert events == of_booking | of_payment
    posted = site.world.rows(
        "select count(distinct event_id), sum(amount_minor) from postings where consultation_id = %(booking)s", **ids
    )
    assert posted == [(1, 0)]


@contextmanager
def killed(servers: Servers) -> Iterator[None]:
    """Redis ends as in a power cut, and is started again, empty, at the end."""
    process = psutil.Process(servers.pids["valkey"])
    process.kill()
    process.wait(10)
    try:
        yield
    finally:
        servers.restart_valkey()


def test_the_main_flow_goes_through_while_redis_is_flushed_all_the_time(site: Site, own: Own) -> None:
    with flushed(own.servers.redis_url, every=0.1):
        booking_id = whole_flow(site)
    assert_once(site, booking_id)


def test_all_that_people_do_works_while_redis_is_dead_and_the_rest_follows_when_it_is_back(site: Site, own: Own) -> None:
    booking_id = whole_flow(site, away=lambda: killed(own.servers))
    assert_once(site, booking_id)


def test_redis_that_is_away_is_told_and_no_reason_to_be_unready(site: Site, own: Own) -> None:
    assert site.children.ask("/readyz").json()["checks"]["redis"] == "ok"
    with killed(own.servers):
        told = site.children.ask("/readyz")
        assert told.status_code == 200
        assert told.json()["checks"]["redis"] == "ConnectionError"
    assert wait_until(lambda: site.children.ask("/readyz").json()["checks"]["redis"] == "ok", 10)


def test_redis_that_hangs_holds_up_a_booking_for_a_moment_only(site: Site, own: Own) -> None:
    sarah = signed_in(site, "fortium", SARAH)
    slot = shortlist(sarah).slots()[0]
    process = psutil.Process(own.servers.pids["valkey"])
    process.suspend()
    begun = time.monotonic()
    try:
        booked(sarah, slot)
    finally:
        process.resume()
    assert time.monotonic() - begun < 6
    site.world.until_quiet()


def test_none_of_that_was_an_error(site: Site) -> None:
    assert {name: site.children.errors(name) for name in ("web", "worker", "sweeper")} == {"web": [], "worker": [], "sweeper": []}
