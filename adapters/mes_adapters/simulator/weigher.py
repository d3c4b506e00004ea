"""A checkweigher behind a machine: it hands weights over by handshake. Pure.

Four phases: it puts the weight there and raises its request; the reader raises the ack;
the request falls; the ack falls. It waits for ever, and hands over the newest piece
that it has weighed when it comes to it.
"""

import random
from dataclasses import dataclass

from mes_adapters.simulator.machine import Change

FIRST = 10
REQUEST, KEY, BOOT, WEIGHT = 10, 11, 12, 13
ACK, RESULT = 20, 21
LAST = 21
LEAST_G, MOST_G = 245, 255
NUMBERS = 65_536


@dataclass(frozen=True, slots=True)
class Weighed:
    """What was handed over, and what the reader said to it."""

    key: int
    grams: int
    result: int


class Weigher:
    """The registers 10 to 21 of a machine's unit.

    Attributes:
        handed_over: Everything that was acknowledged, in order.

    Args:
        machine: Whose pieces it weighs.
        boot: Another number after each start: its own numbers begin again at 1.
        seed: What weights depend on.
    """

    def __init__(self, machine: str, *, boot: int, seed: int = 0) -> None:
        self.machine = machine
        self.handed_over: list[Weighed] = []
        self._boot = boot % NUMBERS
        self._seed = seed
        self._key = 0
        self._grams = 0
        self._is_asking = False
        self._ack = 0
        self._result = 0
        self._newest: int | None = None

    def see(self, change: Change) -> None:
        """Weigh a piece that its machine has made."""
        if change.machine == self.machine and change.serial is not None:
            self._newest = change.serial

    def words(self) -> list[int]:
        """Return what registers 10 to 21 hold now."""
        self._go_on()
        words = [0] * (LAST - FIRST + 1)
        words[REQUEST - FIRST] = int(self._is_asking)
        words[KEY - FIRST] = self._key
        words[BOOT - FIRST] = self._boot
        words[WEIGHT - FIRST] = self._grams
        words[ACK - FIRST] = self._ack
        words[RESULT - FIRST] = self._result
        return words

    def write(self, address: int, word: int) -> None:
        """Take what was written to a register; only ack and result can be."""
        if address == ACK:
            self._ack = word
        elif address == RESULT:
            self._result = word
        self._go_on()

    def _go_on(self) -> None:
        if self._is_asking and self._ack:
            self._is_asking = False
            self.handed_over.append(Weighed(self._key, self._grams, self._result))
        elif not self._is_asking and not self._ack and self._newest is not None:
            # Not for secrets: the same every time is the point.
            rng = random.Random(f"{self._seed}/{self.machine}/{self._newest}")  # noqa: S311
            self._grams = rng.randint(LEAST_G, MOST_G)
            self._key = self._key % (NUMBERS - 1) + 1
            self._newest = None
            self._is_asking = True
