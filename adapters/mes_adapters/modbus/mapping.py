"""Which blocks to read for a set of tags, and what their registers mean. Pure."""

import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mes_adapters.modbus.settings import ModbusTag, Table, ValueType, WordOrder

BITS_PER_REGISTER = 16

FORMATS = {
    ValueType.U16: ">H",
    ValueType.I16: ">h",
    ValueType.U32: ">I",
    ValueType.I32: ">i",
    ValueType.U64: ">Q",
    ValueType.F32: ">f",
}


@dataclass(frozen=True, slots=True)
class Block:
    """Addresses read in one request, and the tags in them, by address.

    A value never lies in two blocks: its words would be of different times.
    """

    unit: int
    table: Table
    start: int
    count: int
    tags: tuple[tuple[str, ModbusTag], ...]


def plan(
    tags: Mapping[str, ModbusTag],
    *,
    default_unit: int,
    max_registers: int,
    max_hole: int,
) -> tuple[Block, ...]:
    """Return few blocks that hold all of ``tags``.

    Args:
        tags: By tag id.
        default_unit: The unit of tags that name none.
        max_registers: The longest block; of coils and inputs, 16 times as many.
        max_hole: The longest stretch without a tag that a block may have inside.
    """

    def place(entry: tuple[str, ModbusTag]) -> tuple[int, Table, int, str]:
        name, tag = entry
        unit = default_unit if tag.unit is None else tag.unit
        return unit, tag.table, tag.address, name

    blocks: list[Block] = []
    for name, tag in sorted(tags.items(), key=place):
        unit, table, *_ = place((name, tag))
        limit = max_registers * (BITS_PER_REGISTER if table.has_bits else 1)
        alone = Block(unit, table, tag.address, tag.type.width, ((name, tag),))
        both = _joined(blocks[-1], alone, max_hole=max_hole) if blocks else None
        if both is not None and both.count <= limit:
            blocks[-1] = both
        else:
            blocks.append(alone)
    return tuple(blocks)


def halves(block: Block) -> tuple[Block, Block]:
    """Return two blocks with the tags of ``block``, which has more than one."""
    middle = len(block.tags) // 2
    return _around(block, block.tags[:middle]), _around(block, block.tags[middle:])


def values(
    block: Block, words: Sequence[int | bool]
) -> Iterator[tuple[str, bool | int | float | None]]:
    """Yield the value of each tag of ``block``; None where it is no number.

    Args:
        block: What was read.
        words: One for each of its addresses.
    """
    for name, tag in block.tags:
        at = tag.address - block.start
        yield name, decode(tag, words[at : at + tag.type.width])


def decode(tag: ModbusTag, words: Sequence[int | bool]) -> bool | int | float | None:
    """Return the value that ``words`` stand for; None for a float that is no number.

    Example:
        >>> tag = ModbusTag(table="holding", address=0, type="u32", word_order="big")
        >>> decode(tag, [1, 2])
        65538
    """
    if tag.type is ValueType.BOOL:
        return bool(words[0])
    ordered = words if tag.word_order is not WordOrder.LITTLE else words[::-1]
    raw = struct.pack(f">{len(ordered)}H", *ordered)
    value: int | float
    (value,) = struct.unpack(FORMATS[tag.type], raw)
    return value if math.isfinite(value) else None


def _joined(block: Block, other: Block, *, max_hole: int) -> Block | None:
    hole = other.start - (block.start + block.count)
    if (block.unit, block.table) != (other.unit, other.table) or hole > max_hole:
        return None
    return _around(block, block.tags + other.tags)


def _around(block: Block, tags: Iterable[tuple[str, ModbusTag]]) -> Block:
    kept = tuple(tags)
    start = min(tag.address for _, tag in kept)
    end = max(tag.address + tag.type.width for _, tag in kept)
    return Block(block.unit, block.table, start, end - start, kept)
