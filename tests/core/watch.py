"""What must hold of a shop whatever was done to it, and how it is brought to an end."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.conditions import ConditionName
from mes_engine.core.decide import explain
from mes_engine.core.job_order import (
    END_STATES,
    INTERRUPTED,
    JOB_ORDER_CHART,
    READY,
    RUNNING,
    WAITING,
    JobOrder,
    JobOrderState,
    JobOrderTrigger,
)
from mes_engine.core.labour import LabourInterval
from mes_engine.core.laws import broken_laws
from mes_engine.core.lots import LotExistence
from mes_engine.core.postings import Posting, PostingKind
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import readiness
from mes_engine.core.runs import HoldScope, Lane, Run
from mes_engine.core.state import State
from mes_engine.core.steps import Connection
from mes_engine.core.wip_ledger import Bucket, Position
from tests.core.shop import SECOND, Shop

S, T = JobOrderState, JobOrderTrigger
REGROUPED = (LotExistence.SPLIT, LotExistence.MERGED, LotExistence.VOIDED)
QUALIFIED = ConditionName.PERSON_QUALIFIED
SAID_BY_NAME_ALONE = frozenset(
    {
        T.RELEASE,
        T.REVOKE_START,
        T.UNLOAD,
        T.BEGIN_SETUP,
        T.COMPLETE,
        T.CANCEL,
        T.CLOSE,
        T.TO_SUSPENDED,
    }
)


def is_allowed(state: State, job_order: str, trigger: JobOrderTrigger) -> bool:
    """Whether the legal triggers of a job order, as shown, have this one."""
    job = state.job_order.get(job_order)
    if job is None:
        return False
    return any(one.is_allowed and one.trigger is trigger for one in explain(state, job))


def states(state: State) -> dict[str, JobOrderState]:
    """Return where each job order stands."""
    return {job.id: job.state for job in state.job_order.values()}


def check_states(
    before: dict[str, JobOrderState], state: State, facts: Sequence[f.Recorded]
) -> None:
    """See that job orders moved along rows of the chart only, and none out of an end.

    Completed to closed is the one way on; nothing leads back to work.
    """
    now = dict(before)
    for recorded in facts:
        fact = recorded.fact
        if isinstance(fact, f.JobOrderStored):
            now[fact.job_order.id] = fact.job_order.state
        if isinstance(fact, f.JobOrderMoved):
            row = JOB_ORDER_CHART.row(fact.source, fact.trigger)
            assert row is not None
            assert row.dest is fact.state
            assert now[fact.job_order] is fact.source
            assert fact.source not in END_STATES or fact.state is S.ENDED_CLOSED
            now[fact.job_order] = fact.state
    assert now == states(state)


def with_fact(recorded: f.Recorded, fact: f.Fact) -> f.Recorded:
    """Return the record with another reading of its fact."""
    return msgspec.structs.replace(recorded, fact=fact)


def broken(state: State) -> list[str]:
    """Return everything that does not hold of a state."""
    return [
        *broken_laws(state),
        *_broken_claims(state),
        *_broken_totals(state),
        *_broken_times(state),
        *_broken_finals(state),
        *_orphans(state),
        *_lots_without_an_end(state),
        *_too_often(state),
        *_stale(state),
    ]


def _too_often(state: State) -> Iterator[str]:
    """No piece has been through a rework loop more often than its limit."""
    for visit in state.visit.values():
        request = state.work_request.get(visit.request)
        routing = request and state.routing.get((request.routing, request.revision))
        for one in visit.rework:
            limit = routing.loop(one.loop).limit if routing else 0
            if one.pass_number - 1 > limit:
                yield f"{visit.id} is pass {one.pass_number}, the limit is {limit}"


def _broken_claims(state: State) -> Iterator[str]:
    """Runs and job orders agree, and no work unit has more than it can take."""
    on_unit: dict[tuple[str, Lane], Decimal] = defaultdict(lambda: ZERO)
    units = state.site.work_units
    runs = {run.id: run for run in state.run.values() if run.is_open}
    for run in runs.values():
        on_unit[run.work_unit, run.lane] += run.occupies
        yield from _strangers(state, run)
    for (name, lane), count in on_unit.items():
        unit = units[name]
        if count > (unit.active if lane is Lane.ACTIVE else unit.staged):
            yield f"{name} has {count} runs {lane}"
    for job in state.job_order.values():
        found = None if job.run is None else runs.get(job.run)
        if (job.run is None) != (found is None):
            yield f"{job.id} names {job.run}, which is not open"
        must = job.state in {S.ALLOWED_LOADED, *RUNNING}
        if must != (found is not None) and job.state not in INTERRUPTED:
            yield f"{job.id} is {job.state} and has run {job.run}"
        if found is not None and job.state in RUNNING and found.lane is not Lane.ACTIVE:
            yield f"{job.id} runs on lane {found.lane}"


def _strangers(state: State, run: Run) -> Iterator[str]:
    for name in run.job_orders:
        job = state.job_order.get(name)
        if job is None or job.run != run.id:
            yield f"{run.id} claims {run.work_unit} for {name}, which has none"
        if state.run_member.get((name, run.id)) is None:
            yield f"{name} was never said to be in {run.id}"


def _broken_totals(state: State) -> Iterator[str]:
    """What job orders reported at a visit is what the ledger has there."""
    jobs: dict[str, list[JobOrder]] = defaultdict(list)
    for job in state.job_order.values():
        jobs[job.visit].append(job)
    for visit, here in jobs.items():
        found = state.visit.get(visit)
        if not here[0].expects_pieces or (found is not None and found.skips):
            continue
        positions = state.position.find("place", visit)
        for bucket in (Bucket.SCRAP, Bucket.LOST, Bucket.TESTED):
            reported = sum((getattr(job, bucket.value) for job in here), ZERO)
            booked = sum((one.of(bucket) for one in positions), ZERO)
            if reported != booked:
                yield f"{visit}: {reported} reported {bucket}, {booked} booked"
        good = sum((job.good + job.reworked + job.deviated for job in here), ZERO)
        gone = sum((one.out + one.transit + one.moved_out for one in positions), ZERO)
        if good != gone:
            yield f"{visit}: {good} reported good, {gone} came out"


def _broken_times(state: State) -> Iterator[str]:
    """Times of runs are in those of their job orders, and posted no more than once."""
    clocked: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    members: dict[str, list[str]] = defaultdict(list)
    for member in state.run_member.values():
        members[member.run].append(member.job_order)
    for run in state.run.values():
        if len(run.job_orders) == 1 and len(members[run.id]) == 1:
            clocked[run.job_orders[0]][0] += run.setup_us
            clocked[run.job_orders[0]][1] += run.processing_us
        if run.closed_at is not None and run.closed_at < run.opened_at:
            yield f"{run.id} was closed before it was opened"
        if run.setup_us < 0 or run.processing_us < 0:
            yield f"{run.id} ran backwards"
    posted: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for posting in state.posting.values():
        sign = -1 if posting.kind is PostingKind.REVERSE else 1
        posted[posting.job_order][0] += sign * posting.setup_s * SECOND
        posted[posting.job_order][1] += sign * posting.processing_s * SECOND
    for job in state.job_order.values():
        for of, clock, told, raised, kept in (
            ("setup", 0, job.setup_us, job.posted_setup_us, posted[job.id][0]),
            ("run", 1, job.processing_us, job.posted_processing_us, posted[job.id][1]),
        ):
            if not clocked[job.id][clock] <= told or not kept == raised <= told:
                yield f"{job.id}: {of} {clocked[job.id]}, {told} told, {kept} posted"


def _broken_finals(state: State) -> Iterator[str]:
    """The final posting of a step is one, the last of it, and after its work.

    What was taken back, and what took it back, is as if it had never been; only labour
    may be told late.
    """
    reversed_ones = {one.reverses for one in state.posting.values()}
    of_visit: dict[str, list[Posting]] = defaultdict(list)
    for posting in sorted(state.posting.values(), key=lambda one: one.stream_seq):
        job = state.job_order.get(posting.job_order)
        counts = posting.reverses is None and posting.key not in reversed_ones
        if posting.labour_s and not (posting.good or posting.scrap or posting.is_final):
            continue  # Time of people that was told late says nothing of pieces.
        if job is not None and counts:
            of_visit[job.visit].append(posting)
    for visit, postings in of_visit.items():
        if any(one.is_final for one in postings[:-1]):
            yield f"{visit}: something was posted after the final posting"
        found = state.visit.get(visit)
        is_done = found is not None and found.is_done
        if postings[-1].is_final != is_done:
            yield f"{visit}: done is {is_done}, the last posting is {postings[-1]}"


def _orphans(state: State) -> Iterator[str]:
    """Pieces on the floor belong to one job order that is not over, or to siblings."""
    live: dict[tuple[str, str | None], set[str]] = defaultdict(set)
    for job in state.job_order.values():
        if not job.is_over:
            live[job.visit, job.lot].add(job.split_of or job.id)
    for (visit, lot), names in live.items():
        if len(names) > 1:
            yield f"{visit} has the live job orders {names} of lot {lot}"
    for one in state.position.values():
        takers = live[one.place, one.lot] | live[one.place, None]
        if state.hold.find("target", (HoldScope.LOT, one.lot)):
            continue  # What was finished under a hold waits where it is.
        if one.on_floor == one.out and parts_by_data(state, one):
            continue  # So does what no measured data has told the way.
        if not one.is_stock and one.on_floor and not takers:
            yield f"{one.on_floor} of {one.lot} at {one.place} belong to no job order"


def parts_by_data(state: State, position: Position) -> list[Connection]:
    """Return the ways between which measured data tells, of what is at a step."""
    visit = state.visit.get(position.place)
    request = None if visit is None else state.work_request.get(visit.request)
    if visit is None or request is None:
        return []
    routing = state.routing.get((request.routing, request.revision))
    leaving = [] if routing is None else list(routing.leaving(visit.step))
    return leaving if any(one.is_conditional for one in leaving) else []


def _lots_without_an_end(state: State) -> Iterator[str]:
    """Zero is the end of a lot that no work can add to any more."""
    reopened = {one.request for one in state.reversal.values()}
    for lot in state.lot.values():
        held = sum((one.held for one in state.position.find("lot", lot.id)), ZERO)
        jobs = state.job_order.find("request", lot.request)
        is_over = held == ZERO and all(job.is_over for job in jobs)
        if is_over and _waits_for_its_way(state, lot.request):
            continue
        is_gone = lot.existence is not LotExistence.ACTIVE and held == ZERO
        if is_gone and (lot.existence in REGROUPED or lot.request in reopened):
            continue  # Others have its pieces, or its request is open again.
        if is_over != (lot.existence is not LotExistence.ACTIVE):
            yield f"{lot.id} is {lot.existence} with {held}"


def _waits_for_its_way(state: State, request: str | None) -> bool:
    """Whether pieces are at a step that nobody works on: another work may follow."""
    found = state.position.find("request", request)
    return any(one.on_floor for one in found)


def _stale(state: State) -> Iterator[str]:
    """Readiness is what its conditions say, and they are as they would be computed.

    Where a qualification is about to expire, who is qualified is a matter of when.
    """
    is_timed = any(one.expires_at is not None for one in state.person.values())
    for job in state.job_order.values():
        if job.state not in WAITING | READY:
            continue
        computed = {one.name: one.is_met for one in readiness(state, job)}
        kept = {one.name: one.is_met for one in job.conditions}
        if is_timed and QUALIFIED in kept:
            computed[QUALIFIED] = kept[QUALIFIED]
        if computed != kept:
            yield f"{job.id}: {computed} computed, {kept} kept"
        if all(kept.values()) != (job.state in READY):
            yield f"{job.id} is {job.state} with {kept}"


def broken_clocks(shop: Shop) -> list[str]:
    """Return each job order whose times are not the sum of what was booked."""
    booked: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for recorded in (*shop.journal, *shop.pending):
        fact = recorded.fact
        if isinstance(fact, f.TimeBooked):
            told = (fact.setup_us, fact.processing_us, fact.down_us)
            booked[fact.job_order] = [
                before + more
                for before, more in zip(booked[fact.job_order], told, strict=True)
            ]
    return [
        f"{job.id}: {booked[job.id]} booked, {job}"
        for job in shop.batch.job_order.values()
        if booked[job.id] != [job.setup_us, job.processing_us, job.down_us]
    ]


def broken_shares(shop: Shop) -> list[str]:
    """Return each run whose time is not the sum of what its job orders have of it."""
    booked: dict[str | None, list[int]] = defaultdict(lambda: [0, 0])
    before: f.Fact | None = None
    for recorded in (*shop.journal, *shop.pending):
        fact = recorded.fact
        # What a person reports, or takes back, comes after it, and is no clock's.
        is_clocked = not isinstance(before, f.QuantityReported | f.BookingReversed)
        if isinstance(fact, f.TimeBooked) and is_clocked:
            booked[fact.run][0] += fact.setup_us
            booked[fact.run][1] += fact.processing_us
        before = fact
    return [
        f"{run.id}: {booked[run.id]} shared out, {run}"
        for run in shop.batch.run.values()
        if booked[run.id] != [run.setup_us, run.processing_us]
    ]


def times_of(state: State, person: str) -> tuple[LabourInterval, ...]:
    """Return a person's times, as a door would read them."""
    known = state.labour_interval.values()
    return tuple(one for one in known if one.person == person)


