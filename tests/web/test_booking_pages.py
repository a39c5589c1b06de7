"""The pages from a slot to a session: what a person sees when things go well, late, twice or wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import flask
import pytest

from tests.conftest import PASSWORD, add_member
from tests.support.browser import Page, Person
from tests.support.flow import BRIEF, booking_of, card_token, choice, hold, pay, shortlist, sign_in
from tests.support.plugins import Line, silence
from tests.support.story import CLIENT_MAIL, Story, story

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ASKS, DECLINED = "4000 0025 0000 3155", "4000 0000 0000 0002"


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases) as made:
        yield made


@pytest.fixture
def sarah(told: Story) -> Person:
    person = visitor()
    sign_in(person, CLIENT_MAIL, PASSWORD)
    return person


def visitor(host: str = "fortium.localhost") -> Person:
    return Person(flask.current_app._get_current_object(), host)  # type: ignore[attr-defined]


def another(told: Story, mail: str = "erik@lindqvist.example") -> Person:
    """Another member of the same tenant."""
    add_member(told.config, mail, name="Erik Holm")
    person = visitor()
    sign_in(person, mail, PASSWORD)
    return person


def choose(person: Person, page: Page, partner_id: UUID, starts_at: datetime) -> Page:
    """The answer to choosing any time of any expert, with the form token of this page."""
    return person.post("/holds", choice(page, partner_id, starts_at))


def chosen(told: Story, person: Person, starts_at: datetime) -> tuple[Page, UUID]:
    """The checkout of this time of Dana's, and the booking."""
    landed = choose(person, person.get("/"), told.partners["dana"], starts_at)
    assert landed.status == 303, landed.words
    return person.get(landed.location), booking_of(landed.location)


# Before checkout ----------------------------------------------------------------------------------------------------


def test_a_visitor_signs_up_and_finds_the_brief_and_the_time_again(told: Story) -> None:
    guest = visitor()
    page = shortlist(guest)
    slot = page.slots()[0]
    asked = guest.follow(hold(guest, slot))
    assert " UTC is waiting for you." in asked.words
    assert told.rows("select count(*) from consultations") == [(0,)], "a visitor holds nothing"
    refused = guest.submit(asked, "/sign-up", name="Mia Berg", mail="mia@berg.example", password="short")
    assert refused.status == 422
    checkout = guest.follow(
        guest.submit(refused, "/sign-up", name="Mia Berg", mail="mia@berg.example", password=PASSWORD, zone="Europe/Oslo")
    )
    assert checkout.status == 200
    assert "Book your hour with" in checkout.words
    [(starts_at, brief_id)] = told.rows("select starts_at, brief_id from consultations")
    assert starts_at == datetime.fromisoformat(slot["slot"])
    session = guest.follow(pay(guest, checkout))
    assert "Booked" in session.words
    assert BRIEF in session.words
    assert guest.get(f"/briefs/{brief_id}").status == 200


def test_who_has_an_account_signs_in_instead_and_the_time_is_kept(told: Story) -> None:
    guest = visitor()
    asked = guest.follow(hold(guest, shortlist(guest).slots()[0]))
    link = next(a["href"] for a in asked.soup.find_all("a") if str(a.get("href", "")).startswith("/sign-in?"))
    page = guest.get(str(link))
    checkout = guest.follow(guest.submit(page, "/sign-in", mail=CLIENT_MAIL, password=PASSWORD))
    assert "Book your hour with" in checkout.words
    assert told.rows("select client_id from consultations") == [(told.client.id,)]


UNREADABLE = (
    "",
    "tomorrow",
    "2026-13-40T25:00",
    "2026-12-01T10:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "\x00",
)


def test_a_time_that_cannot_be_read_is_said_to_be_so(told: Story, sarah: Person) -> None:
    form = {"form_token": sarah.get("/").form("/briefs")["form_token"], "partner": str(told.partners["dana"])}
    for slot in UNREADABLE:
        answer = sarah.post("/holds", form | {"slot": slot})
        assert answer.status == 422, slot
        assert "Please" in answer.words
    assert told.rows("select count(*) from consultations") == [(0,)]


