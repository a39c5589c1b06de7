"""What surrounds every page: the theme, the footer's pages, the style guide, errors that offer a way on, forms that come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import Context
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g

from fxo import platform
from fxo.app import create_app
from fxo.core.errors import Invalid
from fxo.core.scope import CODE, TenantConfig, system_scope
from fxo.settings import Settings
from fxo.tenants import network
from fxo.web import language
from fxo.web.frame import frame
from fxo.web.places import Place
from tests.conftest import PASSWORD, Databases, add_member, add_partners, add_tenant, running, write
from tests.support import sql
from tests.support.browser import Page, Person
from tests.support.flow import BRIEF, sign_in

PORTAL, PARTNERS, OPS = "fortium.localhost", "partners.localhost", "ops.localhost"
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def settings(databases: Databases) -> Iterator[Settings]:
    made = databases.make()
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Flask]:
    yield from running(create_app(settings))


@pytest.fixture(scope="module")
def tenant(app: Flask) -> TenantConfig:
    made = add_tenant("fortium", "Fortium", 80_000, list(add_partners().values()))
    add_member(made, "sarah@lindqvist.example")
    add_member(made, "boss@lindqvist.example", role="administrator")
    write(system_scope("sign_in"), CODE, network.add_operator, "olu@fxo.example", "Olu Ade", PASSWORD)
    return made


@pytest.fixture
def visitor(app: Flask, tenant: TenantConfig) -> Person:
    return Person(app, PORTAL)


def entered(app: Flask, host: str, mail: str) -> Person:
    person = Person(app, host)
    sign_in(person, mail, PASSWORD)
    return person


def choose(person: Person, theme: str, path: str = "/") -> Page:
    return person.submit(person.get(path), "/settings/theme", theme=theme)


def in_request(app: Flask, ask: Callable[[], Any], headers: dict[str, str]) -> Any:
    """What that is in a request of its own."""

    def run() -> Any:
        with app.test_request_context("/", base_url=f"http://{PORTAL}", headers=headers):
            app.preprocess_request()
            return ask()

    return Context().run(run)


def theme(page: Page) -> str:
    assert page.soup.html
    return str(page.soup.html.get("data-theme", ""))


# The theme ---------------------------------------------------------------------------------------------------------


def test_the_theme_button_works_without_scripts_and_comes_back_to_the_page(visitor: Person) -> None:
    answer = choose(visitor, "dark", "/help?x=1")
    assert (answer.status, answer.location) == (303, "/help?x=1")
    assert theme(visitor.get("/")) == "dark"
    button = visitor.get("/").soup.select_one("form[action='/settings/theme'] button")
    assert button
    assert (button["value"], button["aria-label"]) == ("system", "Theme: dark. Change to the system’s own")
    choose(visitor, "system")
    assert theme(visitor.get("/")) == ""


def test_what_a_script_has_not_told_the_server_yet_counts_in_its_browser(app: Flask, tenant: TenantConfig) -> None:
    sarah = entered(app, PORTAL, "sarah@lindqvist.example")
    choose(sarah, "light")
    for unsent, seen in (("dark!", "dark"), ("system!", ""), ("dark", "light"), ("neon!", "")):
        sarah.client.set_cookie("theme", unsent, domain=PORTAL)
        assert theme(sarah.get("/")) == seen, unsent


@pytest.mark.parametrize(
    ("host", "mail"), [(PORTAL, "sarah@lindqvist.example"), (PARTNERS, "dana@partners.example"), (OPS, "olu@fxo.example")]
)
def test_the_theme_of_an_account_follows_to_another_browser_and_to_nobody_else(
    app: Flask, tenant: TenantConfig, host: str, mail: str
) -> None:
    here, there = entered(app, host, mail), entered(app, host, mail)
    for wanted in ("dark", "light", "dark"):
        assert choose(here, wanted).status == 303
        assert theme(there.get("/")) == wanted
    other = {PORTAL: "boss@lindqvist.example", PARTNERS: "kofi@partners.example", OPS: None}[host]
    if other:
        assert theme(entered(app, host, other).get("/")) == ""
    choose(there, "system")
    assert theme(here.get("/")) == "", "what the account says counts for more than this browser's cookie"


def test_a_script_gets_no_page_for_the_theme(visitor: Person) -> None:
    form = visitor.get("/").form("/settings/theme") | {"theme": "light"}
    answer = visitor.post("/settings/theme", form, **{"X-Requested-With": "fetch"})
    assert (answer.status, answer.text) == (204, "")
    assert theme(visitor.get("/")) == "", "the script writes the cookie: it knows what was chosen since"


def test_the_theme_leads_nowhere_else_and_is_one_of_three(visitor: Person, settings: Settings) -> None:
    form = visitor.get("/").form("/settings/theme")
    away = visitor.post("/settings/theme", form | {"theme": "dark", "return_to": "//evil.example/"})
    assert (away.status, away.location) == (303, "/")
    assert visitor.post("/settings/theme", form | {"theme": "pink"}).status == 422
    assert visitor.post("/settings/theme", {"theme": "light"}).status == 422, "no token"
    with sql.superuser(settings) as connection:
        assert {row[0] for row in connection.execute("select theme from preferences")} <= {"system", "light", "dark"}


# The frame ---------------------------------------------------------------------------------------------------------


def test_every_link_of_the_footer_leads_to_a_page_with_something_on_it(app: Flask, tenant: TenantConfig) -> None:
    people = [Person(app, PORTAL), entered(app, PARTNERS, "dana@partners.example"), entered(app, OPS, "olu@fxo.example")]
    for person in people:
        links = [str(link["href"]) for link in person.get("/").soup.select("footer a")]
        assert "/help" in links
        for link in links:
            page = person.get(link)
            assert page.status == 200, link
            assert len(page.words) > 400, link


def test_each_role_has_a_help_page_of_its_own(app: Flask, tenant: TenantConfig) -> None:
    client, boss = entered(app, PORTAL, "sarah@lindqvist.example"), entered(app, PORTAL, "boss@lindqvist.example")
    assert "Book a time" in client.get("/help").words
    assert client.get("/help/administrators").status == 403
    assert boss.get("/help").link("/help/administrators")
    assert "Roster and prices" in boss.get("/help/administrators").words
    assert "Complete a session" in Person(app, PARTNERS).get("/help").words
    assert Person(app, OPS).get("/help").status == 303, "operators sign in first"
    assert "Every look is recorded" in entered(app, OPS, "olu@fxo.example").get("/help").words


def test_what_cancelling_costs_is_the_portals_own_rule(visitor: Person, tenant: TenantConfig) -> None:
    words = visitor.get("/how-payment-works").words
    assert f"until {tenant.policy.free_until_hours} hours before" in words
    assert f"costs {tenant.policy.late_percent}% of the price" in words
    assert str(tenant.price) in words


def test_partners_and_operators_have_a_command_menu_of_the_pages_they_can_reach(app: Flask, tenant: TenantConfig) -> None:
    for person in (entered(app, PARTNERS, "dana@partners.example"), entered(app, OPS, "olu@fxo.example")):
        page = person.get("/")
        urls = [str(option["data-url"]) for option in page.soup.select("#commands [role=option]")]
        assert {str(link["href"]) for link in page.soup.select("nav.nav a")} <= set(urls)
        assert page.soup.select_one("[data-command-trigger]")
    assert not entered(app, PORTAL, "sarah@lindqvist.example").get("/").soup.select("#commands")


def test_the_style_guide_is_there_in_the_demo_and_when_debugging_alone(
    app: Flask, tenant: TenantConfig, settings: Settings
) -> None:
    for host in (PORTAL, PARTNERS, OPS):
        assert Person(app, host).get("/styleguide").status == 200
    for plain in running(create_app(settings.model_copy(update={"demo": False}))):
        assert Person(plain, PORTAL).get("/styleguide").status == 404
        plain.debug = True
        assert Person(plain, PORTAL).get("/styleguide").status == 200


def test_every_component_is_on_the_style_guide(visitor: Person) -> None:
    page = visitor.get("/styleguide").soup
    for selector in (
        ".button--primary", ".field--error", ".choice", ".chip", ".check", ".ask", ".card", ".kv", ".list", ".partner-card",
        ".slot-picker", ".stepper", ".timer", ".badge", ".rating", ".rate", ".avatar", ".match", ".table--dense",
        "[aria-selected=true]", "[aria-sort]", ".table--cards", ".tabs", ".pagination", ".menu", ".tooltip", ".dialog", ".sheet",
        ".help", ".command-menu", ".toast", ".banner", ".empty", ".skeleton", ".stat", ".chart", ".topbar", ".nav", ".rail",
        ".thumb-bar", ".editor", "progress", "[data-theme=light] .brand-scope", "[data-theme=dark] .brand-scope",
    ):  # fmt: skip
        assert page.select_one(selector), selector
    assert len(page.select("[data-theme=dark] .brand-scope")) == 8


# Errors ------------------------------------------------------------------------------------------------------------


def test_an_error_page_says_what_to_do_and_offers_a_way_on(app: Flask, visitor: Person) -> None:
    client = entered(app, PORTAL, "sarah@lindqvist.example")
    for person, path, status in ((visitor, "/nothing", 404), (client, "/admin", 403)):
        page = person.get(path)
        assert page.status == status
        assert page.soup.h1
        assert "/" in [link["href"] for link in page.soup.select("main a")]
        assert "give this number" in page.words
    huge = visitor.post("/briefs", {"problem": "x" * 600_000}, Referer=f"http://{PORTAL}/?example=1")
    assert huge.status == 413
    assert huge.link("/?example=1")
    nowhere = Person(app, "nobody.localhost").get("/")
    assert (nowhere.status, nowhere.soup.select("main a")) == (404, [])


def test_the_sentence_of_an_error_is_found_in_the_catalogue(app: Flask, tmp_path: Path) -> None:
    plain, valued = Invalid("Please sign in."), Invalid("At most %(most)s characters, 100%% yours.", most=80)
    assert valued.message == "At most 80 characters, 100% yours."
    source = tmp_path / "messages.po"
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    source.write_text(
        header + 'msgid "Please sign in."\nmsgstr "Bitte melden Sie sich an."\n\n'
        'msgid "At most %(most)s characters, 100%% yours."\nmsgstr "Höchstens %(most)s Zeichen, zu 100%% Ihre."\n'
    )
    compiled = tmp_path / "messages.mo"
    with source.open("rb") as read, compiled.open("wb") as written:
        write_mo(written, read_po(read))
    with compiled.open("rb") as read:
        language.languages()["de"] = language.Translations(read)
    try:
        assert in_request(app, lambda: language.said(plain), {"Accept-Language": "de"}) == "Bitte melden Sie sich an."
        assert in_request(app, lambda: language.said(valued), {"Accept-Language": "de"}) == "Höchstens 80 Zeichen, zu 100% Ihre."
        assert in_request(app, lambda: language.said(valued), {}) == valued.message
        assert in_request(app, lambda: language.said(Invalid("50% off")), {}) == "50% off"
    finally:
        del language.languages()["de"]


# Forms that come back ----------------------------------------------------------------------------------------------


def test_a_form_whose_token_is_too_old_comes_back_with_what_was_typed(visitor: Person) -> None:
    form = visitor.get("/").form("/briefs") | {"problem": BRIEF, "form_token": "of another day"}
    page = visitor.post("/briefs", form, **OURS)
    assert page.status == 422
    assert BRIEF in page.words
    again = page.form("/briefs")
    assert again["problem"] == BRIEF
    assert visitor.post("/briefs", again).location.startswith("/briefs/")


def test_a_form_of_another_site_never_comes_back_to_be_sent(app: Flask, visitor: Person) -> None:
    visitor.get("/")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
        page = visitor.post("/briefs", {"problem": BRIEF}, **headers)
        assert page.status == 422
        assert BRIEF not in page.text
        assert not page.soup.select("form[action='/briefs']")
    ours = visitor.post("/briefs", {"problem": BRIEF}, Origin=f"http://{PORTAL}")
    assert ours.form("/briefs")["problem"] == BRIEF


def test_passwords_do_not_come_back(visitor: Person) -> None:
    visitor.get("/sign-in")
    page = visitor.post("/sign-in", {"mail": "sarah@lindqvist.example", "password": "only mine"}, **OURS)
    assert page.status == 422
    assert "only mine" not in page.text
    assert "Passwords and files are not kept." in page.words
    assert page.form("/sign-in")["mail"] == "sarah@lindqvist.example"


def test_what_was_typed_survives_a_sign_in_that_ran_out(app: Flask, tenant: TenantConfig) -> None:
    person = entered(app, PORTAL, "sarah@lindqvist.example")
    fields = {"stars": "5", "text": "Told our board the truth in four slides."}
    path = "/sessions/0190a0a0-0000-7000-8000-000000000001/rating"
    person.submit(person.get("/"), "/sign-out")
    token = person.get("/").form("/settings/theme")["form_token"]
    asked = person.post(path, fields | {"form_token": token})
    assert asked.status == 401
    assert "What you typed is kept." in asked.words
    wrong = person.submit(asked, "/sign-in", mail="sarah@lindqvist.example", password="not it")
    assert wrong.status == 422
    page = person.submit(wrong, "/sign-in", mail="sarah@lindqvist.example", password=PASSWORD)
    assert page.status == 200
    assert page.form(path) | fields == page.form(path)
    assert person.post(path, page.form(path)).status == 404, "it is sent, and no such session is theirs"


def test_another_browsers_form_is_not_resumed(app: Flask, tenant: TenantConfig) -> None:
    attacker, victim = Person(app, PORTAL), Person(app, PORTAL)
    token = attacker.get("/").form("/settings/theme")["form_token"]
    planted = attacker.post("/sessions/x/rating", {"form_token": token, "text": "Not mine"}).form("/sign-in")["pending"]
    form = victim.get(f"/sign-in?pending={planted}").form("/sign-in")
    assert "pending" not in form
    answer = victim.post("/sign-in", form | {"mail": "sarah@lindqvist.example", "password": PASSWORD, "pending": planted})
    assert answer.status == 303, "signed in, and nothing of anybody else's is waiting"


@pytest.mark.parametrize("path", ["/sessions", "/sessions?page=2&state=done", "/help/administrators"])
def test_a_deep_link_survives_the_sign_in(app: Flask, tenant: TenantConfig, path: str) -> None:
    person = Person(app, PORTAL)
    asked = person.get(path)
    assert asked.status == 303
    landed = person.submit(person.get(asked.location), "/sign-in", mail="boss@lindqvist.example", password=PASSWORD)
    assert (landed.status, landed.location) == (303, path)


def test_a_portal_with_a_logo_shows_it(app: Flask, tenant: TenantConfig, visitor: Person) -> None:
    assert visitor.get("/").soup.select_one(".brand__mark")

    def logo() -> Any:
        config = platform.current().records.by_host(PORTAL)
        g.place = Place("portal", PORTAL, replace(config, brand={**config.brand, "logo_url": "/logo-1.png"}))
        return frame(bare=True)["portal"]["logo_url"]

    assert in_request(app, logo, {}) == "/logo-1.png"
