"""Which tags and which addresses between them a device refuses."""

import asyncio
from collections.abc import Sequence

from mes_adapters.modbus.plan import Block
from mes_adapters.modbus.reading import Exchange
from mes_adapters.modbus.settings import Forbidden
from mes_adapters.modbus.tags import ModbusTag

ILLEGAL = frozenset({1, 2, 3})
"""Function, address or value: this request will never be answered."""

Tags = Sequence[tuple[str, ModbusTag]]


class Refusals:
    """What was found of one device, for as long as the link is in use.

    Attributes:
        tags: Tags that are refused even alone.
        holes: Addresses without a tag, which must not be read along.
    """

    def __init__(self) -> None:
        self.tags: set[str] = set()
        self.holes: list[Forbidden] = []
        self.again_at = 0.0

    async def find(self, block: Block, exchange: Exchange, *, again_s: float) -> bool:
        """Find what is at fault in a block that was refused, by reading its halves.

        Args:
            block: What was refused.
            exchange: Asks the device.
            again_s: When tags that are found are to be tried again.

        Returns:
            Whether something was found. If not, it is no longer refused, or the device
            has something else to say now.

        Raises:
            NoAnswer: A question was not answered; nothing is found.
            SourceLost: The line is of no more use.
        """
        refused = await self._search(block, block.tags, exchange)
        if refused is None:
            return False
        holes = self._holes(block) if not refused else []
        if block.name and not refused and not holes:
            refused = {name for name, _ in block.tags}
        if refused:
            self.tags |= refused
            self.again_at = asyncio.get_running_loop().time() + again_s
        self.holes.extend(holes)
        return bool(refused or holes)

    async def _search(
        self, block: Block, tags: Tags, exchange: Exchange
    ) -> set[str] | None:
        """Return the tags that are refused alone; None if that cannot be told now."""
        if not await self._is_refused(block, tags, exchange):
            return set()
        if len(tags) == 1:
            # An exception says less of its question than values do: ask twice.
            is_sure = await self._is_refused(block, tags, exchange)
            return {tags[0][0]} if is_sure else None
        middle = len(tags) // 2
        found: set[str] = set()
        for half in (tags[:middle], tags[middle:]):
            refused = await self._search(block, half, exchange)
            if refused is None:
                return None
            found |= refused
        return found

    async def _is_refused(self, block: Block, tags: Tags, exchange: Exchange) -> bool:
        start = min(tag.address for _, tag in tags)
        end = max(tag.end for _, tag in tags)
        answer = await exchange.read(block.unit, block.table, start, end - start)
        return answer.exception in ILLEGAL

    def _holes(self, block: Block) -> list[Forbidden]:
        """Return all of a block that no tag needs; of a named block, what is around."""
        used = {place for _, tag in block.tags for place in range(tag.address, tag.end)}
        if block.name:
            used = set(range(min(used), max(used) + 1))
        return [
            Forbidden(place, place, block.unit, block.table)
            for place in range(block.start, block.end)
            if place not in used
        ]
