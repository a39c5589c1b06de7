"""The act in which nothing goes as planned: moved, cancelled, taken over, missed, contested; and a card that is refused."""

from __future__ import annotations

from datetime import datetime, timedelta

from fxo.demo.acts.booking import GOOD
from fxo.demo.acts.money import payment
from fxo.demo.stage import MAIL, NAME, PATIENCE, Stage, at
from fxo.embedded.processes import wait_until

FAILS_LATER = "4000 0000 0000 0341"
"""Works at checkout, and is refused whenever it is used without the client."""

STUMBLES = "4000 0000 0000 5035"
"""The first try to take what is held fails, and the next one works."""

GRACE = timedelta(minutes=10)


def move(stage: Stage) -> None:
    _, before = stage.invitation(stage.mail(MAIL, f"Booked: {stage.expert}"))
    old = stage.later["slot"]
    assert before.start == at(stage.later), "the newest invitation is that of the session which is moved"
    page = stage.client.get(f"{stage.second}/move")
    slot = next(slot for slot in page.slots() if at(slot) > at(stage.later) + timedelta(hours=20))
    moved = stage.client.press(slot)
    assert moved.status == 200, moved.words
    stage.later = stage.later | {"slot": slot["slot"]}
    assert moved.soup.select_one("h1 time")["datetime"] == slot["slot"]  # type: ignore[index]
    for address, other in ((MAIL, stage.expert), (stage.signin(stage.expert).mail, NAME)):
        method, after = stage.invitation(stage.mail(address, f"Moved: {other}"))
        assert (method, str(after["uid"]), after.start) == ("REQUEST", str(before["uid"]), at(stage.later))
        assert int(after["sequence"]) > int(before["sequence"]), "a calendar would keep the old time"
    free = {each["slot"] for each in stage.times()}
    assert old in free and slot["slot"] not in free, "the old time is not free, or the new one is"


def authorised_later(stage: Stage) -> None:
    stage.until(at(stage.later) - timedelta(hours=71))
    stage.shows(stage.client, stage.second, "Held on Visa")


def cancel_late(stage: Stage) -> None:
    stage.until(at(stage.later) - timedelta(hours=5))
    page = stage.client.get(f"{stage.second}/cancel")
    assert "Cancelling costs $400" in page.words, page.words
    done = stage.client.follow(stage.client.submit(page, f"{stage.second}/cancel", reason="plans_changed"))
    assert "Cancelled" in done.words, done.words
    mail = stage.mail(MAIL, f"Cancelled: your session with {stage.expert}", "$400 is charged")
    assert stage.invitation(mail)[0] == "CANCEL"
    stage.mail(MAIL, f"Receipt: $400 for your session with {stage.expert}")
    stage.mail(stage.signin(stage.expert).mail, f"You earned $320 with {NAME}")
    stage.shows(stage.client, stage.second, "Paid $400")


def rescue(stage: Stage) -> str:
    stage.third, slot = stage.book(STUMBLES)
    stage.shows(stage.client, stage.third, "Held on Visa")
    page = stage.partner.get(f"{stage.third}/cancel")
    done = stage.partner.follow(stage.partner.submit(page, f"{stage.third}/cancel", reason="ill", words="I am so sorry."))
    assert "This session does not take place." in done.words, done.words
    subject = f"Cancelled: your session with {stage.expert}"
    mail = stage.mail(MAIL, subject, "I am so sorry.", "Nothing was charged.", "one tap")
    method, event = stage.invitation(mail)
    assert (method, event.start) == ("CANCEL", at(slot)), (method, event.start)
    page = stage.client.get(stage.third)
    assert "Others who can take over" in page.words, page.words
    kept = stage.client.press(page.slots()[0])
    stage.third = stage.new_session()
    assert "Booked" in kept.words and "Held on Visa" in kept.words, kept.words
    stage.other_expert = kept.soup.select_one("header a[href^='/experts/']").get_text(strip=True)  # type: ignore[union-attr]
    assert stage.other_expert != stage.expert
    stage.mail(stage.signin(stage.other_expert).mail, f"New session: {NAME}")
    return stage.other_expert


