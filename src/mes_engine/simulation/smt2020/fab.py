"""The fab in the core's terms: a plant and routings like any other's.

A tool group is a work center of its own, with a class of the same name; an area is one
of the plant's. Each tool tells its state by a tag, as a machine does.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from mes_engine.core.equipment import ItemState
from mes_engine.core.plant import (
    EquipmentClass,
    Plant,
    Signal,
    SignalMeaning,
    WorkCenter,
    WorkUnit,
)
from mes_engine.core.quantity import MILLION
from mes_engine.core.routing import Connection, ConnectionKind, Routing, Step
from mes_engine.simulation.smt2020.model import Fab, Operation, Per, ToolGroup

LINK = "tools"
UNIT = "C62"
REVISION = "1"
WORDS = {
    "up": ItemState.NOT_EXECUTING.value,
    "down": ItemState.OUT_OF_SERVICE.value,
}
"""What a tool says of itself, and what that is."""


def tools_of(group: ToolGroup) -> tuple[str, ...]:
    """Return the ids of the group's tools."""
    return tuple(f"{group.id}-{number:02}" for number in range(1, group.tools + 1))


def state_tag(tool: str) -> str:
    """Return the tag by which ``tool`` tells its state."""
    return f"{tool}.state"


def plant_of(fab: Fab) -> Plant:
    """Return the fab as a plant."""
    groups = fab.tool_groups.values()
    units = tuple(unit for group in groups for unit in _work_units(group))
    return Plant(
        site="smt2020",
        name="SMT2020 high volume, low mix",
        zone="UTC",
        finished_location="finished",
        receiving_location="receiving",
        areas=tuple(dict.fromkeys(one.area for one in groups)),
        classes=tuple(EquipmentClass(id=one.id, name=one.id) for one in groups),
        work_centers=tuple(
            WorkCenter(id=one.id, area=one.area, name=one.id) for one in groups
        ),
        work_units=units,
        signals=tuple(
            Signal(
                tag=state_tag(one.id),
                work_unit=one.id,
                link=LINK,
                means=SignalMeaning.STATE,
                state_map="tool",
            )
            for one in units
        ),
        state_maps={"tool": WORDS},
    )


def _work_units(group: ToolGroup) -> Iterator[WorkUnit]:
    for tool in tools_of(group):
        yield WorkUnit(
            id=tool,
            work_center=group.id,
            name=tool,
            classes=(group.id,),
            active=group.at_once,
            staged=0,
        )


def routings_of(fab: Fab) -> tuple[Routing, ...]:
    """Return the fab's routes as routings, one a part."""
    return tuple(
        Routing(
            id=route,
            revision=REVISION,
            material=part,
            unit=UNIT,
            steps=tuple(_step(one) for one in fab.routes[route]),
            connections=tuple(_connections(fab.routes[route])),
        )
        for part, route in fab.part_routes.items()
    )


def _step(operation: Operation) -> Step:
    mean = Decimal(operation.processing.mean) / MILLION
    return Step(
        id=operation.id,
        name=operation.name,
        work_center=operation.tool_group,
        equipment_class=operation.tool_group,
        run_s=mean if operation.per is Per.PIECE else Decimal(0),
        setup_s=Decimal(0) if operation.per is Per.PIECE else mean,
    )


def _connections(operations: tuple[Operation, ...]) -> Iterator[Connection]:
    for before, after in pairwise(operations):
        yield Connection(
            kind=ConnectionKind.QUANTITY, source=before.id, target=after.id
        )
