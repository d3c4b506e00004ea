"""What the Modbus adapter reaches, scenario by scenario, as a table.

Run it: ``python -m tests.adapters.modbus.figures`` (some two minutes; needs libmodbus5,
node, and ``npm ci --prefix tests/peers``). The devices tell the truth it is judged by.

*wrong*: values that the device did not have, or a count that went back. *final*: if the
last count told is the machine's. *back*: seconds from the device's return, or the
fault's end, to the next good value. *slower*: how much longer the live unit's period is
beside a dead one.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mes_engine.conformance.hearing import Heard, supervised
from mes_engine.conformance.network import relaying
from mes_engine.core.samples import LinkState
from tests.adapters.modbus import faults
from tests.adapters.modbus.links import open_link
from tests.adapters.modbus.peers import STACKS, Peer, libmodbus, running_peer

PLACES = (20, 40, 60)
TAGS: dict[str, dict[str, Any]] = {
    **{str(at): {"address": at, "type": "u32", "order": "ABCD"} for at in PLACES},
    "made": {"address": 300, "type": "u32", "order": "ABCD"},
}
POLL_S = 0.05
SETTINGS = {"poll_s": POLL_S, "max_hole": 0, "heartbeat_s": 0.01}


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one scenario; None where it has none."""

    scenario: str
    peer: str
    told: int
    wrong: int
    is_final: bool | None = None
    back_s: float | None = None
    slower: float | None = None

    def __str__(self) -> str:
        final = "" if self.is_final is None else ("yes" if self.is_final else "NO")
        back = "" if self.back_s is None else f"{self.back_s:.2f}"
        slower = "" if self.slower is None else f"{self.slower:+.1%}"
        told = f"{self.told:>7} {self.wrong:>6} {final:>6} {back:>7} {slower:>7}"
        return f"{self.scenario:<44} {self.peer:<14} {told}"


Scenario = Callable[[str], Awaitable[Row]]


def wrong(heard: Heard) -> int:
    good = [sample for sample in heard.samples if sample.value is not None]
    places = [
        sample
        for sample in good
        if sample.tag != "made"
        and sample.value != int(sample.tag) * 65_536 + int(sample.tag) + 1
    ]
    return len(places) + sum(b < a for a, b in pairwise(heard.counts("made")))


def prepare(peer: Peer) -> None:
    peer.set(0, *range(200))
    peer.count("made", 300, every_s=0.01)


async def back(heard: Heard) -> float:
    """Wait for good values of all tags; return how long it took to the first."""
    began, seen = time.monotonic(), len(heard.samples)
    await heard.until(
        lambda h: any(s.value is not None for s in h.samples[seen:]), within_s=60
    )
    took_s = time.monotonic() - began
    await heard.until(
        lambda h: {s.tag for s in h.samples[seen:] if s.value is not None} >= set(TAGS),
        within_s=60,
    )
    return took_s


async def final(heard: Heard, peer: Peer) -> bool:
    made = peer.halt()["made"]
    await heard.until(lambda h: h.last("made") == made, within_s=10)
    return heard.counts("made")[-1] == made


async def cut(stack: str) -> Row:
    with running_peer(stack) as peer:
        prepare(peer)
        async with relaying(peer.port) as relay:
            link = open_link(f"tcp://127.0.0.1:{relay.port}", TAGS, **SETTINGS)
            async with supervised(link) as heard:
                took = [await back(heard)]
                for _ in range(20):
                    relay.cut()
                    took.append(await back(heard))
                is_final = await final(heard, peer)
    told = len(heard.samples)
    name = "1 connection cut 20 times"
    return Row(name, stack, told, wrong(heard), is_final, max(took[1:]))


async def held(stack: str) -> Row:
    with running_peer(stack) as peer:
        prepare(peer)
        async with relaying(peer.port) as relay:
            link = open_link(f"tcp://127.0.0.1:{relay.port}", TAGS, **SETTINGS)
            took = []
            async with supervised(link, longest_s=2) as heard:
                await back(heard)
                for _ in range(5):
                    relay.hold()
                    await asyncio.sleep(3)
                    relay.release()
                    took.append(await back(heard))
                is_final = await final(heard, peer)
    name = "3 held for 3 s and let go, 5 times"
    return Row(name, stack, len(heard.samples), wrong(heard), is_final, max(took))


