"""Envelopes: what is personal is sealed for one place in one stream, and reads as erased anywhere else or without its key."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from fxo.core.events import envelopes
from fxo.core.events.model import ERASED, Personal, event, type_of

SARAH, VISITOR, TENANT, STREAM, OTHER = (UUID(int=number) for number in range(1, 6))
KEYS = {SARAH: AESGCM.generate_key(256), VISITOR: AESGCM.generate_key(256)}
PLACE = {"tenant_id": TENANT, "stream_id": STREAM, "version": 7}


@event("unit.letter")
@dataclass(frozen=True, slots=True)
class Letter:
    writer_id: UUID
    reader_id: UUID
    text: Annotated[str, Personal("writer_id")]
    greeting: Annotated[str | None, Personal("reader_id")]
    pages: int


def plain(text: str = "I am Sarah", greeting: str | None = "Dear visitor") -> dict[str, Any]:
    return {"writer_id": str(SARAH), "reader_id": str(VISITOR), "text": text, "greeting": greeting, "pages": 2}


KIND = type_of(Letter(SARAH, VISITOR, "", None, 1))


def sealed(data: dict[str, Any]) -> dict[str, Any]:
    return envelopes.seal(KIND, data, KEYS, **PLACE)


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_what_was_sealed_can_be_read_in_its_place(text: str) -> None:
    assert envelopes.unseal(sealed(plain(text)), KEYS, **PLACE) == plain(text)


def test_only_the_personal_fields_are_sealed_each_under_its_own_persons_key() -> None:
    stored = sealed(plain())
    assert {name for name, value in stored.items() if isinstance(value, dict)} == {"text", "greeting"}
    assert stored["text"]["person"] == str(SARAH)
    assert stored["greeting"]["person"] == str(VISITOR)
    assert "Sarah" not in str(stored)
    assert envelopes.sealed_for(stored) == {SARAH, VISITOR}
    without_visitor = envelopes.unseal(stored, {SARAH: KEYS[SARAH], VISITOR: None}, **PLACE)
    assert without_visitor == plain(greeting=ERASED)


def test_the_given_data_are_not_changed_by_sealing_or_unsealing() -> None:
    data = plain()
    stored = sealed(data)
    copy = {**stored}
    envelopes.unseal(stored, KEYS, **PLACE)
    assert data == plain()
    assert stored == copy


def test_the_same_words_look_different_each_time() -> None:
    assert sealed(plain())["text"] != sealed(plain())["text"]


def test_what_was_not_given_needs_no_key_and_stays_empty() -> None:
    data = plain(greeting=None)
    assert envelopes.subjects(KIND, data) == {SARAH}
    assert envelopes.seal(KIND, data, {SARAH: KEYS[SARAH]}, **PLACE)["greeting"] is None


@pytest.mark.parametrize("moved", [{"tenant_id": OTHER}, {"stream_id": OTHER}, {"version": 8}], ids=str)
def test_an_envelope_in_another_tenant_stream_or_version_reads_as_erased(moved: dict[str, Any]) -> None:
    assert envelopes.unseal(sealed(plain()), KEYS, **{**PLACE, **moved}) == plain(ERASED, ERASED)


def test_an_envelope_in_another_field_reads_as_erased() -> None:
    stored = sealed(plain())
    swapped = {**stored, "text": stored["greeting"], "greeting": stored["text"]}
    assert envelopes.unseal(swapped, KEYS, **PLACE) == plain(ERASED, ERASED)


def test_an_envelope_under_another_persons_name_reads_as_erased() -> None:
    stored = sealed(plain())
    stored["text"] = {**stored["text"], "person": str(VISITOR)}
    assert envelopes.unseal(stored, KEYS, **PLACE)["text"] == ERASED


@pytest.mark.parametrize("part", ["nonce", "text"])
def test_a_changed_envelope_reads_as_erased(part: str) -> None:
    stored = sealed(plain())
    raw = bytearray(b64decode(stored["text"][part]))
    raw[0] ^= 1
    stored["text"] = {**stored["text"], part: b64encode(bytes(raw)).decode()}
    assert envelopes.unseal(stored, KEYS, **PLACE)["text"] == ERASED


def test_without_its_key_a_field_reads_as_erased_and_never_as_an_error() -> None:
    assert envelopes.unseal(sealed(plain()), {}, **PLACE) == plain(ERASED, ERASED)
    assert envelopes.unseal(sealed(plain()), {SARAH: None, VISITOR: None}, **PLACE) == plain(ERASED, ERASED)


def test_an_event_with_erased_fields_is_still_an_event() -> None:
    assert KIND.decode(1, envelopes.unseal(sealed(plain()), {}, **PLACE)) == Letter(SARAH, VISITOR, ERASED, ERASED, 2)
