"""What comes next with a job order, and how a whole shop is brought to its end."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from mes_engine.core import messages as m
from mes_engine.core.decide import explain
from mes_engine.core.job_order import (
    INTERRUPTED,
    RUNNING,
    JobOrder,
    JobOrderState,
    JobOrderTrigger,
)
from mes_engine.core.measured_data import asked_of
from mes_engine.core.personnel import Qualification
from mes_engine.core.plant import SignalMeaning, WorkUnit
from mes_engine.core.postings import PostingState
from mes_engine.core.quantity import MAX_QUANTITY, ZERO
from mes_engine.core.readiness import remaining
from mes_engine.core.requests import OVER, WorkRequestState
from mes_engine.core.runs import Lane
from mes_engine.core.samples import LinkReport, LinkState
from mes_engine.core.state import State
from mes_engine.core.time_windows import WindowState
from mes_engine.core.whereabouts import here
from tests.core.plants import a_plant
from tests.core.shop import Shop
from tests.core.watch import broken, is_allowed, parts_by_data

S, T = JobOrderState, JobOrderTrigger


def next_commands(state: State, job: JobOrder, good: Decimal) -> Iterator[m.Command]:
    """Yield what a person would do next with a job order, if it is allowed."""
    allowed = {one.trigger for one in explain(state, job) if one.is_allowed}
    unit = free_unit(state, job)
    if T.RELEASE in allowed:
        yield m.AssertTrigger(job_order=job.id, trigger=T.RELEASE)
    elif T.LOAD in allowed and unit is not None:
        yield m.LoadJobOrder(job_order=job.id, work_unit=unit.id)
    elif T.BEGIN in allowed:
        yield m.BeginJobOrder(job_order=job.id)
    elif T.RESUME in allowed:
        yield m.ResumeJobOrder(job_order=job.id)
    elif job.state in INTERRUPTED and job.run is None and unit is not None:
        yield m.ResumeJobOrder(job_order=job.id, work_unit=unit.id)
    elif job.state in RUNNING:
        yield from _reports(state, job, good)


def _reports(state: State, job: JobOrder, good: Decimal) -> Iterator[m.Command]:
    """Report ``good`` pieces, or all there are; then the job order is complete."""
    at_step = here(state, job)
    there = at_step.to_work if job.expects_pieces else remaining(job)
    suspect = at_step.suspect
    amount = min(good, there) if good else there
    if amount:
        yield m.ReportQuantity(job_order=job.id, good=amount)
    if suspect:
        yield m.ReportQuantity(
            job_order=job.id,
            scrap=(m.Scrapped(quantity=suspect, reason="crack"),),
            taken_from=m.ReportFrom.SUSPECT,
        )
    for asked in asked_of(state, job):
        for lot in asked.lacking:
            yield m.RecordMeasurement(
                job_order=job.id,
                characteristic=asked.characteristic.name,
                value="10",
                lot=lot or None,
            )
    if amount == there and is_allowed(state, job.id, T.COMPLETE):
        yield m.AssertTrigger(job_order=job.id, trigger=T.COMPLETE)


def free_unit(state: State, job: JobOrder) -> WorkUnit | None:
    """Return a work unit whose active lane is free for the job order."""
    for unit in state.site.capable_units(job.work_center, job.equipment_class):
        runs = state.run.find("work_unit", unit.id)
        if sum(run.lane is Lane.ACTIVE for run in runs) < unit.active:
            return unit
    return None


PRODUCTION = 1
"""The mode of a machine that works (PackML's UnitModeCurrent)."""


def finish(shop: Shop) -> None:
    """Bring every released request to its end; nothing may be stuck."""
    _clear_the_way(shop)
    for _ in range(200):
        seq = shop.state.seq
        _keep_time_windows(shop)
        _tell_ways(shop)
        for one in live_jobs(shop.state):
            job = shop.by_id(one.id)
            if job.is_over:
                continue  # With another: in one run, or as it left it nothing.
            for command in next_commands(shop.state, job, ZERO):
                accept(shop, command)
        if shop.state.seq == seq:
            break
    left = [f"{job.id} {job.step} {job.state}" for job in live_jobs(shop.state)]
    assert left == [], left
    for posting in sorted(shop.state.posting.values(), key=lambda one: one.stream_seq):
        state = PostingState.ACKNOWLEDGED
        accept(shop, m.RecordPosting(posting=posting.key, state=state))
    for request in list(shop.state.work_request.values()):
        if request.state is WorkRequestState.COMPLETED:
            accept(shop, m.CloseWorkRequest(work_request=request.id))
    found = broken(shop.state)
    assert found == [], found


def _clear_the_way(shop: Shop) -> None:
    """Take holds off, see that machines are well and material is there."""
    shop.commit()
    for signal in shop.state.site.plant.signals:
        if signal.means is SignalMeaning.MODE:
            shop.hear(shop.a_sample(signal.tag, PRODUCTION))
    accept(shop, m.ApplyPlant(plant=a_plant()))
    while held := [one for one in shop.state.hold.values() if one.is_open]:
        for hold in held:  # What moves on may be caught by the next of them.
            person = hold.releaser or "Maria"
            accept(shop, m.ReleaseHold(hold=hold.id), person=person)
    _bring_what_work_needs(shop)
    shop.hear(LinkReport(state=LinkState.CONNECTED, at=shop.at))
    for tag in ("mill-1.state", "mill-2.state"):
        shop.hear(shop.a_sample(tag, 4))
    for material, unit in (("steel", "KGM"), ("bracket", "C62"), ("lid", "C62")) * 4:
        command = m.ReceiveMaterial(
            material=material, unit=unit, quantity=MAX_QUANTITY, supplier="S"
        )
        accept(shop, command)


def _tell_ways(shop: Shop) -> None:
    """Send what no measured data has told the way along the first one."""
    for one in list(shop.state.position.values()):
        visit = shop.state.visit.get(one.place)
        ways = parts_by_data(shop.state, one)
        if visit is None or not one.out or not ways:
            continue
        request = shop.state.work_request.get(visit.request)
        if request is None or request.state in OVER:
            continue  # It stays where it is.
        known = [each for each in visit.ways if each.lot == one.lot]
        if not any(each.is_set or one.moved_out for each in known):
            command = m.ChooseAlternative(
                work_request=visit.request,
                step=visit.step,
                target=ways[0].target,
                pass_number=visit.pass_number,
                lot=one.lot,
                reason="at the end",
            )
            accept(shop, command)


def _keep_time_windows(shop: Shop) -> None:
    """Take those off that stand in the way of work."""
    for window in list(shop.state.time_window.values()):
        if window.is_live and window.state is not WindowState.WAIVED:
            accept(shop, m.WaiveTimeWindow(window=window.id, reason="at the end"))


def _bring_what_work_needs(shop: Shop) -> None:
    """Have the tools fit and at the saw, people qualified, documents released."""
    if shop.state.person.get("Maria") is None:
        return
    skill = Qualification(name="saw", level=2)
    accept(shop, m.GrantQualification(person="Maria", qualification=skill))
    accept(shop, m.ReleaseDocument(document="DOC-1", revision="A", title="How to"))
    for one in list(shop.state.physical_asset.values()):
        if one.run is None:
            command = m.RegisterAsset(
                asset=one.id, asset_class=one.asset_class, name=one.name, crib=one.crib
            )
            accept(shop, command)
        if not one.is_usable:
            accept(shop, m.ReturnTool(asset=one.id, renews_life=True, reason="well"))
        if one.work_unit not in {None, "cut-1"} and one.run is None:
            accept(shop, m.UnmountTool(asset=one.id))
        if one.work_unit != "cut-1" and one.run is None:
            accept(shop, m.MountTool(asset=one.id, work_unit="cut-1"))


def accept(shop: Shop, command: m.Command, **changed: Any) -> None:
    """Do what must be accepted."""
    answer = shop.do(command, **changed)
    assert answer.outcome is m.Outcome.ACCEPTED, answer


def live_jobs(state: State) -> list[JobOrder]:
    """Return the job orders of released requests that are not over, in order."""
    released = {one.id for one in state.work_request.values() if one.is_released}
    jobs = sorted(state.job_order.values(), key=lambda one: one.number)
    return [job for job in jobs if job.request in released and not job.is_over]
