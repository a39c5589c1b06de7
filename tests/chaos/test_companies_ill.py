"""The main flow on real providers, each in turn ill where it hurts: it ends well, people are told, the timeline says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import flask
import pytest

from fxo.core import integrity
from fxo.core.clients import commands as clients
from fxo.core.ids import new_id
from fxo.core.payments.queries import payment_id_of
from fxo.core.scope import CODE, Actor, system_scope
from fxo.core.work.perform import Outcome
from fxo.plugins.matching_local.provider import warm
from fxo.tenants import network
from tests.conftest import PASSWORD, Databases, add_member, write
from tests.emulators.illness import Illness
from tests.emulators.push import Browser
from tests.support.browser import Page, Person
from tests.support.calendars import GOOGLE, MICROSOFT, connect
from tests.support.flow import BRIEF, booking_of, sign_in
from tests.support.money import agreed
from tests.support.outside import INES_MAIL, BusinessTime, Outside, outside, plugins
from tests.support.story import DANA_MAIL, Story, story

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZONE = ZoneInfo("Europe/Stockholm")
CARD, PRICE = "pm_card_visa", 80_000
OPERATOR_MAIL = "ops@fxo.example"
CALENDARS = {"google": GOOGLE, "microsoft": MICROSOFT}
SAYS = {"rate_limited": "asked for patience", "revoked": "refused our access"}
WHO = {
    "stripe": "The payment service", "google": "The expert's calendar", "microsoft": "The expert's calendar",
    "sendgrid": "The mail service", "twilio": "The text message service", "push": "The browser's notification service",
}  # fmt: skip
JOURNEYS = {
    "dana": {"refine": "openai", "pay": "stripe", "booked": "google", "soon": "twilio", "complete": "stripe"},
    "ines": {"booked": "microsoft", "tomorrow": "push", "soon": "sendgrid"},
}  # fmt: skip
"""By expert: which company is ill in which moment, where it hurts, and well again after it."""


@dataclass
class World:
    """The platform, the companies outside, and the clock that both go by."""

    told: Story
    outside: Outside
    people: dict[str, Person]
    """The experts and the operator, by their mail."""


@pytest.fixture(scope="module")
def world(databases: Databases) -> Iterator[World]:
    """One world for all: each test brings its own client and takes its own hour."""
    warm()
    clock = BusinessTime()
    with outside(clock) as companies, story(databases, *plugins(companies.addresses)) as made:
        clock.settings = made.settings
        write(system_scope("sign_in"), CODE, network.add_operator, OPERATOR_MAIL, "Olu Operator", PASSWORD)
        people = {mail: visitor("partners", mail) for mail in (DANA_MAIL, INES_MAIL)}
        yield World(companies.used_by(made), companies, people | {OPERATOR_MAIL: visitor("ops", OPERATOR_MAIL)})
        assert agreed(made) == []


@dataclass
class Flow:
    """One client's way from a brief to a rating, with one company after the other ill."""

    world: World
    partner: str
    illness: Illness

    def __post_init__(self) -> None:
        self.told, self.outside = self.world.told, self.world.outside
        self.mail = f"{new_id().hex}@lindqvist.example"
        self.client: Actor = add_member(self.told.config, self.mail, name="Mia Berg")
        self.number = f"+4670{self.client.id.int % 10**7:07d}"
        self.browser: Browser = self.outside.browser()
        for channel, address, label in (("sms", self.number, ""), ("push", self.browser.json, "Firefox")):
            self.told.run(CODE, clients.add_contact, self.client.id, channel, address, label, only=channel == "sms")
        self.mia = visitor("fortium", self.mail)
        self.partner_mail = {"dana": DANA_MAIL, "ines": INES_MAIL}[self.partner]
        self.booked = UUID(int=0)
        self.starts_at = self.noon()

    def noon(self) -> datetime:
        """Noon where the client lives, the day after tomorrow."""
        day = self.told.now.astimezone(ZONE).date() + timedelta(days=2)
        return datetime.combine(day, time(12), ZONE).astimezone(UTC)

    # How the company is

    def ill(self, moment: str, does: Callable[[], Any]) -> Any:
        """Do it while the company whose moment it is does not do well; then it is well again."""
        company = JOURNEYS[self.partner].get(moment)
        if company is None:
            return does()
        self.falls_ill(company)
        try:
            return does()
        finally:
            self.recovers(company)

    def falls_ill(self, company: str) -> None:
        self.wait_at_most(1 if self.illness is Illness.SLOW else self.told.settings.provider_seconds)
        match company, self.illness:
            case "google", Illness.REVOKED:
                self.outside.google.consent.take_back(self.partner_mail)
            case "microsoft", Illness.REVOKED:
                self.outside.microsoft.consent.take_back(self.partner_mail)
            case "push", Illness.REVOKED:
                self.browser.alive = False
            case _:
                self.outside.health(company).falls_ill(self.illness)

    def recovers(self, company: str) -> None:
        health = self.outside.health(company)
        assert health.asked or health.ill is None, f"{company} was not asked while it was ill"
        health.recovers()
        self.wait_at_most(self.told.settings.provider_seconds)
        if self.illness is Illness.REVOKED and company in CALENDARS:
            consent = getattr(self.outside, company).consent
            connect(CALENDARS[company], consent, self.told.partners[self.partner], self.partner_mail)

    def wait_at_most(self, seconds: float) -> None:
        """As another process would, whose breakers and pauses are its own."""
        providers = self.told.parts.providers
        providers.close()
        providers.seconds = seconds

    # What people do

    def find(self) -> None:
        """A brief, the platform's own list at once, the model's perhaps."""
        self.mia.client.set_cookie("zone", str(ZONE), domain=self.mia.host)
        words = f"{BRIEF} We are {self.mail[:12]}."
        page = self.mia.follow(self.mia.submit(self.mia.get("/"), "/briefs", problem=words))
        assert page.soup.select(".partner-card__name"), page.words
        self.brief = page.action("/briefs/").split("/")[2]
        self.token = page.form(f"/briefs/{self.brief}")["form_token"]
        asked = {"form_token": self.token, "list": f"/briefs/{self.brief}"}
        answer = self.ill("refine", lambda: self.mia.post(f"/briefs/{self.brief}/refine", asked))
        assert answer.status == (204 if self.partner == "dana" else 200)

    def pay(self) -> None:
        """The hour is held, and the card authorised, if not at once."""
        who = {"partner": str(self.told.partners[self.partner]), "slot": self.starts_at.isoformat(), "brief": self.brief}
        wanted = who | {"form_token": self.token}
        landed = self.mia.post("/holds", wanted)
        assert landed.status == 303, landed.words
        self.booked, checkout = booking_of(landed.location), self.mia.get(landed.location)
        answered = self.ill("pay", lambda: self.send_card(checkout))
        if self.partner == "ines":
            assert "Booked" in answered.words
        elif self.illness is Illness.REVOKED:
            assert "The payment service does not answer at the moment." in answered.words
            self.send_card(self.mia.get(landed.location))
        else:
            assert "Your bank is taking its time" in answered.words
            self.until_asked_again()

    def send_card(self, checkout: Page) -> Page:
        return self.mia.follow(self.mia.submit(checkout, f"/book/{self.booked}", method="new", method_token=CARD))

    def until_asked_again(self) -> None:
        """Time passes until the card is asked again, and nobody has done yet what follows from its answer."""
        [(work_id, due_at)] = self.told.rows(
            "select id, due_at from work where kind = 'payments.authorise' and stream_id = %(p)s and state = 'due'",
            p=payment_id_of(self.booked),
        )
        self.told.sleep_until(due_at)
        assert self.told.perform(work_id) is Outcome.DONE

    def booked_and_told(self) -> None:
        """The meeting is made, mails and notifications go out, if not at once."""
        self.ill("booked", self.told.work)
        self.told.live(HOUR)
        page = self.session()
        assert "Booked" in page.words
        assert self.join_url() in page.text

    def meet(self) -> None:
        """Reminded the day and the hour before; the session, one click of the expert; the money is taken, if not at once."""
        self.told.live_until(self.starts_at - DAY - MINUTE)
        self.ill("tomorrow", lambda: self.told.live_until(self.starts_at - DAY + MINUTE))
        self.told.live_until(self.starts_at - HOUR - MINUTE)
        self.ill("soon", lambda: self.told.live_until(self.starts_at - HOUR + MINUTE))
        self.told.live_until(self.starts_at + MINUTE)
        expert = self.world.people[self.partner_mail]
        expert.submit(expert.get(f"/sessions/{self.booked}"), f"/sessions/{self.booked}/complete")
        self.ill("complete", lambda: self.told.live(MINUTE))
        assert ("Completed and paid" in self.session().words) is (self.partner == "ines"), "never shown as taken when it is not"
        self.told.live(2 * HOUR)

    def rate(self) -> None:
        page = self.session()
        assert "Completed and paid" in page.words, page.words
        landed = self.mia.submit(page, f"/sessions/{self.booked}/rating", stars="5", text="Told us what comes first.")
        assert "Told us what comes first." in self.mia.follow(landed).words

    # What is seen

    def session(self) -> Page:
        return self.mia.get(f"/sessions/{self.booked}")

    def join_url(self) -> str:
        return str(self.told.join_url(self.booked))

    def timeline(self, reader: str) -> str:
        """Every step on the page of the client, the expert or the operator."""
        who = {"client": self.mia, "expert": self.world.people[self.partner_mail], "operator": self.world.people[OPERATOR_MAIL]}[
            reader
        ]
        path = (
            f"/payments/{self.told.config.id}/{payment_id_of(self.booked)}"
            if reader == "operator"
            else f"/sessions/{self.booked}"
        )
        page = who.get(path)
        assert page.status == 200, page.words
        return " ".join(page.soup.select(".stepper")[-1].get_text(" ").split())  # a page begins with where one is on the way


