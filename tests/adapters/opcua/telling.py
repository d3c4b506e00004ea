"""A machine of another maker that tells messages, and a link that listens for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mes_adapters.opcua import ADAPTER
from mes_adapters.opcua.source import OpcUaLink
from mes_engine.conformance.network import Relay, relaying
from mes_engine.core.samples import EventRefresh, EventSample
from tests.adapters.opcua.ground import FAST, MACHINE, Peers
from tests.adapters.opcua.judge import Watched, supervised
from tests.adapters.opcua.peer import URI, Peer

EVERY_MS = 20
CYCLE_TYPE = "/Types/EventTypes/BaseEventType/{urn:peer:line}CycleCompleteEventType"
ALARM_TYPE = (
    "/Types/EventTypes/BaseEventType/ConditionType"
    "/AcknowledgeableConditionType/AlarmConditionType"
)
AT_MACHINE = {"ns": URI, "id": f"s={MACHINE}"}
CYCLE: dict[str, Any] = {
    "type": {"path": CYCLE_TYPE},
    "notifier": AT_MACHINE,
    "fields": {
        "serial": f"{{{URI}}}Serial",
        "scrap": f"{{{URI}}}Scrap",
        "source": "SourceName",
    },
    "key": "serial",
}
JAM: dict[str, Any] = {"type": {"path": ALARM_TYPE}, "fields": {"on": "ActiveState/Id"}}


def listening_link(port: int, **settings: Any) -> OpcUaLink:
    """Make a link that watches one counter, and listens."""
    given = {"url": f"opc.tcp://127.0.0.1:{port}/line", **FAST, **settings}
    given.setdefault("events", {"cycle": CYCLE, "jam": JAM})
    link = ADAPTER.open(
        "line",
        ADAPTER.settings.model_validate(given),
        {f"{MACHINE}.good": ADAPTER.tag(ns=URI, id=f"s={MACHINE}.GoodCount")},
    )
    assert isinstance(link, OpcUaLink)
    return link


def events(heard: Watched, kind: str = "cycle") -> list[EventSample]:
    return [
        one for one in heard.all if isinstance(one, EventSample) and one.kind == kind
    ]


def refreshes(heard: Watched) -> list[EventRefresh]:
    return [one for one in heard.all if isinstance(one, EventRefresh)]


def gaps(heard: Watched, name: str = "event cycle") -> list[str]:
    return [gap.recovered.value for gap in heard.gaps if gap.tags == (name,)]


@dataclass
class Told:
    """What became of the messages."""

    told: int
    missing: int
    doubled: int
    out_of_order: int


@dataclass
class Stage:
    """Where a machine tells, and is listened to."""

    peer: Peer
    relay: Relay
    heard: Watched
    peers: Peers
    first: int = 1

    async def more(self, *, within_s: float = 15) -> None:
        """Wait for messages that are told after now."""
        now = await self.peer.do("told", machine=MACHINE)
        await self.heard.until(
            lambda h: any(int(one.key) > now for one in events(h)[-1:]),  # type: ignore[arg-type]
            within_s=within_s,
        )

    async def end(self) -> Told:
        """Let the machine fall silent, and hold what was heard against its own."""
        await self.more()
        await self.peer.do("tell", machine=MACHINE, everyMs=0)
        last = await self.peer.do("told", machine=MACHINE)
        await self.heard.until(lambda h: int(events(h)[-1].key) == last)  # type: ignore[arg-type]
        keys = [int(one.key) for one in events(self.heard)]
        return Told(
            told=last,
            missing=len(set(range(self.first, last + 1)) - set(keys)),
            doubled=len(keys) - len(set(keys)),
            out_of_order=sum(b < a for a, b in pairwise(keys)),
        )


@asynccontextmanager
async def telling(
    peers: Peers,
    *,
    every_ms: int = EVERY_MS,
    server: dict[str, Any] | None = None,
    machine: dict[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """Have a machine tell a message every so often, to a link that listens."""
    peer = peers.shared() if server is None else peers.start(**server)
    made = {"name": MACHINE, "keepsEvents": True, **(machine or {})}
    await peer.do("addMachine", **made)
    try:
        async with relaying(peer.port) as relay:
            link = listening_link(relay.port, **settings)
            async with supervised(link) as heard:
                await heard.until(lambda h: h.samples, within_s=30)
                await peer.do("tell", machine=MACHINE, everyMs=every_ms)
                stage = Stage(peer, relay, heard, peers)
                if every_ms:
                    await stage.more()
                yield stage
    finally:
        if server is None:
            await peer.do("removeMachine", machine=MACHINE)
