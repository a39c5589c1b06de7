"""What every test may ask for: real servers, a migrated database, an app, two tenants with partners, people who sign in."""

from __future__ import annotations

import gc
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any
from uuid import UUID

import hypothesis
import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import make_url
from werkzeug.routing import Rule
from xdist.scheduler import LoadFileScheduling

from fxo import embedded, platform
from fxo.app import create_app
from fxo.core.db import db, in_transaction
from fxo.core.events.store import Transaction
from fxo.core.money import Money
from fxo.core.partners import commands as partners
from fxo.core.partners.importing import read
from fxo.core.plugins import build_plugin_manager
from fxo.core.ports import PORTS
from fxo.core.scope import CODE, ROLES, Actor, ActorKind, TenantConfig, system_scope, tenant_scope
from fxo.migrations import initialise, migrate
from fxo.settings import Settings
from fxo.tenants import members, network, passwords, records
from tests.support.browser import Person
from tests.support.room import room

hypothesis.settings.register_profile(
    "fxo", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)  # how long an example takes says how busy the machine is
hypothesis.settings.load_profile("fxo")

PASSWORD = "a passphrase for tests"
HERE = Path(__file__).parent


class OneFileOneWorker(LoadFileScheduling):
    """Of two workers each takes the next file, in order; browser tests are as one file, since they share a demo, save the
    longest, which each have one of their own.
    """

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        if file.endswith("test_every_page.py"):
            return nodeid
        shares_the_demo = file.startswith("tests/browser/") and not file.endswith("test_real_providers.py")
        return "tests/browser" if shares_the_demo else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneFileOneWorker:
    config.option.loadscopereorder = False
    return OneFileOneWorker(config, log)


gc.disable()  # until all tests are known: what is loaded for them stays, and looking through it would take as long


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What tests have told of themselves (`record_property("told", ...)`), whichever worker ran them."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "told":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")


@pytest.fixture(scope="session", autouse=True)
def _no_outside() -> Iterator[None]:
    """Any connection that leaves this machine fails the test."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else "127.0.0.1"
        if isinstance(host, str) and not host.startswith("127.") and host not in ("localhost", "::1"):
            raise AssertionError(f"a test reaches out to {host}")
        real(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign]
    yield
    socket.socket.connect = real  # type: ignore[method-assign]


class Compiled(BytecodeCache):
    """Templates as an earlier app of this run has compiled them."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code
        self._kept[bucket.key, bucket.checksum] = bucket.code