def test_a_time_that_is_not_open_is_answered_with_what_is(told: Story, sarah: Person) -> None:
    home = sarah.get("/")
    past = choose(sarah, home, told.partners["dana"], told.ahead(-DAY))
    assert past.status == 422
    assert "This time has passed. Please choose a later one." in past.words
    for ahead in (timedelta(), 400 * DAY):
        assert choose(sarah, home, told.partners["dana"], told.ahead(ahead)).status == 409
    odd = choose(sarah, home, told.partners["dana"], told.ahead(2 * DAY) + 7 * MINUTE)
    assert odd.status == 409
    assert len(odd.slots()) >= 3
    assert told.rows("select count(*) from consultations") == [(0,)]


def test_an_expert_who_is_not_on_the_roster_cannot_be_held(told: Story, sarah: Person) -> None:
    told.rows("update roster set ended_at = now() where partner_id = %(p)s returning 1", p=told.partners["dana"])
    assert choose(sarah, sarah.get("/"), told.partners["dana"], told.ahead(2 * DAY)).status == 404


def test_case_4_a_time_that_somebody_else_took_is_answered_with_the_nearest_three_and_with_others(
    told: Story, sarah: Person
) -> None:
    starts_at = told.ahead(2 * DAY)
    chosen(told, another(told), starts_at)
    answer = choose(sarah, sarah.get("/"), told.partners["dana"], starts_at)
    assert answer.status == 409
    assert "That time has just gone" in answer.words
    assert "Nothing was held on your card." in answer.words
    offered = answer.slots()
    danas = [datetime.fromisoformat(slot["slot"]) for slot in offered if slot["partner"] == str(told.partners["dana"])]
    assert len(danas) == 3
    assert starts_at not in danas
    assert all(abs(start - starts_at) <= 3 * HOUR for start in danas)
    others = {slot["partner"] for slot in offered} - {str(told.partners["dana"])}
    assert others == {str(told.partners["ines"])}, "Inês is a CISO too and free around then; Kofi is a CIO"
    assert "Book your hour with Dana" in sarah.follow(hold(sarah, offered[0])).words
    assert told.rows("select count(*) from payments") == [(0,)]


# Checkout -----------------------------------------------------------------------------------------------------------


def test_checkout_shows_what_happens_when_the_amount_is_held_today(told: Story, sarah: Person) -> None:
    page, _ = chosen(told, sarah, told.ahead(2 * DAY))
    for words in (
        "Charged today $0 Held today $800",
        "Today: $800 is held on your card Nothing is charged.",
        "After the session: $800 is paid",
        "Free to cancel until",
        "After that, cancelling costs $400 until",
        "From then on it costs the whole $800.",
        "If Dana cancels, you pay nothing.",
        "Authorise $800 and book",
        "The card is kept by the payment provider",
    ):
        assert words in page.words, words


def test_case_1_checkout_shows_when_a_saved_card_is_held(told: Story, sarah: Person) -> None:
    starts_at = told.ahead(10 * DAY)
    page, booked = chosen(told, sarah, starts_at)
    assert "Today: your card is kept Nothing is held and nothing is charged." in page.words
    assert "Keep the card and book for $800" in page.words
    from fxo.core.clock import in_zone

    times = [in_zone(starts_at - ahead * DAY, "Europe/Stockholm") for ahead in (3, 2, 1)]
    assert f"Held on {times[0]} $800" in page.words
    assert f"{times[0]}: $800 is held on your card" in page.words
    assert f"try again on {times[1]}. If it still says no, the time is given back on {times[2]}" in page.words
    session = sarah.follow(pay(sarah, page))
    assert f"To be held on Visa ending 4242 {times[0]}" in session.words
    assert f"$800 is held on {times[0]}" in session.words
    assert told.payment(booked) == ("card_saved", None)


