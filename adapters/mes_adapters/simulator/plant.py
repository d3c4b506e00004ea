"""The whole plant: machines, the file of what they made, and what they show.

The file is the truth that the engine never sees. A piece is a line in it before any
counter shows the piece, so that at every moment, also after a kill, no counter is ahead
of the file.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mes_adapters.simulator.machine import MICROS, Change, Machine, MachineKind
from mes_adapters.simulator.settings import MachineSettings, PlantSettings


class PieceFile:
    """Every piece ever made, a JSON line each; appended, never rewritten."""

    def __init__(self, lines: IO[bytes]) -> None:
        self._lines = lines

    def append(self, change: Change) -> None:
        """Write the piece of ``change`` and hand it to the operating system."""
        piece = {
            "machine": change.machine,
            "serial": change.serial,
            "result": "good" if change.is_good else "scrap",
            "at_us": change.at,
        }
        self._lines.write(json.dumps(piece).encode() + b"\n")
        self._lines.flush()


@contextmanager
def open_piece_file(path: Path) -> Iterator[PieceFile]:
    """Append to ``path``; a last line cut short by a crash is taken away first."""
    with path.open("ab") as lines:
        lines.truncate(len(_whole_lines(path)))
        yield PieceFile(lines)


def count_pieces(path: Path) -> Counter[tuple[str, str]]:
    """Return how many pieces ``path`` has, by machine and result (good, scrap)."""
    pieces = (json.loads(line) for line in _whole_lines(path).splitlines())
    return Counter((piece["machine"], piece["result"]) for piece in pieces)


def _whole_lines(path: Path) -> bytes:
    if not path.exists():
        return b""
    content = path.read_bytes()
    return content[: content.rfind(b"\n") + 1]


class Plant:
    """The machines, moved on by :meth:`tick`, and shown by whoever asked to."""

    def __init__(self, machines: Iterable[Machine], pieces: PieceFile) -> None:
        self.machines = {machine.kind.id: machine for machine in machines}
        self.shown: dict[str, Change] = {}
        self._pieces = pieces
        self._displays: list[Callable[[Change], None]] = []

    def add_display(self, display: Callable[[Change], None]) -> None:
        """Call ``display`` with what a machine shows, after each change."""
        self._displays.append(display)

    def tick(self, now: int) -> None:
        """Let every machine do what is due up to ``now``."""
        for machine in self.machines.values():
            self.show(machine.advance(now))

    def show(self, changes: Iterable[Change]) -> None:
        """Put pieces into the file, then onto the counters, one after the other."""
        for change in changes:
            if change.serial is not None:
                self._pieces.append(change)
            self.shown[change.machine] = change
            for display in self._displays:
                display(change)


def make_machines(
    settings: PlantSettings,
    *,
    seed: int,
    speed: float,
    made: Mapping[tuple[str, str], int],
    start_counts: Mapping[str, int],
    is_volatile: bool,
) -> Iterator[Machine]:
    """Yield the machines, with the counters that their memory has kept.

    Args:
        settings: The plant.
        seed: What fate depends on.
        speed: Cycles are this many times as fast.
        made: Pieces of former runs, by machine and result.
        start_counts: What a counter stood at before the first piece, by
            ``<machine>.good`` or ``<machine>.scrap``; 0 if not given.
        is_volatile: Counters forget the pieces of former runs. Serial numbers go on.
    """
    for machine in settings.machines:
        good = made.get((machine.id, "good"), 0)
        scrap = made.get((machine.id, "scrap"), 0)
        kept_good, kept_scrap = (0, 0) if is_volatile else (good, scrap)
        yield Machine(
            _kind(machine, seed=seed, speed=speed),
            good=start_counts.get(f"{machine.id}.good", 0) + kept_good,
            scrap=start_counts.get(f"{machine.id}.scrap", 0) + kept_scrap,
            serial=good + scrap,
        )


def _kind(machine: MachineSettings, *, seed: int, speed: float) -> MachineKind:
    return MachineKind(
        id=machine.id,
        cycle_us=max(1, round(machine.cycle_s * MICROS / speed)),
        counter_bits=machine.counter_bits,
        scrap_rate=machine.scrap_rate,
        jam_rate=machine.jam_rate,
        jam_us=round(machine.jam_s * MICROS / speed),
        seed=seed,
    )
