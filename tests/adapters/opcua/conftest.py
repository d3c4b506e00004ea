"""One OPC UA server for all tests here: to set one up takes seconds."""

import asyncio
import gc
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio
from asyncua import Server, ua

from mes_adapters.opcua import ADAPTER
from mes_engine.ports import Link

URI = "urn:test:line"


@dataclass
class Line:
    """A server whose namespace is not where one would think, and its tags."""

    server: Server
    index: int
    port: int = 0
    made: list[ua.NodeId] = field(default_factory=list)

    def id(self, name: str) -> ua.NodeId:
        return ua.NodeId.from_string(f"ns={self.index};s={name}")

    async def add(self, name: str, value: int = 0) -> None:
        node = await self.server.nodes.objects.add_variable(
            self.id(name),
            f"{self.index}:{name}",
            ua.Variant(value, ua.VariantType.UInt32),
        )
        self.made.append(node.nodeid)

    async def write(self, name: str, value: int, *, status: int = 0) -> None:
        await self.server.write_attribute_value(
            self.id(name),
            ua.DataValue(
                ua.Variant(value, ua.VariantType.UInt32),
                StatusCode=ua.StatusCode(ua.UInt32(status)),
            ),
        )

    async def remove(self, name: str) -> None:
        await self.server.delete_nodes([self.server.get_node(self.id(name))])

    def link(self, *names: str, port: int | None = None, **settings: Any) -> Link:
        given = {
            "publish_ms": 50,
            "keepalive_s": 0.2,
            "silent_s": 2.5,
            "retry_s": 0.2,
            "check_s": 0.3,
            "close_timeout_s": 0.5,
            "lifetime_s": 1,
            **settings,
        }
        url = f"opc.tcp://127.0.0.1:{port or self.port}/line"
        return ADAPTER.open(
            "line",
            ADAPTER.settings.model_validate({"url": url, **given}),
            {name: ADAPTER.tag(ns=URI, id=f"s={name}") for name in names},
        )

    @property
    def subscriptions(self) -> int:
        return len(self.server.iserver.subscription_service.subscriptions)

    async def until_forgotten(self) -> None:
        """Wait until no session and no subscription is left."""
        assert self.server.bserver is not None
        async with asyncio.timeout(5):
            while self.subscriptions or self.server.bserver.clients:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_line() -> AsyncIterator[Line]:
    gc.disable()
    server = Server()
    await server.init()
    gc.enable()
    server.set_endpoint("opc.tcp://127.0.0.1:0/line")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    server.set_identity_tokens([ua.AnonymousIdentityToken])
    decoy = await server.register_namespace("urn:test:decoy")
    index = await server.register_namespace(URI)
    await server.nodes.objects.add_variable(
        ua.NodeId.from_string(f"ns={decoy};s=good"), f"{decoy}:good", 9999
    )
    async with server:
        line = Line(server, index)
        listener = server.bserver and server.bserver._server  # noqa: SLF001
        assert isinstance(listener, asyncio.Server)
        line.port = listener.sockets[0].getsockname()[1]
        yield line


@pytest_asyncio.fixture(loop_scope="session")
async def line(running_line: Line) -> AsyncIterator[Line]:
    """The server with the tags ``good`` and ``state``; what a test adds is removed."""
    await running_line.add("good", 10)
    await running_line.add("state", 4)
    yield running_line
    await running_line.until_forgotten()
    nodes = [running_line.server.get_node(node) for node in running_line.made]
    await running_line.server.delete_nodes(nodes)
    running_line.made.clear()
