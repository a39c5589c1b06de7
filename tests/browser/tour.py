"""A tour of the demo: every page in its main states, in the order in which things happen."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from playwright.sync_api import Browser, Locator, Page

from fxo.demo.check import BRIEF, CHALLENGE, DECLINED, GOOD
from fxo.demo.seed import ADMINISTRATOR
from fxo.demo.start import Demo
from tests.support.chromium import Person

PASSWORD = "a passphrase of one's own"

log = logging.getLogger("tour")


class Eye(Protocol):
    """Who stops at each state: a camera, or a judge."""

    def take(self, name: str, page: Page) -> None: ...


class Tour:
    """Goes through the demo once, in the order in which things happen, and stops at each state."""

    def __init__(self, browser: Browser, demo: Demo, eye: Eye) -> None:
        self.browser, self.demo, self.eye = browser, demo, eye
        self.client, self.partner = self.at("fortium"), self.at("partners")
        self.expert = self.session = ""
        self.starts_at = datetime.min.replace(tzinfo=UTC)

    def at(self, host: str) -> Person:
        """Somebody new at that host."""
        return Person(self.browser, self.demo, host)

    def look(self, name: str, person: Person, path: str = "") -> Page:
        """Open the page, where a path is given, and stop for the eye."""
        if path:
            person.go(path)
        self.eye.take(name, person.page)
        return person.page

    def whole(self) -> None:
        """All of it."""
        for part in (
            self.visitor, self.newcomer, self.checkout, self.later, self.ended_and_taken, self.before_the_session,
            self.during_the_session, self.after_the_session, self.own_place, self.administrators, self.operator, self.mails,
        ):  # fmt: skip
            begun = time.monotonic()
            part()
            log.info("%-22s %5.1f s", part.__name__.replace("_", " "), time.monotonic() - begun)

    # The client ------------------------------------------------------------------------------------------------------

    def visitor(self) -> None:
        client, other = self.client, self.at("globex")
        self.look("home", client, "/")
        self.look("home, example", client, "/?example=2")
        self.look("closed portal, sign-in", other, "/sign-in?next=/")
        self.look("closed portal, sign-up", other, "/sign-up")
        other.sign_in(self.demo.signins.member("globex"))
        self.look("closed portal, home", other, "/")
        other.leave()
        ask(client, "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich")
        self.look("shortlist, no match", client)
        client.go("/").get_by_label("What are you facing?").evaluate("box => box.removeAttribute('required')")
        client.press("Show my experts")
        self.look("home, error", client)
        ask(client, BRIEF)
        self.look("shortlist", client)
        first = client.page.locator("article.partner-card").first
        self.expert = first.locator(".partner-card__name").inner_text()
        onward(first.locator(".partner-card__name a"))
        self.look("expert", client)
        self.look("error, not found", client, "/nothing-here")

    def newcomer(self) -> None:
        client = self.client
        ask(client, BRIEF)
        back = client.page.url
        page = self.look("sign-in", client, "/sign-in")
        page.get_by_label("Mail address").fill("nora@newcomer.example")
        page.get_by_label("Password").fill("wrong")
        onward(client.button("Sign in"))
        self.look("sign-in, error", client)
        page.goto(back)
        slot = page.locator("button[name=slot]").first
        self.starts_at = datetime.fromisoformat(slot.get_attribute("value") or "")
        onward(slot)
        self.look("sign-up, a time is waiting", client)
        self.type_sign_up(client, "Nora Newcomer", "nora@newcomer.example", "short")
        client.press("Make my account")
        client.page.locator(".field__error:visible").first.wait_for()
        self.look("sign-up, error", client)
        client.page.get_by_label("Password", exact=True).fill(PASSWORD)
        onward(client.button("Make my account"))
        held = client.page.url
        other = self.at("fortium")
        other.go("/sign-up")
        self.type_sign_up(other, "Otto Olsson", "otto@newcomer.example", PASSWORD)
        onward(other.button("Make my account"))
        self.look("sessions, none", other, "/sessions")
        other.leave()
        page.goto(held)

    def type_sign_up(self, person: Person, name: str, mail: str, password: str) -> None:
        person.page.get_by_label("Your name").fill(name)
        person.page.get_by_label("Work mail").fill(mail)
        person.page.get_by_label("Password", exact=True).fill(password)

    def checkout(self) -> None:
        client = self.client
        client.page.get_by_label("Card number").wait_for()
        self.look("checkout, authorise now", client)
        client.press("Authorise $800 and book")
        client.page.get_by_text("Enter the card number.").first.wait_for()
        self.look("checkout, card field error", client)
        self.pay(client, DECLINED)
        client.page.get_by_text("Your bank declined this card").wait_for()
        self.look("checkout, declined", client)
        self.pay(client, CHALLENGE)
        client.page.get_by_role("link", name="Go to your bank").wait_for()
        self.look("bank asks", client)
        onward(client.link("Go to your bank"))
        self.look("bank's own page", client)
        client.press("Yes, approve $800")
        client.link("meet.localhost").wait_for()
        self.session = client.page.url
        self.look("session, booked", client)

    def pay(self, client: Person, card: str) -> None:
        client.type_card(card)
        client.page.locator("button[form=pay-form]").click()

    def open_times(self, client: Person, position: int) -> None:
        """Hold the nth open time of an expert, as their page lists them."""
        ask(client, BRIEF)
        onward(client.page.locator("article.partner-card").last.locator(".partner-card__name a"))
        client.page.locator("button[name=slot]").first.wait_for()
        client.page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        onward(client.page.locator("button[name=slot]").nth(position))

    def later(self) -> None:
        client = self.client
        self.open_times(client, -1)
        client.page.get_by_label("Another card").check()
        client.page.get_by_label("Card number").wait_for()
        self.look("checkout, save card", client)
        self.pay(client, GOOD)
        client.link("meet.localhost").wait_for()
        self.look("session, card saved", client)

    def ended_and_taken(self) -> None:
        client, rival = self.client, self.at("fortium")
        rival.sign_in(self.demo.signins.member("fortium"))
        ask(client, BRIEF)
        ask(rival, BRIEF)
        onward(rival.page.locator("button[name=slot]").last)
        onward(client.page.locator("button[name=slot]").last)
        self.look("time taken", client)
        rival.press("Move the clock: +1 h")
        rival.page.get_by_role("heading", name="Your hold has ended").wait_for()
        self.look("hold ended", rival)
        self.look("sessions, some", client, "/sessions")
        rival.leave()

    # The session -----------------------------------------------------------------------------------------------------

    def before_the_session(self) -> None:
        partner = self.partner
        self.look("partner, sign-in", partner, "/sign-in")
        partner.sign_in(self.demo.signins.partner(self.expert))
        self.look("partner, dashboard", partner, "/")
        partner.page.goto(self.as_partner())
        self.look("partner, session ahead", partner)
        self.look("partner, availability", partner, "/availability")
        day = (self.starts_at + timedelta(days=9)).date()
        partner.page.get_by_label("First day").fill(str(day))
        onward(partner.button("Add the exception"))
        self.look("partner, availability with an exception", partner)
        self.look("partner, earnings, none", partner, "/earnings")

    def as_partner(self) -> str:
        """The session's page on the experts' host."""
        return self.session.replace("//fortium.", "//partners.", 1)

    def until(self, moment: datetime) -> None:
        """Press the clock's buttons until it is past the moment."""
        page = self.client.page
        page.goto(self.session)
        while (ahead := moment - datetime.fromisoformat(clock(page))) > timedelta(0):
            seen = clock(page)
            self.client.press("Move the clock: +1 day" if ahead > timedelta(days=1) else "Move the clock: +1 h")
            page.wait_for_function("seen => document.querySelector('.clock-bar__now b time')?.dateTime !== seen", arg=seen)

    def during_the_session(self) -> None:
        client, partner = self.client, self.partner
        self.until(self.starts_at + timedelta(minutes=1))
        self.look("session, now", client)
        partner.go("/")
        self.look("partner, dashboard, needs you", partner)
        partner.page.goto(self.as_partner())
        self.look("partner, session to complete", partner)
        onward(partner.link("Join"))
        self.look("meeting", partner)
        partner.page.goto(self.as_partner())
        partner.press("Complete session")
        partner.page.get_by_role("button", name="Undo").wait_for()
        self.look("partner, session completed, undo", partner)

    def after_the_session(self) -> None:
        client, partner = self.client, self.partner
        client.page.goto(self.session)
        self.look("session, completed", client)
        self.until(self.starts_at + timedelta(hours=2))
        self.look("session, paid", client)
        client.press("Send rating")
        client.page.locator(".field__error").first.wait_for()
        self.look("session, rating error", client)
        client.page.locator("label").filter(has_text="5 of 5").click()
        client.page.get_by_label("One sentence for others").fill("Calm, specific, and told us what comes first.")
        client.press("Send rating")
        client.page.get_by_text("Thank you.").wait_for()
        self.look("session, rated", client)
        self.look("sessions, some and done", client, "/sessions")
        partner.page.goto(self.as_partner())
        self.look("partner, session done and rated", partner)
        self.look("partner, dashboard, done", partner, "/")
        self.look("partner, earnings", partner, "/earnings")
        self.look("partner, error, not found", partner, "/sessions/nothing")

    def own_place(self) -> None:
        client, other, partner = self.client, self.at("fortium"), self.partner
        self.look("directory", client, "/experts")
        self.look("directory, nobody found", client, "/experts?q=zither")
        self.look("zone", client, "/zone")
        self.look("settings", client, "/settings")
        for page in ("help", "how-payment-works", "privacy", "terms", "demo"):
            self.look(page, client, f"/{page}")
        self.look("forgotten password", other, "/forgot")
        self.look("forgotten password, sent", other, "/forgot/sent")
        other.leave()
        self.look("partner, sessions", partner, "/sessions")
        self.look("partner, profile", partner, "/profile")
        self.look("partner, settings", partner, "/settings")

    # Those who look after it -----------------------------------------------------------------------------------------

    def administrators(self) -> None:
        for host, name in (("fortium", "admin"), ("globex", "closed portal, admin")):
            administrator = self.at(host)
            administrator.sign_in(self.demo.signins.member(host, ADMINISTRATOR))
            for page in ("", "/branding", "/roster", "/roster/add", "/members"):
                self.look(name + page.replace("/", ", "), administrator, "/admin" + page)
            administrator.leave()

    def operator(self) -> None:
        operator = self.at("ops")
        self.look("operator, sign-in", operator, "/sign-in")
        operator.sign_in(self.demo.signins.operator)
        self.look("operator, home", operator, "/")
        self.look("operator, ledger", operator, "/ledger")
        self.look("operator, alarms", operator, "/alarms")
        self.look("operator, tenants", operator, "/tenants")
        onward(operator.page.locator("main a[href^='/tenants/']:not([href$='/new'])").first)
        self.look("operator, a tenant", operator)
        self.look("operator, a new tenant", operator, "/tenants/new")
        self.look("operator, partners", operator, "/partners")
        onward(operator.page.locator("main a[href^='/partners/']").first)
        self.look("operator, a partner", operator)
        operator.leave()

    def mails(self) -> None:
        client = self.client
        subjects = {"confirmation": "Booked", "reminder": "In one hour", "receipt": "Receipt", "share": "You earned"}
        for name, subject in subjects.items():
            page = client.go("/demo/outbox")
            if name == "confirmation":
                self.look("outbox", client)
            onward(page.locator(".mails a").filter(has_text=subject).last)
            if name == "confirmation":
                self.look("outbox, a mail", client)
            onward(client.link("As its reader sees it"))
            self.look(f"mail, {name}", client)


