"""PostgreSQL crashes and comes back under running processes: a calm page meanwhile, then all goes on, nothing lost or doubled."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from uuid import UUID

import flask
import psutil

from fxo.core.process import LINK_GRACE
from fxo.embedded import Servers
from fxo.embedded.processes import wait_until
from tests.chaos.conftest import Own, Site
from tests.conftest import PASSWORD, add_member
from tests.support.browser import Page, Person
from tests.support.flow import CARD, booking_of, choice, sign_in
from tests.support.plugins import plugin
from tests.support.world import world

CLIENTS, CRASHES = 6, 3


def crash(servers: Servers) -> None:
    """Every process of PostgreSQL ends at once."""
    postmaster = psutil.Process(servers.pids["postgres"])
    everyone = [postmaster, *postmaster.children(recursive=True)]
    for process in everyone:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(everyone, 10)


@contextmanager
def crashed(servers: Servers) -> Iterator[None]:
    """It crashes, and is started again at the end."""
    crash(servers)
    try:
        yield
    finally:
        servers.restart_postgres()


def test_pages_say_so_while_it_is_away_and_work_again_afterwards(site: Site, own: Own) -> None:
    sarah = site.children.visit("fortium")
    sign_in(sarah, "sarah@lindqvist.example", PASSWORD)
    with crashed(own.servers):
        for path in ("/", "/sessions", "/sign-in"):
            page = sarah.get(path)
            assert page.status == 503
            assert "We are catching our breath" in page.words
            assert "Traceback" not in page.text
        assert sarah.get("/", Accept="application/json").headers["Content-Type"] == "application/problem+json"
        assert site.children.ask("/healthz").status_code == 200
        told = site.children.ask("/readyz")
        assert told.status_code == 503
        assert set(told.json()["checks"].values()) == {"OperationalError", "ok"}
        assert told.json()["checks"]["redis"] == "ok"
    assert wait_until(lambda: site.children.answers("/readyz"), 10)
    answers = [sarah.get("/sessions") for _ in range(20)]  # from both processes
    assert {page.status for page in answers} == {200}
    assert "Sarah Lindqvist" in answers[0].text


def test_a_form_in_whose_middle_it_crashes_can_be_sent_again_at_once(own: Own) -> None:
    crashes = [own.servers]

    def fxo_booking_requested() -> None:
        if crashes:
            crash(crashes.pop())

    bystander = plugin("booking_bystander", fxo_booking_requested=fxo_booking_requested)
    with world(own.databases, extra_plugins=(bystander,)) as here:
        sarah = Person(flask.current_app, "fortium.localhost")
        sign_in(sarah, "sarah@lindqvist.example", PASSWORD)
        slot = choice(sarah.get("/"), here.partners["ines"], here.next_hour() + timedelta(days=1))
        assert sarah.post("/holds", slot).status == 503
        own.servers.restart_postgres()
        begun = time.monotonic()
        assert sarah.post("/holds", slot).status == 303
        assert time.monotonic() - begun < 10
        assert here.rows("select state from consultations") == [("held",)]


class Persistent:
    """A client who books one hour after the other, tries again, and goes on from where the pages lead, whatever happens."""

    def __init__(self, site: Site, number: int) -> None:
        self.ines = site.world.partners["ines"]
        self.first = site.world.next_hour() + timedelta(days=1, hours=1 + number)  # no reminder falls due on the way
        mail = f"client{number}@lindqvist.example"
        add_member(site.world.config, mail)
        self.person = site.children.visit("fortium")
        sign_in(self.person, mail, PASSWORD)
        self.booked: list[UUID] = []
        self.put_off = 0

    def book_until(self, over: threading.Event) -> None:
        """At least one, and no more than fit into four days: later ones would not be authorised at once."""
        while not self.booked or (not over.is_set() and len(self.booked) < 96 // CLIENTS):
            self.booked.append(self.book(self.first + timedelta(hours=CLIENTS * len(self.booked))))

    def book(self, start: datetime) -> UUID:
        end = time.monotonic() + 60
        held = None
        while time.monotonic() < end:
            held = held or self.hold(start)
            page = self.look(f"/book/{held}") if held else None
            if page and "Booked" in page.words:
                assert held
                return held
            if not page or "Still checking" in page.words or not self.pay(page):
                threading.Event().wait(0.2)
        raise AssertionError("never booked")

    def hold(self, start: datetime) -> UUID | None:
        page = self.look("/")
        sent = self.person.post("/holds", choice(page, self.ines, start)) if page else None
        return booking_of(sent.location) if sent and self.answered(sent) else None

    def pay(self, checkout: Page) -> bool:
        token = self.person.json("/plugins/payments_sandbox/tokens", CARD)
        if token.status_code == 503:
            return False
        action = str(checkout.soup.find_all("form", id="pay-form")[0]["action"])
        return self.answered(self.person.submit(checkout, action, method="new", method_token=token.get_json()["token"]))

    def look(self, path: str) -> Page | None:
        page = self.person.follow(self.person.get(path))
        return page if self.answered(page) else None

    def answered(self, page: Page) -> bool:
        """Whether there is an answer; else the platform has asked for patience. It never says anything else."""
        assert page.status in (200, 303, 503), (page.status, page.words)
        assert page.status != 503 or "We are catching our breath" in page.words
        self.put_off += page.status == 503
        return page.status != 503


def test_bookings_made_while_it_crashes_again_and_again_are_neither_lost_nor_doubled(site: Site, own: Own) -> None:
    here, over = site.world, threading.Event()
    clients = [Persistent(site, number) for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as threads:
        running = [threads.submit(client.book_until, over) for client in clients]
        try:
            for _ in range(CRASHES):
                over.wait(1)
                with crashed(own.servers):
                    over.wait(0.3)
                assert wait_until(lambda: site.children.answers("/readyz"), 15)
            over.wait(1)
        finally:
            over.set()
        for each in running:
            each.result(timeout=90)
    here.until_quiet()
    here.move_clock(here.now + LINK_GRACE)
    here.until_quiet()

    assert sum(client.put_off for client in clients) > 0
    booked = {booking_id for client in clients for booking_id in client.booked}
    rows = here.rows
    assert {row[0] for row in rows("select id from consultations where state = 'confirmed'")} == booked
    assert {row[0] for row in rows("select consultation_id from partner_time where expires_at is null")} == booked
    ours = rows("select consultation_id, provider_reference from payments where state = 'authorised'")
    assert sorted(row[0] for row in ours) == sorted(booked)
    theirs = rows("select reference from plugin_payments_sandbox.attempts where status = 'authorised'")
    assert sorted(row[0] for row in theirs) == sorted(row[1] for row in ours)
    assert rows("select count(*) from plugin_payments_sandbox.effects where kind = 'hold'") == [(len(booked),)]
    assert rows("select count(*) from plugin_calendar_local.meetings") == [(len(booked),)]
    mails = dict(rows("select kind, count(*) from plugin_notifications_email.outbox group by kind"))
    assert mails == {"booking_confirmed_client": len(booked), "booking_confirmed_partner": len(booked)}
    assert rows("select kind, error from work where state = 'dead'") == []
    assert rows("select kind from alarms") == []
