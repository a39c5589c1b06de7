"""Hard case 4: twenty clients of two tenants want one hour of one partner, and somebody's expired hold lies in the way."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Barrier

import pytest

from fxo.core.scope import TenantConfig
from fxo.embedded.processes import free_port
from tests.conftest import PASSWORD, Databases, Given, add_member, add_tenant
from tests.support.browser import Page
from tests.support.flow import booking_of, choice, pay, sign_in
from tests.support.processes import Processes, Visitor
from tests.support.world import World, world

CLIENTS, ROUNDS = 20, 10
HALF_AN_HOUR = timedelta(minutes=30)


@dataclass(frozen=True)
class Answer:
    """What choosing the slot came to, and how many seconds that took."""

    page: Page
    seconds: float


class Rivals:
    """Ten people of each tenant, each signed in with a browser of their own, who press the button at the same moment."""

    def __init__(self, here: World, other: TenantConfig, children: Processes) -> None:
        self.world = here
        self.starts = [here.next_hour() + timedelta(hours=12 + 4 * number) for number in range(ROUNDS)]
        self.people: list[Visitor] = []
        for number in range(CLIENTS):
            config, label = ((here.config, "fortium"), (other, "globex"))[number % 2]
            mail = f"client{number}@{label}.example"
            add_member(config, mail, name=f"Client {number}")
            person = children.visit(label)
            sign_in(person, mail, PASSWORD)
            self.people.append(person)
        self.pages = [person.get("/") for person in self.people]
        self.threads = ThreadPoolExecutor(CLIENTS)

    def race(self, start: datetime) -> list[Answer]:
        """Every second one of each tenant wants the hour at `start`, the others the one that begins half an hour later."""
        barrier = Barrier(CLIENTS)

        def run(number: int) -> Answer:
            wanted = start + HALF_AN_HOUR * (number // 2 % 2)
            chosen = choice(self.pages[number], self.world.partners["dana"], wanted)
            barrier.wait(30)
            begun = time.monotonic()
            page = self.people[number].post("/holds", chosen)
            return Answer(page, time.monotonic() - begun)

        return list(self.threads.map(run, range(CLIENTS)))


@pytest.fixture(scope="module")
def rivals(databases: Databases, servers: Given, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rivals]:
    folder = tmp_path_factory.mktemp("race")
    with (
        world(databases, port=free_port(), redis_url=servers.redis_url, web_processes=2, web_threads=24) as here,
        Processes(here.settings, folder) as children,
    ):
        shared = [here.partners["dana"], here.partners["ines"]]
        other = add_tenant("globex", "Globex Expert Desk", 72_000, shared, mail_domains=("globex.example",))
        children.web()
        made = Rivals(here, other, children)
        leave_expired_holds(here, other, made.starts)
        yield made
        made.threads.shutdown()
        assert children.errors("web") == []


def leave_expired_holds(here: World, other: TenantConfig, starts: list[datetime]) -> None:
    """In each round's time lies a hold that has run out, of one tenant and the other by turns; nobody has cleared it away."""
    for number, start in enumerate(starts):
        config, label = ((here.config, "fortium"), (other, "globex"))[number % 2]
        client = here.newcomer(config, label)
        here.hold("dana", start + HALF_AN_HOUR * (number // 2 % 2), by=client, at=config)
    here.move_clock(here.now + timedelta(minutes=11))
    left = here.rows("select count(*) from partner_time where expires_at is not null")
    assert left == [(ROUNDS,)]


@pytest.mark.parametrize("number", range(ROUNDS))
def test_one_gets_the_time_and_the_others_get_alternatives(rivals: Rivals, number: int) -> None:
    here, start = rivals.world, rivals.starts[number]
    dana, paid_before = str(here.partners["dana"]), attempts_at_money(here)
    answers = rivals.race(start)
    assert Counter(answer.page.status for answer in answers) == {303: 1, 409: CLIENTS - 1}
    assert attempts_at_money(here) == paid_before
    for answer in answers:
        if answer.page.status == 409:
            offered = [slot["partner"] for slot in answer.page.slots()]
            assert "That time has just gone" in answer.page.words
            assert offered.count(dana) == 3
            assert len(offered) > 3
            assert answer.seconds < 1

    ((person, landed),) = [each for each in zip(rivals.people, answers, strict=True) if each[1].page.status == 303]
    session = person.follow(pay(person, person.follow(landed.page)))
    assert "Booked" in session.words
    assert attempts_at_money(here) == paid_before + 1
    overlapping = here.rows(
        "select t.consultation_id, t.expires_at, c.state from partner_time t join consultations c on c.id = t.consultation_id"
        " where t.partner_id = %(partner)s and t.during && tstzrange(%(start)s, %(start)s + interval '90 minutes')",
        partner=dana, start=start,
    )  # fmt: skip
    assert overlapping == [(booking_of(landed.page.location), None, "confirmed")]


def test_the_race_made_one_payment_a_round_and_no_deadlock(rivals: Rivals, servers: Given) -> None:
    here = rivals.world
    assert here.rows("select state, count(*) from consultations where state <> 'held' group by state") == [("confirmed", ROUNDS)]
    assert here.rows("select count(*) from payments") == [(ROUNDS,)]
    assert here.rows("select count(*) from plugin_payments_sandbox.attempts") == [(ROUNDS,)]
    assert here.rows("select deadlocks from pg_stat_database where datname = current_database()") == [(0,)]
    assert "deadlock detected" not in servers.log.read_text()


def attempts_at_money(here: World) -> int:
    """How many payment objects there are, here and at the card network."""
    ((count,),) = here.rows("select (select count(*) from payments) + (select count(*) from plugin_payments_sandbox.attempts)")
    return int(count) // 2
