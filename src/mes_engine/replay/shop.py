"""Make a plant and routings of what a log shows: pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise

import msgspec

from mes_engine.core.plant import EquipmentClass, Plant, WorkCenter, WorkUnit
from mes_engine.core.routing import Routing
from mes_engine.core.steps import Connection, ConnectionKind, ReworkLoop, Step
from mes_engine.replay.log_settings import LogSettings
from mes_engine.replay.rows import Row
from mes_engine.settings.problems import Problems, guess

AREA = "floor"
_LONGEST_SLUG = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A case of the log: a work request, made by a routing of its own."""

    request: str
    routing: Routing
    quantity: Decimal
    due_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What the rows of a log need around them.

    Attributes:
        orders: By case.
        steps: By activity, the id of the step.
        work_units: By resource, the id of the work unit.
    """

    plant: Plant
    orders: dict[str, Order]
    steps: dict[str, str]
    work_units: dict[str, str]


def shop_of(rows: Sequence[Row], settings: LogSettings) -> Shop:
    """Derive the shop.

    Each resource is a work unit with a class for each activity seen on it. Resources
    that took turns at one step of one case are in one work center, because a job order
    stays in its own. A case's routing is its activities by their first start.

    Raises:
        SettingsError: The settings name a machine that the log has not.
    """
    _refuse_strangers(rows, settings)
    steps = ids_of(row.activity for row in rows)
    units = ids_of(row.resource for row in rows)
    centers = _centers(rows, units)
    by_case: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row.start, row.line)):
        by_case.setdefault(row.case, []).append(row)
    requests = ids_of(by_case)
    materials = ids_of(row.part for row in rows)
    return Shop(
        plant=_plant(rows, settings, units=units, centers=centers, steps=steps),
        orders={
            case: Order(
                request=requests[case],
                routing=_routing(
                    found,
                    settings,
                    routing=requests[case],
                    material=materials[found[0].part],
                    steps=steps,
                    centers=centers,
                ),
                quantity=found[0].order_quantity,
                due_at=max(row.complete for row in found),
            )
            for case, found in by_case.items()
        },
        steps=steps,
        work_units=units,
    )


def ids_of(names: Iterable[str]) -> dict[str, str]:
    """Give each name an id that can stand in a URL; the same names, the same ids.

    Example:
        >>> ids_of(["Machine 7- Laser", "Packing"])
        {'Machine 7- Laser': 'Machine-7-Laser', 'Packing': 'Packing'}
    """
    slugs = {
        name: re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:_LONGEST_SLUG]
        for name in dict.fromkeys(names)
    }
    # Ids that differ in nothing but case would be one to many a reader.
    taken = [slug.casefold() for slug in slugs.values()]
    return {
        name: slug
        if slug and taken.count(slug.casefold()) == 1
        else f"{slug}-{sha256(name.encode()).hexdigest()[:8]}".lstrip("-")
        for name, slug in slugs.items()
    }


def rework_of(step: str) -> str:
    """Return the loop in which what was worked at a step is worked there again."""
    return f"rework-{step}"


def _refuse_strangers(rows: Sequence[Row], settings: LogSettings) -> None:
    known = {row.resource for row in rows}
    problems = Problems()
    for name in settings.says.allows.lanes_of:
        if known and name not in known:
            path = ("allows", "lanes_of", name)
            text = f"no row is of this machine{guess(name, known)}"
            problems.add(settings.document.problem(path, text, of_key=True))
    problems.raise_any()


def _centers(rows: Sequence[Row], units: dict[str, str]) -> dict[str, str]:
    """Return the work center of each resource, named after one of its machines."""
    leader = {resource: resource for resource in units}

    def first_of(resource: str) -> str:
        while leader[resource] != resource:
            resource = leader[resource]
        return resource

    at_step: dict[tuple[str, str], str] = {}
    for row in rows:
        other = at_step.setdefault((row.case, row.activity), row.resource)
        one, another = sorted((first_of(other), first_of(row.resource)))
        leader[another] = one
    return {resource: units[first_of(resource)] for resource in units}


def _plant(
    rows: Sequence[Row],
    settings: LogSettings,
    *,
    units: dict[str, str],
    centers: dict[str, str],
    steps: dict[str, str],
) -> Plant:
    says = settings.says
    classes: dict[str, dict[str, None]] = {}
    for row in rows:
        classes.setdefault(row.resource, {})[steps[row.activity]] = None
    lanes = says.allows.lanes_of
    names = {unit: resource for resource, unit in units.items()}
    return Plant(
        site=says.site.id,
        name=says.site.name,
        zone=says.times.zone,
        finished_location=says.site.finished,
        receiving_location=says.site.receiving,
        areas=(AREA,),
        classes=tuple(
            EquipmentClass(id=step, name=activity) for activity, step in steps.items()
        ),
        work_centers=tuple(
            WorkCenter(id=center, area=AREA, name=names[center])
            for center in dict.fromkeys(centers.values())
        ),
        work_units=tuple(
            WorkUnit(
                id=unit,
                work_center=centers[resource],
                name=resource,
                classes=tuple(classes[resource]),
                active=lanes.get(resource, says.allows.lanes).active,
                staged=0,
            )
            for resource, unit in units.items()
        ),
    )


def _routing(
    rows: Sequence[Row],
    settings: LogSettings,
    *,
    routing: str,
    material: str,
    steps: dict[str, str],
    centers: dict[str, str],
) -> Routing:
    """Return the routing of one case; its revision is made of what it says."""
    firsts: dict[str, Row] = {}
    again: dict[str, None] = {}
    for row in rows:
        firsts.setdefault(row.activity, row)
        if row.goes_back:
            again[steps[row.activity]] = None
    allows = settings.says.allows
    made = Routing(
        id=routing,
        revision="",
        material=material,
        unit=settings.says.unit,
        steps=tuple(
            Step(
                id=steps[activity],
                name=activity,
                work_center=centers[row.resource],
                equipment_class=steps[activity],
            )
            for activity, row in firsts.items()
        ),
        connections=tuple(
            Connection(
                kind=ConnectionKind.QUANTITY,
                source=steps[one],
                target=steps[after],
                transfer_batch=Decimal(1),
            )
            for one, after in pairwise(firsts)
        ),
        rework=tuple(
            ReworkLoop(id=rework_of(step), source=step, target=step) for step in again
        ),
        over_tolerance=allows.over_tolerance,
        step_order=allows.step_order,
    )
    revision = sha256(msgspec.json.encode(made)).hexdigest()[:12]
    return msgspec.structs.replace(made, revision=revision)
