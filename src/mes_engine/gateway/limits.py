"""What ends a gateway: too much memory, a loop that stands still, its parent's end.

One hostile value can have a device's library fill any memory. A thread looks at the
process from beside its event loop, which is busy then. What it finds ends the process
at once: everything worth keeping is on the disk.
"""

import ctypes
import os
import resource
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from mes_engine.gateway.blame import How, Marks

log = structlog.stdlib.get_logger()

LOOK_S = 0.1
STUCK_S = 20.0
SLOW_S = 1.0
EXIT_MEMORY, EXIT_STUCK = 71, 72
RESERVE = 2
"""So many times the limit may be asked for at once before the system says no."""
_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """Have the system end this process when the one that started it is gone."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was gone before we asked
        os._exit(0)


class Watchdog:
    """Ends the process beyond its limits.

    Args:
        memory_bytes: What it may have in memory.
        monotonic: For how long the event loop says nothing.

    Attributes:
        marks: Which link is at work; None as long as there are none.
    """

    def __init__(self, memory_bytes: int, *, monotonic: Callable[[], float]) -> None:
        self.marks: Marks | None = None
        self._memory_bytes = memory_bytes
        self._monotonic = monotonic
        self._seen = monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Watch from now on."""
        most = self._memory_bytes * RESERVE
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        self._thread.start()

    def seen(self) -> None:
        """Take note that the event loop goes on."""
        self._seen = self._monotonic()

    def stop(self) -> None:
        """Watch no more."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        statm = Path("/proc/self/statm")
        steps, since = -1, self._monotonic()
        while not self._stop.wait(LOOK_S):
            marks = self.marks
            if marks is not None and marks.is_busy and marks.steps == steps:
                if self._monotonic() - since > SLOW_S:
                    marks.slow()
            elif marks is not None:
                steps, since = marks.steps, self._monotonic()
            used = int(statm.read_text(encoding="ascii").split()[1]) * page
            if used > self._memory_bytes:
                log.error("memory_exceeded", bytes=used, limit=self._memory_bytes)
                self._end(EXIT_MEMORY)
            if self._monotonic() - self._seen > STUCK_S:
                log.error("loop_stuck", seconds=STUCK_S)
                self._end(EXIT_STUCK)

    def _end(self, code: int) -> None:
        if self.marks is not None:
            self.marks.ends(How.BY_ITSELF)
        os._exit(code)
