"""Where scenarios play: a machine of another maker, a network, and a link of ours."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from mes_adapters.opcua import ADAPTER
from mes_engine.conformance.hearing import Heard, grows
from mes_engine.conformance.network import Relay, relaying
from mes_engine.ports import Link
from tests.adapters.opcua.judge import Figures, Watched, judge, supervised
from tests.adapters.opcua.peer import URI, Peer, Truth, running_peer

MACHINE = "Line1"
TAGS = {
    "good": "GoodCount",
    "scrap": "ScrapCount",
    "serial": "Serial",
    "state": "StateCurrent",
}
SERIAL = f"{MACHINE}.serial"
EVERY_MS = 50

FAST = {
    "publish_ms": 100,
    "keepalive_s": 1,
    "silent_s": 2.5,
    "retry_s": 0.5,
    "check_s": 0.5,
    "close_timeout_s": 0.5,
}


@dataclass
class Ground:
    """Where a scenario plays."""

    peer: Peer
    relay: Relay
    heard: Watched
    link: Link
    peers: "Peers"

    async def until_it_flows(self, *, within_s: float = 20) -> None:
        """Wait for parts made after now."""
        truth = await self.peer.truth(MACHINE)
        await self.heard.until(
            lambda h: any(value > truth.serial for value in h.counts(SERIAL)[-1:]),
            within_s=within_s,
        )

    async def until_lost(self) -> None:
        await self.heard.until(
            lambda h: h.reports[-1].state.value == "disconnected", within_s=15
        )


class Peers:
    """The servers that scenarios play with; ended as a context."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._shared: Peer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._running.close()

    def start(self, **given: Any) -> Peer:
        """Start one more."""
        return self._running.enter_context(running_peer(**given))

    def shared(self) -> Peer:
        """Return the one for all who leave it alive: to start one takes seconds."""
        if self._shared is None:
            self._shared = self.start()
        return self._shared


def link_to(
    port: int, *, names: Mapping[str, str] | None = None, **settings: Any
) -> Link:
    given = {"url": f"opc.tcp://127.0.0.1:{port}/line", **FAST, **settings}
    return ADAPTER.open(
        "line",
        ADAPTER.settings.model_validate(given),
        {
            f"{MACHINE}.{tag}": ADAPTER.tag(ns=URI, id=f"s={MACHINE}.{name}")
            for tag, name in {**TAGS, **(names or {})}.items()
        },
    )


@asynccontextmanager
async def playing(
    peers: Peers,
    *,
    server: dict[str, Any] | None = None,
    machine: dict[str, Any] | None = None,
    link: Callable[..., Link] = link_to,
    **settings: Any,
) -> AsyncIterator[Ground]:
    """Have a machine make parts, with a link that tells of them.

    Args:
        peers: Where the server comes from.
        server: What a server of its own is told; without it, the shared one is used.
        machine: What is special of the machine.
        link: Makes the link of a port and ``settings``.
    """
    peer = peers.shared() if server is None else peers.start(**server)
    made = {"name": MACHINE, "everyMs": EVERY_MS, "hasHistory": True, **(machine or {})}
    await peer.do("addMachine", **made)
    try:
        async with relaying(peer.port) as relay:
            linked = link(relay.port, **settings)
            async with supervised(linked) as heard:
                await heard.until(grows(SERIAL), within_s=30)
                yield Ground(peer, relay, heard, linked, peers)
    finally:
        if server is None:
            await peer.do("removeMachine", machine=MACHINE)


async def figures(ground: Ground) -> Figures:
    """Stop the machine, wait for what it has made, and judge."""
    await ground.until_it_flows()
    await ground.peer.do("run", machine=MACHINE, everyMs=0)
    truth = await ground.peer.truth(MACHINE)
    await ground.heard.until(lambda h: _counts(h) == _made(truth))
    return judge(ground.heard, MACHINE, truth)


def _counts(heard: Heard) -> tuple[object, ...]:
    return tuple(heard.last(f"{MACHINE}.{tag}") for tag in ("serial", "good", "scrap"))


def _made(truth: Truth) -> tuple[object, ...]:
    return (truth.serial, truth.good, truth.scrap)
