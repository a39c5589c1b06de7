"""`make live`: the contract suites against real accounts whose keys are in the environment, and what was left out and why."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

SUITES = Path(__file__).with_name("suites.py")
"""Not called `test_...`, so that nothing but this finds it."""

LIVE_MONEY = "sk_live_", "rk_live_", "pk_live_"


class Told:
    """Leaves out the suites of companies whose keys are missing, and says of each what became of it."""

    def __init__(self) -> None:
        self.missing: dict[str, list[str]] = {}
        self.ran: dict[str, Counter[str]] = {}
        self.why: dict[str, Counter[str]] = {}

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[Any]) -> None:
        for item in items:
            company, needs = item.cls.company, item.cls.needs
            item.user_properties.append(("company", company))
            lacking = [name for name in needs if not os.environ.get(name)]
            if lacking:
                self.missing[company] = lacking
        lacking = [item for item in items if item.cls.company in self.missing]
        config.hook.pytest_deselected(items=lacking)
        items[:] = [item for item in items if item.cls.company not in self.missing]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        company = dict(report.user_properties)["company"]
        if report.when == "call" or not report.passed:
            self.ran.setdefault(company, Counter())[report.outcome] += 1
        if report.skipped and isinstance(report.longrepr, tuple):
            self.why.setdefault(company, Counter())[report.longrepr[2].removeprefix("Skipped: ")] += 1

    def lines(self) -> list[str]:
        found = []
        for company, outcomes in sorted(self.ran.items()):
            word = "FAILED " if outcomes["failed"] else "ran    "
            found.append(f"{word}  {company}: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())))
            found += [f"           {count} left out: {why}" for why, count in self.why.get(company, Counter()).items()]
        return [*found, *(f"not run  {company}: set {', '.join(names)}" for company, names in self.missing.items())]


def main(arguments: list[str]) -> int:
    """0 where nothing failed, also where nothing could run."""
    live = [name for name, value in os.environ.items() if name.startswith("FXO_TRY_STRIPE_") and value.startswith(LIVE_MONEY)]
    if live:
        print(f"{live[0]} is a key for real money. Use a test key (sk_test_..., pk_test_...).", file=sys.stderr)
        return 2
    told = Told()
    code = pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", str(SUITES), *arguments], plugins=[told])
    print("\n".join(["", *told.lines()]))
    return 0 if code == pytest.ExitCode.NO_TESTS_COLLECTED and told.missing else int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
