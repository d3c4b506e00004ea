"""A link with machines behind it that count on, whatever becomes of the engine."""

import asyncio
from collections.abc import Callable
from random import Random

from mes_engine.core import messages as m
from mes_engine.core.samples import LinkReport, LinkState, Quality, Sample
from mes_engine.runtime.engine import Engine
from tests.core.plants import LINK

TAGS = ("cut-1.good", "mill-1.good", "mill-1.scrap", "pack-1.good")
WIDTHS = {"cut-1.good": 65_536}
NEARLY_FULL = 65_500
"""Where a counter of limited width begins, so that it soon begins anew."""


class Machines:
    """What the machines have made, and the link that tells it.

    Attributes:
        made: By tag, what the machine has made since it was first heard of.
    """

    def __init__(self, rng: Random, now: Callable[[], int]) -> None:
        self.made = dict.fromkeys(TAGS, 0)
        self._rng = rng
        self._now = now
        self._epoch = 0

    async def tell(self, engine: Engine) -> None:
        """Connect anew and tell every value; then tell what changes, or again."""
        self._epoch += 1
        self._n = 0
        said = LinkReport(state=LinkState.CONNECTED, at=self._now())
        await self._say(engine, said)
        for tag in TAGS:
            await self._say(engine, self._sample(tag))
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / 0.05))
            tag = self._rng.choice(TAGS)
            # Only from a known beginning: what was made before it is not ours to count.
            if engine.committed.signal.get(tag) is not None:
                self.made[tag] += self._rng.choice([0, 1, 1, 2, 5])
            await self._say(engine, self._sample(tag))

    async def tell_all(self, engine: Engine) -> None:
        """Tell every value once more."""
        for tag in TAGS:
            await self._say(engine, self._sample(tag))

    async def _say(self, engine: Engine, report: Sample | LinkReport) -> None:
        self._n += 1
        sensed = m.Sensed(source=LINK, epoch=self._epoch, n=self._n, report=report)
        await engine.sense(sensed)
        if self._rng.random() < 0.1:
            await engine.sense(sensed)

    def _sample(self, tag: str) -> Sample:
        at = self._now()
        width = WIDTHS.get(tag)
        made = self.made[tag]
        return Sample(
            tag=tag,
            value=made if width is None else (NEARLY_FULL + made) % width,
            quality=Quality.GOOD,
            source_at=at,
            received_at=at,
        )
