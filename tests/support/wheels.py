"""Wheels of what is installed here, made again from the installed files: what an index would give, without one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.M)
_HASHES = re.compile(r"( \\\n    --hash=sha256:[0-9a-f]{64})+")
_NOT_OF_A_WHEEL = {"INSTALLER", "REQUESTED", "direct_url.json", "RECORD.jws"}


def locked(text: str) -> list[tuple[str, str]]:
    """The names and versions that a lock pins."""
    return [(found[1], found[2]) for found in PIN.finditer(text)]


def made_again(names: Iterable[tuple[str, str]], folder: Path) -> dict[str, Path]:
    """A wheel in the folder for each of these versions that is installed here, by `name==version`."""
    folder.mkdir(exist_ok=True)
    found = {}
    for name, version in names:
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue  # it is for another system, as its marker in the lock says
        if installed.version == version:
            found[f"{name}=={version}"] = _wheel(installed, folder)
    return found


def _wheel(installed: Distribution, folder: Path) -> Path:
    tags = [tag.split("-") for tag in re.findall(r"^Tag: (\S+)$", installed.read_text("WHEEL") or "", re.M)]
    name = re.sub(r"[-_.]+", "_", installed.metadata["Name"]).lower() + f"-{installed.version}"
    made = folder / f"{name}-{'-'.join('.'.join(sorted(set(part))) for part in zip(*tags, strict=True))}.whl"
    from_entry_points = {each.name for each in installed.entry_points}
    with ZipFile(made, "w", ZIP_STORED) as wheel:
        for file in installed.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts and file.name not in _NOT_OF_A_WHEEL:
                wheel.write(file.locate(), str(file))  # type: ignore[arg-type]
            elif file.parts[-2:-1] == ("bin",) and file.name not in from_entry_points:
                wheel.write(file.locate(), f"{name}.data/scripts/{file.name}")  # type: ignore[arg-type]
    return made


def relocked(text: str, wheels: dict[str, Path]) -> str:
    """The lock with the hashes of these wheels in place of those that an index has for the same versions."""
    return "".join(_entry(entry, wheels) for entry in re.split(r"(?m)^(?=\S)", text))


def _entry(entry: str, wheels: dict[str, Path]) -> str:
    pin = PIN.match(entry)
    if not pin or pin[0] not in wheels:
        return entry
    return _HASHES.sub(rf" \\\n    --hash=sha256:{sha256(wheels[pin[0]].read_bytes()).hexdigest()}", entry)
