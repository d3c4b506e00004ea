"""Read all blocks once, and find out which tags a device refuses."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from structlog.stdlib import BoundLogger

from mes_adapters.modbus.client import BUSY, ILLEGAL, Answer, ModbusClient
from mes_adapters.modbus.mapping import Block, halves, values
from mes_adapters.modbus.settings import ModbusSettings
from mes_engine.core.samples import Quality, Sample


@dataclass(frozen=True, slots=True)
class Reading:
    """A tag's sample, and the Modbus exception (or 0) that its block got."""

    sample: Sample
    exception: int


class Poller:
    """Polls over one connection, and remembers what that connection refused."""

    def __init__(
        self,
        client: ModbusClient,
        settings: ModbusSettings,
        blocks: Iterable[Block],
        log: BoundLogger,
    ) -> None:
        self._client = client
        self._settings = settings
        self._blocks = list(blocks)
        self._log = log
        self._failing: dict[str, int] = {}

    async def poll(self, *, asks_refused: bool) -> list[Reading]:
        """Read every block.

        A block with a refused address is read in halves, down to the tag at fault,
        and from then on in those parts.

        Args:
            asks_refused: Ask again for tags refused before; else leave them out.
        """
        readings: list[Reading] = []
        parts: list[Block] = []
        for block in self._blocks:
            if not asks_refused and self._is_refused(block):
                parts.append(block)
            else:
                await self._read(block, readings, parts)
        self._blocks = parts
        return readings

    async def _read(
        self, block: Block, readings: list[Reading], parts: list[Block]
    ) -> None:
        answer = await self._ask(block)
        if answer.exception in ILLEGAL and len(block.tags) > 1:
            for half in halves(block):
                await self._read(half, readings, parts)
            return
        parts.append(block)
        self._note(block, answer.exception)
        readings.extend(_readings(block, answer))

    async def _ask(self, block: Block) -> Answer:
        wait_s = self._settings.busy_wait_s
        for _ in range(self._settings.busy_retries):
            answer = await self._client.read(block)
            if answer.exception not in BUSY:
                break
            await asyncio.sleep(wait_s)
            wait_s *= 2
        else:
            answer = await self._client.read(block)
        if self._settings.pause_s:
            await asyncio.sleep(self._settings.pause_s)
        return answer

    def _is_refused(self, block: Block) -> bool:
        return all(self._failing.get(tag) in ILLEGAL for tag, _ in block.tags)

    def _note(self, block: Block, exception: int) -> None:
        for tag, _ in block.tags:
            before = self._failing.pop(tag, 0)
            if exception:
                self._failing[tag] = exception
            if exception and not before:
                self._log.warning(
                    "tag_missing",
                    tag=tag,
                    reason=f"modbus exception {exception}",
                    unit=block.unit,
                    table=block.table.value,
                    address=block.start,
                )
            elif before and not exception:
                self._log.info("tag_found", tag=tag)


def _readings(block: Block, answer: Answer) -> Iterator[Reading]:
    read = (
        ((tag, None) for tag, _ in block.tags)
        if answer.exception
        else values(block, answer.words)
    )
    for tag, value in read:
        sample = Sample(
            tag=tag,
            value=value,
            quality=Quality.BAD if value is None else Quality.GOOD,
            source_at=None,
            received_at=answer.at,
        )
        yield Reading(sample, answer.exception)
