"""From what ``config/plant.yaml`` says to the core's plant, with its cross checks."""

from collections.abc import Iterator, Mapping, Sequence

from mes_engine.core.carriers import LOTS, SERIALS, CarrierType
from mes_engine.core.machine_jobs import JobMachine
from mes_engine.core.plant import (
    BatchRule,
    Changeover,
    EquipmentClass,
    Plant,
    RuleSettings,
    Shift,
    Signal,
    SignalMeaning,
    WorkCenter,
    WorkUnit,
)
from mes_engine.core.reasons import ReasonKind
from mes_engine.core.wip_limits import WipLimit
from mes_engine.settings.document import Document, KeyPath
from mes_engine.settings.machine_rules import (
    MS,
    SECOND,
    check_machine_rules,
    edges_of,
    events_of,
    handshakes_of,
    tag_id,
)
from mes_engine.settings.plant_file import (
    BUILT_IN_MODE_MAPS,
    BUILT_IN_STATE_MAPS,
    DAYS,
    AreaSection,
    BatchSection,
    CarrierTypeEntry,
    Changeovers,
    PlantFile,
    ShiftEntry,
    WorkUnitEntry,
)
from mes_engine.settings.problems import Problems

_DAY_MIN = 24 * 60
_WEEK_MIN = 7 * _DAY_MIN


def check_plant(document: Document, file: PlantFile, problems: Problems) -> None:
    """Add to ``problems`` what each entry by itself cannot show."""
    for path, text in (
        *_area_problems(file.areas),
        *_unit_problems(file.work_units),
        *_overlaps(file.shifts),
        *_reason_problems(file.reasons),
        *_carrier_problems(file.carrier_types),
    ):
        problems.add(document.problem(path, text))
    check_machine_rules(document, file, problems)
    ours: dict[KeyPath, bool] = {
        **{("state_maps", one): one in file.state_maps for one in BUILT_IN_STATE_MAPS},
        **{("mode_maps", one): one in file.mode_maps for one in BUILT_IN_MODE_MAPS},
    }
    for path, is_given in ours.items():
        if is_given:
            text = "is built in: give yours another name"
            problems.add(document.problem(path, text, of_key=True))
    for name in sorted(file.state_maps.keys() & file.mode_maps.keys()):
        text = "is the name of a state map too"
        problems.add(document.problem(("mode_maps", name), text, of_key=True))


def to_plant(file: PlantFile) -> Plant:
    """Return the core's plant of a file without problems."""
    if file.site is None or file.locations is None:
        raise AssertionError("a plant with problems is not made")
    return Plant(
        site=file.site.id,
        name=file.site.name,
        zone=file.site.zone,
        finished_location=file.locations.finished,
        receiving_location=file.locations.receiving,
        areas=tuple(one.id for one in file.areas if one is not None),
        wip_limits={
            one.id: WipLimit(**one.wip_limit.model_dump())
            for one in file.areas
            if one is not None and one.wip_limit is not None
        },
        classes=tuple(
            EquipmentClass(
                id=key,
                name=one.name,
                changeovers=tuple(_changeovers(one.changeovers)),
                batch=_batch(one.batch),
            )
            for key, one in file.equipment_classes.items()
        ),
        work_centers=tuple(
            WorkCenter(
                id=key,
                area=one.area,
                name=one.name,
                rule=one.rule.name,
                rule_settings=RuleSettings(k=one.rule.k, weights=one.rule.weights),
                posting=one.posting,
                kanban=one.kanban,
                labour=one.labour,
            )
            for key, one in file.work_centers.items()
        ),
        work_units=tuple(
            WorkUnit(
                id=key,
                work_center=one.work_center,
                name=one.name,
                classes=tuple(one.classes),
                active=one.lanes.active,
                staged=one.lanes.staged,
                changeovers=tuple(_changeovers(one.changeovers)),
                counted_in=one.lanes.counted_in,
                batch=_batch(one.batch),
                jobs=None if one.jobs is None else JobMachine(**dict(one.jobs)),
            )
            for key, one in file.work_units.items()
        ),
        signals=tuple(_signals(file.work_units)),
        handshakes=tuple(handshakes_of(file)),
        edges=tuple(edges_of(file)),
        events=tuple(events_of(file)),
        shifts=tuple(
            Shift(
                id=key,
                name=one.name,
                starts=one.starts,
                ends=one.ends,
                days=tuple(sorted(DAYS.index(day) + 1 for day in one.days)),
            )
            for key, one in file.shifts.items()
        ),
        state_maps={
            name: {word: state.value for word, state in one.words.items()}
            for name, one in file.state_maps.items()
        },
        mode_maps={
            name: {word: mode.value for word, mode in one.words.items()}
            for name, one in file.mode_maps.items()
        },
        map_versions={
            name: version
            for name, version in (
                *((name, one.version) for name, one in file.state_maps.items()),
                *((name, one.version) for name, one in file.mode_maps.items()),
            )
            if version
        },
        reasons={
            ReasonKind(kind): tuple(given) for kind, given in file.reasons.items()
        },
        serials=dict(file.serials),
        carrier_types=tuple(
            CarrierType(
                id=key,
                name=one.name,
                capacity=one.capacity,
                counted_in=one.counted_in,
                takes=tuple(one.takes),
                is_mixed=one.mixed,
            )
            for key, one in file.carrier_types.items()
        ),
    )


