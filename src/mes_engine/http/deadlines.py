"""HTTP/1.1 that is prompt both ways: :class:`PromptProtocol`, for ``uvicorn.Config``.

uvicorn waits for the headers of a request for ever, so that a few slow connections take
every place there is. And asyncio leaves Nagle on for a socket that was made without
naming TCP, so that each answer waits 40 ms for an ACK.
"""

import asyncio
import socket

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_S = 10.0


class PromptProtocol(H11Protocol):
    """HTTP/1.1, where the headers of each request have to be there in time."""

    headers_s = HEADERS_S
    _due: asyncio.TimerHandle | None = None

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        """Send without delay, and begin to wait for the first request."""
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection.family in {socket.AF_INET, socket.AF_INET6}:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._look()

    def data_received(self, data: bytes) -> None:
        """Take what came, and see whether the headers are whole now."""
        super().data_received(data)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _look(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._wait_no_more()
        elif self._due is None:
            self._due = self.loop.call_later(self.headers_s, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
