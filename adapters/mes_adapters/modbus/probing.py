"""Look at a live device as a link would: read every block once, and tell what it is."""

import time
from collections.abc import Mapping, Sequence

import structlog

from mes_adapters.modbus.line import NoAnswer
from mes_adapters.modbus.mapping import decode
from mes_adapters.modbus.plan import Block, plan
from mes_adapters.modbus.reading import Exchange
from mes_adapters.modbus.refusals import ILLEGAL
from mes_adapters.modbus.settings import ModbusSettings
from mes_adapters.modbus.source import make_line
from mes_adapters.modbus.tags import ModbusTag
from mes_engine.core.samples import Quality
from mes_engine.ports import ProbeLine, Pulse

log = structlog.stdlib.get_logger()


async def probe(
    link_id: str,
    settings: ModbusSettings,
    tags: Mapping[str, ModbusTag],
    pulses: Sequence[Pulse] = (),  # noqa: ARG001 - checked before, by the settings
) -> Sequence[ProbeLine]:
    """Connect, read every block, and those tags alone whose block is refused."""
    line = make_line(settings, log.bind(link=link_id))
    exchange = Exchange(line, settings)
    await line.open()
    try:
        blocks = plan(tags, settings)
        lines: list[ProbeLine] = []
        slowest = 0.0
        for block in blocks:
            began = time.monotonic()
            lines += await _of_block(exchange, block)
            slowest = max(slowest, time.monotonic() - began)
    finally:
        await line.close()
    told: dict[str, str | int | float] = {
        "url": str(settings.address),
        "requests": len(blocks),
        "slowest_ms": round(slowest * 1000, 1),
        "timeout_ms": round(settings.timeout_s * 1000),
    }
    return [
        ProbeLine(tag=None, told=told),
        *sorted(lines, key=lambda one: one.tag or ""),
    ]


async def _of_block(exchange: Exchange, block: Block) -> list[ProbeLine]:
    try:
        answer = await exchange.read(block.unit, block.table, block.start, block.count)
    except NoAnswer as missed:
        return [_problem(block, name, f"no answer: {missed}") for name, _ in block.tags]
    if answer.exception in ILLEGAL and len(block.tags) > 1:
        return [await _alone(exchange, block, name, tag) for name, tag in block.tags]
    if answer.exception:
        return [_refused(block, name, answer.exception) for name, _ in block.tags]
    return [
        _value(block, name, tag, answer.words[tag.address - block.start :])
        for name, tag in block.tags
    ]


async def _alone(
    exchange: Exchange, block: Block, name: str, tag: ModbusTag
) -> ProbeLine:
    try:
        answer = await exchange.read(block.unit, block.table, tag.address, tag.width)
    except NoAnswer as missed:
        return _problem(block, name, f"no answer: {missed}")
    if answer.exception:
        return _refused(block, name, answer.exception)
    return _value(block, name, tag, answer.words)


def _value(
    block: Block, name: str, tag: ModbusTag, words: Sequence[int | bool]
) -> ProbeLine:
    value, quality = decode(tag, words[: tag.width])
    return ProbeLine(
        tag=name,
        told=_told(block) | {"type": str(tag.type)},
        value=value,
        quality=quality,
        problem="" if quality is not Quality.BAD else f"what is there is no {tag.type}",
    )


def _refused(block: Block, name: str, exception: int) -> ProbeLine:
    why = "there is no such address" if exception in ILLEGAL else "the device is busy"
    return _problem(block, name, f"{why} (exception {exception})")


def _problem(block: Block, name: str, problem: str) -> ProbeLine:
    return ProbeLine(tag=name, told=_told(block), problem=problem)


def _told(block: Block) -> dict[str, str | int | float]:
    return {"block": str(block), "period_s": block.period_s}
