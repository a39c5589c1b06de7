"""Starts `seahaven-stripe-world`, a Stripe that others have written, on a port: `python stripe_world.py PORT`.

It runs under a Python of its own, since it is written for 3.14; on 3.13 two things of its source are read in the older way.
"""

from __future__ import annotations
import __future__

import importlib.abc
import importlib.machinery
import importlib.util
import re
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType
from typing import Any

_SEVERAL = re.compile(r"^(\s*)except (?!\()([\w.]+(?:\s*,\s*[\w.]+)+)\s*:", re.MULTILINE)


class _Loader(importlib.machinery.SourceFileLoader):
    """Reads `except A, B:` as `except (A, B):`, and annotations when they are asked for."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        source = _SEVERAL.sub(r"\1except (\2):", importlib.util.decode_source(self.get_data(path)))
        later = __future__.annotations.compiler_flag
        code: CodeType = compile(source, path, "exec", flags=later, dont_inherit=True)
        return code


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        if name.partition(".")[0] not in ("seahaven", "seahaven_stripe_world"):
            return None
        found = importlib.machinery.PathFinder.find_spec(name, path, target)
        if found and found.origin and found.origin.endswith(".py"):
            found.loader = _Loader(name, found.origin)
        return found


if __name__ == "__main__":
    if sys.version_info < (3, 14):
        sys.meta_path.insert(0, _Finder())
    server = importlib.import_module("seahaven.http.server")
    api = importlib.import_module("seahaven_stripe_world.http_api")
    world = importlib.import_module("seahaven_stripe_world").world
    reset = {"startup": {"livemode": False}}
    server.serve(world, api.handle, host="127.0.0.1", port=int(sys.argv[1]), reset_options=reset, max_instances=100)
