"""`fxo demo` as somebody starts it: a real process, real servers, pages that answer, data that stay."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from fxo import embedded
from fxo.embedded.processes import free_port, wait_until
from tests.conftest import Given
from tests.support.room import room

Start = Callable[..., "Process"]
START_SECONDS = 240


class Process:
    """A running `fxo demo`; what it says is in `text`."""

    def __init__(self, folder: Path, data_dir: Path, arguments: tuple[str, ...], variables: dict[str, str]) -> None:
        self.log = folder / f"demo-{secrets.token_hex(4)}.log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FXO_")}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fxo.cli", "demo", *arguments],
                cwd=folder, env=kept | {"FXO_DATA_DIR": str(data_dir), "FXO_WEB_PROCESSES": "1"} | variables,
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    @property
    def text(self) -> str:
        return self.log.read_text()

    def ready(self) -> bool:
        """Whether it came up; it has ended or says so."""
        wait_until(lambda: self.process.poll() is not None or "Ctrl-C stops it" in self.text, START_SECONDS)
        return "fxo is ready" in self.text

    def ended(self) -> int:
        return self.process.wait(START_SECONDS)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.ended()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with room() as folder:
        yield folder / "data"
        embedded.remove(folder / "data")


@pytest.fixture
def start(tmp_path: Path, data_dir: Path) -> Iterator[Start]:
    """`start("--port", "8001")` runs `fxo demo --port 8001` on this test's folder."""
    begun: list[Process] = []

    def run(*arguments: str, **variables: str) -> Process:
        begun.append(Process(tmp_path, data_dir, arguments, variables))
        return begun[-1]

    yield run
    for each in begun:
        if each.process.poll() is None:
            each.stop()


def get(port: int, host: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers={"Host": f"{host}:{port}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def fxo(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FXO_")}
    return subprocess.run(
        [sys.executable, "-m", "fxo.cli", *arguments], cwd=data_dir.parent, env=kept | {"FXO_DATA_DIR": str(data_dir)},
        capture_output=True, text=True,
    )  # fmt: skip


def test_it_starts_serves_both_portals_stops_with_the_data_kept_and_starts_again(start: Start, data_dir: Path) -> None:
    port = free_port()
    demo = start("--port", str(port), "--bare")
    assert demo.ready(), demo.text
    for text in (f"http://fortium.localhost:{port}", f"http://globex.localhost:{port}", f"http://ops.localhost:{port}",
                 f"http://partners.localhost:{port}", f"http://hansa.localhost:{port}",
                 f"http://fortium.localhost:{port}/demo", "sarah@lindqvist.example", "Mails go to the outbox"):  # fmt: skip
        assert text in demo.text
    assert get(port, "fortium.localhost", "/healthz") == (200, '{"ok":true}\n')
    assert get(port, "fortium.localhost", "/")[0] == 200
    assert "Fortium" in get(port, "fortium.localhost", "/sign-in")[1]
    assert "Globex" in get(port, "globex.localhost", "/sign-in")[1]

    # Other commands find the demo that runs here.
    assert fxo(data_dir, "tenants", "create", "acme", "--name", "Acme").returncode == 0
    found = fxo(data_dir, "doctor", "--json")
    assert json.loads(found.stdout)["ok"], found.stdout

    # A second one does not disturb it.
    second = start("--port", "0", "--bare")
    assert second.ended() == 1
    assert f"Error: Another fxo (process {demo.process.pid}) is using {data_dir}" in second.text
    assert "Traceback" not in second.text

    assert demo.stop() == 0
    assert demo.text.endswith(f"Stopped. Your data are kept in {data_dir}.\n")
    assert "Traceback" not in demo.text
    assert [path.stat().st_mode & 0o777 for path in data_dir.glob("*.json")] == [0o600]
    assert "no demo runs in" in fxo(data_dir, "tenants", "list").stderr

    again = start("--port", str(port), "--bare")
    assert again.ready(), again.text
    assert "acme" in fxo(data_dir, "tenants", "list").stdout
    assert again.stop() == 0

    secrets_file = data_dir / "secrets.json"
    before = secrets_file.read_text()
    fresh = start("--port", str(port), "--fresh", "--bare")
    assert wait_until(lambda: not secrets_file.exists() or secrets_file.read_text() != before, START_SECONDS)
    fresh.stop()
    assert "Traceback" not in fresh.text


