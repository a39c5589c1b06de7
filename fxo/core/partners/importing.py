"""Partners from a file: JSON or CSV, all or nothing, with every problem named by its line. No database here."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, InstanceOf, ValidationError, ValidationInfo
from pydantic import field_validator as check

from fxo.core.errors import FxoError, Invalid
from fxo.core.partners.availability import Availability

ROLES = (
    "CIO", "CTO", "CISO", "CDO", "CPO", "CPTO", "CAIO", "CDAO", "COO", "DPO", "Architect", "Head of AI", "Head of Data",
    "Head of Engineering", "Head of IT", "Head of ML", "Head of Platform", "Head of Product", "Head of Security", "IT Director",
    "VP AI", "VP Data", "VP Engineering", "VP Product", "VP Security",
)  # fmt: skip
"""What a partner may be; the first three are what the marketplace is about."""


class Problem(NamedTuple):
    """What is wrong where: the line of the file (that of the record's beginning), the field (or empty), and how to mend it."""

    line: int
    field: str
    sentence: str


class ImportRefused(FxoError):
    """Nothing of the file was imported; `problems` says why, in the order of the lines."""

    code = "import_refused"
    status = 422

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems)
        first = self.problems[0]
        where = f"line {first.line}" + (f", {first.field}" if first.field else "")
        rest = f" There are {len(self.problems) - 1} more problems." if len(self.problems) > 1 else ""
        super().__init__(f"Nothing was imported. {where.capitalize()}: {first.sentence}{rest}", field=first.field or None)


def _printable(text: str) -> str:
    if any(c < " " and c not in "\n\t" for c in text):
        raise ValueError("Take out the control characters.")
    return text


Text = Annotated[str, AfterValidator(_printable)]
Labels = tuple[Annotated[str, Field(min_length=1, max_length=160), AfterValidator(_printable)], ...]
Lines = tuple[Annotated[str, Field(min_length=1, max_length=600), AfterValidator(_printable)], ...]


class PartnerImport(BaseModel):
    """One partner as a file describes them. `id` is the file's own and stays the same in later files of the same source."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    name: Text = Field(min_length=1, max_length=120)
    title: Text = Field(min_length=1, max_length=160)
    roles: Labels = Field(min_length=1, max_length=6)
    headline: Text = Field("", max_length=240)
    bio: Text = Field(min_length=1, max_length=5_000)
    skills: Labels = Field(min_length=1, max_length=40)
    industries: Labels = Field((), max_length=40)
    years_experience: int = Field(ge=0, le=70)
    certifications: Labels = Field((), max_length=40)
    case_studies: Lines = Field(min_length=1, max_length=20)
    languages: Labels = Field(min_length=1, max_length=20)
    country: Text = Field("", max_length=80)
    timezone: str
    hourly_rate_usd: int | None = Field(None, ge=0, le=100_000)
    rating: float | None = Field(None, ge=0, le=5)
    email: Text = Field("", max_length=254, validate_default=True)
    """Left out, `<id>@partners.example`, which no mail reaches."""
    availability: InstanceOf[Availability] | None = None
    visible_to: Text | None = Field(None, min_length=1, max_length=63)
    """Slug of the only tenant that may see this partner; None for all."""
    tenants: Labels = Field((), max_length=100)
    """Slugs of the tenants whose roster this partner joins."""

    @check("roles")
    @classmethod
    def _known_roles(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        for role in roles:
            if role not in ROLES:
                near = get_close_matches(role, ROLES, n=1)
                raise ValueError(f"There is no role {role!r}" + (f"; did you mean {near[0]}?" if near else "."))
        return roles

    @check("timezone")
    @classmethod
    def _real_zone(cls, zone: str) -> str:
        return _obeying(lambda: Availability(zone=zone)).zone

    @check("email")
    @classmethod
    def _address(cls, email: str, info: ValidationInfo) -> str:
        email = email.lower() or f"{info.data.get('id', 'unknown').lower()}@partners.example"
        if not re.fullmatch(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+", email):
            raise ValueError("This is not a mail address.")
        return email

    @check("availability", mode="before")
    @classmethod
    def _rules(cls, data: Any, info: ValidationInfo) -> Availability | None:
        if data is None or "timezone" not in info.data:
            return None
        if not isinstance(data, dict):
            raise ValueError("Write the rules as an object with named values.")
        return _obeying(lambda: Availability.from_data({"zone": info.data["timezone"], **data}))


def _obeying(build: Callable[[], Availability]) -> Availability:
    try:
        return build()
    except Invalid as error:
        raise ValueError(error.message) from error


def read(source: Path | bytes, filename: str | None = None) -> list[PartnerImport]:
    """The partners of the file, in its order; raises `ImportRefused` with all its problems.

    `filename` says what it is (`.json`: a list of objects; `.csv`: the same fields as columns, lists within a cell separated
    by `|`, or by `;` where there is no `|`, availability as JSON) and may be left out with a path.
    """
    text = _decoded(_bytes(source))
    suffix = Path(filename or (source.name if isinstance(source, Path) else "")).suffix.lower()
    if suffix not in (".json", ".csv"):
        raise ImportRefused([Problem(1, "", "Name the file .json or .csv, after what is in it.")])
    if not text.strip():
        raise ImportRefused([Problem(1, "", "The file is empty.")])
    problems: list[Problem] = []
    partners: list[tuple[int, PartnerImport]] = []
    for line, record in _records_json(text) if suffix == ".json" else _records_csv(text):
        if isinstance(record, Problem):
            problems.append(record)
            continue
        try:
            partners.append((line, PartnerImport.model_validate(record)))
        except ValidationError as error:
            problems += (Problem(line, _place(e["loc"]), sentence(e)) for e in error.errors(include_url=False))
    for field in ("id", "email"):
        problems += _doubled(partners, field)
    if not partners and not problems:
        problems.append(Problem(1, "", "There are no partners in the file."))
    if problems:
        raise ImportRefused(problems)
    return [partner for _, partner in partners]


def _bytes(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        return source.read_bytes()
    except OSError as error:
        raise ImportRefused([Problem(1, "", f"The file cannot be read: {error.strerror}.")]) from error


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ImportRefused([Problem(line, "", "This is not UTF-8 text: save the file in that encoding.")]) from error


_Record = tuple[int, dict[str, Any] | Problem]


def _records_json(text: str) -> Iterator[_Record]:
    """Each record of the list with the line on which it begins."""
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        raise ImportRefused([Problem(error.lineno, "", f"This is not JSON: {error.msg}, column {error.colno}.")]) from error
    except (ValueError, RecursionError) as error:
        raise ImportRefused([Problem(1, "", "This JSON has a number too long or lists too deep to be read.")]) from error
    if not isinstance(whole, list):
        raise ImportRefused([Problem(1, "", "The file must be a list of partners: [ {...}, {...} ].")])
    decoder, space = json.JSONDecoder(), re.compile(r"[\s,]*")
    at, line = text.index("[") + 1, 1 + text.count("\n", 0, text.index("["))
    for _ in whole:
        start = space.match(text, at).end()  # type: ignore[union-attr]
        line += text.count("\n", at, start)
        record, end = decoder.raw_decode(text, start)
        yield (
            line,
            record if isinstance(record, dict) else Problem(line, "", "Write each partner as an object with named fields."),
        )
        line += text.count("\n", start, end)
        at = end


_LISTS = ("roles", "skills", "industries", "certifications", "case_studies", "languages", "tenants")


def _records_csv(text: str) -> Iterator[_Record]:
    """Each row with the line on which it begins; empty cells are left out."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: list[str] | None = None
    line = 1
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                if columns is None:
                    columns = _columns(row, line)
                elif len(row) > len(columns):
                    yield line, Problem(line, "", f"The row has {len(row)} cells and the header {len(columns)}.")
                else:
                    yield line, _row(columns, row, line)
            line = rows.line_num + 1
    except csv.Error as error:
        raise ImportRefused([Problem(line, "", f"This is not CSV: {error}.")]) from error


