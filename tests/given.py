"""Runs the database part of the suite once more on a PostgreSQL that was given, where one answers (`make test`).

`FXO_TEST_ADMIN_URL` names it; left out, the usual address of a local server without a password is tried. The tests make
databases and roles there with a prefix of their own, and remove them.
"""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg

USUAL = "postgresql://postgres@127.0.0.1:5432/postgres"
PART = (
    "tests/integration/test_event_store.py",
    "tests/integration/test_subscriptions.py",
    "tests/integration/test_isolation.py",
    "tests/integration/test_table_walk.py",
    "tests/integration/test_work.py",
    "tests/integration/test_holds.py",
    "tests/integration/test_process.py",
    "tests/contracts/test_calendar_local.py",
    "tests/web/test_booking_flow.py",
)


def main() -> int:
    """The exit code of that run; 0 where no server answers."""
    url = os.environ.get("FXO_TEST_ADMIN_URL") or USUAL
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            major = connection.info.server_version // 10_000
            row = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    except psycopg.Error:
        if "FXO_TEST_ADMIN_URL" in os.environ:
            print("FXO_TEST_ADMIN_URL does not answer.", file=sys.stderr)
            return 1
        print("No PostgreSQL was given and none answers locally: the database part runs on the embedded one alone.")
        return 0
    if major < 15 or row != (True,):
        print(f"The local PostgreSQL {major} is not used: it has to be 15 or newer, with a superuser that may be used.")
        return 0
    print(f"The database part on the given PostgreSQL {major}:", flush=True)
    # One at a time: readers wait for the transactions of the whole server, other databases' among them.
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *PART], env=os.environ | {"FXO_TEST_ADMIN_URL": url}, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
