"""A tour of the demo: every page in its main states, in the order in which things happen."""

from __future__ import annotations

import logging
import re
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol

from playwright.sync_api import Browser, Locator, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from fxo.demo.acts.booking import BRIEF, CHALLENGE, DECLINED, GOOD
from fxo.demo.seed import ADMINISTRATOR
from fxo.demo.stage import Stage
from fxo.demo.start import Demo
from tests.support.chromium import Person

PASSWORD = "a passphrase of one's own"
VAGUE = "We have a problem with our software and do not know how to go on."

log = logging.getLogger("tour")


class Eye(Protocol):
    """Who stops at each state: a camera, or a judge."""

    def take(self, name: str, page: Page) -> None: ...


class Walk:
    """Goes through a demo, and stops at each state for the eye."""

    def __init__(self, browser: Browser, demo: Demo, eye: Eye) -> None:
        self.browser, self.demo, self.eye = browser, demo, eye

    def at(self, host: str) -> Person:
        """Somebody new at that host."""
        return Person(self.browser, self.demo, host)

    def look(self, name: str, person: Person, path: str = "") -> Page:
        """Open the page, where a path is given, and stop for the eye."""
        if path:
            person.go(path)
        self.eye.take(name, person.page)
        return person.page


class Tour(Walk):
    """The life of bookings and their money, once, in the order in which things happen."""

    def __init__(self, browser: Browser, demo: Demo, eye: Eye) -> None:
        super().__init__(browser, demo, eye)
        self.client, self.partner = self.at("fortium"), self.at("partners")
        self.stage = Stage(("127.0.0.1", demo.settings.port), demo.settings.base_domain, demo.signins, lambda: None)
        self.expert = self.session = self.paid = ""
        self.starts_at = datetime.min.replace(tzinfo=UTC)

    def whole(self) -> None:
        """All of it."""
        with closing(self.stage):
            for part in (
                self.visitor, self.newcomer, self.checkout, self.later, self.ended_and_taken, self.before_the_session,
                self.during_the_session, self.after_the_session, self.other_plans, self.asked_first, self.no_shows,
                self.money, self.mails,
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
        ask(client, VAGUE)
        client.page.locator("form#questions").wait_for()
        self.look("shortlist, questions", client)
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
        client.page.get_by_text("Enter the card number.").wait_for()  # said once
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
        """Move the clock to what is due at the moment, and have the client look at the session."""
        self.stage.until_next(moment)
        self.client.page.goto(self.session)

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
        self.paid = self.session
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

    # When it goes otherwise --------------------------------------------------------------------------------------------

    def book(self, position: int = 0) -> datetime:
        """The client books the nth open time of an expert, with the saved card; when it begins."""
        page = self.client.page
        self.open_times(self.client, position)
        onward(page.locator("button[form=pay-form]"))
        page.wait_for_url("**/sessions/*")
        self.session = page.url
        return datetime.fromisoformat(page.locator("h1 time").get_attribute("datetime") or "")

    def expert_of_it(self) -> Person:
        """The expert of the session, signed in and on its page."""
        name = self.client.page.locator("main header p a").inner_text()
        self.partner.leave()
        self.partner = self.at("partners")
        self.partner.sign_in(self.demo.signins.partner(name))
        self.partner.page.goto(self.as_partner())
        return self.partner

    def under(self, path: str, person: Person, name: str) -> Page:
        """A page below the session's own."""
        page = person.page
        page.goto((self.as_partner() if person is self.partner else self.session) + path)
        self.eye.take(name, page)
        return page

    def other_plans(self) -> None:
        client = self.client
        self.book(20)
        self.look("session, booked far ahead", client)
        self.under("/move", client, "session, move")
        onward(client.page.locator("button[name=slot]").nth(4))
        self.look("session, moved", client)
        self.under("/cancel", client, "session, cancel")
        client.page.locator("label").filter(has_text="My plans changed").click()
        onward(client.page.get_by_role("button", name=re.compile("^Cancel (the session|and pay)")))  # by the hour of the day
        self.look("session, cancelled", client)
        self.book(22)
        partner = self.expert_of_it()
        page = self.under("/propose", partner, "partner, propose other times")
        for n in (2, 3):
            page.locator("label.chip").nth(n).click()
        page.get_by_label("A word to").fill("My flight was moved, I am sorry.")
        onward(partner.button("Ask the client"))
        self.look("partner, session, times proposed", partner)
        client.page.goto(self.session)
        self.look("session, new times proposed", client)
        page = self.under("/cancel", partner, "partner, cancel")
        page.locator("label").filter(has_text="I am ill").click()
        page.get_by_label("A word to").fill("I am so sorry. I have a fever.")
        onward(partner.button("Cancel the session"))
        self.look("partner, session cancelled", partner)
        client.page.goto(self.session)
        self.look("session, others take over", client)
        onward(client.page.locator("#rescue-place button[name=slot]").first)
        self.look("session, taken over", client)

    def asked_first(self) -> None:
        administrator = self.at("fortium")
        administrator.sign_in(self.demo.signins.member("fortium", ADMINISTRATOR))
        page = self.look("admin, policy", administrator, "/admin/policy")
        page.get_by_label("Free until").fill("1")
        onward(administrator.button("Keep these rules"))
        self.look("admin, policy, error", administrator)
        page.get_by_label("Free until").fill("24")
        page.get_by_label("Experts confirm each booking").check()
        onward(administrator.button("Keep these rules"))
        client = self.client
        self.open_times(client, 24)
        self.look("checkout, asked first", client)
        onward(client.page.locator("button[form=pay-form]"))
        client.page.wait_for_url("**/sessions/*")
        self.session = client.page.url
        self.look("session, asked for", client)
        partner = self.expert_of_it()
        self.look("partner, session asked for", partner)
        self.look("partner, dashboard, a request", partner, "/")
        partner.page.goto(self.as_partner())
        partner.page.get_by_text("Decline", exact=True).click()
        onward(partner.button("Decline the request"))
        self.look("partner, session declined", partner)
        client.page.goto(self.session)
        self.look("session, declined", client)
        page = administrator.go("/admin/policy")
        page.get_by_label("Experts confirm each booking").uncheck()
        onward(administrator.button("Keep these rules"))
        administrator.leave()

    def no_shows(self) -> None:
        client = self.client
        starts_at = self.book(0)
        self.until(starts_at)
        onward(client.button("I am here"))
        self.until(starts_at + timedelta(minutes=10))
        self.look("session, expert late", client)
        onward(client.button("did not come"))
        self.look("session, expert did not come", client)
        partner = self.expert_of_it()
        self.look("partner, session, said to be absent", partner)
        partner.page.get_by_label("In a sentence or two").fill("I sat in the room from the start on.")
        onward(partner.button("Send it to a person"))
        self.look("partner, session contested", partner)
        client.page.goto(self.session)
        self.look("session, contested", client)
        client.page.get_by_label("In a sentence or two").fill("The room was empty for ten minutes.")
        onward(client.button("Send it to a person"))
        operator = self.at("ops")
        operator.sign_in(self.demo.signins.operator)
        self.look("operator, cases", operator, "/cases")
        onward(operator.page.locator("main a[href^='/bookings/']").first)
        self.look("operator, a case", operator)
        operator.page.locator("label").filter(has_text="A part").click()
        operator.page.get_by_label("The part").fill("300")
        operator.page.get_by_label("Why").fill("The room shows that the expert came late.")
        onward(operator.button("Decide"))
        self.look("operator, cases, none", operator)
        operator.leave()
        client.page.goto(self.session)
        self.look("session, decided", client)
        starts_at = self.book(1)
        partner = self.expert_of_it()
        self.until(starts_at)
        partner.page.goto(self.as_partner())
        onward(partner.button("I am here"))
        self.until(starts_at + timedelta(minutes=10))
        partner.page.goto(self.as_partner())
        partner.page.get_by_text("It did not take place as planned").click()
        self.look("partner, session, client absent", partner)
        onward(partner.button("Say so"))
        self.look("partner, session, client did not come", partner)
        client.page.goto(self.session)
        self.look("session, we missed you", client)

    # Afterwards ------------------------------------------------------------------------------------------------------

    def money(self) -> None:
        """What an operator does about money, and what the others see of it."""
        client, operator = self.client, self.at("ops")
        self.session = self.paid
        operator.sign_in(self.demo.signins.operator)
        self.look("operator, payments, nothing to do", operator, "/payments")
        self.look("operator, payments, all", operator, "/payments?show=all")
        onward(operator.page.locator("main td a[href^='/payments/']", has_text="No.").filter(has_text=self.number()).first)
        self.look("operator, a payment", operator)
        operator.page.get_by_text("Give money back").first.click()
        operator.page.get_by_label("Amount in USD").fill("900")
        operator.page.locator("form[action$='/refund'] textarea").fill("Half an hour was lost.")
        operator.press("Give back")
        self.look("operator, a payment, refund error", operator)
        operator.page.get_by_text("Give money back").first.click()
        operator.page.get_by_label("Amount in USD").fill("400")
        operator.page.locator("form[action$='/refund'] textarea").fill("Half an hour was lost.")
        operator.press("Give back")
        self.until_seen(operator, "Part refunded")
        self.look("operator, a payment, part refunded", operator)
        operator.press("The cardholder disputes it")
        self.until_seen(operator, "Waits for evidence")
        self.look("operator, a payment, disputed", operator)
        self.look("operator, disputes", operator, "/payments?show=disputes")
        self.look("operator, payouts", operator, "/payouts")
        self.look("operator, integrity", operator, "/integrity")
        self.look("operator, providers", operator, "/providers")
        self.look("operator, ledger with a dispute", operator, "/ledger")
        self.look("receipts", client, "/receipts")
        client.page.goto(self.session)
        client.page.get_by_text("Every step, with its time").click()
        self.look("session, every step", client)
        self.look("partner, earnings with a refund", self.expert_of_it(), "/earnings")
        operator.leave()

    def number(self) -> str:
        """What the operator calls the session that was paid."""
        return self.session.rpartition("/")[2][-12:].upper()

    @staticmethod
    def until_seen(person: Person, text: str) -> None:
        """Look again until it says so: it follows from work, or from what the card network announces."""
        address = person.page.url
        for _ in range(20):
            with suppress(PlaywrightTimeoutError):
                person.page.get_by_text(text).first.wait_for(timeout=500)
                return
            person.page.goto(address)
        raise AssertionError(f"{text!r} does not appear")

    def mails(self) -> None:
        client = self.client
        subjects = {
            "confirmation": "Booked",
            "reminder": "In one hour",
            "receipt": "Receipt",
            "share": "You earned",
            "refund": "Refund: ",
            "moved": "Moved: ",
            "cancelled": "Cancelled: your session",
            "other times": "asks for another time",
            "did not come": "did not come",
            "missed": "We missed you",
            "decided": "Decided: ",
        }
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


class TourOfMuch(Walk):
    """Looks at a demo with a past: pages with much in them, its third portal, everybody's own place, and who looks after it."""

    def whole(self) -> None:
        """All of it."""
        self.much()
        self.own_place()
        self.administrators()
        self.operator()

    def much(self) -> None:
        signins = self.demo.signins
        dana = signins.partner("Dana Whitfield")
        rows = (
            ("fortium", signins.member("fortium"), ("/", "/sessions", "/experts", "/receipts")),
            ("hansa", signins.member("hansa"), ("/", "/sessions", "/experts")),
            ("partners", dana, ("/", "/sessions", "/earnings", "/availability", "/profile")),
            ("fortium", signins.member("fortium", ADMINISTRATOR), ("/admin", "/admin/roster", "/admin/members")),
            ("ops", signins.operator, ("/", "/tenants", "/partners", "/ledger", "/alarms", "/payments?show=all", "/payouts")),
        )
        for host, signin, paths in rows:
            person = self.at(host)
            person.sign_in(signin)
            for path in paths:
                person.go(path)
                self.eye.take(f"much, {host}, {path.strip('/').replace('/', ' ').partition('?')[0] or 'home'}", person.page)
            if host == "fortium" and "/experts" in paths:
                onward(person.go("/experts").locator("article.partner-card .partner-card__name a").first)
                self.eye.take("much, fortium, expert", person.page)
                onward(person.go("/sessions").locator("main a[href^='/sessions/']").first)
                self.eye.take("much, fortium, session", person.page)
                ask(person, BRIEF)
                person.page.locator("button[name=slot]").first.wait_for()
                self.eye.take("much, fortium, shortlist", person.page)
            person.leave()

    def own_place(self) -> None:
        client, other, partner = self.at("fortium"), self.at("fortium"), self.at("partners")
        client.sign_in(self.demo.signins.member("fortium"))
        partner.sign_in(self.demo.signins.partner("Dana Whitfield"))
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
        self.look("partner, calendar", partner, "/calendar")
        client.leave()
        partner.leave()

    # Those who look after it -----------------------------------------------------------------------------------------

    def administrators(self) -> None:
        for host, name in (("fortium", "admin"), ("globex", "closed portal, admin")):
            administrator = self.at(host)
            administrator.sign_in(self.demo.signins.member(host, ADMINISTRATOR))
            for page in ("", "/branding", "/roster", "/roster/add", "/calendars", "/tax", "/members", "/api-keys"):
                self.look(name + page.replace("/", ", "), administrator, "/admin" + page)
            if host == "fortium":
                self.providers(administrator)
                self.keys(administrator, name)
            administrator.go("/admin/tax").get_by_label("Rate").fill("nineteen")
            administrator.press("Keep it")
            self.look(f"{name}, tax, error", administrator)
            administrator.leave()

    def providers(self, administrator: Person) -> None:
        """The portal's providers: the list, one with settings, what does not fit, a test that went well."""
        self.look("admin, providers", administrator, "/admin/providers")
        page = self.look("admin, a provider", administrator, "/admin/providers/matching_openai")
        page.get_by_label("Address").fill("nowhere")
        page.get_by_label("API key").first.fill("a key that does not come back")
        administrator.press("Keep these settings")
        page.locator(".field__error").first.wait_for()
        self.look("admin, a provider, error", administrator)
        page = administrator.go("/admin/providers/notifications_email")
        onward(administrator.button("Test it now"))
        self.look("admin, a provider, tested", administrator)

    def keys(self, administrator: Person, name: str) -> None:
        for program in ("Room planner", "Weekly report"):
            page = administrator.go("/admin/api-keys")
            page.get_by_label("Program").fill(program)
            onward(administrator.button("Make the key"))
        self.look(f"{name}, api key, shown once", administrator)
        page = administrator.go("/admin/api-keys")
        page.locator("summary", has_text="Revoke").first.click()
        self.look(f"{name}, api keys, revoking one", administrator)
        onward(administrator.button("Revoke this key").first)
        self.look(f"{name}, api keys, one revoked", administrator)

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
