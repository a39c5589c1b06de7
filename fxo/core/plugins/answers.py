"""Whether what a provider answered is what its port promises."""

from __future__ import annotations

import types
from collections.abc import Collection, Mapping
from dataclasses import is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints


class BrokenPromise(Exception):
    """The answer is not of the promised type. The text names the place and the types, never a value."""


def check_type(value: object, promised: Any, where: str = "the answer") -> None:
    """Raise `BrokenPromise` unless the value is of the promised type, all the way down; times must have a zone."""
    origin, arguments = get_origin(promised), get_args(promised)
    if promised is Any:
        return
    if origin in (Union, types.UnionType):
        if not any(_fits(value, choice, where) for choice in arguments):
            raise BrokenPromise(f"{where} is a {type(value).__name__}")
        return
    kind = type(None) if promised is None else origin or promised
    fits = isinstance(value, (int, float) if kind is float else kind)  # a whole number is a number
    if not fits or (isinstance(value, bool) and kind in (int, float)) or (origin and isinstance(value, (str, bytes))):
        raise BrokenPromise(f"{where} is a {type(value).__name__} and not a {getattr(kind, '__name__', kind)}")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise BrokenPromise(f"{where} is a time without a zone")
    if isinstance(value, tuple) and origin is tuple and arguments[-1] is not Ellipsis:
        if len(value) != len(arguments):
            raise BrokenPromise(f"{where} has {len(value)} parts and not {len(arguments)}")
        for number, (part, argument) in enumerate(zip(value, arguments, strict=True), 1):
            check_type(part, argument, f"part {number} of {where}")
    elif isinstance(value, Mapping) and arguments:
        _check_each(value.keys(), arguments[0], f"a key of {where}")
        _check_each(value.values(), arguments[1], f"a value of {where}")
    elif isinstance(value, Collection) and arguments:
        _check_each(value, arguments[0], f"an item of {where}")
    elif is_dataclass(kind):
        for name, hint in _hints(kind).items():
            check_type(getattr(value, name), hint, f"{name} of {where}")


def _check_each(values: Collection[object], promised: Any, where: str) -> None:
    for value in values:
        check_type(value, promised, where)


def _fits(value: object, promised: Any, where: str) -> bool:
    try:
        check_type(value, promised, where)
    except BrokenPromise:
        return False
    return True


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)
