"""`fxo demo --check`: drives the whole flow as a client, a partner and an operator would, and looks only at what they see."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
from icalendar import Calendar

from fxo.demo.pages import Page
from fxo.demo.seed import Signin, Signins
from fxo.demo.step import Step
from fxo.embedded.processes import wait_until

BRIEF = (
    "Our insurer will not renew our cyber cover unless we show a tested ransomware recovery plan."
    " We run three plants on an old Windows domain. What should we do first?"
)
GOOD, DECLINED, CHALLENGE = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0025 0000 3155"
NAME, MAIL = "Nora Newcomer", "nora@newcomer.example"
PATIENCE = 45.0
"""Seconds that anything which happens outside the page may take."""

Flush = Callable[[], object]


class Visitor:
    """One browser at one host: connects to 127.0.0.1 and says in the Host header where it wants to be."""

    def __init__(self, address: tuple[str, int], host: str) -> None:
        self.http = httpx.Client(
            base_url=f"http://{address[0]}:{address[1]}", headers={"Host": f"{host}:{address[1]}"}, timeout=70
        )

    def get(self, path: str) -> Page:
        return self._page(self.http.get(path))

    def post(self, path: str, data: dict[str, str]) -> Page:
        return self._page(self.http.post(path, data=data))

    def submit(self, page: Page, action: str, **values: str) -> Page:
        """Fill in the form of the page that is sent there, and send it."""
        return self.post(action, page.form(action) | values)

    def follow(self, page: Page) -> Page:
        """Go where the answer leads, until there is a page."""
        for _ in range(8):
            if page.status not in (301, 302, 303, 307):
                return page
            page = self.get(page.location)
        raise AssertionError(f"redirects do not end: {page.location}")

    def sign_in(self, signin: Signin) -> Page:
        return self.follow(self.submit(self.get("/sign-in"), "/sign-in", mail=signin.mail, password=signin.password))

    def token(self, number: str) -> str:
        """What the card field's script gets for a card."""
        card = {"number": number, "exp_month": 12, "exp_year": 2035, "cvc": "123"}
        answer = self.http.post("/plugins/payments_sandbox/tokens", json=card)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    def hold(self, slot: dict[str, str]) -> Page:
        """Press the button of a free time."""
        fields = dict(slot)
        return self.follow(self.post(fields.pop(""), fields))

    def pay(self, checkout: Page, number: str) -> Page:
        """Fill in the card and press the one button."""
        return self.follow(self.submit(checkout, checkout.action("/book/"), method="new", method_token=self.token(number)))

    def _page(self, answer: httpx.Response) -> Page:
        return Page(answer.status_code, answer.headers, answer.text)


def drive(address: tuple[str, int], base_domain: str, signins: Signins, flush_redis: Flush) -> Iterator[Step]:
    """Each step as it is done; the first that does not hold ends the drive, since the next ones stand on it."""
    story = Story(address, base_domain, signins, flush_redis)
    for name, act in story.steps():
        begun = time.monotonic()
        try:
            detail = act() or ""
        except Exception as error:
            # The edge of a step: what it did not foresee is a step that failed, with the reason for who reads it.
            yield Step(name, False, (time.monotonic() - begun) * 1000, f"{type(error).__name__}: {error}"[:800])
            return
        yield Step(name, True, (time.monotonic() - begun) * 1000, detail)


