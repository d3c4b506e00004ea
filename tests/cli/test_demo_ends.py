"""A demo that is told to end, or killed, leaves no process behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import SITE

PATIENCE_S = 60.0


@pytest.mark.timeout(200)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_its_processes_end_with_it(how: signal.Signals, tmp_path: Path) -> None:
    command = (sys.executable, "-m", "mes_engine", "demo", "--port", "0", *SITE)
    demo = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    folder = tmp_path / ".demo"
    try:
        wait_for((folder / "engine-ready.json").exists)
        children = [
            json.loads((folder / name).read_text())["pid"]
            for name in ("engine-ready.json", "plant-ports.json")
        ]
        assert all(is_alive(pid) for pid in children)

        demo.send_signal(how)
        demo.wait(PATIENCE_S)

        wait_for(lambda: not any(is_alive(pid) for pid in children))
    finally:
        demo.kill()
        demo.wait()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
