"""A process that has imported everything: it forks a life when it is told to.

``python -m tests.crash.server`` reads ``folder`` from standard input, forks a child
that stops itself before it begins, and writes its number; then how it ended.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from mes_engine.log import configure_logging
from tests.crash.scenario import live

ACKS = "acks"


def _child(folder: Path) -> None:
    told = os.open(folder / ACKS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(os.open(folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644), 2)
    os.kill(os.getpid(), signal.SIGSTOP)

    def tell(line: str) -> None:
        os.write(told, f"{line}\n".encode())

    asyncio.run(live(folder / "plant", tell))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    """Fork lives for as long as somebody asks."""
    configure_logging(level="WARNING")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                _child(Path(line.strip()))
                status = 0
            except Exception as error:  # noqa: BLE001  it is told by the status
                os.write(2, f"{type(error).__name__}: {error}\n".encode())
            finally:
                os._exit(status)
        _say(child)
        _, status = os.waitpid(child, 0)
        _say(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