def test_the_price_and_the_rules_come_from_the_server_whatever_the_form_says(told: Story, sarah: Person) -> None:
    page, booked = chosen(told, sarah, told.ahead(2 * DAY))
    forged = {
        **{"price": "1", "amount": "1", "price_minor": "1", "currency": "JPY", "partner_share": "0", "policy": "{}"},
        **{"mode": "save_card", "until": "2099-01-01", "client_id": str(UUID(int=1)), "consultation_id": str(UUID(int=2))},
        "partner": str(told.partners["kofi"]),
    }
    token = card_token(sarah)
    landed = sarah.follow(sarah.submit(page, f"/book/{booked}", method="new", method_token=token, **forged))
    assert "Booked" in landed.words
    [row] = told.rows("select amount_minor, currency, partner_id, client_id, state from payments")
    assert row == (80_000, "USD", told.partners["dana"], told.client.id, "authorised")
    assert told.rows("select amount, currency from plugin_payments_sandbox.attempts") == [(80_000, "USD")]
    terms = told.rows("select price_minor, partner_share, policy->>'free_until_hours' from consultations")
    assert terms == [(80_000, 8_000, "24")]


def test_the_price_stays_as_it_was_when_the_slot_was_held(told: Story, sarah: Person) -> None:
    page, _ = chosen(told, sarah, told.ahead(2 * DAY))
    told.rows("update tenants set price_minor = 99900 returning 1")
    session = sarah.follow(pay(sarah, page))
    assert "$800" in session.words
    assert "$999" not in session.words
    assert told.rows("select amount_minor from payments") == [(80_000,)]


def test_a_declined_card_is_said_in_a_sentence_and_the_time_is_kept(told: Story, sarah: Person) -> None:
    page, booked = chosen(told, sarah, told.ahead(2 * DAY))
    again = sarah.follow(pay(sarah, page, DECLINED))
    assert again.status == 200
    assert "Your bank declined this card. Nothing was charged." in again.words
    assert "This time is held for you until" in again.words
    assert told.state(booked) == "held"
    assert "Booked" in sarah.follow(pay(sarah, again)).words


def test_paying_without_a_card_is_a_form_to_mend_and_not_the_banks_no(told: Story, sarah: Person) -> None:
    page, booked = chosen(told, sarah, told.ahead(2 * DAY))
    answer = sarah.submit(page, f"/book/{booked}", method="new", method_token="")
    assert answer.status == 422
    assert "Please enter your card." in answer.words
    assert "Your bank said no" not in answer.words
    assert told.rows("select count(*) from payments") == [(0,)]


def test_a_card_token_that_nobody_gave_out_is_declined(told: Story, sarah: Person) -> None:
    page, booked = chosen(told, sarah, told.ahead(2 * DAY))
    again = sarah.follow(sarah.submit(page, f"/book/{booked}", method="new", method_token="tok_of_somebody_else"))
    assert "not known here" in again.words
    assert told.state(booked) == "held"


def test_the_card_of_last_time_is_offered_and_works(told: Story, sarah: Person) -> None:
    starts_at = told.ahead(2 * DAY)
    page, _ = chosen(told, sarah, starts_at)
    sarah.follow(pay(sarah, page))
    second, booked = chosen(told, sarah, starts_at + 3 * HOUR)
    assert "Visa ending 4242" in second.words
    session = sarah.follow(sarah.submit(second, f"/book/{booked}"))
    assert "Booked" in session.words
    assert told.effects("hold", "save") == ["hold", "save", "hold"]


def test_paying_twice_by_a_double_click_is_one_attempt(told: Story, sarah: Person) -> None:
    page, booked = chosen(told, sarah, told.ahead(2 * DAY))
    fields = page.form(f"/book/{booked}") | {"method": "new", "method_token": card_token(sarah)}
    answers = [sarah.post(f"/book/{booked}", fields) for _ in range(2)]
    assert [(answer.status, answer.location) for answer in answers] == [(303, f"/book/{booked}/checking")] * 2
    assert told.events(booked, "payment") == ["payment.requested", "payment.authorised"]
    assert told.effects("hold") == ["hold"]


