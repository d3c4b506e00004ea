"""End sessions that a lost connection has left on a server: a PLC has few of them.

Over a channel of its own, which is activated for each of them in turn (OPC UA Part 4,
5.6.3): a server that takes such a request for one of the session that is at work would
end that.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from asyncua import Client, ua
from structlog.stdlib import BoundLogger

from mes_adapters.opcua.asking import asking
from mes_adapters.opcua.client import new_client
from mes_adapters.opcua.security import secure
from mes_adapters.opcua.settings import OpcUaSettings

MOST_TRIES = 2
"""A server that does not answer so often is left to forget it by itself."""


@dataclass(slots=True, eq=False)
class LeftSession:
    """A session that could not be closed.

    Attributes:
        token: What the server knows it by.
        nonce: What the server has said last, for us to sign.
        policies: How one may log in there.
    """

    token: ua.NodeId
    nonce: bytes | None
    policies: Sequence[Any]
    tries: int = 0


def left_by(client: Client) -> LeftSession | None:
    """Return the session of a client that was not closed; None if it has none."""
    token = client.uaclient.session.authentication_token
    if token.is_null():
        return None
    nonce, policies = client._server_nonce, client._policy_ids  # noqa: SLF001
    return LeftSession(token, nonce, policies)


async def close_left(
    settings: OpcUaSettings,
    left: list[LeftSession],
    log: BoundLogger,
    *,
    within_s: float,
    has_moved: bool,
) -> None:
    """End the sessions in ``left``, and take them out of it.

    Args:
        settings: Of the server.
        left: Those that were left.
        log: Where that is told.
        within_s: How long it may take.
        has_moved: Our subscription has moved to another session, and is not to end.

    Raises:
        SourceLost: The server cannot be asked.
    """
    wanted = list(left)
    if not wanted:
        return
    client = new_client(settings)
    try:
        async with asking(settings.url, within_s=within_s):
            await secure(client, settings, log)
            await client.connect_socket()
            await client.send_hello()
            await client.open_secure_channel()
            for one in wanted:
                try:
                    with suppress(ua.UaStatusCodeError):  # it is gone, or not ours
                        await _close(client, one, has_moved=has_moved)
                except TimeoutError:
                    one.tries += 1
                    if one.tries >= MOST_TRIES:
                        left.remove(one)
                    raise
                left.remove(one)
    finally:
        await _hang_up(client, settings.close_timeout_s)
    log.info("opcua_sessions_closed", count=len(wanted))


async def _close(client: Client, one: LeftSession, *, has_moved: bool) -> None:
    session = client.uaclient.session
    session.restore_authentication_token(one.token)
    # The library keeps to itself what is of a session.
    known: Any = client
    known._server_nonce, known._policy_ids = one.nonce, one.policies  # noqa: SLF001
    await known._activate_with_credentials()  # noqa: SLF001
    request = ua.CloseSessionRequest()
    request.DeleteSubscriptions = not has_moved
    protocol = client.uaclient.protocol
    if protocol is not None:
        await protocol.send_request(request)


async def _hang_up(client: Client, within_s: float) -> None:
    protocol = client.uaclient.protocol
    transport = protocol and protocol.transport
    with suppress(OSError, ua.UaError, TimeoutError):
        async with asyncio.timeout(within_s):
            await client.close_secure_channel()
    client.disconnect_socket()
    if transport:
        transport.abort()
