"""Lists that are searched, filtered and shown page by page; all of it stands in the address, which can be sent to somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request

from fxo.web.language import _

SIZE = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    path: str
    values: Mapping[str, str]
    """The search and filters that are set."""
    page: int

    @property
    def offset(self) -> int:
        return (self.page - 1) * SIZE

    def of(self, name: str) -> str:
        return self.values.get(name, "")

    def url(self, **changed: str | int) -> str:
        """This list with something else in its address; back at the first page unless that is what changes."""
        query = {name: str(value) for name, value in {**self.values, **changed}.items() if value not in ("", None)}
        return self.path + (f"?{urlencode(query)}" if query else "")


def asked(*names: str) -> Asked:
    """Search and filters of these names, and the page, from the address; what makes no sense counts as not set."""
    given = {name: request.args.get(name, "").replace("\x00", "").strip()[:100] for name in names}
    page = request.args.get("page", "")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 5 else 1
    return Asked(request.path, {name: value for name, value in given.items() if value}, max(1, number))


def foot(found: Asked, total: int, shown: int) -> dict[str, Any]:
    """What stands under a list: `1–50 of 312`, and the pages where there are several."""
    last = max(1, -(-total // SIZE))
    text = ""
    if shown:
        text = _("%(first)s–%(last)s of %(total)s", first=found.offset + 1, last=found.offset + shown, total=total)
    numbers = sorted({1, last, *range(max(1, found.page - 1), min(last, found.page + 1) + 1)})
    pages: list[dict[str, Any]] = []
    for before, number in zip([0, *numbers], numbers, strict=False):
        if number > before + 1:
            pages.append({"label": "…"})
        pages.append({"label": str(number), "url": found.url(page=number), "current": number == found.page})
    return {
        "text": text,
        "pages": pages if last > 1 else [],
        "back": found.url(page=found.page - 1) if 1 < found.page <= last else None,
        "next": found.url(page=found.page + 1) if found.page < last else None,
    }


def matching(words: str, *texts: str) -> bool:
    """Whether each of the words stands in one of the texts."""
    whole = " ".join(texts).casefold()
    return all(word in whole for word in words.casefold().split())
