"""The embedded servers, started for real: data kept, crashes survived, strangers refused."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from fxo.embedded import EmbeddedError, postgres, remove, servers
from fxo.embedded.account import home_for, servers_account
from fxo.embedded.processes import free_port, require_port, wait_until
from tests.support.room import room

OWNER = """
import sys, threading
from pathlib import Path
from fxo.embedded import servers
with servers(Path(sys.argv[1])) as running:
    print(*running.pids.values(), flush=True)
    threading.Event().wait()
"""

ORDINARY = """
import os, pwd, sys
from pathlib import Path
import encodings.idna, psycopg, redis
from fxo.embedded import servers
nobody = pwd.getpwnam("nobody")
os.setgroups([]); os.setgid(nobody.pw_gid); os.setuid(nobody.pw_uid)
with servers(Path(sys.argv[1]), durable=False) as running:
    with psycopg.connect(running.admin_url) as connection:
        connection.execute("select 1")
    with redis.Redis.from_url(running.redis_url) as client:
        client.ping()
    print(os.getuid(), running.pids["postgres"])
"""
"""Root that has become an ordinary user, who may not enter where this Python lies, but has it loaded."""


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data folder, below a private one as pytest makes them."""
    folder = tmp_path / "data"
    yield folder
    remove(folder)


