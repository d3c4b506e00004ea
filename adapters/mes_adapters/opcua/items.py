"""The tags of a link and the monitored items that stand for them on the server."""

from collections.abc import Iterable, Mapping, Sequence

from asyncua import ua
from structlog.stdlib import BoundLogger

from mes_adapters.opcua.connection import Connection
from mes_adapters.opcua.mapping import browse_path, in_chunks, node_id
from mes_adapters.opcua.memory import HEARTBEAT, Held, Memory, Revised
from mes_adapters.opcua.settings import OpcUaSettings, OpcUaTag
from mes_engine.ports import Pulse

CLOCK_NODE = ua.NodeId.from_string(f"i={ua.ObjectIds.Server_ServerStatus_CurrentTime}")
LONGEST_HEARTBEAT_MS = 1000
ALL_OF_PATH = 0xFFFF_FFFF
PULSE_QUEUE = 2
"""What it takes to see a pulse, besides two looks: room for both of its edges."""

Wanted = tuple[int, ua.NodeId, float, int]
"""An item: the client's handle, its node, sampling interval in ms, and queue."""


class Items:
    """What is watched in one connection; ``held`` is what the server knows of it."""

    def __init__(
        self,
        connection: Connection,
        settings: OpcUaSettings,
        tags: Mapping[str, OpcUaTag],
        memory: Memory,
        log: BoundLogger,
        *,
        pulses: Sequence[Pulse] = (),
    ) -> None:
        self.missing = memory.missing
        self._connection = connection
        self._settings = settings
        self._tags = tags
        self._held = Held(0, 0)
        self._pulses = _shortest(tags, pulses)
        self._log = log

    @property
    def found(self) -> set[str]:
        """The tags whose nodes are watched."""
        return self._held.node_of.keys() - self.missing.keys()

    async def resolve(self, tags: Iterable[str]) -> dict[str, ua.NodeId]:
        """Return the nodes of ``tags`` on this server; the others are missing."""
        await self._connection.reread_namespaces()
        namespaces = self._connection.namespaces
        nodes: dict[str, ua.NodeId] = {}
        paths: dict[str, ua.BrowsePath] = {}
        for name in tags:
            tag = self._tags[name]
            if tag.path is None:
                node = node_id(tag, namespaces)
                if node is None:
                    self._miss(name, f"no namespace {tag.ns}")
                else:
                    nodes[name] = node
            elif (path := browse_path(tag, namespaces)) is None:
                self._miss(name, f"a namespace of {tag.path} is not there")
            else:
                paths[name] = path
        for chunk in in_chunks(paths, self._connection.per_call["paths"]):
            results = await self._connection.session.translate_browsepaths_to_nodeids(
                [paths[name] for name in chunk]
            )
            for name, result in zip(chunk, results, strict=True):
                node = _target(result)
                if node is None:
                    self._miss(
                        name, f"{result.StatusCode.name}: {self._tags[name].path}"
                    )
                else:
                    nodes[name] = node
        return nodes

    def adopt(self, held: Held, nodes: Mapping[str, ua.NodeId]) -> bool:
        """Go on with the items of ``held``, if they still are those of our tags."""
        if any(nodes.get(tag) != node for tag, node in held.node_of.items()):
            return False
        self._held = held
        return True

    async def watch(self, held: Held, nodes: Mapping[str, ua.NodeId]) -> None:
        """Watch the server's clock and ``nodes`` in a new subscription."""
        self._held = held
        held.last_handle = HEARTBEAT
        sampling_ms = min(LONGEST_HEARTBEAT_MS, held.silence_s * 1000 / 3)
        wanted = (HEARTBEAT, CLOCK_NODE, sampling_ms, 1)
        (result,) = await self._create([wanted])
        held.has_heartbeat = result.StatusCode.is_good()
        if not held.has_heartbeat:
            self._log.warning("opcua_heartbeat_refused", reason=result.StatusCode.name)
        await self._watch(nodes)

    async def watch_missing(self) -> set[str]:
        """Look again for nodes that were not there; return the tags now found."""
        missing = sorted(self.missing)
        held = self._held
        dead = [held.item_of.pop(tag) for tag in missing if tag in held.item_of]
        if dead:
            await self._connection.session.delete_monitored_items(
                ua.DeleteMonitoredItemsParameters(held.subscription, dead)
            )
        await self._watch(await self.resolve(missing))
        return set(missing) & self.found

    async def read(self, tags: Iterable[str]) -> list[tuple[str, ua.DataValue]]:
        """Return what the server has for ``tags`` now, past the subscription."""
        asked = sorted(set(tags) & self._held.node_of.keys())
        nodes = [self._held.node_of[tag] for tag in asked]
        return list(zip(asked, await self._connection.read(nodes), strict=True))

    def node_of(self, tag: str) -> ua.NodeId:
        """Return the node that is watched for ``tag``."""
        return self._held.node_of[tag]

    def tag_of(self, handle: int) -> str | None:
        """Return the tag that the server calls ``handle``; None for its clock."""
        return self._held.tag_of.get(handle)

    def lose(self, tag: str, *, reason: str) -> None:
        """Take note that nothing more comes for ``tag``; its node is asked for anew."""
        if tag not in self.missing:
            self.missing[tag] = reason
            self._log.warning("tag_lost", tag=tag, reason=reason)

    def unseen(self) -> dict[str, str]:
        """Return the tags with a pulse that cannot be seen as they are watched."""
        unseen: dict[str, str] = {}
        for tag, pulse in sorted(self._pulses.items()):
            revised = self._held.revised.get(tag)
            if revised is None or tag in self.missing:
                continue
            whose = f" of edge {pulse.rule}" if pulse.rule else ""
            told = f"a pulse of {pulse.shortest_s * 1000:g} ms{whose} cannot be seen"
            if revised.sampling_ms > pulse.look_every_s * 1000:
                unseen[tag] = (
                    f"{told}: the server looks every {revised.sampling_ms:g} ms"
                )
            elif revised.queue < PULSE_QUEUE:
                unseen[tag] = f"{told}: the server keeps one value"
        return unseen

    def _asked(self, tag: str) -> tuple[float, int]:
        """Return the sampling interval and the queue that a tag is to have."""
        every_ms, queue = self._settings.sampling_ms, self._settings.queue
        pulse = self._pulses.get(tag)
        if pulse is None:
            return every_ms, queue
        return min(every_ms, pulse.look_every_s * 1000), max(queue, PULSE_QUEUE)

    async def _watch(self, nodes: Mapping[str, ua.NodeId]) -> None:
        rest = sorted(nodes.items())
        while rest:
            chunk = rest[: self._connection.per_call["items"]]
            if await self._watch_chunk(chunk):
                rest = rest[len(chunk) :]

    async def _watch_chunk(self, chunk: list[tuple[str, ua.NodeId]]) -> bool:
        held = self._held
        handles = range(held.last_handle + 1, held.last_handle + 1 + len(chunk))
        held.last_handle += len(chunk)
        # Known before we ask: the first values may come before the answer.
        held.tag_of.update(zip(handles, (tag for tag, _ in chunk), strict=True))
        wanted = [
            (handle, node, *self._asked(tag))
            for handle, (tag, node) in zip(handles, chunk, strict=True)
        ]
        try:
            results = await self._create(wanted)
        except ua.UaStatusCodeError as error:
            if error.code != ua.StatusCodes.BadTooManyOperations or len(chunk) == 1:
                raise
            self._connection.per_call["items"] = len(chunk) // 2
            return False
        for (tag, node), result in zip(chunk, results, strict=True):
            if result.StatusCode.is_good():
                held.node_of[tag] = node
                held.item_of[tag] = result.MonitoredItemId
                held.revised[tag] = Revised(
                    result.RevisedSamplingInterval, result.RevisedQueueSize
                )
                self._find(tag)
            else:
                self._miss(tag, result.StatusCode.name)
        self._log.info(
            "opcua_items_created",
            count=len(chunk),
            sampling_ms=sorted({r.RevisedSamplingInterval for r in results}),
            queue=sorted({r.RevisedQueueSize for r in results}),
        )
        return True

    async def _create(self, wanted: list[Wanted]) -> list[ua.MonitoredItemCreateResult]:
        params = ua.CreateMonitoredItemsParameters()
        params.SubscriptionId = self._held.subscription
        params.TimestampsToReturn = ua.TimestampsToReturn.Both
        params.ItemsToCreate = [_item(*one) for one in wanted]
        return await self._connection.session.create_monitored_items(params)

    def _find(self, tag: str) -> None:
        if self.missing.pop(tag, None) is not None:
            self._log.info("tag_found", tag=tag)

    def _miss(self, tag: str, reason: str) -> None:
        if tag not in self.missing:
            self._log.warning("tag_missing", tag=tag, reason=reason)
        self.missing[tag] = reason


