"""One simulated machine: what it does as time passes. Pure: no clock, no I/O.

States are the words of PackML (ISA-TR88.00.02). What becomes of piece number n follows
from the seed, the machine and n alone, so a run can be repeated, also over restarts.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

MICROS = 1_000_000


class PackmlState(IntEnum):
    """The state words that the plant speaks, as PackML numbers them."""

    STOPPED = 2
    IDLE = 4
    SUSPENDED = 5
    EXECUTE = 6
    ABORTED = 9
    HELD = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineKind:
    """What a machine is like, unchanged while it runs.

    Attributes:
        counter_bits: Width of its two counters: at 2 to that power they start at 0.
        scrap_rate: Share of the pieces that become scrap.
        jam_rate: Share of the pieces after which it jams, for ``jam_us``.
    """

    id: str
    cycle_us: int
    counter_bits: int = 32
    scrap_rate: float = 0.0
    jam_rate: float = 0.0
    jam_us: int = 5 * MICROS
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of one piece."""

    is_good: bool
    is_followed_by_jam: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a machine shows after something happened to it, at ``at`` (UTC micros).

    ``serial`` is the number of the piece just made; None if only the state changed.
    """

    machine: str
    at: int
    state: PackmlState
    good: int
    scrap: int
    serial: int | None = None
    is_good: bool = True


def fate(kind: MachineKind, serial: int) -> Fate:
    """Return what becomes of piece ``serial`` of a machine."""
    # Not for secrets: the same every time is the point.
    rng = random.Random(f"{kind.seed}/{kind.id}/{serial}")  # noqa: S311
    return Fate(
        is_good=rng.random() >= kind.scrap_rate,
        is_followed_by_jam=rng.random() < kind.jam_rate,
    )


class Machine:
    """A machine's memory: its state, its counters and what is still to be made."""

    def __init__(
        self, kind: MachineKind, *, good: int = 0, scrap: int = 0, serial: int = 0
    ) -> None:
        self.kind = kind
        self.state = PackmlState.IDLE
        self.good = good % 2**kind.counter_bits
        self.scrap = scrap % 2**kind.counter_bits
        self.serial = serial
        self.to_make = 0
        self.is_free_running = False
        self._piece_due = 0
        self._resumes_at = 0

    def shown(
        self, at: int, *, serial: int | None = None, is_good: bool = True
    ) -> Change:
        """Return what the machine shows ``at`` a time."""
        return Change(
            machine=self.kind.id,
            at=at,
            state=self.state,
            good=self.good,
            scrap=self.scrap,
            serial=serial,
            is_good=is_good,
        )

    def start(self, quantity: int, *, now: int) -> Change:
        """Make ``quantity`` pieces more than is still to be made, and run."""
        self.to_make += quantity
        if not self._has_work():
            return self._enter(PackmlState.IDLE, now)
        if self.state is PackmlState.EXECUTE:
            return self.shown(now)
        return self._execute(now)

    def run_freely(self, *, now: int) -> Change:
        """Make pieces until stopped."""
        self.is_free_running = True
        return self._execute(now)

    def stop(self, *, now: int) -> Change:
        """Stop at once. The piece in work is lost; what is to be made is kept."""
        self.is_free_running = False
        return self._enter(PackmlState.STOPPED, now)

    def abort(self, *, now: int) -> Change:
        """Fall out with a fault, until started again. What is to be made is kept."""
        self.is_free_running = False
        return self._enter(PackmlState.ABORTED, now)

    def interrupt(self, state: PackmlState, *, now: int, until: int) -> Change | None:
        """Stand in HELD (jam) or SUSPENDED (starved); None if it is not running."""
        if self.state is not PackmlState.EXECUTE:
            return None
        self._resumes_at = until
        return self._enter(state, now)

    def advance(self, now: int) -> Iterator[Change]:
        """Do what is due up to ``now``, in order, each at the time it was due."""
        while True:
            if self.state in (PackmlState.HELD, PackmlState.SUSPENDED):
                if self._resumes_at > now:
                    return
                yield self._execute(self._resumes_at)
            elif self.state is PackmlState.EXECUTE and self._piece_due <= now:
                yield from self._finish_piece(self._piece_due)
            else:
                return

    def _finish_piece(self, at: int) -> Iterator[Change]:
        self.serial += 1
        result = fate(self.kind, self.serial)
        limit = 2**self.kind.counter_bits
        if result.is_good:
            self.good = (self.good + 1) % limit
        else:
            self.scrap = (self.scrap + 1) % limit
        self.to_make = max(0, self.to_make - 1)
        self._piece_due = at + self.kind.cycle_us
        yield self.shown(at, serial=self.serial, is_good=result.is_good)
        if not self._has_work():
            yield self._enter(PackmlState.IDLE, at)
        elif result.is_followed_by_jam:
            self._resumes_at = at + self.kind.jam_us
            yield self._enter(PackmlState.HELD, at)

    def _has_work(self) -> bool:
        return self.is_free_running or self.to_make > 0

    def _execute(self, at: int) -> Change:
        self._piece_due = at + self.kind.cycle_us
        return self._enter(PackmlState.EXECUTE, at)

    def _enter(self, state: PackmlState, at: int) -> Change:
        self.state = state
        return self.shown(at)
