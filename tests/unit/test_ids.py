"""Identifiers: new ones rise and are unique across threads, derived ones exist once, and text spells an id or it does not."""

from __future__ import annotations

import threading
import time
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxo.core.ids import NETWORK, derived_id, new_id, parse_id


def test_a_new_id_is_a_version_7_uuid_of_this_moment() -> None:
    before = time.time_ns() // 1_000_000
    found = new_id()
    after = time.time_ns() // 1_000_000
    assert (found.version, found.variant) == (7, RFC_4122)
    # A burst of ids may run ahead of the clock by one tick (a quarter of a microsecond) each.
    assert before <= found.int >> 80 <= after + 1


def test_new_ids_rise() -> None:
    found = [new_id() for _ in range(5_000)]
    assert found == sorted(found)
    assert [str(each) for each in found] == sorted(str(each) for each in found)
    assert len(set(found)) == len(found)


def test_new_ids_of_many_threads_are_unique_and_rise_in_each() -> None:
    made: list[list[UUID]] = [[] for _ in range(8)]

    def make(into: list[UUID]) -> None:
        into.extend(new_id() for _ in range(1_000))

    threads = [threading.Thread(target=make, args=(into,)) for into in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(each == sorted(each) for each in made)
    assert len({found for each in made for found in each}) == 8_000


@given(st.uuids(), st.text(), st.text())
def test_a_derived_id_is_the_same_for_the_same_parts_and_another_for_others(namespace: UUID, kind: str, key: str) -> None:
    found = derived_id(namespace, kind, key)
    assert found == derived_id(namespace, kind, key)
    assert found not in (derived_id(namespace, kind, key + "."), derived_id(namespace, "." + kind, key), namespace)


@given(st.uuids())
def test_every_id_is_read_back_from_its_text(found: UUID) -> None:
    assert parse_id(str(found)) == found


@pytest.mark.parametrize("text", ["", "1", "dana", str(NETWORK)[:-1], "'; drop table events; --", "\x00", "🙂" * 32, None, 7])
def test_what_spells_no_id_is_none(text: object) -> None:
    assert parse_id(text) is None  # type: ignore[arg-type]