def _columns(row: list[str], line: int) -> list[str]:
    columns = [cell.strip().lower() for cell in row]
    wrong = [Problem(line, c, "The same column is there twice.") for c in set(columns) if columns.count(c) > 1]
    wrong += [
        Problem(line, c[:40], f"There is no such field. The fields are: {', '.join(PartnerImport.model_fields)}.")
        for c in columns
        if c not in PartnerImport.model_fields
    ]
    if wrong:
        raise ImportRefused(wrong)
    return columns


def _row(columns: list[str], row: list[str], line: int) -> dict[str, Any] | Problem:
    record: dict[str, Any] = {column: cell.strip() for column, cell in zip(columns, row, strict=False) if cell.strip()}
    for column in record.keys() & _LISTS:
        parts = record[column].split("|" if "|" in record[column] else ";")
        record[column] = [part.strip() for part in parts if part.strip()]
    if "availability" in record:
        try:
            record["availability"] = json.loads(record["availability"])
        except (ValueError, RecursionError):
            return Problem(line, "availability", "Write the rules as a JSON object.")
    return record


def _doubled(partners: list[tuple[int, PartnerImport]], field: str) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for line, partner in partners:
        value = getattr(partner, field).lower()
        if value in first:
            yield Problem(line, field, f"{value!r} is also on line {first[value]}: each partner needs their own.")
        first.setdefault(value, line)


_SENTENCES = {
    "missing": "This field is missing.",
    "extra_forbidden": "There is no such field.",
    "string_too_long": "This is longer than {max_length} characters.",
    "string_too_short": "Write something here.",
    "string_pattern_mismatch": "Use 1 to 64 letters, digits, dots, dashes and underscores.",
    "string_type": "Write this as text.",
    "string_unicode": "This text has broken characters.",
    "tuple_type": "Write this as a list.",
    "too_short": "At least {min_length} is needed.",
    "too_long": "At most {max_length} are possible.",
    "greater_than_equal": "This must be {ge:g} or more.",
    "less_than_equal": "This must be {le:g} or less.",
    "int_type": "Write this as a whole number.",
    "int_parsing": "Write this as a whole number.",
    "int_from_float": "Write this as a whole number.",
    "float_type": "Write this as a number.",
    "float_parsing": "Write this as a number.",
    "finite_number": "Write this as a number.",
}


def sentence(error: Any) -> str:
    """What is wrong with a field, from an error of pydantic's, and how to mend it."""
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    sentence = _SENTENCES.get(error["type"])
    return sentence.format(**context) if sentence else f"{error['msg']}."


def _place(location: tuple[int | str, ...]) -> str:
    """`skills` or `skills 3`, counted from one."""
    return " ".join(str(part + 1) if isinstance(part, int) else part[:40] for part in location)
