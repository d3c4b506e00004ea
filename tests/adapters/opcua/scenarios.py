"""What goes wrong in a plant, done to a link while a machine makes parts.

Each scenario has a machine on a server of another maker (node-opcua) that makes a part
every 50 ms. ``python -m tests.adapters.opcua.scenarios [NAME ...]`` runs them, and
prints what became of the parts.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from tests.adapters.opcua.ground import (
    EVERY_MS,
    MACHINE,
    TAGS,
    Peers,
    figures,
    link_to,
    playing,
)
from tests.adapters.opcua.judge import Figures, supervised


async def nothing(peers: Peers) -> Figures:
    """No fault."""
    async with playing(peers) as ground:
        await ground.until_it_flows()
        return await figures(ground)


async def drop(peers: Peers) -> Figures:
    """1: the connection is closed in the middle."""
    async with playing(peers) as ground:
        ground.relay.cut()
        ground.heard.peer_is_back()
        return await figures(ground)


async def reset(peers: Peers) -> Figures:
    """1: the connection is reset in the middle, three times."""
    async with playing(peers) as ground:
        for _ in range(3):
            ground.relay.reset()
            ground.heard.peer_is_back()
            await ground.until_it_flows()
        return await figures(ground)


async def partition(
    peers: Peers,
    seconds: float = 3,
    machine: dict[str, Any] | None = None,
    **settings: Any,
) -> Figures:
    """2: the network swallows everything."""
    async with playing(peers, machine=machine, **settings) as ground:
        ground.relay.part()
        await asyncio.sleep(seconds)
        await ground.until_lost()
        ground.heard.peer_is_back()
        ground.relay.join_again()
        return await figures(ground)


async def partition_beyond_lifetime(peers: Peers) -> Figures:
    """2: the same, for longer than the server keeps the subscription."""
    return await partition(peers, 6, lifetime_s=3)


async def partition_60_s(peers: Peers) -> Figures:
    """2: a minute."""
    return await partition(peers, 60)


async def partition_10_min(peers: Peers) -> Figures:
    """2: ten minutes, beyond the subscription's lifetime."""
    return await partition(peers, 600)


async def partition_without_history(peers: Peers) -> Figures:
    """2: beyond the lifetime, and the server has no history."""
    return await partition(peers, 6, machine={"hasHistory": False}, lifetime_s=3)


async def stall(peers: Peers, seconds: float = 3, times: int = 1) -> Figures:
    """3: bytes are held for 3 s, and then flow."""
    async with playing(peers) as ground:
        for _ in range(times):
            ground.relay.hold()
            await asyncio.sleep(seconds)
            ground.heard.peer_is_back()
            ground.relay.release()
            await ground.until_it_flows()
        return await figures(ground)


async def stall_20_times(peers: Peers) -> Figures:
    """3: the same, twenty times."""
    return await stall(peers, times=20)


async def busy_loop(peers: Peers) -> Figures:
    """4: the server is busy with itself for 4.5 s, longer than we wait."""
    async with playing(peers) as ground:
        await ground.peer.do("freeze", ms=4500)
        await ground.until_lost()
        # It answers this when it is through.
        await ground.peer.do("truth", machine=MACHINE)
        ground.heard.peer_is_back()
        return await figures(ground)


async def stopped(peers: Peers, seconds: float = 3) -> Figures:
    """4: the server's process is stopped."""
    async with playing(peers) as ground:
        ground.peer.freeze()
        try:
            await asyncio.sleep(seconds)
            await ground.until_lost()
        finally:
            ground.heard.peer_is_back()
            ground.peer.thaw()
        return await figures(ground)


async def stopped_8_s(peers: Peers) -> Figures:
    """4: for 8 s."""
    return await stopped(peers, 8)


async def sessions_killed(peers: Peers) -> Figures:
    """8: the server ends all sessions; the transport stays up."""
    async with playing(peers) as ground:
        await ground.peer.do("killSessions")
        ground.heard.peer_is_back()
        return await figures(ground)


