"""A connection to an OPC UA server with a session on it: a fresh client each time."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from asyncua import ua
from asyncua.client.ua_session import SessionState, UaSession
from asyncua.ua.ua_binary import struct_from_binary
from structlog.stdlib import BoundLogger

from mes_adapters.opcua.asking import asking
from mes_adapters.opcua.client import new_client
from mes_adapters.opcua.mapping import in_chunks
from mes_adapters.opcua.security import secure
from mes_adapters.opcua.sessions import LeftSession, left_by
from mes_adapters.opcua.settings import OpcUaSettings
from mes_engine.core.errors import SourceLost, SourceRefused

T = TypeVar("T")

MOST_PER_CALL = 500
_BEGAN_AT = ua.NodeId.from_string(f"i={ua.ObjectIds.Server_ServerStatus_StartTime}")
OPEN = (SessionState.CREATED, SessionState.ACTIVATED)
LIMITS = {
    "items": "MaxMonitoredItemsPerCall",
    "reads": "MaxNodesPerRead",
    "histories": "MaxNodesPerHistoryReadData",
    "paths": "MaxNodesPerTranslateBrowsePathsToNodeIds",
}
"""What a server states that it takes in one call; 0 or nothing is no limit."""


class Connection:
    """Opened and closed as a context; closing takes a bounded time.

    Attributes:
        namespaces: The server's, by index; read anew for each connection.
        is_kept: Whether the server keeps our subscription when the connection is lost.
        began_at: When the server began, by its own clock; None where it does not say.

    Args:
        settings: Of the server.
        log: Where is told what was found.
        left: Sessions that could not be closed; this one, if it cannot be.
    """

    def __init__(
        self,
        settings: OpcUaSettings,
        log: BoundLogger,
        left: list[LeftSession] | None = None,
    ) -> None:
        self.namespaces: Sequence[str] = ()
        self.is_kept = False
        self.began_at: datetime | None = None
        self.url = settings.url
        self.per_call = dict.fromkeys(LIMITS, MOST_PER_CALL)
        self._settings = settings
        self._patience_s = 3 * settings.request_timeout_s
        self._log = log
        self._left = [] if left is None else left
        self._client = new_client(settings)

    async def __aenter__(self) -> Self:
        try:
            async with asking(self.url, within_s=self._patience_s, is_login=True):
                await secure(self._client, self._settings, self._log)
                await self._client.connect()
            async with self.asking():
                self.namespaces = await self._client.get_namespace_array()
                await self._read_limits()
        except SourceRefused:
            await self._close(is_refused=True)
            raise
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._close(leave=self.is_kept and isinstance(error, SourceLost))

    @property
    def session(self) -> UaSession:
        """The services of the session."""
        return self._client.uaclient.session

    def asking(
        self, *, within_s: float | None = None
    ) -> AbstractAsyncContextManager[None]:
        """Wrap requests: their errors are told in our words."""
        return asking(self.url, within_s=within_s or self._patience_s)

    async def ask(self, request: Any, answer: type[T]) -> T:
        """Send ``request`` and return its answer, past the services of the session."""
        protocol = self._client.uaclient.protocol
        if protocol is None:
            raise SourceLost(f"{self.url} closed the connection.")
        data = await protocol.send_request(request)
        return struct_from_binary(answer, data)

    async def reread_namespaces(self) -> None:
        """Read the namespaces again: a server that is still starting adds some."""
        self.namespaces = await self._client.get_namespace_array()

    async def read(self, nodes: Sequence[ua.NodeId]) -> list[ua.DataValue]:
        """Return the values of ``nodes`` as they are now."""
        values: list[ua.DataValue] = []
        for chunk in in_chunks(nodes, self.per_call["reads"]):
            async with self.asking():
                values += await self.session.read_attributes(
                    chunk, ua.AttributeIds.Value
                )
        return values

    async def read_at_once(
        self, nodes: Sequence[ua.NodeId]
    ) -> list[ua.DataValue] | None:
        """Return the values of ``nodes`` by one call; None if they are too many."""
        async with self.asking():
            try:
                return await self.session.read_attributes(
                    list(nodes), ua.AttributeIds.Value
                )
            except ua.UaStatusCodeError as error:
                if error.code != ua.StatusCodes.BadTooManyOperations:
                    raise
                return None

    async def _read_limits(self) -> None:
        nodes = [limit_node(name) for name in LIMITS]
        nodes.append(_BEGAN_AT)
        # One by one: whoever takes one read a call would refuse more.
        answers = [
            (await self.session.read_attributes([node], ua.AttributeIds.Value))[0]
            for node in nodes
        ]
        *limits, began = answers
        if began.Value is not None and isinstance(began.Value.Value, datetime):
            self.began_at = began.Value.Value
        for name, data in zip(LIMITS, limits, strict=True):
            limit = None if data.Value is None else data.Value.Value
            if isinstance(limit, int) and limit > 0:
                self.per_call[name] = min(limit, MOST_PER_CALL)
        self._log.info("opcua_connected", per_call=self.per_call)

    async def _close(self, *, leave: bool = False, is_refused: bool = False) -> None:
        # Leave no session behind: a PLC has few of them, and keeps them for a while.
        protocol = self._client.uaclient.protocol
        transport = protocol and protocol.transport
        # Where it is not, the library closes nothing, and does not say so.
        is_open = (
            self.session.state in OPEN
            and protocol is not None
            and not protocol.is_closed
        )
        is_closed = False
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.close_timeout_s):
                with suppress(OSError, ua.UaError):
                    await self.session.close_session(delete_subscriptions=not leave)
                    is_closed = is_open
                await self._client.disconnect()
        self._client.disconnect_socket()
        if transport:
            transport.abort()
        left = left_by(self._client)
        if left is not None and not (is_closed or is_refused):
            self._left.append(left)


def limit_node(name: str) -> ua.NodeId:
    """Return the node that states how much of ``name`` the server takes in a call."""
    of_limits = "Server_ServerCapabilities_OperationLimits"
    number = getattr(ua.ObjectIds, f"{of_limits}_{LIMITS[name]}")
    return ua.NodeId.from_string(f"i={number}")
