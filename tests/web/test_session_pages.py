"""A client's sessions and cards: what the pages say in each state, and what may be done on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import flask
import pytest

from fxo.core.clock import in_zone
from fxo.core.consultations.model import EARLY
from fxo.core.ids import new_id
from fxo.core.payments.model import CONSENT
from tests.conftest import PASSWORD, add_member
from tests.support.browser import Page, Person
from tests.support.flow import booking_of, card_token, choice, pay, sign_in
from tests.support.plugins import Line
from tests.support.story import CLIENT_MAIL, Story, story

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FAILS_LATER, ASKS_LATER, ASKS, DECLINED = (
    "4000 0000 0000 0341", "4000 0000 0000 5043", "4000 0025 0000 3155", "4000 0000 0000 0002",
)  # fmt: skip
ZONE = "Europe/Stockholm"


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases) as made:
        yield made


@pytest.fixture
def sarah(told: Story) -> Person:
    return entered(CLIENT_MAIL)


def entered(mail: str) -> Person:
    person = Person(flask.current_app._get_current_object(), "fortium.localhost")  # type: ignore[attr-defined]
    sign_in(person, mail, PASSWORD)
    return person


def held(told: Story, person: Person, ahead: timedelta, partner: str = "dana") -> tuple[Page, UUID]:
    """The checkout of a time so far ahead, and the booking."""
    landed = person.post("/holds", choice(person.get("/"), told.partners[partner], told.ahead(ahead)))
    assert landed.status == 303, landed.words
    return person.get(landed.location), booking_of(landed.location)


def booked(told: Story, person: Person, ahead: timedelta, number: str | None = None, partner: str = "dana") -> UUID:
    page, found = held(told, person, ahead, partner)
    person.follow(pay(person, page, *([number] if number else [])))
    return found


def change(person: Person, session: UUID, page: Page, number: str) -> Page:
    """The answer to this card on the page on which a session's card is changed."""
    return person.follow(person.submit(page, f"/sessions/{session}/card", method="new", method_token=card_token(person, number)))


# A saved card that is refused (hard case 2) -------------------------------------------------------------------------------


def test_case_2_a_refused_card_is_changed_by_the_link_of_the_mail_and_the_hold_is_made_at_once(
    told: Story, sarah: Person
) -> None:
    starts_at = told.ahead(10 * DAY)
    session = booked(told, sarah, 10 * DAY, FAILS_LATER)
    kept = sarah.get(f"/sessions/{session}")
    assert "Choose another card" in kept.words
    told.live_until(starts_at - 3 * DAY + MINUTE)
    assert told.payment(session) == ("card_saved", "card_declined")
    [mail] = told.mails("card_refused")
    assert f"/sessions/{session}/card" in mail.text
    shown = sarah.get(f"/sessions/{session}")
    retry, end = (in_zone(starts_at - days * DAY, ZONE) for days in (2, 1))
    for words in ("Needs your card", "Your bank declined this card. Nothing was charged, and your time is still yours.",
                  f"Visa ending 0341 is tried again on {retry}", f"the time is given back on {end}"):  # fmt: skip
        assert words in shown.words, words
    listed = sarah.get("/sessions")
    assert "Needs you 1" in listed.words
    assert "Look at your card" in listed.words
    page = sarah.get(f"/sessions/{session}/card")
    assert "Hold $800 on this card" in page.words
    declined = change(sarah, session, page, DECLINED)
    assert "Your bank declined this card. Nothing was charged. Your session stays booked." in declined.words
    assert told.payment(session) == ("card_saved", "card_declined"), "the saved card stands"
    fine = change(sarah, session, declined, "4242 4242 4242 4242")
    assert "Held on Visa ending 4242 $800" in fine.words
    assert told.payment(session) == ("authorised", None)
    assert told.state(session) == "confirmed"
    assert sarah.get(f"/sessions/{session}/card").location == f"/sessions/{session}"
    told.live_until(starts_at - HOUR)
    assert told.state(session) == "confirmed", "nobody gives the time back any more"
    assert told.effects("hold") == ["hold"]
    assert told.dead() == []