def _shortest(
    tags: Mapping[str, OpcUaTag], pulses: Sequence[Pulse]
) -> dict[str, Pulse]:
    """Return the shortest pulse of each tag that has one, by itself or by a rule."""
    own = [
        Pulse(tag=name, shortest_s=tag.pulse_ms / 1000)
        for name, tag in tags.items()
        if tag.pulse_ms is not None
    ]
    found: dict[str, Pulse] = {}
    for one in (*own, *pulses):
        if one.tag in tags and (
            one.tag not in found or one.shortest_s < found[one.tag].shortest_s
        ):
            found[one.tag] = one
    return found


def _item(
    handle: int, node: ua.NodeId, sampling_ms: float, queue: int
) -> ua.MonitoredItemCreateRequest:
    item = ua.MonitoredItemCreateRequest()
    item.ItemToMonitor.NodeId = node
    item.ItemToMonitor.AttributeId = ua.AttributeIds.Value
    item.MonitoringMode = ua.MonitoringMode.Reporting
    item.RequestedParameters.ClientHandle = handle
    item.RequestedParameters.SamplingInterval = sampling_ms
    item.RequestedParameters.QueueSize = queue
    item.RequestedParameters.DiscardOldest = True
    return item


def _target(result: ua.BrowsePathResult) -> ua.NodeId | None:
    if not result.StatusCode.is_good():
        return None
    for target in result.Targets:
        if target.RemainingPathIndex == ALL_OF_PATH:
            there = target.TargetId
            return ua.NodeId(there.Identifier, there.NamespaceIndex, there.NodeIdType)
    return None
