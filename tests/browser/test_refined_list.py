"""A better list in a browser: in time and untouched it takes the place of the first; later, or once touched, it is offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from fxo.embedded.processes import free_port
from fxo.plugins import matching_openai
from fxo.settings import Settings
from tests.browser.judge import Judge
from tests.conftest import Databases
from tests.emulators import openai as company
from tests.emulators.openai import KEY, Model
from tests.support.chromium import DESKTOP, PHONE, Person
from tests.support.processes import Processes
from tests.support.story import story
from tests.web.test_refined_list import WORDS, last_first

pytestmark = pytest.mark.browser

PROOF = "This is close to what you describe"


@dataclass(frozen=True)
class Served:
    """What a person needs to know of a platform that is served."""

    settings: Settings


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with company.running() as made:
        yield made


@pytest.fixture(scope="module")
def served(databases: Databases, model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The platform as `fxo serve` runs it, with a tenant whose lists a model refines."""
    folder: Path = tmp_path_factory.mktemp("served")
    with story(databases, matching_openai, demo=False, port=free_port(), web_processes=1) as told:
        told.reconfigured(providers={"matching": ["matching_openai"]}, api_key=KEY, base_url=model.url)
        with Processes(told.settings, folder) as children:
            children.web()
            yield Served(told.settings)
            assert children.errors("web") == []


@pytest.fixture
def arrive(browser: Browser, served: Served, model: Model) -> Iterator[Callable[..., Person]]:
    vars(model).update(seconds=0.0, answer=last_first, always=None)
    model.requests.clear()
    people: list[Person] = []

    def come(**device: Any) -> Person:
        people.append(Person(browser, served, "fortium", **device))  # type: ignore[arg-type]
        return people[-1]

    yield come
    for person in people:
        assert person.faults == []
        person.leave()


def listed(person: Person, words: str) -> Page:
    """The page with the list for these words; no two tests ask the same, since answers are kept."""
    page = person.go("/")
    page.get_by_label("What are you facing?").fill(f"{WORDS} {words}")
    person.press("Show my experts")
    expect(page.locator("article.partner-card").first).to_be_visible(timeout=60_000)
    return page


def test_a_quick_answer_takes_the_place_of_a_list_that_nobody_has_touched(arrive: Callable[..., Person], model: Model) -> None:
    model.seconds = 0.4
    page = listed(arrive(**DESKTOP), "Quickly.")
    expect(page.locator(".results__list")).to_contain_text(PROOF)
    expect(page.locator("article.partner-card").first.locator("button[name=slot]").first).to_be_visible()
    expect(page.get_by_text("A refined list is ready.")).to_have_count(0)
    assert len(model.asked) == 1


def test_a_late_answer_is_offered_and_moves_nothing(arrive: Callable[..., Person], model: Model) -> None:
    model.seconds = 2.0
    page = listed(arrive(**PHONE), "Slowly.")
    before = page.locator(".partner-card__name").all_inner_texts()
    expect(page.get_by_text("A refined list is ready.")).to_be_visible()
    expect(page.get_by_text("A refined list is ready.")).to_be_in_viewport()
    assert page.locator(".partner-card__name").all_inner_texts() == before
    expect(page.locator(".results__list")).not_to_contain_text(PROOF)
    judge = Judge()
    judge.take("a better list is offered", page)
    assert judge.faults == []
    page.get_by_role("link", name="Show it").click()
    expect(page.locator(".results__list")).to_contain_text(PROOF)
    expect(page.get_by_text("A refined list is ready.")).to_have_count(0)


def test_a_list_that_somebody_has_touched_stays(arrive: Callable[..., Person], model: Model) -> None:
    model.seconds = 1.0
    page = listed(arrive(**DESKTOP), "Touched.")
    page.locator("#refined").wait_for(state="attached")
    page.locator("article.partner-card").first.locator("p").first.click()
    expect(page.get_by_text("A refined list is ready.")).to_be_visible()
    expect(page.locator(".results__list")).not_to_contain_text(PROOF)


def test_a_model_that_fails_is_not_noticed(arrive: Callable[..., Person], model: Model) -> None:
    model.always = (500, {}, "server_error")
    person = arrive(**DESKTOP)
    with person.page.expect_response(lambda answer: answer.url.endswith("/refine")) as answered:
        page = listed(person, "Failing.")
    assert answered.value.status == 204
    expect(page.get_by_text("A refined list is ready.")).to_have_count(0)
    expect(page.locator(".toast")).to_have_count(0)


def test_without_javascript_there_is_the_local_list(arrive: Callable[..., Person], model: Model) -> None:
    page = listed(arrive(**DESKTOP, java_script_enabled=False), "Plainly.")
    expect(page.locator("article.partner-card").first.locator("button[name=slot]").first).to_be_visible()
    assert not model.requests
