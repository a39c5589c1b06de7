"""Every reaction, and a worker that dies before, after and behind it: afterwards there is one outcome and one effect."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from fxo.core.calendars.model import meeting_id_of
from fxo.core.clients import commands as clients
from fxo.core.consultations import changes
from fxo.core.consultations import model as consultation
from fxo.core.consultations.model import CONSULTATION, Party
from fxo.core.events.store import Transaction
from fxo.core.payments import commands as payments
from fxo.core.payments import queries as payment_rows
from fxo.core.payments.queries import payment_id_of
from fxo.core.payments.wallet import wallet_id_of
from fxo.core.scope import CODE, Actor
from tests.chaos.test_killed_over_channels import KINDS
from tests.chaos.test_killed_over_money import SCENES
from tests.chaos.worker import AFTER, BEFORE, COMMITTED, Death, Listener
from tests.conftest import Databases, Given
from tests.support.flow import ASKS, FAILS_LATER, WORKS
from tests.support.processes import Processes
from tests.support.world import World, world

POINTS = (BEFORE, AFTER, COMMITTED)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True)
class Aftermath:
    """What is left when a whole story was told by workers that die at every step."""

    world: World
    death: Death
    listener: Listener

    def count(self, query: str, **values: object) -> Counter[str]:
        return Counter(dict(self.world.rows(query, **values)))

    def events_of(self, work_id: UUID) -> list[str]:
        """The types of the events that this work has caused."""
        found = self.world.rows("select type from events where meta->>'causation' = %(id)s order by type", id=str(work_id))
        return [row[0] for row in found]


Effects = Callable[[Aftermath, UUID, UUID], Counter[str]]
"""What happened outside: of the story, for a work's id and its stream."""


def at_the_card_network(after: Aftermath, work_id: UUID, stream_id: UUID) -> Counter[str]:
    query = "select kind, count(*) from plugin_payments_sandbox.effects where key = %(key)s group by kind"
    return after.count(query, key=str(work_id))


def of_the_payment(after: Aftermath, work_id: UUID, stream_id: UUID) -> Counter[str]:
    """A step has a key of its own, which follows from the payment."""
    query = (
        "select kind, count(*) from plugin_payments_sandbox.effects e join payments p on p.provider_reference = e.attempt"
        " where p.id = %(id)s and kind not in ('hold', 'save') group by kind"
    )
    return after.count(query, id=stream_id)


def of_the_attempt(after: Aftermath, work_id: UUID, stream_id: UUID) -> Counter[str]:
    query = (
        "select e.kind, count(*) from plugin_payments_sandbox.effects e join plugin_payments_sandbox.attempts a"
        " on a.reference = e.attempt join work w on w.body ->> 'order_reference' = a.order_reference where w.id = %(id)s"
        " group by e.kind"
    )
    return after.count(query, id=work_id)


def in_the_calendar(after: Aftermath, work_id: UUID, stream_id: UUID) -> Counter[str]:
    query = "select 'meeting', count(*) from plugin_calendar_local.meetings where reference = %(reference)s"
    return after.count(query, reference=str(meeting_id_of(stream_id)))


def in_the_outbox(after: Aftermath, work_id: UUID, stream_id: UUID) -> Counter[str]:
    query = "select 'mail', count(*) from plugin_notifications_email.outbox where message_id = %(id)s"
    return after.count(query, id=str(work_id))


def in_the_wallet(after: Aftermath, work_id: UUID, stream_id: UUID) -> Counter[str]:
    query = (
        "select 'forgotten', count(*) from plugin_payments_sandbox.methods m join work w on w.body ->> 'reference' = m.reference"
        " where w.id = %(id)s and m.forgotten_at is not null"
    )
    return after.count(query, id=work_id)


def of_somebody_in_the_outbox(after: Aftermath, work_id: UUID, stream_id: UUID) -> Counter[str]:
    query = (
        "select case m.to_address when '' then 'emptied' else 'kept' end, count(distinct d.recipient_id) from deliveries d"
        " join plugin_notifications_email.outbox m on m.message_id = d.id::text where d.recipient_id = %(id)s group by 1"
    )
    return after.count(query, id=stream_id)


def at_the_listener(after: Aftermath, work_id: UUID, stream_id: UUID) -> Counter[str]:
    return Counter(told=after.listener.told(stream_id))


def in_the_operators_queue(after: Aftermath, work_id: UUID, stream_id: UUID) -> Counter[str]:
    return after.count("select kind, count(*) from alarms where subject_id = %(id)s group by kind", id=stream_id)


def none(after: Aftermath, work_id: UUID, stream_id: UUID) -> Counter[str]:
    """A timer touches nothing outside."""
    return Counter()


