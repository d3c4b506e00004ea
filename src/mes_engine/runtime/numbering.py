"""Number what a source says, so that a repeat of it is known as one."""

from collections.abc import Awaitable, Callable

from mes_engine.core.messages import Sensed
from mes_engine.core.samples import Report

Sense = Callable[[Sensed], Awaitable[None]]
"""Take what was sensed; awaiting it is the back-pressure."""


class Numbering:
    """The numbers (source, epoch, n) of one source, from 1 in each epoch.

    Args:
        source: The link's id.
        sense: Where what is numbered goes to.
        epoch: Greater than any that this source has had.
    """

    def __init__(self, source: str, sense: Sense, *, epoch: int) -> None:
        self._source = source
        self._sense = sense
        self._epoch = epoch
        self._n = 0

    async def emit(self, report: Report) -> None:
        """Number a report and pass it on."""
        await self._sense(self.number(report))

    def number(self, report: Report) -> Sensed:
        """Number a report that is passed on at once, by whoever asks for it."""
        self._n += 1
        return Sensed(source=self._source, epoch=self._epoch, n=self._n, report=report)
