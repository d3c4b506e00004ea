"""Put a fact into the state: the only thing that changes it, live and in a rebuild."""

from collections.abc import Callable
from typing import Any

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.job_order import JobOrderState, JobOrderTrigger
from mes_engine.core.lots import MaterialLot
from mes_engine.core.postings import PostingKind
from mes_engine.core.quantity import ZERO
from mes_engine.core.requests import ConnectionFlow, WorkRequest
from mes_engine.core.state import Counter, EffectiveRouting, State
from mes_engine.core.wip_ledger import Bucket, Move, Position, apply_move

replace = msgspec.structs.replace

QUEUE_ENTERED = (JobOrderState.ALLOWED_WAITING, JobOrderState.ALLOWED_READY)


def evolve(state: State, recorded: f.Recorded) -> None:
    """Change ``state`` as ``recorded`` says, and remember that it came this far."""
    state.seq = recorded.seq
    _HANDLERS[type(recorded.fact)](state, recorded.fact)


def _plant_applied(state: State, fact: f.PlantApplied) -> None:
    state.plant.put(fact.plant)


def _routing_released(state: State, fact: f.RoutingReleased) -> None:
    state.routing.put(fact.routing)
    state.effective_routing.put(
        EffectiveRouting(id=fact.routing.id, revision=fact.routing.revision)
    )


def _routing_withdrawn(state: State, fact: f.RoutingWithdrawn) -> None:
    effective = state.effective_routing.get(fact.routing)
    if effective is not None and effective.revision == fact.revision:
        state.effective_routing.put(EffectiveRouting(id=fact.routing, revision=None))


def _work_request_created(state: State, fact: f.WorkRequestCreated) -> None:
    state.work_request.put(fact.work_request)


def _work_request_changed(state: State, fact: f.WorkRequestChanged) -> None:
    request = _known(state.work_request.get(fact.work_request))
    state.work_request.put(replace(request, state=fact.state, lot=fact.lot))


def _lot_created(state: State, fact: f.LotCreated) -> None:
    state.lot.put(fact.lot)
    _count(state, "lot", fact.lot.number)


def _lot_ended(state: State, fact: f.LotEnded) -> None:
    lot = _known(state.lot.get(fact.lot))
    state.lot.put(replace(lot, existence=fact.existence))


def _lot_consumed(state: State, fact: f.LotConsumed) -> None:
    state.genealogy_edge.put(fact.edge)


def _visit_set(state: State, fact: f.VisitOpened | f.VisitChanged) -> None:
    state.visit.put(fact.visit)


def _quantity_moved(state: State, fact: f.QuantityMoved) -> None:
    move = fact.move
    lot: MaterialLot = _known(state.lot.get(move.lot))
    is_across = move.place != move.to_place
    source = state.position.get((move.lot, move.place)) if is_across else None
    target = state.position.get((move.lot, move.to_place))
    if target is None:
        target = Position(
            lot=move.lot,
            place=move.to_place,
            material=lot.material,
            unit=lot.unit,
            is_stock=move.to_bucket is Bucket.STOCK,
            request=lot.request,
        )
    source, target = apply_move(move, source, target)
    if source is not None:
        state.position.put(source)
    state.position.put(target)
    state.move.put(move)
    if move.connection:
        _flow(state, move)


def _flow(state: State, move: Move) -> None:
    source, target = move.connection.split(">")
    key = (move.request or "", source, target)
    flow = state.connection_flow.get(key) or ConnectionFlow(
        request=key[0], source=source, target=target, sent=ZERO, arrived=ZERO
    )
    if move.to_bucket is Bucket.TRANSIT:
        flow = replace(flow, sent=flow.sent + move.quantity)
    else:
        flow = replace(flow, arrived=flow.arrived + move.quantity)
    state.connection_flow.put(flow)


def _job_order_stored(state: State, fact: f.JobOrderStored) -> None:
    state.job_order.put(fact.job_order)
    _count(state, "job_order", fact.job_order.number)


def _job_order_moved(state: State, fact: f.JobOrderMoved) -> None:
    job = _known(state.job_order.get(fact.job_order))
    changes: dict[str, Any] = {"state": fact.state, "reason": fact.reason}
    if fact.state in QUEUE_ENTERED and fact.source not in QUEUE_ENTERED:
        changes["queued_at"] = fact.at
    if fact.trigger is JobOrderTrigger.PAUSE:
        changes["is_paused"] = True
    elif fact.trigger is JobOrderTrigger.RESUME:
        changes["is_paused"] = False
    if fact.state is JobOrderState.RUNNING_PROCESSING and job.begun_at is None:
        changes["begun_at"] = fact.at
    job = replace(job, **changes)
    if job.is_over and job.ended_at is None:
        job = replace(job, ended_at=fact.at)
    state.job_order.put(job)


def _conditions_changed(state: State, fact: f.ConditionsChanged) -> None:
    job = _known(state.job_order.get(fact.job_order))
    state.job_order.put(replace(job, conditions=fact.conditions))


def _quantity_reported(state: State, fact: f.QuantityReported) -> None:
    job = _known(state.job_order.get(fact.job_order))
    state.job_order.put(
        replace(
            job,
            good=fact.good_total,
            scrap=fact.scrap_total,
            lost=fact.lost_total,
            tested=fact.tested_total,
        )
    )