@dataclass(frozen=True)
class Expected:
    """What one piece of work leaves behind, whoever died over it."""

    events: tuple[str, ...]
    effects: Mapping[str, int] = field(default_factory=dict)
    outside: Effects = none
    each_time: bool = False
    """Whether it has no key to be known by, so that it happens each time somebody gets as far as the call."""


EXPECTED: dict[str, Expected] = {
    "consultations.release": Expected(("consultation.released",)),
    "consultations.start": Expected(("consultation.started",)),
    "consultations.close": Expected(("consultation.closed",)),
    "payments.authorise": Expected(("consultation.confirmed", "payment.authorised"), {"hold": 1, "save": 1}, at_the_card_network),
    "payments.save_card": Expected(("consultation.confirmed", "payment.card_saved"), {"save": 1}, at_the_card_network),
    "payments.authorise_saved": Expected(("payment.authorised",), {"hold": 1}, at_the_card_network),
    "payments.give_up": Expected(("consultation.cancelled", "payment.abandoned"), {}, at_the_card_network),
    "payments.keep_fee": Expected(("payment.due",)),
    "payments.settle": Expected(("payment.captured",), {"capture": 1}, of_the_payment),
    "payments.end_attempt": Expected((), {"void": 1}, of_the_attempt),
    "payments.forget_card": Expected((), {"forgotten": 1}, in_the_wallet),
    "hooks.forget": Expected((), {"emptied": 1}, of_somebody_in_the_outbox),
    "calendars.sync_meeting": Expected(("meeting.created",), {"meeting": 1}, in_the_calendar),
    "calendars.check_link": Expected((), {"meeting.no_link": 1}, in_the_operators_queue),
    "mail": Expected(("notification.delivered",), {"mail": 1}, in_the_outbox),
    "hooks.announce": Expected((), {"told": 1}, at_the_listener, each_time=True),
}