async def subscriptions_killed(peers: Peers) -> Figures:
    """8: the server ends all subscriptions; the session stays up."""
    async with playing(peers) as ground:
        await ground.peer.do("killSubscriptions")
        ground.heard.peer_is_back()
        return await figures(ground)


async def node_replaced(peers: Peers) -> Figures:
    """9: a node is removed and put back, as when a PLC is loaded."""
    async with playing(peers) as ground:
        await ground.peer.do("removeNode", machine=MACHINE, name="GoodCount")
        await ground.heard.until(lambda h: h.reports[-1].missing)
        await ground.until_it_flows()
        await ground.peer.do("addNode", machine=MACHINE, name="GoodCount")
        ground.heard.peer_is_back()
        await ground.heard.until(lambda h: not h.reports[-1].missing)
        return await figures(ground)


async def _restarted(
    peers: Peers, *, late_s: float = 0, decoys: bool = False
) -> Figures:
    async with playing(peers, server={}) as ground:
        truth = await ground.peer.truth(MACHINE)
        ground.peer.kill()
        ground.relay.cut()
        machine = {
            "name": MACHINE,
            "everyMs": EVERY_MS,
            "hasHistory": True,
            "serial": truth.serial + 30,  # the PLC has gone on
        }
        given: dict[str, Any] = {}
        if decoys:
            given["decoys"] = ["urn:peer:decoy"]
            given["decoyIds"] = [f"{MACHINE}.{name}" for name in TAGS.values()]
        peer = ground.peers.start(machines=[] if late_s else [machine], **given)
        ground.peer, ground.relay.target = peer, peer.port
        if late_s:
            await asyncio.sleep(late_s)
            await peer.do("addMachine", **machine)
        ground.heard.peer_is_back()
        return await figures(ground)


async def server_replaced(peers: Peers) -> Figures:
    """5: the server's process dies, and comes back 30 parts later."""
    return await _restarted(peers)


async def tags_late(peers: Peers) -> Figures:
    """6: it comes back without its tags, which are there 3 s later."""
    return await _restarted(peers, late_s=3)


async def tags_late_60_s(peers: Peers) -> Figures:
    """6: the same, 60 s later."""
    return await _restarted(peers, late_s=60)


async def namespace_shifted(peers: Peers) -> Figures:
    """7: it comes back with another's tags where its own had been."""
    return await _restarted(peers, decoys=True)


async def gateway_killed(peers: Peers) -> Figures:
    """5: our own process dies while the PLC counts, and starts anew."""
    async with playing(peers) as ground:
        await ground.until_it_flows()
        ground.relay.cut()
        async with supervised(link_to(ground.relay.port)) as heard:
            for at, one in zip(ground.heard.at, ground.heard.all, strict=True):
                heard.at.append(at)
                heard.all.append(one)
            heard.peer_is_back()
            ground.heard = heard
            return await figures(ground)


async def bad_quality(peers: Peers) -> Figures:
    """10: a counter has bad quality and the value 0 for a while."""
    async with playing(peers) as ground:
        await ground.peer.do("run", machine=MACHINE, everyMs=0)
        truth = await ground.peer.truth(MACHINE)
        bad = {"value": 0, "statusCode": "BadCommunicationError"}
        await ground.peer.do("set", machine=MACHINE, name="GoodCount", **bad)
        await ground.heard.until(lambda h: h.last(f"{MACHINE}.good") is None)
        good = {"machine": MACHINE, "name": "GoodCount", "value": truth.good}
        await ground.peer.do("set", **good)
        await ground.peer.do("run", machine=MACHINE, everyMs=EVERY_MS)
        seen = await figures(ground)
        assert 0 not in ground.heard.counts(f"{MACHINE}.good")[1:]
        return seen


async def burst(
    peers: Peers, queue: int = 1000, *, has_history: bool = True
) -> Figures:
    """12: 500 parts within one publishing interval, and room for 1000."""
    machine = {"hasHistory": has_history}
    async with playing(peers, machine=machine, queue=queue) as ground:
        await ground.peer.do("make", machine=MACHINE, count=500)
        return await figures(ground)


