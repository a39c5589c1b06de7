"""The supervisor: a program that ends is started again, all are stopped at the end."""

import os
import signal
import sys
from pathlib import Path

import psutil

from fxo.embedded import Program, Supervisor
from fxo.embedded.processes import wait_until

WAITS = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "helper = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
    "print(helper.pid, flush=True); signal.pause()",
]


def test_a_program_that_was_killed_is_started_again(tmp_path: Path) -> None:
    with Supervisor([Program("web", WAITS), Program("worker", WAITS)], tmp_path) as crew:
        first = crew.pids
        os.kill(first["worker"], signal.SIGKILL)

        def again() -> bool:
            crew.tend()
            return crew.pids.get("worker", first["worker"]) != first["worker"]

        assert wait_until(again, 10)
        assert crew.pids["web"] == first["web"]
        pids = crew.pids
    assert crew.pids == {}
    assert not any(psutil.pid_exists(pid) for pid in pids.values())
    assert {path.name for path in tmp_path.iterdir()} == {"web.log", "worker.log"}


def test_a_program_gets_its_environment_and_writes_to_its_log(tmp_path: Path) -> None:
    show = [sys.executable, "-c", "import os; print(os.environ['FXO_PORT'])"]
    with Supervisor([Program("web", show, {"FXO_PORT": "8123"})], tmp_path):
        assert wait_until(lambda: (tmp_path / "web.log").read_text() == "8123\n", 10)


def test_run_tends_until_a_signal_and_gives_the_handlers_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    rounds = []

    def also() -> None:
        rounds.append(1)
        os.kill(os.getpid(), signal.SIGTERM)

    with Supervisor([Program("web", WAITS)], tmp_path, also=also) as crew:
        assert crew.run() == signal.SIGTERM
        assert crew.pids
    assert rounds
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_program_that_does_not_stop_is_killed_with_all_it_started(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with Supervisor([Program("worker", STUBBORN)], tmp_path, patience=0.2) as crew:
        assert wait_until(lambda: log.read_text().endswith("\n"), 10)
        helper = int(log.read_text())
    assert crew.pids == {}
    assert wait_until(lambda: not psutil.pid_exists(helper) or psutil.Process(helper).status() == "zombie", 5)
