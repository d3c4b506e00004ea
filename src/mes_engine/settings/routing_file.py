"""``routings/*.yaml``: one revision of one process in each file."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from mes_engine.core.characteristics import Characteristic, ValueKind
from mes_engine.core.errors import Malformed
from mes_engine.core.expressions import MOST_CHARACTERS
from mes_engine.core.personnel import QualificationNeed
from mes_engine.core.quantity import ZERO, checked_quantity
from mes_engine.core.routing import Routing
from mes_engine.core.routing_problems import routing_problems
from mes_engine.core.steps import (
    BeginOn,
    Component,
    Connection,
    ConnectionKind,
    JobPer,
    Output,
    OutputKind,
    ReworkLoop,
    Sampling,
    Step,
    StepOrder,
)
from mes_engine.core.time_windows import WindowPoint, WindowRule
from mes_engine.settings.checked import Names, checked
from mes_engine.settings.document import Document, KeyPath
from mes_engine.settings.fields import (
    Amount,
    Code,
    Id,
    Limit,
    MeasuringUnit,
    Name,
    Seconds,
    Section,
    Share,
    UnitCode,
    refers_to,
    wrong,
)
from mes_engine.settings.problems import Problems


class ComponentEntry(Section):
    """One of what a step ``consumes``."""

    material: Code
    per_piece: Amount
    unit: UnitCode


class QualificationEntry(Section):
    """What a step asks of whoever loads and begins it."""

    name: Code
    level: Annotated[int, Field(ge=1, le=1000)] = 1


class OutputEntry(Section):
    """One of what a step ``produces`` beside its pieces."""

    material: Code
    per_piece: Amount
    unit: UnitCode
    kind: OutputKind
    location: Code | None = None


class SamplingEntry(Section):
    """Which of those that come to a step are worked: one in so many, or a share."""

    every: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    share: Annotated[Decimal, Field(gt=0, le=1, decimal_places=6)] | None = None


DataCondition = Annotated[str, Field(max_length=MOST_CHARACTERS)]
"""A condition on measured data, in the language of ``core.expressions``."""


class CharacteristicEntry(Section):
    """One of the ``characteristics`` that are measured at a step."""

    name: Id
    kind: ValueKind = ValueKind.NUMBER
    unit: MeasuringUnit = "C62"
    lower: Limit | None = None
    upper: Limit | None = None
    is_required: bool = False


class StepEntry(Section):
    """One of ``steps``."""

    id: Id
    name: Name
    work_center: Annotated[str, refers_to("work center")]
    equipment_class: Annotated[str, refers_to("equipment class")]
    job_per: JobPer = JobPer.REQUEST
    begin_on: BeginOn = BeginOn.OPERATOR
    setup_s: Seconds = ZERO
    run_s: Seconds = ZERO
    setup_family: Code = ""
    same_unit_as: str = ""
    kanban: Amount | None = None
    consumes: list[ComponentEntry] = Field(default_factory=list)
    produces: list[OutputEntry] = Field(default_factory=list)
    tools: list[Code] = Field(default_factory=list)
    qualification: QualificationEntry | None = None
    documents: list[Code] = Field(default_factory=list)
    load_per_piece: Amount = Decimal(1)
    sampling: SamplingEntry | None = None
    is_optional: bool = False
    characteristics: list[CharacteristicEntry] = Field(default_factory=list)
    skip_when: DataCondition = ""


class ConnectionEntry(Section):
    """One of ``connections``."""

    kind: ConnectionKind
    source: str
    target: str
    transfer_batch: Amount | None = None
    share: Annotated[Decimal, Field(gt=0, le=1, decimal_places=6)] = Decimal(1)
    when: DataCondition = ""
    is_otherwise: bool = False

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        foreign = {
            ConnectionKind.QUANTITY: {"when", "is_otherwise"},
            ConnectionKind.ALTERNATIVE: {"share"},
            ConnectionKind.PRECEDENCE: {
                *("share", "transfer_batch"),
                *("when", "is_otherwise"),
            },
        }[self.kind]
        for key in sorted(foreign & self.model_fields_set):
            text = f"says nothing for a connection of kind {self.kind.value}"
            raise wrong(text, at=(key,))
        return self


class TimeWindowEntry(Section):
    """One of ``time_windows``."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    starts_at: WindowPoint = WindowPoint.ENDED
    ends_at: WindowPoint = WindowPoint.BEGUN
    min_s: Seconds | None = None
    max_s: Seconds | None = None
    warn_s: Seconds | None = None


class ReworkEntry(Section):
    """One of ``rework``: a way back, and how often a piece may take it."""

    id: Id
    source: str
    target: str
    limit: Annotated[int, Field(ge=1, le=1000)] = 1


class RoutingFile(Section):
    """The whole file; without ``connections`` each step follows the one before it."""

    id: Code
    revision: Code
    material: Code
    unit: UnitCode
    over_tolerance: Share | None = None
    under_tolerance: Share = ZERO
    step_order: StepOrder = StepOrder.STRICT
    steps: list[StepEntry] = Field(min_length=1)
    connections: list[ConnectionEntry] | None = None
    time_windows: list[TimeWindowEntry] = Field(default_factory=list)
    rework: list[ReworkEntry] = Field(default_factory=list)
    deviation: QualificationEntry | None = None


