"""Where the data of servers lie that a test starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory

from fxo import embedded

MEMORY = Path("/dev/shm")  # noqa: S108  # each folder in it is made with a name of its own
ENOUGH = 4 * 1024**3


@contextmanager
def room() -> Iterator[Path]:
    """A folder for servers, in memory where that is roomy: a new database is a thousand small files, and a copy takes a tenth
    of the time there.
    """
    roomy = os.access(MEMORY, os.W_OK) and disk_usage(MEMORY).free > ENOUGH
    with TemporaryDirectory(prefix="fxo-", dir=MEMORY if roomy else None) as name:
        folder = Path(name)
        folder.chmod(0o755)  # else root's servers, which run as somebody else, have their data in another place
        try:
            yield folder
        finally:
            embedded.remove(folder)
