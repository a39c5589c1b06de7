"""Hosts, cookies and portals: who is where, what is answered on which host, and what every answer carries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextvars import Context
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from fxo.app import create_app
from fxo.core.ids import new_id
from fxo.core.scope import CODE, TenantConfig, system_scope
from fxo.settings import Settings
from fxo.tenants import network, passwords, records
from tests.conftest import PASSWORD, Databases, add_member, add_partners, add_tenant, running, write
from tests.support import sql
from tests.support.browser import Page, Person
from tests.support.flow import BRIEF, shortlist, sign_in

FORTIUM, GLOBEX, OWN = "fortium.localhost", "globex.localhost", "experts.globex.example"
MAIL = "sarah@globex.example"


@pytest.fixture(scope="module")
def settings(databases: Databases) -> Iterator[Settings]:
    made = databases.make()
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Flask]:
    yield from running(create_app(settings))


@pytest.fixture(scope="module", autouse=True)
def portals(app: Flask) -> dict[str, TenantConfig]:
    """`fortium` is open; `globex` is closed, for its own mail domain, and has a host of its own. Sarah is a member of both."""
    ids = list(add_partners().values())
    made = {
        "fortium": add_tenant("fortium", "Fortium", 80_000, ids),
        "globex": add_tenant(
            "globex", "Globex Expert Desk", 72_000, ids, visitors_may_match=False, mail_domains=("globex.example",), hosts=(OWN,)
        ),
    }
    for config in made.values():
        add_member(config, MAIL, role="administrator")
    write(system_scope("sign_in"), CODE, network.add_operator, "ops@fxo.example", "Olu Operator", PASSWORD)
    return made


@pytest.fixture
def at(app: Flask) -> Callable[[str], Person]:
    return lambda host: Person(app, host)


def entered(app: Flask, host: str, mail: str = MAIL) -> Person:
    person = Person(app, host)
    sign_in(person, mail, PASSWORD)
    return person


def raw(app: Flask, host: str, path: str = "/", **headers: str) -> Page:
    """A request with exactly this Host header, whatever it is."""
    response = ask(app, path, headers={"Host": host, **headers})
    return Page(response.status_code, dict(response.headers), response.get_data(as_text=True))


def ask(app: Flask, path: str, **values: Any) -> Any:
    """A request of its own, outside the test's application context."""
    return Context().run(app.test_client().get, path, **values)


# Which host ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "nobody.localhost", "localhost.evil.example", "fortium.localhost.evil.example", "fortium", "a.fortium.localhost",
        "evil.example", "127.0.0.1", "127.0.0.1:8000", "partners.evil.example", "fortium-localhost", "www.fortium.localhost",
        "example." + OWN, "network.localhost",
    ],
)  # fmt: skip
def test_an_unknown_host_has_nothing(app: Flask, host: str) -> None:
    page = raw(app, host)
    assert page.status == 404
    assert "cannot find" in page.words
    assert not any(name in page.text for name in ("Fortium", "Globex"))


@pytest.mark.parametrize(
    "host",
    [
        "", " ", ".", "..", ":", ":80", "fortium.localhost:", "fortium.localhost:x", "fortium.localhost:81:82",
        "fortium.localhost/", "fortium localhost", "[::1]", "[::1]:8000", "[", "]",
        "@fortium.localhost", "user@fortium.localhost", "фортиум.localhost",
        "fortium\u3002localhost", "' or 1=1 --.localhost", "%00.localhost", "a" * 300, "a" * 70_000, "<script>.localhost",
        "fortium.localhost, globex.localhost", "*", "fortium_.localhost", ".localhost", "-.localhost",
    ],
    ids=lambda host: repr(host[:30]),
)  # fmt: skip
def test_an_odd_host_is_refused_and_never_breaks_anything(app: Flask, host: str) -> None:
    page = raw(app, host.encode().decode("latin-1"))
    assert page.status in (400, 404), page.words
    assert "<script>" not in page.text
    assert not any(name in page.text for name in ("Fortium", "Globex"))


