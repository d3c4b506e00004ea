"""How a job order is shown: where it stands, what is there, what it would accept."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Self

import msgspec
from pydantic import Field

from mes_engine.core.conditions import ConditionName
from mes_engine.core.decide import explain
from mes_engine.core.job_order import JobOrder, JobOrderState, JobOrderTrigger
from mes_engine.core.means import Asker
from mes_engine.core.measured_data import asked_of
from mes_engine.core.pools import is_pool, waiting_in
from mes_engine.core.quantity import MILLION, UNITS, ZERO
from mes_engine.core.readiness import remaining, routing_of, step_of
from mes_engine.core.runs import Clock, Lane, Run
from mes_engine.core.state import State
from mes_engine.core.steps import BeginOn
from mes_engine.core.ways import awaited
from mes_engine.core.whereabouts import positions_of
from mes_engine.core.window_condition import live_windows
from mes_engine.core.wip_ledger import Position
from mes_engine.http.fields import At, Decimals, View
from mes_engine.web.measurements import AskedView
from mes_engine.web.time_window_views import TimeWindowView


class ConditionView(View):
    """A named condition: does it hold, why not, and who can mend it."""

    name: ConditionName
    is_met: bool
    why: str
    mender: str


class BucketsView(View):
    """What there is at a place, and what ever passed through it."""

    queued: Decimals
    in_process: Decimals
    suspect: Decimals
    out: Decimals
    transit: Decimals
    stock: Decimals
    started: Decimals
    found: Decimals
    produced: Decimals
    received: Decimals
    scrap: Decimals
    lost: Decimals
    tested: Decimals
    consumed: Decimals
    shipped: Decimals
    moved_in: Decimals
    moved_out: Decimals
    split_in: Decimals
    split_out: Decimals


class PositionView(BucketsView):
    """What there is of a lot at one place, and what ever passed through it."""

    lot: str
    place: str
    material: str
    unit: str
    is_stock: bool
    work_request: str | None = Field(validation_alias="request")


class HereView(BucketsView):
    """What there is of all its lots at the visit of a job order."""

    lots: list[str]

    @classmethod
    def of(cls, positions: Sequence[Position]) -> "HereView | None":
        """Show what is at these positions together; None if there are none."""
        if not positions:
            return None
        sums = {
            name: sum((getattr(one, name) for one in positions), ZERO)
            for name in BucketsView.model_fields
        }
        return cls.model_validate(sums | {"lots": [one.lot for one in positions]})


class RunView(View):
    """The time of job orders on a work unit, which they are on together.

    Attributes:
        since: When the clock that runs now was started.
        setup_s: Of the run, which its job orders share; likewise the other.
    """

    id: str
    job_orders: list[str]
    work_unit: str
    lane: Lane
    person: str
    opened_at: At
    clock: Clock
    since: At | None
    setup_s: Decimals
    processing_s: Decimals
    begun_at: At | None
    closed_at: At | None

    @classmethod
    def of(cls, run: Run) -> "RunView":
        """Show ``run``."""
        return cls(
            id=run.id,
            job_orders=list(run.job_orders),
            work_unit=run.work_unit,
            lane=run.lane,
            person=run.person,
            opened_at=run.opened_at,
            clock=run.clock,
            since=run.since or None,
            setup_s=Decimal(run.setup_us) / MILLION,
            processing_s=Decimal(run.processing_us) / MILLION,
            begun_at=run.begun_at,
            closed_at=run.closed_at,
        )


class AcceptedTrigger(View):
    """A trigger that the state accepts; allowed where no condition is unmet."""

    trigger: JobOrderTrigger
    is_allowed: bool
    unmet: list[ConditionView]


class JobOrderView(View):
    """A job order; quantities are in ``unit``."""

    id: str
    work_request: str = Field(validation_alias="request")
    visit: str
    step: str
    routing: str
    revision: str
    work_center: str
    equipment_class: str
    unit: str
    state: JobOrderState
    planned: Decimals
    good: Decimals
    scrap: Decimals
    lost: Decimals
    tested: Decimals
    reworked: Decimals
    deviated: Decimals
    labour_us: int
    lot: str | None
    priority: int
    due_at: At
    stored_at: At
    queued_at: At | None
    begun_at: At | None
    ended_at: At | None
    run: str | None
    follows: str | None
    split_of: str | None
    reason: str
    conditions: list[ConditionView]


class QueuedJobOrder(JobOrderView):
    """A job order as the engine has it now, with words and what is at its step.

    Attributes:
        to_do: What the plan still wants.
        here: What there is of its lots at this step; None before any came.
        blocked: Why it cannot be worked on now, in words; empty if it can.
        pool: Of a step with a job order for each run: how many pieces wait for one, of
            which it takes as many as it says; None for what is no pool.
    """

    material: str
    step_name: str
    unit_name: str
    begin_on: BeginOn
    to_do: Decimals
    here: HereView | None
    blocked: list[str]
    pool: Decimals | None

    @classmethod
    def of(cls, state: State, job: JobOrder, **more: object) -> Self:
        """Show ``job`` as it is in ``state``, with what else there is to say of it."""
        return cls.model_validate(_members(state, job) | more)


class ReworkLoopView(View):
    """A way back from a step, and to which step it leads."""

    id: str
    target: str


class JobOrderDetail(QueuedJobOrder):
    """A job order with everything that one would ask of it.

    Attributes:
        triggers: What its state accepts, each with the conditions that are unmet.
        runs: Its times on work units, the first one first.
        time_windows: Those that its work will end.
        rework_loops: The ways back that its pieces may be sent.
        characteristics: What is measured at it, and what of that is missing.
        awaits: Why lots that are out cannot go on: measured data has to tell the way.
        seq: The last fact that this answer knows of.
    """

    triggers: list[AcceptedTrigger]
    runs: list[RunView]
    time_windows: list[TimeWindowView]
    rework_loops: list[ReworkLoopView]
    characteristics: list[AskedView]
    awaits: list[ConditionView]
    seq: int

    @classmethod
    def detailed(
        cls,
        state: State,
        job: JobOrder,
        runs: Iterable[Run],
        *,
        asker: Asker | None = None,
        **more: object,
    ) -> Self:
        """Show everything of ``job`` as it is in ``state``, and what more is said.

        Args:
            state: Where to look.
            job: What is shown.
            runs: Its own.
            asker: To whom its triggers are told; to anybody, if None.
            more: Of what the view says besides.
        """
        return cls.model_validate(
            _members(state, job)
            | {
                "triggers": explain(state, job, asker),
                "runs": [RunView.of(run) for run in runs],
                "time_windows": live_windows(state, job),
                "rework_loops": [
                    one
                    for one in routing_of(state, job).rework
                    if one.source == job.step
                ],
                "characteristics": [AskedView.of(one) for one in asked_of(state, job)],
                "awaits": awaited(state, job),
                "seq": state.seq,
            }
            | more
        )


def _members(state: State, job: JobOrder) -> dict[str, object]:
    step = step_of(state, job)
    request = state.work_request.get(job.request)
    return msgspec.structs.asdict(job) | {
        "material": "" if request is None else request.material,
        "step_name": step.name,
        "unit_name": UNITS[job.unit][1],
        "begin_on": step.begin_on,
        "to_do": remaining(job),
        "here": HereView.of(positions_of(state, job)),
        "pool": waiting_in(state, job) if is_pool(state, job) else None,
        "blocked": [one.why for one in job.conditions if not one.is_met],
    }
