"""A press on node-opcua that asks by handshake, as the engine's tests see it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mes_adapters.opcua import ADAPTER
from mes_engine.core.machine_rules import HandshakeRule
from mes_engine.ports import Link, TagGroup
from mes_engine.runtime.devices import open_link
from tests.adapters.opcua.ground import FAST
from tests.adapters.opcua.peer import URI, Peer
from tests.core.handshakes import a_handshake, tag
from tests.core.plants import LINK

NAME = "cut-1"
NODES = {
    "request": "Request",
    "key": "Key",
    "boot": "Boot",
    "good_made": "Good",
    "scrap_made": "Scrap",
    "ack": "Ack",
    "result": "Result",
}
RULE = a_handshake()


@dataclass
class OpcUaPress:
    """Its variables are its memory; what it has seen of acks is its truth."""

    peer: Peer
    port: int
    rule: HandshakeRule = RULE

    def link(self, groups: Sequence[TagGroup]) -> Link:
        """Make a link to it: quick."""
        url = f"opc.tcp://127.0.0.1:{self.port}/line"
        # A session that was cut is not to take the place of the next one for long.
        quick = {"publish_ms": 20, "request_timeout_s": 1, "session_timeout_s": 2}
        given = {"url": url, **FAST, **quick}
        tags = {
            tag(name): ADAPTER.tag.model_validate(
                {
                    "ns": URI,
                    "id": f"s={NAME}.{node}",
                    "writable": name in {"ack", "result"},
                }
            )
            for name, node in NODES.items()
        }
        settings = ADAPTER.settings.model_validate(given)
        return open_link(ADAPTER, LINK, settings, tags, groups)

    async def do(self, what: str, **how: Any) -> Any:
        """Have it do something; see ``doings`` in ``opcua_server.mjs``."""
        return await self.peer.do(what, machine=NAME, **how)

    async def truth(self) -> dict[str, Any]:
        told: dict[str, Any] = await self.do("pressTruth")
        return told

    async def until(
        self, holds: Callable[[dict[str, Any]], Any], *, within_s: float = 20
    ) -> dict[str, Any]:
        """Wait until its truth is so, and return it."""
        async with asyncio.timeout(within_s):
            while not holds(told := await self.truth()):  # noqa: ASYNC110 over HTTP
                await asyncio.sleep(0.01)
        return told

    async def until_acked(self) -> None:
        await self.until(lambda told: told["values"]["Ack"])

    async def until_done(self, *, within_s: float = 20) -> dict[str, Any]:
        """Wait until it is through with all cycles that it was to make."""
        return await self.until(lambda told: not told["left"], within_s=within_s)