@pytest.mark.parametrize("host", ["fortium.localhost", "FORTIUM.localhost", "Fortium.LocalHost:8000", "fortium.localhost:443"])
def test_a_portal_is_found_by_its_name_in_any_case_and_at_any_port(app: Flask, host: str) -> None:
    page = raw(app, host)
    assert page.status == 200
    assert "Fortium" in page.text


def test_a_portal_is_found_by_its_own_domain(app: Flask) -> None:
    page = Person(app, OWN).follow(raw(app, OWN))
    assert page.status == 200
    assert "Globex Expert Desk" in page.text


def test_a_forwarded_host_counts_only_behind_proxies_that_we_trust(app: Flask, settings: Settings) -> None:
    forged = {"X-Forwarded-Host": GLOBEX, "Forwarded": f"host={GLOBEX}", "X-Original-Host": GLOBEX}
    assert "Globex" not in raw(app, FORTIUM, **forged).text
    behind = create_app(settings.model_copy(update={"trusted_proxies": 1}))
    with behind.app_context():
        assert raw(behind, "10.0.0.1", "/sign-in", **{"X-Forwarded-Host": GLOBEX}).status == 200
        _dispose()


def _dispose() -> None:
    from fxo.core.db import db

    for engine in db.engines.values():
        engine.dispose()


@pytest.mark.parametrize("path", ["/", "/sessions", "/sign-in?next=//evil.example", "/nothing"])
def test_the_bare_base_leads_to_the_public_marketplace(app: Flask, settings: Settings, path: str) -> None:
    page = raw(app, "localhost", path)
    assert page.status == 302
    assert page.location == settings.url(FORTIUM, "/")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", FORTIUM, OWN, "partners.localhost", "ops.localhost", "hooks.localhost", "meet.localhost",
     "nobody.example", "127.0.0.1:8000", "[::1]:8000", "10.0.0.7"],
)  # fmt: skip
def test_health_is_answered_on_any_host(app: Flask, host: str, path: str) -> None:
    page = raw(app, host, path)
    assert page.status == 200
    assert '"ok":true' in page.text
    assert "Set-Cookie" not in page.headers


def test_a_partner_finds_no_portal_on_the_partners_host_and_a_client_no_workspace_on_a_portal(app: Flask) -> None:
    for host, path in (
        ("partners.localhost", "/briefs/" + str(new_id())), ("partners.localhost", "/book/" + str(new_id())),
        ("ops.localhost", "/sessions"), (FORTIUM, "/earnings"), (FORTIUM, "/ledger"), (FORTIUM, "/alarms"),
        ("hooks.localhost", "/"), ("meet.localhost", "/sign-in"),
    ):  # fmt: skip
        assert raw(app, host, path).status == 404, (host, path)


# Cookies and members -----------------------------------------------------------------------------------------------


def cookie(person: Person) -> str:
    kept = person.client.get_cookie("fxo", domain=person.host)
    assert kept is not None
    return kept.value


def with_cookie(app: Flask, host: str, value: str) -> Person:
    person = Person(app, host)
    person.client.set_cookie("fxo", value, domain=host)
    return person


def test_the_cookie_of_one_place_opens_no_other(app: Flask) -> None:
    value = cookie(entered(app, FORTIUM))
    assert with_cookie(app, FORTIUM, value).get("/sessions").status == 200
    for host, path in ((GLOBEX, "/sessions"), (OWN, "/sessions"), ("partners.localhost", "/"), ("ops.localhost", "/")):
        page = with_cookie(app, host, value).get(path)
        assert (page.status, page.location.split("?")[0]) == (303, "/sign-in"), host


def test_the_two_hosts_of_one_portal_are_one_place(app: Flask) -> None:
    assert with_cookie(app, OWN, cookie(entered(app, GLOBEX))).get("/sessions").status == 200


def test_an_operators_cookie_is_nobodys_on_a_portal(app: Flask) -> None:
    value = cookie(entered(app, "ops.localhost", "ops@fxo.example"))
    assert with_cookie(app, "ops.localhost", value).get("/").status == 200
    assert with_cookie(app, FORTIUM, value).get("/sessions").status == 303


