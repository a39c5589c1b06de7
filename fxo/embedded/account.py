"""Who the servers run as: ourselves, or, as root, an ordinary account, with files where that account can reach them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from fxo.embedded.errors import EmbeddedError

SHARED = Path("/var/lib/fxo")  # used by root alone, for what must lie outside private folders


class Identity(TypedDict, total=False):
    """The arguments of `subprocess` that change who a child runs as."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """An ordinary account that root starts the servers as, since PostgreSQL refuses root."""

    name: str
    uid: int
    gid: int

    @property
    def identity(self) -> Identity:
        """Arguments for `subprocess`."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_run(self, program: Path) -> bool:
        """Whether the account reaches that program and its libraries: it is tried."""
        try:
            return subprocess.run([program, "--version"], capture_output=True, cwd="/", **self.identity).returncode == 0
        except OSError:
            return False

    def can_enter(self, folder: Path) -> bool:
        """Whether the account reaches that folder."""
        return subprocess.run(["test", "-x", folder], cwd="/", **self.identity).returncode == 0

    def own(self, *paths: Path) -> None:
        """Give these files and folders to the account."""
        for path in paths:
            os.chown(path, self.uid, self.gid)


def servers_account() -> Account | None:
    """The account `nobody` when we are root, else None: the servers run as ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedError("PostgreSQL refuses root, and there is no account `nobody` to run it as.") from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def home_for(data_dir: Path, account: Account | None) -> Path:
    """The folder of the servers' data: `<data dir>/servers`.

    Below a folder that the account may not enter this is a link to a folder of the same use under /var/lib/fxo.
    """
    home = data_dir / "servers"
    if not home.exists():
        home.unlink(missing_ok=True)  # a link whose target was removed
        if account and not account.can_enter(data_dir):
            target = SHARED / f"data-{secrets.token_hex(8)}"
            _public_folder(SHARED)
            target.mkdir(0o700)
            home.symlink_to(target)
        else:
            home.mkdir(0o700)
        if account:
            account.own(home.resolve())
    return home.resolve()


def packaged(package: str, pattern: str, account: Account | None) -> Path | None:
    """The program that an installed package brings, found without importing it, or None.

    Where the account cannot run it, it is that of a copy of the package, made once for each version.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    program = next(folder.glob(pattern), None)
    if program is None or account is None or account.can_run(program):
        return program
    copied = _copy(folder, f"{package}-{importlib.metadata.version(package)}") / program.relative_to(folder.parent)
    return copied if account.can_run(copied) else None


def _copy(package: Path, key: str) -> Path:
    copy = SHARED / "bin" / key
    if not copy.exists():
        _public_folder(SHARED)
        _public_folder(copy.parent)
        draft = copy.with_name(f"{key}-{secrets.token_hex(4)}")
        for folder in (package, package.with_name(package.name + ".libs")):  # wheels keep libraries beside the package
            if folder.exists():
                shutil.copytree(folder, draft / folder.name, symlinks=True, ignore=shutil.ignore_patterns("include", "*.py*"))
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            draft.rename(copy)
        except OSError:  # another process was faster
            shutil.rmtree(draft)
    return copy


def _public_folder(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
