"""HTTP/1.1 that is prompt both ways: :class:`PromptProtocol`, for ``uvicorn.Config``.

uvicorn waits for the headers of a request for ever, so that a few slow connections take
every place there is. And asyncio leaves Nagle on for a socket that was made without
naming TCP, so that each answer waits 40 ms for an ACK.
"""

import asyncio
import socket

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from mes_engine.http.admission import (
    BUSY,
    BUSY_AND_CLOSE,
    Admission,
    whole_request,
)

HEADERS_S = 10.0


class PromptProtocol(H11Protocol):
    """HTTP/1.1, where the headers of each request have to be there in time."""

    headers_s = HEADERS_S
    admission: Admission | None = None
    """Asked for a place before a request is parsed; None parses each."""
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
        if self.admission is not None and self._is_refused(self.admission, data):
            return
        super().data_received(data)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _is_refused(self, admission: Admission, data: bytes) -> bool:
        """Refuse a request for which there is no place, at the least cost."""
        if self.conn.their_state is not h11.IDLE or self.conn.trailing_data[0]:
            return False
        if len(self.connections) > admission.most_connections:
            admission.turned_away()
            self.transport.write(BUSY_AND_CLOSE)
            self.transport.close()
            return True
        is_read = whole_request(data)
        if is_read is None:
            return False
        if admission.has_room(is_read=is_read):
            if admission.let_in():
                self.loop.call_soon(admission.all_arrived)
            return False
        admission.refused(is_read=is_read)
        self.transport.write(BUSY)
        # It waits for another request now, as after any answer.
        self._wait_no_more()
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )
        return True

    def _look(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._wait_no_more()
        elif self._due is None:
            self._due = self.loop.call_later(self.headers_s, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None


def protocol_with(admission: Admission) -> type[PromptProtocol]:
    """Return the protocol of a server that has only so many places."""

    class Admitting(PromptProtocol):
        pass

    Admitting.admission = admission
    return Admitting
