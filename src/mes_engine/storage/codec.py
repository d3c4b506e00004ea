"""Core values to rows and back, worked out once for each table from its columns.

A row on its way in is a list of JSON values, in the order of ``columns``: the whole
batch of a table goes to the database as one JSON text (see ``bulk``).
"""

import dataclasses
from collections.abc import Callable, Hashable, Iterable, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, Table, Text, column, select
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.types import TypeDecorator

from mes_engine.core.alarms import Alarm
from mes_engine.core.assets import PhysicalAsset, ToolUse
from mes_engine.core.bookings import Reversal
from mes_engine.core.carriers import AggregationEvent, Carrier
from mes_engine.core.dispatching import DispatchDecision
from mes_engine.core.documents import Document
from mes_engine.core.equipment import Equipment
from mes_engine.core.facts import CommandHandled, SourceAdvanced
from mes_engine.core.job_order import JobOrder
from mes_engine.core.labour import LabourInterval, SignOn
from mes_engine.core.lots import ComponentUse, GenealogyEdge, MaterialLot
from mes_engine.core.machine_calls import MachineCall
from mes_engine.core.machine_jobs import MachineJob
from mes_engine.core.measurements import MeasuredValue, Measurement, MeasurementVoid
from mes_engine.core.periods import Books
from mes_engine.core.personnel import Person
from mes_engine.core.plant import Plant
from mes_engine.core.postings import Posting
from mes_engine.core.production import MachineTally, UnassignedProduction
from mes_engine.core.quantity import to_millionths
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
from mes_engine.core.state import Counter, EffectiveRouting
from mes_engine.core.time_windows import TimeWindow
from mes_engine.core.wip_ledger import Move, Position
from mes_engine.core.wip_limits import AreaEntry
from mes_engine.storage.metadata import Body, Quantity
from mes_engine.storage.tables import PROJECTIONS

_DIALECT = dialect()
_QUANTITY = Quantity()

STRUCTS: dict[str, type] = {
    "plant": Plant,
    "routing": Routing,
    "effective_routing": EffectiveRouting,
    "work_request": WorkRequest,
    "visit": Visit,
    "job_order": JobOrder,
    "run": Run,
    "run_member": RunMember,
    "sign_on": SignOn,
    "labour_interval": LabourInterval,
    "hold": Hold,
    "physical_asset": PhysicalAsset,
    "tool_use": ToolUse,
    "person": Person,
    "document": Document,
    "area_entry": AreaEntry,
    "time_window": TimeWindow,
    "lot": MaterialLot,
    "carrier": Carrier,
    "position": Position,
    "connection_flow": ConnectionFlow,
    "equipment": Equipment,
    "signal": SignalState,
    "handshake": HandshakeState,
    "signal_watch": SignalWatch,
    "link_clock": LinkClock,
    "machine_call": MachineCall,
    "machine_event": MachineEvent,
    "alarm": Alarm,
    "machine_tally": MachineTally,
    "unassigned_production": UnassignedProduction,
    "machine_job": MachineJob,
    "component_use": ComponentUse,
    "measured_value": MeasuredValue,
    "posting": Posting,
    "books": Books,
    "reversal": Reversal,
    "move": Move,
    "genealogy_edge": GenealogyEdge,
    "aggregation_event": AggregationEvent,
    "measurement": Measurement,
    "measurement_void": MeasurementVoid,
    "machine_transaction": MachineTransaction,
    "dispatch_decision": DispatchDecision,
    "handled": CommandHandled,
    "watermark": SourceAdvanced,
    "counter": Counter,
}
"""By name of the table, what one row of it stands for."""