def test_a_visitors_brief_stays_with_their_cookie(app: Flask) -> None:
    visitor = Person(app, FORTIUM)
    location = visitor.post("/briefs", visitor.get("/").form("/briefs") | {"problem": BRIEF}).location
    assert visitor.get(location).status == 200
    assert Person(app, FORTIUM).get(location).status == 404
    assert with_cookie(app, GLOBEX, cookie(visitor)).get(location).status in (303, 404)


@pytest.mark.parametrize("change", ["x", "tail", "empty"])
def test_a_cookie_that_was_changed_is_nobodys(app: Flask, change: str) -> None:
    value = cookie(entered(app, FORTIUM))
    forged = {"x": "x" + value, "tail": value[:-3] + "abc", "empty": ""}[change]
    assert with_cookie(app, FORTIUM, forged).get("/sessions").status == 303


def test_signing_in_gives_a_fresh_cookie_and_signing_out_ends_it(app: Flask) -> None:
    person = Person(app, FORTIUM)
    person.get("/")
    before = cookie(person)
    sign_in(person, MAIL, PASSWORD)
    assert cookie(person) != before
    assert with_cookie(app, FORTIUM, before).get("/sessions").status == 303
    page = person.get("/sessions")
    assert person.submit(page, "/sign-out").status == 303
    assert person.get("/sessions").status == 303


def test_a_cookie_is_for_one_host_and_out_of_reach_of_scripts(app: Flask, settings: Settings) -> None:
    [given] = ask(app, "/", base_url=f"http://{FORTIUM}").headers.getlist("Set-Cookie")
    assert given.startswith("fxo=")
    assert "HttpOnly" in given and "SameSite=Lax" in given and "Path=/" in given
    assert "Domain" not in given
    secure = create_app(settings.model_copy(update={"public_scheme": "https"}))
    with secure.app_context():
        response = ask(secure, "/", base_url=f"https://{FORTIUM}")
        [given] = response.headers.getlist("Set-Cookie")
        assert given.startswith("__Host-fxo=")
        assert "Secure" in given and "Path=/" in given and "Domain" not in given
        assert response.headers["Strict-Transport-Security"].startswith("max-age=")
        _dispose()


def test_the_same_address_in_two_tenants_is_two_memberships(app: Flask, settings: Settings, portals: Any) -> None:
    with sql.superuser(settings) as connection:
        found = connection.execute("select tenant_id, id from members where email = %s", (MAIL,)).fetchall()
        assert {tenant_id for tenant_id, _ in found} == {config.id for config in portals.values()}
        assert len({member_id for _, member_id in found}) == 2
        connection.execute(
            "update members set password_hash = %s where email = %s and tenant_id = %s",
            (passwords.hashed("quite another passphrase"), MAIL, portals["globex"].id),
        )
    try:
        assert entered(app, FORTIUM).get("/sessions").status == 200
        person = Person(app, GLOBEX)
        refused = person.submit(person.get("/sign-in"), "/sign-in", mail=MAIL, password=PASSWORD)
        assert refused.status == 422
        assert "do not belong together" in refused.words
    finally:
        with sql.superuser(settings) as connection:
            connection.execute("update members set password_hash = %s where email = %s", (passwords.hashed(PASSWORD), MAIL))


def test_a_member_of_one_tenant_is_unknown_in_the_other(app: Flask, portals: dict[str, TenantConfig]) -> None:
    add_member(portals["fortium"], "only@fortium.example")
    person = Person(app, GLOBEX)
    answers = [
        person.submit(person.get("/sign-in"), "/sign-in", mail=mail, password=PASSWORD)
        for mail in ("only@fortium.example", "nobody@nowhere.example")
    ]
    assert [answer.status for answer in answers] == [422, 422]
    assert len({re.sub(r"[\w.]+@[\w.]+", "", answer.words) for answer in answers}) == 1, "both hear the same"


# A closed portal ---------------------------------------------------------------------------------------------------


