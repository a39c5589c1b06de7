"""What a model leaves behind: the recorded match, kept answers and vectors, what was spent; and who stands in when it fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import flask
import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import make_url

from fxo.core.errors import NotFound
from fxo.core.ids import new_id
from fxo.core.matching import commands as matching
from fxo.core.matching import queries as briefs
from fxo.core.matching.port import Brief, PartnerRecord
from fxo.core.scope import CODE, Actor, TenantConfig, tenant_scope
from fxo.plugins import matching_openai
from fxo.plugins.matching_local.provider import LocalMatching, warm
from fxo.plugins.matching_openai.provider import OpenAIMatching
from fxo.plugins.matching_openai.retrieval import MOST, candidates
from tests.conftest import Databases
from tests.emulators import openai as company
from tests.emulators.openai import KEY, Model
from tests.support.story import Story, story

RANSOMWARE = "Our insurer wants a tested ransomware recovery plan before January. We run three plants on an old Windows domain."


@pytest.fixture(scope="module")
def told(databases: Databases) -> Iterator[Story]:
    warm()
    with story(databases, matching_openai, demo=False) as made:
        yield made


@pytest.fixture
def model() -> Iterator[Model]:
    with company.running() as made:
        yield made


@pytest.fixture(autouse=True)
def nothing_is_kept(told: Story) -> None:
    database = make_url(told.settings.database_url).database
    with psycopg.connect(told.settings.database_admin_url, dbname=database) as connection:
        for table in ("answers", "embeddings", "spending"):
            connection.execute(f"delete from plugin_matching_openai.{table}")  # type: ignore[call-overload]


def with_model(told: Story, model: Model, **settings: Any) -> TenantConfig:
    values = {"api_key": KEY, "base_url": model.url, "seconds": 2.0, **settings}
    return told.reconfigured(providers={"matching": ["matching_openai"]}, **values).config


def brief(told: Story, text: str = RANSOMWARE) -> UUID:
    wanted = matching.Submission(new_id(), text)
    told.run(told.client, matching.submit, wanted)
    return wanted.brief_id


def ranked(told: Story, config: TenantConfig, text: str = RANSOMWARE) -> UUID:
    brief_id = brief(told, text)
    matching.match(told.parts.store, told.parts.providers, told.scope, told.client, config, brief_id)
    return brief_id


def refine(told: Story, config: TenantConfig, brief_id: UUID, by: Actor | None = None) -> bool:
    return matching.refine(told.parts.store, told.parts.providers, told.scope, by or told.client, config, brief_id)


def matched(told: Story, brief_id: UUID) -> Any:
    return told.run(told.client, briefs.find, brief_id).matched


def provider(told: Story, config: TenantConfig, name: str = "matching_openai") -> OpenAIMatching:
    return OpenAIMatching(told.parts.providers.context(config, name))


def spending(told: Story) -> list[tuple[Any, ...]]:
    return told.rows("select provider, calls, tokens_in, tokens_out, micros from plugin_matching_openai.spending order by 1")


def many(told: Story, count: int = 30) -> list[PartnerRecord]:
    first = told.run(CODE, matching.records_to_rank, told.config)[0]
    return [replace(first, id=new_id(), name=f"Number {n:03}", headline=f"Field {n:03} of falconry") for n in range(count)]


def test_the_first_list_is_the_local_one_and_a_match_records_who_made_it_at_what_cost(told: Story, model: Model) -> None:
    config = with_model(told, model)
    brief_id = ranked(told, config)
    first = matched(told, brief_id)
    assert (first.provider, first.refined, first.usage) == ("matching_local", False, None)
    assert not model.requests, "the page has not waited for the model"
    assert refine(told, config, brief_id)
    better = matched(told, brief_id)
    assert (better.provider, better.refined, better.ranker) == ("matching_openai", True, "gpt-4.1-mini, shortlist 1")
    assert better.usage.model == "gpt-4.1-mini" and better.usage.prompt == "shortlist 1"
    assert better.usage.tokens_in > 0 and better.usage.tokens_out > 0 and better.usage.cost > 0
    assert better.milliseconds > 0 and {"retrieve", "model"} <= set(better.timings)
    kinds = told.rows("select type from events where stream_id = %(b)s order by version", b=brief_id)
    assert [kind for (kind,) in kinds] == ["brief.submitted", "brief.matched", "brief.matched"]


def test_a_refined_list_is_not_refined_again_and_a_correction_begins_anew(told: Story, model: Model) -> None:
    config = with_model(told, model)
    brief_id = ranked(told, config)
    assert refine(told, config, brief_id) and not refine(told, config, brief_id)
    assert len(model.asked) == 1
    assert told.run(told.client, matching.revise, matching.Revision(brief_id, role="CTO"))
    matching.match(told.parts.store, told.parts.providers, told.scope, told.client, config, brief_id)
    assert not matched(told, brief_id).refined
    assert refine(told, config, brief_id) and matched(told, brief_id).role == "CTO"


def test_only_the_author_has_a_brief_refined(told: Story, model: Model) -> None:
    config = with_model(told, model)
    brief_id = ranked(told, config)
    with pytest.raises(NotFound):
        refine(told, config, brief_id, by=told.newcomer())
    assert not model.requests


def test_what_was_revised_meanwhile_is_not_overwritten(told: Story, model: Model) -> None:
    config, app = with_model(told, model), flask.current_app._get_current_object()  # type: ignore[attr-defined]
    brief_id = ranked(told, config)

    def answer(data: Any, schema: Any) -> Any:
        with app.app_context():
            told.run(told.client, matching.revise, matching.Revision(brief_id, role="CTO"))
        return company.honest(data)

    model.answer = answer
    assert not refine(told, config, brief_id)
    assert matched(told, brief_id) is None


# Kept answers ------------------------------------------------------------------------------------------------------------


def test_the_same_brief_is_answered_from_what_is_kept_however_it_is_spaced(told: Story, model: Model) -> None:
    config = with_model(told, model)
    assert refine(told, config, ranked(told, config))
    again = ranked(told, config, RANSOMWARE.replace(" ", "  ").replace("Our", "our"))
    assert refine(told, config, again) and len(model.asked) == 1
    assert matched(told, again).usage.cost == 0


def test_kept_answers_are_sealed_with_the_words_and_go_after_a_day(told: Story, model: Model) -> None:
    config = with_model(told, model)
    refine(told, config, ranked(told, config))
    ((sealed,),) = told.rows("select sealed from plugin_matching_openai.answers")
    assert b"partner" not in bytes(sealed) and b"ransomware" not in bytes(sealed)
    told.rows("update plugin_matching_openai.answers set made_at = made_at - interval '25 hours' returning 1")
    refine(told, config, ranked(told, config))
    assert len(model.asked) == 2
    assert told.rows("select count(*) from plugin_matching_openai.answers") == [(1,)]


def test_a_changed_profile_is_asked_about_anew(told: Story, model: Model) -> None:
    config = with_model(told, model)
    refine(told, config, ranked(told, config))
    told.rows("update partners set headline = headline || ' today' where id = %(p)s returning 1", p=told.partners["dana"])
    refine(told, config, ranked(told, config))
    assert len(model.asked) == 2


# Money -------------------------------------------------------------------------------------------------------------------


def test_what_is_spent_is_counted_by_month_and_instance(told: Story, model: Model) -> None:
    config = with_model(told, model)
    brief_id = ranked(told, config)
    refine(told, config, brief_id)
    usage = matched(told, brief_id).usage
    assert spending(told) == [("matching_openai", 1, usage.tokens_in, usage.tokens_out, usage.cost)]


def test_a_failure_costs_nothing_and_an_answer_that_nobody_waited_for_what_it_may(told: Story, model: Model) -> None:
    model.always = (500, {}, "server_error")
    config = with_model(told, model)
    assert not refine(told, config, ranked(told, config))
    assert [row[4] for row in spending(told)] == [0]
    model.always, model.seconds = None, 1.0
    config = with_model(told, model, seconds=0.2)
    assert not refine(told, config, ranked(told, config))
    assert [row[4] > 0 for row in spending(told)] == [True]


def test_once_the_budget_is_used_up_the_local_list_stands(told: Story, model: Model) -> None:
    config = with_model(told, model, monthly_budget="0.004")
    brief_id = ranked(told, config)
    assert refine(told, config, brief_id)
    told.rows("update plugin_matching_openai.spending set micros = 3999 returning 1")
    other = ranked(told, config, f"{RANSOMWARE} Soon.")
    assert not refine(told, config, other) and matched(told, other).provider == "matching_local"
    assert len(model.asked) == 1
    assert told.parts.providers.free(config, "matching", "matching_openai"), "that is no failure of the company"


# Vectors -----------------------------------------------------------------------------------------------------------------


def embedded(model: Model) -> list[int]:
    """How many texts were sent in each question for vectors."""
    return [len(body["input"]) for path, body in model.requests if path == "/v1/embeddings"]


def test_vectors_of_a_roster_are_made_once_and_anew_with_a_profile(told: Story, model: Model) -> None:
    ranker, roster = provider(told, with_model(told, model)), many(told)
    asked = Brief("Somebody for field 027 of falconry, with ransomware.")
    ranker.rank(asked, roster)
    assert embedded(model) == [31]
    assert told.rows("select count(*) from plugin_matching_openai.embeddings") == [(30,)]
    ranker.rank(asked, roster)
    assert embedded(model)[1:] == [1]
    changed = [replace(roster[0], headline="Something else"), *roster[1:]]
    ranker.rank(asked, changed)
    assert embedded(model)[2:] == [2]
    assert told.rows("select count(*) from plugin_matching_openai.embeddings") == [(30,)]


def test_without_vectors_the_local_ranker_finds_the_candidates_alone(told: Story, model: Model) -> None:
    model.embeds = False
    ranking = provider(told, with_model(told, model)).rank(Brief(RANSOMWARE), many(told))
    assert ranking.usage is not None and len(ranking.matches) == 30


def test_vectors_bring_somebody_before_the_model_whom_the_local_ranker_has_not(told: Story, model: Model) -> None:
    roster = many(told)
    ranking = LocalMatching().rank(Brief(RANSOMWARE), roster)
    last = ranking.matches[-1].partner_id
    assert last not in {record.id for record in candidates(ranking, roster, {})}
    found = candidates(ranking, roster, {last: 0.9, **{match.partner_id: 0.1 for match in ranking.matches[:-1]}})
    assert last in {record.id for record in found} and len(found) == MOST


# Who stands in -----------------------------------------------------------------------------------------------------------


def test_a_second_company_is_asked_where_the_first_fails(told: Story, model: Model) -> None:
    with company.running() as second:
        model.always = (500, {}, "server_error")
        values = [
            ("matching_openai", {"api_key": KEY, "base_url": model.url}),
            ("matching_openai:second", {"api_key": KEY, "base_url": second.url, "model": "gpt-4o-mini"}),
        ]
        config = chosen(told, values)
        brief_id = ranked(told, config)
        assert refine(told, config, brief_id)
        better = matched(told, brief_id)
        assert (better.provider, better.usage.model) == ("matching_openai:second", "gpt-4o-mini")
        assert (len(model.asked), len(second.asked)) == (1, 1)
        assert [row[0] for row in spending(told) if row[4]] == ["matching_openai:second"]


def chosen(told: Story, values: Sequence[tuple[str, dict[str, Any]]]) -> TenantConfig:
    providers = {"matching": [{"name": name, "settings": settings} for name, settings in values]}
    told.rows("update tenants set providers = %(p)s where id = %(t)s returning 1", p=Jsonb(providers), t=told.config.id)
    return told.parts.records.by_slug(told.config.slug)


def test_a_company_that_fails_again_and_again_is_left_alone(told: Story, model: Model) -> None:
    model.always = (503, {}, "overloaded")
    config = with_model(told, model)
    for number in range(7):
        assert not refine(told, config, ranked(told, config, f"{RANSOMWARE} {number}."))
    assert len(model.asked) == 5
    assert told.parts.providers.resting(config, "matching", "matching_openai")
    last = ranked(told, config)
    assert matched(told, last).shortlist, "the local ranking is as quick as ever"


def test_one_that_cannot_even_be_made_hinders_nobody(told: Story) -> None:
    config = chosen(told, [("matching_openai", {"base_url": "ftp://nowhere"}), ("matching_nobody", {})])
    brief_id = ranked(told, config)
    assert matched(told, brief_id).provider == "matching_local"
    assert not refine(told, config, brief_id)


def test_tenants_see_nothing_of_each_other(told: Story, model: Model) -> None:
    config = with_model(told, model)
    refine(told, config, ranked(told, config))
    with told.parts.store.transaction(tenant_scope(new_id()), CODE) as tx:
        for table in ("answers", "embeddings", "spending"):
            assert tx.driver.execute(f"select count(*) from plugin_matching_openai.{table}").fetchone() == (0,)
