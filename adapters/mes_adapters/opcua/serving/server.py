"""Run our OPC UA server: its address space, its methods, its lists and its events."""

import asyncio
import gc
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import structlog
from asyncua import Server, ua
from structlog.stdlib import BoundLogger

from mes_adapters.opcua.ids import number_id
from mes_adapters.opcua.job_control import model
from mes_adapters.opcua.serving.events import Events
from mes_adapters.opcua.serving.lists import Lists, what_there_is
from mes_adapters.opcua.serving.protection import set_up
from mes_adapters.opcua.serving.receiver import METHODS, Receiver
from mes_adapters.opcua.serving.settings import OpcUaServerSettings
from mes_adapters.opcua.serving.space import Instance, Space
from mes_adapters.opcua.serving.users import KnowingServer, Users
from mes_engine.core.errors import SourceLost
from mes_engine.core.facts import (
    JobOrderMoved,
    PlantApplied,
    Recorded,
    RoutingReleased,
    RoutingWithdrawn,
)
from mes_engine.ports import Floor

APPLICATION_URI = "urn:mes-engine:opcua-server"
OWN_NAMESPACE = "urn:mes-engine:job-control"
RECEIVER, RESPONSES = "JobOrderControl", "JobOrderResults"
SEVERITY = 100
AGAIN_S = 1.0
_MASTER = (PlantApplied, RoutingReleased, RoutingWithdrawn)


async def serve(name: str, settings: OpcUaServerSettings, floor: Floor) -> None:
    """Serve the job orders of ``floor`` until cancelled; see `ports.ServerSpec`."""
    log: BoundLogger = structlog.stdlib.get_logger().bind(server=name)
    users = Users(settings)
    server = Server(iserver=KnowingServer(user_manager=users))
    await set_up(server, settings, log)
    space = await Space.build(server, OWN_NAMESPACE)
    served = _Served(server, space, settings, floor=floor, users=users, log=log)
    await served.add_objects()
    try:
        await server.start()
    except OSError as error:
        raise SourceLost(
            f"{settings.url} cannot be served: {error.strerror}."
        ) from error
    log.info("opcua_serving", url=settings.url, policies=list(settings.policies))
    try:
        await served.run()
    finally:
        await server.stop()
        gc.collect()  # the address space refers to itself all over


class _Served:
    """A server that runs, and what it shows of the engine."""

    def __init__(
        self,
        server: Server,
        space: Space,
        settings: OpcUaServerSettings,
        *,
        floor: Floor,
        users: Users,
        log: BoundLogger,
    ) -> None:
        self._server = server
        self._space = space
        self._settings = settings
        self._floor = floor
        self._lists = Lists(floor.committed, index=space.index, most=settings.most)
        self._receiver = Receiver(
            floor,
            settings,
            users,
            self._lists,
            index=space.index,
            refresh=self._tell_lists,
            log=log,
        )
        self._log = log
        self._stale = asyncio.Event()
        self._nodes: dict[str, ua.NodeId] = {}
        self._events = Events(server, floor.committed, self._lists, space)

    async def add_objects(self) -> None:
        """Add the receiver of job orders and the provider of responses."""
        kinds = {one.id: one for one in model.OBJECT_TYPES}
        parent = number_id(ua.ObjectIds.ObjectsFolder)
        receiver = await self._space.instance(
            kinds[model.RECEIVER_WITH_SUBSTATES],
            RECEIVER,
            parent=parent,
            notifies=True,
        )
        responses = await self._space.instance(
            kinds[model.RESPONSE_PROVIDER], RESPONSES, parent=parent, notifies=True
        )
        for method in METHODS:
            self._link(receiver, method, self._receiver.method(method))
        self._link(responses, "RequestJobResponseByJobOrderID", self._receiver.by_id)
        self._link(
            responses, "RequestJobResponseByJobOrderState", self._receiver.by_state
        )
        self._nodes = {**receiver.variables, **responses.variables}
        self._events.add_sources(receiver.node, responses.node)
        most = ua.Variant(ua.UInt16(self._settings.most), ua.VariantType.UInt16)
        await self._write("MaxDownloadableJobOrders", most)

    def _link(self, instance: Instance, method: str, called: Any) -> None:
        status = self._server.iserver.isession.add_method_callback(
            instance.methods[method], called
        )
        status.check()

    async def run(self) -> None:
        """Follow what is committed."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_telling())
            while True:
                with self._floor.changes() as changes:
                    self._lists.reread()
                    await self._tell_what_there_is()
                    self._stale.set()
                    async for records in changes:
                        await self._hear(records)
                await asyncio.sleep(AGAIN_S)  # we were too slow, or all ends

    async def _hear(self, records: Sequence[Recorded]) -> None:
        if self._lists.hear(records):
            self._stale.set()
        if any(isinstance(one.fact, _MASTER) for one in records):
            await self._tell_what_there_is()
        for one in records:
            if isinstance(one.fact, JobOrderMoved):
                await self._events.tell(one, one.fact)

    async def _keep_telling(self) -> None:
        while True:
            await self._stale.wait()
            await self._tell_lists()
            await asyncio.sleep(self._settings.refresh_ms / 1000)

    async def _tell_lists(self) -> None:
        self._stale.clear()
        orders, responses = self._lists.current()
        await self._write("JobOrderList", orders)
        await self._write("JobOrderResponseList", responses)

    async def _tell_what_there_is(self) -> None:
        found = what_there_is(self._floor.committed, self._space.index)
        for name, value in found.items():
            await self._write(name, value)

    async def _write(self, name: str, value: ua.Variant) -> None:
        now = ua.DateTime.now(UTC)
        await self._server.write_attribute_value(
            self._nodes[name],
            ua.DataValue(value, SourceTimestamp=now, ServerTimestamp=now),
        )