def test_a_closed_portal_shows_visitors_the_sign_in_and_nothing_else(app: Flask, settings: Settings) -> None:
    with sql.superuser(settings) as connection:
        names = [name for (name,) in connection.execute("select name from partners")]
        [(partner_id,), *_] = connection.execute("select id from partners").fetchall()
    visitor = Person(app, GLOBEX)
    for path in ("/", "/?example=1", f"/experts/{partner_id}", f"/briefs/{new_id()}", "/sessions", f"/book/{new_id()}", "/admin"):
        page = visitor.get(path)
        assert (page.status, page.location.split("?")[0]) == (303, "/sign-in"), path
    page = visitor.get("/sign-in")
    assert page.status == 200
    assert not any(name in page.text for name in names)


def test_a_closed_portal_takes_no_brief_from_a_visitor(app: Flask, settings: Settings) -> None:
    visitor = Person(app, GLOBEX)
    token = visitor.get("/sign-in").form("/sign-in")["form_token"]
    answer = visitor.post("/briefs", {"form_token": token, "problem": BRIEF})
    assert (answer.status, BRIEF in answer.text) == (401, False)
    assert "What you typed is kept." in answer.words
    with sql.superuser(settings) as connection:
        query = "select count(*) from briefs b join tenants t on t.id = b.tenant_id where t.slug = 'globex'"
        assert connection.execute(query).fetchone() == (0,)


def sign_up(person: Person, mail: str, password: str = PASSWORD) -> Page:
    fields = {"name": "Maria Duarte", "company": "Globex", "zone": "Europe/Lisbon", "password": password}
    return person.submit(person.get("/sign-up"), "/sign-up", mail=mail, **fields)


@pytest.mark.parametrize(
    "mail",
    [
        "maria@elsewhere.example", "maria@sub.globex.example", "maria@globex.example.evil.example", "maria@notglobex.example",
        "maria@evil.example@globex.example", "maria@globex.example, x@evil.example", "globex.example", "maria@",
        "maria@gl\u043ebex.example",
    ],
)  # fmt: skip
def test_only_addresses_of_its_domains_sign_up_at_a_closed_portal(app: Flask, settings: Settings, mail: str) -> None:
    person = Person(app, GLOBEX)
    answer = sign_up(person, mail)
    assert answer.status == 422
    assert "mail address" in answer.words or "@globex.example" in answer.words
    assert person.get("/").status == 303
    with sql.superuser(settings) as connection:
        assert connection.execute("select count(*) from members where email like 'maria@%'").fetchone() == (0,)


def test_an_address_of_its_domain_signs_up_in_any_case_once(app: Flask) -> None:
    person = Person(app, GLOBEX)
    landed = sign_up(person, " Priya@GLOBEX.example ")
    assert landed.status == 303
    assert person.get("/").status == 200
    stranger = sign_up(Person(app, GLOBEX), "priya@globex.example", "another passphrase altogether")
    assert stranger.status == 409
    assert "Please sign in" in stranger.words


def test_signing_up_twice_with_the_same_password_signs_in(app: Flask, settings: Settings) -> None:
    assert sign_up(Person(app, GLOBEX), "noor@globex.example").status == 303
    again = Person(app, GLOBEX)
    assert sign_up(again, "noor@globex.example").status == 303
    assert again.get("/").status == 200
    with sql.superuser(settings) as connection:
        assert connection.execute("select count(*) from members where email = 'noor@globex.example'").fetchone() == (1,)


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "evil", "\\\\evil"]
)
def test_signing_in_never_leads_to_another_site(app: Flask, target: str) -> None:
    person = Person(app, FORTIUM)
    page = person.get("/sign-in", **{})
    landed = person.submit(page, "/sign-in", mail=MAIL, password=PASSWORD, next=target)
    assert (landed.status, landed.location) == (303, "/")


def test_who_has_to_sign_in_comes_back_to_where_they_were(app: Flask) -> None:
    person = Person(app, FORTIUM)
    asked = person.get("/sessions?page=2&sort=new")
    landed = person.submit(person.get(asked.location), "/sign-in", mail=MAIL, password=PASSWORD)
    assert landed.location == "/sessions?page=2&sort=new"


