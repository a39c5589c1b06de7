"""How a client finds an expert: the question, what we understood, the shortlist, the directory, an expert's page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import flask
import pytest
from psycopg.types.json import Jsonb

from fxo.core.clients import favourites
from fxo.core.ids import new_id
from fxo.core.matching import queries as briefs
from tests.conftest import PASSWORD, add_member, add_tenant
from tests.support.browser import Page, Person
from tests.support.flow import shortlist, sign_in
from tests.support.story import CLIENT_MAIL, Story, story

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FORTIUM, GLOBEX = "fortium.localhost", "globex.localhost"


@pytest.fixture(scope="module")
def told(databases: Any) -> Iterator[Story]:
    """One world for all: each test brings its own people and briefs."""
    with story(databases) as made:
        yield made


def visitor(host: str = FORTIUM) -> Person:
    return Person(flask.current_app._get_current_object(), host)  # type: ignore[attr-defined]


def member(told: Story, host: str = FORTIUM) -> Person:
    mail = f"{new_id().hex}@lindqvist.example"
    add_member(told.parts.records.by_host(host), mail, name="Mia Berg")
    person = visitor(host)
    sign_in(person, mail, PASSWORD)
    return person


def with_scripts(person: Person, zone: str = "Europe/Stockholm") -> Person:
    """The browser after one page: `app.js` has said where it is."""
    person.client.set_cookie("zone", zone, domain=person.host)
    return person


def cards(page: Page) -> list[str]:
    return [card.get_text(strip=True) for card in page.soup.select(".partner-card__name")]


def branded(told: Story, **brand: Any) -> None:
    kept = {"colour": "#14532d", **brand}
    told.rows("update tenants set brand = %(b)s where id = %(t)s returning id", b=Jsonb(kept), t=told.config.id)


def part(person: Person, path: str, trigger: str = "") -> Page:
    """What a script gets."""
    return person.get(path, **{"HX-Request": "true"} | ({"HX-Trigger": trigger} if trigger else {}))


# The front page -----------------------------------------------------------------------------------------------------


def test_the_front_page_speaks_the_tenants_words_and_passes_over_what_makes_no_sense(told: Story) -> None:
    branded(
        told,
        headline="Ask somebody who has been through it. " * 8,
        lead="Independent experts.",
        privacy="Read by nobody.",
        examples=[
            {"title": "A fleet of trucks", "text": "Our trucks report late.", "industry": "Logistics", "urgency": "week"},
            {"title": "no text"},
            "nonsense",
            {"title": 7, "text": []},
        ],
        questions=[{"question": "May I bring a colleague?", "answer": "Yes, one."}, {"question": "?"}],
    )
    page = visitor().get("/")
    assert "Ask somebody who has been through it." in page.words
    assert page.soup.select_one("h1")["class"] == ["display--2"]  # type: ignore[index]
    assert "Independent experts." in page.words and "Read by nobody." in page.words
    assert [link.get_text(strip=True) for link in page.soup.select("a.example")] == ["A fleet of trucks"]
    assert "May I bring a colleague?" in page.words
    filled = visitor().get("/?example=1").form("/briefs")
    assert (filled["problem"].strip(), filled["industry"], filled["urgency"]) == ("Our trucks report late.", "Logistics", "week")
    branded(told, headline=["?"], examples="?", questions={})
    page = visitor().get("/")
    assert "Sixty minutes with someone who has solved it before." in page.words
    assert len(page.soup.select("a.example")) == 3
    assert "$800 is held on your card and paid only after the session." in page.words
    branded(told)


def test_a_roster_without_anybody_says_so_and_shows_an_administrator_where_to_begin(told: Story) -> None:
    empty = add_tenant("empty", "Empty Desk", 70_000, [])
    page = visitor("empty.localhost").get("/")
    assert page.status == 200
    assert "The experts are still being chosen" in page.words
    assert not page.soup.select("form[action='/briefs'], a.example")
    directory = visitor("empty.localhost").get("/experts")
    assert "still being chosen" in directory.words
    assert not directory.soup.select("#directory, #q"), "there is nothing to filter"
    add_member(empty, "boss@empty.example", role="administrator")
    boss = visitor("empty.localhost")
    sign_in(boss, "boss@empty.example", PASSWORD)
    assert boss.get("/").link("/admin")


def test_a_member_finds_the_next_session_and_the_last_briefs_on_the_front_page_and_nobody_elses(told: Story) -> None:
    sarah = visitor()
    sign_in(sarah, CLIENT_MAIL, PASSWORD)
    page = sarah.get("/")
    assert "Your next session" not in page.words and "Take up again" not in page.words
    booked = told.book("ines", told.ahead(4 * DAY))
    path = shortlist(sarah).action("/briefs/")
    page = sarah.get("/")
    assert page.link(f"/sessions/{booked}")
    assert page.link(path)
    assert "Inês Carvalho" in page.words and "experts fit" in page.words
    for other in (visitor(), member(told)):
        assert "Take up again" not in other.get("/").words
        assert str(booked) not in other.get("/").text


# What we understood -------------------------------------------------------------------------------------------------


def test_a_client_corrects_what_was_understood_and_the_list_is_ranked_again(told: Story) -> None:
    guest = visitor()
    page = shortlist(guest)
    path = page.action("/briefs/")
    form = page.form(path)
    assert (form["role"], form["industry"]) == ("CISO", "Insurance")
    assert cards(page)[0] == "Dana Whitfield"
    topics = [str(chip["value"]) for chip in page.soup.select("input[name=topic]")]
    assert "Recovery and continuity" in topics

    changed = guest.submit(page, path, role="CIO", industry="any", topic="Incident response")
    assert changed.status == 303
    page = guest.follow(changed)
    assert (page.form(path)["role"], page.form(path)["industry"]) == ("CIO", "any")
    chips = {str(chip["value"]): chip.has_attr("checked") for chip in page.soup.select("input[name=topic]")}
    assert chips.keys() == set(topics), "what was taken out is offered again"
    assert [topic for topic, on in chips.items() if on] == ["Incident response"]
    assert "You asked for a CIO" in page.words

    page = guest.follow(guest.submit(page, path, add="erp repl", topic="Incident response", must="role"))
    assert page.soup.select("input[name=topic][value='ERP replacement'][checked]"), "a beginning is enough"
    assert cards(page)[0] == "Kofi Mensah"
    kinds = told.rows("select type from events where stream_id = %(id)s order by version", id=path.rpartition("/")[2])
    assert [kind for (kind,) in kinds] == ["brief.submitted", "brief.matched", *["brief.revised", "brief.matched"] * 2]


def test_a_topic_that_nobody_has_is_said_so_beside_the_field_and_changes_nothing(told: Story) -> None:
    guest = visitor()
    page = shortlist(guest)
    path = page.action("/briefs/")
    for odd in ("zeppelins", "<b>", "…", "x" * 5_000):
        answer = guest.submit(page, path, add=odd)
        assert answer.status == 422, odd
        assert "Choose one of the list" in answer.words
        assert answer.soup.select_one("#topic-add")["aria-invalid"] == "true"  # type: ignore[index]
    for field in ("role", "industry", "urgency"):
        assert guest.submit(page, path, **{field: "something else"}).status == 422
    assert len(told.rows("select 1 from events where stream_id = %(id)s", id=path.rpartition("/")[2])) == 2
    scripted = guest.post(path, page.form(path) | {"add": "zeppelins"}, **{"HX-Request": "true", "HX-Trigger": "understood"})
    assert scripted.status == 200, "a script throws away what is no success"
    assert scripted.soup.select_one("#understood #topic-add")["aria-invalid"] == "true"  # type: ignore[index]


def test_other_words_are_read_anew_while_the_clients_other_choices_stay(told: Story) -> None:
    guest = visitor()
    page = shortlist(guest)
    path = page.action("/briefs/")
    page = guest.follow(guest.submit(page, path, role="CISO", urgency="week"))
    edit = guest.get(page.link(f"{path}?edit=1"))
    assert edit.soup.select_one("details.edit-words")["open"] == ""  # type: ignore[index]
    token = {"form_token": edit.form(path)["form_token"]}
    words = "The ERP replacement is nine months late and the vendor wants more money."
    page = guest.follow(guest.post(path, token | {"text": words}))
    assert words in page.words
    assert page.soup.select("input[name=topic][value='ERP']")
    assert not page.soup.select("input[name=topic][value='Incident response']")
    assert page.form(path)["urgency"] == "week"
    for odd, sentence in ((" \r\n ", "Please describe what you are facing"), ("x" * 9_000, "Please shorten this")):
        refused = guest.post(path, token | {"text": odd})
        assert refused.status == 422
        assert sentence in refused.words
        assert refused.soup.select_one("details.edit-words")["open"] == ""  # type: ignore[index]


def test_the_expert_prepares_from_the_brief_as_it_is_now(told: Story) -> None:
    person = member(told)
    page = shortlist(person)
    path = page.action("/briefs/")
    brief = told.rows("select id, author_id from briefs where id = %(id)s", id=path.rpartition("/")[2])
    [(brief_id, author_id)] = brief
    booked = told.book("dana", told.ahead(6 * DAY))
    told.rows("update consultations set brief_id = %(b)s where id = %(c)s returning id", b=brief_id, c=booked)
    person.post(path, {"form_token": page.form(path)["form_token"], "text": "We have ransomware and no plan."})
    [(text,)] = told.rows("select brief from partner_agenda where consultation_id = %(c)s", c=booked)
    assert text == "We have ransomware and no plan."
    assert author_id


# The shortlist ------------------------------------------------------------------------------------------------------


def test_with_scripts_the_page_comes_at_once_and_the_times_in_a_second_request(told: Story) -> None:
    guest = with_scripts(visitor())
    page = shortlist(guest)
    assert "Reading Dana’s calendar" in page.words
    assert page.slots() == []
    results = page.soup.select_one("#results")
    assert results is not None and results["hx-trigger"] == "load"
    answer = part(guest, str(results["hx-get"]))
    assert "<html" not in answer.text
    assert answer.soup.select_one("#results") is not None
    assert not answer.soup.select("#results[hx-trigger]")
    assert not answer.soup.select("#understood"), "the panel is left alone while the list is fetched"
    assert len(answer.slots()) == 3 * len(cards(answer))
    assert all("CET" in button.get_text() or "CEST" in button.get_text() for button in answer.soup.select("button.slot"))
    assert guest.get(str(results["hx-get"])).slots(), "the link for a browser that has just lost its scripts"


def test_a_change_that_a_script_sends_comes_back_as_the_list_and_the_panel(told: Story) -> None:
    guest = with_scripts(visitor())
    page = shortlist(guest)
    path = page.action("/briefs/")
    sent = guest.post(f"{path}", page.form(path) | {"role": "CIO", "free": "week"}, **{"HX-Request": "true"})
    assert sent.status == 303
    assert sent.location == f"{path}?free=week", "the filters that are set stay set"
    answer = part(guest, sent.location, trigger="understood")
    form = answer.soup.select_one("form#understood")
    assert form is not None and form["hx-swap-oob"] == "true"
    token = form.select_one("input[name=form_token]")
    assert token is not None and token["value"] != page.form(path)["form_token"]
    assert form.select_one("option[value=CIO]").has_attr("selected")  # type: ignore[union-attr]


def test_the_shortlist_is_filtered_and_sorted_by_its_address(told: Story) -> None:
    guest = visitor()
    page = shortlist(guest)
    path = page.action("/briefs/")
    assert cards(page)[:2] == ["Dana Whitfield", "Inês Carvalho"]
    assert cards(guest.get(f"{path}?speaks=Portuguese")) == ["Inês Carvalho"]
    assert cards(guest.get(f"{path}?works_in=Energy")) == ["Dana Whitfield"]
    assert set(cards(guest.get(f"{path}?free=week"))) >= {"Dana Whitfield", "Inês Carvalho"}
    assert sorted(cards(guest.get(f"{path}?sort=price"))) == sorted(cards(page))
    none = guest.get(f"{path}?speaks=Portuguese&works_in=Energy")
    assert cards(none) == []
    assert "None of them with these filters" in none.words
    assert none.link(path) == path
    for odd in ("?free=x", "?sort=x", "?speaks=%00", "?edit=9", f"?speaks={'x' * 500}"):
        assert guest.get(path + odd).status == 200, odd
    pushed = part(guest, f"{path}?free=week&sort=&speaks=", trigger="filters")
    assert pushed.headers["HX-Push-Url"] == f"{path}?free=week"


def test_a_brief_that_nobody_fits_says_so_and_offers_the_directory(told: Story) -> None:
    guest = visitor()
    page = shortlist(guest, "Hello there")
    assert "Nobody here fits this well" in page.words
    assert "We would rather not pretend" in page.words
    assert page.link("/experts") and page.link(f"{page.action('/briefs/')}?edit=1")
    assert cards(page) == []


# The directory ------------------------------------------------------------------------------------------------------


def test_the_directory_is_searched_filtered_and_counted(told: Story) -> None:
    guest = visitor()
    page = guest.get("/experts")
    assert sorted(cards(page)) == ["Dana Whitfield", "Inês Carvalho", "Kofi Mensah"]
    assert len(page.slots()) == 9
    assert cards(guest.get("/experts?q=ines")) == ["Inês Carvalho"]
    assert cards(guest.get("/experts?q=port+operator")) == ["Kofi Mensah"]
    assert sorted(cards(guest.get("/experts?skill=Cyber+insurance"))) == ["Dana Whitfield", "Inês Carvalho"]
    assert sorted(cards(guest.get("/experts?language=French&language=Portuguese"))) == ["Inês Carvalho", "Kofi Mensah"]
    assert cards(guest.get("/experts?role=CIO&free=week")) == ["Kofi Mensah"]
    assert cards(guest.get("/experts?sort=experience"))[0] == "Kofi Mensah"
    counted = {
        label.select_one("input")["value"]: label.select_one(".count").get_text()  # type: ignore[index,union-attr]
        for label in page.soup.select("label:has(input[name=role])")
    }
    assert counted == {"CISO": "2", "CIO": "1"}
    shared = guest.get("/experts?overlap=6&q=kofi")
    assert cards(shared) == ["Kofi Mensah"], "office hours of Accra are those of UTC"
    assert "About 8 hours a day shared with your working day." in shared.words


def test_where_nobody_answers_the_directory_says_which_filter_to_take_off(told: Story) -> None:
    page = visitor().get("/experts?role=CIO&skill=Cyber+insurance")
    assert cards(page) == []
    assert "Nobody answers to all of this" in page.words
    assert "Without the role there are 2 experts" in page.words
    assert "Without the skill there is one expert" in page.words
    assert page.link("/experts?skill=Cyber+insurance")


@pytest.mark.parametrize(
    "query",
    ["page=9", "page=0", "page=-1", "page=²", "page=999999999999", "sort=x", "free=x", "overlap=3", "q=%00%ff", "q=" + "x" * 900,
     "skill=" + "&skill=".join("x" * 9 for _ in range(60)), "kept=1", "unheard=of"],
)  # fmt: skip
def test_odd_addresses_never_break_the_directory(told: Story, query: str) -> None:
    page = visitor().get(f"/experts?{query}")
    assert page.status == 200
    assert "Directory" in page.words


def test_with_scripts_the_directory_comes_without_times_first_and_keeps_its_state_in_the_address(told: Story) -> None:
    guest = with_scripts(visitor())
    page = guest.get("/experts?q=dana")
    assert page.slots() == [] and "Reading Dana’s calendar" in page.words
    answer = part(guest, "/experts?q=dana&sort=best&page=1", trigger="directory")
    assert "<html" not in answer.text
    assert answer.headers["HX-Push-Url"] == "/experts?q=dana"
    assert len(answer.slots()) == 3
    assert answer.soup.select_one("#facets")["hx-swap-oob"] == "true"  # type: ignore[index]
    assert guest.get("/experts", **{"HX-Request": "true", "HX-History-Restore-Request": "true"}).soup.title is not None


def test_a_closed_portal_shows_its_experts_to_members_alone(told: Story) -> None:
    if not told.rows("select 1 from tenants where slug = 'globex'"):
        add_tenant("globex", "Globex Desk", 72_000, [told.partners["dana"], told.partners["kofi"]], visitors_may_match=False)
    dana, ines = told.partners["dana"], told.partners["ines"]
    stranger, priya = visitor(GLOBEX), member(told, GLOBEX)
    for path in ("/experts", f"/experts/{dana}", "/zone"):
        assert stranger.get(path).location.startswith("/sign-in"), path
        assert priya.get(path).status == 200, path
    assert sorted(cards(priya.get("/experts"))) == ["Dana Whitfield", "Kofi Mensah"]
    assert priya.get(f"/experts/{ines}").status == 404, "she is on the other tenant's roster alone"
    assert "$720" in priya.get(f"/experts/{dana}").words


# An expert's page ---------------------------------------------------------------------------------------------------


def test_an_experts_page_shows_the_record_and_all_open_times_in_both_zones(told: Story) -> None:
    guest = with_scripts(visitor(), "Asia/Kathmandu")
    path = f"/experts/{told.partners['kofi']}"
    page = guest.get(path)
    for words in ("Recovered an ERP programme nine months late", "ERP replacement", "Certificates on record", "PMP", "Ghana"):
        assert words in page.words
    assert page.link("/experts?skill=ERP+replacement")
    alike = guest.get(f"/experts/{told.partners['dana']}")
    assert alike.link(f"/experts/{told.partners['ines']}"), "she has the same role and skills"
    assert "badge-check" not in page.text, "nothing on the record says that a certificate was checked"
    times = page.soup.select_one("#times")
    assert times is not None and times["hx-trigger"] == "load"
    answer = part(guest, str(times["hx-get"]))
    assert "<html" not in answer.text
    button = answer.soup.select_one("button.slot")
    assert button is not None
    start = datetime.fromisoformat(str(button["value"]))
    assert f"{start:%H:%M} GMT for Kofi" in str(button["aria-label"])
    assert "GMT+5:45" in str(button["aria-label"])
    later = part(guest, answer.link(f"{path}?ahead=1"))
    assert min(slot["slot"] for slot in later.slots()) > max(slot["slot"] for slot in answer.slots())
    last = part(guest, f"{path}?ahead=30")
    assert last.slots() == [] and "No open time in these two weeks." in last.text
    for odd in ("?ahead=x", "?ahead=-1", "?reviews=99", "?ahead=99999999999"):
        assert guest.get(path + odd).status == 200


def test_the_brief_goes_with_the_reader_and_somebody_elses_is_not_found(told: Story) -> None:
    guest = visitor()
    page = shortlist(guest)
    link = page.link(f"/experts/{told.partners['dana']}?brief=")
    expert = guest.get(link)
    assert expert.slots()[0]["brief"] == parse_qs(urlsplit(link).query)["brief"][0]
    assert expert.link("/briefs/") == page.action("/briefs/")
    assert visitor().get(link).status == 404
    assert member(told).get(link).status == 404


def test_reviews_are_shown_in_their_own_tenant_and_elsewhere_only_their_number_counts(told: Story) -> None:
    if not told.rows("select 1 from tenants where slug = 'globex'"):
        add_tenant("globex", "Globex Desk", 72_000, [told.partners["dana"], told.partners["kofi"]], visitors_may_match=False)
    for stars, comment, public in ((5, "Told our board the truth in four slides, and which two to drop.", True), (2, "", False)):
        booked = told.book("dana", told.ahead(DAY))
        told.live_until(told.rows("select starts_at from consultations where id = %(i)s", i=booked)[0][0] + HOUR)
        told.complete(booked, "dana")
        told.live(HOUR)
        told.rate(booked, stars, comment, public=public)
    told.subscribe()
    path = f"/experts/{told.partners['dana']}"
    here = visitor().get(path)
    assert "Told our board the truth in four slides" in here.words
    assert "A client of Fortium" in here.words and "Sarah" not in here.words and "Lindqvist" not in here.words
    assert "from 2 ratings" in here.words and "3.5" in here.words
    sarah = visitor()
    sign_in(sarah, CLIENT_MAIL, PASSWORD)
    assert "You," in sarah.get(path).words
    there = member(told, GLOBEX).get(path)
    assert "four slides" not in there.words
    assert "The rating above is from one session elsewhere." in there.words
    assert "5.0" in there.words
    assert "“Told our board the truth in four slides" in visitor().get("/").words
    assert "four slides" not in member(told, GLOBEX).get("/").words


def test_an_expert_who_has_left_the_roster_is_shown_without_times(told: Story) -> None:
    kofi = told.partners["kofi"]
    ended = "update roster set ended_at = now() where partner_id = %(p)s and tenant_id = %(t)s returning 1"
    told.rows(ended, p=kofi, t=told.config.id)
    try:
        page = visitor().get(f"/experts/{kofi}")
        assert page.status == 200
        assert page.slots() == []
        assert "Kofi takes no bookings here at the moment." in page.words
        assert "Kofi Mensah" not in cards(visitor().get("/experts"))
    finally:
        told.rows("update roster set ended_at = null where partner_id = %(p)s returning 1", p=kofi)


# What readers choose ------------------------------------------------------------------------------------------------


def test_a_visitors_zone_is_kept_in_the_browser_and_a_members_in_the_profile(told: Story) -> None:
    guest = visitor()
    assert "Times are in UTC. We do not know your time zone yet." in guest.get("/experts").words
    back = guest.submit(guest.get("/zone?next=/experts"), "/zone", zone="Asia/Tokyo")
    assert back.location == "/experts"
    assert "Times are yours, in JST." in guest.get("/experts").words
    person = with_scripts(member(told), "Asia/Tokyo")
    assert "in CET" in person.get("/experts").words or "in CEST" in person.get("/experts").words
    person.submit(person.get("/zone"), "/zone", zone="Asia/Kolkata")
    assert "in IST" in person.get("/experts").words
    assert told.rows("select zone from clients where name = 'Mia Berg' and zone = 'Asia/Kolkata'") == [("Asia/Kolkata",)]
    for odd in ("", "Nowhere/Town", "../etc", "UTC\x01"):
        assert guest.submit(guest.get("/zone"), "/zone", zone=odd).status == 422, odd
    assert guest.submit(guest.get("/zone?next=//evil.example"), "/zone", zone="UTC").location == "/"


def test_the_zone_of_a_brief_is_changed_with_it_and_only_by_its_author(told: Story) -> None:
    guest = visitor()
    page = shortlist(guest)
    link = page.link("/zone?")
    path = page.action("/briefs/")
    back = guest.submit(guest.get(link), "/zone", zone="America/New_York")
    assert back.location == path
    assert "in EST" in guest.get(path).words or "in EDT" in guest.get(path).words
    stranger = visitor()
    assert stranger.submit(stranger.get(link), "/zone", zone="Asia/Tokyo").status == 404


def test_a_member_keeps_experts_and_finds_them_again(told: Story) -> None:
    dana = str(told.partners["dana"])
    person, other = member(told), member(told)
    page = person.get("/experts?q=dana")
    kept = person.submit(page, "/favourites")
    assert kept.location == "/experts?q=dana"
    page = person.get("/experts?kept=1")
    assert cards(page) == ["Dana Whitfield"]
    assert page.soup.select_one(f"#keep-{dana}")["aria-pressed"] == "true"  # type: ignore[index]
    brief = shortlist(person)
    assert cards(person.get(f"{brief.action('/briefs/')}?kept=1")) == ["Dana Whitfield"]
    assert "My favourites only" not in other.get("/experts").words
    swapped = person.post("/favourites", page.form("/favourites"), **{"HX-Request": "true"})
    assert "<html" not in swapped.text
    assert swapped.soup.select_one(f"#keep-{dana}")["aria-pressed"] == "false"  # type: ignore[index]
    assert cards(person.get("/experts?kept=1")) == []


def test_a_visitor_is_asked_to_sign_in_before_keeping_and_nobody_keeps_a_stranger(told: Story) -> None:
    guest, person = visitor(), member(told)
    asked = guest.submit(guest.get("/experts"), "/favourites")
    assert asked.location == "/sign-in?next=/experts"
    assert "to keep experts" in guest.get(asked.location).text
    scripted = guest.post("/favourites", guest.get("/experts").form("/favourites"), **{"HX-Request": "true"})
    assert scripted.headers["HX-Redirect"] == "/sign-in?next=/experts"
    form = person.get("/experts").form("/favourites")
    odd = (({"partner": str(new_id())}, 404), ({"partner": "x"}, 404), ({"keep": "2"}, 422), ({"next": "//evil"}, 303))
    for values, status in odd:
        answer = person.post("/favourites", form | values)
        assert answer.status == status, values
        assert "evil" not in answer.headers.get("Location", "")
    assert told.run(told.newcomer(), favourites.of_reader) == frozenset()
    assert told.run(told.newcomer(), briefs.latest) == []
