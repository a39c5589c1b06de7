"""Whether what a provider answered is what its port promises."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import datetime
from functools import cache, cached_property, partial
from operator import attrgetter
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID


class BrokenPromise(Exception):
    """The answer is not of the promised type. The text names the place and the types, never a value."""


def check_type(value: object, promised: Any) -> None:
    """Raise `BrokenPromise` unless the value is of the promised type, all the way down; times must have a zone."""
    if not _test(promised)(value):
        _explain(value, promised, "the answer")


@cache
def _test(promised: Any) -> Callable[[Any], bool]:
    """Whether a value keeps the promise, made once for each type: a ranking has thousands of parts. Agrees with `_explain`."""
    origin, arguments = get_origin(promised), get_args(promised)
    if promised in (str, UUID, bytes):
        return partial(_is, promised)
    if promised is float:
        return lambda value: type(value) is float or (isinstance(value, (int, float)) and not isinstance(value, bool))
    if origin in (Union, types.UnionType):
        choices = [_test(choice) for choice in arguments]
        return lambda value: any(fits(value) for fits in choices)
    if origin is tuple and arguments[-1] is Ellipsis:
        each = _test(arguments[0])
        return lambda value: isinstance(value, tuple) and all(map(each, value))
    if isinstance(promised, type) and is_dataclass(promised):
        return _Parts(promised)
    return partial(_keeps, promised)


def _is(kind: type, value: object) -> bool:
    return isinstance(value, kind)


def _keeps(promised: Any, value: object) -> bool:
    return _fits(value, promised, "")


class _Parts:
    """The test of a dataclass: its fields' hints are read at the first value, since they may name the class itself."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    @cached_property
    def _fields(self) -> Sequence[tuple[Callable[[Any], Any], Callable[[Any], bool]]]:
        return [(attrgetter(name), _test(hint)) for name, hint in _hints(self._kind).items()]

    def __call__(self, value: object) -> bool:
        return isinstance(value, self._kind) and all(fits(read(value)) for read, fits in self._fields)


def _explain(value: object, promised: Any, where: str) -> None:
    """Raise `BrokenPromise` with the first place that breaks the promise."""
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
            _explain(part, argument, f"part {number} of {where}")
    elif isinstance(value, Mapping) and arguments:
        _check_each(value.keys(), arguments[0], f"a key of {where}")
        _check_each(value.values(), arguments[1], f"a value of {where}")
    elif isinstance(value, Collection) and arguments:
        _check_each(value, arguments[0], f"an item of {where}")
    elif is_dataclass(kind):
        for name, hint in _hints(kind).items():
            _explain(getattr(value, name), hint, f"{name} of {where}")


def _check_each(values: Collection[object], promised: Any, where: str) -> None:
    for value in values:
        _explain(value, promised, where)


def _fits(value: object, promised: Any, where: str) -> bool:
    try:
        _explain(value, promised, where)
    except BrokenPromise:
        return False
    return True


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)