# What people send --------------------------------------------------------------------------------------------------


def test_a_brief_of_a_megabyte_is_refused_in_a_sentence(app: Flask) -> None:
    visitor = Person(app, FORTIUM)
    answer = visitor.post("/briefs", visitor.get("/").form("/briefs") | {"problem": "a" * 1_000_000})
    assert answer.status == 413
    assert "larger than we take" in answer.words
    assert "shorten" in answer.words


def test_a_brief_that_is_too_long_is_given_back_with_what_to_do(app: Flask) -> None:
    visitor = Person(app, FORTIUM)
    answer = visitor.post("/briefs", visitor.get("/").form("/briefs") | {"problem": "word " * 5_000})
    assert answer.status == 422
    assert "Please shorten this to 8,000 characters; it has 24,999. Nothing is lost." in answer.words
    assert answer.form("/briefs")["problem"].strip() == ("word " * 5_000).strip()


@pytest.mark.parametrize(
    "problem",
    [
        "🔥🧯 Our plant 🏭 was encrypted 🙀, the insurer wants a plan 📋 by Friday.",
        "חברת הביטוח שלנו דורשת תוכנית התאוששות מתקיפת כופרה לפני ינואר.",
        "شركة التأمين تطلب خطة للتعافي من هجمات الفدية قبل يناير. \u202eevil\u202c",
        "保険会社が1月までにランサムウェア復旧計画を求めています。",
        "<script>alert(1)</script> \"quotes\" & 'more' {{ 7*7 }} {% raw %} ${x} \\ %s \u2028",
        "e\u0301\u0301\u0301" * 200,
        "no",
    ],
    ids=["emoji", "hebrew", "arabic", "japanese", "markup", "marks", "short"],
)
def test_a_brief_in_any_script_is_taken_and_shown_as_it_was_written(app: Flask, problem: str) -> None:
    visitor = Person(app, FORTIUM)
    page = visitor.follow(visitor.post("/briefs", visitor.get("/").form("/briefs") | {"problem": problem}))
    assert page.status == 200
    assert " ".join(problem.split()) in " ".join(page.soup.get_text(" ").split())
    assert "<script>alert" not in page.text


@pytest.mark.parametrize(
    "path", ["/?example=99", "/?example=²", "/?example=-1", "/?example=0", "/?example=x", "/?%00=%00", "/?a=%ff"]
)
def test_odd_queries_never_break_the_front_page(app: Flask, path: str) -> None:
    assert Person(app, FORTIUM).get(path).status == 200


UNKNOWN = [str(UUID(int=7)), "1", "dana", "%00", "..%2f..", "'--", "🙂", str(UUID(int=7)).replace("-", "").upper() + "0"]


@pytest.mark.parametrize("unknown", UNKNOWN)
def test_what_does_not_exist_is_not_found_on_any_page(app: Flask, unknown: str) -> None:
    sarah = entered(app, FORTIUM)
    checked = 0
    for rule in app.url_map.iter_rules():
        if rule.subdomain != "portal" or "GET" not in (rule.methods or set()) or not rule.arguments:
            continue
        if rule.endpoint.startswith(("static", "theme", "api.")):
            continue
        path = rule.rule
        for argument in rule.arguments:
            path = re.sub(rf"<(path:)?{argument}>", unknown, path)
        page = sarah.get(path)
        if "token" in rule.arguments and page.status == 410:  # a link of a mail says what became of it
            assert "This link has been used, or it is too old" in page.words
        else:
            assert (page.status, "cannot find" in page.words) == (404, True), (path, page.words)
        checked += 1
    assert checked >= 9


# What every answer carries -----------------------------------------------------------------------------------------

POLICY = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "font-src": "'self'", "img-src": "'self' data:",
    "connect-src": "'self'", "manifest-src": "'self'", "form-action": "'self'", "frame-ancestors": "'none'", "base-uri": "'none'",
}  # fmt: skip


