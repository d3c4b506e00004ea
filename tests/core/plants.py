"""Plants and routings to test with: name what the test is about, default the rest.

A step is named after its operation; its work center, class and first work unit follow
from that name: step ``mill`` is worked at ``WC-MILL`` on ``mill-1`` or ``mill-2``.
"""

from decimal import Decimal
from itertools import pairwise
from typing import Any

from mes_engine.core.carriers import CarrierCount, CarrierType
from mes_engine.core.machine_jobs import JobMachine
from mes_engine.core.plant import (
    BatchRule,
    EquipmentClass,
    Plant,
    PostingPolicy,
    Signal,
    SignalMeaning,
    WorkCenter,
    WorkUnit,
)
from mes_engine.core.routing import Routing
from mes_engine.core.steps import Component, Connection, ConnectionKind, Step

OPERATIONS = ("cut", "mill", "drill", "paint", "pack")
UNITS_OF = {"mill": 2}
REPORTED_AT_ONCE = frozenset({"paint"})
LINK = "plc"


JOB_LINK = "painter"
"""Over which the painting booth runs job orders itself."""


def a_plant(**changed: Any) -> Plant:
    """Five work centers; the mills are two, and tell their state."""
    fields: dict[str, Any] = {
        "site": "works",
        "name": "Works",
        "zone": "Europe/Berlin",
        "finished_location": "FG",
        "receiving_location": "RM",
        "areas": ("hall",),
        "classes": tuple(EquipmentClass(id=one, name=one) for one in OPERATIONS),
        "work_centers": tuple(_work_center(one) for one in OPERATIONS),
        "work_units": tuple(
            WorkUnit(
                id=f"{one}-{number}",
                work_center=center(one),
                name=f"{one} {number}",
                classes=(one,),
                jobs=JobMachine(link=JOB_LINK) if one == "paint" else None,
            )
            for one in OPERATIONS
            for number in range(1, UNITS_OF.get(one, 1) + 1)
        ),
        "signals": (
            a_signal("cut-1.good", rollover=65_536),
            a_signal("mill-1.good", factor=Decimal(2)),
            a_signal("mill-1.scrap", means=SignalMeaning.SCRAP_COUNT),
            a_signal("mill-1.state", means=SignalMeaning.STATE),
            a_signal("mill-2.state", means=SignalMeaning.STATE),
            a_signal("pack-1.good", max_rate_per_s=Decimal(5)),
            a_signal(
                "drill-1.width", means=SignalMeaning.MEASUREMENT, characteristic="width"
            ),
        ),
        "serials": {"bracket": "B{yy}-{n:03}"},
        "carrier_types": (
            CarrierType(
                id="tray",
                name="Tray",
                capacity=Decimal(4),
                counted_in=CarrierCount.PIECES,
                is_mixed=False,
            ),
            CarrierType(
                id="box", name="Box", capacity=Decimal(2), takes=("serials", "tray")
            ),
            CarrierType(id="pallet", name="Pallet", takes=("lots", "tray", "box")),
        ),
    }
    return Plant(**fields | changed)


def a_furnace(operation: str = "paint", **rule: Any) -> Plant:
    """The plant, where one operation takes up to three job orders in a run."""
    fields: dict[str, Any] = {"most": Decimal(3)}
    classes = tuple(
        EquipmentClass(
            id=one,
            name=one,
            batch=BatchRule(**fields | rule) if one == operation else None,
        )
        for one in OPERATIONS
    )
    return a_plant(classes=classes)


def _work_center(operation: str) -> WorkCenter:
    at_once = operation in REPORTED_AT_ONCE
    return WorkCenter(
        id=center(operation),
        area="hall",
        name=operation,
        posting=PostingPolicy.REPORT if at_once else PostingPolicy.RUN,
    )


def center(operation: str) -> str:
    """Return the work center of an operation."""
    return f"WC-{operation.upper()}"


def a_signal(tag: str, **changed: Any) -> Signal:
    """A counter of good pieces on the unit that the tag names."""
    fields: dict[str, Any] = {
        "tag": tag,
        "work_unit": tag.partition(".")[0],
        "link": LINK,
        "means": SignalMeaning.GOOD_COUNT,
    }
    return Signal(**fields | changed)


def a_step(operation: str, **changed: Any) -> Step:
    """A step at the work center of its operation."""
    fields: dict[str, Any] = {
        "id": operation,
        "name": operation,
        "work_center": center(operation),
        "equipment_class": operation,
    }
    return Step(**fields | changed)


def steel(per_piece: str) -> Component:
    """So many kilograms of steel for each piece."""
    return Component(material="steel", per_piece=Decimal(per_piece), unit="KGM")


def flows(source: str, target: str, **changed: Any) -> Connection:
    """Pieces go from one step to the other."""
    fields: dict[str, Any] = {
        "kind": ConnectionKind.QUANTITY,
        "source": source,
        "target": target,
    }
    return Connection(**fields | changed)


def waits(source: str, target: str) -> Connection:
    """``target`` waits until ``source`` is done; no pieces pass."""
    return flows(source, target, kind=ConnectionKind.PRECEDENCE)


def either(source: str, target: str) -> Connection:
    """Pieces may go from one step to the other, if it is chosen."""
    return flows(source, target, kind=ConnectionKind.ALTERNATIVE)


def a_routing(*steps: str | Step, **changed: Any) -> Routing:
    """Each step follows the one before it, unless ``connections`` are given."""
    made = tuple(a_step(one) if isinstance(one, str) else one for one in steps)
    fields: dict[str, Any] = {
        "id": "R",
        "revision": "A",
        "material": "bracket",
        "unit": "C62",
        "steps": made,
        "connections": tuple(
            flows(before.id, after.id) for before, after in pairwise(made)
        ),
    }
    return Routing(**fields | changed)


def in_batches(*steps: str | Step, of: int, **changed: Any) -> Routing:
    """A line whose steps pass on ``of`` pieces at a time."""
    line = a_routing(*steps)
    connections = tuple(
        flows(one.source, one.target, transfer_batch=Decimal(of))
        for one in line.connections
    )
    return a_routing(*steps, **{"connections": connections} | changed)


def split_by_shares(**changed: Any) -> Routing:
    """60 % are milled and 40 % drilled; all are packed together."""
    connections = (
        flows("cut", "mill", share=Decimal("0.6")),
        flows("cut", "drill", share=Decimal("0.4")),
        flows("mill", "pack"),
        flows("drill", "pack"),
    )
    return a_routing(
        "cut", "mill", "drill", "pack", **{"connections": connections} | changed
    )


def beside(**changed: Any) -> Routing:
    """While pieces are drilled, their paint is mixed; packing waits for both."""
    connections = (
        flows("cut", "drill"),
        waits("cut", "paint"),
        flows("drill", "pack"),
        waits("paint", "pack"),
    )
    return a_routing(
        "cut", "drill", "paint", "pack", **{"connections": connections} | changed
    )


def one_of_two(**changed: Any) -> Routing:
    """Pieces are either milled or drilled, and then packed."""
    connections = (
        either("cut", "mill"),
        either("cut", "drill"),
        flows("mill", "pack"),
        flows("drill", "pack"),
    )
    return a_routing(
        "cut", "mill", "drill", "pack", **{"connections": connections} | changed
    )
