"""Whether what was read of a block is of one moment, and of this block at all. Pure.

A device writes the words of a value one after the other, and a read may come in
between. A block of which this matters is read again after ``torn_s``, until two
readings agree, or until its sequence register says that nobody is writing.
"""

from collections.abc import Sequence
from enum import Enum, auto

from mes_adapters.modbus.plan import Block
from mes_adapters.modbus.settings import BlockSettings

Words = Sequence[int | bool]

MOST_READS = 6
"""Readings in a row that were all of different moments: then there is no value."""


class Verdict(Enum):
    """What a reading is worth."""

    WHOLE = auto()
    AGAIN = auto()
    """It has to be read once more, after ``torn_s``."""
    TORN = auto()
    """It was so too often: what is declared to be whole has no value."""
    FOREIGN = auto()
    """Its sentinel says that it is the answer to another question."""


class Wholeness:
    """Judges the readings of one block, one after the other."""

    def __init__(self, block: Block, said: BlockSettings) -> None:
        self._said = said
        self._start = block.start
        self._places = [
            place
            for _, tag in block.tags
            if tag.read == "twice"
            for place in range(tag.address - block.start, tag.end - block.start)
        ]
        self._before: list[int | bool] | None = None
        self._reads = 0
        self.guarded = frozenset(
            name for name, tag in block.tags if tag.read == "twice" or said.sequence
        )
        """The tags that have a value only if the reading is whole."""

    def judge(self, words: Words) -> Verdict:
        """Return what a reading is worth, in view of the one before."""
        said = self._said
        if said.sentinel is not None:
            found = words[said.sentinel.address - self._start]
            if found != said.sentinel.value:
                self._begin()
                return Verdict.FOREIGN
        self._reads += 1
        is_writing = (
            said.sequence is not None and words[said.sequence - self._start] % 2 == 1
        )
        if not is_writing and self._agrees(words):
            self._begin()
            return Verdict.WHOLE
        if self._reads < MOST_READS:
            return Verdict.AGAIN
        self._begin()
        return Verdict.TORN

    def _agrees(self, words: Words) -> bool:
        if not self._places:
            return True
        now = [words[place] for place in self._places]
        before, self._before = self._before, now
        return now == before

    def _begin(self) -> None:
        self._before = None
        self._reads = 0