def test_after_the_second_refusal_the_page_says_until_when_and_the_same_card_may_be_confirmed_in_person(
    told: Story, sarah: Person
) -> None:
    starts_at = told.ahead(10 * DAY)
    session = booked(told, sarah, 10 * DAY, ASKS_LATER)
    told.live_until(starts_at - 2 * DAY + MINUTE)
    page = sarah.get(f"/sessions/{session}/card")
    assert "Visa ending 5043 was tried twice." in page.words
    assert f"until {in_zone(starts_at - DAY, ZONE)}" in page.words
    same = sarah.submit(page, f"/sessions/{session}/card")
    assert "Held on Visa ending 5043 $800" in sarah.follow(same).words
    assert told.payment(session) == ("authorised", None)


def test_a_bank_may_ask_about_the_new_card_and_who_says_no_keeps_the_old_one(told: Story, sarah: Person) -> None:
    starts_at = told.ahead(10 * DAY)
    session = booked(told, sarah, 10 * DAY, FAILS_LATER)
    told.live_until(starts_at - 3 * DAY + MINUTE)
    asked = change(sarah, session, sarah.get(f"/sessions/{session}/card"), ASKS)
    assert "Your bank asks you to confirm" in asked.words
    assert sarah.get(f"/sessions/{session}/card").location == f"/book/{session}/checking"
    told.answer_bank(session, "refuse")
    told.work()
    back = sarah.follow(sarah.get(f"/book/{session}/return"))
    assert "The confirmation at your bank was refused." in back.words
    assert told.payment(session) == ("card_saved", "card_declined")
    asked = change(sarah, session, back, ASKS)
    told.answer_bank(session, "approve")
    assert "Held on Visa ending 3155" in sarah.follow(sarah.get(f"/book/{session}/return")).words
    assert told.payment(session) == ("authorised", None)
    assert told.effects("hold") == ["hold"]


def test_a_question_of_the_bank_that_nobody_answers_ends_and_the_old_card_stands(told: Story, sarah: Person) -> None:
    starts_at = told.ahead(10 * DAY)
    session = booked(told, sarah, 10 * DAY)
    change(sarah, session, sarah.get(f"/sessions/{session}/card"), ASKS)
    told.live(20 * MINUTE)
    page = sarah.get(f"/sessions/{session}/card")
    assert "Your bank did not hear from you in time." in page.words
    told.live_until(starts_at - 3 * DAY + MINUTE)
    assert told.payment(session) == ("authorised", None), "the saved card was held as planned"
    assert told.effects("hold") == ["hold"]
    assert told.alarms() == []


def test_a_card_is_changed_ahead_of_time_and_held_when_the_plan_said(told: Story, sarah: Person) -> None:
    starts_at = told.ahead(12 * DAY)
    session = booked(told, sarah, 12 * DAY, FAILS_LATER)
    page = sarah.get(f"/sessions/{session}/card")
    assert "Visa ending 0341 is kept for this session." in page.words
    assert "Keep this card for the session" in page.words
    fine = change(sarah, session, page, "4242 4242 4242 4242")
    assert f"To be held on Visa ending 4242 {in_zone(starts_at - 3 * DAY, ZONE)}" in fine.words
    told.live_until(starts_at - 3 * DAY + MINUTE)
    assert told.payment(session) == ("authorised", None)
    assert told.mails("card_refused") == []
    assert told.effects("hold") == ["hold"]


def test_a_session_that_is_held_or_over_wants_no_card(told: Story, sarah: Person) -> None:
    session = booked(told, sarah, 2 * DAY)
    assert sarah.get(f"/sessions/{session}/card").location == f"/sessions/{session}"
    far = booked(told, sarah, 10 * DAY)
    form = sarah.get(f"/sessions/{far}/card").form(f"/sessions/{far}/card")
    sent = sarah.post(f"/sessions/{session}/card", form | {"method": "new", "method_token": card_token(sarah)})
    assert sarah.follow(sent).words.count("Held on Visa ending 4242") == 1
    assert told.effects("hold") == ["hold"]
    empty = sarah.post(f"/sessions/{far}/card", form | {"method": "new", "method_token": ""})
    assert (empty.status, "Please enter your card." in empty.words) == (422, True)


