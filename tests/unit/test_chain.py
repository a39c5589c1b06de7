"""The hash chain: the same facts give the same hash, and any changed, missing or moved fact shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxo.core.events import chain
from fxo.core.events.model import Recorded

TENANT, STREAM, EVENT, OTHER = (UUID(int=number) for number in (1, 2, 3, 4))
NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3),
    max_leaves=8,
)


def linked(previous: bytes, item: Recorded) -> Recorded:
    digest = chain.link(
        previous, tenant_id=item.tenant_id, stream_id=item.stream_id, version=item.version, event_id=item.event_id,
        stream_type=item.stream_type, type_=item.type, schema_version=item.schema_version, recorded_at=item.recorded_at,
        meta=item.meta, data=item.data,
    )  # fmt: skip
    return replace(item, hash=digest)


def stream(count: int = 3) -> list[Recorded]:
    found, previous = [], chain.START
    for version in range(1, count + 1):
        item = Recorded(
            TENANT, STREAM, version, EVENT, "note", "note.written", 1, {"text": f"{version}"}, {"actor": "a"}, NOON, b"", None
        )
        found.append(linked(previous, item))
        previous = found[-1].hash
    return found


def changed(items: Sequence[Recorded], at: int, **values: Any) -> list[Recorded]:
    return [replace(item, **values) if item.version == at else item for item in items]


@given(json_values)
def test_the_canonical_form_does_not_depend_on_the_order_of_keys_or_a_way_through_json(value: Any) -> None:
    assert chain.canonical(_turned(value)) == chain.canonical(value)
    assert chain.canonical(orjson.loads(chain.canonical(value))) == chain.canonical(value)


def _turned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _turned(value[key]) for key in reversed(value)}
    return [_turned(each) for each in value] if isinstance(value, list) else value


def test_the_canonical_form_is_written_down() -> None:
    assert chain.canonical({"b": [1, None, True], "a": "é"}) == '{"a":"é","b":[1,null,true]}'.encode()


def test_the_hash_of_a_known_event_never_changes() -> None:
    """Whoever changes how a hash is made breaks every log that exists; this value is from the first one."""
    assert stream(1)[0].hash.hex() == "2e99f5d93fe593cc1f965a5c841d16b32cc273b071d647ef595e37fe384fa424"


def test_the_zone_in_which_a_time_is_written_changes_nothing() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))
    item = stream(1)[0]
    assert linked(chain.START, replace(item, recorded_at=there)).hash == item.hash


def test_a_sound_stream_has_no_break() -> None:
    assert chain.first_break(stream()) is None
    assert chain.first_break([]) is None


@pytest.mark.parametrize(
    "values",
    [
        {"tenant_id": OTHER},
        {"stream_id": OTHER},
        {"event_id": OTHER},
        {"stream_type": "letter"},
        {"type": "note.forged"},
        {"schema_version": 2},
        {"data": {"text": "forged"}},
        {"data": {}},
        {"meta": {"actor": "somebody else"}},
        {"recorded_at": NOON + timedelta(microseconds=1)},
        {"hash": bytes(32)},
    ],
    ids=str,
)
def test_a_change_of_anything_that_is_covered_shows_at_its_version(values: dict[str, Any]) -> None:
    assert chain.first_break(changed(stream(), 2, **values)) == 2


def test_a_forger_who_mends_the_hash_breaks_the_next_link() -> None:
    items = stream()
    forged = linked(items[0].hash, replace(items[1], data={"text": "forged"}))
    assert chain.first_break([items[0], forged, items[2]]) == 3


def test_a_missing_a_doubled_and_a_swapped_event_show() -> None:
    first, second, third = stream()
    assert chain.first_break([first, third]) == 3
    assert chain.first_break([second, third]) == 2
    assert chain.first_break([first, first, second]) == 1
    assert chain.first_break([first, third, second]) == 3