def policy(page: Page) -> dict[str, str]:
    found = {}
    for part in page.headers["Content-Security-Policy"].split(";"):
        name, _, sources = part.strip().partition(" ")
        found[name] = sources
    return found


def assert_safe(page: Page, where: object) -> None:
    assert page.headers["X-Content-Type-Options"] == "nosniff", where
    assert page.headers["Referrer-Policy"] == "same-origin", where
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin", where
    assert page.headers["Permissions-Policy"].startswith("camera=()"), where
    assert policy(page) == POLICY, where
    assert not {"X-Powered-By", "Access-Control-Allow-Origin"} & page.headers.keys(), where
    if not page.headers["Content-Type"].startswith("text/html"):
        return
    assert page.headers["Cache-Control"] == "no-store", where
    for script in page.soup.find_all("script"):
        assert str(script.get("src", "")).startswith("/"), where
        assert not script.get_text().strip(), where
    assert not page.soup.find_all("style"), where
    for link in page.soup.find_all("link", rel="stylesheet"):
        assert str(link["href"]).startswith("/"), where
    for tag in page.soup.find_all(True):
        assert "style" not in tag.attrs, (where, tag)
        assert not [name for name in tag.attrs if name.startswith("on")], (where, tag)
        assert not any(str(tag.get(name, "")).strip().lower().startswith("javascript:") for name in ("href", "src", "action")), (
            where
        )


def test_every_page_of_every_place_is_safe(app: Flask) -> None:
    people = {
        "portal": entered(app, FORTIUM), "partners": entered(app, "partners.localhost", _partner(app)),
        "ops": entered(app, "ops.localhost", "ops@fxo.example"),
    }  # fmt: skip
    visitors = {place: Person(app, person.host) for place, person in people.items()}
    checked = 0
    for rule in app.url_map.iter_rules():
        if rule.arguments or "GET" not in (rule.methods or set()) or rule.subdomain not in people:
            continue
        if rule.endpoint.startswith("api."):
            continue
        for person in (people[rule.subdomain], visitors[rule.subdomain]):
            page = person.get(rule.rule)
            assert page.status in (200, 303, 404, 410), (rule, page.status)
            assert_safe(page, rule)
            checked += page.status == 200
    assert checked > 25


def _partner(app: Flask) -> str:
    mail = "dana@partners.example"

    def sign_in_for(tx: Any) -> None:
        [(partner_id,)] = tx.driver.execute("select partner_id from partner_contacts where email = %s", (mail,)).fetchall()
        network.set_partner_password(tx, partner_id, PASSWORD)

    write(system_scope("sign_in"), CODE, sign_in_for)
    return mail


def test_a_shortlist_an_expert_and_error_pages_are_safe(app: Flask) -> None:
    visitor = Person(app, FORTIUM)
    page = shortlist(visitor)
    assert_safe(page, "shortlist")
    expert = visitor.get("/experts/" + page.slots()[0]["partner"])
    assert expert.status == 200
    assert_safe(expert, "expert")
    for path, status in (("/nothing", 404), ("/briefs", 405), (f"/briefs/{new_id()}", 404)):
        page = visitor.get(path)
        assert page.status == status
        assert_safe(page, path)
    assert_safe(raw(app, "nobody.example"), "unknown host")
    assert_safe(visitor.post("/briefs"), "no token")


def test_an_error_tells_its_number_and_nothing_of_the_inside(app: Flask) -> None:
    page = raw(app, FORTIUM, "/nothing")
    assert "Traceback" not in page.text
    as_json = ask(app, "/nothing", base_url=f"http://{FORTIUM}", headers={"Accept": "application/json"})
    assert as_json.mimetype == "application/problem+json"
    body = as_json.get_json()
    assert (body["status"], body["type"]) == (404, "urn:fxo:not_found")
    assert re.fullmatch(r"[0-9a-f]{32}", body["request"])


def test_the_names_of_platform_hosts_are_no_portals(app: Flask) -> None:
    for slug in records.RESERVED:
        page = raw(app, f"{slug}.localhost", "/sign-up")
        assert page.status in (404, 405), slug
        assert "Your name" not in page.words, slug
