"""Look at a live server as a link would: what it grants, and what its tags hold."""

import time
from collections.abc import Mapping, Sequence

import structlog
from asyncua import ua

from mes_adapters.opcua.calling import find_method
from mes_adapters.opcua.connection import Connection
from mes_adapters.opcua.events.listening import Events, label
from mes_adapters.opcua.items import CLOCK_NODE, Items
from mes_adapters.opcua.mapping import to_micros, to_sample
from mes_adapters.opcua.memory import Memory
from mes_adapters.opcua.messages import FoundEvent
from mes_adapters.opcua.publishing import Subscription
from mes_adapters.opcua.settings import MethodSettings, OpcUaSettings, OpcUaTag
from mes_engine.core.errors import Refused
from mes_engine.core.samples import MAX_SKEW_US, Quality, Report
from mes_engine.ports import ProbeLine, Pulse

log = structlog.stdlib.get_logger()


async def probe(
    link_id: str,
    settings: OpcUaSettings,
    tags: Mapping[str, OpcUaTag],
    pulses: Sequence[Pulse] = (),
) -> Sequence[ProbeLine]:
    """Connect, subscribe to every tag, read each once, and leave nothing behind."""
    memory, link_log = Memory(), log.bind(link=link_id)
    async with Connection(settings, link_log) as connection:
        items = Items(connection, settings, tags, memory, link_log, pulses=pulses)
        subscription = Subscription(connection, settings, link_log)
        async with connection.asking():
            nodes = await items.resolve(tags)
            held = memory.held = await subscription.create()
            await items.watch(held, nodes)
            events = Events(connection, settings, memory, emit=_pass_over, log=link_log)
            there = await events.find(settings.events)
            await events.listen(held, there)
            await events.ask_anew()
        asked = time.time_ns() // 1000
        (clock,) = await connection.read([CLOCK_NODE])
        values = dict(await items.read(items.found))
        unseen = items.unseen()
        lines = [_of_server(settings, connection, clock, asked)]
        for tag in sorted(tags):
            if tag in items.missing:
                problem = f"the server has no such node: {items.missing[tag]}"
                lines.append(ProbeLine(tag=tag, told={}, problem=problem))
                continue
            revised = held.revised[tag]
            sample = to_sample(tag, values[tag], received_at=asked)
            kind = values[tag].Value
            lines.append(
                ProbeLine(
                    tag=tag,
                    told={
                        "sampling_ms": revised.sampling_ms,
                        "queue": revised.queue,
                        "type": "none" if kind is None else kind.VariantType.name,
                    },
                    value=sample.value,
                    quality=sample.quality,
                    problem=unseen.get(tag, "") or _unfit(sample.quality, values[tag]),
                )
            )
        problems = events.problems()
        lines += [
            _of_event(name, there.get(name), problems.get(label(name), ""))
            for name in sorted(settings.events)
        ]
        lines += [
            await _of_method(connection, name, one)
            for name, one in sorted(settings.methods.items())
        ]
        return lines


async def _of_method(
    connection: Connection, name: str, settings: MethodSettings
) -> ProbeLine:
    tag = f"method {name}"
    try:
        found = await find_method(connection, name, settings)
    except Refused as refused:
        return ProbeLine(tag=tag, told={}, problem=refused.message)
    told: dict[str, str | int | float] = {
        "takes": ", ".join(map(str, found.takes)) or "nothing",
        "returns": ", ".join(map(str, found.returns)) or "nothing",
    }
    return ProbeLine(tag=tag, told=told)


async def _pass_over(report: Report) -> None:
    """Take what is told meanwhile: nobody asked for it."""


def _of_event(name: str, found: FoundEvent | None, problem: str) -> ProbeLine:
    told: dict[str, str | int | float] = {}
    if found is not None:
        told = {
            "kind": "condition" if found.is_condition else "event",
            "history": "kept" if found.has_history else "none",
        }
    return ProbeLine(tag=label(name), told=told, problem=problem)


def _of_server(
    settings: OpcUaSettings, connection: Connection, clock: ua.DataValue, asked: int
) -> ProbeLine:
    told: dict[str, str | int | float] = {"url": settings.url}
    told |= {f"{name} a call": most for name, most in connection.per_call.items()}
    at = None if clock.Value is None else to_micros(clock.Value.Value)
    if at is None:
        return ProbeLine(tag=None, told=told, problem="the server tells no time")
    told["clock_skew_ms"] = round((at - asked) / 1000)
    is_off = abs(at - asked) > MAX_SKEW_US
    problem = "its clock is too far off to be believed" if is_off else ""
    return ProbeLine(tag=None, told=told, problem=problem)


def _unfit(quality: Quality, data: ua.DataValue) -> str:
    if quality is not Quality.BAD:
        return ""
    status = data.StatusCode
    if status is not None and not status.is_good():
        return f"its value is bad: {status.name}"
    return "its value is no single number, text or truth"
