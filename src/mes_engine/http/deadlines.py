"""A limit on how long a connection may take to say what it wants.

uvicorn waits for the headers of a request for ever, so that a few slow connections take
every place there is. Give :class:`PromptProtocol` to ``uvicorn.Config(http=...)``.
"""

import asyncio

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
        """Begin to wait for the first request."""
        super().connection_made(transport)
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
