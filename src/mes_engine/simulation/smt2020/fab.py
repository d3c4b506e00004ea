"""The fab in the core's terms: a plant and routings like any other's.

A tool group is a work center of its own, with a class of the same name; an area is one
of the plant's. Each tool tells its state by a tag, as a machine does.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from mes_engine.core.equipment import ItemState
from mes_engine.core.plant import (
    BatchKey,
    BatchRule,
    CapacityUnit,
    Changeover,
    DispatchRule,
    EquipmentClass,
    Plant,
    PostingPolicy,
    RuleSettings,
    Signal,
    SignalMeaning,
    WorkCenter,
    WorkUnit,
)
from mes_engine.core.quantity import MILLION
from mes_engine.core.routing import Routing
from mes_engine.core.steps import Connection, ConnectionKind, ReworkLoop, Step
from mes_engine.core.time_windows import WindowRule
from mes_engine.simulation.smt2020.model import Fab, Operation, Per, ToolGroup

LINK = "tools"
UNIT = "C62"
REVISION = "1"
MOST_REWORK = 99
"""The tables know no limit: chance ends it."""
WORDS = {
    "up": ItemState.NOT_EXECUTING.value,
    "down": ItemState.OUT_OF_SERVICE.value,
}
"""What a tool says of itself, and what that is."""

HOT_THEN_SETUP = RuleSettings(
    weights={
        DispatchRule.PRIORITY: Decimal(100),
        DispatchRule.SETUP_MIN: Decimal(10),
        DispatchRule.FIFO: Decimal(1),
    }
)
"""Each outweighs what comes after it."""


def tools_of(group: ToolGroup) -> tuple[str, ...]:
    """Return the ids of the group's tools."""
    return tuple(f"{group.id}-{number:02}" for number in range(1, group.tools + 1))


def state_tag(tool: str) -> str:
    """Return the tag by which ``tool`` tells its state."""
    return f"{tool}.state"


