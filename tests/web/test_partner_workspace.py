"""The partner's workspace over the life of its sessions: the day, the lists, one session in every state, the accounts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import flask
import pytest

from fxo.core.consultations import changes
from fxo.core.consultations.model import CONSULTATION, Party
from fxo.core.events.store import Transaction
from fxo.core.scope import CODE
from tests.conftest import PASSWORD, add_member, add_tenant
from tests.support.browser import Page, Person
from tests.support.flow import sign_in
from tests.support.statements import recorded
from tests.support.story import Story, story

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
BEGINNING = datetime(2031, 3, 3, 15, tzinfo=UTC)
"""A Monday morning in New York: what these tests tell of a day, a week and a month stays within them, whenever they run."""


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases) as made:
        made.sleep_until(BEGINNING)
        yield made


def entered(mail: str, host: str = "partners.localhost", password: str = PASSWORD) -> Person:
    person = Person(flask.current_app._get_current_object(), host)  # type: ignore[attr-defined]
    sign_in(person, mail, password)
    return person


@pytest.fixture
def dana(told: Story) -> Person:
    return entered("dana@partners.example")


def section(page: Page, heading: str) -> str:
    """The words of the part of the page with this heading."""
    found = page.soup.find(["h2", "h1"], string=lambda text: text and text.strip() == heading)
    assert found, f"no {heading!r} in {page.words}"
    return " ".join(found.find_parent("section").get_text(" ").split())


def forms(page: Page) -> set[str]:
    return {str(form["action"]) for form in page.soup.find_all("form", method="post")} - {
        "/sign-out",
        "/demo/clock",
        "/settings/theme",
    }


def cancel(told: Story, booked: UUID) -> None:
    def by_code(tx: Transaction) -> None:
        stream = tx.load(CONSULTATION, booked)
        tx.append((stream, changes.cancel(stream.state, changes.Cancel(Party.SYSTEM, "payment"), tx.now)))

    told.run(CODE, by_code)


# The day -------------------------------------------------------------------------------------------------------------


def test_the_day_follows_a_session_from_new_to_paid(told: Story, dana: Person) -> None:
    first = dana.get("/")
    assert "You are ready, and clients can find you" in first.words
    assert "Nobody has booked you yet" in first.words

    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.work()
    page = dana.get("/")
    assert "No sessions today, one thing to finish" in page.words
    assert "New, booked" in section(page, "Needs you") and "Look at it" in section(page, "Needs you")
    assert "$640" in section(page, "Upcoming")
    dana.get(f"/sessions/{booked}")
    page = dana.get("/")
    assert "No sessions today" in page.words and "Needs you" not in page.words

    told.live_until(starts_at - 5 * MINUTE)
    page = dana.get("/")
    assert "One session today" in page.words
    assert "next in 5 min" in section(page, "Today")
    assert "Join" in section(page, "Today")
    assert forms(page) == set()

    told.live_until(starts_at + 20 * MINUTE)
    page = dana.get("/")
    assert "Under way" in section(page, "Today")
    assert forms(page) == {f"/sessions/{booked}/complete"}
    assert "0.3 of" in page.words, "twenty minutes of the hour are used"

    told.live_until(starts_at + 70 * MINUTE)
    page = dana.get("/")
    assert "Session ended 10 minutes ago. Complete it to be paid $640." in section(page, "Needs you")
    assert "Waiting for you $640 1 to complete" in page.words
    done = dana.submit(page, f"/sessions/{booked}/complete")
    assert (done.status, done.location) == (303, "/")
    page = dana.get("/")
    assert "Session with Sarah Lindqvist completed. $640 is on its way." in page.words
    assert dana.get("/sessions").form(f"/sessions/{booked}/undo")["return_to"] == "/sessions"
    assert "Completed" in section(page, "Done")
    undone = dana.submit(page, f"/sessions/{booked}/undo")
    assert undone.location == "/"
    dana.submit(dana.get("/"), f"/sessions/{booked}/complete")
    told.live(MINUTE)
    page = dana.get("/")
    assert "Earned $640 1 session paid" in page.words
    assert "Paid" in section(page, "Done")
    assert "One this week" in page.words
    assert forms(page) == set()


def test_what_to_do_first_is_said_until_it_is_done(told: Story) -> None:
    ines = entered("ines@partners.example")
    fields = ines.get("/availability").form("/availability")
    empty = {name: "" if name[3:4] == "-" else value for name, value in fields.items()}
    ines.post("/availability", empty | {"zone": "Asia/Tokyo"})
    ines.submit(ines.get("/profile"), "/profile", headline="")
    page = ines.get("/")
    assert "A few things, then clients find you" in page.words
    assert "Nobody can book you before you do." in page.words
    assert "Clients choose by your headline" in page.words
    assert "your hours are in Tokyo" in page.words
    assert "You offer no hours" in page.words
    assert "0 of 3 done" in page.words


def test_offered_time_is_what_the_week_offered_this_month_and_ratings_are_counted(told: Story, dana: Person) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at + HOUR)
    told.complete(booked, "dana")
    told.live(MINUTE)
    told.rate(booked, 4)
    told.subscribe()
    page = dana.get("/")
    assert "Rating 4.0 1 rating" in page.words
    assert "1 of" in page.words and "hours Rating" in page.words


# One session -----------------------------------------------------------------------------------------------------------


def test_a_session_page_says_what_is_true_in_every_state(told: Story, dana: Person) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    path = f"/sessions/{booked}"
    assert "The meeting link is being made" in dana.get(path).words
    told.work()
    ahead = dana.get(path)
    assert "Booked from the directory, without a brief" in ahead.words
    assert "Company Lindqvist AB" in ahead.words and "First session with you" in ahead.words
    assert "Stockholm, now" in ahead.words and "$800 is held on the card" in ahead.words
    assert "You can say that you are there from" in ahead.words
    assert forms(ahead) == set()
    told.live_until(starts_at - 5 * MINUTE)
    soon = dana.get(path)
    assert "Begins in 5 min" in soon.words
    assert forms(soon) == {f"{path}/check-in"}
    told.live_until(starts_at + 20 * MINUTE)
    live = dana.get(path)
    assert "Under way, 40 min left" in live.words
    assert "Join the meeting" in live.words
    assert forms(live) == {f"{path}/complete", f"{path}/check-in", f"{path}/absent"}, "by now somebody may be missing"
    told.live_until(starts_at + 64 * MINUTE)
    assert "Ended 4 minutes ago" in dana.get(path).words
    undoable = dana.follow(dana.submit(dana.get(path), f"{path}/complete"))
    assert forms(undoable) == {f"{path}/undo"}
    assert undoable.soup.find(id="hour").get("hx-get") == path, "it looks by itself whether the money was taken"
    told.live(MINUTE)
    paid = dana.get(path)
    assert "Paid" in paid.words and "$640 to you" in paid.words
    assert forms(paid) == set() and paid.soup.find(id="hour").get("hx-get") is None


def test_a_cancelled_session_says_why_and_a_refused_card_is_known(told: Story, dana: Person) -> None:
    from tests.support.flow import FAILS_LATER

    refused = told.book("dana", told.ahead(10 * DAY), FAILS_LATER)
    assert "Card saved" in dana.get("/sessions").words
    told.live_until(told.ahead(8 * DAY))
    assert "New card needed" in dana.get("/sessions").words
    assert "The card was refused, the client is asked for another." in dana.get(f"/sessions/{refused}").words
    cancel(told, refused)
    page = dana.get(f"/sessions/{refused}")
    assert "This session does not take place." in page.words and "card was refused" in page.words
    assert "You earn" not in page.words and forms(page) == set()
    assert "Sarah Lindqvist" in dana.get("/sessions?tab=cancelled").words


def test_a_rating_is_answered_by_its_expert_alone(told: Story, dana: Person) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at + HOUR)
    told.complete(booked, "dana")
    told.live(MINUTE)
    path = f"/sessions/{booked}"
    token = {"form_token": dana.get("/settings").form("/settings/password")["form_token"]}
    assert dana.post(f"{path}/answer", token | {"answer": "Too early"}).status == 409
    told.rate(booked, 5, "Calm and specific.")
    page = dana.get(path)
    assert "Calm and specific." in page.words
    empty = dana.submit(page, f"{path}/answer", answer="  ")
    assert empty.status == 422 and "Please write your answer first." in empty.words
    long = dana.submit(page, f"{path}/answer", answer="ä" * 1_001)
    assert long.status == 422 and "ä" * 1_001 in long.text, "nothing typed is lost"
    answered = dana.follow(dana.submit(page, f"{path}/answer", answer="Thank you."))
    assert "Your answer is kept" in answered.text and "Thank you." in answered.words
    assert told.rows("select answer from ratings") == [("Thank you.",)]
    ines = entered("ines@partners.example")
    token = {"form_token": ines.get("/settings").form("/settings/password")["form_token"], "answer": "Not mine"}
    assert ines.post(f"{path}/answer", token).status == 404


def test_the_calendar_file_leads_to_the_partners_own_page(told: Story, dana: Person) -> None:
    booked = told.book("dana", told.ahead(2 * DAY))
    told.work()
    page = dana.get(f"/sessions/{booked}/session.ics")
    assert page.headers["Content-Type"].startswith("text/calendar")
    assert f"http://partners.localhost:8000/sessions/{booked}" in page.text.replace("\r\n ", "")
    assert entered("kofi@partners.example").get(f"/sessions/{booked}/session.ics").status == 404


# Lists and accounts, with much in them -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def busy(databases: Any) -> Iterator[Story]:
    """Dana after 21 sessions that were paid, with 19 ahead of her, at two portals, all in one month."""
    with story(databases) as told:
        told.sleep_until((told.now.replace(day=1, hour=12) + 32 * DAY).replace(day=1))
        globex = add_tenant("globex", "Globex Expert Desk", 72_000, [told.partners["dana"]])
        names = ["Ravi Menon", "Aisha Conteh", "Claire Dubois 100%", "=cmd|calc"]
        clients = [add_member(told.config, f"c{n}@lindqvist.example", name=name) for n, name in enumerate(names)]
        there = told.of(globex, add_member(globex, "sarah@globex.example", name="Paul Adeyemi"))
        start = told.ahead(2 * DAY)
        past = []
        for n in range(21):
            here = told.of(told.config, clients[n % 4]) if n % 5 else there
            past.append((here, here.book("dana", start + n * 2 * HOUR)))
        told.live_until(start + 45 * HOUR)
        for here, booked in past:
            here.complete(booked, "dana")
        told.live(MINUTE)
        ahead = told.ahead(DAY)
        for n in range(19):
            told.of(told.config, clients[n % 4]).book("dana", ahead + n * 3 * HOUR)
        told.work()
        yield told


@pytest.fixture
def busy_dana(busy: Story) -> Person:
    return entered("dana@partners.example")


def listed(page: Page) -> list[str]:
    return [row.get_text(" ").strip() for row in page.soup.select("tbody tr")]


def test_the_lists_have_tabs_a_search_and_pages(busy: Story, busy_dana: Person) -> None:
    page = busy_dana.get("/sessions")
    assert [" ".join(tab.get_text(" ").split()) for tab in page.soup.select(".tabs a")] == [
        "Upcoming 19",
        "Done 21",
        "Cancelled 0",
    ]
    assert len(listed(page)) == 19
    done = busy_dana.get("/sessions?tab=done")
    assert len(listed(done)) == 20 and "21 sessions" in done.words
    assert len(listed(busy_dana.get("/sessions?tab=done&page=2"))) == 1
    assert len(listed(busy_dana.get("/sessions?tab=done&page=99"))) == 1
    assert len(listed(busy_dana.get("/sessions?tab=done&page=-1"))) == 20
    assert "Nothing on this list" in busy_dana.get("/sessions?tab=cancelled").words
    found = busy_dana.get("/sessions?q=adeyemi&tab=done")
    assert len(listed(found)) == 5 and all("Paul Adeyemi" in row for row in listed(found))
    assert len(listed(busy_dana.get("/sessions?q=GLOBEX&tab=done"))) == 5
    assert len(listed(busy_dana.get("/sessions?q=100%25"))) == 5, "a per cent sign is a letter like others"
    assert busy_dana.get("/sessions?q=%25%25").soup.select("tbody tr") == []
    assert "Nothing here has these words" in busy_dana.get("/sessions?q=_").words
    assert busy_dana.get("/sessions?tab=drop%20table&q=%00'").status == 200


def test_the_accounts_are_by_month_and_as_a_file(busy: Story, busy_dana: Person) -> None:
    page = busy_dana.get("/earnings")
    month = f"{busy.now:%Y-%m}"
    share = 5 * 576 + 16 * 640
    assert f"All time ${share:,} 21 sessions" in page.words
    assert "On its way $0" in page.words
    assert len(listed(page)) == 21 + 12, "the sessions, and the table behind the chart"
    assert f"Total ${share:,}" in page.words
    assert "No session was paid in this month." in busy_dana.get("/earnings?month=2020-01").words
    assert busy_dana.get("/earnings?month=nonsense").status == 200
    answer = busy_dana.get(f"/earnings.csv?month={month}")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(rows) == 21
    assert sum(float(row["You earn"]) for row in rows) == share
    assert {row["Portal"] for row in rows} == {"Fortium", "Globex Expert Desk"}
    assert "'=cmd|calc" in {row["Client"] for row in rows}, "what somebody typed as a name is no formula"
    assert busy_dana.get("/earnings.csv").text == answer.text
    assert busy_dana.get("/earnings.csv?month=../../x").status == 404
    assert len(list(csv.reader(io.StringIO(entered("kofi@partners.example").get("/earnings.csv").text)))) == 1


def test_the_dashboard_with_forty_sessions_asks_the_database_each_thing_once(busy: Story) -> None:
    dana = entered("dana@partners.example")
    dana.get("/")
    with recorded() as statements:
        page = dana.get("/")
        found = [each for each in statements if each.startswith("select")]
    assert page.status == 200
    bar = ("from consultations", "partner_contacts")  # what the demo's clock bar says happens next
    found = [each for each in found if not any(word in each for word in bar)]
    own = [each for each in found if "partner_" in each or "from events" in each or "availability" in each]
    assert len(own) == len(set(own)) <= 9, "\n".join(own)
    assert len(found) <= 18, "\n".join(found)


def test_many_new_sessions_do_not_bury_the_day(busy: Story, busy_dana: Person) -> None:
    page = busy_dana.get("/")
    needs = section(page, "Needs you")
    assert needs.count("Look at it") == 3 and "16 more new sessions" in needs
    assert "All 19" in section(page, "Upcoming") or "All 18" in section(page, "Upcoming")


# Profile and settings ----------------------------------------------------------------------------------------------------


def test_a_partner_writes_the_own_profile_and_clients_read_it(told: Story) -> None:
    kofi, me = entered("kofi@partners.example"), told.partners["kofi"]
    page = kofi.get("/profile")
    assert "PMP" in page.words and "kofi@partners.example" in page.words
    wanted = {
        "name": "Kofi A. Mensah", "headline": "Late programmes, back on time", "skills": "ERP rescue, Negotiation,, ERP rescue",
        "cases": "One thing.\n\n  Another thing. ", "years": "23", "zone": "Africa/Lagos",
    }  # fmt: skip
    shown = kofi.follow(kofi.submit(page, "/profile", **wanted))
    assert "Your profile is saved" in shown.text
    form = shown.form("/profile")
    assert (form["name"], form["skills"].strip(), form["zone"]) == ("Kofi A. Mensah", "ERP rescue, Negotiation", "Africa/Lagos")
    assert "Your hours are in Accra and stay there" in shown.words
    kept = told.rows("select name, cases, years, certifications, roles, slug from partners where id = %(p)s", p=me)
    assert kept[0][:5] == ("Kofi A. Mensah", ["One thing.", "Another thing."], 23, ["PMP"], ["CIO"])
    assert kept[0][5].startswith("kofi-mensah-"), "an address that was given away stays"
    assert kofi.submit(shown, "/profile").status == 303
    written = told.rows("select count(*) from events where type = 'partner.profile_set' and stream_id = %(p)s", p=me)
    assert written == [(2,)], "saving the same again writes nothing"
    client = entered("sarah@lindqvist.example", "fortium.localhost")
    assert "Kofi A. Mensah" in client.get(f"/experts/{me}").words


def test_what_is_wrong_with_a_profile_is_said_beside_its_field_and_nothing_is_lost(told: Story) -> None:
    kofi = entered("kofi@partners.example")
    wrong = {"name": " ", "skills": "a, " + "x" * 161, "cases": "", "years": "many", "zone": "Mars/Base"}
    answer = kofi.submit(kofi.get("/profile"), "/profile", **wrong)
    assert answer.status == 422
    errors = {str(field["id"]).removesuffix("-error") for field in answer.soup.select("form#profile .field__error")}
    assert errors == {"f-name", "f-skills", "f-cases", "f-years", "f-zone"}
    assert "x" * 161 in answer.form("/profile")["skills"]
    assert told.rows("select name from partners where id = %(p)s", p=told.partners["kofi"]) == [("Kofi Mensah",)]


def test_what_the_operator_checks_cannot_be_changed_by_adding_it_to_the_form(told: Story) -> None:
    kofi = entered("kofi@partners.example")
    fields = kofi.get("/profile").form("/profile") | {
        "roles": "CISO", "certifications": "CISSP", "email": "other@x.example", "partner_id": str(told.partners["dana"]),
    }  # fmt: skip
    assert kofi.post("/profile", fields).status == 303
    kept = told.rows(
        "select p.roles, p.certifications, c.email from partners p join partner_contacts c on c.partner_id = p.id"
        " where p.id = %(p)s",
        p=told.partners["kofi"],
    )
    assert kept == [(["CIO"], ["PMP"], "kofi@partners.example")]
    assert told.rows("select name from partners where id = %(p)s", p=told.partners["dana"]) == [("Dana Whitfield",)]


def test_the_card_is_shown_as_it_would_be_and_nothing_is_kept(told: Story) -> None:
    kofi = entered("kofi@partners.example")
    fields = kofi.get("/profile").form("/profile")
    shown = kofi.post("/profile/preview", fields | {"title": "Fractional CIO, ports"})
    assert "Fractional CIO, ports" in shown.words and "Not saved yet." in shown.words
    broken = kofi.post("/profile/preview", fields | {"years": ""})
    assert "This is your card as it stands." in broken.words
    assert "ports" not in kofi.get("/profile").words
    assert kofi.post("/profile/preview", {}).status == 422, "also what changes nothing takes a form of ours"


def test_a_partner_changes_the_own_password(told: Story) -> None:
    kofi = entered("kofi@partners.example")
    page = kofi.get("/settings")
    wrong = kofi.submit(page, "/settings/password", current="not mine at all", password="a newer passphrase")
    assert wrong.status == 422 and "This is not your password." in wrong.words
    short = kofi.submit(page, "/settings/password", current=PASSWORD, password="short")
    assert short.status == 422 and "12 characters" in short.words
    changed = kofi.submit(page, "/settings/password", current=PASSWORD, password="a newer passphrase")
    assert "Your password is changed" in kofi.follow(changed).text
    entered("kofi@partners.example", password="a newer passphrase")
    old = Person(flask.current_app._get_current_object(), "partners.localhost")  # type: ignore[attr-defined]
    assert old.submit(old.get("/sign-in"), "/sign-in", mail="kofi@partners.example", password=PASSWORD).status == 422
    entered("dana@partners.example")


# Availability: what the form of the week does not show ---------------------------------------------------------------------


def test_a_holiday_is_one_line_and_is_taken_back_as_one(told: Story) -> None:
    kofi = entered("kofi@partners.example")
    monday = (told.now + DAY * (14 - told.now.weekday())).date()
    last = monday + 11 * DAY
    told.rows("update availability set data = data where partner_id = %(p)s returning 1", p=told.partners["kofi"])
    booked = told.book("kofi", told.now.replace(hour=10, minute=0, second=0, microsecond=0) + (monday - told.now.date()) + DAY)
    assert told.state(booked) == "confirmed"
    page = kofi.follow(
        kofi.submit(kofi.get("/availability"), "/availability/exceptions", date=str(monday), until=str(last), kind="away")
    )
    assert "1 session is booked within that time and stays as it is." in page.text
    assert f"{monday:%a} {monday.day} {monday:%b %Y} to {last:%a} {last.day} {last:%b %Y}" in page.words
    assert len(page.soup.select("form[action$='/remove']")) == 1
    usual = kofi.follow(kofi.submit(page, f"/availability/exceptions/{monday}/remove"))
    assert "None. Holidays and extra hours go here." in usual.words
    taken_back = kofi.follow(kofi.submit(usual, "/availability/undo"))
    assert "Taken back." in taken_back.text and len(taken_back.soup.select("form[action$='/remove']")) == 1
    fresh = {"form_token": taken_back.form("/availability")["form_token"]}
    stale = kofi.post("/availability/undo", usual.form("/availability/undo") | fresh)
    assert "The week was changed again since then" in kofi.follow(stale).text


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"until": "-1"}, "until"), ({"until": "+400"}, "until"), ({"until": "soon"}, "until"),
        ({"start": "14:00", "end": "12:00"}, "start"), ({"kind": "extra"}, "start"), ({"start": "09:00", "end": ""}, "start"),
    ],
)  # fmt: skip
def test_a_range_that_cannot_be_is_refused_beside_its_field(told: Story, values: dict[str, str], field: str) -> None:
    dana = entered("dana@partners.example")
    first = (told.now + 9 * DAY).date()
    until = values.get("until", "")
    asked = {"date": str(first), "kind": "away"} | values
    if until[:1] in ("-", "+"):
        asked["until"] = str(first + int(until) * DAY)
    answer = dana.submit(dana.get("/availability"), "/availability/exceptions", **asked)
    assert answer.status == 422
    assert [str(error["id"]) for error in answer.soup.select(".field__error[id]")] == [f"f-{field}-error"]
    assert answer.form("/availability/exceptions")["date"] == str(first)


def test_the_preview_says_what_a_client_elsewhere_would_see_and_keeps_nothing(told: Story) -> None:
    kofi = entered("kofi@partners.example")
    page = kofi.get("/availability")
    assert "The next 5 times that a client in New York sees" in page.words
    assert "GMT for you" in page.words
    fields = page.form("/availability")
    hours = {"start": "20:00", "end": "21:00"}
    evenings = {f"{day}-0-{end}": at for day in ("mon", "tue", "wed", "thu", "fri") for end, at in hours.items()}
    seen = kofi.post("/availability/preview", fields | evenings | {"seen_from": "Asia/Singapore"})
    assert "a client in Singapore sees" in seen.words and ", 20:00 GMT for you" in seen.words
    closed = kofi.post("/availability/preview", {name: "" if name[3:4] == "-" else value for name, value in fields.items()})
    assert "Nobody could book you within 60 days" in closed.words
    broken = kofi.post("/availability/preview", fields | {"mon-0-end": ""})
    assert "Mend what is marked" in broken.words
    never = kofi.post("/availability/preview", fields | {"notice_hours": "720", "horizon_days": "30"})
    assert "Mend what is marked" in never.words
    assert kofi.get("/availability").form("/availability")["mon-0-start"] == fields["mon-0-start"]


def test_a_change_of_clocks_is_told_in_words(told: Story, dana: Person) -> None:
    told.sleep_until(told.now.replace(year=told.now.year + 1, month=2, day=1))
    page = dana.get("/availability")
    assert "the clocks in New York go forward by an hour" in page.words
    assert "02:00 to 03:00 does not exist" in page.words
    assert "clocks" not in entered("kofi@partners.example").get("/availability").words


def test_what_one_partner_does_touches_no_other(told: Story, dana: Person) -> None:
    others = "select partner_id, data from availability where partner_id <> %(p)s order by 1"
    before = told.rows(others, p=told.partners["dana"])
    fields = dana.get("/availability").form("/availability") | {"partner_id": str(told.partners["kofi"]), "mon-0-end": "12:00"}
    assert dana.post("/availability", fields).status == 303
    assert told.rows(others, p=told.partners["dana"]) == before
