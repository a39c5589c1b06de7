"""Events have explicit names and versions, and every version ever written can still be read."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints
from uuid import UUID

import pytest

import fxo.platform  # noqa: F401  (imports every slice, and so registers every event type)
from fxo.core.events.model import EventType, Personal, event, registered, type_named, type_of

GOLDEN = Path(__file__).parent / "golden"
OURS = {name: kind for name, kind in registered().items() if kind.cls.__module__.startswith("fxo.")}
PERSON = UUID("019a7c11-4e00-7000-8000-0000000000c1")


@event(
    "unit.greeted",
    version=3,
    upcasters={
        1: lambda data: {"who": data["name"], "times": 1},
        2: lambda data: data | {"person_id": str(PERSON)},
    },
)
@dataclass(frozen=True, slots=True)
class Greeted:
    person_id: UUID
    who: Annotated[str, Personal("person_id")]
    times: int


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_event_type_has_an_example_that_reads_and_writes_the_same(name: str) -> None:
    """An example stays for ever; once its type has a newer version, `now` says what it is read as today."""
    kind, example = OURS[name], json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    assert example["version"] == 1
    value = kind.decode(example["version"], example["data"])
    assert type(value) is kind.cls
    assert kind.encode(value) == example.get("now", example["data"])
    assert ("now" in example) == (kind.version > 1)


def test_every_example_belongs_to_an_event_type() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(OURS)


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_personal_field_is_text_and_names_its_subject_in_the_same_event(name: str) -> None:
    kind = OURS[name]
    hints = get_type_hints(kind.cls)
    for field, subject in kind.personal.items():
        assert hints[field] is str
        assert hints[subject] is UUID


@pytest.mark.parametrize("name", sorted(OURS))
def test_what_looks_like_a_persons_name_address_or_words_is_marked_as_personal(name: str) -> None:
    telling = {"name", "email", "mail", "company", "text", "comment", "bio", "phone", "address"}
    marked = {"tenant.created": {"name"}}  # a tenant's name is a company's
    found = {field.name for field in fields(OURS[name].cls)} & telling
    assert found - marked.get(name, set()) == set(OURS[name].personal) & telling - marked.get(name, set())


@pytest.mark.parametrize("name", sorted(OURS))
def test_names_are_words_of_the_product_and_never_a_path(name: str) -> None:
    slice_, _, fact = name.partition(".")
    assert slice_.isidentifier() and fact.replace("_", "").isalpha() and fact.islower()


def test_an_old_version_is_read_step_by_step() -> None:
    kind = type_named("unit.greeted")
    now = Greeted(PERSON, "Sarah", 1)
    assert kind.decode(1, {"name": "Sarah"}) == now
    assert kind.decode(2, {"who": "Sarah", "times": 1}) == now
    assert kind.decode(3, kind.encode(now)) == now


def test_reading_an_old_version_leaves_the_stored_data_as_they_are() -> None:
    stored = {"who": "Sarah", "times": 1}
    type_named("unit.greeted").decode(2, stored)
    assert stored == {"who": "Sarah", "times": 1}


def test_a_value_knows_its_type_and_its_personal_fields() -> None:
    kind = type_of(Greeted(PERSON, "Sarah", 1))
    assert (kind.name, kind.version, dict(kind.personal)) == ("unit.greeted", 3, {"who": "person_id"})


def test_a_version_that_nobody_can_read_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"cannot read versions \[2\]"):
        event("unit.broken", version=3, upcasters={1: lambda data: data})(Greeted)
    assert "unit.broken" not in registered()


def test_two_events_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two events are named"):
        event("unit.greeted")(Greeted)


def test_a_name_that_the_code_does_not_know_is_an_error() -> None:
    with pytest.raises(KeyError):
        type_named("unit.unheard_of")


@pytest.mark.parametrize(
    "data",
    [{"who": "Sarah", "times": 1}, {"person_id": "nobody", "who": "Sarah", "times": 1}],
    ids=["a field is missing", "an id is none"],
)
def test_data_that_do_not_fit_are_an_error_and_never_a_half_value(data: dict[str, Any]) -> None:
    kind: EventType = type_named("unit.greeted")
    with pytest.raises(ValueError, match="validation error"):
        kind.decode(3, data)
