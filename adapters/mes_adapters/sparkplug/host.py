"""What we say of ourselves: the state of a host application, as Sparkplug 3.0 has it.

Nodes may wait for their primary host, and go elsewhere when it is gone. So what the
broker says of us when we are cut off (the will) has the time of our birth, which tells
the deaths of earlier connections from that of this one.
"""

import json
import time

import aiomqtt

from mes_adapters.sparkplug.mapping import NAMESPACE
from mes_engine.core.errors import SourceLost


class HostState:
    """The state of a host application, for one connection.

    Attributes:
        topic: Where it stands, retained.

    Args:
        host: Its name.
    """

    def __init__(self, host: str) -> None:
        self.topic = f"{NAMESPACE}/STATE/{host}"
        self._host = host
        self._born_at = _now_ms()
        self._is_superseded = False

    @property
    def will(self) -> aiomqtt.Will:
        """What the broker is to say if we are cut off."""
        dead = _state(self._born_at, is_online=False)
        return aiomqtt.Will(self.topic, dead, qos=1, retain=True)

    async def tell_birth(self, client: aiomqtt.Client) -> None:
        """Say that we are there."""
        await self._tell(client, self._born_at, is_online=True)

    async def tell_death(self, client: aiomqtt.Client) -> None:
        """Say that we go, which is no will: it has its own time."""
        if not self._is_superseded:
            at = max(_now_ms(), self._born_at)
            await self._tell(client, at, is_online=False)

    async def hear(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        """Contradict whoever says that we are gone: the will of a connection before.

        Raises:
            SourceLost: It was said after our birth. Only a new one is believed then.
        """
        at = _death_at(message)
        if at is None or message.retain:
            return
        if at > self._born_at:
            self._is_superseded = True
            raise SourceLost(
                f"Somebody else has said that host '{self._host}' is gone.",
                hint="Give each link, and each engine, a 'host' of its own.",
            )
        await self.tell_birth(client)

    async def _tell(self, client: aiomqtt.Client, at: int, *, is_online: bool) -> None:
        told = _state(at, is_online=is_online)
        await client.publish(self.topic, told, qos=1, retain=True)


def _death_at(message: aiomqtt.Message) -> int | None:
    """Return the time of a death, in milliseconds; None for what is none."""
    try:
        told = json.loads(message.payload)
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("online") is not False:
        return None
    at = told.get("timestamp")
    return at if isinstance(at, int) else None


def _state(at: int, *, is_online: bool) -> str:
    return json.dumps({"online": is_online, "timestamp": at})


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
