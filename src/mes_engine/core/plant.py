"""The plant as the engine knows it: ISA-95's equipment hierarchy, and its signals.

A work center is what the ERP knows; work units are the machines and benches inside it.
The plant comes in by message (``ApplyPlant``), so that a rebuild from the journal uses
the plant as it was, and not today's files.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.carriers import CarrierType
from mes_engine.core.machine_jobs import JobMachine
from mes_engine.core.machine_rules import EdgeRule, EventRule, HandshakeRule
from mes_engine.core.reasons import ReasonKind
from mes_engine.core.wip_limits import WipLimit


class DispatchRule(StrEnum):
    """How a work center puts its queue in order."""

    FIFO = "fifo"
    EDD = "edd"
    PRIORITY = "priority"
    SPT = "spt"
    CRITICAL_RATIO = "critical_ratio"
    ATC = "atc"
    SETUP_MIN = "setup_min"
    WEIGHTED = "weighted"


class RuleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule is told besides its name.

    Attributes:
        k: How far ``atc`` looks ahead, in mean processing times.
        weights: The rules whose normalised scores ``weighted`` adds up, and how much
            each counts.
    """

    k: Decimal = Decimal(2)
    weights: dict[DispatchRule, Decimal] = msgspec.field(default_factory=dict)


class Changeover(msgspec.Struct, frozen=True, kw_only=True):
    """How long it takes to set a work unit up from one setup family to another.

    A family is a step's ``setup_family``, or the material that its routing makes.
    """

    source: str
    target: str
    minutes: Decimal


class PostingPolicy(StrEnum):
    """When what was done at a work center goes up to the ERP.

    ``none`` where the ERP keeps no account of it, as of most steps of a long route.
    """

    REPORT = "report"
    RUN = "run"
    NONE = "none"


class CapacityUnit(StrEnum):
    """What the capacity of a work unit is counted in."""

    JOBS = "jobs"
    PIECES = "pieces"
    KILOGRAMS = "kilograms"
    POSITIONS = "positions"


class BatchKey(StrEnum):
    """What job orders have in common that may be in one run."""

    MATERIAL = "material"
    ROUTING = "routing"
    STEP = "step"
    WORK_REQUEST = "work_request"


class BatchCount(StrEnum):
    """What a machine's count means while several job orders are in the run."""

    UNASSIGNED = "unassigned"
    WHOLE = "whole"


