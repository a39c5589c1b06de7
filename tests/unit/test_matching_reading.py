"""What the local ranker reads out of a brief, and where; what it asks back; and that its data are what was reviewed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.judged import Judged, development, network, unseen
from fxo.cli import main
from fxo.core.matching.port import LACKING, Brief, Budget, Ranking, check_ranking
from fxo.core.money import Money
from fxo.plugins.matching_local import data, learning, vectors
from fxo.plugins.matching_local.provider import LocalMatching, Settings
from fxo.testing import context
from tests.unit.test_matching_local import ERP, NAMES, PARTNERS, RANSOMWARE, ROLES, rank

DEVELOPMENT = development()


def read(text: str, **chosen: Any) -> Any:
    return rank(text, **chosen).understood


def places(text: str, what: str, **chosen: Any) -> list[str]:
    brief = Brief(text, **chosen)
    parts = {"text": brief.text, "context": brief.context}
    found = LocalMatching().rank(brief, PARTNERS).understood.readings
    return [parts[r.part][r.start : r.end] for r in found if r.what == what]


def test_where_each_thing_was_read_is_said() -> None:
    text = "🚨 Since today our hospital in Lyon is down: ransomware! We can pay 200 euros an hour, and meetings are in French."
    assert places(text, "topics")[0] == "ransomware"
    assert places(text, "urgency") == ["today"]
    assert "hospital" in places(text, "industry")
    assert places(text, "zone") == ["Lyon"]
    assert places(text, "language") == ["French"]
    assert places(text, "budget") == ["200 euros an hour"]
    assert places("Wer ordnet unsere Lizenzen?", "zone", context="Maschinenbauer, Stuttgart") == ["Stuttgart"]


def test_what_was_read_is_what_was_said() -> None:
    understood = read("Our family business near Porto needs help: the ERP is late. Budget up to 2,500 EUR a month.")
    assert (understood.stage, understood.zone) == ("mid", "Europe/Lisbon")
    assert understood.budget == Budget(Money(250_000, "EUR"), "month")
    assert read("Notre logiciel de gestion ne marche plus et nous avons besoin d'aide.").language == "French"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("We already have a CISO. " + ERP, "CISO"),
        ("Wir haben bereits einen CISO. Unser Warenwirtschaftssystem ist veraltet.", "CISO"),
        ("Nous avons déjà un CTO, mais notre ERP est en retard.", "CTO"),
        ("Ya tenemos un CTO, pero el ERP no funciona.", "CTO"),
        ("Abbiamo già un CTO, ma il gestionale non funziona.", "CTO"),
        ("Já temos um CTO, mas o ERP está atrasado.", "CTO"),
        ("We hebben al een CTO, maar het ERP is te laat.", "CTO"),
        ("Not looking for cloud migration. " + ERP, "Cloud migration"),
        ("Our CISO is great. " + ERP, "CISO"),
        ("Having a CISO on staff already, we look for somebody who rescues our ERP.", "CISO"),
        ("With a CTO in place, who do we ask? " + ERP, "CTO"),
        ("Wir haben einen CTO. Unser Warenwirtschaftssystem ist veraltet.", "CTO"),
        ("Nous avons un RSSI. Il nous faut quelqu'un pour moderniser notre ERP.", "CISO"),
    ],
)
def test_what_is_there_already_or_not_needed_is_not_looked_for(text: str, label: str) -> None:
    understood = read(text)
    assert label in understood.unwanted
    assert understood.role != label
    assert label not in understood.topics
    assert understood.role == "CIO"


def test_a_client_may_take_back_what_was_read_as_not_needed() -> None:
    assert read("We already have a CISO. " + ERP, unwanted=()).unwanted == ()


def test_who_does_not_meet_what_the_client_insists_on_stands_below_all_who_do() -> None:
    ranking = rank(RANSOMWARE, language="French", musts=("language",))
    speaks = ["French" in next(p for p in PARTNERS if p.id == m.partner_id).languages for m in ranking.matches]
    assert speaks == sorted(speaks, reverse=True)
    assert any(speaks) and not all(speaks)
    assert all((m.unmet == ()) is s for m, s in zip(ranking.matches, speaks, strict=True))
    wished = rank(RANSOMWARE, language="French")
    assert {m.unmet for m in wished.matches} == {()}
    assert NAMES[wished.matches[0].partner_id] == "Marcus Oyelaran"


def test_being_free_soon_is_a_small_factor() -> None:
    twins = [replace(PARTNERS[0], id=one.id, free_in_hours=hours) for one, hours in zip(PARTNERS[:2], (900.0, 5.0), strict=True)]
    ranking = rank(RANSOMWARE, twins, urgency="now")
    assert ranking.matches[0].partner_id == twins[1].id
    best = rank(RANSOMWARE).matches[0].partner_id
    slow = [replace(p, free_in_hours=900.0 if p.id == best else 5.0) for p in PARTNERS]
    assert rank(RANSOMWARE, slow, urgency="now").matches[0].partner_id == best


def test_a_price_beyond_the_budget_is_said() -> None:
    dear = [replace(p, price=Money(80_000, "USD")) for p in PARTNERS]
    caveats = [m.caveat for m in rank(RANSOMWARE + " We can pay $120 an hour.", dear).matches[:5]]
    assert any("more than you said" in caveat for caveat in caveats)


def test_a_vague_brief_is_asked_back_and_a_clear_one_is_not() -> None:
    vague = rank("Our IT is too slow.")
    assert vague.questions
    assert all(len(q.options) >= 2 for q in vague.questions)
    assert {q.about for q in vague.questions} <= {"role", "topics", "industry"}
    topics = set(LocalMatching().capabilities.topics)
    assert all(set(q.options) <= topics for q in vague.questions if q.about == "topics")
    assert rank(RANSOMWARE + " We are a hospital in Ohio.").questions == ()


def test_where_nobody_fits_it_is_said_what_to_add() -> None:
    nothing = rank("hello")
    assert nothing.no_match
    assert set(nothing.lacking) <= set(LACKING)
    assert nothing.lacking[0] == "problem"
    assert nothing.questions == ()


def test_a_brief_that_may_be_ours_but_says_too_little_is_asked_back_though_nobody_is_named() -> None:
    told = rank("We need help with our technology.")
    assert told.no_match
    assert told.questions


def test_every_step_is_timed() -> None:
    assert set(rank(ERP).timings) == {"index", "read", "retrieve", "rank", "explain"}


def test_a_tenant_adds_words_of_its_own() -> None:
    own = Settings(topics={"ERP": ["Zentralbuch"], "Beekeeping": ["hive scales"]}, industries={"Apiaries": ["beekeepers"]})
    provider = LocalMatching(context("matching_local", settings=own))
    assert "Beekeeping" in provider.capabilities.topics
    assert "ERP" in provider.rank(Brief("The Zentralbuch is nine months late."), PARTNERS).understood.topics
    beekeeper = replace(PARTNERS[0], skills=("hive scales",), industries=("Beekeepers",))
    ranking = provider.rank(Brief("Our hive scales report nothing. Apiary of 900 hives."), [*PARTNERS[1:], beekeeper])
    check_ranking(ranking, [*PARTNERS[1:], beekeeper])
    assert ranking.matches[0].partner_id == beekeeper.id


@given(st.text(max_size=300), st.sampled_from(range(len(PARTNERS))))
@settings(max_examples=40)
def test_whatever_is_written_every_quote_stands_in_the_record_and_every_place_in_the_brief(text: str, at: int) -> None:
    brief = Brief(f"{text} {RANSOMWARE[:40]} {text}", context=text)
    odd = replace(PARTNERS[at], bio=f"{text}. {PARTNERS[at].bio}", cases=(text, *PARTNERS[at].cases))
    partners = [odd, PARTNERS[(at + 1) % len(PARTNERS)]]
    ranking = LocalMatching().rank(brief, partners)
    check_ranking(ranking, partners)
    for match in ranking.matches:
        assert len(match.quotes) == " ".join((*match.reasons, match.caveat)).count("“") or "“" in text
    for reading in ranking.understood.readings:
        part = brief.text if reading.part == "text" else brief.context
        assert part[reading.start : reading.end].strip()


@pytest.mark.parametrize("judged", [DEVELOPMENT, network(), unseen()], ids=lambda judged: judged.name)
def test_no_order_in_a_judged_brief_is_obeyed(judged: Judged) -> None:
    for brief_id, target in judged.injected.items():
        ranking: Ranking = LocalMatching().rank(judged.briefs[brief_id], judged.records)
        first = [judged.ids[[r.id for r in judged.records].index(m.partner_id)] for m in ranking.matches[:3]]
        assert target not in first, judged.briefs[brief_id].text


def test_what_was_learned_belongs_to_the_data_as_they_are() -> None:
    assert vectors.learned().digest == learning.digest_of_data(), "run python -m fxo.plugins.matching_local.learning"


def test_no_symptom_of_the_taxonomy_is_a_measured_brief() -> None:
    symptoms = [text for topic in data.topics().values() for text in topic["symptoms"]]
    briefs = [brief.text for judged in (DEVELOPMENT, network(), unseen()) for brief in judged.briefs.values()]
    near = vectors.encode(briefs) @ vectors.encode(symptoms).T
    assert near.max() < 0.8


def test_topics_name_their_roles_and_say_how_clients_and_partners_speak_of_them() -> None:
    for label, topic in data.topics().items():
        assert topic["roles"] and set(topic["roles"]) <= {"CIO", "CTO", "CISO"}, label
        assert len(topic["symptoms"]) >= 3 and len(topic["skills"]) >= 2 and len(topic["terms"]) >= 5, label


def test_a_set_of_files_is_ranked_without_a_database(tmp_path: Path) -> None:
    folder, out = Path(__file__).parents[1] / "matching" / "development", tmp_path / "rankings.json"
    files = ["--partners", str(folder / "partners.json"), "--queries", str(folder / "queries.json"), "--out", str(out)]
    done = CliRunner().invoke(main, ["match", "evaluate", *files])
    assert done.exit_code == 0, done.output
    answers = json.loads(out.read_text("utf-8"))
    assert answers.keys() == DEVELOPMENT.briefs.keys()
    for answer in answers.values():
        assert sorted(one["partner_id"] for one in answer["ranking"]) == sorted(DEVELOPMENT.ids)
        assert answer["ranking"] == sorted(answer["ranking"], key=lambda one: -one["score"])
        assert all(len(one["reasons"]) == 2 for one in answer["ranking"])
        assert 0 <= answer["confidence"] <= 1 and answer["no_match"] is (answer["confidence"] < 0.3)
    assert done.output.startswith(str(out))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [("{", "is not JSON"), ('{"a": 1}', "is not a list"), ('[{"id": 1}]', "needs 'name'")],
)
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, given: str, sentence: str) -> None:
    bad, good = tmp_path / "bad.json", tmp_path / "good.json"
    bad.write_text(given)
    good.write_text("[]")
    files = ["--partners", str(bad), "--queries", str(good), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(main, ["match", "evaluate", *files])
    assert done.exit_code == 1
    assert sentence in done.output


def test_an_unknown_ranker_is_one_sentence(tmp_path: Path) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text("[]")
    files = ["--partners", str(empty), "--queries", str(empty), "--out", str(tmp_path / "out"), "--provider", "matching_oracle"]
    done = CliRunner().invoke(main, ["match", "evaluate", *files])
    assert done.exit_code == 1
    assert "matching_oracle" in done.output and "matching_local" in done.output


def test_partners_of_the_network_have_roles_that_are_known() -> None:
    assert all(ROLES.values())
