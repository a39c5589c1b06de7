"""What providers answer is checked all the way down, and the complaint quotes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from fxo.core.ids import NETWORK
from fxo.core.plugins.answers import BrokenPromise, check_type

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAIVE = NOW.replace(tzinfo=None)
Busy = Mapping[UUID, tuple[tuple[datetime, datetime], ...]]


@dataclass(frozen=True)
class Thing:
    name: str
    score: float = 0
    at: datetime | None = None
    parts: tuple[Thing, ...] = ()


@pytest.mark.parametrize(
    ("value", "promised"),
    [
        (None, None),
        ("a", str),
        (1, float),
        ("anything", Any),
        (None, Thing | None),
        (Thing("a", at=NOW, parts=(Thing("b"),)), Thing),
        ([Thing("a")], Sequence[Thing]),
        ((), Sequence[Thing]),
        (([], "cursor"), tuple[Sequence[Thing], str]),
        ({NETWORK: ((NOW, NOW),)}, Busy),
        ({}, Busy),
        (frozenset({"a"}), frozenset[str]),
    ],
)
def test_what_is_as_promised_passes(value: object, promised: Any) -> None:
    check_type(value, promised)


@pytest.mark.parametrize(
    ("value", "promised"),
    [
        ("a", None),
        (None, str),
        (True, int),
        (True, float),
        ("1", float),
        ("a", Thing | None),
        (Thing(name=None), Thing),  # type: ignore[arg-type]
        (Thing("a", at=NAIVE), Thing),
        (Thing("a", parts=(Thing(name=7),)), Thing),  # type: ignore[arg-type]
        ("text", Sequence[str]),
        ([Thing("a"), None], Sequence[Thing]),
        (([],), tuple[Sequence[Thing], str]),
        ({"a": ()}, Busy),
        ({NETWORK: ((NOW, NAIVE),)}, Busy),
        ({NETWORK: ((NOW,),)}, Busy),
        ({NETWORK: (NOW, NOW)}, Busy),
        (iter([]), Sequence[str]),
    ],
)
def test_what_is_not_as_promised_is_refused(value: object, promised: Any) -> None:
    with pytest.raises(BrokenPromise):
        check_type(value, promised)


def test_the_complaint_names_the_place_and_quotes_nothing() -> None:
    with pytest.raises(BrokenPromise) as complaint:
        check_type([Thing("a", at="bo@acme.example")], Sequence[Thing])  # type: ignore[arg-type]
    assert str(complaint.value) == "at of an item of the answer is a str"
