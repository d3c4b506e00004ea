"""Job orders."""

from typing import Any

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers, count, known
from mes_engine.core.job_order import JobOrderState, JobOrderTrigger
from mes_engine.core.quantity import shortest
from mes_engine.core.state import State

replace = msgspec.structs.replace


QUEUE_ENTERED = (JobOrderState.ALLOWED_WAITING, JobOrderState.ALLOWED_READY)


def _job_order_stored(state: State, fact: f.JobOrderStored) -> None:
    state.job_order.put(fact.job_order)
    count(state, "job_order", fact.job_order.number)


def _job_order_moved(state: State, fact: f.JobOrderMoved) -> None:
    job = known(state.job_order.get(fact.job_order))
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
        job = replace(job, ended_at=fact.at, ended_seq=state.seq)
    state.job_order.put(job)


def _conditions_changed(state: State, fact: f.ConditionsChanged) -> None:
    job = known(state.job_order.get(fact.job_order))
    state.job_order.put(replace(job, conditions=fact.conditions))


def _quantity_reported(state: State, fact: f.QuantityReported) -> None:
    job = known(state.job_order.get(fact.job_order))
    state.job_order.put(
        replace(
            job,
            good=shortest(fact.good_total),
            scrap=shortest(fact.scrap_total),
            lost=shortest(fact.lost_total),
            tested=shortest(fact.tested_total),
            last_report=state.seq,
        )
    )


def _job_order_updated(state: State, fact: f.JobOrderUpdated) -> None:
    job = known(state.job_order.get(fact.job_order))
    state.job_order.put(
        replace(job, planned=fact.planned, due_at=fact.due_at, priority=fact.priority)
    )


def _job_order_revised(state: State, fact: f.JobOrderRevised) -> None:
    job = known(state.job_order.get(fact.job_order))
    state.job_order.put(
        replace(
            job,
            revision=fact.revision,
            work_center=fact.work_center,
            equipment_class=fact.equipment_class,
            expects_pieces=fact.expects_pieces,
            materials=fact.materials,
            needs=fact.needs,
        )
    )


def _job_order_split(state: State, fact: f.JobOrderSplit) -> None:
    job = known(state.job_order.get(fact.job_order))
    state.job_order.put(replace(job, planned=fact.planned, split_of=fact.split_of))


def _time_booked(state: State, fact: f.TimeBooked) -> None:
    job = known(state.job_order.get(fact.job_order))
    state.job_order.put(
        replace(
            job,
            setup_us=fact.setup_total_us,
            processing_us=fact.processing_total_us,
            down_us=fact.down_total_us,
        )
    )


HANDLERS: Handlers = {
    f.JobOrderStored: _job_order_stored,
    f.JobOrderMoved: _job_order_moved,
    f.ConditionsChanged: _conditions_changed,
    f.QuantityReported: _quantity_reported,
    f.JobOrderUpdated: _job_order_updated,
    f.JobOrderRevised: _job_order_revised,
    f.JobOrderSplit: _job_order_split,
    f.TimeBooked: _time_booked,
}