def test_case_1_the_sentence_that_one_agrees_to_is_the_one_that_is_recorded(told: Story, sarah: Person) -> None:
    page, session = held(told, sarah, 2 * DAY)
    assert CONSENT in page.words
    sarah.follow(pay(sarah, page))
    [(recorded,)] = told.rows("select data->>'consent' from events where type = 'payment.requested'")
    assert recorded == CONSENT
    assert told.state(session) == "confirmed"


# Saved cards -------------------------------------------------------------------------------------------------------------


def test_with_a_saved_card_a_slot_is_booked_by_two_clicks(told: Story, sarah: Person) -> None:
    booked(told, sarah, 2 * DAY)
    page, second = held(told, sarah, 3 * DAY)
    done = sarah.follow(sarah.post(f"/book/{second}", page.form(f"/book/{second}")))
    assert "You are booked." in done.words
    assert told.payment(second) == ("authorised", None)


def test_cards_are_listed_once_and_a_removed_one_is_gone_at_the_provider_too(told: Story, sarah: Person) -> None:
    first = booked(told, sarah, 2 * DAY)
    booked(told, sarah, 3 * DAY)
    booked(told, sarah, 4 * DAY, "4000 0000 0000 2024")
    page = sarah.get("/settings")
    actions = [str(form["action"]) for form in page.soup.find_all("form") if "/cards/" in str(form.get("action"))]
    assert len(actions) == 2, "the same card was typed twice"
    [older] = [action for action in actions if "4242" in str(page.soup.find("form", action=action).parent)]  # type: ignore[union-attr]
    assert sarah.submit(page, older).location == "/settings#cards"
    told.work()
    assert "Visa ending 4242" not in sarah.get("/settings").words
    gone = "select count(*) from plugin_payments_sandbox.methods where card = 'works' and forgotten_at is not null"
    assert told.rows(gone) == [(2,)], "every use that was typed anew"
    assert told.payment(first) == ("authorised", None), "what is held stays held"
    offered, again = held(told, sarah, 5 * DAY)
    assert "Visa ending 2024" in offered.words and "Visa ending 4242" not in offered.words
    fresh = sarah.get("/settings").form("/settings/mails")["form_token"]
    assert sarah.post(older, {"form_token": fresh}).status == 404
    forged = sarah.submit(offered, f"/book/{again}", method=older.split("/")[3])
    assert (forged.status, "Please enter your card." in forged.words) == (422, True)


def test_a_card_that_a_session_waits_for_stays_until_the_session_has_another_one(told: Story, sarah: Person) -> None:
    session = booked(told, sarah, 10 * DAY)
    page = sarah.get("/settings")
    assert "A booked session is still to be held on it" in page.words
    [(card_id,)] = told.rows("select id from saved_methods")
    token = page.form("/settings/mails")["form_token"]
    refused = sarah.post(f"/settings/cards/{card_id}/remove", {"form_token": token})
    assert (refused.status, "Please give that session another card first." in refused.words) == (409, True)
    change(sarah, session, sarah.get(f"/sessions/{session}/card"), "4000 0000 0000 2024")
    assert sarah.post(f"/settings/cards/{card_id}/remove", {"form_token": token}).status == 303


def test_nobody_pays_with_or_removes_the_card_of_somebody_else(told: Story, sarah: Person) -> None:
    booked(told, sarah, 2 * DAY)
    [(card_id,)] = told.rows("select id from saved_methods")
    add_member(told.config, "erik@lindqvist.example", name="Erik Holm")
    erik = entered("erik@lindqvist.example")
    page, session = held(told, erik, 3 * DAY)
    answer = erik.submit(page, f"/book/{session}", method=str(card_id), method_token="")
    assert (answer.status, "Please enter your card." in answer.words) == (422, True)
    token = erik.get("/settings").form("/settings/mails")["form_token"]
    for target in (card_id, new_id()):
        assert erik.post(f"/settings/cards/{target}/remove", {"form_token": token}).status == 404
    assert told.rows("select count(*) from saved_methods") == [(1,)]
    assert "Visa" not in erik.get("/settings").words


# A payment service that does not answer --------------------------------------------------------------------------------