class Codec:
    """How values of one type become rows of ``table``, and rows such values.

    Attributes:
        columns: The table's columns but the partition, in the order of the fields.
        keys: The columns of the primary key but the partition, in the order of the
            key that the state's table has.
    """

    def __init__(self, table: Table, type_: type) -> None:
        self.table = table
        self.type = type_
        self.keys = tuple(
            column.name for column in table.primary_key if column.name != "partition"
        )
        self._is_whole = "body" in table.c
        self.columns = (*self.keys, "body") if self._is_whole else fields(type_)
        if {"partition", *self.columns} != {column.name for column in table.c}:
            raise TypeError(
                f"the columns of table {table.name} are not the fields of "
                f"{type_.__name__}: {', '.join(fields(type_))}"
            )
        self._amounts = tuple(
            index
            for index, name in enumerate(self.columns)
            if isinstance(table.c[name].type, Quantity)
        )
        self._reads = tuple(self._reader(name) for name in self.columns)
        self._fields_of = self._how_to_take_apart()

    def _how_to_take_apart(self) -> Callable[[Any], Sequence[Any]]:
        if self._is_whole:
            key = attrgetter(*self.keys)
            if len(self.keys) == 1:
                return lambda value: (key(value), value)
            return lambda value: (*key(value), value)
        if issubclass(self.type, msgspec.Struct):
            return msgspec.structs.astuple
        return dataclasses.astuple

    def row(self, value: Any) -> list[Any]:
        """Return ``value`` as a row, ready for msgspec's JSON encoder."""
        row = list(self._fields_of(value))
        for index in self._amounts:
            amount = row[index]
            row[index] = to_millionths(amount) if amount else 0
        return row

    def key(self, key: Hashable) -> tuple[Any, ...]:
        """Return a key of the state's table as the values of the columns ``keys``."""
        return key if isinstance(key, tuple) else (key,)

    def query(self, partition: str | None = None) -> Select[*tuple[Any, ...]]:
        """Return a query for the rows of ``partition``, raw, by ``columns``."""
        named: list[ColumnElement[Any]] = [column(name) for name in self.columns]
        every: Select[*tuple[Any, ...]] = select(*named).select_from(self.table)
        if partition is None:
            return every
        return every.where(self.table.c.partition == partition)

    def values(
        self, rows: Iterable[Sequence[Any]], sharing: "Sharing | None" = None
    ) -> list[Any]:
        """Return what raw rows stand for.

        Column by column: what is equal in many rows is read once, and shared. Columns
        that are the same in all of them are read into one value only, and the others
        are made from it: of a job order that waits, most are.

        Args:
            rows: By ``columns``.
            sharing: What was read before, to be shared; None for these rows alone.
        """
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        return self.of_columns(columns, sharing) if columns else []

    def of_columns(
        self, columns: Sequence[Sequence[Any]], sharing: "Sharing | None" = None
    ) -> list[Any]:
        """Return what raw rows stand for, given as ``columns`` of one row or more."""
        sharing = Sharing() if sharing is None else sharing
        count = len(columns[0])
        first: dict[str, Any] = {}
        other: dict[str, Sequence[Any]] = {}
        for name, read, raw in zip(self.columns, self._reads, columns, strict=True):
            if raw.count(raw[0]) < count:
                other[name] = sharing.read(raw, read)
                first[name] = other[name][0]
            else:
                (first[name],) = sharing.read(raw[:1], read)
        if self._is_whole:
            return [first["body"]] if count == 1 else list(other["body"])
        return _made(self.type, first, other, count)

    def field(self, name: str, raw: Any) -> Any:
        """Return what one raw column stands for."""
        read = self._reads[self.columns.index(name)]
        return raw if read is None else read(raw)

    def _reader(self, name: str) -> Callable[[Any], Any] | None:
        kind = self.table.c[name].type
        if isinstance(kind, Quantity):
            return _amount
        if isinstance(kind, Body):
            return kind.read
        if isinstance(kind, TypeDecorator):
            return lambda raw: kind.process_result_value(raw, _DIALECT)
        if isinstance(kind, Text):
            return _text
        return None


def _amount(raw: int | None) -> Decimal | None:
    """Return the decimal that millionths were made of."""
    amount: Decimal | None = _QUANTITY.process_result_value(raw, _DIALECT)
    return amount


def _text(raw: str | None) -> str | None:
    """Return text as it is; ``Sharing`` keeps it once."""
    return raw


class Sharing:
    """What is equal in many rows, and kept in memory once: text and amounts.

    It lasts for one reading. Python's own table of interned strings would hold what
    only one job order has, such as its id, for as long as that.
    """

    def __init__(self) -> None:
        self._texts: dict[str | None, str | None] = {}
        self._amounts = _Memo(_amount)

    def read(
        self, column: Sequence[Any], read: Callable[[Any], Any] | None
    ) -> Sequence[Any]:
        """Return what raw values of one column stand for; each is read once."""
        if read is None:
            return column
        if read is _text:
            return list(map(self._texts.setdefault, column, column))
        memo = self._amounts if read is _amount else _Memo(read)
        return list(map(memo.__getitem__, column))


def _made(
    type_: Any, first: dict[str, Any], other: dict[str, Sequence[Any]], count: int
) -> list[Any]:
    """Return values with the fields of the first, but for those in ``other``."""
    if not issubclass(type_, msgspec.Struct):
        rows = zip(*other.values(), strict=True) if other else [()] * count
        return [type_(**first | dict(zip(other, row, strict=True))) for row in rows]
    value, changed = type_(**first), msgspec.structs.replace
    if not other:
        return [value] * count
    names = tuple(other)
    return [
        changed(value, **dict(zip(names, row, strict=True)))
        for row in zip(*other.values(), strict=True)
    ]


class _Memo(dict[Any, Any]):
    """What ``read`` makes of each raw value, made once."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, raw: Any) -> Any:
        value = self[raw] = self._read(raw)
        return value


def fields(type_: Any) -> tuple[str, ...]:
    """Return the names of a struct's or dataclass's fields, as declared."""
    if issubclass(type_, msgspec.Struct):
        names: tuple[str, ...] = type_.__struct_fields__
        return names
    return tuple(field.name for field in dataclasses.fields(type_))


CODECS: dict[str, Codec] = {
    name: Codec(table, STRUCTS[name]) for name, table in PROJECTIONS.items()
}
