"""The judged briefs over the demo's network: well formed, and wide enough to measure a matcher on."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

from fxo.core.partners.importing import read

FOLDER = Path(__file__).parents[1] / "matching"


def judged(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


BRIEFS, GRADES, TARGETS = judged("briefs"), judged("judgements"), judged("injection_targets")
PARTNERS = {partner.id for partner in read(files("fxo.demo").joinpath("network.json").read_bytes(), "network.json")}
KINDS = {
    *("symptom", "jargon", "typo", "negation", "misleading", "constraint", "urgent", "stage", "multi-need", "vague"),
    *("offtopic", "nonsense", "injection", "short", "long", "multilingual"),
}


def test_every_brief_is_judged_once_with_a_reason() -> None:
    ids = [brief["id"] for brief in BRIEFS]
    assert len(ids) == len(set(ids)) >= 66
    assert set(GRADES) == set(ids)
    assert len({brief["text"] for brief in BRIEFS}) == len(ids)
    assert all(brief["text"].strip() and brief["why"].endswith(".") for brief in BRIEFS)


def test_judgements_name_partners_of_the_network_with_grades_from_one_to_three() -> None:
    assert {partner for grades in GRADES.values() for partner in grades} <= PARTNERS
    assert {grade for grades in GRADES.values() for grade in grades.values()} == {1, 2, 3}
    ideal = {partner for grades in GRADES.values() for partner, grade in grades.items() if grade == 3}
    assert ideal == PARTNERS, "each partner is the best answer to something"


def test_languages_and_kinds_are_many() -> None:
    languages = Counter(brief["language"] for brief in BRIEFS)
    assert all(languages[language] >= 6 for language in ("en", "de", "fr", "es", "it")) and languages["mixed"] >= 3
    kinds = Counter(tag for brief in BRIEFS for tag in brief["tags"])
    assert set(kinds) == KINDS
    assert all(("multilingual" in brief["tags"]) == (brief["language"] != "en") for brief in BRIEFS)


def test_nobody_fits_what_is_off_topic_and_somebody_everything_else() -> None:
    off = [brief for brief in BRIEFS if "offtopic" in brief["tags"]]
    assert len([brief for brief in off if "injection" not in brief["tags"]]) >= 10
    assert {brief["id"] for brief in off} == {id for id, grades in GRADES.items() if not grades}


def test_injections_name_a_partner_who_does_not_fit() -> None:
    injections = {brief["id"] for brief in BRIEFS if "injection" in brief["tags"]}
    assert len(injections) >= 4 and set(TARGETS) <= injections
    assert set(TARGETS.values()) <= PARTNERS
    assert not any(partner in GRADES[brief] for brief, partner in TARGETS.items())