@pytest.fixture(scope="module")
def after(databases: Databases, servers: Given, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    """The story is told once for all tests of this module, with each booking three times: one for each point of death."""
    folder = tmp_path_factory.mktemp("killed")
    listener, death = Listener(folder), Death(folder)
    values = {"redis_url": servers.redis_url, "lease_seconds": 2, "idle_seconds": 0.3, "sweep_seconds": 0.1}
    with world(databases, extra_plugins=(listener,), **values) as here, Processes(here.settings, folder) as children:
        story = Story(here, death)
        for number in (1, 2):
            children.start(f"worker-{number}", sys.executable, "-m", "tests.chaos.worker", folder)
        children.sweeper()
        story.tell()
        yield Aftermath(here, death, listener)


class Story:
    """Bookings of every kind, and who dies over which."""

    def __init__(self, here: World, death: Death) -> None:
        self.world = here
        self.clients: dict[UUID, Actor] = {}
        self.tomorrow = here.next_hour() + DAY
        self.abandoned = self.book(3 * DAY, pay=False)
        self.without_link = self.book(1 * DAY)
        self.done = self.book(2 * DAY)
        self.cancelled = self.book(3 * DAY + 3 * HOUR)
        self.unanswered = self.book(4 * DAY, number=ASKS)
        self.later = self.book(19 * DAY)
        self.refused = self.book(19 * DAY + 3 * HOUR, number=FAILS_LATER)
        self.lose_links()
        death.plan(
            {
                (kind, stream_id): point
                for kinds, streams in (
                    (("consultations.release",), self.abandoned),
                    (("calendars.check_link",), self.without_link),
                    (("consultations.start", "consultations.close"), self.done),
                    (("calendars.sync_meeting", "hooks.announce", "mail"), self.done),
                    (("payments.authorise", "payments.settle"), map(payment_id_of, self.done)),
                    (("payments.keep_fee",), map(payment_id_of, self.cancelled)),
                    (("payments.end_attempt",), map(payment_id_of, self.unanswered)),
                    (("payments.save_card", "payments.authorise_saved"), map(payment_id_of, self.later)),
                    (("payments.give_up",), map(payment_id_of, self.refused)),
                    (("payments.forget_card",), [wallet_id_of(client.id) for client in self.leaving]),
                    (("hooks.forget",), [client.id for client in self.leaving]),
                )
                for stream_id, point in zip(streams, POINTS, strict=True)
                for kind in kinds
            }
        )

    def book(self, ahead: timedelta, *, pay: bool = True, number: str = WORKS) -> list[UUID]:
        """Three sessions of three clients, one after the other; a worker asks their bank."""
        booked = []
        for place in range(3):
            client = self.world.newcomer()
            booked.append(self.world.hold("ines", self.tomorrow + ahead + place * HOUR, by=client))
            self.clients[booked[-1]] = client
            if pay:
                self.world.ask_to_pay(booked[-1], number, by=client)
        return booked

    @property
    def leaving(self) -> list[Actor]:
        """The clients of the sessions that are done, who leave afterwards."""
        return [self.clients[booked] for booked in self.done]

    def leave(self, client: Actor) -> None:
        """They remove their card, and ask to be forgotten."""

        def cards(tx: Transaction) -> list[UUID]:
            return [card.id for card in payment_rows.cards(tx, client.id)]

        for card_id in self.world.run(client, cards):
            self.world.run(client, payments.remove_card, card_id)
        self.world.until_quiet()
        self.world.run(client, clients.erase, client.id)

    def lose_links(self) -> None:
        """These are booked, and every try to make their meetings has failed."""
        for payment_id in map(payment_id_of, self.without_link):
            ((work_id,),) = self.world.rows("select id from work where stream_id = %(id)s", id=payment_id)
            self.world.parts.performer.perform(self.world.config.id, work_id)

        def bury(tx: Transaction) -> None:
            tx.driver.execute(
                "update work set state = 'dead' where kind = 'calendars.sync_meeting' and stream_id = any(%s)",
                (self.without_link,),
            )

        self.world.run(CODE, bury)

    def cancel(self, tx: Transaction, consultation_id: UUID) -> None:
        booking = tx.load(CONSULTATION, consultation_id)
        tx.append((booking, changes.cancel(booking.state, changes.Cancel(Party.CLIENT, "other", waived=True), tx.now)))

    def tell(self) -> None:
        here = self.world
        here.until_quiet()
        for consultation_id in self.cancelled:
            here.run(CODE, self.cancel, consultation_id)
        here.until_quiet()
        self.skip_to(self.tomorrow + 1 * DAY)  # two hours before the last of those without a link
        self.skip_to(self.tomorrow + 2 * DAY + 2 * HOUR)
        for consultation_id in self.done:
            here.complete(consultation_id, "ines")
        self.skip_to(here.now + consultation.UNDO)
        for client in self.leaving:
            self.leave(client)
        here.until_quiet()
        self.skip_to(self.tomorrow + 2 * DAY + 4 * HOUR)  # a day after those without a link, which nobody has completed
        self.skip_to(here.now + consultation.UNDO)
        for hours in (72, 48, 24):
            self.skip_to(self.tomorrow + 19 * DAY + timedelta(hours=5, minutes=1) - timedelta(hours=hours))

    def skip_to(self, moment: datetime) -> None:
        self.world.move_clock(moment)
        self.world.until_quiet()


def test_every_reaction_has_its_scenario(after: Aftermath) -> None:
    assert {*EXPECTED, *SCENES, *KINDS} == set(after.world.parts.registry.kinds())


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("kind", EXPECTED)
def test_a_killed_worker_leaves_one_outcome_and_one_effect(after: Aftermath, kind: str, point: str) -> None:
    expected, work_id = EXPECTED[kind], after.death.work_id(kind, point)
    assert work_id, "no worker was killed here"
    ((stream_id, state, lease_no),) = after.world.rows(
        "select stream_id, state, lease_no from work where id = %(id)s", id=work_id
    )
    assert state == "done"
    assert (lease_no > 1) == (point != COMMITTED)
    assert after.events_of(work_id) == list(expected.events)
    calls = lease_no - (point == BEFORE) if expected.each_time else 1
    assert expected.outside(after, work_id, stream_id) == {name: count * calls for name, count in expected.effects.items()}


def test_nothing_is_left_and_nothing_else_was_given_up(after: Aftermath) -> None:
    assert after.world.due() == []
    dead = after.world.rows("select kind from work where state = 'dead'")
    assert dead == [("calendars.sync_meeting",)] * 3
    assert set(after.world.rows("select kind from alarms")) == {("meeting.no_link",)}


def test_all_in_all_each_thing_happened_once_outside(after: Aftermath) -> None:
    at_once, saved, later = 9, 6, 3  # cards authorised at checkout; cards saved; saved cards that the bank accepts later
    effects = after.count("select kind, count(*) from plugin_payments_sandbox.effects group by kind")
    assert effects == {
        "hold": at_once + later,
        "save": at_once + saved,
        "capture": 6,  # three that their expert completed, three that a day without a word did
        "void": 6,  # three that were cancelled, three that nobody confirmed
    }
    assert after.count("select 'all', count(*) from plugin_calendar_local.meetings") == {"all": at_once + saved}
    repeated = after.world.rows(
        "select kind, count(*) from plugin_notifications_email.outbox where right(kind, 7) = '_client' and to_address <> ''"
        " group by kind, to_address having count(*) > 1"
    )
    assert repeated == [("card_refused_client", 2)] * 3  # at T-72 h and at T-48 h


def test_what_was_taken_is_on_the_ledger_once_and_sums_to_zero(after: Aftermath) -> None:
    taken = after.world.rows("select count(*) from plugin_payments_sandbox.effects where kind = 'capture'")
    posted = after.world.rows("select count(distinct event_id), sum(amount_minor) from postings")
    assert taken == [(6,)]
    assert posted == [(6, 0)]