class SignalMeaning(StrEnum):
    """What the value of a tag stands for.

    A plain ``value`` means nothing by itself: handshakes and the like use it.
    """

    GOOD_COUNT = "good_count"
    SCRAP_COUNT = "scrap_count"
    STATE = "state"
    MEASUREMENT = "measurement"
    MODE = "mode"
    HEARTBEAT = "heartbeat"
    VALUE = "value"


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A tag of a work unit, and what its value means.

    Attributes:
        tag: Unique in the plant: ``<work unit>.<name>``.
        link: The connection that brings it.
        factor: Pieces for each count (cavities, pieces a stroke).
        rollover: The count at which the counter starts again at 0 (65536 for 16 bits);
            None where it never does.
        max_rate_per_s: Counts a second that the machine cannot exceed; what exceeds it
            is suspect. None trusts every increase.
        reset_to: The value that the counter takes when it is reset.
        state_map: Name of the map from state words to equipment regions.
        characteristic: What it measures, of the steps that declare it so.
        debounce_us: How long a state word has to last before it counts.
        bad_us: How long bad quality has to last before it is told.
        stale_us: How long a heartbeat may stand still before nothing is known.
        is_of_link: A heartbeat of all that its link brings, not of its work unit only.
    """

    tag: str
    work_unit: str
    link: str
    means: SignalMeaning
    factor: Decimal = Decimal(1)
    rollover: int | None = None
    max_rate_per_s: Decimal | None = None
    reset_to: int = 0
    state_map: str = "packml"
    characteristic: str = ""
    debounce_us: int = 0
    bad_us: int = 0
    stale_us: int = 0
    is_of_link: bool = False


class BatchRule(msgspec.Struct, frozen=True, kw_only=True):
    """How job orders are put together into one run, as of a furnace.

    Attributes:
        most: What one run takes, in ``counted_in``.
        least: What a run waits for, before it is dispatched.
        counted_in: ``jobs`` are job orders here.
        same: What the job orders of a run have in common.
        wait_s: How long the first one waits for others until it goes with fewer.
        counts: What a count stands for: ``whole`` for all that is in the run.
    """

    most: Decimal
    least: Decimal = Decimal(1)
    counted_in: CapacityUnit = CapacityUnit.JOBS
    same: tuple[BatchKey, ...] = ()
    wait_s: int = 0
    counts: BatchCount = BatchCount.UNASSIGNED


class WorkUnit(msgspec.Struct, frozen=True, kw_only=True):
    """A machine or bench: where one or more job orders can be loaded.

    Attributes:
        changeovers: Its own, before those of its classes.
        active: How much it can work on at a time, in ``counted_in``.
        staged: How much more may be set up beside it, next in turn.
        counted_in: What its lanes are counted in; ``jobs`` are runs here.
        batch: How several job orders are in one run; None by its classes' rule.
        jobs: How it serves job orders itself; None if it does not.
    """

    id: str
    work_center: str
    name: str
    classes: tuple[str, ...]
    active: int = 1
    staged: int = 1
    changeovers: tuple[Changeover, ...] = ()
    counted_in: CapacityUnit = CapacityUnit.JOBS
    batch: BatchRule | None = None
    jobs: JobMachine | None = None


class LabourRule(StrEnum):
    """How the time of a person counts who is on several runs at a time."""

    SHARED = "shared"
    FULL = "full"


class WorkCenter(msgspec.Struct, frozen=True, kw_only=True):
    """A group of work units that the ERP plans and keeps accounts for.

    Attributes:
        labour: Whether its runs get a fair part of a person's time, or all of it.
    """

    id: str
    area: str
    name: str
    rule: DispatchRule = DispatchRule.FIFO
    rule_settings: RuleSettings = RuleSettings()
    posting: PostingPolicy = PostingPolicy.RUN
    kanban: Decimal | None = None
    labour: LabourRule = LabourRule.SHARED


class EquipmentClass(msgspec.Struct, frozen=True, kw_only=True):
    """A capability that a step asks for, such as ``milling-3axis``.

    Attributes:
        changeovers: What setting up takes, in place of a step's standard setup: between
            two families as listed, nothing within one. What is not listed takes the
            standard setup.
        batch: How work units of the class take several job orders in one run.
    """

    id: str
    name: str
    changeovers: tuple[Changeover, ...] = ()
    batch: BatchRule | None = None


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """A shift of the calendar, in the plant's local time.

    Attributes:
        starts: Minutes after local midnight.
        ends: Minutes after local midnight; not after ``starts`` means the next day.
        days: ISO week days, 1 (Monday) to 7, on which it starts.
    """

    id: str
    name: str
    starts: int
    ends: int
    days: tuple[int, ...]


class Plant(msgspec.Struct, frozen=True, kw_only=True):
    """One site, whole.

    Attributes:
        state_maps: From state words to item states; ``mode_maps`` from modes.
        map_versions: Of these maps, by name.
        methods: By link, what may be called over it.
        wip_limits: By area, how much may be inside.
        reasons: By kind, what people choose from; the usual ones for a kind without.
    """

    site: str
    name: str
    zone: str
    finished_location: str
    receiving_location: str
    areas: tuple[str, ...]
    classes: tuple[EquipmentClass, ...]
    work_centers: tuple[WorkCenter, ...]
    work_units: tuple[WorkUnit, ...]
    signals: tuple[Signal, ...] = ()
    handshakes: tuple[HandshakeRule, ...] = ()
    edges: tuple[EdgeRule, ...] = ()
    events: tuple[EventRule, ...] = ()
    methods: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    shifts: tuple[Shift, ...] = ()
    state_maps: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    mode_maps: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    map_versions: dict[str, str] = msgspec.field(default_factory=dict)
    wip_limits: dict[str, WipLimit] = msgspec.field(default_factory=dict)
    reasons: dict[ReasonKind, tuple[str, ...]] = msgspec.field(default_factory=dict)
    serials: dict[str, str] = msgspec.field(default_factory=dict)
    carrier_types: tuple[CarrierType, ...] = ()
