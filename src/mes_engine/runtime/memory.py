"""What the engine forgets, so that its memory does not grow with its history.

What is over stays in the database. Here it stays for a while, as people ask for it;
then what is left in memory is what a restart would load.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from mes_engine.core.facts import (
    AlarmCleared,
    CarrierShipped,
    Fact,
    HoldReleased,
    LabourChanged,
    MachineCallSettled,
    ProductionSettled,
    Recorded,
    SignedOff,
    ToolUsed,
    WorkRequestChanged,
)
from mes_engine.core.layers import Table
from mes_engine.core.requests import OVER
from mes_engine.core.runs import HoldScope
from mes_engine.core.state import State

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

HANDLED_KEPT = 100_000
EVENTS_KEPT = 10_000
REQUESTS_KEPT = 1_000
AT_A_TIME = 100


class Memory:
    """Keeps the committed state to what is live, and the newest of what is over.

    Args:
        committed: The state; only the engine may change it, between two batches.
        requests_kept: How many requests that are over stay.
        at_a_time: How many are forgotten together: each time costs one look at all.
    """

    def __init__(
        self,
        committed: State,
        *,
        requests_kept: int = REQUESTS_KEPT,
        at_a_time: int = AT_A_TIME,
    ) -> None:
        self._committed = committed
        self._requests_kept = requests_kept
        self._at_a_time = at_a_time
        self._over: dict[str, None] = {}

    def hear(self, records: Sequence[Recorded]) -> None:
        """Take note of a commit, and forget what is older than what is kept."""
        self._committed.handled.trim(HANDLED_KEPT)
        self._committed.machine_event.trim(EVENTS_KEPT)
        for recorded in records:
            self._forget_what_is_over(recorded.fact)
        if len(self._over) >= self._requests_kept + self._at_a_time:
            oldest = list(self._over)[: self._at_a_time]
            for request in oldest:
                del self._over[request]
            unsettled = {one for one in oldest if _is_unsettled(self._committed, one)}
            self._over.update(dict.fromkeys(unsettled))
            forget(self._committed, set(oldest) - unsettled)

    def _forget_what_is_over(self, fact: Fact) -> None:
        """Forget at once what no work request has to be over for."""
        committed = self._committed
        match fact:
            case ProductionSettled(production=production) if not production.left:
                committed.unassigned_production.drop(production.seq)
            case WorkRequestChanged(work_request=name, state=state) if state in OVER:
                self._over[name] = None
            case SignedOff(sign_on=sign_on):
                committed.sign_on.drop(sign_on.id)
            case LabourChanged(interval=interval) if not interval.is_open:
                committed.labour_interval.drop(interval.id)
            case ToolUsed(use=use) if not use.is_open:
                committed.tool_use.drop(use.seq)
            case AlarmCleared(alarm=alarm):
                self._forget_alarm(alarm.id)
            case MachineCallSettled(call=call):
                committed.machine_call.drop(call.seq)
            case CarrierShipped(carrier=carrier):
                self._forget_carrier(carrier.id)
            case HoldReleased(hold=name):
                self._forget_hold(name)

    def _forget_carrier(self, name: str) -> None:
        """Forget a carrier that was shipped, unless it came back since."""
        carrier = self._committed.carrier.get(name)
        if carrier is not None and carrier.is_shipped:
            self._committed.carrier.drop(name)

    def _forget_alarm(self, name: str) -> None:
        """Forget an alarm that was cleared, unless it is up again."""
        alarm = self._committed.alarm.get(name)
        if alarm is not None and not alarm.is_open:
            self._committed.alarm.drop(name)

    def _forget_hold(self, name: str) -> None:
        """Forget a released hold on a carrier: no request's end would."""
        hold = self._committed.hold.get(name)
        if hold is not None and hold.scope is HoldScope.CARRIER and not hold.is_open:
            self._committed.hold.drop(name)


def _is_unsettled(state: State, request: str) -> bool:
    return any(
        state.posting.find("unsettled", job.id)
        for job in state.job_order.find("request", request)
    )


def forget(state: State, requests: set[str]) -> None:
    """Drop all that belongs to ``requests``, but for their ids and what is on stock."""
    jobs: set[str] = set()
    stocked: set[str] = set()
    lots: set[str] = set()
    for request in requests:
        lots.update(lot.id for lot in state.lot.find("request", request))
        jobs.update(job.id for job in state.job_order.find("request", request))
        for visit in state.visit.find("request", request):
            state.visit.drop(visit.id)
        for window in state.time_window.find("request", request):
            state.time_window.drop(window.id)
        for entry in state.area_entry.find("request", request):
            state.area_entry.drop((entry.area, entry.request))
        positions = state.position.find("request", request)
        stocked.update(one.lot for one in positions if one.stock > 0)
        for position in positions:
            if not position.is_stock or position.lot not in stocked:
                state.position.drop((position.lot, position.place))
    targets = jobs | requests | (lots - stocked)
    for job in jobs:
        state.job_order.drop(job)
        for use in state.component_use.find("job_order", job):
            state.component_use.drop((use.job_order, use.material))
    _drop(
        state.machine_job,
        [
            (one.job_order, one.link)
            for job in jobs
            for one in state.machine_job.find("job_order", job)
        ],
    )
    _drop(
        state.measured_value,
        [
            (one.job_order, one.lot, one.characteristic)
            for job in jobs
            for one in state.measured_value.find("job_order", job)
        ],
    )
    over = [
        one.id
        for one in state.run.values()
        if all(state.job_order.get(job) is None for job in one.job_orders)
    ]
    _drop(state.run, over)
    _drop(
        state.run_member,
        [
            (one.job_order, one.run)
            for one in state.run_member.values()
            if one.job_order in jobs
        ],
    )
    for request in requests:
        _drop(state.posting, [one.key for one in state.posting.find("stream", request)])
    _drop(
        state.reversal,
        [one.booking for one in state.reversal.values() if one.request in requests],
    )
    _drop(
        state.lot,
        [
            one.id
            for one in state.lot.values()
            if one.request in requests and one.id not in stocked and not one.carrier
        ],
    )
    _drop(
        state.connection_flow,
        [
            (one.request, one.source, one.target)
            for one in state.connection_flow.values()
            if one.request in requests
        ],
    )
    _drop(
        state.hold,
        [
            one.id
            for one in state.hold.values()
            if one.target in targets and not one.is_open
        ],
    )


def _drop(table: Table[K, V], keys: Iterable[K]) -> None:
    for key in keys:
        table.drop(key)
