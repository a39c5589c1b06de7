"""Every message of the catalogue: it renders as text and HTML, for hostile names too, and leads to the reader's own host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from bs4 import BeautifulSoup

from fxo.core.clock import system_now
from fxo.core.ids import new_id
from fxo.core.notifications import reactions
from fxo.core.notifications.catalogue import CATALOGUE, Entry
from fxo.core.notifications.port import Message
from fxo.core.payments import commands as payments
from fxo.core.scope import CODE
from fxo.core.work.model import Work
from fxo.plugins.notifications_email.composing import compose
from tests.support.money import DAY, HALF, decides, done
from tests.support.story import CLIENT_MAIL, DANA_MAIL, Story, story

HOSTS = {
    **{"client": "fortium.localhost", "partner": "partners.localhost", "operators": "ops.localhost"},
    **{"member": "fortium.localhost", "expert": "partners.localhost", "operator": "ops.localhost"},
}
READERS = {
    **{"client": CLIENT_MAIL, "partner": DANA_MAIL, "operators": "alarms@fxo.example"},
    **{"member": CLIENT_MAIL, "expert": DANA_MAIL, "operator": "ops@fxo.example"},
}
HOSTILE = "Sarah\r\nBcc: everybody@evil.example\u2028{paid} {0} %s %(price)s <script>alert(1)</script>"


PAYOUT = str(new_id())
LONE = {"token": "abc-def", "new_mail": "sarah@new.example", "amount": "$640", "payout": PAYOUT, "calendar": "Google Calendar"}
"""The words of messages that are about no booking."""


@pytest.fixture(scope="module")
def told(databases: Any) -> Iterator[Story]:
    """One booking that is paid and given back in part, and one ahead: every message may be about one of them."""
    with story(databases, alarm_mail=READERS["operators"]) as made:
        decides(made, payments.refund, done(made), HALF, "The line was bad.")
        made.book("dana", made.ahead(2 * DAY))
        made.work()
        yield made


def booked(told: Story, kind: str = "") -> UUID:
    """The booking ahead; the paid one for what is told of money that moved."""
    order = "" if kind.startswith(("payment_received", "refund", "dispute")) else "desc"
    return told.rows(f"select id from consultations order by starts_at {order} limit 1")[0][0]  # type: ignore[no-any-return]


def rendered(told: Story, kind: str) -> Message:
    """The message about the booking, which is brought into a state in which the message is true."""
    entry, stream_id = CATALOGUE[kind], booked(told, kind)
    if entry.states:
        told.rows("update consultations set state = %(s)s where id = %(i)s returning 1", s=sorted(entry.states)[0], i=stream_id)
    if kind == "payment_due_client":
        told.rows("update payments set due_minor = amount_minor where consultation_id = %(i)s returning 1", i=stream_id)
    if kind.startswith("link_ready"):
        told.rows("update deliveries set with_link = false returning 1")
    body: dict[str, Any] = {"message": kind, "kind": "meeting.no_link", "sentence": "A session has no link.", "number": 1}
    if entry.to in ("member", "expert", "operator"):
        [(name,)] = told.rows("select name from clients")
        body |= {"words": LONE, "to": [name, READERS[entry.to]]}
    work = Work(told.config.id, new_id(), reactions.KIND, stream_id, body, system_now(), 0, 1)
    outgoing = told.run(CODE, told.parts.registry[reactions.KIND].look, work)
    assert outgoing is not None, f"{kind} is not sent in {entry.states}"
    message: Message = outgoing.message
    return message


def named(told: Story, name: str) -> None:
    told.rows("update clients set name = %(n)s returning 1", n=name)
    told.rows("update partners set name = %(n)s where id = %(p)s returning 1", n=name, p=told.partners["dana"])


@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_message_says_the_same_as_text_and_as_html(told: Story, kind: str) -> None:
    named(told, "Sarah Lindqvist")
    entry, message = CATALOGUE[kind], rendered(told, kind)
    assert (message.kind, message.to_address) == (kind, READERS[entry.to])
    page = BeautifulSoup(message.html, "html.parser")
    spoken = " ".join(page.get_text(" ").split())
    for said in (message.text, spoken):
        assert "%" not in said, "a word that is not filled in"
        assert "None" not in said
        assert entry.heading.split("%")[0].strip() in " ".join(said.split())
    assert page.h1 is not None
    assert page.h1.get_text() in message.text
    assert message.subject.strip() == message.subject != ""
    assert not re.search(r"[%\r\n]", message.subject)
    assert len(message.subject) < 150


@pytest.mark.parametrize("kind", CATALOGUE)
def test_every_link_of_a_message_leads_to_its_readers_own_host(told: Story, kind: str) -> None:
    named(told, "Sarah Lindqvist")
    entry, message = CATALOGUE[kind], rendered(told, kind)
    page = BeautifulSoup(message.html, "html.parser")
    buttons = [urlsplit(str(a["href"])) for a in page.select(".btn a")]
    assert len(buttons) == (entry.action is not None)
    if entry.action:
        filled = entry.action[1] % {"id": booked(told, kind), "partner_id": told.partners["dana"], **LONE}
        assert (buttons[0].hostname, f"{buttons[0].path}?{buttons[0].query}".rstrip("?")) == (HOSTS[entry.to], filled)
    allowed = {HOSTS[entry.to], "fortium.localhost", "meet.localhost"}
    for link in [*re.findall(r"https?://\S+", message.text), *(str(a["href"]) for a in page.find_all("a"))]:
        assert urlsplit(link).hostname in allowed
        assert link in message.text, "the plain text has every link in full"
    if entry.change:
        [change] = [str(a["href"]) for a in page.find_all("a") if a.get_text() == entry.change[0]]
        assert (urlsplit(change).hostname, urlsplit(change).path) == (HOSTS[entry.to], "/settings")


def test_the_meeting_link_can_be_pressed(told: Story) -> None:
    message = rendered(told, "booking_confirmed_client")
    [link] = [str(a["href"]) for a in BeautifulSoup(message.html, "html.parser").find_all("a") if "meet." in str(a["href"])]
    assert link == told.join_url(booked(told))


@pytest.mark.parametrize("kind", CATALOGUE)
def test_no_name_breaks_a_header_a_template_or_the_html(told: Story, kind: str) -> None:
    named(told, HOSTILE)
    message = rendered(told, kind)
    assert len(message.subject.splitlines()) == 1
    assert len(message.to_name.splitlines()) == 1
    page = BeautifulSoup(message.html, "html.parser")
    assert page.find("script") is None
    mail = compose(message, "fxo <no-reply@localhost>", system_now())
    assert mail["Bcc"] is None
    assert mail["To"].addresses[0].addr_spec == message.to_address
    assert len(mail["To"].addresses) == 1
    said = " ".join(f"{message.subject} {message.text}".split())
    assert _uses_name(CATALOGUE[kind]) == ("{paid} {0} %s %(price)s" in said), "what somebody wrote is filled in as it is"


def _uses_name(entry: Entry) -> bool:
    return "%(client" in repr(entry) or "%(partner)" in repr(entry)


def test_the_look_is_the_tenants(told: Story) -> None:
    named(told, "Sarah Lindqvist")
    message = rendered(told, "booking_confirmed_client")
    assert "#14532d" in message.html
    assert "Fortium" in message.text
