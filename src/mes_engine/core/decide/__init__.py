"""Decide what a message does: the facts that follow from it, and the answer.

Messages come one by one, each with a layer of the state that its facts are put into.
Nothing here does I/O or reads a clock: the same state, message and time give the same
decision.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.decide import (
    alternatives,
    carrying,
    changes,
    changing_over,
    clocks,
    consuming,
    deviating,
    dispatch,
    documents,
    ending,
    events,
    handshaking,
    holds,
    job_control,
    job_orders,
    labour,
    late_labour,
    limits,
    lots,
    machine,
    machine_calls,
    machine_jobs,
    measuring,
    packing,
    parallel,
    periods,
    personnel,
    plant_changes,
    posting,
    production,
    regrouping,
    reporting,
    requests,
    reversing,
    rework,
    serialising,
    shipping,
    signal_clock,
    skipping,
    stock,
    tools,
    windows,
)
from mes_engine.core.decide.chart import TriggerView, check, explain
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.transacting import Make
from mes_engine.core.decide.visits import derive_request
from mes_engine.core.errors import Malformed, MesError, NotFound, Refused
from mes_engine.core.guards import unmet
from mes_engine.core.job_order import JOB_ORDER_CHART as CHART
from mes_engine.core.job_order import (
    READY,
    WAITING,
    JobOrder,
    JobOrderTrigger,
)
from mes_engine.core.lot_names import with_lots
from mes_engine.core.machine_jobs import MachineJobList
from mes_engine.core.readiness import readiness
from mes_engine.core.samples import (
    DataGap,
    EventRefresh,
    EventSample,
    LinkReport,
    Sample,
    SampleGroup,
    occurred_at,
    told_at,
)
from mes_engine.core.signals import corrected, read_clock
from mes_engine.core.state import State

__all__ = ["Decision", "TriggerView", "decide", "explain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a message did.

    Attributes:
        facts: In order; they have been put into the layer already.
        answer: To a command; None for what was sensed.
    """

    facts: tuple[f.Recorded, ...]
    answer: m.Answer | None = None


def decide(layer: State, message: m.Message, *, now: int) -> Decision:
    """Put what ``message`` does into ``layer``, and say what that was.

    A refusal is an answer, not an error: nothing but the answer itself is kept of it.

    Args:
        layer: To be merged or thrown away by the caller.
        message: Not handled before.
        now: Microseconds of UTC.
    """
    match message:
        case m.Sensed():
            return _sensed(layer, message, now)
        case m.Commanded():
            return _commanded(layer, message, now)


def _sensed(layer: State, sensed: m.Sensed, now: int) -> Decision:
    report = sensed.report
    cause = f"{sensed.source}/{sensed.epoch}/{sensed.n}"
    if isinstance(report, LinkReport):
        draft = Draft(layer, now=now, at=report.at, cause=cause, person="")
        machine.hear_link(draft, sensed.source, report)
    elif isinstance(report, DataGap):
        draft = Draft(layer, now=now, at=report.until, cause=cause, person="")
        machine.hear_gap(draft, sensed.source, report)
    elif isinstance(report, MachineJobList):
        draft = Draft(layer, now=now, at=report.at, cause=cause, person="")
        machine_jobs.hear_jobs(draft, sensed.source, report)
    elif isinstance(report, EventRefresh):
        draft = Draft(layer, now=now, at=report.at, cause=cause, person="")
        events.hear_refresh(draft, sensed.source, report, _carried_out)
    elif isinstance(report, SampleGroup):
        draft = _grouped(layer, sensed.source, report, cause, now)
    elif isinstance(report, EventSample):
        draft = Draft(
            layer,
            now=now,
            at=occurred_at(report),
            cause=cause,
            person="",
            told_at=told_at(report),
            heard_at=report.received_at,
        )
        events.hear_event(draft, sensed.source, report, _carried_out)
    else:
        draft = _sampled(layer, sensed.source, report, cause, now)
    _settle(draft)
    return Decision(facts=tuple(draft.records))


def _sampled(layer: State, source: str, sample: Sample, cause: str, now: int) -> Draft:
    """Hear one value, by the clock behind its link as far as that can be believed."""
    clock = layer.link_clock.get(source)
    read = read_clock(clock, sample, source)
    if clock is not None:
        sample = corrected(sample, clock)
    draft = Draft(
        layer,
        now=now,
        at=occurred_at(sample),
        cause=cause,
        person="",
        told_at=told_at(sample),
        heard_at=sample.received_at,
    )
    if read is not None:
        clocks.tell_clock(draft, clock, read)
    machine.hear_sample(draft, source, sample, _carried_out)
    return draft


def _grouped(
    layer: State, source: str, group: SampleGroup, cause: str, now: int
) -> Draft:
    """Hear each value of a group, then what it says as a whole."""
    gate = next((one for one in group.samples if one.tag == group.gate), None)
    draft = Draft(
        layer,
        now=now,
        at=group.at if gate is None else occurred_at(gate),
        cause=cause,
        person="",
        told_at=group.at if gate is None else told_at(gate),
        heard_at=group.at,
    )
    for sample in group.samples:
        machine.hear_sample(draft, source, sample, _carried_out)
    handshaking.hear_group(draft, source, group, _carried_out)
    return draft


