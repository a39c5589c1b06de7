"""Every dependency has its line, with a reason, in docs/decisions/dependencies.md."""

import configparser
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_dependency_has_a_reason_and_nothing_else_is_listed() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    groups = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    needed = {re.split(r"[\[;<>=! ]", line)[0] for group in groups for line in group.strip().splitlines()}
    page = (ROOT / "docs/decisions/dependencies.md").read_text()
    explained = set(re.findall(r"^\| ([a-z0-9-]+) \| .{10,} \|$", page, re.MULTILINE)) - {"package"}
    assert explained == needed