class Story:
    """The flow, step by step, with what the steps hand on."""

    def __init__(self, address: tuple[str, int], base: str, signins: Signins, flush: Flush) -> None:
        self.signins, self.flush = signins, flush
        self.client = Visitor(address, f"fortium.{base}")
        self.stranger = Visitor(address, f"fortium.{base}")
        self.globex = Visitor(address, f"globex.{base}")
        self.partner = Visitor(address, f"partners.{base}")
        self.operator = Visitor(address, f"ops.{base}")
        self.shortlist = self.checkout = Page(0, {}, "")
        self.soon: dict[str, str] = {}
        self.later: dict[str, str] = {}
        self.expert = ""
        self.session = self.second = ""

    def steps(self) -> list[tuple[str, Callable[[], str | None]]]:
        return [
            ("a brief needs no sign-in", self.brief),
            ("the shortlist says who and why", self.why),
            ("signing up keeps the brief and the slot", self.sign_up),
            ("a declined card charges nothing and keeps the slot", self.declined),
            ("the bank may ask for confirmation, and the booking is authorised now", self.challenge),
            ("both get a mail with an invitation that calendars read", self.mails),
            ("ten days out the card is saved and not held", self.save_card),
            ("the slot is busy in the other tenant, and nothing more is told", self.busy_elsewhere),
            ("another tenant's and another member's ids are not found", self.foreign_ids),
            ("both are reminded a day and an hour before", self.reminders),
            ("the expert completes the session with one click", self.complete),
            ("the money is captured exactly once", self.captured),
            ("640 on the expert's earnings page, 640 and 160 on the operator's ledger", self.ledger),
            ("the client rates the session", self.rate),
            ("half is given back: the client gets a credit note, and the split follows", self.refund),
            ("a dispute is answered with evidence and won", self.dispute),
            ("the expert is paid out and reads the statement", self.payout),
            ("the books agree, and every counter is zero", self.integrity),
            ("the saved card is authorised by the moved clock", self.authorised_later),
        ]

    # The client --------------------------------------------------------------------------------------------------

    def brief(self) -> None:
        home = self.client.get("/")
        assert home.status == 200, home.status
        self.shortlist = self.client.follow(self.client.submit(home, "/briefs", problem=BRIEF, zone="Europe/Stockholm"))
        assert self.shortlist.status == 200, self.shortlist.status

    def why(self) -> str:
        cards = self.shortlist.soup.select("article.partner-card")
        assert 1 <= len(cards) <= 5, f"{len(cards)} experts"
        assert all(card.select_one(".why") for card in cards), "an expert without a reason"
        slots = self.shortlist.slots()
        assert slots, "no free time on the shortlist"
        self.flush()
        return f"{len(cards)} experts"

    def sign_up(self) -> None:
        self.globex.sign_in(self.signins.member("globex"))
        for card in self.shortlist.soup.select("article.partner-card"):
            link = str(card.select_one(".partner-card__name a")["href"])  # type: ignore[index]
            self.expert = card.select_one(".partner-card__name").get_text(strip=True)  # type: ignore[union-attr]
            if self.globex.get(link.partition("?")[0]).status == 200:
                break
        else:
            raise AssertionError("none of these experts serves both tenants")
        times = self.client.get(link).slots()
        now = self._clock(self.client)
        self.soon = next(slot for slot in times if _at(slot) > now + timedelta(hours=26))
        self.later = next(slot for slot in times if _at(slot) > now + timedelta(days=10))
        form = self.client.hold(self.soon)
        assert "/sign-up" in str(form.soup), "no sign-up form"
        password = {"password": "a passphrase of one's own"}
        self.checkout = self.client.follow(
            self.client.submit(form, "/sign-up", name=NAME, mail=MAIL, company="Newcomer AB", zone="Europe/Stockholm", **password)
        )
        assert self.checkout.status == 200, self.checkout.words
        assert self.expert in self.checkout.words, "another expert at checkout"
        brief = self.soon["brief"]
        assert self.client.get(f"/briefs/{brief}").status == 200, "the brief is lost"

    def declined(self) -> None:
        again = self.client.pay(self.checkout, DECLINED)
        assert again.status == 200, again.status
        assert "declined" in again.words.lower(), again.words
        assert "Nothing was charged" in again.words, again.words
        self.checkout = again

    def challenge(self) -> None:
        self.flush()
        asked = self.client.pay(self.checkout, CHALLENGE)
        link = next(str(a["href"]) for a in asked.soup.find_all("a") if "challenge" in str(a.get("href")))
        path = link[link.index("/plugins/") :]
        assert self.client.get(path).status == 200
        done = self.client.follow(_local(self.client.post(path, {"answer": "approve"})))
        assert done.status == 200, done.status
        self.session = self._newest_session()
        page = self.client.get(self.session)
        assert "Booked" in page.words, page.words
        assert "$800" in page.words, page.words

    def save_card(self) -> None:
        times = self.client.get(f"/experts/{self.later['partner']}?brief={self.later['brief']}").slots()
        slot = next(slot for slot in times if slot["slot"] == self.later["slot"])
        checkout = self.client.hold(slot)
        assert "Today: your card is kept" in checkout.words, checkout.words
        page = self.client.pay(checkout, GOOD)
        assert "$800 is held on" in page.words, page.words
        self.second = self._newest_session(other_than=self.session)

    def _newest_session(self, other_than: str = "") -> str:
        def links() -> list[str]:
            page = self.client.get("/sessions")
            return [
                str(a["href"])
                for a in page.soup.find_all("a")
                if str(a.get("href", "")).startswith("/sessions/") and a["href"] != other_than
            ]

        assert wait_until(lambda: bool(links()), PATIENCE), "no session is booked"
        return links()[0]

    # What comes by mail --------------------------------------------------------------------------------------------

    def mails(self) -> str:
        uids = set()
        for address in (MAIL, self._signin(self.expert).mail):
            page = self._mail(address, "Booked" if address == MAIL else f"New session: {NAME}")
            attachment = next(str(a["href"]) for a in page.soup.find_all("a") if str(a.get("href", "")).endswith(".ics"))
            event = Calendar.from_ical(self.client.http.get(attachment).content).walk("VEVENT")[0]
            assert event.start == _at(self.soon), f"{event.start} instead of {_at(self.soon)}"
            assert event.end - event.start == timedelta(minutes=60)
            assert "meet." in str(event.get("location")), "no meeting link in the invitation"
            uids.add(str(event["uid"]))
        assert len(uids) == 1, "the two invitations are not the same meeting"
        return uids.pop()

    def _mail(self, address: str, subject: str) -> Page:
        """The newest mail to the address whose subject begins so; waits for it."""
        found: list[str] = []

        def look() -> bool:
            found[:] = [href for to, about, href in self._outbox() if address in to and about.startswith(subject)]
            return bool(found)

        assert wait_until(look, PATIENCE), f"no mail {subject!r} to {address}"
        return self.client.get(found[0])

    def _outbox(self) -> list[tuple[str, str, str]]:
        """(to, subject, link) of every mail, newest first."""
        page = self.client.get("/demo/outbox")
        return [
            (" ".join(link.get_text(" ").split()), _subject(link), str(link["href"]))
            for link in page.soup.find_all("a") if "mail=" in str(link.get("href", ""))
        ]  # fmt: skip

    def _count(self, address: str, subject: str) -> int:
        return sum(address in to and about.startswith(subject) for to, about, _ in self._outbox())

    # The other tenant, and strangers -----------------------------------------------------------------------------------

    def busy_elsewhere(self) -> None:
        page = self.globex.get(f"/experts/{self.soon['partner']}")
        assert page.status == 200, page.status
        assert self.soon["slot"] not in {slot["slot"] for slot in page.slots()}, "the taken time is offered in the other tenant"
        assert "Nora" not in page.text and "Newcomer" not in page.text, "the other tenant learns who has booked"

    def foreign_ids(self) -> None:
        assert self.globex.get(self.session).status == 404, "a foreign tenant's session is found"
        self.stranger.sign_in(self.signins.member("fortium"))
        for path in (
            self.session,
            self.session + "/session.ics",
            self.session.replace("/sessions/", "/book/"),
            f"/briefs/{self.soon['brief']}",
        ):
            assert self.stranger.get(path).status == 404, f"another member's {path} is found"

    # Time passes -------------------------------------------------------------------------------------------------------

    def _clock(self, visitor: Visitor) -> datetime:
        stamp = visitor.get("/").soup.select_one(".clock-bar time")
        assert stamp is not None, "no clock bar"
        return datetime.fromisoformat(str(stamp["datetime"]))

    def _move(self, step: str) -> None:
        page = self.client.get("/sessions")
        moved = self.client.submit(page, "/demo/clock", step=step)
        assert moved.status == 303, moved.words

    def _until(self, moment: datetime) -> None:
        for _ in range(60):
            ahead = moment - self._clock(self.client)
            if ahead <= timedelta(0):
                return
            self._move("1d" if ahead > timedelta(days=1) else "1h")
        raise AssertionError("the clock does not get there")

    def reminders(self) -> None:
        self._until(_at(self.soon) - timedelta(minutes=59))
        for address in (MAIL, self._signin(self.expert).mail):
            other = self.expert if address == MAIL else NAME
            for subject in (f"Tomorrow: your session with {other}", f"In one hour: your session with {other}"):
                self._mail(address, subject)
                assert self._count(address, subject) == 1, f"{subject!r} came more than once to {address}"

    def complete(self) -> None:
        self._until(_at(self.soon) + timedelta(minutes=30))
        self.partner.sign_in(self._signin(self.expert))
        page = self.partner.get(self.session)
        assert "ransomware" in page.words, "the brief is not there"
        self.flush()
        done = self.partner.follow(self.partner.submit(page, f"{self.session}/complete"))
        assert done.status == 200, done.status

    def captured(self) -> None:
        self._mail(MAIL, "Receipt: $800")
        self._mail(self._signin(self.expert).mail, f"You earned $640 with {NAME}")
        self._move("1h")
        assert self._count(MAIL, "Receipt") == 1, "more than one receipt"
        assert "Completed and paid" in self.client.get(self.session).words

    def ledger(self) -> None:
        earnings = self.partner.get("/earnings")
        assert "$640" in earnings.words, earnings.words
        self.operator.sign_in(self.signins.operator)
        page = self.operator.get("/ledger")
        assert page.status == 200, page.status
        assert "$640" in page.words and "$160" in page.words, page.words
        assert self.operator.get("/alarms").status == 200

    def rate(self) -> None:
        page = self.client.get(self.session)
        done = self.client.follow(self.client.submit(page, f"{self.session}/rating", stars="5", text="Told us what comes first."))
        assert "Told us what comes first." in done.words, done.words

    def _payment(self) -> str:
        """The operator's page of the payment of the session that was paid."""
        number = self.session.rpartition("/")[2][-12:].upper()
        listed = self.operator.get("/payments?show=all").soup.select("td a[href^='/payments/']")
        return next(str(link["href"]) for link in listed if number in link.get_text())

    def _on_payment(self, *words: str) -> Page:
        """The payment's page once all of this stands on it."""
        found = [Page(0, {}, "")]

        def there() -> bool:
            found[0] = self.operator.get(self._payment())
            return all(word in found[0].words for word in words)

        assert wait_until(there, PATIENCE), f"{words}: {found[0].words}"
        return found[0]

    def refund(self) -> None:
        action = f"{self._payment()}/refund"
        done = self.operator.submit(self.operator.get(self._payment()), action, amount="400", note="Half an hour was lost.")
        assert done.status == 303, done.words
        self._on_payment("$400.00 given back", "C-0")
        self._mail(MAIL, "Refund: $400")
        assert "$320" in self.partner.get("/earnings").words

    def dispute(self) -> None:
        path = self._payment()
        self.operator.submit(self.operator.get(path), f"{path}/dispute")
        page = self._on_payment("Waits for evidence")
        assert self.operator.submit(page, f"{path}/answer", note="The session took place.").status == 303
        page = self._on_payment("Evidence sent")
        self.operator.submit(page, f"{path}/won")
        self._on_payment("Dispute won: $400.00 is back")

    def payout(self) -> None:
        for tenant in [str(field["value"]) for field in self.operator.get("/payouts").soup.select("[name=tenant]")]:
            page = self.operator.get("/payouts")
            assert self.operator.submit(page, "/payouts", tenant=tenant).status == 303

        def paid() -> bool:
            return "Every account is settled." in self.operator.get("/payouts").words

        assert wait_until(paid, PATIENCE), self.operator.get("/payouts").words
        links = self.partner.get("/earnings").soup.select("a[href^='/earnings/payouts/']")
        assert links, "no payout on the earnings page"
        assert "Your share" in self.partner.get(str(links[0]["href"])).words

    def integrity(self) -> None:
        self.operator.submit(self.operator.get("/integrity"), "/integrity")

        def right() -> bool:
            words = self.operator.get("/integrity").words
            return all(each in words for each in ("Every counter is zero.", "Agree")) and "Differences," not in words

        assert wait_until(right, PATIENCE), self.operator.get("/integrity").words

    def authorised_later(self) -> None:
        self._until(_at(self.later) - timedelta(hours=71))

        def held() -> bool:
            return "Held on Visa" in self.client.get(self.second).words

        assert wait_until(held, PATIENCE), self.client.get(self.second).words

    # People ------------------------------------------------------------------------------------------------------------

    def _signin(self, name: str) -> Signin:
        return self.signins.partner(name)


def _at(slot: dict[str, str]) -> datetime:
    return datetime.fromisoformat(slot["slot"])


def _subject(link: Any) -> str:
    found = link.select_one("b, strong, .subject")
    return " ".join((found or link).get_text(" ").split())


def _local(page: Page) -> Page:
    """The same answer with its redirect as a path of this host, which cannot be resolved by name here."""
    location = page.headers.get("Location", "")
    if "://" in location:
        return Page(page.status, {"Location": "/" + location.split("/", 3)[3]}, page.text)
    return page