def _carried_out(draft: Draft, make: Make) -> m.Answer:
    """Decide a command of a machine: all that it does, or nothing of it."""
    count = len(draft.records)
    touched, lots = dict(draft.touched), dict(draft.lots)
    layer = draft.state
    try:
        with layer.attempt():
            command = make(draft)
            result = _HANDLERS[type(command)](draft, command)
            _settle(draft)
    except (Refused, NotFound, Malformed) as error:
        del draft.records[count:]
        draft.touched, draft.lots = touched, lots
        return _refusal(error, layer.seq)
    return m.Answer(outcome=m.Outcome.ACCEPTED, result=result, seq=layer.seq)


def _commanded(layer: State, commanded: m.Commanded, now: int) -> Decision:
    cause = f"{commanded.origin}:{commanded.key}"
    draft = Draft(layer, now=now, at=commanded.at, cause=cause, person=commanded.person)
    try:
        with layer.attempt():
            command = with_lots(layer, commanded.command)
            result = _HANDLERS[type(command)](draft, command)
            _settle(draft)
            result = _as_settled(draft, result)
    except (Refused, NotFound, Malformed) as error:
        draft.records.clear()
        answer = _refusal(error, layer.seq)
    else:
        answer = m.Answer(outcome=m.Outcome.ACCEPTED, result=result, seq=layer.seq)
    if answer.outcome in m.KEPT:
        draft.emit(
            f.CommandHandled(
                origin=commanded.origin,
                key=commanded.key,
                digest=commanded.digest,
                answer=answer,
                at=now,
            )
        )
    return Decision(facts=tuple(draft.records), answer=answer)


def _as_settled(draft: Draft, result: dict[str, str]) -> dict[str, str]:
    """Tell the state that the job order is in after all that followed."""
    job = draft.state.job_order.get(result.get("job_order", ""))
    if job is None or "state" not in result:
        return result
    return {**result, "state": job.state.value}


def _refusal(error: MesError, seq: int) -> m.Answer:
    outcome = m.Outcome.MALFORMED
    unmet_told: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    if isinstance(error, Refused):
        outcome = m.Outcome.REFUSED
        unmet_told, allowed = error.unmet, error.allowed
    elif isinstance(error, NotFound):
        outcome = m.Outcome.NOT_FOUND
    return m.Answer(
        outcome=outcome,
        message=error.message,
        hint=error.hint,
        unmet=unmet_told,
        allowed=allowed,
        seq=seq,
    )


def _settle(draft: Draft) -> None:
    """Compute readiness anew where it may have changed, and what follows from it."""
    requests_touched: dict[str, None] = {}
    for lot in draft.lots:
        holds.catch_lot(draft, lot)
    while draft.touched:
        touched, draft.touched = draft.touched, {}
        for name, may_be_others in touched.items():
            job = draft.job(name)
            requests_touched[job.request] = None
            if not job.is_over:
                holds.catch(draft, job)
                if may_be_others:
                    _refresh(draft, draft.job(name))
        limits.settle(draft, requests_touched)
    for name in requests_touched:
        derive_request(draft, name)


def _refresh(draft: Draft, job: JobOrder) -> None:
    conditions = readiness(draft.state, job, at=draft.now)
    if conditions != job.conditions:
        draft.emit(f.ConditionsChanged(job_order=job.id, conditions=conditions))
    lacks = unmet(conditions)
    trigger = None
    if job.state in WAITING and not lacks:
        trigger = JobOrderTrigger.PRECONDITIONS_MET
    elif job.state in READY and lacks:
        trigger = JobOrderTrigger.PRECONDITIONS_LOST
    row = None if trigger is None else CHART.row(job.state, trigger)
    if trigger is not None and row is not None:
        told = "; ".join(str(one) for one in lacks)
        draft.move_state(draft.job(job.id), trigger, row.dest, reason=told)


def _assert_trigger(draft: Draft, command: m.AssertTrigger) -> dict[str, str]:
    """Fire a trigger that needs nothing said but its name."""
    job = draft.job(command.job_order)
    trigger = command.trigger
    match trigger:
        case JobOrderTrigger.RELEASE:
            job = job_orders.release(draft, job)
        case JobOrderTrigger.REVOKE_START:
            job = job_orders.revoke_start(draft, job, command.reason)
        case JobOrderTrigger.UNLOAD:
            job = job_orders.unload(draft, job, command.reason)
        case JobOrderTrigger.BEGIN_SETUP:
            job = job_orders.begin_setup(draft, job)
        case JobOrderTrigger.COMPLETE:
            job = ending.complete(draft, job, command.reason)
        case JobOrderTrigger.CANCEL:
            job = ending.cancel(draft, job, command.reason)
        case JobOrderTrigger.CLOSE | JobOrderTrigger.TO_SUSPENDED:
            job = draft.move_state(job, trigger, check(draft, job, trigger))
        case JobOrderTrigger.TO_HELD:
            check(draft, job, trigger)
            holds.hold_back(draft, job)
        case _:
            check(draft, job, trigger)
            raise Refused(
                f"'{trigger}' of {job.id} follows from its conditions; nobody sets it.",
                hint="Change what the conditions speak of.",
                unmet=[str(one) for one in job.conditions if not one.is_met],
            )
    return _told(draft, job)


