"""A machine that serves job orders itself (OPC 10031-4): follow them, and ask for more.

Its list is read as a whole, at a steady pace, and told as a whole when it is another:
so nothing that we miss is lost, and nothing is told twice.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from asyncua import ua
from structlog.stdlib import BoundLogger

from mes_adapters.opcua.asking import UNREADABLE
from mes_adapters.opcua.browsing import children, find_node, first_of_type, subtypes
from mes_adapters.opcua.connection import Connection
from mes_adapters.opcua.ids import number_id
from mes_adapters.opcua.job_control import model, orders
from mes_adapters.opcua.job_control.states import NAMES, read_state
from mes_adapters.opcua.job_control.types import (
    JOB_ORDER,
    JOB_ORDER_AND_STATE,
    JOB_RESPONSE,
    NAMESPACE,
    STRUCTURES,
    ReturnStatus,
    told,
)
from mes_adapters.opcua.settings import JobSettings
from mes_adapters.opcua.structures import from_extension, to_extension
from mes_engine.core.errors import OutcomeUnknown, SourceLost
from mes_engine.core.job_control import JobOrderData
from mes_engine.core.machine_jobs import (
    STORES,
    JobVerb,
    MachineJobList,
    MachineJobState,
    ToldJob,
)
from mes_engine.ports import Emit, JobAnswer

_STATE = {
    number: MachineJobState[
        "".join(f"_{c}" if c.isupper() else c for c in name).strip("_").upper()
    ]
    for number, name in NAMES.items()
}
_TAKES_ORDER = STORES | {JobVerb.UPDATE}
_METHOD_OF_TYPE = {
    method.name: method.id for kind in model.OBJECT_TYPES for method in kind.methods
}
_LIST, _RESPONSES = "JobOrderList", "JobOrderResponseList"
_BY_ID = "RequestJobResponseByJobOrderID"
RETRY_S = 10.0
"""How often to look for a receiver that was not there."""
_WITHOUT_RESPONSE = frozenset(
    {MachineJobState.NOT_ALLOWED_TO_START, MachineJobState.ALLOWED_TO_START}
)


@dataclass(frozen=True, slots=True)
class _Served:
    """Where a machine has what the specification asks of it, by name."""

    index: int
    receiver: ua.NodeId
    of_receiver: Mapping[str, ua.NodeId]
    provider: ua.NodeId | None
    of_provider: Mapping[str, ua.NodeId]


class Machine:
    """The job orders of a machine, over one connection."""

    def __init__(
        self, connection: Connection, settings: JobSettings, log: BoundLogger
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._log = log
        self._served: _Served | None = None
        self._strange: set[str] = set()

    async def follow(self, emit: Emit) -> None:
        """Tell its job orders, now and whenever they are others."""
        last: tuple[ToldJob, ...] | None = None
        while True:
            served = self._served = self._served or await self._find()
            if served is None:
                # What else the link brings goes on; a machine may still be starting.
                await asyncio.sleep(RETRY_S)
                continue
            jobs = await self._read(served)
            if jobs != last:
                await emit(MachineJobList(jobs=jobs, at=_now()))
                last = jobs
            await asyncio.sleep(self._settings.poll_ms / 1000)

    async def ask(self, verb: JobVerb, order: JobOrderData) -> JobAnswer:
        """Ask once; see `ports.RunsJobs`."""
        served = self._served
        if served is None:
            raise SourceLost(f"{self._connection.url} has not shown its job orders.")
        if verb in STORES and await self._has(served, order.id):
            return JobAnswer(status=int(ReturnStatus.NO_ERROR))
        first: ua.Variant = ua.Variant(order.id, ua.VariantType.String)
        if verb in _TAKES_ORDER:
            body = to_extension(
                STRUCTURES, JOB_ORDER, orders.to_order(order), served.index
            )
            first = ua.Variant(body, ua.VariantType.ExtensionObject)
        comment = ua.Variant([], ua.VariantType.LocalizedText, is_array=True)
        outputs = await self._call(
            served.receiver, served.of_receiver, verb.value, [first, comment]
        )
        status = outputs[-1].Value if outputs else None
        if not isinstance(status, int):
            return JobAnswer(status=0, problem=f"it answered {status!r}")
        is_taken = status & ReturnStatus.NO_ERROR
        problem = "" if is_taken else f"{told(status)} ({status})"
        return JobAnswer(
            status=int(ReturnStatus.NO_ERROR) if is_taken else status, problem=problem
        )

    async def _find(self) -> _Served | None:
        connection = self._connection
        async with connection.asking():
            await connection.reread_namespaces()
        if NAMESPACE not in connection.namespaces:
            self._say_strange(connection.url, ValueError(f"no namespace {NAMESPACE}"))
            return None
        index = list(connection.namespaces).index(NAMESPACE)
        places = (self._settings.receiver, self._settings.responses)
        kinds = (model.RECEIVER, model.RESPONSE_PROVIDER)
        found: list[ua.NodeId | None] = []
        for place, kind in zip(places, kinds, strict=True):
            if place is not None:
                found.append(await find_node(connection, place))
            else:
                types = await subtypes(connection, number_id(kind, index))
                found.append(await first_of_type(connection, types))
        receiver, provider = found
        if receiver is None:
            self._say_strange(connection.url, ValueError("no receiver of job orders"))
            return None
        return _Served(
            index=index,
            receiver=receiver,
            of_receiver=await self._parts(receiver, index),
            provider=provider,
            of_provider={} if provider is None else await self._parts(provider, index),
        )

    async def _parts(self, node: ua.NodeId, index: int) -> dict[str, ua.NodeId]:
        return {
            str(one.name.Name): one.node
            for one in await children(self._connection, node)
            if one.name.NamespaceIndex == index
        }

    async def _read(self, served: _Served) -> tuple[ToldJob, ...]:
        """Return its job orders as they are, in the order of their ids."""
        entries = await self._array(served, JOB_ORDER_AND_STATE, served.of_receiver)
        made = await self._made(served)
        found: dict[str, ToldJob] = {}
        for entry in entries:
            name = entry["JobOrder"]["JobOrderID"] or ""
            try:
                state = _STATE[read_state(entry["State"]).top]
            except UNREADABLE as error:
                self._say_strange(name, error)
                continue
            good, scrap = made.get(name, (None, None))
            if name not in made and state not in _WITHOUT_RESPONSE:
                good, scrap = await self._ask_made(served, name)
            found[name] = ToldJob(job_order=name, state=state, good=good, scrap=scrap)
        return tuple(found[name] for name in sorted(found))

    async def _has(self, served: _Served, name: str) -> bool:
        entries = await self._array(served, JOB_ORDER_AND_STATE, served.of_receiver)
        return any(entry["JobOrder"]["JobOrderID"] == name for entry in entries)

    async def _array(
        self, served: _Served, structure: str, parts: Mapping[str, ua.NodeId]
    ) -> list[dict[str, Any]]:
        """Return one of the lists, without what cannot be read of it."""
        name = _RESPONSES if structure == JOB_RESPONSE else _LIST
        node = parts.get(name)
        if node is None:
            return []
        (data,) = await self._connection.read([node])
        if data.StatusCode is not None and not data.StatusCode.is_good():
            raise SourceLost(f"{name} is {data.StatusCode.name}.")
        raw = None if data.Value is None else data.Value.Value
        found = []
        for one in raw if isinstance(raw, list) else ():
            try:
                found.append(from_extension(STRUCTURES, structure, one, served.index))
            except UNREADABLE as error:
                self._say_strange(name, error)
        return found

    async def _made(
        self, served: _Served
    ) -> dict[str, tuple[Decimal | None, Decimal | None]]:
        responses = await self._array(served, JOB_RESPONSE, served.of_provider)
        return {one["JobOrderID"] or "": self._amounts(one) for one in responses}

    async def _ask_made(
        self, served: _Served, name: str
    ) -> tuple[Decimal | None, Decimal | None]:
        """Ask for the response to one job order, where there is no list of them."""
        if served.provider is None or _RESPONSES in served.of_provider:
            return None, None
        asked = [ua.Variant(name, ua.VariantType.String)]
        outputs = await self._call(served.provider, served.of_provider, _BY_ID, asked)
        try:
            response = from_extension(
                STRUCTURES, JOB_RESPONSE, outputs[0].Value, served.index
            )
        except UNREADABLE:
            return None, None  # It has none of it yet.
        return self._amounts(response)

    def _amounts(
        self, response: Mapping[str, Any]
    ) -> tuple[Decimal | None, Decimal | None]:
        """Return what is good and what is scrap, as far as the response says."""
        try:
            good = orders.made(response.get("MaterialActuals"))
            said = orders.parameters_of(response.get("JobResponseData"))
            if good is None and orders.GOOD in said:
                good = orders.amount(said[orders.GOOD])
            scrap = said.get(orders.SCRAP)
            return good, None if scrap is None else orders.amount(scrap)
        except UNREADABLE as error:
            self._say_strange(str(response.get("JobOrderID")), error)
            return None, None

    async def _call(
        self,
        node: ua.NodeId,
        parts: Mapping[str, ua.NodeId],
        method: str,
        inputs: list[ua.Variant],
    ) -> list[ua.Variant]:
        """Call a method of the object, or of its type, if it has none of its own.

        Raises:
            OutcomeUnknown: It may have been called or not.
        """
        served = self._served
        index = 0 if served is None else served.index
        request = ua.CallMethodRequest(
            ObjectId=node,
            MethodId=parts.get(method) or number_id(_METHOD_OF_TYPE[method], index),
            InputArguments=inputs,
        )
        try:
            async with self._connection.asking():
                (result,) = await self._connection.session.call([request])
        except SourceLost as lost:
            raise OutcomeUnknown(
                f"{method} was called, and not answered: {lost}"
            ) from lost
        if result.StatusCode.is_bad():
            self._log.info(
                "method_refused", method=method, status=result.StatusCode.name
            )
            return []
        return list(result.OutputArguments or ())

    def _say_strange(self, what: str, error: Exception) -> None:
        """Log what cannot be read, once."""
        if what not in self._strange:
            self._strange.add(what)
            self._log.warning("job_unreadable", what=what, reason=repr(error))


def _now() -> int:
    return time.time_ns() // 1000
