"""Time and chance as the moving parts take them, and the pause between two tries."""

import asyncio
import random
from collections.abc import Awaitable, Callable

Clock = Callable[[], int]
"""What time it is, in microseconds of UTC."""

Monotonic = Callable[[], float]
"""Seconds that only ever grow, whatever is done to the clock on the wall."""

Sleep = Callable[[float], Awaitable[object]]
"""Wait for so many seconds."""

Chance = Callable[[], float]
"""A number from 0 to 1."""


class BackOff:
    """Pauses that double from ``first_s`` to ``longest_s``, each with jitter.

    The jitter takes off up to a half, so that what failed together does not come back
    together.
    """

    def __init__(
        self,
        *,
        first_s: float,
        longest_s: float,
        sleep: Sleep = asyncio.sleep,
        chance: Chance = random.random,
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._sleep = sleep
        self._chance = chance
        self._next_s = first_s

    async def wait(self, at_least_s: float = 0) -> None:
        """Pause; the next pause is twice as long."""
        pause_s = self._next_s
        self._next_s = min(2 * pause_s, self._longest_s)
        await self._sleep(max(pause_s * (0.5 + 0.5 * self._chance()), at_least_s))

    def reset(self) -> None:
        """Begin again with the first pause: it works."""
        self._next_s = self._first_s


def engine_back_off() -> BackOff:
    """Return the pauses of whoever tells the engine something that it has not taken."""
    return BackOff(first_s=0.1, longest_s=5.0)