Capabilities = AbstractSet[tuple[str, str]]
"""Which work center has a work unit of which class."""

_PARTS_OF_A_STEP = {
    "consumes",
    "produces",
    "tools",
    "qualification",
    "documents",
    "sampling",
    "characteristics",
}
_PLANT_NAMES = ("work center", "equipment class")


def read_routing(
    document: Document,
    problems: Problems,
    *,
    names: Names,
    capabilities: Capabilities | None,
    over_tolerance: Decimal,
) -> Routing | None:
    """Return the routing of a file, or None where it cannot be used.

    Args:
        document: The file.
        problems: Takes what is found.
        names: The plant's work centers and classes, as far as they are known.
        capabilities: What can be done where; None if the plant does not tell.
        over_tolerance: Of the site, for a routing that has none of its own.
    """
    file = checked(document, (), RoutingFile, problems, names=names)
    if file is None:
        return None
    routing = to_routing(file, over_tolerance=over_tolerance)
    found: list[tuple[KeyPath, str]] = [
        *((_parts(path), text) for path, text in routing_problems(routing)),
        *_quantity_problems(routing),
    ]
    if capabilities is not None:
        found += _capability_problems(routing, names, capabilities)
    for path, text in found:
        problems.add(document.problem(path, text))
    return None if found else routing


def to_routing(file: RoutingFile, *, over_tolerance: Decimal) -> Routing:
    """Return the core's routing of a file."""
    steps = tuple(
        Step(
            **one.model_dump(exclude=_PARTS_OF_A_STEP),
            consumes=tuple(Component(**part.model_dump()) for part in one.consumes),
            produces=tuple(
                Output(**part.model_dump(exclude_none=True)) for part in one.produces
            ),
            tools=tuple(one.tools),
            qualification=_need(one.qualification),
            sampling=(
                None if one.sampling is None else Sampling(**one.sampling.model_dump())
            ),
            documents=tuple(one.documents),
            characteristics=tuple(
                Characteristic(**part.model_dump()) for part in one.characteristics
            ),
        )
        for one in file.steps
    )
    if file.connections is None:
        connections = tuple(
            Connection(kind=ConnectionKind.QUANTITY, source=one.id, target=next_one.id)
            for one, next_one in pairwise(steps)
        )
    else:
        connections = tuple(Connection(**one.model_dump()) for one in file.connections)
    own = file.over_tolerance
    return Routing(
        id=file.id,
        revision=file.revision,
        material=file.material,
        unit=file.unit,
        over_tolerance=over_tolerance if own is None else own,
        under_tolerance=file.under_tolerance,
        step_order=file.step_order,
        steps=steps,
        connections=connections,
        time_windows=tuple(WindowRule(**one.model_dump()) for one in file.time_windows),
        rework=tuple(ReworkLoop(**one.model_dump()) for one in file.rework),
        deviation=_need(file.deviation),
    )


def _need(entry: QualificationEntry | None) -> QualificationNeed | None:
    return None if entry is None else QualificationNeed(**entry.model_dump())


def _parts(path: str) -> KeyPath:
    return tuple(int(part) if part.isdecimal() else part for part in path.split("."))


def _quantity_problems(routing: Routing) -> Iterator[tuple[KeyPath, str]]:
    for index, one in enumerate(routing.connections):
        if one.transfer_batch is not None:
            try:
                checked_quantity(
                    one.transfer_batch, unit=routing.unit, of="transfer batch"
                )
            except Malformed as error:
                path = ("connections", index, "transfer_batch")
                yield path, error.message[:1].lower() + error.message[1:].rstrip(".")


def _capability_problems(
    routing: Routing, names: Names, capabilities: Capabilities
) -> Iterator[tuple[KeyPath, str]]:
    for index, step in enumerate(routing.steps):
        is_known = (
            step.work_center in names["work center"]
            and step.equipment_class in names["equipment class"]
        )
        if is_known and (step.work_center, step.equipment_class) not in capabilities:
            offers = sorted(
                kind for center, kind in capabilities if center == step.work_center
            )
            text = f"no work unit of {step.work_center} is a '{step.equipment_class}'"
            if offers:
                text += f"; it has: {', '.join(offers)}"
            yield ("steps", index, "equipment_class"), text


def capabilities_of(plant: Document, names: Names) -> Capabilities | None:
    """Return what the work units can do; None where the file does not tell it."""
    units = plant.at(("work_units",))
    if not isinstance(units, dict) or not names.keys() >= set(_PLANT_NAMES):
        return None
    found = set()
    for unit in units:
        center = plant.at(("work_units", unit, "work_center"))
        classes = plant.at(("work_units", unit, "classes"))
        if not isinstance(classes, list) or not classes:
            return None
        if center not in names["work center"]:
            return None
        if any(one not in names["equipment class"] for one in classes):
            return None
        found |= {(str(center), str(one)) for one in classes}
    return found
