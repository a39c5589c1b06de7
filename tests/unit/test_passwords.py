"""Passwords: what a hash costs whoever tries to guess it."""

from __future__ import annotations

import subprocess
import sys

from fxo.tenants import passwords


def test_a_hash_is_as_dear_as_owasp_asks_for() -> None:
    """In a process of its own, since hashes are cheap in the tests'."""
    code = "from fxo.tenants.passwords import hashed; print(hashed('a passphrase for tests'))"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert made.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(made, "a passphrase for tests")
    assert not passwords.matches(made, "another passphrase")
