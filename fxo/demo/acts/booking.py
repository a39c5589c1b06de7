"""The first act: from a brief without a sign-in to a session that is booked, in one tenant alone."""

from __future__ import annotations

from datetime import timedelta

from fxo.demo.stage import MAIL, NAME, Stage, at
from fxo.demo.visitor import local

BRIEF = (
    "Our insurer will not renew our cyber cover unless we show a tested ransomware recovery plan."
    " We run three plants on an old Windows domain. What should we do first?"
)
GOOD, DECLINED, CHALLENGE = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0025 0000 3155"


def brief(stage: Stage) -> None:
    home = stage.client.get("/")
    assert home.status == 200, home.status
    stage.shortlist = stage.client.follow(stage.client.submit(home, "/briefs", problem=BRIEF, zone="Europe/Stockholm"))
    assert stage.shortlist.status == 200, stage.shortlist.status


def why(stage: Stage) -> str:
    cards = stage.shortlist.soup.select("article.partner-card")
    assert 1 <= len(cards) <= 5, f"{len(cards)} experts"
    assert all(card.select_one(".why") for card in cards), "an expert without a reason"
    assert stage.shortlist.slots(), "no free time on the shortlist"
    stage.flush()
    return f"{len(cards)} experts"


def sign_up(stage: Stage) -> None:
    stage.globex.sign_in(stage.signins.member("globex"))
    for card in stage.shortlist.soup.select("article.partner-card"):
        link = str(card.select_one(".partner-card__name a")["href"])  # type: ignore[index]
        stage.expert = card.select_one(".partner-card__name").get_text(strip=True)  # type: ignore[union-attr]
        if stage.globex.get(link.partition("?")[0]).status == 200:
            break
    else:
        raise AssertionError("none of these experts serves both tenants")
    times, now = stage.client.get(link).slots(), stage.now()
    stage.soon = next(slot for slot in times if at(slot) > now + timedelta(hours=26))
    stage.later = next(slot for slot in times if at(slot) > now + timedelta(days=10))
    form = stage.client.press(stage.soon)
    assert "/sign-up" in str(form.soup), "no sign-up form"
    password = {"password": "a passphrase of one's own"}
    stage.checkout = stage.client.follow(
        stage.client.submit(form, "/sign-up", name=NAME, mail=MAIL, company="Newcomer AB", zone="Europe/Stockholm", **password)
    )
    assert stage.checkout.status == 200, stage.checkout.words
    assert stage.expert in stage.checkout.words, "another expert at checkout"
    assert stage.client.get(f"/briefs/{stage.soon['brief']}").status == 200, "the brief is lost"


def declined(stage: Stage) -> None:
    again = stage.client.pay(stage.checkout, DECLINED)
    assert again.status == 200, again.status
    assert "declined" in again.words.lower(), again.words
    assert "Nothing was charged" in again.words, again.words
    stage.checkout = again


def challenge(stage: Stage) -> None:
    stage.flush()
    asked = stage.client.pay(stage.checkout, CHALLENGE)
    link = next(str(a["href"]) for a in asked.soup.find_all("a") if "challenge" in str(a.get("href")))
    path = link[link.index("/plugins/") :]
    assert stage.client.get(path).status == 200
    done = stage.client.follow(local(stage.client.post(path, {"answer": "approve"})))
    assert done.status == 200, done.status
    stage.session = stage.new_session()
    page = stage.client.get(stage.session)
    assert "Booked" in page.words, page.words
    assert "$800" in page.words, page.words


def mails(stage: Stage) -> str:
    uids = set()
    for address in (MAIL, stage.signin(stage.expert).mail):
        page = stage.mail(address, "Booked" if address == MAIL else f"New session: {NAME}")
        method, event = stage.invitation(page)
        assert method == "REQUEST"
        assert event.start == at(stage.soon), f"{event.start} instead of {at(stage.soon)}"
        assert event.end - event.start == timedelta(minutes=60)
        assert "meet." in str(event.get("location")), "no meeting link in the invitation"
        uids.add(str(event["uid"]))
    assert len(uids) == 1, "the two invitations are not the same meeting"
    return uids.pop()


def save_card(stage: Stage) -> None:
    slot = next(slot for slot in stage.times() if slot["slot"] == stage.later["slot"])
    checkout = stage.client.press(slot)
    assert "Today: your card is kept" in checkout.words, checkout.words
    page = stage.client.pay(checkout, GOOD)
    assert "$800 is held on" in page.words, page.words
    stage.second = stage.new_session()


def busy_elsewhere(stage: Stage) -> None:
    page = stage.globex.get(f"/experts/{stage.soon['partner']}")
    assert page.status == 200, page.status
    assert stage.soon["slot"] not in {slot["slot"] for slot in page.slots()}, "the taken time is offered in the other tenant"
    assert "Nora" not in page.text and "Newcomer" not in page.text, "the other tenant learns who has booked"


def foreign_ids(stage: Stage) -> None:
    assert stage.globex.get(stage.session).status == 404, "a foreign tenant's session is found"
    stage.stranger.sign_in(stage.signins.member("fortium"))
    for path in (
        stage.session,
        stage.session + "/session.ics",
        stage.session.replace("/sessions/", "/book/"),
        f"/briefs/{stage.soon['brief']}",
    ):
        assert stage.stranger.get(path).status == 404, f"another member's {path} is found"


STEPS = [
    ("a brief needs no sign-in", brief),
    ("the shortlist says who and why", why),
    ("signing up keeps the brief and the slot", sign_up),
    ("a declined card charges nothing and keeps the slot", declined),
    ("the bank may ask for confirmation, and the booking is authorised now", challenge),
    ("both get a mail with an invitation that calendars read", mails),
    ("ten days out the card is saved and not held", save_card),
    ("the slot is busy in the other tenant, and nothing more is told", busy_elsewhere),
    ("another tenant's and another member's ids are not found", foreign_ids),
]
