"""``config/plant.yaml``: the equipment hierarchy, its signals, its calendar."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    model_validator,
)

from mes_engine.core.carriers import LOTS, SERIALS, CarrierCount
from mes_engine.core.equipment import ItemState, OperationMode
from mes_engine.core.machine_jobs import StartsOn
from mes_engine.core.plant import (
    BatchCount,
    BatchKey,
    CapacityUnit,
    DispatchRule,
    LabourRule,
    PostingPolicy,
    RuleSettings,
    SignalMeaning,
)
from mes_engine.core.quantity import MAX_QUANTITY, ZERO
from mes_engine.core.reasons import ReasonKind
from mes_engine.core.serials import pattern_problem
from mes_engine.core.signals.state import MODE_MAPS, STATE_MAPS
from mes_engine.settings.checked import Names, checked
from mes_engine.settings.document import Document
from mes_engine.settings.fields import (
    NO_SUCH_NAME,
    Amount,
    Code,
    Id,
    Name,
    Section,
    Share,
    Zone,
    id_text,
    is_id,
    refers_to,
    wrong,
)
from mes_engine.settings.machine_rules_file import (
    EdgeEntry,
    EventEntry,
    HandshakeEntry,
    Milliseconds,
)
from mes_engine.settings.problems import Problems, guess

BUILT_IN_STATE_MAPS = frozenset(STATE_MAPS)
BUILT_IN_MODE_MAPS = frozenset(MODE_MAPS)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_JOBS = 100
MOST_IN_A_LANE = 1_000_000
MOST_REASONS = 40
MOST_OF_A_REASON = 60
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def _minutes(given: Any) -> int:
    match = _TIME_OF_DAY.fullmatch(str(given))
    if match is None:
        raise wrong(f"'{given!s:.20}' should be a time of day such as 06:30")
    return int(match[1]) * 60 + int(match[2])


TimeOfDay = Annotated[int, BeforeValidator(_minutes)]
"""``06:30``, read as minutes after midnight."""


class SiteSection(Section):
    """``site``: which plant this is."""

    id: Id
    name: Name
    zone: Zone
    over_tolerance: Share = ZERO


class LocationsSection(Section):
    """``locations``: where stock is kept that the engine itself moves."""

    finished: Code
    receiving: Code


Minutes = Annotated[Decimal, Field(ge=0, le=MAX_QUANTITY, decimal_places=6)]
Changeovers = dict[Code, dict[Code, Minutes]]
"""Minutes, from one setup family to another."""


class BatchSection(Section):
    """``batch``: how several job orders are put into one run."""

    most: Amount
    least: Amount = Decimal(1)
    counted_in: CapacityUnit = CapacityUnit.JOBS
    same: list[BatchKey] = Field(default_factory=list)
    wait_min: int = Field(default=0, ge=0, le=100_000)
    counts: BatchCount = BatchCount.UNASSIGNED

    @model_validator(mode="after")
    def _least_is_not_above_most(self) -> Self:
        if self.least > self.most:
            raise wrong(f"should be at most {self.most}, which is most", at=("least",))
        return self


class WipLimitSection(Section):
    """``wip_limit`` of an area: how much may be inside at a time."""

    work_requests: int | None = Field(default=None, ge=1, le=1_000_000)
    pieces: Amount | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.work_requests is None and self.pieces is None:
            raise wrong("needs 'work_requests', 'pieces' or both")
        return self


class AreaSection(Section):
    """One of ``areas`` that says more than its id."""

    id: Id
    wip_limit: WipLimitSection | None = None


class EquipmentClassEntry(Section):
    """One of ``equipment_classes``."""

    name: Name
    batch: BatchSection | None = None
    changeovers: Changeovers = Field(default_factory=dict)


class RuleSection(Section):
    """``rule`` of a work center: a name, or a name with what the rule is told."""

    name: DispatchRule = DispatchRule.FIFO
    k: Amount = RuleSettings().k
    weights: dict[DispatchRule, Amount] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_its_name(self) -> Self:
        rules = {self.name, *self.weights}
        is_weighted = self.name is DispatchRule.WEIGHTED
        if "k" in self.model_fields_set and DispatchRule.ATC not in rules:
            text = f"says nothing for the rule {self.name.value}"
            raise wrong(text, at=("k",))
        if self.weights and not is_weighted:
            text = f"says nothing for the rule {self.name.value}"
            raise wrong(text, at=("weights",))
        if is_weighted and not self.weights:
            raise wrong("weighted needs the weights of other rules")
        if DispatchRule.WEIGHTED in self.weights:
            raise wrong("weighted cannot weigh itself", at=("weights", "weighted"))
        return self


def _named(given: Any) -> Any:
    return {"name": given} if isinstance(given, str) else given


class WorkCenterEntry(Section):
    """One of ``work_centers``."""

    area: Annotated[str, refers_to("area")]
    name: Name
    rule: Annotated[RuleSection, BeforeValidator(_named)] = RuleSection()
    posting: PostingPolicy = PostingPolicy.RUN
    kanban: Amount | None = None
    labour: LabourRule = LabourRule.SHARED


class LanesSection(Section):
    """``lanes`` of a work unit: how many jobs at a time, or pieces and so on."""

    active: int = Field(default=1, ge=1, le=MOST_IN_A_LANE)
    staged: int = Field(default=1, ge=0, le=MOST_IN_A_LANE)
    counted_in: CapacityUnit = CapacityUnit.JOBS

    @model_validator(mode="after")
    def _jobs_are_few(self) -> Self:
        for key in ("active", "staged"):
            is_few = getattr(self, key) <= MOST_JOBS
            if self.counted_in is CapacityUnit.JOBS and not is_few:
                raise wrong(f"should be at most {MOST_JOBS}", at=(key,))
        return self


_OF_COUNTS = {"factor", "rollover", "max_rate_per_s", "reset_to"}


_OF_OTHERS = {"map", "characteristic", "debounce_ms", "stale_after_s", "of_link"}


class SignalEntry(Section):
    """One of the ``signals`` of a work unit."""

    link: Annotated[str, refers_to("link")]
    means: SignalMeaning
    at: dict[str, Any]
    factor: Amount = Decimal(1)
    rollover: int | None = Field(default=None, ge=2, le=2**64)
    max_rate_per_s: Amount | None = None
    reset_to: int = Field(default=0, ge=0)
    map: str = "packml"
    characteristic: Id | None = None
    debounce_ms: Milliseconds = 0
    bad_after_ms: Milliseconds = 0
    stale_after_s: int = Field(default=15, ge=1, le=86_400)
    of_link: bool = False

    @model_validator(mode="after")
    def _has_its_map(self, info: ValidationInfo) -> Self:
        kind = "mode map" if self.means is SignalMeaning.MODE else "state map"
        known = info.context.get(kind) if info.context else None
        if known is not None and self.map not in known:
            text = f"there is no {kind} '{self.map}'{guess(self.map, known)}"
            raise wrong(text, kind=NO_SUCH_NAME, at=("map",))
        return self

    @model_validator(mode="after")
    def _fits_its_meaning(self) -> Self:
        own = {
            SignalMeaning.STATE: {"map", "debounce_ms"},
            SignalMeaning.MODE: {"map"},
            SignalMeaning.HEARTBEAT: {"stale_after_s", "of_link"},
            SignalMeaning.MEASUREMENT: {"characteristic"},
            SignalMeaning.VALUE: set(),
        }.get(self.means, _OF_COUNTS)
        foreign = _OF_COUNTS | _OF_OTHERS
        for key in sorted((foreign - own) & self.model_fields_set):
            text = f"says nothing for a signal that means {self.means.value}"
            raise wrong(text, at=(key,))
        if self.means is SignalMeaning.MEASUREMENT and self.characteristic is None:
            raise wrong("needs the 'characteristic' that it measures", at=("means",))
        if self.rollover is not None and self.reset_to >= self.rollover:
            text = f"should be below the rollover of {self.rollover}"
            raise wrong(text, at=("reset_to",))
        return self


class JobsSection(Section):
    """``jobs`` of a work unit that serves job orders itself (OPC 10031-4)."""

    link: Annotated[str, refers_to("link")]
    counts: bool = True
    starts: StartsOn = StartsOn.LOADED
    clears: bool = True


class WorkUnitEntry(Section):
    """One of ``work_units``."""

    work_center: Annotated[str, refers_to("work center")]
    name: Name
    classes: list[Annotated[str, refers_to("equipment class")]] = Field(min_length=1)
    lanes: LanesSection = LanesSection()
    changeovers: Changeovers = Field(default_factory=dict)
    batch: BatchSection | None = None
    jobs: JobsSection | None = None
    signals: dict[Id, SignalEntry] = Field(default_factory=dict)
    handshakes: dict[Id, HandshakeEntry] = Field(default_factory=dict)
    edges: dict[Id, EdgeEntry] = Field(default_factory=dict)
    events: dict[Id, EventEntry] = Field(default_factory=dict)


class ShiftEntry(Section):
    """One of ``shifts``."""

    name: Name
    starts: TimeOfDay
    ends: TimeOfDay
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field(
        min_length=1
    )


def _versioned(given: Any) -> Any:
    """Take the words alone for a map without a version."""
    if isinstance(given, dict) and not {"version", "words"} & given.keys():
        return {"words": given}
    return given


class _StateMap(Section):
    version: Code = ""
    words: dict[Name, ItemState]


class _ModeMap(Section):
    version: Code = ""
    words: dict[Name, OperationMode]


StateMapSection = Annotated[_StateMap, BeforeValidator(_versioned)]
"""One of ``state_maps``: its words, or its words with a version."""
ModeMapSection = Annotated[_ModeMap, BeforeValidator(_versioned)]
"""One of ``mode_maps``: the same of unit modes."""

Reason = Annotated[str, Field(min_length=1, max_length=MOST_OF_A_REASON)]
ReasonList = Annotated[list[Reason], Field(min_length=1, max_length=MOST_REASONS)]
"""One of ``reasons``: what people choose from, in the order of its buttons."""


def _serial_pattern(word: str) -> str:
    if told := pattern_problem(word):
        raise wrong(told)
    return word


class CarrierTypeEntry(Section):
    """One of ``carrier_types``."""

    name: Name
    capacity: Amount | None = None
    counted_in: CarrierCount = CarrierCount.POSITIONS
    takes: list[Annotated[str, refers_to("carrier type")]] = Field(
        default_factory=lambda: [LOTS], min_length=1
    )
    mixed: bool = True


Serials = dict[Code, Annotated[str, AfterValidator(_serial_pattern)]]
"""``serials``: by material, how the serials of its pieces are made."""

_ENTRIES: dict[str, Any] = {
    "equipment_classes": EquipmentClassEntry,
    "work_centers": WorkCenterEntry,
    "work_units": WorkUnitEntry,
    "shifts": ShiftEntry,
    "state_maps": StateMapSection,
    "mode_maps": ModeMapSection,
    "reasons": ReasonList,
    "carrier_types": CarrierTypeEntry,
}
_REQUIRED = ("areas", "equipment_classes", "work_centers", "work_units")
_KEYS = ("site", "locations", "areas", "links", "serials", *_ENTRIES)
_KINDS = {
    "area": "areas",
    "equipment class": "equipment_classes",
    "work center": "work_centers",
    "link": "links",
    "state map": "state_maps",
    "carrier type": "carrier_types",
    "mode map": "mode_maps",
}


@dataclass(frozen=True, slots=True)
class PlantFile:
    """What could be read of the file: the entries that stand on their own."""

    site: SiteSection | None
    locations: LocationsSection | None
    areas: tuple[AreaSection | None, ...]
    equipment_classes: Mapping[str, EquipmentClassEntry]
    work_centers: Mapping[str, WorkCenterEntry]
    work_units: Mapping[str, WorkUnitEntry]
    shifts: Mapping[str, ShiftEntry]
    state_maps: Mapping[str, StateMapSection]
    mode_maps: Mapping[str, ModeMapSection]
    reasons: Mapping[str, list[str]]
    carrier_types: Mapping[str, CarrierTypeEntry]
    serials: Mapping[str, str]


def read_plant(document: Document, problems: Problems) -> PlantFile:
    """Check each entry of the file by itself, so that one hides no other."""
    for key in document.data:
        if key not in _KEYS:
            text = f"unknown key{guess(key, _KEYS)}"
            problems.add(document.problem((key,), text, of_key=True))
    for key in _REQUIRED:
        if key not in document.data:
            problems.add(document.problem((key,), "missing"))
    _check_kinds(document, problems)
    names = names_of(document)
    entries = {
        section: {
            key: value
            for key in keys_of(document, section, problems)
            if (value := checked(document, (section, key), kind, problems, names=names))
            is not None
        }
        for section, kind in _ENTRIES.items()
    }
    return PlantFile(
        site=checked(document, ("site",), SiteSection, problems),
        locations=checked(document, ("locations",), LocationsSection, problems),
        areas=tuple(_areas(document, problems)),
        serials=_serials(document, problems),
        **entries,
    )


def _areas(document: Document, problems: Problems) -> Iterator[AreaSection | None]:
    """Yield each area, named by its id alone or with more; None for an unusable one."""
    areas = document.at(("areas",))
    if not isinstance(areas, list):
        checked(document, ("areas",), list[Id], problems)
        return
    for index, one in enumerate(areas):
        kind = AreaSection if isinstance(one, dict) else Id
        area = checked(document, ("areas", index), kind, problems)
        yield AreaSection(id=area) if isinstance(area, str) else area


def _serials(document: Document, problems: Problems) -> Mapping[str, str]:
    if document.at(("serials",)) is None:
        return {}
    return checked(document, ("serials",), Serials, problems) or {}


def _check_kinds(document: Document, problems: Problems) -> None:
    given, kinds = document.at(("reasons",)), [kind.value for kind in ReasonKind]
    for kind in given if isinstance(given, dict) else ():
        if kind not in kinds:
            text = f"unknown key{guess(kind, kinds)}"
            problems.add(document.problem(("reasons", kind), text, of_key=True))


def names_of(document: Document) -> Names:
    """Return the names that the file declares, right or wrong otherwise.

    A kind whose section is unusable is left out, so that its one problem does not bring
    a problem for each use of a name.
    """
    names: dict[str, tuple[str, ...]] = {}
    for kind, section in _KINDS.items():
        value = document.at((section,))
        if value is None and section not in _REQUIRED:
            value = {}
        if isinstance(value, dict | list):
            ids = (one.get("id") if isinstance(one, dict) else one for one in value)
            names[kind] = tuple(one for one in ids if isinstance(one, str))
    if "state map" in names:
        names["state map"] += tuple(BUILT_IN_STATE_MAPS)
    if "carrier type" in names:
        names["carrier type"] += (LOTS, SERIALS)
    if "mode map" in names:
        names["mode map"] += tuple(BUILT_IN_MODE_MAPS)
    return names


def keys_of(document: Document, section: str, problems: Problems) -> list[str]:
    """Return the ids of a section's entries; none where it is no mapping."""
    value = document.at((section,))
    if value is None:
        return []
    if not isinstance(value, dict):
        text = "is empty" if value == "" else "should be a mapping of ids"
        problems.add(document.problem((section,), text))
        return []
    for key in value:
        if not is_id(key):
            path = (section, key)
            problems.add(document.problem(path, id_text(key), of_key=True))
    return list(value)