def visitor(label: str, mail: str) -> Person:
    """Somebody who is signed in there."""
    person = Person(flask.current_app._get_current_object(), f"{label}.localhost")  # type: ignore[attr-defined]
    sign_in(person, mail, PASSWORD)
    return person


@pytest.mark.parametrize("illness", list(Illness), ids=str)
@pytest.mark.parametrize("partner", list(JOURNEYS))
def test_the_flow_ends_well_and_its_timeline_says_what_happened(world: World, partner: str, illness: Illness) -> None:
    flow = Flow(world, partner, illness)
    flow.find()
    flow.pay()
    flow.booked_and_told()
    flow.meet()
    flow.rate()
    the_money_is_right(flow)
    everybody_was_reached(flow)
    the_meeting_was_right(flow)
    the_timeline_tells(flow)


def the_money_is_right(flow: Flow) -> None:
    """Taken once, and nothing else is held; what must never be is not."""
    company, person = flow.outside.stripe, str(flow.client.id)
    mine = {each["id"] for each in company.of_kind("customer") if each["metadata"]["person"] == person}
    intents = [each for each in company.of_kind("payment_intent") if each["customer"] in mine]
    assert [each["status"] for each in intents if each["status"] != "canceled"] == ["succeeded"]
    assert [each["amount_received"] for each in intents if each["status"] == "succeeded"] == [PRICE]
    assert flow.told.events(flow.booked, "payment").count("payment.captured") == 1
    assert set(integrity.counters(flow.told.parts.store).values()) == {0}


