"""What an image file says, done without containers: its commands as they stand, in folders that take the place of its own."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

OURS = ("/opt", "/src", "/tmp")  # noqa: S108  # folders of the image
"""The image's folders that its commands name."""


@dataclass
class Image:
    """An image that `build` makes below `folder`; the commands of its last stage, and the environment that it gives them."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    user: str = ""

    @property
    def root(self) -> Path:
        return self.folder / "root"

    def there(self, text: str) -> str:
        """The text with the image's folders where they are here."""
        return re.sub(rf"(?<![\w./-])({'|'.join(OURS)})(?=[/\s:]|$)", lambda found: f"{self.root}{found[1]}", text)

    def run(self, *command: str, cwd: str = "/tmp", **environment: str) -> str:  # noqa: S108  # the image's
        """What the command prints, with the image's environment and this; it has to end well."""
        done = subprocess.run(
            [self.there(word) for word in command], cwd=self.there(cwd), env=self.environment | environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
        return done.stdout


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of an image file with their arguments."""
    lines = re.sub(r"\\\n\s*", " ", re.sub(r"(?m)^#.*\n", "", text)).splitlines()
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in lines if line.strip()]


def build(file: Path, context: Path, folder: Path, environment: dict[str, str]) -> Image:
    """Do what the file says, with this environment beside its own; files of the context may be replaced in `folder/instead`."""
    image, stage, where = Image(folder), "", ""
    bin_ = folder / "bin"
    bin_.mkdir()
    (bin_ / "python").symlink_to(sys._base_executable)  # type: ignore[attr-defined]
    outside = {"PATH": f"{bin_}:/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"}
    for name, said in instructions(file.read_text()):
        match name:
            case "FROM":
                if stage:
                    image.root.rename(folder / stage)
                stage, where = said.partition(" AS ")[2], "/"
                image.root.mkdir()
                image.environment = dict(outside)
            case "WORKDIR":
                where = said
                Path(image.there(where)).mkdir(parents=True, exist_ok=True)
            case "ENV":
                for pair in shlex.split(said):
                    key, _equal, value = pair.partition("=")
                    image.environment[key] = image.there(value.replace("$PATH", image.environment["PATH"]))
            case "COPY":
                _copy(image, context, where, said)
            case "RUN":
                image.run("sh", "-c", said, cwd=where, **environment)
            case "USER":
                image.user = said
            case "CMD":
                image.command = json.loads(said)
            case "HEALTHCHECK":
                image.health = json.loads(said.partition(" CMD ")[2])
            case "EXPOSE":
                pass
            case _:
                raise AssertionError(f"this test cannot do {name} {said}")
    return image


def _copy(image: Image, context: Path, where: str, said: str) -> None:
    words = said.split()
    if words[0].startswith("--from="):
        [flag, source, target] = words
        there = Path(image.there(target))
        there.parent.mkdir(parents=True, exist_ok=True)
        (image.folder / flag.removeprefix("--from=") / source.lstrip("/")).rename(there)
        return
    for source in words[:-1]:
        into = Path(image.there(where)) / words[-1]
        instead, given = image.folder / "instead" / source, context / source
        if given.is_dir():
            shutil.copytree(given, into, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(instead if instead.exists() else given, into)