def _told(draft: Draft, job: JobOrder) -> dict[str, str]:
    now = draft.job(job.id)
    told = {"job_order": now.id, "state": now.state.value}
    if now.run is not None:
        told["run"] = now.run
    return told


def _check_signals(draft: Draft, _command: m.CheckSignals) -> dict[str, str]:
    return signal_clock.check_signals(draft, _carried_out)


Handler = Callable[[Draft, Any], dict[str, str]]


def _of_job(handler: Callable[[Draft, Any], JobOrder]) -> Handler:
    return lambda draft, command: _told(draft, handler(draft, command))


_HANDLERS: dict[type, Handler] = {
    m.ApplyPlant: plant_changes.apply_plant,
    m.ReleaseRouting: requests.release_routing,
    m.WithdrawRouting: requests.withdraw_routing,
    m.CreateWorkRequest: requests.create,
    m.ReleaseWorkRequest: requests.release_request,
    m.CloseWorkRequest: requests.close_request,
    m.CancelWorkRequest: requests.cancel_request,
    m.ChangeWorkRequest: changes.change,
    m.ChooseAlternative: alternatives.choose_alternative,
    m.AssertTrigger: _assert_trigger,
    m.LoadJobOrder: _of_job(dispatch.load_asked_for),
    m.LoadTogether: dispatch.load_together,
    m.BeginJobOrder: _of_job(job_orders.begin),
    m.ReportQuantity: reporting.report,
    m.PauseJobOrder: _of_job(job_orders.pause),
    m.MoveJobOrder: _of_job(job_orders.move_to),
    m.ResumeJobOrder: _of_job(job_orders.resume),
    m.StopJobOrder: _of_job(ending.stop),
    m.AbortJobOrder: _of_job(ending.abort),
    m.UpdateJobOrder: _of_job(job_orders.update),
    m.ClearJobOrder: _of_job(job_control.clear),
    m.RecordMachineJob: machine_jobs.record,
    m.CallMachine: machine_calls.call_machine,
    m.RecordMachineCall: machine_calls.record_call,
    m.DeviateLot: deviating.deviate,
    m.SkipStep: skipping.skip_step,
    m.SendToRework: rework.send_to_rework,
    m.SplitJobOrder: parallel.split,
    m.OpenHold: holds.open_hold,
    m.ReleaseHold: holds.release_hold,
    m.DispatchWorkUnit: dispatch.dispatch,
    m.SignOnPerson: labour.sign_on,
    m.SignOffPerson: late_labour.sign_off,
    m.BookLabour: late_labour.book,
    m.ReceiveMaterial: stock.receive,
    m.RegisterAsset: tools.register,
    m.MountTool: tools.mount,
    m.UnmountTool: tools.unmount,
    m.WithdrawTool: tools.withdraw,
    m.ReturnTool: tools.give_back,
    m.RegisterPerson: personnel.register_person,
    m.GrantQualification: personnel.grant,
    m.RevokeQualification: personnel.revoke,
    m.ExpireQualifications: personnel.expire,
    m.ReleaseDocument: documents.release_document,
    m.WithdrawDocument: documents.withdraw_document,
    m.ConsumeMaterial: consuming.consume_material,
    m.MoveStock: shipping.move_stock,
    m.ShipLot: shipping.ship_lot,
    m.SplitLot: lots.split_lot,
    m.MergeLots: lots.merge_lots,
    m.SerialiseLot: serialising.serialise,
    m.ReverseRegrouping: regrouping.reverse_regrouping,
    m.RegisterCarrier: packing.register,
    m.PackCarrier: packing.pack,
    m.UnpackCarrier: packing.unpack,
    m.MoveCarrier: carrying.move_carrier,
    m.ShipCarrier: carrying.ship_carrier,
    m.LoadCarrier: carrying.load_carrier,
    m.RecordPosting: posting.record_posting,
    m.RetryPosting: posting.retry_posting,
    m.WaivePosting: posting.waive_posting,
    m.ClosePeriod: periods.close_period,
    m.ReopenPeriod: periods.reopen_period,
    m.ReleasePosting: periods.release_posting,
    m.CheckTimeWindows: windows.check_windows,
    m.WaiveTimeWindow: windows.waive_window,
    m.ReverseBooking: reversing.reverse,
    m.AssignProduction: production.assign,
    m.DismissProduction: production.dismiss,
    m.RecordMeasurement: measuring.record,
    m.VoidMeasurement: measuring.void,
    m.RecordAcknowledgement: handshaking.record_acknowledgement,
    m.CheckSignals: _check_signals,
    m.ChangeOver: _of_job(changing_over.change_over),
}