def everybody_was_reached(flow: Flow) -> None:
    mailed = [sent.body["subject"] for sent in flow.outside.sendgrid.sent if sent.to == flow.mail]
    for begins in ("Booked: ", "In one hour: ", "Receipt: "):
        assert [each for each in mailed if each.startswith(begins)], (begins, mailed)
    texts = [text.body for text in flow.outside.twilio.texts if text.to == flow.number]
    assert len([each for each in texts if each.startswith("In one hour")]) == 1, texts
    shown = list(
        {each["id"]: each["title"].partition(":")[0] for each in flow.browser.shown}.values()
    )  # the same takes its place
    subscribed = flow.told.rows("select 1 from contacts where channel = 'push' and client_id = %(c)s", c=flow.client.id)
    if (flow.partner, flow.illness) == ("ines", Illness.REVOKED):
        assert shown == ["Booked"] and not subscribed, "who has taken it back is not asked again"
    else:
        assert shown[:3] == ["Booked", "Tomorrow", "In one hour"] and subscribed


def the_meeting_was_right(flow: Flow) -> None:
    """In the expert's calendar once, or on a page of its own with an invitation by mail."""
    events = [each for box in flow.outside.google.accounts.values() for each in box.events.values()]
    events += [each for box in flow.outside.microsoft.mailboxes.values() for each in box.events.values()]
    mine = [each for each in events if flow.mail in str(each["attendees"])]
    if flow.illness is Illness.REVOKED:
        assert mine == [] and flow.join_url().startswith("http://meet.localhost")
        sent = [sent.body for sent in flow.outside.sendgrid.sent if sent.to == flow.mail]
        assert any(each["filename"].endswith(".ics") for body in sent for each in body.get("attachments", []))
    else:
        assert len(mine) == 1
        assert flow.join_url() in str(mine[0])


def the_timeline_tells(flow: Flow) -> None:
    client, expert, operator = (flow.timeline(reader) for reader in ("client", "expert", "operator"))
    moments = list(JOURNEYS[flow.partner].values())
    for company in set(moments):
        match company, flow.illness:
            case "openai", _:
                assert all("The language model did not answer" in seen for seen in (client, operator))
            case "push", Illness.REVOKED:
                assert "A message did not reach its reader" in operator and "did not reach" not in client + expert
            case (("google" | "microsoft"), Illness.REVOKED):
                for seen in (client, expert, operator):
                    assert "Our access to the expert's calendar has ended" in seen
                    assert "The invitation goes by mail instead" in seen
            case _:
                begins = f"{WHO[company]} {SAYS.get(flow.illness, 'did not answer')}"
                for seen in (client, expert, operator):
                    assert seen.count(begins) == moments.count(company), (begins, seen)
                    assert seen.index(begins) < seen.index(f"{WHO[company]} answers again")
