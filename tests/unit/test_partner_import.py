"""Reading partners from files: every problem by its line, all or nothing."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from fxo.core.partners.importing import ImportRefused, PartnerImport, Problem, read

GOOD: dict[str, Any] = {
    "id": "P001",
    "name": "Ada Moreno",
    "title": "Fractional CIO",
    "roles": ["CIO"],
    "headline": "Calm in the server room",
    "bio": "Ada has run IT departments, large and small. She likes short lists.",
    "skills": ["ERP", "supplier management"],
    "industries": ["Retail", "Logistics"],
    "years_experience": 20,
    "certifications": [],
    "case_studies": ["Closed a data centre; saved €2M.", "Moved 300 shops to one till."],
    "languages": ["English", "Spanish"],
    "country": "Spain",
    "timezone": "Europe/Madrid",
    "hourly_rate_usd": 210,
    "rating": 4.7,
}


def as_json(*records: Any) -> bytes:
    return json.dumps(list(records), ensure_ascii=False, indent=1).encode()


def as_csv(*records: dict[str, Any]) -> bytes:
    out = io.StringIO(newline="")
    rows = csv.DictWriter(out, list(dict.fromkeys(field for record in records for field in record)))
    rows.writeheader()
    rows.writerows({field: cell(value) for field, value in record.items()} for record in records)
    return out.getvalue().encode()


def cell(value: Any) -> str:
    if isinstance(value, list):
        return "|".join(value)
    return json.dumps(value) if isinstance(value, dict) else str(value)


def problems(raw: bytes, filename: str = "partners.json") -> list[Problem]:
    with pytest.raises(ImportRefused) as refused:
        read(raw, filename)
    return refused.value.problems


def test_json_and_csv_say_the_same() -> None:
    rules = {"weekly": [{"weekday": 0, "start": "09:00", "end": "17:00"}], "notice_hours": 4}
    records = [GOOD | {"availability": rules}, GOOD | {"id": "P002", "email": "Ada@Example.org", "visible_to": "globex"}]
    assert read(as_json(*records), "partners.json") == read(as_csv(*records), "PARTNERS.CSV")


def test_what_is_left_out_has_a_sensible_value() -> None:
    (partner,) = read(as_json(GOOD), "a.json")
    assert partner.email == "p001@partners.example"
    assert partner.availability is None
    assert partner.visible_to is None
    assert partner.tenants == ()


def test_rules_are_in_the_partners_zone_unless_they_say_another() -> None:
    (partner,) = read(as_json(GOOD | {"availability": {"notice_hours": 2}}), "a.json")
    assert partner.availability is not None
    assert (partner.availability.zone, partner.availability.notice_hours) == ("Europe/Madrid", 2)


def test_a_path_needs_no_name_and_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "partners.csv"
    file.write_bytes(b"\xef\xbb\xbf" + as_csv(GOOD))
    assert [partner.id for partner in read(file)] == ["P001"]


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="cannot be read"):
        read(tmp_path / "none.json")


def test_semicolons_part_a_list_where_no_bar_does() -> None:
    row = as_csv(GOOD).replace(b"ERP|supplier management", b"ERP; supplier management;")
    (partner,) = read(row, "a.csv")
    assert partner.skills == ("ERP", "supplier management")
    assert partner.case_studies[0] == "Closed a data centre; saved €2M."


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"id": "P 1"}, "id", "Use 1 to 64 letters, digits, dots, dashes and underscores."),
        ({"name": ""}, "name", "Write something here."),
        ({"name": "x" * 121}, "name", "This is longer than 120 characters."),
        ({"name": "A\x00da"}, "name", "Take out the control characters."),
        ({"bio": "x" * 5_001}, "bio", "This is longer than 5000 characters."),
        ({"bio": 5}, "bio", "Write this as text."),
        ({"roles": []}, "roles", "At least 1 is needed."),
        ({"roles": ["CTOO"]}, "roles", "There is no role 'CTOO'; did you mean CTO?"),
        ({"skills": "ERP"}, "skills", "Write this as a list."),
        ({"skills": ["ERP", ""]}, "skills 2", "Write something here."),
        ({"case_studies": []}, "case_studies", "At least 1 is needed."),
        ({"years_experience": "many"}, "years_experience", "Write this as a whole number."),
        ({"years_experience": -1}, "years_experience", "This must be 0 or more."),
        ({"rating": 6}, "rating", "This must be 5 or less."),
        ({"rating": float("nan")}, "rating", "Write this as a number."),
        ({"timezone": "Europe/Madird"}, "timezone", "'Europe/Madird' is not a time zone: did you mean Europe/Madrid?"),
        ({"email": "nobody"}, "email", "This is not a mail address."),
        ({"availability": []}, "availability", "Write the rules as an object with named values."),
        ({"availability": {"notice_hours": -1}}, "availability", "Notice hours must be a whole number from 0 to 720."),
        ({"salary": 1}, "salary", "There is no such field."),
    ],
)
def test_each_wrong_field_is_named_with_how_to_mend_it(change: dict[str, Any], field: str, sentence: str) -> None:
    assert problems(as_json(GOOD | change)) == [Problem(2, field, sentence)]


def test_a_missing_field_is_named() -> None:
    record = {field: value for field, value in GOOD.items() if field != "timezone"}
    assert problems(as_json(record)) == [Problem(2, "timezone", "This field is missing.")]


def test_one_bad_record_refuses_the_file_and_all_problems_are_told_in_order() -> None:
    raw = as_json(GOOD, GOOD | {"id": "P002", "rating": 9, "country": 1}, 7, GOOD)
    size = as_json(GOOD).count(b"\n") - 1
    assert [(p.line, p.field) for p in problems(raw)] == [
        (2 + size, "country"),
        (2 + size, "rating"),
        (2 + 2 * size, ""),
        (3 + 2 * size, "email"),
        (3 + 2 * size, "id"),
    ]


def test_problems_in_csv_carry_the_line_on_which_the_row_begins() -> None:
    raw = as_csv(
        GOOD | {"bio": "Two\nlines."}, GOOD | {"id": "P002", "rating": 9}, GOOD | {"id": "P003", "email": "p002@partners.example"}
    )
    assert [(p.line, p.field) for p in problems(raw, "a.csv")] == [(4, "rating")]
    assert [(p.line, p.field) for p in problems(raw.replace(b",9\r\n", b",4\r\n").replace(b",9,", b",4,"), "a.csv")] == [
        (5, "email")
    ]


@pytest.mark.parametrize(
    ("raw", "filename", "line", "sentence"),
    [
        (b"", "a.json", 1, "empty"),
        (b"\xef\xbb\xbf \n", "a.csv", 1, "empty"),
        (b"[]", "a.json", 1, "no partners"),
        (b"id,name\n\n", "a.csv", 1, "no partners"),
        (b"{}", "a.json", 1, "must be a list"),
        (b'[\n{"id": "a",}]', "a.json", 2, "not JSON"),
        (b"[" * 200_000, "a.json", 1, "too deep"),
        (b"[" + b"9" * 5_000 + b"]", "a.json", 1, "too long"),
        (b"[\n\n\xff]", "a.json", 3, "not UTF-8"),
        ("[]".encode("utf-16"), "a.json", 1, "not UTF-8"),
        (b"id,nam\nP1,x", "a.csv", 1, "no such field"),
        (b"id,name,id\nP1,x,P1", "a.csv", 1, "twice"),
        (b"id,name\nP1,x,y", "a.csv", 2, "3 cells and the header 2"),
        (b'id,name\nP1,"x', "a.csv", 2, "not CSV"),
        (b"id,name\nP1," + b"x" * 200_000, "a.csv", 2, "not CSV"),
        (b"id,availability\nP1,{", "a.csv", 2, "JSON object"),
        (b"PK\x03\x04", "a.xlsx", 1, "json or .csv"),
    ],
)
def test_a_broken_file_is_a_clear_sentence(raw: bytes, filename: str, line: int, sentence: str) -> None:
    problem = problems(raw, filename)[0]
    assert problem.line == line
    assert sentence in problem.sentence


def test_the_refusal_reads_well_on_its_own() -> None:
    with pytest.raises(ImportRefused) as refused:
        read(as_json(GOOD | {"rating": 9, "country": 1}), "a.json")
    assert refused.value.message == "Nothing was imported. Line 2, country: Write this as text. There are 1 more problems."
    assert (refused.value.status, refused.value.code) == (422, "import_refused")


def test_megabytes_are_read() -> None:
    many = [GOOD | {"id": f"P{n}", "bio": "Long. " * 600} for n in range(500)]
    raw = as_json(*many)
    assert len(raw) > 1_500_000
    assert len(read(raw, "a.json")) == len(read(as_csv(*many), "a.csv")) == 500


def test_texts_of_any_script_are_kept_as_they_are() -> None:
    (partner,) = read(as_json(GOOD | {"name": "ليلى رحمن 🙂", "headline": " अनुभव "}), "a.json")
    assert isinstance(partner, PartnerImport)
    assert (partner.name, partner.headline) == ("ليلى رحمن 🙂", "अनुभव")