def test_paying_again_with_another_card_while_the_bank_is_asked_is_one_attempt(told: Story, sarah: Person) -> None:
    page, _ = chosen(told, sarah, told.ahead(2 * DAY))
    assert sarah.follow(pay(sarah, page, ASKS)).status == 200
    answer = sarah.follow(pay(sarah, page))
    assert "Your bank asks you to confirm" in answer.words
    assert len(told.attempts()) == 1


def test_paying_for_what_is_paid_for_leads_to_the_session(told: Story, sarah: Person) -> None:
    page, booked = chosen(told, sarah, told.ahead(2 * DAY))
    sarah.follow(pay(sarah, page))
    assert pay(sarah, page).status == 303
    assert "Booked" in sarah.follow(pay(sarah, page)).words
    assert told.effects("hold") == ["hold"]
    assert sarah.get(f"/book/{booked}").location == f"/sessions/{booked}"


# The hold runs out --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("worked", [True, False], ids=["after the timer", "before the timer"])
def test_an_expired_hold_is_gone_and_the_same_time_is_offered_again(told: Story, sarah: Person, worked: bool) -> None:
    starts_at = told.ahead(2 * DAY)
    page, booked = chosen(told, sarah, starts_at)
    told.sleep_until(told.now + 10 * MINUTE)
    if worked:
        told.work()
    gone = sarah.follow(pay(sarah, page))
    assert gone.status == 410
    assert "Your hold has ended" in gone.words
    assert "The time is still free." in gone.words
    assert told.rows("select count(*) from payments") == [(0,)]
    again = sarah.follow(sarah.submit(gone, "/holds"))
    assert "Book your hour with Dana" in again.words
    assert told.rows("select starts_at, state from consultations order by held_until") == [
        (starts_at, "released"), (starts_at, "held"),
    ]  # fmt: skip
    assert sarah.get(f"/book/{booked}").status == 410


def test_an_expired_hold_whose_time_somebody_took_is_answered_with_the_nearest(told: Story, sarah: Person) -> None:
    starts_at = told.ahead(2 * DAY)
    _, booked = chosen(told, sarah, starts_at)
    told.live(11 * MINUTE)
    chosen(told, another(told), starts_at)
    gone = sarah.get(f"/book/{booked}")
    assert gone.status == 410
    assert "booked by somebody else since" in gone.words
    offered = [datetime.fromisoformat(slot["slot"]) for slot in gone.slots()]
    assert len(offered) == 3
    assert starts_at not in offered


# The bank -----------------------------------------------------------------------------------------------------------


def test_who_is_asked_by_the_bank_confirms_and_comes_back_to_the_session(told: Story, sarah: Person) -> None:
    page, booked = chosen(told, sarah, told.ahead(2 * DAY))
    asked = sarah.follow(pay(sarah, page, ASKS))
    assert "Your bank asks you to confirm" in asked.words
    bank = next(str(a["href"]) for a in asked.soup.find_all("a") if "/challenge/" in str(a.get("href", "")))
    path = "/" + bank.split("/", 3)[3]
    assert "$800" in sarah.get(path).text
    back = sarah.post(path, {"answer": "approve"})
    assert back.location.endswith(f"/book/{booked}/return")
    session = sarah.follow(sarah.get("/" + back.location.split("/", 3)[3]))
    assert "Booked" in session.words
    assert told.payment(booked) == ("authorised", None)


def test_who_comes_back_without_having_answered_is_still_asked(told: Story, sarah: Person) -> None:
    page, booked = chosen(told, sarah, told.ahead(2 * DAY))
    sarah.follow(pay(sarah, page, ASKS))
    assert "Your bank asks you to confirm" in sarah.follow(sarah.get(f"/book/{booked}/return")).words
    assert told.payment(booked) == ("challenged", None)


def test_who_refuses_at_the_bank_may_use_another_card(told: Story, sarah: Person) -> None:
    page, booked = chosen(told, sarah, told.ahead(2 * DAY))
    sarah.follow(pay(sarah, page, ASKS))
    told.answer_bank(booked, "refuse")
    again = sarah.follow(sarah.get(f"/book/{booked}/return"))
    assert "The confirmation at your bank was refused. Nothing was charged." in again.words
    assert "Booked" in sarah.follow(pay(sarah, again)).words


