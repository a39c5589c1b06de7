"""The walk through the API in docs/api.md does what it says, line by line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from fxo.core.scope import Actor, TenantConfig
from fxo.demo.environment import variables
from fxo.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/api.md").read_text()


@pytest.fixture
def port(app: Flask) -> Iterator[int]:
    """A real server for this test's app."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.port
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_walk_through_works_line_by_line(port: int, tenant: TenantConfig, client_actor: Actor, settings: Settings) -> None:
    lines = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]
    assert len(lines) >= 20
    lines[0] = lines[0].replace(":8000", f":{port}")
    told = "\n".join(f"echo '# {number}'\n{line}" for number, line in enumerate(lines))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path, **variables(settings)}
    shown = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", told], capture_output=True, text=True, env=environment, timeout=240, check=False
    )
    reached = re.findall(r"^# \d+|(?<=})# \d+", shown.stdout, re.M)
    assert shown.returncode == 0, f"{lines[len(reached) - 1]}\n{shown.stdout[-2000:]}{shown.stderr[-2000:]}"
    assert '"state":"confirmed"' in shown.stdout and '"state":"cancelled"' in shown.stdout
    assert "Walk through  sarah@lindqvist.example" in shown.stdout
