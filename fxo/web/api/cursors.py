"""Cursors: where a page of a list ended, as an opaque text that the next request sends back."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from fxo.web import problems

T = TypeVar("T")
_APART = "\x1f"


def cursor(*parts: object) -> str:
    """The cursor that stands for these values."""
    return urlsafe_b64encode(_APART.join(map(_text, parts)).encode()).decode().rstrip("=")


def after(text: str, *kinds: Callable[[str], T]) -> tuple[T, ...]:
    """The values of a cursor, each read by its kind; nothing for an empty one. `Unfit` for what is no cursor of this list."""
    if not text:
        return ()
    try:
        parts = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split(_APART)
        return tuple(kind(part) for kind, part in zip(kinds, parts, strict=True))
    except (ValueError, OverflowError) as error:
        raise problems.Unfit([("after", "send the `next` of the page before")], code="cursor") from error


def moment(text: str) -> datetime:
    """A moment in a cursor."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a moment without a zone")
    return found


def page(items: Sequence[T], limit: int, last: Callable[[T], str]) -> tuple[Sequence[T], str | None]:
    """The first `limit` of these, of which there is one more where another page follows, and the cursor to it."""
    shown = items[:limit]
    return shown, last(shown[-1]) if len(items) > limit else None


def _text(part: object) -> str:
    return part.isoformat() if isinstance(part, datetime) else str(part)
