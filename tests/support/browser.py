"""A person with a browser, as far as pages without scripts go: reads forms, sends them, follows links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup
from flask import Flask


@dataclass(frozen=True)
class Page:
    """What came back: status, headers, and the page's text and forms."""

    status: int
    headers: dict[str, str]
    text: str

    @property
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

    def slots(self) -> list[dict[str, str]]:
        """Every free time on the page, as the form that its button would send."""
        found = []
        for button in self.soup.find_all("button", attrs={"name": "slot"}):
            form = button.find_parent("form")
            assert form is not None
            found.append(_fields(form) | {"slot": str(button["value"]), "": str(form["action"])})
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


class Person:
    """One browser at one host, with its own cookies."""

    def __init__(self, app: Flask, host: str) -> None:
        self.client = app.test_client()
        self.host = host

    def get(self, path: str, **headers: str) -> Page:
        return self._page(self.client.get(path, base_url=f"http://{self.host}", headers=headers))

    def post(self, path: str, data: dict[str, str] | None = None, **headers: str) -> Page:
        return self._page(self.client.post(path, base_url=f"http://{self.host}", data=data or {}, headers=headers))

    def submit(self, page: Page, action: str, **values: str) -> Page:
        """Fill in the form of the page that is sent there, and send it."""
        return self.post(action, page.form(action) | values)

    def follow(self, page: Page) -> Page:
        """Go where the answer leads, until there is a page."""
        for _ in range(6):
            if page.status not in (301, 302, 303, 307):
                return page
            page = self.get(page.location)
        raise AssertionError(f"redirects do not end: {page.location}")

    def json(self, path: str, body: dict[str, Any]) -> Any:
        """Send JSON, as a script of the page does."""
        return self.client.post(path, base_url=f"http://{self.host}", json=body)

    def _page(self, response: Any) -> Page:
        return Page(response.status_code, dict(response.headers), response.get_data(as_text=True))
