"""A person with a browser, as far as pages without scripts go: reads forms, sends them, follows links."""

from __future__ import annotations

from contextvars import Context
from typing import Any

from flask import Flask

from fxo.demo.pages import Page


class Person:
    """One browser at one host, with its own cookies."""

    def __init__(self, app: Flask, host: str) -> None:
        self.client = app.test_client()
        self.host = host

    def get(self, path: str, **headers: str) -> Page:
        return self._page(self._ask(self.client.get, path, headers=headers))

    def post(self, path: str, data: dict[str, str] | None = None, **headers: str) -> Page:
        return self._page(self._ask(self.client.post, path, data=data or {}, headers=headers))

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
        return self._ask(self.client.post, path, json=body)

    def _ask(self, send: Any, path: str, **values: Any) -> Any:
        """Send it outside the test's own application context, which Flask would share between the requests of all people."""
        return Context().run(send, path, base_url=f"http://{self.host}", **values)

    def _page(self, response: Any) -> Page:
        with response:
            text = response.get_data().decode(errors="replace")  # a file, such as a receipt, is none
            return Page(response.status_code, dict(response.headers), text)