def test_checkout_is_shown_while_the_payment_service_is_left_alone(databases: Any) -> None:
    line = Line(down=True)
    with story(databases, line.plugin) as made:
        told = made.reconfigured(providers={"payments": ["payments_line"]})
        other = told.of(told.config, told.newcomer())
        for hours in range(6):
            other.pay(other.hold("ines", told.ahead((2 + hours) * DAY)))
        sarah = entered(CLIENT_MAIL)
        page, session = held(told, sarah, 2 * DAY)
        assert page.status == 200
        assert "The payment service is slow to answer at the moment. Your time stays held meanwhile." in page.words
        still = sarah.follow(sarah.submit(page, f"/book/{session}", method="new", method_token=card_token(sarah)))
        assert "Still checking" in still.words
        assert told.state(session) == "held"


# The session's page --------------------------------------------------------------------------------------------------------


def test_the_way_in_opens_ten_minutes_before_and_the_page_looks_by_itself(told: Story, sarah: Person) -> None:
    starts_at = told.ahead(2 * DAY)
    session = booked(told, sarah, 2 * DAY)
    url = f"/sessions/{session}"

    def looks(page: Page) -> str:
        return str(page.soup.find(id="looks-again").get("hx-trigger", ""))  # type: ignore[union-attr]

    fresh = sarah.get(url)
    assert "You are booked. The invitation is on its way to sarah@lindqvist.example" in fresh.words
    assert looks(fresh) == "every 3s", "the link appears by itself"
    told.work()
    early = sarah.get(url)
    assert looks(early) == ""
    assert f"Opens {in_zone(starts_at - EARLY, ZONE)}" in early.words
    told.live_until(starts_at - 90 * MINUTE)
    assert looks(sarah.get(url)) == "every 30s"
    told.live_until(starts_at - 9 * MINUTE)
    open_ = sarah.get(url)
    assert "Opens" not in open_.words and "I am here" in open_.words and "Begins now" in open_.words
    join = [a for a in open_.soup.find_all("a") if "Join the meeting" in a.get_text()]
    assert [str(a["href"]) for a in join] == [f"{url}/join"]
    assert sarah.get(f"{url}/join").location == told.join_url(session)
    told.live_until(starts_at + 61 * MINUTE)
    over = sarah.get(url)
    assert "Dana completes the session" in over.words and "Join the meeting" not in over.words
    assert "Go on with Dana" in over.words
    told.complete(session, "dana")
    settling = sarah.get(url)
    assert "Dana has completed the session. The amount is taken in a few seconds." in settling.words
    assert looks(settling) == "every 3s"
    told.live(MINUTE)
    paid = sarah.get(url)
    assert looks(paid) == ""
    assert "Receipt R-00001" in paid.words
    again = sarah.follow(sarah.post("/holds", {name: value for name, value in paid.slots()[0].items() if name}))
    assert "Book your hour with Dana" in again.words


def test_where_scripts_run_the_page_does_not_wait_for_the_calendar(told: Story, sarah: Person) -> None:
    starts_at = told.ahead(2 * DAY)
    session = booked(told, sarah, 2 * DAY)
    told.live_until(starts_at + 61 * MINUTE)
    told.complete(session, "dana")
    without = sarah.get(f"/sessions/{session}")
    sarah.client.set_cookie("zone", ZONE, domain=sarah.host)
    page = sarah.get(f"/sessions/{session}")
    place = page.soup.find("section", {"hx-get": True})
    assert "Reading Dana’s calendar" in page.words and not page.slots()
    part = sarah.get(str(place["hx-get"]), **{"HX-Request": "true"})  # type: ignore[index]
    assert part.soup.title is None and "Another hour costs" in part.words
    assert [slot["slot"] for slot in part.slots()] == [slot["slot"] for slot in without.slots()] != []
    assert sarah.get(f"/sessions/{session}/times").location == f"/sessions/{session}"
    add_member(told.config, "mallory@lindqvist.example")
    assert entered("mallory@lindqvist.example").get(f"/sessions/{session}/times", **{"HX-Request": "true"}).status == 404


def test_a_page_that_looks_by_itself_keeps_nobody_signed_in(told: Story, sarah: Person) -> None:
    told.rows("update sign_ins set seen_at = now() - interval '11 hours' returning 1")
    assert sarah.get("/sessions", **{"HX-Trigger": "looks-again", "HX-Request": "true"}).status == 200
    assert sarah.get("/sessions", **{"X-Poll": "1"}).status == 200
    seen = "select seen_at < now() - interval '10 hours' from sign_ins"
    assert told.rows(seen) == [(True,)]
    sarah.get("/sessions")
    assert told.rows(seen) == [(False,)]


