"""Deliver what the spool holds, in order; forget it once the engine has answered."""

import asyncio
from collections.abc import Callable, Mapping

import msgspec
import structlog

from mes_engine.core.errors import (
    Malformed,
    OutcomeUnknown,
    Overloaded,
    SourceLost,
)
from mes_engine.gateway.keeping import Keeping
from mes_engine.gateway.spool import Refusal
from mes_engine.ports import Uplink
from mes_engine.runtime.pace import BackOff
from mes_engine.wire import MOST_BYTES, MOST_REPORTS, Delivered, Delivery

log = structlog.stdlib.get_logger()

ALIVE_EVERY_S = 2.0
"""A sign of life, where there is nothing to deliver."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0


class Delivering:
    """Delivers for one life of the gateway.

    Args:
        keeping: Whose reports.
        uplink: Where to.
        instance: Of this life.
        links: Tells what is run now.
        plant: Tells the digest of the ``plant.yaml`` that was read.
        left_alone: Tells which links are left alone, and until when.
        heard: Told each answer.
        back_off: The pauses between tries.
    """

    def __init__(
        self,
        keeping: Keeping,
        uplink: Uplink,
        *,
        instance: int,
        links: Callable[[], tuple[str, ...]],
        plant: Callable[[], str],
        heard: Callable[[Delivered], None],
        left_alone: Callable[[], Mapping[str, int]] = dict,
        back_off: BackOff | None = None,
    ) -> None:
        self._keeping = keeping
        self._uplink = uplink
        self._instance = instance
        self._links = links
        self._plant = plant
        self._left_alone = left_alone
        self._heard = heard
        self._back_off = back_off or BackOff(
            first_s=FIRST_PAUSE_S, longest_s=LONGEST_PAUSE_S
        )
        self._trouble = ""

    async def run(self) -> None:
        """Deliver, for as long as the gateway works.

        Raises:
            Refused: Another one has taken over.
        """
        while True:
            rows = await self._keeping.head(MOST_REPORTS, MOST_BYTES)
            delivery = Delivery(
                instance=self._instance,
                links=self._links(),
                plant=self._plant(),
                status=await self._keeping.status(),
                left_alone=dict(self._left_alone()),
                reports=tuple(msgspec.Raw(body) for _, body in rows),
            )
            try:
                answer = await self._uplink.deliver(delivery)
            except (SourceLost, Overloaded, OutcomeUnknown, Malformed) as error:
                if type(error).__name__ != self._trouble:
                    self._trouble = type(error).__name__
                    log.warning("engine_lost", reason=str(error))
                await self._back_off.wait()
                continue
            self._back_off.reset()
            if self._trouble:
                self._trouble = ""
                log.info("engine_recovered", waiting=delivery.status.waiting)
            await self._answered(rows, answer)
            if not rows:
                await self._wait()

    async def _answered(self, rows: list[tuple[int, bytes]], answer: Delivered) -> None:
        if rows:
            refused = [
                Refusal(rows[one.index][0], one.reason, one.is_elsewhere)
                for one in answer.refused
            ]
            for one in refused:
                log.warning("report_set_aside", place=one.place, reason=one.reason)
            await self._keeping.forget(rows[-1][0], refused=refused)
        self._heard(answer)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(ALIVE_EVERY_S):
                await self._keeping.arrived.wait()
        except TimeoutError:
            return
