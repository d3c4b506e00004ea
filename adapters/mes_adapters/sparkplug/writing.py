"""Send a command once, and wait until the edge node tells what became of it."""

import asyncio
import time
from collections.abc import Mapping

import aiomqtt

from mes_adapters.sparkplug.mapping import NAMESPACE, EdgeNode
from mes_adapters.sparkplug.payload import Metric, Value, encode
from mes_adapters.sparkplug.settings import SparkplugSettings, SparkplugTag
from mes_engine.core.errors import OutcomeUnknown, Refused, SourceLost
from mes_engine.ports import WriteResult


class Writer:
    """Writes to the tags that say so. One write at a time.

    Attributes:
        client: The connection; None while there is none.
    """

    def __init__(
        self,
        settings: SparkplugSettings,
        tags: Mapping[str, SparkplugTag],
        node: EdgeNode,
    ) -> None:
        self.client: aiomqtt.Client | None = None
        self._settings = settings
        self._tags = tags
        self._node = node
        self._lock = asyncio.Lock()
        self._news = asyncio.Event()

    def heard(self) -> None:
        """Take note that the node has said something."""
        self._news.set()

    async def write(self, name: str, value: Value, expect: Value | None) -> WriteResult:
        """Write as :class:`~mes_engine.ports.Writes` says."""
        tag = self._tags.get(name)
        if tag is None or not tag.writable:
            hint = "Say writable: true at the tag, if the node allows it."
            raise Refused(f"{name} is not a tag to be written.", hint=hint)
        async with self._lock:
            born = self._node.born(name)
            if self.client is None or not self._node.is_alive or born is None:
                raise SourceLost(f"{name} is not connected.")
            before = self._node.value(name)
            held = before.value if before is not None else None
            if expect is not None and held != expect:
                raise Refused(f"{name} holds {held}, not {expect}.")
            command = Metric(
                name=born.name if born.alias is None else "",
                alias=born.alias,
                type=born.type,
                value=value,
            )
            payload = encode([command], at=time.time_ns() // 1000)
            try:
                await self.client.publish(self._topic(tag), payload, qos=1)
            except aiomqtt.MqttError as error:
                raise OutcomeUnknown(f"{name} may have been written.") from error
            return await self._back(name, value, before)

    def _topic(self, tag: SparkplugTag) -> str:
        group, node = self._settings.group, self._settings.node
        if tag.device is None:
            return f"{NAMESPACE}/{group}/NCMD/{node}"
        return f"{NAMESPACE}/{group}/DCMD/{node}/{tag.device}"

    async def _back(
        self, name: str, value: Value, before: Metric | None
    ) -> WriteResult:
        """Wait for the tag's next value: a node tells what it has changed.

        One that held the value already may tell nothing.
        """
        try:
            async with asyncio.timeout(self._settings.answer_s):
                while (now := self._node.value(name)) is before or now is None:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            now = self._node.value(name)
            if now is None or now.value != value:
                raise OutcomeUnknown(
                    f"{name} was sent, and the node has not told its value since."
                ) from None
        return WriteResult(
            tag=name,
            value=now.value,
            at=time.time_ns() // 1000,
            is_verified=now.value == value,
        )