def no_show(stage: Stage) -> None:
    start = _start(stage, stage.third)
    stage.until_next(start + GRACE)
    expert = stage.signin(stage.other_expert)
    stage.other_partner.sign_in(expert)
    stage.other_partner.submit(stage.other_partner.get(stage.third), f"{stage.third}/check-in")
    page = stage.other_partner.get(stage.third)
    said = stage.other_partner.follow(stage.other_partner.submit(page, f"{stage.third}/absent", missing="client"))
    assert "Nora Newcomer did not come." in said.words or "Nora did not come." in said.words, said.words
    stage.mail(MAIL, f"We missed you: {stage.other_expert}")
    receipt = f"Receipt: $800 for your session with {stage.other_expert}"
    assert stage.count(MAIL, receipt) == 0, "the client has a day to say that it was otherwise"
    stage.until(start + timedelta(hours=26))
    stage.mail(MAIL, receipt)
    stage.mail(expert.mail, f"You earned $640 with {NAME}")
    stage.shows(stage.operator, payment(stage, stage.third), "Taken $800.00")
    assert stage.count(MAIL, receipt) == 1, "more than one receipt"


def contested(stage: Stage) -> None:
    stage.fourth, slot = stage.book(FAILS_LATER)
    stage.until_next(at(slot) + GRACE)
    page = stage.client.get(stage.fourth)
    stage.client.submit(page, f"{stage.fourth}/object", says="not_as_agreed", words="We talked for five minutes.")
    stage.mail(stage.signin(stage.expert).mail, f"What happened in your session with {NAME}?")
    page = stage.partner.get(stage.fourth)
    stage.partner.submit(page, f"{stage.fourth}/object", words="We talked for the whole hour.")
    stage.until(at(slot) + timedelta(days=8))  # by now what is held has run out
    case = next(
        page for link in stage.operator.get("/cases").soup.select("a[href^='/bookings/']")
        if (page := stage.operator.get(str(link["href"]))).words.count("We talked for") == 2
    )  # fmt: skip
    done = stage.operator.submit(case, case.action("/bookings/"), fee="full", words="The meeting lasted an hour.")
    assert done.status == 303, done.words
    stage.mail(MAIL, f"Decided: your session with {stage.expert}", "The meeting lasted an hour.")


def recovered(stage: Stage) -> None:
    stage.mail(MAIL, f"Your card was refused: $800 for your session with {stage.expert}")
    stage.shows(stage.operator, payment(stage, stage.fourth), "The client was asked for another card.")
    receipt = f"Receipt: $800 for your session with {stage.expert}"
    before = stage.count(MAIL, receipt)
    page = stage.client.get(f"{stage.fourth}/pay")
    assert "$800.00 is still to be paid." in page.words, page.words
    stage.client.pay(page, GOOD)
    stage.shows(stage.client, stage.fourth, "Paid $800")
    stage.shows(
        stage.operator, payment(stage, stage.fourth), "The card was refused for what is owed", "$800.00 paid", "Taken $800.00"
    )
    assert wait_until(lambda: stage.count(MAIL, receipt) > before, PATIENCE), "no receipt"


def _start(stage: Stage, session: str) -> datetime:
    stamp = stage.client.get(session).soup.select_one("h1 time")
    assert stamp is not None
    return datetime.fromisoformat(str(stamp["datetime"]))


STEPS = [
    ("the client moves a session, and both calendars follow", move),
    ("the saved card is authorised by the moved clock", authorised_later),
    ("a late cancellation costs what its page said", cancel_late),
    ("an expert cancels, and an equal one takes over with the same payment", rescue),
    ("a client who does not come pays a day later, and once, although the first capture fails", no_show),
    ("what two do not agree about is decided by a person", contested),
    ("what was held has run out and the saved card is refused: another card pays what is owed", recovered),
]
