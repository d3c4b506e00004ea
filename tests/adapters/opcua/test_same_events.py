"""The same machine behind servers of two makers comes to the same facts."""

import asyncio
import itertools
import time
from functools import partial
from pathlib import Path

import msgspec
import pytest

from mes_engine.conformance.hearing import Heard
from mes_engine.conformance.network import Relay, relaying
from mes_engine.core.messages import Sensed
from mes_engine.core.samples import (
    EventSample,
    LinkState,
    Quality,
    Report,
    SampleGroup,
)
from mes_engine.gateway.recording import recording
from mes_engine.replay import read_record, replay_signals, told
from mes_engine.runtime.pace import BackOff
from mes_engine.runtime.supervise import supervise
from tests.adapters.opcua.cells import (
    GOOD,
    STATE,
    TAGS,
    Cell,
    link_to,
    on_node_opcua,
    on_open62541,
)
from tests.adapters.opcua.peer import require_peer, running_peer
from tests.asking import CYCLE, JAM, asking
from tests.builders import LINK, a_plant

EXPECTED = {
    "alarm_cleared",
    "alarm_raised",
    "equipment_changed",
    "gap_seen",
    "handshake_moved",
    "machine_event_seen",
    "signal_read",
    "transaction_decided",
}
LOOKS_S = 0.15
"""Longer than the servers take until they look again."""
LASTS_S = 1.3
"""Longer than a jam has to last."""


async def play(cell: Cell, heard: Heard, relay: Relay) -> None:
    """Have the machine do what machines do, and its network fail once."""

    async def shows(name: str, value: int) -> None:
        await cell.set(name, value)
        await heard.until(lambda h: h.last(TAGS[name]) == value)

    async def asks(*, value: bool) -> None:
        await cell.set("request", value)
        await heard.until(lambda h: is_steady(h, value=value))

    await shows("state", 6)
    for count in range(101, 106):
        await shows("good", count)
    await shows("jam", 1)
    await asyncio.sleep(LASTS_S)
    await shows("good", 106)
    await shows("jam", 0)
    await asyncio.sleep(LASTS_S)

    await cell.set("key", 1)
    await cell.set("made", 5)
    await asks(value=True)
    await asks(value=False)

    for n, serial in enumerate(("P-1", "P-2", "P-2"), start=1):
        await cell.tell(serial)
        await heard.until(partial(has_told, n))

    await cell.set("good", 0, is_bad=True)
    await heard.until(lambda h: h.of(GOOD)[-1].quality is Quality.BAD)
    await shows("good", 107)

    relay.part()
    await heard.until(lambda h: h.reports[-1].state is LinkState.DISCONNECTED)
    for count in (108, 109, 110):
        await cell.set("good", count)
        await asyncio.sleep(LOOKS_S)
    relay.join_again()
    await heard.until(lambda h: h.reports[-1].state is LinkState.CONNECTED)
    await heard.until(lambda h: h.last(GOOD) == 110)

    await shows("good", 2)
    await shows("state", 9)


def is_steady(heard: Heard, *, value: bool) -> bool:
    groups = [one for one in heard.all if isinstance(one, SampleGroup)]
    return bool(groups) and (
        groups[-1].samples[0].value == value
        and groups[-1].at - groups[-1].since >= CYCLE.debounce_us
    )


def has_told(count: int, heard: Heard) -> bool:
    return sum(isinstance(one, EventSample) for one in heard.all) == count


async def record(cell: Cell, path: Path) -> None:
    """Play, and write down all that the link says, as a gateway does."""
    for name, value in {"good": 100, "state": 4, "jam": 0}.items():
        await cell.set(name, value)
    heard, numbers = Heard(), itertools.count(1)
    async with relaying(cell.port) as relay:
        with recording(path) as recorder:
            assert recorder is not None

            async def pass_on(sensed: Sensed) -> None:
                await heard.add(sensed.report)

            sense = recorder.before(pass_on)

            async def emit(report: Report) -> None:
                n = next(numbers)
                await sense(Sensed(source=LINK, epoch=1, n=n, report=report))

            async with asyncio.TaskGroup() as tasks:
                task = tasks.create_task(
                    supervise(
                        LINK,
                        link_to(cell, relay.port),
                        emit,
                        clock=lambda: time.time_ns() // 1000,
                        back_off=BackOff(first_s=0.05, longest_s=0.3),
                    )
                )
                await heard.until(
                    lambda h: {GOOD, STATE, JAM.tag} <= {one.tag for one in h.samples}
                )
                await heard.until(lambda h: is_steady(h, value=False))
                await play(cell, heard, relay)
                task.cancel()


def facts(path: Path) -> list[bytes]:
    """Return what the core makes of a record, without times."""
    with path.open("rb") as lines:
        record = list(read_record(lines, name=path.name))
    plant = asking(a_plant())
    return [told(one, is_bare=True) for one in replay_signals(record, plant)]


@pytest.mark.timeout(90)
async def test_the_same_machine_on_two_servers_is_the_same_facts(
    tmp_path: Path,
) -> None:
    require_peer()
    node, c = tmp_path / "node-opcua.jsonl", tmp_path / "open62541.jsonl"
    with running_peer() as peer:
        async with on_node_opcua(peer) as cell:
            await record(cell, node)
    async with on_open62541(tmp_path) as other:
        await record(other, c)
    here, there = facts(node), facts(c)
    assert there == here
    names = {msgspec.json.decode(line)["fact"] for line in here}
    assert names >= EXPECTED, "or little was tried"
