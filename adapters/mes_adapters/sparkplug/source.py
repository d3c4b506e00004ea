"""One connection to an MQTT broker, to hear one edge node, for one life of it."""

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import aiomqtt
import structlog

from mes_adapters.sparkplug.host import HostState
from mes_adapters.sparkplug.mapping import (
    NAMESPACE,
    REBIRTH,
    EdgeNode,
    Message,
    parse_topic,
    topics,
)
from mes_adapters.sparkplug.payload import DataType, Metric, Value, decode, encode
from mes_adapters.sparkplug.settings import SparkplugSettings, SparkplugTag
from mes_adapters.sparkplug.writing import Writer
from mes_engine.core.errors import (
    Malformed,
    MesError,
    SourceLost,
    SourceMisconfigured,
    SourceRefused,
)
from mes_engine.ports import Emit, WriteResult

log = structlog.stdlib.get_logger()

UNWANTED = frozenset({4, 5, 134, 135, 138})
"""Return codes of MQTT 3.1.1 and 5: bad password, not authorised, banned."""


class SparkplugLink:
    """A :class:`~mes_engine.ports.Link` to one edge node."""

    def __init__(
        self,
        link_id: str,
        settings: SparkplugSettings,
        tags: Mapping[str, SparkplugTag],
    ) -> None:
        self._settings = settings
        self._client_id = settings.client_id or f"mes-{link_id}"
        self._node = EdgeNode(settings, tags)
        self._writer = Writer(settings, tags, self._node)
        self._log = log.bind(link=link_id)
        self._has_dropped = False

    async def write(
        self, tag: str, value: Value, *, expect: Value | None = None
    ) -> WriteResult:
        """Send ``value`` once, and wait until the node tells it; see `ports.Writes`."""
        return await self._writer.write(tag, value, expect)

    async def run(self, emit: Emit) -> None:
        """Connect, ask for a birth, and emit what the node says."""
        name = self._settings.host
        host = None if name is None else HostState(name)
        async with self._connected(host) as client:
            self._node.begin()
            try:
                async with asyncio.TaskGroup() as tasks:
                    messages: asyncio.Queue[aiomqtt.Message] = asyncio.Queue(maxsize=1)
                    reading = tasks.create_task(_read(client, messages))
                    self._writer.client = client
                    try:
                        await self._listen(client, host, messages, emit)
                    finally:
                        reading.cancel()
            except* aiomqtt.MqttError as lost:
                raise SourceLost(f"{self._settings.url}: {first_of(lost)}") from lost
            except* MesError as ended:
                raise first_of(ended) from None
            finally:
                self._writer.client = None

    @asynccontextmanager
    async def _connected(self, host: HostState | None) -> AsyncIterator[aiomqtt.Client]:
        client = self._client(host)
        try:
            await client.__aenter__()
        except aiomqtt.MqttError as error:
            raise self._cause(error) from error
        try:
            await self._begin(client, host)
            yield client
        except aiomqtt.MqttError as error:
            raise SourceLost(f"{self._settings.url}: {error}") from error
        finally:
            # It waits for the broker's goodbye; a broker that is gone says none.
            if host is not None:
                with suppress(aiomqtt.MqttError):
                    await host.tell_death(client)
            with suppress(aiomqtt.MqttError):
                await client.__aexit__(None, None, None)

    def _client(self, host: HostState | None) -> aiomqtt.Client:
        settings = self._settings
        address, port = settings.broker
        login = settings.login
        password = os.environ.get(login.password_env) if login is not None else None
        if login is not None and password is None:
            raise SourceMisconfigured(
                f"The variable {login.password_env} is not set: it has the password of "
                f"{login.user}."
            )
        return aiomqtt.Client(
            address,
            port,
            username=login.user if login is not None else None,
            password=password,
            identifier=self._client_id,
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=True,
            keepalive=settings.keepalive_s,
            timeout=settings.connect_s,
            max_queued_incoming_messages=settings.queue,
            queue_type=self._queue_type(),
            tls_context=_tls(settings),
            will=None if host is None else host.will,
        )

    def _queue_type(self) -> type["asyncio.Queue[aiomqtt.Message]"]:
        """Return a queue that says so when the library drops what does not fit.

        The last messages of all may be dropped: no number after them would tell.
        """
        link = self

        class Noticing(asyncio.Queue[aiomqtt.Message]):
            def put_nowait(self, item: aiomqtt.Message) -> None:
                link._has_dropped = link._has_dropped or self.full()
                super().put_nowait(item)

        return Noticing

    async def _begin(self, client: aiomqtt.Client, host: HostState | None) -> None:
        """Listen first, then say that we are there: a node may answer at once."""
        wanted = [*topics(self._settings), *([] if host is None else [host.topic])]
        await client.subscribe([(topic, 1) for topic in wanted])
        heed_cancelling()
        if host is not None:
            await host.tell_birth(client)

    def _cause(self, error: aiomqtt.MqttError) -> Exception:
        """Return what a failed connection means: to try again, or not so often."""
        url = self._settings.url
        if isinstance(error, aiomqtt.MqttCodeError):
            code = getattr(error.rc, "value", error.rc)
            if code in UNWANTED:
                return SourceRefused(f"{url} refuses us: {error}")
        if isinstance(error.__context__, ssl.SSLCertVerificationError):
            return SourceRefused(f"{url} is not whom we trust: {error}")
        return SourceLost(f"{url}: {error}")

    async def _listen(
        self,
        client: aiomqtt.Client,
        host: HostState | None,
        messages: asyncio.Queue[aiomqtt.Message],
        emit: Emit,
    ) -> None:
        node = self._node
        while True:
            if self._has_dropped and not len(client.messages):
                self._has_dropped = False
                node.lost_some()
            if node.asks_for_birth(time.monotonic()):
                await self._ask_for_birth(client)
            try:
                look_at = node.look_at_s()
                wait_s = None if look_at is None else look_at - time.monotonic()
                async with asyncio.timeout(wait_s):
                    raw = await messages.get()
            except TimeoutError:
                told = list(node.look(now_s=time.monotonic()))
            else:
                if host is not None and str(raw.topic) == host.topic:
                    await host.hear(client, raw)
                    heed_cancelling()
                    continue
                message = self._read(raw)
                if message is None:
                    continue
                told = list(node.hear(message, now_s=time.monotonic()))
                self._writer.heard()
            for report in told:
                await emit(report)

    def _read(self, raw: aiomqtt.Message) -> Message | None:
        """Return what came. What cannot be read is left out; its number is missed."""
        found = parse_topic(str(raw.topic))
        if found is None or not isinstance(raw.payload, bytes):
            return None
        try:
            payload = decode(raw.payload)
        except Malformed as error:
            self._log.warning(
                "sparkplug_unreadable", topic=str(raw.topic), reason=str(error)
            )
            return None
        kind, device = found
        return Message(kind=kind, device=device, payload=payload, received_at=_now())

    async def _ask_for_birth(self, client: aiomqtt.Client) -> None:
        settings = self._settings
        rebirth = Metric(name=REBIRTH, type=DataType.BOOLEAN, value=True)
        await client.publish(
            f"{NAMESPACE}/{settings.group}/NCMD/{settings.node}",
            encode([rebirth], at=_now()),
        )
        heed_cancelling()
        self._log.info("sparkplug_birth_asked")


def heed_cancelling() -> None:
    """Be cancelled, if that was asked for and the library has not heeded it.

    It waits with ``asyncio.wait_for``, which in Python 3.11 takes a cancellation for
    nothing when the answer comes at the same moment.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _read(
    client: aiomqtt.Client, messages: asyncio.Queue[aiomqtt.Message]
) -> None:
    async for message in client.messages:
        await messages.put(message)


def _tls(settings: SparkplugSettings) -> ssl.SSLContext | None:
    if not settings.is_encrypted:
        return None
    tls = settings.tls
    try:
        context = ssl.create_default_context(
            cafile=str(tls.ca) if tls is not None and tls.ca is not None else None
        )
        if tls is not None and tls.certificate is not None and tls.key is not None:
            context.load_cert_chain(tls.certificate, tls.key)
    except OSError as error:
        raise SourceMisconfigured(
            f"The files of 'tls' cannot be used: {error}"
        ) from error
    return context


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error of a group."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


def _now() -> int:
    return time.time_ns() // 1000