def broken_labour(shop: Shop) -> list[str]:
    """Return what of people's time is on no job order, or on one twice, or too late."""
    booked: dict[tuple[str, str], int] = defaultdict(int)
    of_job: dict[str, int] = defaultdict(int)
    for recorded in (*shop.journal, *shop.pending):
        fact = recorded.fact
        if isinstance(fact, f.LabourBooked):
            booked[fact.person, fact.run] += fact.labour_us
            of_job[fact.job_order] += fact.labour_us
    for one in shop.batch.labour_interval.values():
        booked[one.person, one.run] -= one.labour_us
    told = [f"{key}: {left} us on no interval" for key, left in booked.items() if left]
    told += [
        f"{job.id} has {job.labour_us}, {of_job[job.id]} booked"
        for job in shop.batch.job_order.values()
        if job.labour_us != of_job[job.id]
    ]
    for one in shop.batch.labour_interval.values():
        run = shop.batch.run.get(one.run)
        if one.is_open and (run is None or not run.is_open):
            told.append(f"{one.person} is on {one.run}, which is over")
    return told


def broken_tallies(shop: Shop) -> list[str]:
    """Return each machine whose counts do not add up, or differ from the facts."""
    told = []
    stretches = {
        recorded.fact.production.seq: recorded.fact.production
        for recorded in (*shop.journal, *shop.pending)
        if isinstance(recorded.fact, f.ProductionUnassigned | f.ProductionSettled)
    }
    unassigned: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for one in stretches.values():
        unassigned[one.work_unit, one.role] += one.left
    for tally in shop.batch.machine_tally.values():
        if tally.counted != tally.booked + tally.unassigned + tally.dismissed:
            told.append(f"{tally}: does not add up")
        if tally.unassigned != unassigned[tally.work_unit, tally.role]:
            told.append(f"{tally}: {unassigned[tally.work_unit, tally.role]} in facts")
    return told
