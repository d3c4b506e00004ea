"""Which blocks to read for a set of tags. Pure.

A value never lies in two blocks: its words would be of different times. On a serial
line, where nothing in an answer says which question it belongs to, the blocks of a unit
have answers of different lengths, so that a late one is never taken for another's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mes_adapters.modbus.settings import (
    BlockSettings,
    Forbidden,
    ModbusSettings,
    parse_forbidden,
)
from mes_adapters.modbus.tags import LAST, REGISTER_BITS, ModbusTag, Table
from mes_engine.ports import PlanLine, TagGroup, Unfit

MOST_BITS = 2000
MOST_APART = 64
"""Registers read along, at most, to make the length of an answer its own."""
BITS_PER_BYTE = 8


@dataclass(frozen=True, slots=True)
class Block:
    """Addresses read in one request, and the tags in them, by address.

    Attributes:
        name: What tags call it; empty for one that was only made to save requests.
        is_apart: No other block of the unit is answered with as many bytes, or it is
            told by a sentinel. Always so where answers carry a number.
    """

    unit: int
    table: Table
    start: int
    count: int
    tags: tuple[tuple[str, ModbusTag], ...]
    period_s: float
    name: str = ""
    is_apart: bool = True

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.start + self.count

    @property
    def size(self) -> int:
        """How many bytes of values are in an answer."""
        return _size(self.table, self.count)

    def __str__(self) -> str:
        last = f"-{self.end - 1}" if self.count > 1 else ""
        return f"{self.table} {self.start}{last} of unit {self.unit}"


def plan(
    tags: Mapping[str, ModbusTag],
    settings: ModbusSettings,
    *,
    forbid: Iterable[Forbidden] = (),
) -> tuple[Block, ...]:
    """Return few blocks that hold all of ``tags``.

    Args:
        tags: By tag id.
        settings: The link's: how long a block and its holes may be, and the rest.
        forbid: Addresses that the device was found to refuse, besides its settings'.
    """
    never = [*map(parse_forbidden, settings.forbid), *forbid]
    blocks: list[Block] = []
    for named in _named(tags, settings).values():
        blocks.extend(named)
    for name, tag in sorted(tags.items(), key=lambda entry: _place(settings, *entry)):
        if tag.block is not None:
            continue
        alone = _alone(settings, name, tag)
        both = _joined(blocks[-1], alone, settings, never) if blocks else None
        if both is None:
            blocks.append(alone)
        else:
            blocks[-1] = both
    if settings.apart or settings.address.framing.is_serial:
        blocks = list(_apart(blocks, settings, never))
    return tuple(blocks)


def told(settings: ModbusSettings, tags: Mapping[str, ModbusTag]) -> list[PlanLine]:
    """Return the plan as people see it."""
    return [
        PlanLine(
            what={
                "unit": block.unit,
                "table": block.table.value,
                "start": block.start,
                "count": block.count,
                **({"block": block.name} if block.name else {}),
            },
            tags=tuple(name for name, _ in block.tags),
            period_s=block.period_s,
        )
        for block in plan(tags, settings)
    ]


def unfit(settings: ModbusSettings, tags: Mapping[str, ModbusTag]) -> Iterator[Unfit]:
    """Yield what is wrong with tags that are each right by themselves."""
    never = [parse_forbidden(text) for text in settings.forbid]
    for name, tag in tags.items():
        unit = unit_of(tag, settings)
        if any(one.covers(unit, tag.table, tag.address, tag.end) for one in never):
            yield Unfit(
                tag=name, key="address", text="is forbidden by the link's forbid"
            )
        if unit == 0 and settings.address.framing.is_serial:
            yield Unfit(tag=name, key="unit", text="nobody answers as unit 0 there")
        if tag.width > limit(tag.table, settings):
            text = f"takes more than max_registers, {settings.max_registers}"
            yield Unfit(tag=name, key="count", text=text)
    for block, parts in _named(tags, settings).items():
        yield from _wrong_block(block, parts, settings, never)
    for block in settings.blocks.keys() - {tag.block for tag in tags.values()}:
        yield Unfit(tag=None, key="blocks", text=f"no tag is of block '{block}'")
    found = plan({n: t for n, t in tags.items() if not t.block}, settings)
    for one in found:
        if not one.is_apart:
            text = (
                "cannot be told apart from another block of the same length; let the "
                "link read along more registers, or name a block with a sentinel"
            )
            yield Unfit(tag=one.tags[0][0], key="address", text=text)


def apart(
    settings: ModbusSettings,
    tags: Mapping[str, ModbusTag],
    groups: Iterable[TagGroup],
) -> Iterator[Unfit]:
    """Yield each tag of a group that is not read in the block of its gate."""
    block_of = {name: block for block in plan(tags, settings) for name, _ in block.tags}
    for group in groups:
        gate = block_of[group.gate]
        for name in group.tags:
            if block_of[name] != gate:
                text = (
                    f"is read in {block_of[name]}, and {group.gate} in {gate}: give "
                    "them all the same block, or they are not of one moment"
                )
                key = "block" if tags[name].block else "address"
                yield Unfit(tag=name, key=key, text=text)


def _wrong_block(
    name: str,
    parts: Sequence[Block],
    settings: ModbusSettings,
    never: Sequence[Forbidden],
) -> Iterator[Unfit]:
    first, *others = parts
    tag = first.tags[-1][0]
    if others:
        tag = others[0].tags[0][0]
        text = f"block '{name}' is of one unit and table, {first.unit} {first.table}"
        yield Unfit(tag=tag, key="block", text=text)
    elif first.count > limit(first.table, settings):
        text = f"block '{name}' has {first.count} addresses, more than one request has"
        yield Unfit(tag=tag, key="block", text=text)
    elif any(
        one.covers(first.unit, first.table, first.start, first.end) for one in never
    ):
        text = f"block '{name}' goes over what the link's forbid names"
        yield Unfit(tag=tag, key="block", text=text)


def unit_of(tag: ModbusTag, settings: ModbusSettings) -> int:
    """Return the unit of ``tag``."""
    return settings.unit if tag.unit is None else tag.unit


def limit(table: Table, settings: ModbusSettings) -> int:
    """Return how many addresses of ``table`` one request may have."""
    if table.has_bits:
        return min(settings.max_registers * REGISTER_BITS, MOST_BITS)
    return settings.max_registers


def _place(
    settings: ModbusSettings, name: str, tag: ModbusTag
) -> tuple[int, str, str, int, str]:
    return unit_of(tag, settings), tag.table, tag.poll, tag.address, name


def _alone(settings: ModbusSettings, name: str, tag: ModbusTag) -> Block:
    return Block(
        unit_of(tag, settings),
        tag.table,
        tag.address,
        tag.width,
        ((name, tag),),
        settings.period_s(tag.poll),
    )


def _named(
    tags: Mapping[str, ModbusTag], settings: ModbusSettings
) -> dict[str, list[Block]]:
    """Return the blocks that tags name; several of a name only where that is wrong."""
    found: dict[str, list[Block]] = {}
    for name, tag in sorted(tags.items(), key=lambda entry: _place(settings, *entry)):
        if tag.block is None:
            continue
        said = settings.blocks.get(tag.block, BlockSettings())
        alone = replace(_alone(settings, name, tag), name=tag.block)
        parts = found.setdefault(tag.block, [])
        for at, one in enumerate(parts):
            if (one.unit, one.table) == (alone.unit, alone.table):
                parts[at] = _both(one, alone)
                break
        else:
            parts.append(_with_marks(alone, said))
    return found


def _with_marks(block: Block, said: BlockSettings) -> Block:
    for place in (said.sentinel.address if said.sentinel else None, said.sequence):
        if place is not None:
            start, end = min(block.start, place), max(block.end, place + 1)
            block = replace(block, start=start, count=end - start)
    return block


def _joined(
    block: Block, other: Block, settings: ModbusSettings, never: Iterable[Forbidden]
) -> Block | None:
    is_alike = (block.unit, block.table, block.period_s, block.name) == (
        *(other.unit, other.table, other.period_s, other.name),
    )
    if not is_alike or other.start - block.end > settings.max_hole:
        return None
    both = _both(block, other)
    if both.count > limit(both.table, settings) or _is_over(both, never):
        return None
    return both


def _both(block: Block, other: Block) -> Block:
    start = min(block.start, other.start)
    return replace(
        block,
        start=start,
        count=max(block.end, other.end) - start,
        tags=(*block.tags, *other.tags),
        period_s=min(block.period_s, other.period_s),
    )


def _is_over(block: Block, never: Iterable[Forbidden]) -> bool:
    return any(
        one.covers(block.unit, block.table, block.start, block.end) for one in never
    )


def _apart(
    blocks: Sequence[Block], settings: ModbusSettings, never: Sequence[Forbidden]
) -> Iterator[Block]:
    taken: dict[tuple[int, Table], set[int]] = {}
    for block in blocks:
        sizes = taken.setdefault((block.unit, block.table), set())
        said = settings.blocks.get(block.name)
        if block.size not in sizes or (said and said.sentinel):
            found = block
        else:
            wider = _wider(block, limit(block.table, settings))
            fitting = (
                one
                for one in wider
                if one.size not in sizes and not _is_over(one, never)
            )
            found = next(fitting, replace(block, is_apart=False))
        sizes.add(found.size)
        yield found


def _wider(block: Block, most: int) -> Iterator[Block]:
    for more in range(1, min(MOST_APART, most - block.count) + 1):
        for before in range(more + 1):
            start, end = block.start - before, block.end + more - before
            if start >= 0 and end <= LAST + 1:
                yield replace(block, start=start, count=end - start)


def _size(table: Table, count: int) -> int:
    return -(-count // BITS_PER_BYTE) if table.has_bits else 2 * count
