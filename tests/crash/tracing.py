"""Lives under strace: what they ask of the system, and what becomes of that."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CALLS = (
    *("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "rename"),
    *("openat", "fcntl", "flock", "pread64", "mmap", "close", "write"),
)
"""What a life asks of the file system: at each of these it may be cut off."""
ROOT = Path(__file__).parents[2]
_A_CALL = re.compile(r"^(?:(\d+)\s+)?([a-z0-9_]+)\((.*)$")


def missing() -> str:
    """Say why lives cannot be traced here; empty if they can."""
    if sys.platform != "linux" or shutil.which("strace") is None:
        return "there is no strace here: apt-get install strace"
    tried = subprocess.run(
        ["strace", "-e", "trace=none", "true"], capture_output=True, check=False
    )
    return "" if tried.returncode == 0 else "strace may not trace here"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a life ended, and what it had been told until then."""

    code: int
    acks: tuple[str, ...]


class Lives:
    """Forks lives and traces them."""

    def __init__(self, server: subprocess.Popen[str]) -> None:
        self._server = server

    def live(self, folder: Path, *options: str, log: Path | None = None) -> Ended:
        """Live once on ``folder``, traced with ``options`` of strace."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(f"{folder}\n")
        self._server.stdin.flush()
        child = int(self._server.stdout.readline())
        _await_stop(child)
        output = log or Path(os.devnull)
        command = ["strace", "-f", "-p", str(child), "-o", str(output), *options]
        with subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        ) as strace:
            assert strace.stderr is not None
            attached = strace.stderr.readline()
            assert "attached" in attached, attached
            os.kill(child, signal.SIGCONT)
            code = int(self._server.stdout.readline())
            strace.stderr.read()
        return Ended(code, acks_in(folder))


def acks_in(folder: Path) -> tuple[str, ...]:
    """Return what was answered, whole lines only."""
    path = folder / "acks"
    text = path.read_text() if path.exists() else ""
    return tuple(text[: text.rfind("\n") + 1].splitlines())


def _await_stop(process: int) -> None:
    """Wait until a child of the server has stopped itself."""
    while True:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "T":
            return


@contextmanager
def lives() -> Iterator[Lives]:
    """Run a server of lives."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            yield Lives(server)
        finally:
            server.kill()


def counted(log: Path) -> dict[str, int]:
    """Return how often a thread at most made each call, as strace counts them."""
    by_thread: dict[str, Counter[str]] = {}
    for line in log.read_text(errors="replace").splitlines():
        found = _A_CALL.match(line)
        if found is not None:
            by_thread.setdefault(found[1] or "", Counter())[found[2]] += 1
    most: dict[str, int] = {}
    for counts in by_thread.values():
        for name, number in counts.items():
            most[name] = max(most.get(name, 0), number)
    return most
