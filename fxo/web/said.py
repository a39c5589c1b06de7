"""What a page says after something was done: a sentence at its foot, with a way back where there is one."""

from __future__ import annotations

from collections.abc import Mapping

from flask import flash

UNDO = 30
"""Seconds for which the way back is offered; it stays possible by hand afterwards."""


def done(text: str, undo: str = "", fields: Mapping[str, str] | None = None) -> None:
    """Say that it was done, on the next page. `undo`: the address of the form that takes it back, with its fields."""
    way_back = {"action": undo, "left": UNDO, "fields": dict(fields or {})} if undo else None
    flash({"text": text, "undo": way_back}, "toast")  # type: ignore[arg-type]
