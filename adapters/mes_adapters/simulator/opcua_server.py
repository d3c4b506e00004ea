"""The plant's OPC UA server: one for all of its OPC UA machines. Loopback only."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, timedelta

from asyncua import Server, ua

from mes_adapters.simulator.machine import Change, Machine, PackmlState
from mes_adapters.simulator.settings import NAMESPACE_URI

HOST = "127.0.0.1"
EPOCH = ua.DateTime(1970, 1, 1, tzinfo=UTC)


class OpcUaDisplay:
    """Shows machines as nodes; values are written in the order of the changes."""

    def __init__(self, server: Server, namespace: int, port: int) -> None:
        self.port = port
        self._server = server
        self._namespace = namespace
        self._changes: asyncio.Queue[Change] = asyncio.Queue()

    def display(self, change: Change) -> None:
        """Take note of what a machine shows; :meth:`run` writes it."""
        self._changes.put_nowait(change)

    async def run(self) -> None:
        """Write what :meth:`display` was told, for ever."""
        last: dict[str, Change] = {}
        while True:
            change = await self._changes.get()
            before = last.get(change.machine)
            last[change.machine] = change
            if before is None or change.good != before.good:
                await self._write(change, "GoodCount", change.good)
            if before is None or change.scrap != before.scrap:
                await self._write(change, "ScrapCount", change.scrap)
            if before is None or change.state != before.state:
                await self._write(change, "StateCurrent", int(change.state))
                is_jammed = change.state is PackmlState.HELD
                await self._write(change, "Jam", is_jammed)

    async def _write(self, change: Change, name: str, value: int) -> None:
        at = EPOCH + timedelta(microseconds=change.at)
        await self._server.write_attribute_value(
            node_id(self._namespace, change.machine, name),
            ua.DataValue(
                ua.Variant(value, _variant_type(name)),
                SourceTimestamp=at,
                ServerTimestamp=at,
            ),
        )


@asynccontextmanager
async def serve_opcua(
    machines: Iterable[Machine], *, port: int
) -> AsyncIterator[OpcUaDisplay]:
    """Serve ``machines`` on the loopback; port 0 takes a free one."""
    server = Server()
    await server.init()
    server.set_server_name("Simulated plant")
    server.set_endpoint(f"opc.tcp://{HOST}:{port}/mes")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    server.set_identity_tokens([ua.AnonymousIdentityToken])
    namespace = await server.register_namespace(NAMESPACE_URI)
    for machine in machines:
        await _add(server, namespace, machine)
    async with server:
        yield OpcUaDisplay(server, namespace, _port(server))


def node_id(namespace: int, machine: str, name: str) -> ua.NodeId:
    """Return the node of a machine's tag."""
    return ua.NodeId.from_string(f"ns={namespace};s={machine}.{name}")


async def _add(server: Server, namespace: int, machine: Machine) -> None:
    parent = await server.nodes.objects.add_object(
        ua.NodeId.from_string(f"ns={namespace};s={machine.kind.id}"),
        f"{namespace}:{machine.kind.id}",
    )
    for name, value in (
        ("StateCurrent", int(machine.state)),
        ("GoodCount", machine.good),
        ("ScrapCount", machine.scrap),
        ("Jam", machine.state is PackmlState.HELD),
    ):
        await parent.add_variable(
            node_id(namespace, machine.kind.id, name),
            f"{namespace}:{name}",
            ua.Variant(value, _variant_type(name)),
        )


def _variant_type(name: str) -> ua.VariantType:
    kinds = {"StateCurrent": ua.VariantType.Int32, "Jam": ua.VariantType.Boolean}
    return kinds.get(name, ua.VariantType.UInt32)


def _port(server: Server) -> int:
    listener = server.bserver and server.bserver._server  # noqa: SLF001
    if not isinstance(listener, asyncio.Server):
        raise TypeError("asyncua listens in another way than the pinned version did")
    return int(listener.sockets[0].getsockname()[1])