async def burst_overflows(peers: Peers) -> Figures:
    """12: the same, and room for 5."""
    return await burst(peers, 5)


async def burst_overflows_without_history(peers: Peers) -> Figures:
    """12: the same, and nothing kept of it."""
    return await burst(peers, 5, has_history=False)


async def clock_goes_back(peers: Peers) -> Figures:
    """13: the machine's clock is an hour behind for a while."""
    async with playing(peers) as ground:
        await ground.peer.do("skew", machine=MACHINE, ms=-3_600_000)
        await ground.until_it_flows()
        ground.relay.cut()
        await ground.until_it_flows()
        await ground.peer.do("skew", machine=MACHINE, ms=0)
        await ground.until_it_flows()
        ground.relay.cut()
        ground.heard.peer_is_back()
        return await figures(ground)


async def many_tags(peers: Peers, tags: int = 300) -> Figures:
    """17: 300 tags on a server that takes 100 a call."""
    limits = {
        "maxMonitoredItemsPerCall": 100,
        "maxNodesPerRead": 100,
        "maxNodesPerHistoryReadData": 100,
    }
    names = {f"tag{n}": f"Tag{n}" for n in range(tags)}
    async with playing(
        peers,
        server={"limits": limits},
        machine={"tags": tags},
        link=partial(link_to, names=names),
        check_s=5,
    ) as ground:
        everything = len(TAGS) + tags
        await ground.heard.until(
            lambda h: len({sample.tag for sample in h.samples}) == everything
        )
        await ground.peer.do("killSessions")
        ground.heard.peer_is_back()
        return await figures(ground)


async def many_tags_1500(peers: Peers) -> Figures:
    """17: the same with 1,500 tags."""
    return await many_tags(peers, 1500)


async def byte_by_byte(peers: Peers) -> Figures:
    """20: the network passes on byte by byte."""
    async with playing(peers) as ground:
        ground.relay.most = 1
        await ground.until_it_flows()
        return await figures(ground)


Scenario = Callable[[Peers], Awaitable[Figures]]
LOSSLESS: list[Scenario] = [
    nothing,
    drop,
    reset,
    partition,
    partition_beyond_lifetime,
    stall,
    busy_loop,
    stopped,
    sessions_killed,
    subscriptions_killed,
    node_replaced,
    bad_quality,
    burst,
    burst_overflows,
    clock_goes_back,
    many_tags,
    byte_by_byte,
]
"""The server still has all that was made."""
LOSSY: list[Scenario] = [
    partition_without_history,
    burst_overflows_without_history,
    gateway_killed,
    server_replaced,
    tags_late,
    namespace_shifted,
]
"""Some of it is nowhere any more; the counts are right, and the gap is told."""
SLOW: list[Scenario] = [
    partition_60_s,
    stall_20_times,
    stopped_8_s,
    many_tags_1500,
]
SLOW_AND_LOSSY: list[Scenario] = [partition_10_min, tags_late_60_s]


async def _main(names: list[str]) -> None:
    scenarios = {one.__name__: one for one in LOSSLESS + LOSSY + SLOW + SLOW_AND_LOSSY}
    chosen = names or [one.__name__ for one in LOSSLESS + LOSSY]
    head = "scenario made missing doubled disordered wrong count shown back_s gaps"
    row = "{:34} {:>5} {:>7} {:>7} {:>10} {:>5} {:>5} {:>12} {:>6} {}"
    sys.stdout.write(row.format(*head.split()) + "\n")
    with Peers() as peers:
        for name in chosen:
            found = asdict(await scenarios[name](peers))
            found["is_count_right"] = "right" if found["is_count_right"] else "WRONG"
            found["recovered_s"] = str(found["recovered_s"] or "-")
            sys.stdout.write(row.format(name, *found.values()) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    import logging

    import structlog

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )
    asyncio.run(_main(sys.argv[1:]))
