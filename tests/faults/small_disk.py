"""A small disk of one's own: there for who is run on it, gone with its keeper.

A tmpfs in a mount namespace of its own, which a child process keeps; nothing is mounted
where others could see it, and nothing is left when that process is gone.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

KEEP = 'mount -t tmpfs -o size="$1" tmpfs "$0" && echo kept && exec cat'
CHUNK = b"\0" * 65_536


def missing() -> str:
    """Say why there can be no such disk here; empty if there can."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        return "there is no unshare or nsenter here: apt-get install util-linux"
    tried = subprocess.run(
        [*_apart(), "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        check=False,
    )
    return "" if tried.returncode == 0 else "no disk can be mounted here, even apart"


def _apart() -> tuple[str, ...]:
    is_root = os.geteuid() == 0
    return ("unshare", "--mount", *(() if is_root else ("--user", "--map-root-user")))


class SmallDisk:
    """A disk at ``folder``, for who is run ``within`` it.

    Attributes:
        within: What runs a command on it.
        seen: Where it can be seen from outside.
    """

    def __init__(self, folder: Path, keeper: int) -> None:
        is_root = os.geteuid() == 0
        users = () if is_root else ("--user", "--preserve-credentials")
        self.folder = folder
        self.within = ("nsenter", "--target", str(keeper), "--mount", *users, "--")
        self.seen = Path(f"/proc/{keeper}/root{folder}")
        self._filler = self.seen / "filler"

    def fill(self) -> None:
        """Take all the room that is left, to the last byte."""
        with suppress(OSError), self._filler.open("ab", buffering=0) as filler:
            while True:
                filler.write(CHUNK)
        assert self.left == 0

    def free(self) -> None:
        """Give back what was taken."""
        self._filler.unlink()

    @property
    def left(self) -> int:
        """How many bytes are free."""
        found = os.statvfs(self.seen)
        return found.f_bavail * found.f_frsize


@contextmanager
def small_disk(folder: Path, *, mib: int) -> Iterator[SmallDisk]:
    """Mount a disk of so many MiB at ``folder``, and give it up at the end."""
    folder.mkdir()
    with subprocess.Popen(
        [*_apart(), "sh", "-c", KEEP, str(folder), f"{mib}m"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == b"kept\n"
        try:
            yield SmallDisk(folder, keeper.pid)
        finally:
            keeper.stdin.close()