async def frozen(stack: str) -> Row:
    with running_peer(stack) as peer:
        prepare(peer)
        link = open_link(f"tcp://127.0.0.1:{peer.port}", TAGS, **SETTINGS)
        async with supervised(link, longest_s=2) as heard:
            await back(heard)
            peer.freeze()
            await asyncio.sleep(8)
            peer.thaw()
            took_s = await back(heard)
            is_final = await final(heard, peer)
    name = "4 device frozen for 8 s"
    return Row(name, stack, len(heard.samples), wrong(heard), is_final, took_s)


async def rolled_over(stack: str) -> Row:
    tags = {"made": {"address": 300}}
    with running_peer(stack) as peer:
        peer.count("made", 300, words=1, start=65_500, every_s=0.01)
        async with relaying(peer.port) as relay:
            link = open_link(f"tcp://127.0.0.1:{relay.port}", tags, **SETTINGS)
            async with supervised(link, longest_s=2) as heard:
                await heard.until(lambda h: h.of("made"))
                relay.hold()
                await heard.until(
                    lambda h: h.reports[-1].state is LinkState.DISCONNECTED
                )
                while peer.tell("counts")["made"] > 60_000:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                seen, began = len(heard.samples), time.monotonic()
                relay.release()
                await heard.until(lambda h: len(h.samples) > seen)
                took_s = time.monotonic() - began
                is_final = await final(heard, peer)
    falls = sum(b < a for a, b in pairwise(heard.counts("made"))) - 1
    name = "11 16 bits roll over while away"
    return Row(name, stack, len(heard.samples), falls, is_final, took_s)


async def late(stack: str) -> Row:
    async with faults.serial_pair() as way:
        with libmodbus("--rtu", way.theirs, tcp=None) as peer:
            prepare(peer)
            patience = {**SETTINGS, "timeout_s": 0.5, "quiet_s": 1.0}
            async with supervised(open_link(way.url, TAGS, **patience)) as heard:
                await back(heard)
                peer.rules({"latency_s": 0.7, "share": 0.6})
                await asyncio.sleep(20)
                peer.rules()
                took_s = await back(heard)
                is_final = await final(heard, peer)
    name = "18 takes 700 ms, waited for 500"
    told = len(heard.samples)
    return Row(name, "libmodbus RTU", told, wrong(heard), is_final, took_s)


async def dead_unit(stack: str) -> Row:
    """Asked as in a plant, five times as fast: a probe of 0.2 s every 6 s."""
    is_serial = stack.endswith("RTU")
    async with AsyncExitStack() as there:
        if is_serial:
            way = await there.enter_async_context(faults.serial_pair())
            way.units = {1}
            peer = there.enter_context(libmodbus("--rtu", way.theirs, tcp=None))
            url = way.url
        else:
            peer = there.enter_context(running_peer(stack))
            url = f"tcp://127.0.0.1:{peer.port}"
        prepare(peer)
        settings = {**SETTINGS, "timeout_s": 0.2, "poll_s": 0.2, "quiet_s": 0.2}
        units = {9: {"breaker": {"after": 3, "probe_s": 6}}}
        both = {**TAGS, "dead": {"unit": 9, "address": 0}}
        async with supervised(open_link(url, both, **settings, units=units)) as heard:
            await heard.until(lambda h: h.of("dead") and h.of("made"))
            peer.asked()
            await asyncio.sleep(18.5)
            asked = peer.asked()
            is_final = await final(heard, peer)
    times = [at for at, unit, _, address, _ in asked if (unit, address) == (1, 300)]
    mean_s = (times[-1] - times[0]) / (len(times) - 1)
    name = "19 a dead unit beside"
    told = len(heard.samples)
    return Row(name, stack, told, wrong(heard), is_final, None, mean_s / 0.2 - 1)


async def broken(stack: str) -> Row:
    kinds: list[Callable[[int], faults.Fault]] = [
        *(faults.corrupts, faults.doubles, faults.truncates),
        *(faults.litters, faults.loses, lambda at: faults.delays(at, 0.05)),
    ]
    over = faults.serial_pair if stack.endswith("RTU") else faults.serial_server
    took = []
    async with over() as way:
        with libmodbus("--rtu", way.theirs, tcp=None) as peer:
            prepare(peer)
            quick = {**SETTINGS, "timeout_s": 0.12, "quiet_s": 0.1, "poll_s": 0.03}
            async with supervised(open_link(way.url, TAGS, **quick)) as heard:
                await back(heard)
                for fault in [
                    *(faults.swallows(0), faults.repeats(0), faults.repeats(0.05)),
                    *(kind(at) for at in range(9) for kind in kinds),
                ]:
                    way.faults.append(fault)
                    while way.faults:  # noqa: ASYNC110
                        await asyncio.sleep(0.005)
                    took.append(await back(heard))
                is_final = await final(heard, peer)
    name = f"20 an answer broken at any byte, {len(took)} ways"
    return Row(name, stack, len(heard.samples), wrong(heard), is_final, max(took))


