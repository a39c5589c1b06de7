"""`make bench`: every measurement, or those named; prints a table of figures."""

from __future__ import annotations

import importlib
import sys

ALL = ("slots", "hooks", "append", "pages", "matching", "refining", "day")


def main() -> None:
    names = sys.argv[1:] or ALL
    for name in names:
        print(f"\n{name}")
        for what, figure in importlib.import_module(f"bench.{name}").run():
            print(f"  {what}: {figure}", flush=True)


if __name__ == "__main__":
    main()
