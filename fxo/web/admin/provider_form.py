"""A form out of a plugin's settings model, and the way back: what was typed as settings, or a sentence at each field to mend."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined

from fxo.core.plugins import secret_fields
from fxo.web.language import _, looked_up

PREFIX = "set-"
"""In front of a setting's name in the form."""
SECRET = "password-"  # noqa: S105
"""In front of a secret's: no form that comes back, after a sign-in or from a page that is too old, carries what is called so."""
DROP = "drop-"
"""In front of that of a secret to forget."""
WHOLE = "form"
"""Where a sentence stands that is about no field alone."""
LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class Control:
    """One setting as its form shows it."""

    name: str
    kind: str
    """`text`, `secret`, `bool`, `choice`, `number`, `lines` (one a line), `groups` (`name: word, word` a line) or `json`."""
    label: str
    help: str = ""
    value: str = ""
    checked: bool = False
    options: tuple[Mapping[str, str], ...] = ()
    required: bool = False
    is_set: bool = False
    """A secret of that name is kept. It is never shown."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """What was typed: valid settings, or what to mend."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    kept: frozenset[str] = frozenset()
    errors: Mapping[str, str] = field(default_factory=dict)
    """By the name of the input, or `WHOLE`."""


def controls(
    model: type[BaseModel],
    stored: Mapping[str, Any],
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> list[Control]:
    """The model's fields with what is stored, or what was typed instead; a secret has no value in any case."""
    secrets = secret_fields(model)
    return [
        _control(name, info, stored, typed, (errors or {}).get(PREFIX + name, ""), secret=name in secrets)
        for name, info in model.model_fields.items()
    ]


def _control(
    name: str, info: FieldInfo, stored: Mapping[str, Any], typed: Mapping[str, str] | None, error: str, *, secret: bool
) -> Control:
    kind = "secret" if secret else _kind(info.annotation)
    value = stored.get(name, _default(info))
    text = typed.get(PREFIX + name, "") if typed is not None else _written(kind, value)
    return Control(
        name, kind, looked_up(info.title or name.replace("_", " ").capitalize()), _help(kind, info),
        "" if secret else text, checked=text == "on" if kind == "bool" else False,
        options=_options(info.annotation) if kind == "choice" else (),
        required=info.is_required() and not (secret and stored.get(name)), is_set=secret and bool(stored.get(name)), error=error,
    )  # fmt: skip


def _kind(annotation: Any) -> str:
    annotation = _bare(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is bool:
        return "bool"
    if origin is Literal or (isinstance(annotation, type) and issubclass(annotation, Enum)):
        return "choice"
    if annotation in (int, float, Decimal):
        return "number"
    if origin in (list, tuple, set, frozenset) and arguments[:1] == (str,):
        return "lines"
    if origin is dict and arguments == (str, list[str]):
        return "groups"
    text = isinstance(annotation, type) and not issubclass(annotation, (BaseModel, dict, list, tuple, set, frozenset))
    return "text" if text else "json"


def _bare(annotation: Any) -> Any:
    """`str` of `str | None`."""
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [each for each in get_args(annotation) if each is not type(None)]
        return parts[0] if len(parts) == 1 else annotation
    return annotation


def _default(info: FieldInfo) -> Any:
    value = info.get_default(call_default_factory=True)
    return "" if value is PydanticUndefined or value is None else value


def _written(kind: str, value: Any) -> str:
    match kind:
        case "bool":
            return "on" if value else ""
        case "lines":
            return "\n".join(map(str, value))
        case "groups":
            return "\n".join(f"{name}: {', '.join(words)}" for name, words in dict(value or {}).items())
        case "json":
            return json.dumps(value, ensure_ascii=False) if value not in ("", None) else ""
    return str(value.value if isinstance(value, Enum) else value)


def _help(kind: str, info: FieldInfo) -> str:
    """The model's own words, and how to write what has a form of its own."""
    said = looked_up(info.description) if info.description else ""
    ways = {
        "lines": _("One on each line."),
        "groups": _("A line for each: the name, a colon, then its words with commas between them."),
        "json": _("Written as JSON."),
    }
    example = _("For example %(example)s.", example=info.examples[0]) if info.examples else ""
    return " ".join(_ended(each) for each in (said, ways.get(kind, ""), example) if each)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."


def _options(annotation: Any) -> tuple[Mapping[str, str], ...]:
    annotation = _bare(annotation)
    values = get_args(annotation) or [each.value for each in annotation]
    return tuple({"value": str(each), "label": _named(str(each))} for each in values)


def _named(value: str) -> str:
    """An abbreviation in capitals, a word with one: `SMTP`, `Sendgrid`."""
    return value.upper() if len(value) <= 4 else value.replace("_", " ").capitalize()


def read(model: type[BaseModel], form: Mapping[str, str], stored: Mapping[str, Any], opened: Mapping[str, Any]) -> Read:
    """What was typed, checked by the model together with the secrets that stay. `opened` has these in the clear.

    An empty secret stays as it is; one that is to be forgotten is as if it had never been written.
    """
    secrets, given, errors = secret_fields(model), dict[str, Any](), dict[str, str]()
    written = {name: form[SECRET + name].strip() for name in secrets if form.get(SECRET + name, "").strip()}
    kept = {name for name in secrets if stored.get(name) and name not in written and not form.get(DROP + name)}
    for name, info in model.model_fields.items():
        if name in secrets:
            if (secret := written.get(name) or (opened.get(name) if name in kept else None)) is not None:
                given[name] = secret
            continue
        try:
            value = _value(_kind(info.annotation), form.get(PREFIX + name, ""))
        except ValueError:
            errors[PREFIX + name] = _sentence_of_form(_kind(info.annotation))
            continue
        if value is not None and not (value == "" and (info.is_required() or info.default is None)):
            given[name] = value
    if errors:
        return Read(errors=errors)
    try:
        valid = model.model_validate(given)
    except ValidationError as error:
        return Read(errors=_sentences(model, error))
    settings = valid.model_dump(mode="json", exclude=set(secrets), exclude_defaults=True)
    return Read(settings, written, frozenset(kept))


def _value(kind: str, text: str) -> Any:
    """What the model is given; None leaves it to the model's default. ValueError where the text has not the form it needs."""
    text = text.strip()[:LONGEST]
    match kind:
        case "bool":
            return text == "on"
        case "lines":
            return [line.strip() for line in text.splitlines() if line.strip()]
        case "groups":
            return dict(_group(line) for line in text.splitlines() if line.strip())
        case "json":
            return json.loads(text) if text else None
        case "number":
            return text.replace(",", ".") or None
        case "choice":
            return text or None
    return text


def _group(line: str) -> tuple[str, list[str]]:
    name, colon, words = line.partition(":")
    found = [word.strip() for word in words.split(",") if word.strip()]
    if not colon or not name.strip() or not found:
        raise ValueError(line)
    return name.strip(), found


def _sentence_of_form(kind: str) -> str:
    if kind == "groups":
        return _("Write each line as a name, a colon, and its words with commas between them.")
    return _("This is no JSON. Check brackets, quotes and commas.")


def _sentences(model: type[BaseModel], error: ValidationError) -> dict[str, str]:
    """A sentence for each field that does not fit; never what was typed, which may be a secret."""
    found: dict[str, str] = {}
    for each in error.errors(include_input=False, include_url=False):
        name = str(each["loc"][0]) if each["loc"] else ""
        found.setdefault(PREFIX + name if name else WHOLE, _sentence(each, model.model_fields.get(name)))
    return found


def _sentence(each: ErrorDetails, info: FieldInfo | None) -> str:
    """What pydantic has found, in our words; what the model itself says, as a sentence."""
    kind = each["type"]
    if kind == "value_error":
        return _own(str(each["ctx"]["error"]))
    if kind == "missing" or kind == "string_too_short":
        return _("Please fill this in.")
    if kind.startswith(("int_", "float_", "decimal_")):
        return _("Write a number, such as 5 or 12.50.") if "int" not in kind else _("Write a whole number, such as 5.")
    if kind in ("literal_error", "enum"):
        return _("Choose one of those shown.")
    if kind == "string_too_long":
        return _("Please shorten this to %(most)s characters.", most=each["ctx"]["max_length"])
    if kind in _BOUNDS and info:
        return _between(info)
    if info and info.examples:
        return _("This should look like %(example)s.", example=info.examples[0])
    return _("This does not fit. Look at what is asked for here.")


_BOUNDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number")


def _between(info: FieldInfo) -> str:
    """The bounds of a number, those that there are."""
    found = {name: getattr(each, name) for each in info.metadata for name in ("ge", "gt", "le", "lt") if hasattr(each, name)}
    least, most, above = found.get("ge", found.get("gt")), found.get("le", found.get("lt")), "gt" in found
    if least is not None and most is not None:
        return _("Choose a number between %(least)s and %(most)s.", least=least, most=most)
    if most is not None:
        return _("Choose a number of at most %(most)s.", most=most)
    return (
        _("Choose a number above %(least)s.", least=least) if above else _("Choose a number of at least %(least)s.", least=least)
    )


def _own(text: str) -> str:
    said = looked_up(text)
    return _ended(said[:1].upper() + said[1:])
