"""What machines say: links, state words and counts, and what they mean for work."""

from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide import windows
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.job_orders import begin
from mes_engine.core.decide.reporting import book, can_take, count_report
from mes_engine.core.equipment import Equipment, ItemState
from mes_engine.core.guards import claims_of, unmet_guards
from mes_engine.core.job_order import (
    INTERRUPTED,
    RUNNING,
    JobOrder,
    JobOrderState,
    JobOrderTrigger,
)
from mes_engine.core.messages import BeginJobOrder
from mes_engine.core.plant import Signal, SignalMeaning, WorkUnit
from mes_engine.core.production import (
    MachineTally,
    UnassignedProduction,
    UnassignedReason,
)
from mes_engine.core.quantity import MAX_QUANTITY, ZERO, floored
from mes_engine.core.readiness import step_of
from mes_engine.core.routing import BeginOn
from mes_engine.core.runs import Lane
from mes_engine.core.samples import LinkReport, LinkState, Quality, Sample
from mes_engine.core.signals import (
    CounterChange,
    CounterReading,
    SignalState,
    read_counter,
)

replace = msgspec.structs.replace
AT_WORK = frozenset({*RUNNING, *INTERRUPTED})
MAX_COUNT = 2**64
"""No counter of a machine is wider."""
DEFAULT_UNIT = "C62"
"""What a machine makes while nothing is loaded on it."""


def hear_link(draft: Draft, source: str, report: LinkReport) -> None:
    """Set the link region of every work unit that the link brings signals of."""
    if not draft.state.has_plant:
        return
    site = draft.state.site
    signals = site.signals_of_link[source]
    for unit in dict.fromkeys(signal.work_unit for signal in signals):
        if site.telling_link(unit) != source:
            continue
        known = draft.state.equipment.get(unit) or Equipment(work_unit=unit)
        if known.link is not report.state:
            is_lost = report.state is not LinkState.CONNECTED
            changed = replace(
                known,
                link=report.state,
                link_since=report.at,
                lost_at=report.at if is_lost else known.lost_at,
            )
            _set_equipment(draft, known, changed)


def hear_sample(draft: Draft, source: str, sample: Sample) -> None:
    """Do what a tag's value means."""
    if not draft.state.has_plant:
        _gap(draft, sample.tag, "there is no plant yet")
        return
    signal = draft.state.site.signals.get(sample.tag)
    if signal is None or signal.link != source:
        _gap(draft, sample.tag, f"link {source} brings no such signal")
        return
    if sample.overflow:
        _gap(draft, sample.tag, "the device dropped values before this one")
    last = draft.state.signal.get(sample.tag)
    if sample.quality is Quality.BAD or sample.value is None:
        if last is None or not last.is_bad:
            _mark_bad(draft, sample.tag, last, "bad quality")
        return
    if signal.means is SignalMeaning.STATE:
        _hear_state(draft, signal, sample, last)
    else:
        _hear_counter(draft, signal, sample, last)


def _hear_state(
    draft: Draft, signal: Signal, sample: Sample, last: SignalState | None
) -> None:
    word = str(sample.value)
    if last is not None and last.value == word and not last.is_bad:
        return
    draft.emit(
        f.SignalRead(signal=SignalState(tag=signal.tag, value=word, at=draft.at))
    )
    meaning = draft.state.site.item_state(signal, word)
    if meaning is None:
        _gap(draft, signal.tag, f"state word '{word}' is not in its map")
        return
    unit = signal.work_unit
    known = draft.state.equipment.get(unit) or Equipment(work_unit=unit)
    if known.link is None:
        known = replace(known, link=LinkState.CONNECTED, link_since=draft.at)
    changed = replace(known, item_state=ItemState(meaning), word=word, since=draft.at)
    _set_equipment(draft, known, changed)
    if changed.item_state is ItemState.EXECUTING:
        job = active_job(draft, draft.state.site.work_unit(unit))
        if job is not None:
            _begin_if(draft, job, BeginOn.EXECUTING)


def _set_equipment(draft: Draft, known: Equipment, changed: Equipment) -> None:
    draft.emit(f.EquipmentChanged(equipment=changed))
    if known.is_out_of_service != changed.is_out_of_service:
        unit = draft.state.site.work_unit(changed.work_unit)
        for job in draft.state.job_order.find("live_at", unit.work_center):
            if job.equipment_class in unit.classes:
                draft.touch(job.id)


def _hear_counter(
    draft: Draft, signal: Signal, sample: Sample, last: SignalState | None
) -> None:
    count = _as_count(sample.value)
    if count is None:
        if last is None or not last.is_bad:
            _mark_bad(draft, signal.tag, last, f"'{sample.value}' is no count")
        return
    was_bad = last is not None and last.is_bad
    if last is not None and was_bad:
        last = replace(last, is_bad=False)
    reading = read_counter(signal, last, count, draft.heard_at)
    equipment = draft.state.equipment.get(signal.work_unit)
    lost_at = 0 if equipment is None else equipment.lost_at
    if reading is None:
        if last is not None and (was_bad or last.at <= lost_at):
            # Nothing was made in the outage: what comes now came after it.
            draft.emit(f.SignalRead(signal=replace(last, at=draft.heard_at)))
        return
    draft.emit(
        f.SignalRead(signal=reading.state, change=reading.change, delta=reading.delta)
    )
    job = active_job(draft, draft.state.site.work_unit(signal.work_unit))
    unit = DEFAULT_UNIT if job is None else job.unit
    pieces = _pieces(signal, last, reading, unit)
    if pieces > MAX_QUANTITY:
        _gap(draft, signal.tag, f"a jump by {reading.delta} is no production")
    elif pieces > ZERO:
        doubt = None
        if reading.change is CounterChange.SUSPECT:
            doubt = UnassignedReason.SUSPECT_COUNT
        elif last is not None and _is_of_an_outage(draft, job, last, lost_at):
            doubt = UnassignedReason.SPANS_OUTAGE
        _count(draft, signal, pieces, doubt)