def test_who_confirms_too_late_sees_that_the_hold_on_the_card_is_being_released(told: Story, sarah: Person) -> None:
    """Hard case 6: told at once, with alternatives."""
    starts_at = told.ahead(2 * DAY)
    page, booked = chosen(told, sarah, starts_at)
    sarah.follow(pay(sarah, page, ASKS))
    told.live(11 * MINUTE)
    chosen(told, another(told), starts_at)
    told.answer_bank(booked, "approve")
    late = sarah.follow(sarah.get(f"/book/{booked}/return"))
    assert late.status == 409
    assert "The hold on your card is being released; you pay nothing." in late.words
    assert len([slot for slot in late.slots() if slot["partner"] == str(told.partners["dana"])]) == 3
    told.work()
    assert told.payment(booked) == ("voided", "booking_ended")


def test_a_bank_that_does_not_answer_is_still_being_asked_and_never_a_no(databases: Any) -> None:
    line = Line()
    with story(databases, line.plugin, provider_seconds=0.4) as made, silence() as fault:
        told = made.reconfigured(providers={"payments": ["payments_line"]})
        sarah = visitor()
        sign_in(sarah, CLIENT_MAIL, PASSWORD)
        page, booked = chosen(told, sarah, told.ahead(2 * DAY))
        line.before.append(fault)
        checking = sarah.follow(pay(sarah, page))
        assert "Still checking" in checking.words
        for word in ("declined", "said no", "failed"):
            assert word not in checking.words.lower()
        assert "Still checking" in sarah.follow(sarah.get(f"/book/{booked}")).words
        told.live(MINUTE)
        assert "Booked" in sarah.follow(sarah.get(f"/book/{booked}/checking")).words
        assert told.effects("hold") == ["hold"]


def test_a_bank_that_never_answers_lets_the_client_try_again(databases: Any) -> None:
    line = Line()
    with story(databases, line.plugin, claim_minutes=30) as made:
        told = made.reconfigured(providers={"payments": ["payments_line"]})
        sarah = visitor()
        sign_in(sarah, CLIENT_MAIL, PASSWORD)
        page, booked = chosen(told, sarah, told.ahead(2 * DAY))
        line.down = True
        sarah.follow(pay(sarah, page))
        told.live(20 * MINUTE)
        assert told.payment(booked) == ("declined", "provider_unavailable")
        line.down = False
        told.reconfigured(providers={"payments": ["payments_line"]}, deliver_to="")
        assert "The payment service does not answer at the moment." in sarah.follow(sarah.get(f"/book/{booked}/checking")).words


# The session's page -------------------------------------------------------------------------------------------------


