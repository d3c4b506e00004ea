"""Power loss: what a disk may hold after it, made from a record of what it was asked.

What was synced is there. Of what was written since, each write is there, or not, or
torn at a sector; file names change in order, and the last changes may be missing.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

SECTOR = 512
CALLS = "openat,pwrite64,write,ftruncate,unlink,fsync,fdatasync"
OPTIONS = ("-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}")
"""How strace has to be asked for such a record."""
_LINE = re.compile(r"^(\d+) +(.*)$")
_UNFINISHED = re.compile(r"^(.*?) *<unfinished \.\.\.>$")
_RESUMED = re.compile(r"^<\.\.\. \w+ resumed>(.*)$")
_CALL = re.compile(r"^(\w+)\((.*)\) += (-?\d+)")
_FILE = re.compile(r"^-?\d+<((?:\\x[0-9a-f]{2})*)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
LOST, TORN = 0.4, 0.5
"""Below the first a write is lost, below the second it is torn."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a disk was asked, or that somebody was told.

    Attributes:
        what: ``create``, ``write``, ``truncate``, ``unlink``, ``sync`` or ``told``.
        at: Where in the file; its new size.
    """

    what: str
    path: str
    at: int = 0
    data: bytes = b""


def recorded(log: Path, folder: Path) -> Iterator[Event]:
    """Go through what strace has recorded below ``folder``, as each was done."""
    begun: dict[str, str] = {}
    for line in log.read_text("ascii").splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        thread, text = found.groups()
        if unfinished := _UNFINISHED.match(text):
            begun[thread] = unfinished[1]
            continue
        if resumed := _RESUMED.match(text):
            text = begun.pop(thread) + resumed[1]
        event = _event(text)
        if event is not None and event.path.startswith(str(folder)):
            yield event


def _event(text: str) -> Event | None:
    found = _CALL.match(text)
    if found is None or int(found[3]) < 0:
        return None
    call, arguments = found[1], found[2]
    named = [bytes.fromhex(one.replace("\\x", "")) for one in _TEXT.findall(arguments)]
    opened = _FILE.match(arguments)
    path = "" if opened is None else _decoded(opened[1])
    match call:
        case "openat" if "O_CREAT" in arguments:
            return Event("create", named[0].decode())
        case "unlink":
            return Event("unlink", named[0].decode())
        case "pwrite64":
            return Event("write", path, int(arguments.rpartition(",")[2]), named[0])
        case "write" if path.endswith("/acks"):
            return Event("told", path, data=named[0])
        case "ftruncate":
            return Event("truncate", path, int(arguments.rpartition(",")[2]))
        case "fsync" | "fdatasync":
            return Event("sync", path)
    return None


def _decoded(hexed: str) -> str:
    return bytes.fromhex(hexed.replace("\\x", "")).decode()


@dataclass(slots=True, eq=False)
class _File:
    """What of a file is sure, and what was written since."""

    sure: bytearray = field(default_factory=bytearray)
    since: list[Event] = field(default_factory=list)

    def sync(self) -> None:
        for one in self.since:
            _apply(self.sure, one, one.data)
        self.since.clear()

    def maybe(self, chance: Random) -> bytearray:
        content = bytearray(self.sure)
        for one in self.since:
            lot = chance.random()
            if lot < LOST:
                continue
            if one.what == "write" and lot < TORN:
                _tear(content, one, chance)
            else:
                _apply(content, one, one.data)
        return content


def _apply(content: bytearray, one: Event, data: bytes) -> None:
    if one.what == "truncate":
        del content[one.at :]
        content.extend(bytes(one.at - len(content)))
        return
    end = one.at + len(data)
    content.extend(bytes(max(end - len(content), 0)))
    content[one.at : end] = data


def _tear(content: bytearray, one: Event, chance: Random) -> None:
    """Let some of its sectors reach the disk."""
    at = one.at
    while at < one.at + len(one.data):
        until = min(at - at % SECTOR + SECTOR, one.at + len(one.data))
        part = Event("write", one.path, at)
        if chance.random() < 0.5:
            _apply(content, part, one.data[at - one.at : until - one.at])
        at = until


class Disk:
    """The files of a folder, as far as they are sure.

    Args:
        folder: What was there before.
        as_if: Where it was when it was recorded.

    Attributes:
        told: What was answered until now.
    """

    def __init__(self, folder: Path, *, as_if: Path) -> None:
        self._sure: dict[str, _File] = {
            str(as_if / path.name): _File(bytearray(path.read_bytes()))
            for path in folder.iterdir()
            if path.is_file()
        }
        self._now = dict(self._sure)
        self._renamed: list[tuple[str, _File | None]] = []
        self.told: list[str] = []

    def take(self, event: Event) -> None:
        """Let something happen."""
        if event.what == "told":
            self.told += event.data.decode().splitlines()
        elif event.path.endswith("-shm"):
            return  # Memory: nothing of it is left.
        elif event.what == "create":
            if event.path not in self._now:
                self._name(event.path, _File())
        elif event.what == "unlink":
            self._name(event.path, None)
        elif event.what == "sync":
            self._sync(event.path)
        else:
            self._now[event.path].since.append(event)

    def _name(self, path: str, file: _File | None) -> None:
        if file is None:
            self._now.pop(path, None)
        else:
            self._now[path] = file
        self._renamed.append((path, file))

    def _sync(self, path: str) -> None:
        file = self._now.get(path)
        if file is None:  # The folder itself.
            self._settle(len(self._renamed))
            return
        file.sync()
        named = [n for n, (_, one) in enumerate(self._renamed, start=1) if one is file]
        self._settle(max(named, default=0))

    def _settle(self, count: int) -> None:
        _named(self._sure, self._renamed[:count])
        del self._renamed[:count]

    def image(self, into: Path, chance: Random) -> None:
        """Write what may be there after the power was lost now."""
        files = dict(self._sure)
        _named(files, self._renamed[: chance.randint(0, len(self._renamed))])
        into.mkdir(parents=True)
        for path, file in files.items():
            (into / Path(path).name).write_bytes(file.maybe(chance))


def _named(
    files: dict[str, _File], renamed: Iterable[tuple[str, _File | None]]
) -> None:
    for path, file in renamed:
        if file is None:
            files.pop(path, None)
        else:
            files[path] = file