def ask(client: Person, text: str) -> None:
    """Describe a problem, and be on its shortlist."""
    client.go("/").get_by_label("What are you facing?").fill(text)
    onward(client.button("Show my experts"))
    client.page.wait_for_url("**/briefs/*")


def onward(leads_on: Locator) -> None:
    """Click it, and be on the next page."""
    with leads_on.page.expect_navigation():
        leads_on.click()


def clock(page: Page) -> str:
    """The demo's time."""
    return page.locator(".clock-bar__now b time").get_attribute("datetime") or ""


class TourOfMuch:
    """Looks at the pages of a demo with a past, where there is much in them, and at its third portal."""

    def __init__(self, browser: Browser, demo: Demo, eye: Eye) -> None:
        self.browser, self.demo, self.eye = browser, demo, eye

    def whole(self) -> None:
        """All of it."""
        signins = self.demo.signins
        dana = signins.partner("Dana Whitfield")
        rows = (
            ("fortium", signins.member("fortium"), ("/", "/sessions", "/experts", "/settings")),
            ("hansa", signins.member("hansa"), ("/", "/sessions", "/experts")),
            ("partners", dana, ("/", "/sessions", "/earnings", "/availability", "/profile")),
            ("fortium", signins.member("fortium", ADMINISTRATOR), ("/admin", "/admin/roster", "/admin/members")),
            ("ops", signins.operator, ("/", "/tenants", "/partners", "/ledger", "/alarms")),
        )
        for host, signin, paths in rows:
            person = Person(self.browser, self.demo, host)
            person.sign_in(signin)
            for path in paths:
                person.go(path)
                self.eye.take(f"much, {host}, {path.strip('/').replace('/', ' ') or 'home'}", person.page)
            if host == "fortium" and "/experts" in paths:
                onward(person.go("/experts").locator("article.partner-card .partner-card__name a").first)
                self.eye.take("much, fortium, expert", person.page)
                onward(person.go("/sessions").locator("main a[href^='/sessions/']").first)
                self.eye.take("much, fortium, session", person.page)
                ask(person, BRIEF)
                person.page.locator("button[name=slot]").first.wait_for()
                self.eye.take("much, fortium, shortlist", person.page)
            person.leave()
