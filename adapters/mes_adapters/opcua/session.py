"""A session on an OPC UA server with one subscription: the only user of ``asyncua``."""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from asyncua import Client, ua
from structlog.stdlib import BoundLogger

from mes_adapters.opcua.asking import asking
from mes_adapters.opcua.mapping import in_chunks, next_sequence, node_id
from mes_adapters.opcua.settings import OpcUaSettings, OpcUaTag
from mes_engine.core.errors import SourceLost

MOST_ITEMS_PER_CALL = 500
INBOX = 4
CLOCK_NODE = ua.ObjectIds.Server_ServerStatus_CurrentTime
MOST_ITEMS_NODE = (
    ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall
)
HEARTBEAT = 1
"""The client's handle of the server's clock; those of tags follow."""


@dataclass(frozen=True, slots=True)
class News:
    """What the server published, and when it reached us (UTC micros)."""

    result: ua.PublishResult
    received_at: int


class OpcUaSession:
    """Opened and closed as a context; closing takes a bounded time."""

    def __init__(self, settings: OpcUaSettings, log: BoundLogger) -> None:
        self.found: set[str] = set()
        self.missing: set[str] = set()
        self.silence_s = settings.silence_s()
        self._settings = settings
        self._log = log
        self._client = _new_client(settings)
        # Full means that the engine is slow: then the server is not asked for more,
        # and keeps what changes in its own queues, and says so if they overflow.
        self._inbox: asyncio.Queue[News] = asyncio.Queue(INBOX)
        self._subscription = 0
        self._sequence = 0
        self._tags: dict[str, OpcUaTag] = {}
        self._tag_of: dict[int, str] = {}
        self._item_of: dict[str, int] = {}
        self._node_of: dict[str, ua.NodeId] = {}
        self._last_handle = HEARTBEAT
        self._has_heartbeat = False
        self._items_per_call = MOST_ITEMS_PER_CALL

    async def __aenter__(self) -> Self:
        try:
            async with self._asking():
                await self._client.connect()
                await self._read_limits()
                await self._subscribe()
                self._has_heartbeat = await self._watch_heartbeat()
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
        await self._close()

    async def watch(self, tags: Mapping[str, OpcUaTag]) -> None:
        """Watch the nodes of ``tags``; those not there are then :attr:`missing`."""
        self._tags.update(tags)
        async with self._asking():
            await self._watch(sorted(tags))

    async def watch_missing(self) -> None:
        """Look again for nodes that were not there."""
        async with self._asking():
            dead = [
                self._item_of.pop(tag) for tag in self.missing & self._item_of.keys()
            ]
            if dead:
                await self._client.uaclient.delete_monitored_items(
                    ua.DeleteMonitoredItemsParameters(self._subscription, dead)
                )
            await self._watch(sorted(self.missing))

    async def read(self, tags: Iterable[str]) -> list[tuple[str, ua.DataValue]]:
        """Return what the server has for ``tags`` now, past the subscription."""
        answers: list[tuple[str, ua.DataValue]] = []
        for chunk in in_chunks(sorted(tags), self._items_per_call):
            nodes = [self._node_of[tag] for tag in chunk]
            async with self._asking():
                values = await self._client.uaclient.read_attributes(
                    nodes, ua.AttributeIds.Value
                )
            answers.extend(zip(chunk, values, strict=True))
        return answers

    def lose(self, tag: str, *, reason: str) -> None:
        """Take note that nothing more comes for ``tag``; its node is asked for anew."""
        if tag in self.found:
            self.found.discard(tag)
            self.missing.add(tag)
            self._log.warning("tag_lost", tag=tag, reason=reason)

    def tag_of(self, handle: int) -> str | None:
        """Return the tag that the server calls ``handle``; None for its clock."""
        return self._tag_of.get(handle)

    async def next_news(self, *, until: float) -> News | None:
        """Return what the server published next, or None at ``until`` (loop time).

        Raises:
            SourceLost: Something the server published did not reach us.
        """
        try:
            async with asyncio.timeout_at(until):
                news = await self._inbox.get()
        except TimeoutError:
            return None
        self._check_sequence(news.result.NotificationMessage)
        return news

    def proves_life(self, news: News) -> bool:
        """Whether ``news`` shows that the server works, and not only its socket."""
        parts = news.result.NotificationMessage.NotificationData
        return bool(parts) or not self._has_heartbeat

    def _check_sequence(self, message: ua.NotificationMessage) -> None:
        # A keep-alive has the number of the next message, but does not use it up.
        sequence = int(message.SequenceNumber)
        if sequence == 0:  # no server's number: asyncua says that the socket has gone
            raise SourceLost(f"{self._settings.url} closed the connection.")
        if sequence != next_sequence(self._sequence):
            raise SourceLost(
                f"{self._settings.url} published number {sequence} after "
                f"{self._sequence}: what was between is lost or could not be read."
            )
        if message.NotificationData:
            self._sequence = sequence

    def _asking(self) -> AbstractAsyncContextManager[None]:
        within_s = 3 * self._settings.request_timeout_s
        return asking(self._settings.url, within_s=within_s)

    async def _read_limits(self) -> None:
        node = self._client.get_node(
            ua.NodeId.from_string(f"i={MOST_ITEMS_NODE}"),
        )
        with suppress(ua.UaStatusCodeError):  # not every server states it
            limit = await node.read_value()
            if isinstance(limit, int) and limit > 0:
                self._items_per_call = min(limit, MOST_ITEMS_PER_CALL)

    async def _subscribe(self) -> None:
        settings = self._settings
        params = ua.CreateSubscriptionParameters()
        params.RequestedPublishingInterval = settings.publish_ms
        keep_alive = max(1, int(settings.keepalive_s * 1000 / settings.publish_ms))
        lifetime = int(settings.lifetime_s * 1000 / settings.publish_ms)
        params.RequestedMaxKeepAliveCount = keep_alive
        params.RequestedLifetimeCount = max(lifetime, 3 * keep_alive)
        params.MaxNotificationsPerPublish = 10_000
        params.PublishingEnabled = True
        revised = await self._client.uaclient.create_subscription(params, self._hear)
        self._subscription = revised.SubscriptionId
        self.silence_s = settings.silence_s(revised.RevisedPublishingInterval)
        self._log.info(
            "opcua_subscribed",
            publish_ms=revised.RevisedPublishingInterval,
            keepalive_count=revised.RevisedMaxKeepAliveCount,
            lifetime_count=revised.RevisedLifetimeCount,
            silence_s=self.silence_s,
        )

    async def _hear(self, result: ua.PublishResult) -> None:
        await self._inbox.put(News(result, time.time_ns() // 1000))

    async def _watch_heartbeat(self) -> bool:
        clock = ua.NodeId.from_string(f"i={CLOCK_NODE}")
        (result,) = await self._create([(HEARTBEAT, clock)])
        if not result.StatusCode.is_good():
            self._log.warning("opcua_heartbeat_refused", reason=result.StatusCode.name)
        return bool(result.StatusCode.is_good())

    async def _watch(self, tags: list[str]) -> None:
        namespaces = await self._client.get_namespace_array()
        nodes = {tag: node_id(self._tags[tag], namespaces) for tag in tags}
        for tag, node in nodes.items():
            if node is None:
                self._miss(tag, f"no namespace {self._tags[tag].ns}")
        rest = [(tag, node) for tag, node in nodes.items() if node is not None]
        while rest:
            chunk = rest[: self._items_per_call]
            if await self._watch_chunk(chunk):
                rest = rest[len(chunk) :]

    async def _watch_chunk(self, chunk: list[tuple[str, ua.NodeId]]) -> bool:
        handles = range(self._last_handle + 1, self._last_handle + 1 + len(chunk))
        self._last_handle += len(chunk)
        # Known before we ask: the first values may come before the answer.
        self._tag_of.update(zip(handles, (tag for tag, _ in chunk), strict=True))
        nodes = (node for _, node in chunk)
        try:
            results = await self._create(list(zip(handles, nodes, strict=True)))
        except ua.UaStatusCodeError as error:
            if error.code != ua.StatusCodes.BadTooManyOperations or len(chunk) == 1:
                raise
            self._items_per_call = len(chunk) // 2
            return False
        for (tag, node), result in zip(chunk, results, strict=True):
            if result.StatusCode.is_good():
                self._node_of[tag] = node
                self._find(tag, result.MonitoredItemId)
            else:
                self._miss(tag, result.StatusCode.name)
        self._log.info(
            "opcua_items_created",
            count=len(chunk),
            sampling_ms=sorted({r.RevisedSamplingInterval for r in results}),
            queue=sorted({r.RevisedQueueSize for r in results}),
        )
        return True

    async def _create(
        self, items: list[tuple[int, ua.NodeId]]
    ) -> list[ua.MonitoredItemCreateResult]:
        params = ua.CreateMonitoredItemsParameters()
        params.SubscriptionId = self._subscription
        params.TimestampsToReturn = ua.TimestampsToReturn.Both
        params.ItemsToCreate = [self._item(handle, node) for handle, node in items]
        return await self._client.uaclient.create_monitored_items(params)

    def _item(self, handle: int, node: ua.NodeId) -> ua.MonitoredItemCreateRequest:
        item = ua.MonitoredItemCreateRequest()
        item.ItemToMonitor.NodeId = node
        item.ItemToMonitor.AttributeId = ua.AttributeIds.Value
        item.MonitoringMode = ua.MonitoringMode.Reporting
        item.RequestedParameters.ClientHandle = handle
        item.RequestedParameters.SamplingInterval = self._settings.sampling_ms
        item.RequestedParameters.QueueSize = self._settings.queue
        item.RequestedParameters.DiscardOldest = True
        return item

    def _find(self, tag: str, item: int) -> None:
        self._item_of[tag] = item
        self.found.add(tag)
        if tag in self.missing:
            self.missing.discard(tag)
            self._log.info("tag_found", tag=tag)

    def _miss(self, tag: str, reason: str) -> None:
        if tag not in self.missing:
            self.missing.add(tag)
            self._log.warning("tag_missing", tag=tag, reason=reason)

    async def _close(self) -> None:
        # Leave no session behind: a PLC has few of them, and keeps them for a while.
        protocol = self._client.uaclient.protocol
        transport = protocol and protocol.transport
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.close_timeout_s):
                await self._client.disconnect()
        self._client.disconnect_socket()
        if transport:
            transport.abort()


def _new_client(settings: OpcUaSettings) -> Client:
    # It logs tracebacks at each outage, of which we tell in our own words.
    if logging.getLogger("asyncua").level == logging.NOTSET:
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    client = Client(
        settings.url,
        timeout=settings.request_timeout_s,
        # Ours is the silence; theirs calls a PLC lost that pauses for a second.
        watchdog_intervall=2 * settings.silence_s(),
    )
    client.name = client.description = "MES engine"
    client.application_uri = "urn:mes-engine:opcua"
    client.session_timeout = round(settings.session_timeout_s * 1000)
    return client
