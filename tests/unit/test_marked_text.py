"""Texts in pieces: nothing is lost or repeated, and what is marked is what was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxo.web.shown import highlighted, marked, quoting

TEXT = st.text(alphabet="ab “”<>\n", max_size=40)


def joined(pieces: list[dict[str, str]]) -> str:
    return "".join(piece["text"] for piece in pieces)


def of_kind(pieces: list[dict[str, str]], kind: str) -> list[str]:
    return [piece["text"] for piece in pieces if piece.get("kind") == kind]


@given(TEXT, st.lists(st.text(alphabet="ab “", max_size=6), max_size=5))
def test_the_pieces_together_are_the_text(text: str, lines: list[str]) -> None:
    assert joined(highlighted(text, lines)) == text
    assert joined(quoting(text)) == text
    assert all(piece in lines for piece in of_kind(highlighted(text, lines), "mark"))


@pytest.mark.parametrize(
    ("text", "lines", "found"),
    [
        ("She has led security. She starts early.", ["She has led security."], ["She has led security."]),
        ("recovery testing", ["recovery", "testing"], ["recovery", "testing"]),
        ("recovery testing", ["recovery testing", "testing"], ["recovery testing"]),
        ("recovery", ["ERP", ""], []),
        ("", ["ERP"], []),
    ],
)
def test_lines_of_a_record_are_marked_where_they_stand(text: str, lines: list[str], found: list[str]) -> None:
    assert of_kind(highlighted(text, lines), "mark") == found


def test_what_stands_between_quotation_marks_is_a_quote() -> None:
    pieces = quoting("Dana says “first”, then “second”.")
    assert of_kind(pieces, "quote") == ["“first”", "“second”"]
    assert of_kind(quoting("It is open: “no end"), "quote") == []


def test_a_place_carries_its_name() -> None:
    assert marked("a word", {(2, 6): {"id": "read-1"}}) == [{"text": "a "}, {"text": "word", "kind": "mark", "id": "read-1"}]
