"""What the pages say of a ranking: where each thing was read, why somebody fits, what is asked back, who was seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from fxo.core.consultations import commands as consultations
from fxo.core.db import execute, transaction
from fxo.core.ids import new_id
from fxo.core.matching.port import (
    Brief,
    Budget,
    Evidence,
    Match,
    PartnerRecord,
    Question,
    Ranking,
    Reading,
    Understanding,
)
from fxo.core.money import Money
from fxo.core.scope import tenant_scope
from tests.conftest import add_tenant
from tests.support.browser import Page, Person
from tests.support.plugins import Ranker
from tests.support.story import Story, story
from tests.web.test_finding_pages import cards, part, visitor

BRIEF = "Our insurer wants a recovery plan before January. We can pay $300 an hour, speak German, and have a CISO already."
LINE = "Nothing like this has been tried before."


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    return Ranker(fits)


@pytest.fixture(scope="module")
def told(databases: Any, ranker: Ranker) -> Iterator[Story]:
    with story(databases, ranker.plugin) as made:
        yield made.reconfigured(providers={"matching": ["matching_told"]})


@pytest.fixture(autouse=True)
def as_usual(ranker: Ranker) -> None:
    ranker.answer = fits
    ranker.asked.clear()


def read(text: str, what: str, value: str, words: str) -> Reading:
    start = text.index(words)
    return Reading(what, value, "text", start, start + len(words))


def fits(brief: Brief, partners: Sequence[PartnerRecord]) -> Ranking:
    """Dana, then the others; what was read stands in the words, what was chosen is as it was chosen."""
    return Ranking(tuple(matches(partners)), 0.8, False, "told 1", understanding(brief))


def matches(partners: Sequence[PartnerRecord]) -> Iterator[Match]:
    order = sorted(partners, key=lambda record: ("Dana Whitfield", "Inês Carvalho", "Kofi Mensah").index(record.name))
    for place, record in enumerate(order):
        case, skill = record.cases[0], record.skills[0]
        yield Match(
            record.id,
            0.9 - place / 10,
            "strong",
            (f"{record.name} has done work like this: “{case}”.", f"On record is also “{skill}”."),
            (Evidence(case, "cases"), Evidence(record.industries[0], "industries")),
            f"The title says “{record.title}”, and no more.",
            (Evidence(case, "cases"), Evidence(skill, "skills"), Evidence(record.title, "title")),
            probability=0.72 if place == 0 else 0.004,
            unmet=("language",) if place else (),
        )


def understanding(brief: Brief) -> Understanding:
    text = brief.text
    if not text.startswith(BRIEF):
        return Understanding(role=brief.role, topics=brief.topics or ())
    readings = (
        read(text, "topics", "Cyber insurance", "insurer"),
        read(text, "topics", "Recovery", "recovery plan"),
        read(text, "urgency", "week", "before January"),
        read(text, "budget", "$300 an hour", "$300 an hour"),
        read(text, "language", "German", "speak German"),
        read(text, "unwanted", "CISO", "have a CISO already"),
    )
    return Understanding(
        role=None if brief.role == "any" else brief.role or "CIO",
        topics=("Cyber insurance", "Recovery") if brief.topics is None else brief.topics,
        urgency=None if brief.urgency == "any" else brief.urgency or "week",
        stage=None if brief.stage == "any" else brief.stage,
        language=None if brief.language == "any" else brief.language or "German",
        budget=None if brief.budget == "any" else Budget(Money(30_000, "USD"), "hour"),
        unwanted=("CISO",) if brief.unwanted is None else brief.unwanted,
        readings=readings,
    )


def nobody(brief: Brief, partners: Sequence[PartnerRecord]) -> Ranking:
    order = sorted(partners, key=lambda record: record.name)
    low = tuple(Match(record.id, 0.0, "possible") for record in order)
    return Ranking(low, 0.1, True, "told 1", understanding(brief), lacking=("goal", "problem"))


def asking(*questions: Question) -> Any:
    def answer(brief: Brief, partners: Sequence[PartnerRecord]) -> Ranking:
        return Ranking(tuple(matches(partners)), 0.5, False, "told 1", understanding(brief), questions=questions)

    return answer


def asked_for(person: Person, text: str = BRIEF) -> tuple[Page, str]:
    page = person.follow(person.submit(person.get("/"), "/briefs", problem=text))
    return page, page.action("/briefs/")


def sent(page: Page, path: str, **values: Any) -> dict[str, Any]:
    """What the panel would send, all its chips included, with these values instead."""
    boxes: dict[str, list[str]] = {}
    for box in page.soup.select("form#understood input[type=checkbox][checked]"):
        boxes.setdefault(str(box["name"]), []).append(str(box["value"]))
    return page.form(path) | boxes | values


def where(page: Page, field: str) -> str:
    found = page.soup.select_one(f"#{field}")
    assert found is not None, field
    around = found.find_parent(["li", "div"], class_=lambda name: name != "fact__value")
    line = around.select_one(".where") if around else None
    return line.get_text(" ", strip=True) if line else ""


# What was understood --------------------------------------------------------------------------------------------------


def test_each_thing_that_was_understood_says_where_it_was_read_and_leads_there(told: Story) -> None:
    page, path = asked_for(visitor())
    form = page.form(path)
    assert (form["role"], form["urgency"], form["language"], form["stage"]) == ("CIO", "week", "German", "any")
    assert form["budget"] == "on" and "$300 an hour" in page.words
    assert where(page, "f-language") == "read in “speak German”"
    assert where(page, "f-urgency") == "read in “before January”"
    assert where(page, "topic-Cyber-insurance") == "read in “insurer”"
    assert where(page, "unwanted-CISO") == "read in “have a CISO already”"
    assert where(page, "budget") == "read in “$300 an hour”"
    assert where(page, "f-role") == "concluded from your words"
    assert where(page, "f-stage") == ""
    marks = {str(mark["id"]): mark.get_text() for mark in page.soup.select("blockquote mark")}
    assert list(marks.values()) == [
        "insurer", "recovery plan", "before January", "$300 an hour", "speak German", "have a CISO already",
    ]  # fmt: skip
    for link in page.soup.select(".where a"):
        assert marks[str(link["href"]).removeprefix("#")] in link.get_text()
    quote = page.soup.select_one("blockquote")
    assert quote is not None and quote.get_text() == BRIEF


def test_what_the_client_corrects_reaches_the_ranker_and_is_not_overwritten_by_other_words(told: Story, ranker: Ranker) -> None:
    guest = visitor()
    page, path = asked_for(guest)
    assert ranker.asked[-1].language is None and ranker.asked[-1].budget is None, "nothing was chosen yet"
    changed = sent(
        page, path, stage="large", language="Portuguese", role="CTO", budget=[], unwanted=[], must=["role", "language"]
    )
    page = guest.follow(guest.post(path, changed))
    brief = ranker.asked[-1]
    assert (brief.stage, brief.language, brief.role, brief.budget) == ("large", "Portuguese", "CTO", "any")
    assert (brief.unwanted, brief.musts) == ((), ("role", "language"))
    assert brief.urgency is None and brief.topics is None, "what was only read is left to the words"
    assert where(page, "f-language") == where(page, "f-stage") == "chosen by you"
    assert page.soup.select_one("#must-language[checked]") and not page.soup.select("#unwanted-CISO")

    page = guest.follow(guest.post(path, {"form_token": page.form(path)["form_token"], "text": "Something else altogether."}))
    brief = ranker.asked[-1]
    assert (brief.stage, brief.language, brief.role, brief.budget) == ("large", "Portuguese", "CTO", "any")
    assert brief.musts == ("role", "language")
    assert brief.unwanted is None, "what is not needed is read anew, as topics are"
    assert page.form(path)["language"] == "Portuguese"


def test_what_is_said_about_money_is_taken_out_and_put_in_again(told: Story, ranker: Ranker) -> None:
    guest = visitor()
    page, path = asked_for(guest)
    page = guest.follow(guest.post(path, sent(page, path, budget=[])))
    assert ranker.asked[-1].budget == "any"
    assert "$300 an hour" not in page.soup.select_one("#understood").get_text()  # type: ignore[union-attr]
    assert page.soup.select_one("#budget:not([checked])")
    page = guest.follow(guest.post(path, sent(page, path, budget="on")))
    assert ranker.asked[-1].budget is None
    assert page.soup.select_one("#budget[checked]")


def test_what_is_not_needed_is_added_and_is_no_topic_then(told: Story, ranker: Ranker) -> None:
    guest = visitor()
    page, path = asked_for(guest)
    page = guest.follow(guest.post(path, sent(page, path, add_unwanted="recov")))
    assert ranker.asked[-1].unwanted == ("CISO", "Recovery")
    assert ranker.asked[-1].topics == ("Cyber insurance",)
    refused = guest.post(path, sent(page, path, add_unwanted="zeppelins"))
    assert refused.status == 422
    assert refused.soup.select_one("#unwanted-add")["aria-invalid"] == "true"  # type: ignore[index]
    for field in ("stage", "language"):
        assert guest.post(path, sent(page, path, **{field: "x"})).status == 422
    odd = guest.follow(guest.post(path, sent(page, path, must=["price", "<b>"])))
    assert odd.status == 200 and ranker.asked[-1].musts == ()


def test_places_that_are_none_are_passed_over_and_those_that_overlap_are_one(told: Story, ranker: Ranker) -> None:
    def odd(brief: Brief, partners: Sequence[PartnerRecord]) -> Ranking:
        spans = ((0, 9), (4, 20), (5, 3), (-4, 2), (10, 9_000))
        readings = tuple(Reading("topics", f"T{number}", "text", *span) for number, span in enumerate(spans))
        return Ranking(
            tuple(matches(partners)), 0.8, False, "told 1", Understanding(topics=("T0", "T1", "T4"), readings=readings)
        )

    ranker.answer = odd
    page, _path = asked_for(visitor())
    assert [mark.get_text() for mark in page.soup.select("blockquote mark")] == [BRIEF[:20]]
    assert page.soup.select_one("blockquote").get_text() == BRIEF  # type: ignore[union-attr]
    assert where(page, "topic-T1") == f"read in “{BRIEF[4:20].strip()}”"
    assert where(page, "topic-T4") == "concluded from your words"


def test_a_ranking_that_was_waited_for_brings_what_was_understood_with_it(told: Story) -> None:
    guest = visitor()
    _page, path = asked_for(guest)
    brief_id = path.rpartition("/")[2]
    [(kept,)] = told.rows("select shortlist from briefs where id = %(b)s", b=brief_id)
    told.rows("update briefs set shortlist = null where id = %(b)s returning id", b=brief_id)
    assert guest.get(path).soup.select_one("#results[hx-trigger^=load] .working"), "the list asks again by itself"
    waiting = part(guest, path, trigger="results")
    assert not waiting.soup.select("#understood"), "nobody's typing is disturbed meanwhile"
    told.rows("update briefs set shortlist = %(s)s where id = %(b)s returning id", s=Jsonb(kept), b=brief_id)
    ranked = part(guest, path, trigger="results")
    assert cards(ranked)[0] == "Dana Whitfield"
    assert ranked.soup.select("form#understood[hx-swap-oob] #topic-Recovery") and ranked.soup.select("#words-body mark")
    assert not part(guest, f"{path}?slots=1", trigger="results").soup.select("#understood")
    corrected = part(guest, path, trigger="understood")
    assert corrected.soup.select("#understood") and not corrected.soup.select("#words-body"), "the place in the words stays"


# Why, and how likely --------------------------------------------------------------------------------------------------


def test_reasons_mark_what_they_quote_and_say_why_perhaps_not(told: Story) -> None:
    page, _path = asked_for(visitor())
    card = page.soup.select("article.partner-card")[0]
    case, skill, title = (quote.get_text() for quote in card.select(".why q"))
    assert "Dana Whitfield has done work like this" in card.get_text()
    assert case.startswith("“") and skill == "“Ransomware recovery”" and title.startswith("“")
    assert "Why perhaps not:" in card.get_text()
    assert [mark.get_text() for mark in card.select(".evidence mark")] == ["Manufacturing"], (
        "a line that a reason quotes is not repeated"
    )
    assert "Does not list the language you insist on" not in card.get_text()
    assert "Does not list the language you insist on" in page.soup.select("article.partner-card")[1].get_text()


def test_the_strength_is_a_word_and_a_percentage_that_is_explained(told: Story, ranker: Ranker) -> None:
    page, _path = asked_for(visitor())
    lines = [line.get_text(" ", strip=True) for line in page.soup.select(".match")]
    assert lines == ["Strong match 72% likely to fit", "Strong match 1% likely to fit", "Strong match 1% likely to fit"]
    assert "about seven in ten were judged to fit" in page.words

    def unsure(brief: Brief, partners: Sequence[PartnerRecord]) -> Ranking:
        found = (Match(one.partner_id, one.score, one.strength) for one in matches(partners))
        return Ranking(tuple(found), 0.8, False, "told 1")

    ranker.answer = unsure
    page, _path = asked_for(visitor())
    assert [line.get_text(" ", strip=True) for line in page.soup.select(".match")] == ["Strong match"] * 3
    assert "%" not in page.words and "seven in ten" not in page.words


def test_the_experts_page_marks_the_lines_that_tell_for_this_brief_and_only_for_its_author(told: Story) -> None:
    guest = visitor()
    page, _path = asked_for(guest)
    dana = told.partners["dana"]
    expert = guest.get(page.link(f"/experts/{dana}?brief="))
    marked = {mark.get_text() for mark in expert.soup.select("main mark")}
    assert marked >= {"Ransomware recovery", "Manufacturing"}
    [case] = expert.soup.select("section[aria-labelledby=cases] mark")
    assert case.get_text() in page.words
    assert "72% likely to fit" in expert.words and "Why perhaps not:" in expert.words
    alone = visitor().get(f"/experts/{dana}")
    assert not alone.soup.select("main mark") and "likely to fit" not in alone.words


# Nobody, and what we ask back -----------------------------------------------------------------------------------------


def test_where_nobody_fits_the_page_says_what_to_add_and_takes_it_in_a_line(told: Story, ranker: Ranker) -> None:
    ranker.answer = nobody
    guest = visitor()
    page, path = asked_for(guest, "Hm.")
    assert "Nobody here fits this well" in page.words and cards(page) == []
    assert [line.get_text() for line in page.soup.select(".empty .bullets li")] == [
        "What should be different afterwards, and by when",
        "What happened, or what you have to decide",
    ]
    assert page.link("/experts") and page.link(f"{path}?edit=1")
    ranker.answer = fits
    token = page.form(path)["form_token"]
    page = guest.follow(guest.post(path, {"form_token": token, "line": f" {LINE} "}))
    assert ranker.asked[-1].text == f"Hm.\n\n{LINE}"
    assert cards(page)[0] == "Dana Whitfield"
    [(text,)] = told.rows("select text from briefs where id = %(id)s", id=path.rpartition("/")[2])
    assert text == f"Hm.\n\n{LINE}", "the answer is part of the brief"


@pytest.mark.parametrize(
    ("question", "answer", "field", "chosen"),
    [
        (Question("role", "Whom do you look for?", ("CIO", "CTO")), "CTO", "role", "CTO"),
        (Question("stage", "How large are you?", ("growing", "large")), "large", "stage", "large"),
        (Question("urgency", "By when?", ("now", "week")), "now", "urgency", "now"),
        (Question("industry", "What do you do?", ("Banking", "Insurance")), "Insurance", "industry", "Insurance"),
        (
            Question("topics", "Is it about …?", ("Privacy", "Recovery")),
            "Privacy", "topics", ("Cyber insurance", "Recovery", "Privacy"),
        ),
    ],
)  # fmt: skip
def test_a_question_is_answered_with_one_tap(
    told: Story, ranker: Ranker, question: Question, answer: str, field: str, chosen: object
) -> None:
    ranker.answer = asking(question)
    guest = visitor()
    page, path = asked_for(guest)
    form = page.soup.select_one("form#questions")
    assert form is not None and question.text in form.get_text()
    buttons = form.select("button[name]")
    assert [str(button["value"]) for button in buttons] == list(question.options)
    answered = {str(one["name"]): str(one.get("value", "")) for one in form.select("input")} | {str(buttons[0]["name"]): answer}
    guest.follow(guest.post(path, answered))
    assert getattr(ranker.asked[-1], field) == chosen
    assert ranker.asked[-1].text == BRIEF


def test_a_question_is_answered_in_a_line_and_what_was_chosen_stays(told: Story, ranker: Ranker) -> None:
    ranker.answer = asking(Question("topics", "What is it about?"), Question("role", "Whom do you look for?", ("CIO", "CTO")))
    guest = visitor()
    page, path = asked_for(guest)
    assert [group.get_text() for group in page.soup.select("form#questions b")] == ["What is it about?", "Whom do you look for?"]
    page = guest.follow(guest.post(path, sent(page, path, topic=["Recovery"], unwanted=[])))
    token = {"form_token": page.form(path)["form_token"]}
    guest.follow(guest.post(path, token | {"line": LINE, "answer-role": "CTO"}))
    assert ranker.asked[-1].text == f"{BRIEF}\n\n{LINE}", (
        "a line that was typed goes before the first button, which Enter presses"
    )
    assert ranker.asked[-1].role is None
    assert (ranker.asked[-1].topics, ranker.asked[-1].unwanted) == (("Recovery",), ())


def test_an_answer_that_was_not_offered_is_refused_beside_the_question(told: Story, ranker: Ranker) -> None:
    ranker.answer = asking(Question("role", "Whom do you look for?", ("CIO", "CTO")))
    guest = visitor()
    page, path = asked_for(guest)
    before = len(ranker.asked)
    token = {"form_token": page.form(path)["form_token"], "line": " "}
    for odd in ({"answer-role": "CISO"}, {"answer-zone": "CIO"}, {"answer-text": "x"}, {}):
        refused = guest.post(path, token | odd)
        assert refused.status == 422, odd
        assert "Please choose one of the answers" in refused.words
        assert refused.soup.select_one("#questions-line")["aria-invalid"] == "true"  # type: ignore[index]
    too_long = guest.post(path, token | {"line": "x" * 9_000})
    assert too_long.status == 422 and "Please shorten this" in too_long.words
    assert len(str(too_long.soup.select_one("#questions-line")["value"])) == 9_000, "nothing typed is lost"  # type: ignore[index]
    assert len(ranker.asked) == before
    stranger = visitor()
    assert stranger.post(path, {"form_token": stranger.get("/").form("/briefs")["form_token"], "line": LINE}).status == 404
    scripted = guest.post(path, token | {"line": LINE}, **{"HX-Request": "true"})
    answer = part(guest, scripted.location, trigger="questions")
    assert answer.soup.select_one("form#understood[hx-swap-oob]"), "the answer is part of what was understood"


# Who was seen ---------------------------------------------------------------------------------------------------------


def impressions(told: Story, path: str) -> list[tuple[Any, ...]]:
    """(expert, ranking, place, opened, chosen) of a brief."""
    names = {partner_id: name for name, partner_id in told.partners.items()}
    found = told.rows(
        "select partner_id, ranking, place, opened_at is not null, chosen_at is not null from impressions where brief_id = %(b)s"
        " order by ranking, place",
        b=path.rpartition("/")[2],
    )
    return [(names[row[0]], *row[1:]) for row in found]


def test_who_is_shown_opened_and_chosen_is_counted_once(told: Story) -> None:
    guest = visitor()
    page, path = asked_for(guest)
    for again in (path, path, f"{path}?slots=1", f"{path}?sort=price", f"{path}?edit=1"):
        guest.get(again)
    assert impressions(told, path) == [("dana", 2, 1, False, False), ("ines", 2, 2, False, False), ("kofi", 2, 3, False, False)]
    link = page.link(f"/experts/{told.partners['ines']}?brief=")
    for _again in range(2):
        guest.get(link)
    assert visitor().get(link).status == 404
    assert visitor().get(path).status == 404
    assert impressions(told, path)[1] == ("ines", 2, 2, True, False)
    kinds = "select type from events where type like 'impression.%%' and data ->> 'brief_id' = %(b)s order by version"
    assert [kind for (kind,) in told.rows(kinds, b=path.rpartition("/")[2])] == ["impression.shown", "impression.opened"]

    page = guest.follow(guest.post(path, sent(page, path, role="CTO")))
    assert [row[:3] for row in impressions(told, path)][3:] == [("dana", 4, 1), ("ines", 4, 2), ("kofi", 4, 3)]
    brief_id, partner_id = path.rpartition("/")[2], told.partners["ines"]
    hold(told, brief_id, "ines")
    assert [row for row in impressions(told, path) if row[4]] == [("ines", 4, 2, False, True)]
    [(ranker, columns)] = told.rows(
        "select min(ranker), (select array_agg(column_name::text order by ordinal_position) from information_schema.columns"
        " where table_name = 'impressions') from impressions where brief_id = %(b)s and partner_id = %(p)s",
        b=brief_id, p=partner_id,
    )  # fmt: skip
    assert ranker == "told 1"
    assert columns == ["tenant_id", "brief_id", "ranking", "partner_id", "ranker", "place", "shown_at", "opened_at", "chosen_at"]


def hold(told: Story, brief_id: str, partner: str) -> None:
    """Sarah holds a time with this brief, as its button does."""
    wanted = consultations.Hold(new_id(), told.partners[partner], told.ahead(timedelta(days=4)), brief_id=UUID(brief_id))
    told.run(told.client, consultations.hold, told.config, wanted, minutes=10)


def test_a_filter_counts_whom_it_lets_through_and_the_others_once_they_come_into_view(told: Story) -> None:
    guest = visitor()
    filtered = guest.submit(guest.get("/"), "/briefs", problem=BRIEF)
    path = filtered.location
    guest.get(f"{path}?speaks=Portuguese")
    assert impressions(told, path) == [("ines", 2, 1, False, False)]
    guest.get(path)
    assert [row[:3] for row in impressions(told, path)] == [("ines", 2, 1), ("dana", 2, 1), ("kofi", 2, 3)]


def test_where_nobody_fits_nobody_was_seen(told: Story, ranker: Ranker) -> None:
    ranker.answer = nobody
    _page, path = asked_for(visitor(), "Hm.")
    assert impressions(told, path) == []


def test_impressions_stay_within_their_tenant(told: Story) -> None:
    _page, path = asked_for(visitor())
    other = add_tenant("elsewhere", "Elsewhere", 70_000, [told.partners["dana"]])
    with transaction(tenant_scope(other.id)) as connection:
        assert execute(connection, "select 1 from impressions").all() == []
    assert impressions(told, path)