def _changeovers(listed: Changeovers) -> Iterator[Changeover]:
    for source, targets in listed.items():
        for target, minutes in targets.items():
            yield Changeover(source=source, target=target, minutes=minutes)


def _batch(given: BatchSection | None) -> BatchRule | None:
    if given is None:
        return None
    return BatchRule(
        most=given.most,
        least=given.least,
        counted_in=given.counted_in,
        same=tuple(given.same),
        wait_s=given.wait_min * 60,
        counts=given.counts,
    )


def _signals(units: Mapping[str, WorkUnitEntry]) -> Iterator[Signal]:
    for unit, entry in units.items():
        for name, one in entry.signals.items():
            yield Signal(
                tag=tag_id(unit, name),
                work_unit=unit,
                link=one.link,
                means=one.means,
                factor=one.factor,
                rollover=one.rollover,
                max_rate_per_s=one.max_rate_per_s,
                reset_to=one.reset_to,
                state_map=one.map,
                characteristic=one.characteristic or "",
                debounce_us=one.debounce_ms * MS,
                bad_us=one.bad_after_ms * MS,
                stale_us=one.stale_after_s * SECOND
                if one.means is SignalMeaning.HEARTBEAT
                else 0,
                is_of_link=one.of_link,
            )


def _area_problems(
    areas: Sequence[AreaSection | None],
) -> Iterator[tuple[KeyPath, str]]:
    seen: set[str] = set()
    for index, area in enumerate(areas):
        if area is not None and area.id in seen:
            yield ("areas", index), f"'{area.id}' is given twice"
        elif area is not None:
            seen.add(area.id)


def _repeats(base: KeyPath, names: Sequence[str]) -> Iterator[tuple[KeyPath, str]]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield (*base, index), f"'{name}' is given twice"


def _unit_problems(
    units: Mapping[str, WorkUnitEntry],
) -> Iterator[tuple[KeyPath, str]]:
    for unit, entry in units.items():
        yield from _repeats(("work_units", unit, "classes"), entry.classes)
        if entry.batch is not None:
            yield from _repeats(("work_units", unit, "batch", "same"), entry.batch.same)
        states = [
            name
            for name, one in entry.signals.items()
            if one.means is SignalMeaning.STATE
        ]
        for name in states[1:]:
            path = ("work_units", unit, "signals", name, "means")
            yield path, f"'{states[0]}' already tells the state of '{unit}'"


def _reason_problems(
    reasons: Mapping[str, Sequence[str]],
) -> Iterator[tuple[KeyPath, str]]:
    for kind, given in reasons.items():
        yield from _repeats(("reasons", kind), given)


def _carrier_problems(
    types: Mapping[str, CarrierTypeEntry],
) -> Iterator[tuple[KeyPath, str]]:
    for name, entry in types.items():
        if name in {LOTS, SERIALS}:
            yield ("carrier_types", name), f"'{name}' says what a carrier takes"
        yield from _repeats(("carrier_types", name, "takes"), entry.takes)


def _overlaps(shifts: Mapping[str, ShiftEntry]) -> Iterator[tuple[KeyPath, str]]:
    taken: list[tuple[int, int, str]] = []
    for name, shift in shifts.items():
        yield from _repeats(("shifts", name, "days"), shift.days)
        length = (shift.ends - shift.starts) % _DAY_MIN or _DAY_MIN
        starts = {DAYS.index(day) * _DAY_MIN + shift.starts for day in shift.days}
        others = {
            other
            for begin, lasts, other in taken
            for start in starts
            if (start - begin) % _WEEK_MIN < lasts
            or (begin - start) % _WEEK_MIN < length
        }
        for other in sorted(others - {name}):
            yield ("shifts", name), f"overlaps the shift '{other}'"
        taken += [(start, length, name) for start in starts]
