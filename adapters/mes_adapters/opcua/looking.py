"""Show what a server has, for a person who writes a list of tags."""

from collections.abc import Mapping

import structlog
from asyncua import ua

from mes_adapters.opcua.browsing import OBJECTS, Found, children, find_node
from mes_adapters.opcua.connection import Connection
from mes_adapters.opcua.mapping import to_sample
from mes_adapters.opcua.settings import OpcUaSettings, OpcUaTag
from mes_engine.core.errors import NotFound
from mes_engine.ports import BrowsedNode

MOST_SHOWN = 5_000


async def browse(settings: OpcUaSettings, root: str, depth: int) -> list[BrowsedNode]:
    """Return what is below ``root``, a path as in a tag's ``at``; see `AdapterSpec`.

    Raises:
        NotFound: There is no such path.
        SourceLost: The server does not answer.
        SourceRefused: It does not want us.
    """
    log = structlog.stdlib.get_logger()
    async with Connection(settings, log) as connection:
        node: ua.NodeId | None = OBJECTS
        if root:
            node = await find_node(connection, OpcUaTag(path=root))
        if node is None:
            raise NotFound(f"{settings.url} has no {root}.")
        looking = _Looking(connection, depth)
        await looking.at(node)
        return looking.shown


class _Looking:
    """A walk down the hierarchy, once along each node.

    Attributes:
        shown: What was found, in the order in which it is shown.
    """

    def __init__(self, connection: Connection, depth: int) -> None:
        self.shown: list[BrowsedNode] = []
        self._connection = connection
        self._depth = depth
        self._seen: set[ua.NodeId] = set()

    async def at(self, node: ua.NodeId, level: int = 0) -> None:
        """Show what is below ``node``."""
        self._seen.add(node)
        below = await children(self._connection, node)
        values = await self._values(below)
        for one in below:
            if len(self.shown) >= MOST_SHOWN:
                return
            self.shown.append(self._show(one, values.get(one.node), level))
            if level + 1 < self._depth and one.node not in self._seen:
                await self.at(one.node, level + 1)

    async def _values(self, found: list[Found]) -> Mapping[ua.NodeId, ua.DataValue]:
        nodes = [one.node for one in found if one.kind is ua.NodeClass.Variable]
        values = await self._connection.read(nodes) if nodes else []
        return dict(zip(nodes, values, strict=True))

    def _show(self, one: Found, data: ua.DataValue | None, level: int) -> BrowsedNode:
        index = one.node.NamespaceIndex
        namespaces = self._connection.namespaces
        uri = namespaces[index] if index < len(namespaces) else f"index {index}"
        variant = None if data is None else data.Value
        kind = "" if variant is None else variant.VariantType.name
        value = ""
        if variant is not None and isinstance(variant.Value, list):
            kind, value = f"{kind}[]", f"{len(variant.Value)} values"
        elif data is not None:
            told = to_sample("", data, received_at=0).value
            value = "" if told is None else str(told)
        return BrowsedNode(
            level=level,
            name=str(one.name.Name),
            what=one.kind.name.lower(),
            at={"ns": uri, "id": one.node.to_string().rpartition(f"ns={index};")[2]},
            data_type=kind,
            value=value,
        )