class Addresses:
    """What recognises and builds addresses, as an earlier app of this run has compiled it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._compile = Rule.compile

    def compile(self, rule: Rule) -> None:
        matched = rule.map.host_matching  # type: ignore[union-attr]
        key = (rule.rule, rule.host if matched else rule.subdomain, matched, rule.merge_slashes, repr(rule.defaults))
        if key not in self._kept:
            self._compile(rule)
            self._kept[key] = {name: getattr(rule, name) for name in ("_parts", "_trace", "_converters", "arguments")}
            self._kept[key] |= {name: getattr(rule, name).__func__ for name in ("_build", "_build_unknown")}
        for name, value in self._kept[key].items():
            setattr(rule, name, value.__get__(rule) if name.startswith("_build") else value)


@pytest.fixture(scope="session", autouse=True)
def _once_a_run() -> None:
    """What each of a thousand tests would do again: compile templates (a third of a second for an app's first page) and
    addresses (another for all), and make hashes dear that nobody will attack.
    """
    Flask.jinja_options = {"bytecode_cache": Compiled()}
    addresses = Addresses()
    Rule.compile = lambda rule: addresses.compile(rule)  # type: ignore[method-assign]
    passwords.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(frozen=True)
class Given:
    """The servers of this run: embedded ones, or a PostgreSQL that was given."""

    admin_url: str
    redis_url: str
    log: Path
    """What the embedded PostgreSQL has written."""


@pytest.fixture(scope="session")
def servers() -> Iterator[Given]:
    """PostgreSQL and Valkey for the whole run. `FXO_TEST_ADMIN_URL` takes the place of the embedded PostgreSQL."""
    with room() as folder, embedded.servers(folder, durable=False) as started:
        admin_url = os.environ.get("FXO_TEST_ADMIN_URL") or started.admin_url
        yield Given(admin_url, started.redis_url, folder / "logs" / "postgres.log")


class Databases:
    """Makes migrated databases: one template with the demo's clock, copied for each test that wants its own, and further ones
    with something in it (`prepare`).

    The next copy of each is made, and old ones are dropped, while a test runs. Only `durable` ones keep what was committed when
    their server crashes; the others are faster.
    """

    def __init__(self, given: Given, *, durable: bool = False) -> None:
        self.given = given
        self.prefix = f"fxot{os.getpid()}"
        self.count = 0
        self._strategy = "wal_log" if durable or "FXO_TEST_ADMIN_URL" in os.environ else "file_copy"  # quicker without fsync
        self._connection = psycopg.connect(given.admin_url, autocommit=True)
        self.template = self.settings(f"{self.prefix}_template")
        initialise(self.template)
        plugins = build_plugin_manager(PORTS)
        migrate(self.template, {name: sorted(folder.glob("*.sql")) for name, folder in plugins.folders("fxo_migrations")})
        if not durable:
            for login in ("app", "system", "operator"):
                self._admin(f'alter role "{self.prefix}_{login}" set synchronous_commit = off')
        with psycopg.connect(given.admin_url, dbname=f"{self.prefix}_template", autocommit=True) as connection:
            connection.execute("select set_config('role', %s, false)", (f"{self.prefix}_owner",))
            connection.execute("insert into clock (ahead) values ('0')")
        self._aside = ThreadPoolExecutor(1)
        self._next = {"template": self._aside.submit(self._copy, "template")}
        self._filled: dict[str, Any] = {}
        self._made: dict[str | None, str] = {}

    def settings(self, database: str, **values: Any) -> Settings:
        url = make_url(self.given.admin_url)
        app = url.set(username=f"{self.prefix}_app", password="for tests only", database=database)
        admin = url.render_as_string(hide_password=False)
        defaults = {
            "secret_key": "for tests only, thirty-two characters",
            "master_key": "42" * 32,
            "demo": True,
            "role_prefix": self.prefix,
            "redis_url": "",
            "idle_seconds": 1,
            "sweep_seconds": 0.2,
            "web_threads": 16,
            "log_level": "WARNING",
        }
        return Settings(
            _env_file=None,
            database_url=app.render_as_string(hide_password=False),
            database_admin_url=admin,
            **{**defaults, **values},
        )

    def prepare(self, template: str, fill: Callable[[Settings], Any]) -> Any:
        """Have a template of that name, filled once; what filling it has returned."""
        if template not in self._filled:
            name = f"{self.prefix}_{template}"
            self._aside.submit(self._admin, f'create database "{name}" template "{self.prefix}_template"').result()
            self._filled[template] = fill(self.settings(name))
            self._next[template] = self._aside.submit(self._copy, template)
        return self._filled[template]

    def filled(self, settings: Settings) -> Any:
        """What filling the template of this database has returned; None where it had nothing in it."""
        return self._filled.get(self._made[make_url(settings.database_url).database])

    def make(self, *, template: str = "template", **values: Any) -> Settings:
        """Settings with a fresh database."""
        name = self._next[template].result()
        self._next[template] = self._aside.submit(self._copy, template)
        self._made[name] = template
        return self.settings(name, **values)

    def drop(self, settings: Settings) -> None:
        self._aside.submit(self._drop, str(make_url(settings.database_url).database))

    def close(self) -> None:
        """Leave nothing behind on a server that was given."""
        for copied in self._next.values():
            self._drop(copied.result())
        self._aside.shutdown()
        for template in self._next:
            self._drop(f"{self.prefix}_{template}")
        for role in ("app", "tenant", "partner", "operator", "system", "owner"):
            self._admin(f'drop role if exists "{self.prefix}_{role}"')
        self._connection.close()

    def _copy(self, template: str) -> str:
        self.count += 1
        name = f"{self.prefix}_{self.count}"
        self._admin(f'create database "{name}" template "{self.prefix}_{template}" strategy {self._strategy}')
        return name

    def _drop(self, name: str) -> None:
        self._admin(f'drop database if exists "{name}" with (force)')

    def _admin(self, statement: str) -> None:
        """One connection for all: libpq reads the environment when it connects, which a test may be changing just then."""
        try:
            self._connection.execute(statement)  # type: ignore[arg-type]
        except psycopg.OperationalError:
            self._connection.close()
            self._connection = psycopg.connect(self.given.admin_url, autocommit=True)
            self._connection.execute(statement)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def databases(servers: Given) -> Iterator[Databases]:
    made = Databases(servers)
    yield made
    made.close()


@pytest.fixture
def settings(databases: Databases, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings with a database of this test's own; the demo's movable clock, no queue."""
    if {"network_partners", "tenant"} <= set(request.fixturenames):
        databases.prepare("market", _market)
        made = databases.make(template="market")
    else:
        made = databases.make()
    yield made
    databases.drop(made)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application on its own database, with its context pushed."""
    yield from running(create_app(settings))


def running(made: Flask) -> Iterator[Flask]:
    """Push the app's context, and close its connections afterwards."""
    with made.app_context():
        try:
            yield made
            assert not in_transaction()
        finally:
            for thread in threading.enumerate():
                if thread.name.startswith(("plugin ", "form ")):  # given up on, or writing down later: it may hold a connection
                    thread.join(10)
            platform.current().providers.close()
            for engine in db.engines.values():
                engine.dispose()


@pytest.fixture
def parts(app: Flask) -> platform.Platform:
    """The platform's parts: store, performer, providers."""
    return platform.current()


def write(scope: Any, actor: Actor, command: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run a command as this actor in this scope."""
    return platform.current().store.run(scope, actor, command, *args, **kwargs)


@pytest.fixture
def network_partners(databases: Databases, settings: Settings, parts: platform.Platform) -> dict[str, UUID]:
    """Three partners by a short name: `dana` and `ines` free around the clock, `kofi` in office hours of Accra."""
    return dict(databases.filled(settings) or add_partners())


def add_partners() -> dict[str, UUID]:
    found = read(HERE / "support" / "partners.json")
    ids = write(system_scope("partners"), CODE, partners.import_partners, found, {})
    kept = passwords.hashed(PASSWORD)

    def sign_ins(tx: Transaction) -> None:
        tx.driver.execute(
            "insert into partner_logins (partner_id, email, password_hash) select partner_id, email, %s from partner_contacts",
            (kept,),
        )

    write(system_scope("partners"), CODE, sign_ins)
    return {item.id: partner_id for item, partner_id in zip(found, ids, strict=True)}


def add_tenant(slug: str, name: str, price: int, partner_ids: list[UUID], **values: Any) -> TenantConfig:
    """A tenant whose roster has these partners."""
    wanted = records.NewTenant(slug, name, Money(price, "USD"), brand={"colour": "#14532d"}, **values)
    tenant_id = write(system_scope("tenants"), CODE, records.create, wanted)
    write(tenant_scope(tenant_id), CODE, partners.add_to_roster, partner_ids)
    return platform.current().records.by_slug(slug)


def add_fortium(partners: dict[str, UUID]) -> TenantConfig:
    """The public marketplace `fortium` at $800, with all these partners."""
    return add_tenant("fortium", "Fortium", 80_000, list(partners.values()))


def _market(settings: Settings) -> dict[str, UUID]:
    with contextmanager(running)(create_app(settings)):
        partners = add_partners()
        add_fortium(partners)
        return partners


@pytest.fixture
def tenant(databases: Databases, settings: Settings, network_partners: dict[str, UUID]) -> TenantConfig:
    """The public marketplace `fortium` at $800, with all three partners."""
    there = databases.filled(settings)
    return platform.current().records.by_slug("fortium") if there else add_fortium(network_partners)


@pytest.fixture
def other_tenant(network_partners: dict[str, UUID]) -> TenantConfig:
    """The closed portal `globex` at $720, with Dana and Kofi."""
    return add_tenant(
        "globex",
        "Globex Expert Desk",
        72_000,
        [network_partners["dana"], network_partners["kofi"]],
        visitors_may_match=False,
        mail_domains=("globex.example",),
    )


@pytest.fixture
def partner_id(network_partners: dict[str, UUID]) -> UUID:
    """Dana, who serves both tenants and is free around the clock."""
    return network_partners["dana"]


def add_member(
    config: TenantConfig, mail: str, *, role: str = "client", name: str = "Sarah Lindqvist", zone: str = "Europe/Stockholm"
) -> Actor:
    """A member of this tenant."""
    wanted = members.SignUp(name, mail, PASSWORD, "Lindqvist AB", zone, role)
    member_id = write(tenant_scope(config.id), CODE, members.sign_up, config, wanted)
    return Actor(member_id, ActorKind.MEMBER, ROLES[role])


@pytest.fixture
def client_actor(tenant: TenantConfig) -> Actor:
    """Sarah, a client of fortium (sarah@lindqvist.example)."""
    return add_member(tenant, "sarah@lindqvist.example")


@pytest.fixture
def operator_actor(parts: platform.Platform) -> Actor:
    """An operator (ops@fxo.example)."""
    operator_id = write(system_scope("sign_in"), CODE, network.add_operator, "ops@fxo.example", "Olu Operator", PASSWORD)
    return Actor(operator_id, ActorKind.OPERATOR, ROLES["operator"])


@pytest.fixture
def visit(app: Flask) -> Callable[[str], Person]:
    """Somebody with a browser of their own at a host: `visit("fortium.localhost")`."""
    return lambda host: Person(app, host)


@pytest.fixture
def signed_in(visit: Callable[[str], Person]) -> Callable[..., Person]:
    """Somebody who signed in at a host: `signed_in("fortium.localhost", "sarah@lindqvist.example")`."""

    def enter(host: str, mail: str) -> Person:
        person = visit(host)
        page = person.get("/sign-in")
        landed = person.submit(page, "/sign-in", mail=mail, password=PASSWORD)
        assert landed.status == 303, landed.text
        return person

    return enter