def _is_of_an_outage(
    draft: Draft, job: JobOrder | None, last: SignalState, lost_at: int
) -> bool:
    """Whether the job order was begun in an outage, so that others made some of it."""
    run = None if job is None or job.run is None else draft.state.run.get(job.run)
    begun_at = None if run is None else run.begun_at
    return begun_at is not None and last.at <= lost_at < begun_at


def _pieces(
    signal: Signal, last: SignalState | None, reading: CounterReading, unit: str
) -> Decimal:
    """Return what a reading has made, in whole numbers of what ``unit`` counts.

    Where several counts make a piece, it is made by the last of them.
    """
    if reading.change is CounterChange.SUSPECT:
        return floored(reading.delta * signal.factor, unit=unit)
    before = 0 if last is None else last.position
    made = floored(reading.state.position * signal.factor, unit=unit)
    return made - floored(before * signal.factor, unit=unit)


def _as_count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not 0 <= value <= MAX_COUNT or value != value // 1:
        return None
    return int(value)


def _count(
    draft: Draft, signal: Signal, pieces: Decimal, doubt: UnassignedReason | None
) -> None:
    role = "good" if signal.means is SignalMeaning.GOOD_COUNT else "scrap"
    unit = draft.state.site.work_unit(signal.work_unit)
    job = active_job(draft, unit)
    if doubt is None:
        booked, reason = _book(draft, job, role, pieces)
    else:
        booked, reason = ZERO, doubt
    if booked < pieces:
        draft.emit(
            f.ProductionUnassigned(
                production=UnassignedProduction(
                    seq=draft.next_seq,
                    work_unit=unit.id,
                    tag=signal.tag,
                    role=role,
                    quantity=pieces - booked,
                    reason=reason,
                    at=draft.at,
                    job_order=None if job is None else job.id,
                )
            )
        )
    known = draft.state.machine_tally.get((unit.id, role)) or MachineTally(
        work_unit=unit.id, role=role, counted=ZERO, booked=ZERO, unassigned=ZERO
    )
    draft.emit(
        f.MachineCounted(
            tally=replace(
                known,
                counted=known.counted + pieces,
                booked=known.booked + booked,
                unassigned=known.unassigned + pieces - booked,
            )
        )
    )


def _book(
    draft: Draft, job: JobOrder | None, role: str, pieces: Decimal
) -> tuple[Decimal, UnassignedReason]:
    """Book what the job order can take of ``pieces``; say why not the rest."""
    if job is None:
        return ZERO, UnassignedReason.NO_ACTIVE_RUN
    job = _begin_if(draft, job, BeginOn.FIRST_COUNT, BeginOn.EXECUTING)
    run = None if job.run is None else draft.state.run.get(job.run)
    begun_at = None if run is None else run.begun_at
    if job.state not in AT_WORK or begun_at is None or draft.told_at < begun_at:
        return ZERO, UnassignedReason.BEFORE_BEGIN
    if role == "scrap" and not job.expects_pieces:
        return ZERO, UnassignedReason.PAST_QUANTITY
    booked = min(pieces, can_take(draft, job))
    if booked > ZERO:
        book(draft, job, count_report(job, role, booked), source="machine")
    return booked, UnassignedReason.PAST_QUANTITY


def _begin_if(draft: Draft, job: JobOrder, *occasions: BeginOn) -> JobOrder:
    """Begin a loaded job order whose step says that this is what begins it."""
    is_loaded = job.state in {
        JobOrderState.ALLOWED_LOADED,
        JobOrderState.RUNNING_SETUP,
    }
    if not is_loaded or step_of(draft.state, job).begin_on not in occasions:
        return job
    windows.catch_up(draft, job)
    if unmet_guards(draft.state, job, JobOrderTrigger.BEGIN, draft.asker):
        return job
    return begin(draft, BeginJobOrder(job_order=job.id))


def active_job(draft: Draft, unit: WorkUnit) -> JobOrder | None:
    """Return the job order that a count of ``unit`` belongs to now.

    A counter counts for one active run at a time: where the unit works on several, for
    the one that was begun first. What is staged is next, if nothing is active.
    """
    claims = claims_of(draft.state, unit)
    runs = claims[Lane.ACTIVE] or claims[Lane.STAGED]
    begun = sorted(
        runs, key=lambda one: (one.begun_at is None, one.begun_at or one.opened_at)
    )
    return draft.job(begun[0].job_order) if begun else None


def _mark_bad(draft: Draft, tag: str, last: SignalState | None, reason: str) -> None:
    known = last or SignalState(tag=tag)
    draft.emit(f.SignalRead(signal=replace(known, is_bad=True)))
    _gap(draft, tag, reason)


def _gap(draft: Draft, tag: str, reason: str) -> None:
    draft.emit(f.GapSeen(tag=tag, reason=reason, at=draft.at))
