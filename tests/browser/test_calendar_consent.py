"""An expert connects a calendar in a browser: over to the company's page and back, under the pages' own policy."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from fxo import platform
from fxo.app import create_app
from fxo.core.calendars import connections
from fxo.core.scope import CODE, system_scope
from tests.conftest import PASSWORD, Databases, add_partners, add_tenant, running
from tests.emulators.google import Google
from tests.support.calendars import GOOGLE, at_google


@pytest.fixture
def place(databases: Databases) -> Iterator[tuple[str, Google]]:
    """The experts' host, and Google."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    google, settings, here = Google(), databases.make(public_port=port), f"http://partners.localhost:{port}"
    google.consent.redirects.add(f"{here}/calendar/{GOOGLE}/return")
    with google.running():
        for _ in running(app := create_app(settings, extra_plugins=(at_google(google),))):
            add_tenant("fortium", "Fortium", 80_000, list(add_partners().values()))
            server = make_server("127.0.0.1", port, app, threaded=True)
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            yield here, google
            server.shutdown()
            server.server_close()
            thread.join(5)
    databases.drop(settings)


def test_an_expert_connects_a_calendar_hears_that_it_broke_and_mends_it(browser: Browser, place: tuple[str, Google]) -> None:
    here, google = place
    page = browser.new_page(viewport={"width": 390, "height": 844})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(f"{here}/sign-in?next=/calendar")
    page.get_by_label("Mail address").fill("dana@partners.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Not connected")).to_be_visible()

    page.get_by_role("link", name="Connect").click()
    expect(page.get_by_text("Connected. Clients see only times at which you are free there too.")).to_be_visible()
    assert page.url == f"{here}/calendar", "no code and no state stays in the address"
    [grant] = google.consent.grants

    [(partner_id,)] = _rows("select partner_id from calendar_connections")
    platform.current().store.run(system_scope("connections"), CODE, connections.break_off, partner_id, GOOGLE, "revoked")
    page.goto(here)
    page.get_by_role("link", name="Connect it again").click()
    expect(page.get_by_text("Does not work")).to_be_visible()
    page.get_by_role("link", name="Connect it again").click()
    expect(page.get_by_role("button", name="Disconnect")).to_be_visible()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("Disconnected.")).to_be_visible()
    assert google.consent.grants == [grant], "the newest one is given back"
    assert not said
    page.close()


def _rows(query: str) -> list[tuple[object, ...]]:
    with platform.current().store.transaction(system_scope("connections"), CODE) as tx:
        return tx.driver.execute(query).fetchall()  # type: ignore[arg-type]
