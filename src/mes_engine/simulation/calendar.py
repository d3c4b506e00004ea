"""The event calendar: what happens when, on a clock that nobody waits for."""

from collections.abc import Callable
from heapq import heappop, heappush

Act = Callable[[], None]


class Calendar:
    """Acts by their time; those of one time in the order in which they were put in.

    Attributes:
        now: The virtual time, in microseconds of UTC.
    """

    def __init__(self, now: int) -> None:
        self.now = now
        self._acts: list[tuple[int, int, Act]] = []
        self._put = 0

    def at(self, when: int, act: Act) -> None:
        """Let ``act`` happen at ``when``; at once if that is past."""
        self._put += 1
        heappush(self._acts, (max(when, self.now), self._put, act))

    @property
    def next_at(self) -> int | None:
        """When the next act happens; None if there is none."""
        return self._acts[0][0] if self._acts else None

    def step(self) -> None:
        """Go to the time of the next act, and do all that were put in for it."""
        self.now = self._acts[0][0]
        while self._acts and self._acts[0][0] == self.now:
            _, _, act = heappop(self._acts)
            act()
