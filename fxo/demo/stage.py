"""Where the acts of `fxo demo --check` play: who is there, what was booked, the mails that came, and the clock that they move."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from icalendar import Calendar

from fxo.demo.pages import Page
from fxo.demo.seed import Signin, Signins
from fxo.demo.visitor import Visitor
from fxo.embedded.processes import wait_until

NAME, MAIL = "Nora Newcomer", "nora@newcomer.example"
PATIENCE = 45.0
"""Seconds that anything which happens outside the page may take."""

Slot = dict[str, str]


class Stage:
    """The people and what they hand on from act to act."""

    def __init__(self, address: tuple[str, int], base: str, signins: Signins, flush: Callable[[], object]) -> None:
        self.signins, self.flush = signins, flush
        self.client = Visitor(address, f"fortium.{base}")
        self.stranger = Visitor(address, f"fortium.{base}")
        self.globex = Visitor(address, f"globex.{base}")
        self.partner = Visitor(address, f"partners.{base}")
        self.other_partner = Visitor(address, f"partners.{base}")
        self.operator = Visitor(address, f"ops.{base}")
        self.shortlist = self.checkout = Page(0, {}, "")
        self.soon: Slot = {}
        self.later: Slot = {}
        self.expert = self.other_expert = ""
        self.session = self.second = self.third = self.fourth = ""
        self._known: set[str] = set()

    def close(self) -> None:
        """Everybody leaves."""
        for one in (self.client, self.stranger, self.globex, self.partner, self.other_partner, self.operator):
            one.http.close()

    def signin(self, name: str) -> Signin:
        """The partner of that name."""
        return self.signins.partner(name)

    # Booking -----------------------------------------------------------------------------------------------------------

    def times(self) -> list[Slot]:
        """The free times of the expert who was chosen first, for the same brief."""
        return self.client.get(f"/experts/{self.soon['partner']}?brief={self.soon['brief']}").slots()

    def book(self, number: str) -> tuple[str, Slot]:
        """Book the first time that is more than a day ahead, with this card; returns the session's address and the time."""
        now = self.now()
        slot = next(slot for slot in self.times() if at(slot) > now + timedelta(hours=26))
        self.client.pay(self.client.press(slot), number)
        return self.new_session(), slot

    def new_session(self) -> str:
        """The address of the session that was not on the client's list before; waits for it."""
        found: list[str] = []

        def look() -> bool:
            links = self.client.get("/sessions").soup.select("a[href^='/sessions/']")
            found[:] = [href for link in links if (href := str(link["href"])) not in self._known]
            return bool(found)

        assert wait_until(look, PATIENCE), "no session is booked"
        self._known.add(found[0])
        return found[0]

    def shows(self, visitor: Visitor, path: str, *words: str) -> Page:
        """The page once all of this stands on it; waits for it."""
        found = [Page(0, {}, "")]

        def there() -> bool:
            found[0] = visitor.get(path)
            return all(word in found[0].words for word in words)

        assert wait_until(there, PATIENCE), f"{words}: {found[0].words}"
        return found[0]

    # What comes by mail ------------------------------------------------------------------------------------------------

    def mail(self, address: str, subject: str, *words: str) -> Page:
        """The newest mail to the address whose subject begins so, as plain text, once all of this stands in it; waits for it."""
        found = [Page(0, {}, "")]

        def look() -> bool:
            links = [href for to, about, href in self._outbox() if address in to and about.startswith(subject)]
            if links:
                found[0] = self.client.get(f"{links[0]}&view=text")
            return bool(links) and all(each in found[0].words for each in words)

        assert wait_until(look, PATIENCE), f"no mail {subject!r} with {words} to {address}: {found[0].words}"
        return found[0]

    def count(self, address: str, subject: str) -> int:
        """How many mails with a subject that begins so have come to the address."""
        return sum(address in to and about.startswith(subject) for to, about, _ in self._outbox())

    def invitation(self, mail: Page) -> tuple[str, Any]:
        """The method and the event of the .ics in a mail."""
        attachment = next(str(a["href"]) for a in mail.soup.find_all("a") if str(a.get("href", "")).endswith(".ics"))
        calendar = Calendar.from_ical(self.client.http.get(attachment).content)
        [event] = calendar.walk("VEVENT")
        return str(calendar["method"]), event

    def _outbox(self) -> list[tuple[str, str, str]]:
        """(to, subject, link) of every mail, newest first."""
        page = self.client.get("/demo/outbox")
        return [
            (" ".join(link.get_text(" ").split()), _subject(link), str(link["href"]))
            for link in page.soup.find_all("a") if "mail=" in str(link.get("href", ""))
        ]  # fmt: skip

    # Time passes -------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """What the clock bar says."""
        stamp = self.client.get("/").soup.select_one(".clock-bar time")
        assert stamp is not None, "no clock bar"
        return datetime.fromisoformat(str(stamp["datetime"]))

    def move(self, step: str) -> None:
        """Press a button of the clock: an hour, a day, or to what comes next."""
        moved = self.client.submit(self.client.get("/"), "/demo/clock", step=step)
        assert moved.status == 303, moved.words

    def until(self, moment: datetime) -> None:
        """Move the clock there, or up to an hour beyond."""
        self._until(moment, "1h")

    def until_next(self, moment: datetime) -> None:
        """Move the clock there, for the last hour from event to event, so that it stops at one that is due at the moment."""
        self.until(moment - timedelta(hours=1))
        self._until(moment, "next")

    def _until(self, moment: datetime, step: str) -> None:
        for _ in range(60):
            ahead = moment - self.now()
            if ahead <= timedelta(0):
                return
            self.move("1d" if ahead > timedelta(days=1) else step)
        raise AssertionError("the clock does not get there")


def at(slot: Slot) -> datetime:
    """When a free time begins."""
    return datetime.fromisoformat(slot["slot"])


def _subject(link: Any) -> str:
    found = link.select_one("b, strong, .subject")
    return " ".join((found or link).get_text(" ").split())