def plant_of(fab: Fab, *, rule: DispatchRule | None = None) -> Plant:
    """Return the fab as a plant.

    Args:
        fab: The fab.
        rule: By which every tool group is dispatched; by the fab's own rule if None:
            hot lots first, then the shortest setup, then first in, first out.
    """
    groups = fab.tool_groups.values()
    units = tuple(unit for group in groups for unit in _work_units(fab, group))
    return Plant(
        site="smt2020",
        name="SMT2020 high volume, low mix",
        zone="UTC",
        finished_location="finished",
        receiving_location="receiving",
        areas=tuple(dict.fromkeys(one.area for one in groups)),
        classes=tuple(
            EquipmentClass(
                id=one.id, name=one.id, changeovers=tuple(_changeovers(fab, one))
            )
            for one in groups
        ),
        work_centers=tuple(_work_center(fab, one, rule) for one in groups),
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


def _work_center(fab: Fab, group: ToolGroup, rule: DispatchRule | None) -> WorkCenter:
    own = DispatchRule.WEIGHTED if _setups(fab, group) else DispatchRule.PRIORITY
    return WorkCenter(
        id=group.id,
        area=group.area,
        name=group.id,
        rule=rule or own,
        rule_settings=HOT_THEN_SETUP,
        posting=PostingPolicy.NONE,
    )


def _work_units(fab: Fab, group: ToolGroup) -> Iterator[WorkUnit]:
    batch = _batch_rule(fab, group)
    for tool in tools_of(group):
        yield WorkUnit(
            id=tool,
            work_center=group.id,
            name=tool,
            classes=(group.id,),
            active=group.at_once,
            staged=0,
            batch=batch,
        )


def _batch_rule(fab: Fab, group: ToolGroup) -> BatchRule | None:
    """Return how the group's tools take several lots at once, if they do.

    Each step has its own least and most, within those of the tool.
    """
    batches = [one for one in _operations(fab, group) if one.batch_most]
    if not batches:
        return None
    return BatchRule(
        most=Decimal(max(one.batch_most for one in batches)),
        least=Decimal(min(one.batch_least for one in batches)),
        counted_in=CapacityUnit.PIECES,
        same=(BatchKey.MATERIAL,),
    )


def _operations(fab: Fab, group: ToolGroup) -> list[Operation]:
    return [
        one
        for route in fab.routes.values()
        for one in route
        if one.tool_group == group.id
    ]


def _setups(fab: Fab, group: ToolGroup) -> dict[str, int]:
    """Return what the group's tools are set up for, and the time from anything else."""
    return {one.setup: anyhow(fab, one) for one in _operations(fab, group) if one.setup}


def anyhow(fab: Fab, operation: Operation) -> int:
    """Return the time of setting up for an operation, whatever was there before."""
    if operation.setup_time is not None:
        return operation.setup_time
    return fab.changeovers.get(("", operation.setup), 0)


def _changeovers(fab: Fab, group: ToolGroup) -> Iterator[Changeover]:
    setups = _setups(fab, group)
    for source in setups:
        for target, otherwise in setups.items():
            us = fab.changeovers.get((source, target), otherwise)
            minutes = Decimal(0 if source == target else us) / (60 * MILLION)
            yield Changeover(source=source, target=target, minutes=minutes)


def routings_of(fab: Fab) -> tuple[Routing, ...]:
    """Return the fab's routes as routings, one a part."""
    return tuple(routing_from(fab, part, 0) for part in fab.part_routes)


def routing_id(route: str, step: str, at: int) -> str:
    """Return the id of the routing that begins with ``step``, the ``at``-th."""
    return f"{route}.from.{step}" if at else route


def routing_from(fab: Fab, part: str, at: int) -> Routing:
    """Return the routing of ``part`` from its ``at``-th operation on."""
    route = fab.part_routes[part]
    operations = fab.routes[route][at:]
    kept = {one.keeps_tool_for: one.id for one in operations}
    return Routing(
        id=routing_id(route, operations[0].id, at),
        revision=REVISION,
        material=part,
        unit=UNIT,
        steps=tuple(_step(fab, one, kept.get(one.id, "")) for one in operations),
        rework=tuple(_loops(operations)),
        connections=tuple(_connections(operations)),
        time_windows=tuple(_windows(operations)),
    )


def _step(fab: Fab, operation: Operation, same_unit_as: str) -> Step:
    pieces = min((one.pieces for one in fab.releases), default=1)
    of_lot = operation.processing.mean
    if operation.per is Per.PIECE:
        of_lot += (pieces - 1) * (operation.interval or of_lot)
    return Step(
        id=operation.id,
        name=operation.name,
        work_center=operation.tool_group,
        equipment_class=operation.tool_group,
        setup_family=operation.setup,
        same_unit_as=same_unit_as,
        setup_s=Decimal(anyhow(fab, operation)) / MILLION,
        run_s=Decimal(of_lot // pieces) / MILLION,
    )


def _loops(operations: Sequence[Operation]) -> Iterator[ReworkLoop]:
    known = {one.id for one in operations}
    for one in operations:
        if one.rework_from in known:
            yield ReworkLoop(
                id=loop_of(one),
                source=one.id,
                target=one.rework_from,
                limit=MOST_REWORK,
            )


def loop_of(operation: Operation) -> str:
    """Return the id of the rework loop that starts at an operation."""
    return f"rework-{operation.id}"


def _windows(operations: Sequence[Operation]) -> Iterator[WindowRule]:
    for one in operations:
        if one.window_to:
            most = Decimal(one.window) / MILLION
            yield WindowRule(source=one.id, target=one.window_to, max_s=most)


def ways_on(operations: Sequence[Operation], at: int) -> Sequence[Operation]:
    """Return what may come next: what is sampled, and the first that none passes."""
    for index in range(at + 1, len(operations)):
        if operations[index].sampled == 1:
            return operations[at + 1 : index + 1]
    return operations[at + 1 :]


def _connections(operations: Sequence[Operation]) -> Iterator[Connection]:
    for at, before in enumerate(operations):
        ways = ways_on(operations, at)
        kind = ConnectionKind.QUANTITY if len(ways) == 1 else ConnectionKind.ALTERNATIVE
        for after in ways:
            yield Connection(kind=kind, source=before.id, target=after.id)
