"""The state of one partition, in layers.

What is committed is the bottom layer. A batch is decided on a layer above it, which is
merged when it is committed, or thrown away and leaves no trace. So readers of the
bottom see committed state only. Each message of the batch is an attempt on its layer:
what it set is taken back if it fails.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from mes_engine.core.alarms import Alarm
from mes_engine.core.assets import PhysicalAsset, ToolUse
from mes_engine.core.bookings import Reversal
from mes_engine.core.carriers import AggregationEvent, Carrier
from mes_engine.core.conditions import ConditionName
from mes_engine.core.dispatching import DispatchDecision
from mes_engine.core.documents import Document
from mes_engine.core.equipment import Equipment
from mes_engine.core.errors import Refused
from mes_engine.core.facts import CommandHandled, SourceAdvanced
from mes_engine.core.job_order import END_STATES, QUEUED, JobOrder
from mes_engine.core.labour import LabourInterval, SignOn
from mes_engine.core.layers import Attempts, Keys, Table, TableSpec
from mes_engine.core.lots import ComponentUse, GenealogyEdge, MaterialLot
from mes_engine.core.machine_calls import MachineCall
from mes_engine.core.machine_jobs import MachineJob
from mes_engine.core.measurements import MeasuredValue, Measurement, MeasurementVoid
from mes_engine.core.periods import Books
from mes_engine.core.personnel import CLOCK as EXPIRY
from mes_engine.core.personnel import Person
from mes_engine.core.plant import Plant
from mes_engine.core.postings import SETTLED, Posting
from mes_engine.core.production import MachineTally, UnassignedProduction
from mes_engine.core.requests import ConnectionFlow, Visit, WorkRequest
from mes_engine.core.routing import Routing
from mes_engine.core.runs import Hold, Run, RunMember
from mes_engine.core.signals import (
    HandshakeState,
    LinkClock,
    MachineEvent,
    MachineTransaction,
    SignalState,
    SignalWatch,
)
from mes_engine.core.site import Site
from mes_engine.core.time_windows import CLOCK, TimeWindow
from mes_engine.core.wip_ledger import Move, Position
from mes_engine.core.wip_limits import LIMITED, AreaEntry


def _job_order_keys(job: JobOrder) -> tuple[Keys, ...]:
    request, visit = (job.request,), (job.visit,)
    if job.state in END_STATES:
        return (request, (), visit, (), (), (), (), ())
    at = (job.work_center,)
    queue = at if job.state in QUEUED else ()
    limited = (LIMITED,) if job.begun_at is None and _waits_for_room(job) else ()
    return (request, request, visit, queue, at, job.materials, job.needs, limited)


def _waits_for_room(job: JobOrder) -> bool:
    for one in reversed(job.conditions):  # it is the last of readiness
        if one.name is ConditionName.WIP_LIMIT:
            return not one.is_met
    return False


TABLES: dict[str, TableSpec] = {
    "plant": TableSpec(attrgetter("site")),
    "routing": TableSpec(
        attrgetter("id", "revision"),
        ("consumes", "makes"),
        lambda one: (one.components, (one.material,)),
    ),
    "effective_routing": TableSpec(attrgetter("id")),
    "work_request": TableSpec(attrgetter("id")),
    "visit": TableSpec(
        attrgetter("id"),
        ("request", "step", "open"),
        lambda one: (
            (one.request,),
            ((one.request, one.step),),
            () if one.is_done else (one.request,),
        ),
        placed_by=attrgetter("request", "step", "is_done"),
    ),
    "job_order": TableSpec(
        attrgetter("id"),
        (
            *("request", "live_of", "visit", "queue", "live_at", "consumes", "needs"),
            "limited",
        ),
        _job_order_keys,
        placed_by=attrgetter(
            *("request", "visit", "work_center", "materials", "needs"),
            *("state", "begun_at", "conditions"),
        ),
    ),
    "run": TableSpec(
        attrgetter("id"),
        ("work_unit", "closed_at"),
        lambda one: (
            (one.work_unit,) if one.is_open else (),
            () if one.is_open else (one.work_unit,),
        ),
        placed_by=attrgetter("work_unit", "closed_at"),
    ),
    "sign_on": TableSpec(
        attrgetter("id"),
        ("work_unit",),
        lambda one: ((one.work_unit,) if one.is_open else (),),
    ),
    "labour_interval": TableSpec(
        attrgetter("id"),
        ("person", "run"),
        lambda one: (
            (one.person,) if one.is_open else (),
            (one.run,) if one.is_open else (),
        ),
    ),
    "run_member": TableSpec(attrgetter("job_order", "run")),
    "hold": TableSpec(
        attrgetter("id"),
        ("target", "open", "caught"),
        lambda one: (
            ((one.scope, one.target),) if one.is_open else (),
            (one.scope, one.mode) if one.is_open else (),
            ((one.from_hold, one.target),) if one.from_hold else (),
        ),
    ),
    "physical_asset": TableSpec(
        attrgetter("id"),
        ("class", "run"),
        lambda one: ((one.asset_class,), (one.run,) if one.run else ()),
    ),
    "tool_use": TableSpec(
        attrgetter("seq"),
        ("asset",),
        lambda one: ((one.asset,) if one.is_open else (),),
    ),
    "person": TableSpec(
        attrgetter("id"),
        ("qualification", "expires"),
        lambda one: (
            tuple(held.name for held in one.qualifications),
            () if one.expires_at is None else (EXPIRY,),
        ),
    ),
    "document": TableSpec(attrgetter("id")),
    "lot": TableSpec(
        attrgetter("id"),
        ("request", "serial", "carrier"),
        lambda one: (
            (one.request,) if one.request else (),
            (one.serial,) if one.serial else (),
            (one.carrier,) if one.carrier else (),
        ),
    ),
    "carrier": TableSpec(
        attrgetter("id"),
        ("carrier",),
        lambda one: ((one.carrier,) if one.carrier else (),),
    ),
    "area_entry": TableSpec(
        attrgetter("area", "request"),
        ("area", "request"),
        lambda one: ((one.area,), (one.request,)),
    ),
    "time_window": TableSpec(
        attrgetter("id"),
        ("request", "target", "due"),
        lambda one: (
            (one.request,),
            ((one.request, one.lot, one.target),) if one.is_live else (),
            () if one.due_at is None else (CLOCK,),
        ),
    ),
    "position": TableSpec(
        attrgetter("lot", "place"),
        ("lot", "place", "request", "material_in_stock"),
        lambda one: (
            (one.lot,),
            (one.place,),
            (one.request,) if one.request else (),
            (one.material,) if one.is_stock and one.stock else (),
        ),
        placed_by=attrgetter(
            *("lot", "place", "request", "material", "is_stock", "stock")
        ),
    ),
    "connection_flow": TableSpec(attrgetter("request", "source", "target")),
    "equipment": TableSpec(attrgetter("work_unit")),
    "signal": TableSpec(attrgetter("tag")),
    "handshake": TableSpec(
        attrgetter("id"),
        ("due",),
        lambda one: (() if one.due_at is None else (CLOCK,),),
    ),
    "signal_watch": TableSpec(
        attrgetter("id"),
        ("due",),
        lambda one: (() if one.due_at is None else (CLOCK,),),
    ),
    "link_clock": TableSpec(attrgetter("link")),
    "machine_event": TableSpec(attrgetter("rule", "key")),
    "machine_call": TableSpec(
        attrgetter("seq"),
        ("pending",),
        lambda one: ((one.link,) if one.is_pending else (),),
    ),
    "alarm": TableSpec(
        attrgetter("id"),
        ("work_unit",),
        lambda one: ((one.work_unit,) if one.is_open else (),),
    ),
    "machine_tally": TableSpec(attrgetter("work_unit", "role")),
    "unassigned_production": TableSpec(attrgetter("seq")),
    "machine_job": TableSpec(
        attrgetter("job_order", "link"),
        ("link", "job_order"),
        lambda one: ((one.link,), (one.job_order,)),
    ),
    "component_use": TableSpec(
        attrgetter("job_order", "material"),
        ("job_order",),
        lambda one: ((one.job_order,),),
    ),
    "measured_value": TableSpec(
        lambda one: (one.job_order, one.lot, one.characteristic),
        ("job_order", "step", "lot"),
        lambda one: (
            (one.job_order,),
            ((one.request, one.step),),
            (one.lot,) if one.lot else (),
        ),
    ),
    "posting": TableSpec(
        lambda one: one.key,
        ("unsettled", "stream"),
        lambda one: (
            () if one.state in SETTLED else (one.job_order,),
            (one.stream,),
        ),
    ),
    "books": TableSpec(attrgetter("ledger")),
    "reversal": TableSpec(attrgetter("booking")),
    "move": TableSpec(attrgetter("seq"), is_kept=False),
    "genealogy_edge": TableSpec(attrgetter("seq"), is_kept=False),
    "aggregation_event": TableSpec(attrgetter("seq"), is_kept=False),
    "measurement": TableSpec(attrgetter("seq"), is_kept=False),
    "measurement_void": TableSpec(attrgetter("seq"), is_kept=False),
    "machine_transaction": TableSpec(attrgetter("seq"), is_kept=False),
    "dispatch_decision": TableSpec(attrgetter("seq"), is_kept=False),
    "handled": TableSpec(attrgetter("origin", "key")),
    "watermark": TableSpec(attrgetter("source")),
    "counter": TableSpec(attrgetter("name")),
}
"""Every table of the state, by name: the same names as in the database."""


@dataclass(frozen=True, slots=True)
class EffectiveRouting:
    """The revision by which new work of a routing is stored; None after withdrawal."""

    id: str
    revision: str | None


@dataclass(frozen=True, slots=True)
class Counter:
    """The last number given out for ids of one kind."""

    name: str
    last: int


class State:
    """Everything that the engine knows in one partition."""

    plant: Table[str, Plant]
    routing: Table[tuple[str, str], Routing]
    effective_routing: Table[str, EffectiveRouting]
    work_request: Table[str, WorkRequest]
    visit: Table[str, Visit]
    job_order: Table[str, JobOrder]
    run: Table[str, Run]
    run_member: Table[tuple[str, str], RunMember]
    sign_on: Table[str, SignOn]
    labour_interval: Table[str, LabourInterval]
    hold: Table[str, Hold]
    physical_asset: Table[str, PhysicalAsset]
    tool_use: Table[int, ToolUse]
    person: Table[str, Person]
    document: Table[str, Document]
    area_entry: Table[tuple[str, str], AreaEntry]
    time_window: Table[str, TimeWindow]
    lot: Table[str, MaterialLot]
    carrier: Table[str, Carrier]
    position: Table[tuple[str, str], Position]
    connection_flow: Table[tuple[str, str, str], ConnectionFlow]
    equipment: Table[str, Equipment]
    signal: Table[str, SignalState]
    handshake: Table[str, HandshakeState]
    signal_watch: Table[str, SignalWatch]
    link_clock: Table[str, LinkClock]
    machine_event: Table[tuple[str, str], MachineEvent]
    alarm: Table[str, Alarm]
    machine_call: Table[int, MachineCall]
    machine_tally: Table[tuple[str, str], MachineTally]
    unassigned_production: Table[int, UnassignedProduction]
    machine_job: Table[tuple[str, str], MachineJob]
    component_use: Table[tuple[str, str], ComponentUse]
    measured_value: Table[tuple[str, str, str], MeasuredValue]
    posting: Table[str, Posting]
    books: Table[str, Books]
    reversal: Table[int, Reversal]
    move: Table[int, Move]
    genealogy_edge: Table[int, GenealogyEdge]
    aggregation_event: Table[int, AggregationEvent]
    measurement: Table[int, Measurement]
    measurement_void: Table[int, MeasurementVoid]
    machine_transaction: Table[int, MachineTransaction]
    dispatch_decision: Table[int, DispatchDecision]
    handled: Table[tuple[str, str], CommandHandled]
    watermark: Table[str, SourceAdvanced]
    counter: Table[str, Counter]

    def __init__(
        self, partition: str = "main", *, below: "State | None" = None
    ) -> None:
        self.partition = partition
        self.below = below
        self.seq: int = 0 if below is None else below.seq
        self._tables: dict[str, Table[Any, Any]] = {}
        self._attempts = Attempts()
        self.site_index: Site | None = None
        if below is None:
            for name in TABLES:
                self._make(name)

    def _make(self, name: str) -> Table[Any, Any]:
        below = None if self.below is None else getattr(self.below, name)
        table: Table[Any, Any] = Table(TABLES[name], below, self._attempts)
        self._tables[name] = table
        setattr(self, name, table)
        return table

    @property
    def tables(self) -> dict[str, Table[Any, Any]]:
        """The tables that this layer has made, by name."""
        return self._tables

    def layer(self) -> "State":
        """Return a state on top of this one, to be merged or thrown away."""
        return _Layer(self.partition, below=self)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Take back what is set within, in this layer, if it ends with an error."""
        seq, mark = self.seq, self._attempts.begin()
        try:
            yield
        except BaseException:
            self._attempts.take_back(mark)
            self.seq = seq
            raise
        finally:
            self._attempts.end()

    def merge(self) -> None:
        """Put everything that this layer sets into the one below."""
        if self.below is None:
            return
        into_committed = self.below.below is None
        for table in self.tables.values():
            table.merge(into_committed=into_committed)
        self.below.seq = self.seq

    def clear(self) -> None:
        """Forget what this layer sets: after a merge, it can be used again."""
        for table in self.tables.values():
            table.clear()

    def last_number(self, name: str) -> int:
        """Return the last number given out for ids of the kind ``name``."""
        counter = self.counter.get(name)
        return 0 if counter is None else counter.last

    @property
    def has_plant(self) -> bool:
        """Whether a plant has been applied."""
        return self._plant() is not None

    @property
    def site(self) -> Site:
        """The plant, with its parts by id.

        Raises:
            Refused: No plant has been applied.
        """
        known = self.site_index
        if known is not None and self.plant.own.get(known.plant.site) is known.plant:
            return known
        plant = self._plant()
        if plant is None:
            raise Refused("There is no plant yet.", hint="Apply one from config/.")
        root = self
        while root.below is not None:
            root = root.below
        index = root.site_index
        if index is None or index.plant is not plant:
            index = root.site_index = Site(plant)
        return index

    def _plant(self) -> Plant | None:
        layer: State | None = self
        while layer is not None:
            for plant in layer.plant.own.values():
                return plant
            layer = layer.below
        return None


class _Layer(State):
    """A layer makes a table when it is first asked for: most touch a few only."""

    def __getattr__(self, name: str) -> Table[Any, Any]:
        if name not in TABLES:
            raise AttributeError(name)
        return self._make(name)