def ask(url: str, sql: str) -> object:
    """The first value of the first row."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(sql).fetchone()  # type: ignore[call-overload]
    assert row
    return row[0]


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def keep_a_row(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create table kept as select 42 as answer")


def test_both_servers_start_and_stop(data_dir: Path) -> None:
    with servers(data_dir) as running:
        assert int(str(ask(running.admin_url, "show server_version_num"))) >= 150000
        assert ask(running.admin_url, "show data_checksums") == "on"
        assert ask(running.admin_url, "show fsync") == "on"
        with redis.Redis.from_url(running.redis_url) as client:
            assert client.ping()
        pids = running.pids
        assert set(pids) == {"postgres", "valkey"}
        assert not any(0 in psutil.Process(pid).uids() for pid in pids.values())
    assert not any(alive(pid) for pid in pids.values())


@pytest.mark.skipif(os.geteuid() != 0, reason="whoever runs these tests is an ordinary user")
def test_an_ordinary_user_starts_them_too() -> None:
    account = servers_account()
    assert account
    with room() as folder:
        account.own(folder)
        found = subprocess.run([sys.executable, "-c", ORDINARY, folder / "data"], capture_output=True, text=True)
        assert found.returncode == 0, found.stderr
        assert found.stdout.split()[0] == str(account.uid)


def test_data_is_kept_and_queues_are_not(data_dir: Path) -> None:
    with servers(data_dir) as running:
        keep_a_row(running.admin_url)
        with redis.Redis.from_url(running.redis_url) as client:
            client.set("queued", 1)
    with servers(data_dir) as running:
        assert ask(running.admin_url, "select answer from kept") == 42
        with redis.Redis.from_url(running.redis_url) as client:
            assert client.get("queued") is None


def test_servers_that_were_killed_come_back_at_the_same_urls(data_dir: Path) -> None:
    with servers(data_dir) as running:
        urls = running.admin_url, running.redis_url
        keep_a_row(running.admin_url)
        before = running.pids
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: not any(alive(pid) for pid in before.values()), 5)
        running.revive()
        assert (running.admin_url, running.redis_url) == urls
        assert running.pids != before
        assert ask(running.admin_url, "select answer from kept") == 42
        with redis.Redis.from_url(running.redis_url) as client:
            assert client.ping()


def test_after_the_owner_was_killed_the_next_start_works_at_once(data_dir: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, data_dir], stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    with owner.stdout as output:
        pids = [int(pid) for pid in output.readline().split()]
    owner.kill()
    owner.wait()
    with servers(data_dir) as running:
        keep_a_row(running.admin_url)
        assert not set(pids) & set(running.pids.values())
    assert not any(alive(pid) for pid in pids)


def test_a_server_left_over_from_an_earlier_run_is_stopped_first(data_dir: Path) -> None:
    with servers(data_dir) as running:
        keep_a_row(running.admin_url)
    account = servers_account()
    left = postgres.Postgres(home_for(data_dir, account), data_dir / "left.log", account, durable=True, binaries=None)
    left.start()
    with servers(data_dir) as running:
        assert ask(running.admin_url, "select answer from kept") == 42
        assert left.child
        assert left.child.poll() == 0


def test_a_stale_lock_whose_process_id_is_somebody_elses_now_does_not_matter(data_dir: Path) -> None:
    with servers(data_dir) as running:
        keep_a_row(running.admin_url)
    stale = data_dir / "servers" / "postgres" / "postmaster.pid"
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as somebody:  # alive, and ours
        stale.write_text(
            f"{somebody.pid}\n{stale.parent.resolve()}\n1700000000\n5432\n\n127.0.0.1\n        0         0\nready   \n"
        )
        with servers(data_dir) as running:
            assert ask(running.admin_url, "select answer from kept") == 42
        assert somebody.poll() is None


def test_a_half_made_cluster_is_made_again(data_dir: Path) -> None:
    data_dir.mkdir()
    draft = home_for(data_dir, servers_account()) / "postgres.new"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    with servers(data_dir) as running:
        assert ask(running.admin_url, "select 1") == 1


def test_a_second_user_of_the_folder_is_refused_with_a_sentence(data_dir: Path) -> None:
    with servers(data_dir) as running:
        with pytest.raises(EmbeddedError, match=f"Another fxo \\(process {os.getpid()}\\)"), servers(data_dir):
            pass
        with pytest.raises(EmbeddedError, match="Another fxo"):
            remove(data_dir)
        assert ask(running.admin_url, "select 1") == 1


def test_a_wrong_password_is_refused(data_dir: Path) -> None:
    with servers(data_dir) as running:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            ask(running.admin_url.replace("postgres:", "postgres:x", 2), "select 1")
        without = running.redis_url.split(":")[0] + "://" + running.redis_url.split("@")[1]
        with redis.Redis.from_url(without) as client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_the_password_is_for_the_owner_only(data_dir: Path) -> None:
    with servers(data_dir) as running:
        password = data_dir / "servers" / "password"
        assert password.read_text().strip() in running.admin_url
        assert password.stat().st_mode & 0o777 == 0o600
        commands = [" ".join(psutil.Process(pid).cmdline()) for pid in running.pids.values()]
        assert not any(running.redis_url.split("@")[0].rpartition(":")[2] in command for command in commands)


def test_removing_leaves_nothing(data_dir: Path) -> None:
    with servers(data_dir) as running:
        keep_a_row(running.admin_url)
    home = (data_dir / "servers").resolve()
    remove(data_dir)
    assert not home.exists()
    with servers(data_dir) as running:
        assert ask(running.admin_url, "select count(*) from pg_tables where tablename = 'kept'") == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as somebody else")
def test_root_keeps_data_outside_private_folders_only() -> None:
    with tempfile.TemporaryDirectory() as name:
        private, public = Path(name, "private"), Path(name, "public")
        private.mkdir(0o700)
        public.mkdir()
        Path(name).chmod(0o755)
        for data_dir in (private / "data", public / "data"):
            with servers(data_dir) as running:
                assert ask(running.admin_url, "select 1") == 1
            assert (data_dir / "servers").is_symlink() == (data_dir.parent == private)
            remove(data_dir)
        assert private.stat().st_mode & 0o777 == 0o700


def test_the_machines_own_postgres_works_too(data_dir: Path) -> None:
    own = [path for path in postgres.machine() if (postgres.version(path) or 0) >= postgres.OLDEST]
    if not own:
        pytest.skip("no PostgreSQL 15 or later on this machine besides the embedded one")
    with servers(data_dir, durable=False, binaries=own[0]) as running:
        assert int(str(ask(running.admin_url, "show server_version_num"))) // 10000 == postgres.version(own[0])
        assert ask(running.admin_url, "show fsync") == "off"


def test_data_of_a_version_that_is_not_here_is_left_alone(data_dir: Path) -> None:
    data_dir.mkdir()
    data = home_for(data_dir, servers_account()) / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("14\n")
    with pytest.raises(EmbeddedError, match="written by PostgreSQL 14"), servers(data_dir):
        pass
    assert (data / "PG_VERSION").read_text() == "14\n"


def test_ports() -> None:
    port = free_port()
    assert free_port(port) == port
    assert require_port(port) == port
    with socket.create_server(("127.0.0.1", port)):
        assert free_port(port) != port
        with pytest.raises(EmbeddedError, match=f"Port {port} on 127.0.0.1 is taken"):
            require_port(port)