def test_a_taken_port_is_one_sentence(start: Start, data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        demo = start("--port", str(port))
        assert demo.ended() == 1
    assert demo.text.splitlines()[-1].startswith(f"Error: Port {port} on 127.0.0.1 is taken: choose another with --port")
    assert not (data_dir / "servers").exists()


def test_ctrl_c_while_it_starts_leaves_nothing_running(start: Start, data_dir: Path) -> None:
    demo = start("--port", "0", "--bare")
    assert wait_until(lambda: (data_dir / "lock").exists(), START_SECONDS)
    assert demo.stop() == 130
    assert "Stopped." in demo.text
    assert "Traceback" not in demo.text
    embedded.remove(data_dir)  # refused while anything works there


@pytest.fixture
def given(servers: Given) -> Iterator[dict[str, str]]:
    """A database of a name of our own on a given server, as variables."""
    mark = f"fxo_demo_t{secrets.token_hex(4)}"
    url = make_url(servers.admin_url).set(username=f"{mark}_app", password="for tests only", database=mark)
    yield {
        "FXO_DATABASE_URL": url.render_as_string(hide_password=False),
        "FXO_DATABASE_ADMIN_URL": servers.admin_url,
        "FXO_REDIS_URL": servers.redis_url,
        "FXO_ROLE_PREFIX": mark,
    }
    with psycopg.connect(servers.admin_url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {mark} with (force)")  # type: ignore[call-overload]
        for role in ("app", "tenant", "partner", "operator", "system", "owner"):
            connection.execute(f"drop role if exists {mark}_{role}")  # type: ignore[call-overload]


def test_it_runs_on_given_servers_and_never_beside_real_data(
    start: Start, data_dir: Path, given: dict[str, str], servers: Given
) -> None:
    name = str(make_url(given["FXO_DATABASE_URL"]).database)
    with psycopg.connect(servers.admin_url, autocommit=True) as connection:
        connection.execute(f"create database {name}")  # type: ignore[call-overload]
    with psycopg.connect(servers.admin_url, dbname=name, autocommit=True) as connection:
        connection.execute("create table of_something_else ()")
    other = start("--port", "0", "--bare", **given)
    assert other.ended() == 1
    assert f"Error: The database {name} is no demo's" in other.text

    demo = start("--port", "0", "--fresh", "--bare", **given)
    assert demo.ready(), demo.text
    assert not (data_dir / "servers").exists()
    assert demo.stop() == 0
    assert f"Your data are kept in the database {name}." in demo.text

    with psycopg.connect(servers.admin_url, dbname=name) as connection:
        connection.execute("select set_config('role', %s, true)", (f"{given['FXO_ROLE_PREFIX']}_owner",))
        connection.execute("delete from clock")
    real = start("--port", "0", "--bare", **given)
    assert real.ended() == 1
    assert f"Error: The database {name} is no demo's" in real.text

    kept = start("--port", "0", "--fresh", **given | {"FXO_DATABASE_URL": servers.admin_url})
    assert kept.ended() == 1
    assert "Error: The database postgres is not dropped" in kept.text

    without = start("--port", "0", "--bare", **given | {"FXO_DATABASE_ADMIN_URL": ""})
    assert without.ended() == 1
    assert "Set FXO_DATABASE_ADMIN_URL too" in without.text


def test_a_setting_that_stops_the_web_process_is_told(start: Start) -> None:
    demo = start("--port", "0", FXO_WEB_THREADS="many")
    assert demo.ended() == 1
    assert demo.text.splitlines()[-1].startswith("Error: FXO_WEB_THREADS: ")


def test_options_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    for arguments in (["--json"], ["--check", "--fresh"], ["--check", "--port", "1"]):
        found = fxo(tmp_path / "data", "demo", *arguments)
        assert found.returncode == 2
        assert "Error: " in found.stderr


def test_a_check_that_cannot_start_says_so_as_a_step(tmp_path: Path) -> None:
    nobody = "postgresql://a:b@127.0.0.1:1/fxo_demo"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FXO_")}
    found = subprocess.run(
        [sys.executable, "-m", "fxo.cli", "demo", "--check", "--json"], cwd=tmp_path, capture_output=True, text=True,
        env=kept | {"FXO_DATABASE_URL": nobody, "FXO_DATABASE_ADMIN_URL": nobody},
    )  # fmt: skip
    assert found.returncode == 1
    told = json.loads(found.stdout)
    assert told["ok"] is False
    assert [(step["name"], step["ok"]) for step in told["steps"]] == [("everything starts", False)]
    assert "The database says: connection failed" in told["steps"][0]["detail"]


CHECKED = [
    "everything starts",
    "a brief needs no sign-in",
    "the shortlist says who and why",
    "signing up keeps the brief and the slot",
    "a declined card charges nothing and keeps the slot",
    "the bank may ask for confirmation, and the booking is authorised now",
    "both get a mail with an invitation that calendars read",
    "ten days out the card is saved and not held",
    "the slot is busy in the other tenant, and nothing more is told",
    "another tenant's and another member's ids are not found",
    "both are reminded a day and an hour before",
    "the expert completes the session with one click",
    "the money is captured exactly once",
    "640 on the expert's earnings page, 640 and 160 on the operator's ledger",
    "the client rates the session",
    "half is given back: the client gets a credit note, and the split follows",
    "a dispute is answered with evidence and won",
    "the expert is paid out and reads the statement",
    "the client moves a session, and both calendars follow",
    "the saved card is authorised by the moved clock",
    "a late cancellation costs what its page said",
    "an expert cancels, and an equal one takes over with the same payment",
    "a client who does not come pays a day later, and once, although the first capture fails",
    "what two do not agree about is decided by a person",
    "what was held has run out and the saved card is refused: another card pays what is owed",
    "the books agree, and every counter is zero",
]


def test_the_check_holds_in_every_step(tmp_path: Path) -> None:
    found = fxo(tmp_path / "data", "demo", "--check", "--json")
    told = json.loads(found.stdout)
    assert [(step["name"], step["detail"]) for step in told["steps"] if not step["ok"]] == []
    assert [step["name"] for step in told["steps"]] == CHECKED
    assert (found.returncode, told["ok"]) == (0, True)