def test_a_session_goes_into_every_calendar_with_its_link_and_its_own_time(told: Story, sarah: Person) -> None:
    starts_at = told.ahead(2 * DAY)
    session = booked(told, sarah, 2 * DAY)
    told.work()
    link = told.join_url(session)
    for which, host in (("google", "calendar.google.com"), ("office", "outlook.office.com"), ("outlook", "outlook.live.com")):
        answer = sarah.get(f"/sessions/{session}/calendar/{which}")
        assert answer.status == 303
        there = urlsplit(answer.location)
        assert there.hostname == host
        said = parse_qs(there.query)
        assert said["location"] == [link]
        assert f"{starts_at:%Y%m%dT%H0000Z}" in str(said) or starts_at.isoformat() in str(said)
    assert sarah.get(f"/sessions/{session}/calendar/evil").location == f"/sessions/{session}/session.ics"
    assert f"UID:{session}@fxo" in sarah.get(f"/sessions/{session}/session.ics").text


# My sessions -------------------------------------------------------------------------------------------------------------------


def test_many_sessions_are_turned_by_pages_and_searched_by_expert(told: Story, sarah: Person) -> None:
    first = sarah.get("/sessions")
    assert "No sessions yet" in first.words
    lived = booked(told, sarah, 2 * DAY)
    told.live_until(told.ahead(2 * DAY) + 2 * HOUR)
    told.complete(lived, "dana")
    told.live(MINUTE)
    rate = sarah.get("/sessions")
    assert "How was it? A rating takes ten seconds." in rate.words
    told.rows(
        "insert into consultations select tenant_id, gen_random_uuid(), client_id, %(ines)s, brief_id, payment_id, state,"
        " starts_at - n * interval '3 days', ends_at - n * interval '3 days', held_until, price_minor, net_minor, currency,"
        " partner_share, policy, tax, reason, confirmed_at, started_at, completed_at from consultations, generate_series(1, 60) n"
        " where state = 'completed' returning 1",
        ines=told.partners["ines"],
    )
    page = sarah.get("/sessions")
    assert "61 sessions" in page.words
    assert page.words.count("Inês Carvalho Fractional") == 11 + 2, "twelve on a page, and three that are asked for a rating"
    assert sarah.get("/sessions?page=6").words.count("Inês Carvalho Fractional") == 1
    for odd in ("0", "-1", "x", "99999999999999999999", "7"):
        assert sarah.get(f"/sessions?page={odd}").status == 200
    only = sarah.get("/sessions?q=dana")
    assert "Dana Whitfield" in only.words and "Inês" not in only.words
    assert "Nobody of that name" in sarah.get("/sessions?q=%25_zz").words
    assert sarah.get("/sessions?q=%00%5C%27").status == 200


# Mails that one does without -----------------------------------------------------------------------------------------------


def test_mails_that_the_client_does_without_are_not_sent_and_the_others_are(told: Story, sarah: Person) -> None:
    page = sarah.get("/settings")
    fields = page.form("/settings/mails")
    assert sarah.post("/settings/mails", {"form_token": fields["form_token"], "mail": "reminder_24h"}).status == 303
    assert told.rows("select mails_without from clients") == [(["link_ready", "reminder_1h"],)]
    session = booked(told, sarah, 3 * DAY)
    starts_at = told.ahead(3 * DAY)
    told.live_until(starts_at + HOUR)
    told.complete(session, "dana")
    told.live(HOUR)
    kinds = told.kinds(to=CLIENT_MAIL)
    assert kinds == ["booking_confirmed_client", "reminder_24h_client", "payment_received_client"]
    assert "reminder_1h_partner" in told.kinds(), "the partner's are the partner's own"
    for name in ("receipt", "account", "nonsense"):
        sarah.post("/settings/mails", {"form_token": sarah.get("/settings").form("/settings/mails")["form_token"], "mail": name})
    assert told.rows("select mails_without from clients") == [(["link_ready", "reminder_1h", "reminder_24h"],)]
