"""The second request of a shortlist: a script asks for a better list; without scripts, or a better one, nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fxo.plugins import matching_openai
from fxo.plugins.matching_local.provider import warm
from tests.conftest import Databases
from tests.emulators import openai as company
from tests.emulators.openai import KEY, Model
from tests.support.browser import Page, Person
from tests.support.flow import shortlist
from tests.support.story import Story, story
from tests.web.test_finding_pages import cards, part, visitor, with_scripts

WORDS = "We grow from 40 to 90 engineers and must move our platform to the cloud this year. Ransomware worries us, too."


@pytest.fixture(scope="module")
def told(databases: Databases) -> Iterator[Story]:
    warm()
    with story(databases, matching_openai, demo=False) as made:
        yield made


@pytest.fixture
def model(told: Story) -> Iterator[Model]:
    with company.running() as made:
        told.reconfigured(
            providers={"matching": ["matching_openai"]}, api_key=KEY, base_url=made.url, seconds=2.0, monthly_budget="5"
        )
        yield made


def list_with_times(person: Person, page: Page) -> Page:
    (results,) = page.soup.select("#results")
    return part(person, str(results["hx-get"]), "results")


def asked(person: Person, page: Page) -> Page:
    """What the script gets for its question."""
    (form,) = page.soup.select("form[data-refined]")
    fields = {str(field["name"]): str(field["value"]) for field in form.select("input")}
    return person.post(str(form["hx-post"]), fields, **{"HX-Request": "true", "HX-Trigger": "refined"})


def last_first(data: Any, schema: Any) -> Any:
    """A model that sees it the other way round, with proofs."""
    made = company.honest(data)
    order = made["candidates"][::-1]
    for fit, one in zip((95, 40, 5), order, strict=False):
        one["fit"] = fit
    return made | {"candidates": order}


def test_a_script_gets_the_local_list_first_and_is_then_offered_a_better_one(told: Story, model: Model) -> None:
    model.answer = last_first
    person = with_scripts(visitor())
    page = shortlist(person, WORDS)
    assert not model.requests and cards(page)
    listed = list_with_times(person, page)
    offer = asked(person, listed)
    assert offer.status == 200 and "A refined list is ready." in offer.words
    (link,) = offer.soup.select("a")
    assert str(link["href"]).startswith("/briefs/")
    better = part(person, str(link["hx-get"]))
    assert "This is close to what you describe" in better.words
    assert "A language model has read it, too" in better.words and "A language model" not in listed.words
    assert not better.soup.select("form[data-refined]"), "a refined list is not refined again"
    assert better.soup.select("#understood") and better.soup.select("#words-body"), "what was understood comes with it"
    assert cards(person.get(str(link["href"]))) == cards(better)


def test_the_offer_keeps_filters(told: Story, model: Model) -> None:
    person = with_scripts(visitor())
    path = shortlist(person, WORDS).action("/briefs/")
    listed = list_with_times(person, person.get(f"{path}?sort=price"))
    if not listed.soup.select("form[data-refined]"):
        listed = person.get(f"{path}?sort=price&slots=1")
    (link,) = asked(person, listed).soup.select("a")
    assert link["href"] == f"{path}?sort=price"


def test_without_scripts_the_local_list_is_the_list(told: Story, model: Model) -> None:
    page = shortlist(visitor(), WORDS)
    assert cards(page) and not page.soup.select("form[data-refined]")
    assert not model.requests


@pytest.mark.parametrize(
    "failure", [(500, {}, "server_error"), (401, {}, "invalid_api_key"), (429, {"Retry-After": "9"}, "rate")]
)
def test_a_model_that_fails_changes_nothing_on_the_page(
    told: Story, model: Model, failure: tuple[int, dict[str, str], str]
) -> None:
    model.always = failure
    person = with_scripts(visitor())
    page = shortlist(person, WORDS)
    before = cards(page)
    answer = asked(person, list_with_times(person, page))
    assert (answer.status, answer.text) == (204, "")
    assert cards(person.get(page.action("/briefs/"))) == before


def test_a_lying_model_brings_no_stranger_and_no_false_quote(told: Story, model: Model) -> None:
    lie = {"says": "You get this", "field": "cases", "quote": "Saved the whole planet."}
    model.answer = lambda data, schema: company.answer(
        [
            {"partner": "p77", "fit": 100, "reasons": [lie]},
            *({"partner": one["key"], "fit": 100, "reasons": [lie]} for one in data["candidates"]),
        ]
    )
    person = with_scripts(visitor())
    page = shortlist(person, WORDS)
    asked(person, list_with_times(person, page))
    after = person.get(page.action("/briefs/"))
    assert set(cards(after)) <= set(cards(page)) | {"Dana Whitfield", "Inês Carvalho", "Kofi Mensah"}
    assert "planet" not in after.words


def test_somebody_else_s_brief_is_not_found(told: Story, model: Model) -> None:
    person, stranger = with_scripts(visitor()), with_scripts(visitor())
    listed = list_with_times(person, shortlist(person, WORDS))
    (form,) = listed.soup.select("form[data-refined]")
    fields = stranger.get("/").form("/briefs")
    assert stranger.post(str(form["hx-post"]), {"form_token": fields["form_token"]}).status == 404
    assert not model.requests


def test_nothing_is_asked_without_a_token_of_the_page(told: Story, model: Model) -> None:
    person = with_scripts(visitor())
    listed = list_with_times(person, shortlist(person, WORDS))
    (form,) = listed.soup.select("form[data-refined]")
    assert person.post(str(form["hx-post"]), {}).status >= 400
    assert not model.requests


def test_people_are_told_that_a_service_outside_reads_their_briefs(told: Story, model: Model) -> None:
    assert "is read by the matching service that ranks the experts" in visitor().get("/").words
    assert "the service outside that ranks the experts of this portal" in visitor().get("/privacy").words


def test_a_model_that_is_set_up_wrongly_breaks_no_page(told: Story) -> None:
    told.reconfigured(providers={"matching": ["matching_openai"]}, base_url="nowhere")
    person = with_scripts(visitor())
    page = shortlist(person, WORDS)
    assert cards(page) and person.get("/privacy").status == 200
    assert not list_with_times(person, page).soup.select("form[data-refined]")
