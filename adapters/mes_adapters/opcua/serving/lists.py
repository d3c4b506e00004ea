"""What our server shows: job orders with their states, responses, and what there is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from asyncua import ua

from mes_adapters.opcua.job_control import orders
from mes_adapters.opcua.job_control.states import OPC_STATE, OpcState, state_entries
from mes_adapters.opcua.job_control.types import (
    JOB_ORDER,
    JOB_ORDER_AND_STATE,
    JOB_RESPONSE,
    STATE,
    STRUCTURES,
    WORK_MASTER,
)
from mes_adapters.opcua.structures import to_extension
from mes_engine.core.facts import Recorded, WorkRequestChanged
from mes_engine.core.job_control import (
    JobOrderData,
    is_served,
    order_data,
    response_data,
    served_id,
    work_masters,
)
from mes_engine.core.job_order import NOT_ALLOWED, QUEUED, JobOrder, JobOrderState
from mes_engine.core.state import State

_NOT_STARTED = frozenset({*NOT_ALLOWED, *QUEUED, JobOrderState.ALLOWED_LOADED})


@dataclass(frozen=True, slots=True)
class _Shown:
    """A job order as it was when it was encoded."""

    job: JobOrder
    entry: ua.ExtensionObject
    response: ua.ExtensionObject | None


class Lists:
    """The job orders that are served, encoded once for each change.

    Args:
        state: What is committed.
        index: Of the specification's namespace.
        most: How many are served: the newest, if there are more.
    """

    def __init__(self, state: State, *, index: int, most: int) -> None:
        self._state = state
        self._index = index
        self._most = most
        self._known: dict[str, JobOrder] = {}
        self._shown: dict[str, _Shown] = {}

    def reread(self) -> None:
        """Look at every job order."""
        self._known = {
            job.id: job
            for job in self._state.job_order.values()
            if is_served(self._state, job)
        }
        self._shown.clear()

    def hear(self, records: Iterable[Recorded]) -> bool:
        """Look at the job orders that facts speak of; whether the lists are others."""
        names = set()
        is_over = False
        for recorded in records:
            name = job_order_of(recorded)
            if name is not None:
                names.add(name)
            is_over |= isinstance(recorded.fact, WorkRequestChanged)
        for name in names:
            self.look_at(name)
        return bool(names) or is_over

    def look_at(self, name: str) -> None:
        """Take one job order as it is now."""
        job = self._state.job_order.get(name)
        if job is not None and is_served(self._state, job):
            self._known[name] = job
        else:
            self._known.pop(name, None)

    def current(self) -> tuple[ua.Variant, ua.Variant]:
        """Return ``JobOrderList`` and ``JobOrderResponseList`` as they are now."""
        for name in list(self._known):  # what is committed may be ahead of the feed
            self.look_at(name)
        newest = sorted(self._known.values(), key=lambda one: one.number)[-self._most :]
        self._shown = {job.id: self._show(job) for job in newest}
        entries = [one.entry for one in self._shown.values()]
        responses = [one.response for one in self._shown.values()]
        return _array(entries), _array([one for one in responses if one is not None])

    def _show(self, job: JobOrder) -> _Shown:
        known = self._shown.get(job.id)
        if known is not None and known.job is job:
            return known
        has_begun = job.state not in _NOT_STARTED
        return _Shown(job, self.entry(job), self.response(job) if has_begun else None)

    def entry(self, job: JobOrder) -> ua.ExtensionObject:
        """Return an ``ISA95JobOrderAndStateDataType``."""
        value = {
            "JobOrder": orders.to_order(self._data(job)),
            "State": state_entries(job.state, self._index),
        }
        return to_extension(STRUCTURES, JOB_ORDER_AND_STATE, value, self._index)

    def order(self, job: JobOrder) -> ua.ExtensionObject:
        """Return an ``ISA95JobOrderDataType``."""
        value = orders.to_order(self._data(job))
        return to_extension(STRUCTURES, JOB_ORDER, value, self._index)

    def states(self, job: JobOrder) -> list[ua.ExtensionObject]:
        """Return the state, and the one below it."""
        return [
            to_extension(STRUCTURES, STATE, one, self._index)
            for one in state_entries(job.state, self._index)
        ]

    def response(self, job: JobOrder) -> ua.ExtensionObject:
        """Return an ``ISA95JobResponseDataType``."""
        data = response_data(self._state, job, name=served_id(self._state, job))
        value = orders.to_response(data, self._index)
        return to_extension(STRUCTURES, JOB_RESPONSE, value, self._index)

    def in_state(self, wanted: OpcState) -> list[ua.ExtensionObject]:
        """Return the responses of those that are in a state of the specification."""
        found = []
        for job in self._known.values():
            known = OPC_STATE[job.state]
            if known.top == wanted.top and wanted.sub in {None, known.sub}:
                found.append(self.response(job))
        return found

    def _data(self, job: JobOrder) -> JobOrderData:
        return order_data(self._state, job, name=served_id(self._state, job))


def job_order_of(recorded: Recorded) -> str | None:
    """Return the id of the job order that a fact speaks of, if it does of one."""
    found = getattr(recorded.fact, "job_order", None)
    if isinstance(found, JobOrder):
        return found.id
    return found if isinstance(found, str) else None


def what_there_is(state: State, index: int) -> dict[str, ua.Variant]:
    """Return what a job order may name, by the name of the variable that tells it."""
    masters = []
    materials: dict[str, None] = {}
    for name, routing, step in work_masters(state):
        value = {"ID": name, "Description": ua.LocalizedText(step.name or step.id)}
        masters.append(to_extension(STRUCTURES, WORK_MASTER, value, index))
        materials[routing.material] = None
        materials.update(dict.fromkeys(one.material for one in step.consumes))
    equipment: list[str] = []
    if state.has_plant:
        plant = state.site.plant
        equipment += [one.id for one in plant.classes]
        equipment += [one.id for one in plant.work_units]
    assets = [str(one.id) for one in state.physical_asset.values()]
    people = [str(one.id) for one in state.person.values()]
    return {
        "WorkMaster": _array(masters),
        "MaterialClassID": _texts([]),
        "MaterialDefinitionID": _texts(sorted(materials)),
        "EquipmentID": _texts(equipment),
        "PhysicalAssetID": _texts(sorted(assets)),
        "PersonnelID": _texts(sorted(people)),
    }


def _array(values: Sequence[ua.ExtensionObject]) -> ua.Variant:
    return ua.Variant(list(values), ua.VariantType.ExtensionObject, is_array=True)


def _texts(values: Sequence[str]) -> ua.Variant:
    return ua.Variant(list(values), ua.VariantType.String, is_array=True)