async def refused(stack: str) -> Row:
    with running_peer(stack) as peer:
        prepare(peer)
        peer.rules(
            {"first": 30, "last": 35, "exception": 2},
            {"exception": 6, "share": 0.3},
            {"first": 60, "last": 61, "latency_s": 0.5, "share": 0.5},
        )
        given = {**SETTINGS, "max_hole": 16, "timeout_s": 0.3}
        link = open_link(f"tcp://127.0.0.1:{peer.port}", TAGS, **given)
        async with supervised(link, longest_s=2) as heard:
            await asyncio.sleep(8)
            peer.rules()
            took_s = await back(heard)
            is_final = await final(heard, peer)
    name = "21 busy, refusing, slow in places"
    return Row(name, stack, len(heard.samples), wrong(heard), is_final, took_s)


async def torn(stack: str) -> Row:
    with libmodbus() as peer:
        peer.count("made", 1000, every_s=0.05, torn_s=0.015, step=65_537)
        tag = {"made": {**TAGS["made"], "address": 1000, "read": "twice"}}
        url = f"tcp://127.0.0.1:{peer.port}"
        link = open_link(url, tag, poll_s=0.011, torn_s=0.02, heartbeat_s=0.01)
        async with supervised(link) as heard:
            await heard.until(lambda h: len(set(h.counts("made"))) > 100, within_s=40)
            is_final = await final(heard, peer)
    halves = sum(count % 65_537 != 0 for count in heard.counts("made"))
    name = "22 words written 15 ms apart"
    return Row(name, stack, len(heard.samples), halves, is_final)


async def one_connection(stack: str) -> Row:
    with libmodbus("--most", "1", "--idle-close", "2") as peer:
        prepare(peer)
        url = f"tcp://127.0.0.1:{peer.port}"
        link = open_link(url, TAGS, **{**SETTINGS, "poll_s": 2.6})
        async with supervised(link) as heard:
            await heard.until(lambda h: len(h.of("made")) >= 4, within_s=30)
            is_final = await final(heard, peer)
    outages = len(heard.reports) - 2
    name = f"24 one connection, closed when idle: {outages} outages"
    return Row(name, stack, len(heard.samples), wrong(heard), is_final)


async def absent(stack: str) -> Row:
    with ExitStack() as there:
        first = there.enter_context(running_peer(stack))
        first.kill()
        link = open_link(f"tcp://127.0.0.1:{first.port}", TAGS, **SETTINGS)
        async with supervised(link, longest_s=2) as heard:
            await asyncio.sleep(10)
            peer = there.enter_context(running_peer(stack, tcp=first.port))
            prepare(peer)
            took_s = await back(heard)
            is_final = await final(heard, peer)
    name = "25 absent for the first 10 s"
    return Row(name, stack, len(heard.samples), wrong(heard), is_final, took_s)


C, JS = STACKS
SCENARIOS: list[tuple[Scenario, tuple[str, ...]]] = [
    (cut, STACKS),
    (held, STACKS),
    (frozen, STACKS),
    (rolled_over, STACKS),
    (late, ("libmodbus RTU",)),
    (dead_unit, (*STACKS, "libmodbus RTU")),
    (broken, ("libmodbus RTU", "RTU over TCP")),
    (refused, STACKS),
    (torn, (C,)),
    (one_connection, (C,)),
    (absent, STACKS),
]


async def main() -> None:
    """Print a row for each scenario and device."""
    heads = f"{'told':>7} {'wrong':>6} {'final':>6} {'back s':>7} {'slower':>7}"
    sys.stdout.write(f"{'scenario':<44} {'peer':<14} {heads}\n")
    for scenario, stacks in SCENARIOS:
        for stack in stacks:
            sys.stdout.write(f"{await scenario(stack)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    from mes_engine.log import configure_logging

    configure_logging(level="ERROR")
    asyncio.run(main())
