"""How Stripe's API is spoken: forms with brackets, fields as published, errors as objects, lists in pages, expansion."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sys import modules
from typing import Any
from urllib.parse import parse_qsl

from stripe import RequestOptions

Json = dict[str, Any]
_ENVELOPE = set(RequestOptions.__annotations__)


@dataclass
class Refusal(Exception):
    """An error as the API answers it."""

    status: int
    type: str
    message: str
    code: str | None = None
    param: str | None = None
    more: Mapping[str, Any] | None = None

    def body(self) -> Json:
        said = {"type": self.type, "message": self.message, "code": self.code, "param": self.param}
        return {"error": {name: value for name, value in said.items() if value} | dict(self.more or {})}


def invalid(message: str, *, code: str | None = None, param: str | None = None, status: int = 400) -> Refusal:
    return Refusal(status, "invalid_request_error", message, code, param)


def missing(kind: str, reference: str, param: str) -> Refusal:
    return invalid(f"No such {kind}: '{reference}'", code="resource_missing", param=param, status=404 if param == "id" else 400)


def read_form(text: str) -> Json:
    """`a[b]=1&c[0]=x` as `{"a": {"b": "1"}, "c": ["x"]}`."""
    found: Json = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, *rest = re.findall(r"[^\[\]]+", name)
        place, path = found, [first, *rest]
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    return {name: _lists(value) for name, value in found.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(each) for name, each in value.items()}
    return [inner[name] for name in sorted(inner, key=int)] if inner and all(map(str.isdigit, inner)) else inner


def check_fields(given: Json, published: Any, where: str = "") -> None:
    """Refuse a field that Stripe's published description of the request does not have, and one that is missing.

    The descriptions are the SDK's parameter types, which Stripe generates from its OpenAPI document.
    """
    known = set(published.__annotations__) - (_ENVELOPE if not where else set())
    for name, value in given.items():
        param = f"{where}[{name}]" if where else name
        if name not in known:
            raise invalid(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)
        if value == "":
            raise invalid(f"You passed an empty string for '{param}'.", code="parameter_invalid_empty", param=param)
        inner = published.__name__ + "".join(part.capitalize() for part in name.split("_"))
        if isinstance(value, dict) and (deeper := getattr(modules[published.__module__], inner, None)):
            check_fields(value, deeper, param)
    for name in sorted(published.__required_keys__ - set(given)):
        raise invalid(f"Missing required param: {name}.", code="parameter_missing", param=name)


def whole(given: Json, name: str, default: int | None = None) -> int:
    """A positive integer."""
    text = given.get(name)
    if text is None and default is not None:
        return default
    if not re.fullmatch(r"[0-9]{1,12}", str(text)):
        raise invalid(f"Invalid integer: {text}", code="parameter_invalid_integer", param=name)
    if int(str(text)) < 1:
        raise invalid("This value must be greater than or equal to 1.", code="parameter_invalid_integer", param=name)
    return int(str(text))


def flag(given: Json, name: str) -> bool:
    if given.get(name, "false") not in ("true", "false"):
        raise invalid(f"Invalid boolean: {given[name]}", param=name)
    return given.get(name) == "true"


def one_of(given: Json, name: str, allowed: Sequence[str]) -> str | None:
    if name in given and given[name] not in allowed:
        raise invalid(f"Invalid {name}: must be one of {', '.join(allowed)}", param=name)
    return given.get(name)


def page(found: Sequence[Json], given: Json, url: str) -> Json:
    """A page of a list, which has the newest first; the next one starts after an id."""
    limit = min(whole(given, "limit", 10), 100)
    start = 0
    if after := given.get("starting_after"):
        start = next((place for place, each in enumerate(found, 1) if each["id"] == after), 0)
    return {"object": "list", "url": url, "data": list(found[start : start + limit]), "has_more": len(found) > start + limit}
