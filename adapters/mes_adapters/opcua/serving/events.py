"""Events of our server: a job order has another state."""

from typing import Any

import msgspec
from asyncua import Server, ua
from asyncua.common.events import Event

from mes_adapters.opcua.ids import number_id
from mes_adapters.opcua.job_control.model import STATUS_EVENT
from mes_adapters.opcua.job_control.orders import to_time
from mes_adapters.opcua.serving.lists import Lists
from mes_adapters.opcua.serving.space import Space
from mes_engine.core.facts import JobOrderMoved, Recorded
from mes_engine.core.job_order import JobOrder, JobOrderState
from mes_engine.core.state import State

SEVERITY = 100
_KINDS = ua.VariantType


class Events:
    """Tells ``ISA95JobOrderStatusEventType`` at each node that one may subscribe to.

    Its type is abstract in the specification, and yet stands in the event itself: a
    client that asks for just that type is to find it.
    """

    def __init__(
        self, server: Server, state: State, lists: Lists, space: Space
    ) -> None:
        self._service = server.iserver.subscription_service
        self._state = state
        self._lists = lists
        self._type = space.id(STATUS_EVENT)
        self._sources = [number_id(ua.ObjectIds.Server)]

    def add_sources(self, *nodes: ua.NodeId) -> None:
        """Tell events at these nodes too; the first is what they are of."""
        self._sources = [*nodes, *self._sources]

    async def tell(self, recorded: Recorded, moved: JobOrderMoved) -> None:
        """Tell a change of state; nobody who subscribes later hears of it."""
        job = self._state.job_order.get(moved.job_order)
        if job is None or moved.state is JobOrderState.CANCELLED:
            return
        if not self._service.subscriptions:
            return
        job = msgspec.structs.replace(job, state=moved.state)
        fields = self._fields(recorded, moved, job)
        for node in self._sources:
            event = Event(node)
            for name, (value, kind) in fields.items():
                event.add_property(name, value, kind)
            await self._service.trigger_event(event)

    def _fields(
        self, recorded: Recorded, moved: JobOrderMoved, job: JobOrder
    ) -> dict[str, tuple[Any, ua.VariantType]]:
        message = f"{job.id}: from {moved.source} to {moved.state}"
        return {
            "EventId": (
                f"{recorded.partition}/{recorded.seq}".encode(),
                _KINDS.ByteString,
            ),
            "EventType": (self._type, _KINDS.NodeId),
            "SourceNode": (self._sources[0], _KINDS.NodeId),
            "SourceName": ("JobOrderControl", _KINDS.String),
            "Time": (to_time(moved.at), _KINDS.DateTime),
            "ReceiveTime": (to_time(recorded.recorded_at), _KINDS.DateTime),
            "Message": (ua.LocalizedText(message, "en"), _KINDS.LocalizedText),
            "Severity": (SEVERITY, _KINDS.UInt16),
            "JobOrder": (self._lists.order(job), _KINDS.ExtensionObject),
            "JobState": (self._lists.states(job), _KINDS.ExtensionObject),
            "JobResponse": (self._lists.response(job), _KINDS.ExtensionObject),
        }