def test_the_session_page_follows_the_session_from_booked_to_rated(told: Story, sarah: Person) -> None:
    starts_at = told.ahead(2 * DAY)
    page, booked = chosen(told, sarah, starts_at)
    sarah.follow(pay(sarah, page))
    url = f"/sessions/{booked}"
    assert "The meeting link is being made." in sarah.get(url).words
    told.work()
    ready = sarah.get(url)
    assert "Join the meeting" in ready.words
    assert told.join_url(booked) in [a.get("href") for a in ready.soup.find_all("a")]
    assert "Held on Visa ending 4242 $800" in ready.words
    assert "I am here" not in ready.words
    file = sarah.get(f"{url}/session.ics")
    assert "BEGIN:VCALENDAR" in file.text
    assert str(booked) in file.text

    told.live_until(starts_at - 5 * MINUTE)
    assert sarah.follow(sarah.submit(sarah.get(url), f"{url}/check-in")).status == 200
    assert "Under way" in sarah.get(url).words
    assert "How was the hour" not in sarah.get(url).words
    told.live_until(starts_at)
    told.complete(booked, "dana")
    told.live(MINUTE)
    done = sarah.get(url)
    assert "Completed and paid" in done.words
    assert "Paid $800" in done.words
    assert "Receipt R-00001" in done.words
    assert "Join the meeting" not in done.words
    for stars in ("", "0", "6", "many"):
        assert sarah.submit(done, f"{url}/rating", stars=stars, text="Good").status == 422
    rated = sarah.follow(sarah.submit(done, f"{url}/rating", stars="5", text="<b>Calm</b> & clear"))
    assert "Thank you." in rated.text
    assert "<b>Calm</b>" not in rated.text
    assert "<b>Calm</b> & clear" in rated.words
    assert "How was the hour" not in rated.words
    again = sarah.submit(rated, f"{url}/rating", stars="9", text="Calmer")
    assert (again.status, "Calmer" in again.text) == (422, True), "what was typed is still there"
    edited = sarah.follow(sarah.submit(rated, f"{url}/rating", stars="4", text="Calm"))
    assert "4 of 5 stars" in edited.text
    assert told.rows("select stars, comment, public from ratings") == [(4, "Calm", True)]
    fields = rated.form(f"{url}/rating") | {"stars": "4"}
    del fields["public"]
    sarah.follow(sarah.post(f"{url}/rating", fields))
    assert told.rows("select public from ratings") == [(False,)]
    assert "Dana Whitfield" in sarah.get("/sessions").words


def test_a_cancelled_session_says_so_and_has_no_link(told: Story, sarah: Person) -> None:
    starts_at = told.ahead(10 * DAY)
    page, booked = chosen(told, sarah, starts_at)
    sarah.follow(pay(sarah, page, "4000 0000 0000 0341"))
    told.live_until(starts_at - 12 * HOUR)
    words = sarah.get(f"/sessions/{booked}").words
    assert "Cancelled" in words
    assert "Nothing was charged." in words
    assert "Charged nothing" in words
    assert "Join the meeting" not in words


FOREIGN = ("/book/{}", "/book/{}/checking", "/book/{}/bank", "/book/{}/return", "/sessions/{}", "/sessions/{}/session.ics")


def test_the_booking_of_another_member_cannot_be_found(told: Story, sarah: Person) -> None:
    page, booked = chosen(told, sarah, told.ahead(3 * DAY))
    sarah.follow(pay(sarah, page))
    _, held = chosen(told, sarah, told.ahead(2 * DAY))
    erik = another(told)
    for path in FOREIGN:
        unknown = erik.get(path.format(UUID(int=5)))
        assert unknown.status == 404, path
        for each in (held, booked):
            answer = erik.get(path.format(each))
            assert answer.status == 404, path
            assert _without_number(answer) == _without_number(unknown)


def _without_number(page: Page) -> str:
    """What the page says, but for the number of the request."""
    return page.words.rpartition("give this number")[0]


def test_another_member_can_neither_pay_nor_check_in_nor_rate(told: Story, sarah: Person) -> None:
    starts_at = told.ahead(2 * DAY)
    page, booked = chosen(told, sarah, starts_at)
    sarah.follow(pay(sarah, page))
    told.live_until(starts_at)
    told.complete(booked, "dana")
    _, held = chosen(told, sarah, starts_at + 5 * HOUR)
    erik = another(told)
    form = {"form_token": erik.get("/").form("/briefs")["form_token"], "stars": "1", "method": "new", "method_token": "tok"}
    for path in (f"/book/{held}", f"/sessions/{booked}/check-in", f"/sessions/{booked}/rating"):
        assert erik.post(path, form).status == 404, path
    assert told.rows("select count(*) from ratings") == [(0,)]
    assert told.rows("select count(*) from payments") == [(1,)]


def test_a_form_of_another_browser_changes_nothing(told: Story, sarah: Person) -> None:
    page, booked = chosen(told, sarah, told.ahead(2 * DAY))
    thief = another(told)
    fields = page.form(f"/book/{booked}") | {"method": "new", "method_token": card_token(sarah)}
    answer = thief.post(f"/book/{booked}", fields)
    assert answer.status == 422
    assert told.state(booked) == "held"
