"""A page as a person without scripts sees it: its words, its forms, its free times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bs4 import BeautifulSoup


@dataclass(frozen=True)
class Page:
    """What came back: status, headers, and the page's text and forms."""

    status: int
    headers: Mapping[str, str]
    text: str

    @cached_property
    def soup(self) -> BeautifulSoup:
        return BeautifulSoup(self.text, "html.parser")

    @property
    def location(self) -> str:
        return self.headers["Location"]

    @property
    def words(self) -> str:
        """The text that a reader sees, on one line."""
        return " ".join((self.soup.main or self.soup).get_text(" ").split())

    def form(self, action: str) -> dict[str, str]:
        """The fields of the first form that is sent there, as they stand."""
        for form in self.soup.find_all("form"):
            if (form.get("action") or "") == action:
                return _fields(form)
        raise AssertionError(f"no form is sent to {action}: {[form.get('action') for form in self.soup.find_all('form')]}")

    def action(self, begins: str) -> str:
        """Where the first form whose address begins so is sent."""
        for form in self.soup.find_all("form"):
            if str(form.get("action") or "").startswith(begins):
                return str(form["action"])
        raise AssertionError(f"no form is sent to {begins}...: {[form.get('action') for form in self.soup.find_all('form')]}")

    def link(self, begins: str) -> str:
        """The first link whose address begins so."""
        for link in self.soup.find_all("a"):
            if str(link.get("href") or "").startswith(begins):
                return str(link["href"])
        raise AssertionError(f"no link leads to {begins}...")

    def slots(self) -> list[dict[str, str]]:
        """Every free time on the page, as the form that its button would send; the empty name holds where to."""
        found = []
        for form in self.soup.find_all("form"):
            fields = _fields(form)
            for button in form.find_all("button", attrs={"name": "slot"}):
                found.append(fields | {"slot": str(button["value"]), "": str(form["action"])})
        return found


def _fields(form: Any) -> dict[str, str]:
    found = {}
    for field in form.find_all(["input", "textarea", "select"]):
        name, kind = field.get("name"), field.get("type", "")
        if not name or (kind in ("radio", "checkbox") and not field.has_attr("checked")):
            continue
        if field.name == "select":
            chosen = field.find("option", selected=True) or field.find("option")
            found[name] = str(chosen.get("value", "")) if chosen else ""
        else:
            found[name] = field.get_text() if field.name == "textarea" else str(field.get("value", ""))
    return found