def _job_order_updated(state: State, fact: f.JobOrderUpdated) -> None:
    job = _known(state.job_order.get(fact.job_order))
    state.job_order.put(
        replace(job, planned=fact.planned, due_at=fact.due_at, priority=fact.priority)
    )


def _run_opened(state: State, fact: f.RunOpened) -> None:
    state.run.put(fact.run)
    _count(state, "run", fact.run.number)
    job = _known(state.job_order.get(fact.run.job_order))
    state.job_order.put(replace(job, run=fact.run.id))


def _run_changed(state: State, fact: f.RunChanged) -> None:
    state.run.put(fact.run)
    job = _known(state.job_order.get(fact.run.job_order))
    if not fact.run.is_open and job.run == fact.run.id:
        state.job_order.put(replace(job, run=None))


def _time_booked(state: State, fact: f.TimeBooked) -> None:
    job = _known(state.job_order.get(fact.job_order))
    state.job_order.put(
        replace(
            job,
            setup_us=fact.setup_total_us,
            processing_us=fact.processing_total_us,
            down_us=fact.down_total_us,
        )
    )


def _hold_opened(state: State, fact: f.HoldOpened) -> None:
    state.hold.put(fact.hold)
    _count(state, "hold", fact.hold.number)


def _hold_released(state: State, fact: f.HoldReleased) -> None:
    hold = _known(state.hold.get(fact.hold))
    state.hold.put(replace(hold, released_at=fact.at, released_by=fact.person))


def _dispatch_decided(state: State, fact: f.DispatchDecided) -> None:
    state.dispatch_decision.put(fact.decision)


def _equipment_changed(state: State, fact: f.EquipmentChanged) -> None:
    state.equipment.put(fact.equipment)


def _signal_read(state: State, fact: f.SignalRead) -> None:
    state.signal.put(fact.signal)


def _machine_counted(state: State, fact: f.MachineCounted) -> None:
    state.machine_tally.put(fact.tally)


def _production_unassigned(state: State, fact: f.ProductionUnassigned) -> None:
    state.unassigned_production.put(fact.production)


def _posting_raised(state: State, fact: f.PostingRaised) -> None:
    posting = fact.posting
    state.posting.put(posting)
    request: WorkRequest = _known(state.work_request.get(posting.stream))
    state.work_request.put(replace(request, posted=posting.stream_seq))
    job = _known(state.job_order.get(posting.job_order))
    sign = -1 if posting.kind is PostingKind.REVERSE else 1
    state.job_order.put(
        replace(
            job,
            posted_good=job.posted_good + sign * posting.good,
            posted_scrap=job.posted_scrap + sign * posting.scrap,
            posted_setup_us=job.posted_setup_us + sign * _us(posting.setup_s),
            posted_processing_us=job.posted_processing_us
            + sign * _us(posting.processing_s),
            is_final_posted=job.is_final_posted or posting.is_final,
        )
    )


def _us(seconds: Any) -> int:
    return int(seconds * 1_000_000)


def _posting_moved(state: State, fact: f.PostingMoved) -> None:
    posting = _known(state.posting.get(fact.posting))
    state.posting.put(
        replace(posting, state=fact.state, reference=fact.reference, reason=fact.reason)
    )


def _command_handled(state: State, fact: f.CommandHandled) -> None:
    state.handled.put(fact)


def _source_advanced(state: State, fact: f.SourceAdvanced) -> None:
    state.watermark.put(fact)


def _kept_in_the_journal(state: State, fact: f.GapSeen | f.MessageSetAside) -> None:
    """Nothing follows from it: it is there to be read."""


def _known(value: Any) -> Any:
    if value is None:
        raise LookupError("a fact speaks of something that no fact has made")
    return value


def _count(state: State, name: str, number: int) -> None:
    state.counter.put(Counter(name=name, last=number))


_HANDLERS: dict[type, Callable[[State, Any], None]] = {
    f.PlantApplied: _plant_applied,
    f.RoutingReleased: _routing_released,
    f.RoutingWithdrawn: _routing_withdrawn,
    f.WorkRequestCreated: _work_request_created,
    f.WorkRequestChanged: _work_request_changed,
    f.LotCreated: _lot_created,
    f.LotEnded: _lot_ended,
    f.LotConsumed: _lot_consumed,
    f.VisitOpened: _visit_set,
    f.VisitChanged: _visit_set,
    f.QuantityMoved: _quantity_moved,
    f.JobOrderStored: _job_order_stored,
    f.JobOrderMoved: _job_order_moved,
    f.ConditionsChanged: _conditions_changed,
    f.QuantityReported: _quantity_reported,
    f.JobOrderUpdated: _job_order_updated,
    f.RunOpened: _run_opened,
    f.RunChanged: _run_changed,
    f.TimeBooked: _time_booked,
    f.HoldOpened: _hold_opened,
    f.HoldReleased: _hold_released,
    f.DispatchDecided: _dispatch_decided,
    f.EquipmentChanged: _equipment_changed,
    f.SignalRead: _signal_read,
    f.GapSeen: _kept_in_the_journal,
    f.MachineCounted: _machine_counted,
    f.ProductionUnassigned: _production_unassigned,
    f.PostingRaised: _posting_raised,
    f.PostingMoved: _posting_moved,
    f.CommandHandled: _command_handled,
    f.SourceAdvanced: _source_advanced,
    f.MessageSetAside: _kept_in_the_journal,
}
