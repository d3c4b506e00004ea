"""The floor: work units that take what dispatch gives them, and work it off.

Everything is done through commands: dispatch, begin setup, begin, report, complete.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrder, JobOrderState, JobOrderTrigger
from mes_engine.core.plant import CapacityUnit, WorkUnit
from mes_engine.core.quantity import MILLION, ZERO
from mes_engine.core.readiness import remaining, routing_of
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.runs import Lane
from mes_engine.core.whereabouts import here
from mes_engine.core.wip_ledger import Bucket
from mes_engine.simulation.calendar import Calendar
from mes_engine.simulation.demand import Demand
from mes_engine.simulation.shop import SimulationStuck, VirtualShop
from mes_engine.simulation.times import Times

DAY_US = 86_400 * 1_000_000
_READY = JobOrderState.ALLOWED_READY

Then = Callable[["Work"], None]


class Work:
    """What a work unit is at: a job order, or several in one run.

    Attributes:
        job_order: The first of them: what begins and completes it does so for all.
        ends_at: When what is under way is done; a stoppage puts it off.
    """

    __slots__ = ("ends_at", "job_order", "job_orders", "unit")

    def __init__(self, job_orders: Sequence[str], unit: WorkUnit) -> None:
        self.job_order = job_orders[0]
        self.job_orders = job_orders
        self.unit = unit
        self.ends_at = 0


class Floor:
    """Drives a shop along a calendar.

    Each time something happens, work units that are free and have something ready to
    take are dispatched, after everything else of that moment. The laws are checked each
    simulated day, and what is over is forgotten then.

    Attributes:
        finished: How many requests were completed.
        lot_operations: How many job orders were completed: one step of one lot each.
    """

    def __init__(self, shop: VirtualShop, calendar: Calendar, times: Times) -> None:
        self.shop = shop
        self.calendar = calendar
        self.times = times
        self.finished = 0
        self.lot_operations = 0
        self._ready: dict[tuple[str, str], int] = defaultdict(int)
        self._called: dict[str, None] = {}
        self._works: dict[str, dict[str, Work]] = defaultdict(dict)
        self._starved: dict[str, dict[str, Work]] = defaultdict(dict)
        self._stopped_until: dict[str, int] = {}
        self._over: set[str] = set()
        self._day_ends = calendar.now + DAY_US
        shop.listen(self._hear)

    def expect(self, demand: Demand) -> None:
        """Let ``demand`` come into the shop at its time."""
        self.calendar.at(demand.release_at, partial(self._admit, demand))

    def stop(self, work_unit: str, *, for_us: int) -> None:
        """Let a work unit stand still: it takes nothing, what it is at lasts longer.

        Stoppages that overlap do not add up: the last end counts.
        """
        now = self.calendar.now
        until = now + for_us
        stands_until = max(self._stopped_until.get(work_unit, now), now)
        if until <= stands_until:
            return
        self._stopped_until[work_unit] = until
        for work in self._works[work_unit].values():
            work.ends_at += until - stands_until
        center = self.shop.state.site.work_unit(work_unit).work_center
        self.calendar.at(until, partial(self._call, center))

    def run(self, *, until: int | None = None) -> None:
        """Go on until nothing is left to happen, or to ``until``.

        Raises:
            SimulationStuck: Something was refused that should not be, or a law broken.
        """
        while (when := self.calendar.next_at) is not None:
            if until is not None and when > until:
                break
            while when >= self._day_ends:
                self._end_day()
            self.calendar.step()
            self._dispatch()
        self._end_day()

    def _end_day(self) -> None:
        self.shop.check_laws()
        self.shop.forget(self._over)
        self._over = set()
        self._day_ends += DAY_US

    def _admit(self, demand: Demand) -> None:
        self._ok(
            m.CreateWorkRequest(
                work_request=demand.work_request,
                routing=demand.routing,
                quantity=demand.quantity,
                due_at=demand.due_at,
                priority=demand.priority,
            )
        )
        self._ok(m.ReleaseWorkRequest(work_request=demand.work_request))

    # What is heard

    def _hear(self, records: Sequence[f.Recorded]) -> None:
        for recorded in records:
            fact = recorded.fact
            match fact:
                case f.JobOrderMoved():
                    self._hear_move(fact)
                case f.RunChanged() if not fact.run.is_open:
                    self._call(fact.run.work_center)
                case f.QuantityMoved() if fact.move.to_bucket is Bucket.QUEUED:
                    self._feed(fact.move.request, fact.move.to_place)
                case f.VisitChanged() if fact.visit.is_done:
                    self._feed(fact.visit.request, None)
                case f.WorkRequestChanged():
                    self._hear_request(fact)

    def _hear_move(self, fact: f.JobOrderMoved) -> None:
        change = (fact.state is _READY) - (fact.source is _READY)
        if change:
            job = self._job(fact.job_order)
            self._ready[job.work_center, job.equipment_class] += change
            if change > 0:
                self._call(job.work_center)
                self._call_when_waited(job)
        elif fact.trigger is JobOrderTrigger.COMPLETE:
            self.lot_operations += 1

    def _hear_request(self, fact: f.WorkRequestChanged) -> None:
        if fact.state is WorkRequestState.COMPLETED:
            self.finished += 1
            self._over.add(fact.work_request)
        else:
            self._over.discard(fact.work_request)

    def _call(self, work_center: str) -> None:
        self._called[work_center] = None

    def _feed(self, request: str | None, visit: str | None) -> None:
        """Let those go on that waited for pieces, or to be told that no more come."""
        waiting = self._starved.get(request or "")
        if waiting is None:
            return
        for job_order, work in list(waiting.items()):
            is_waiting = job_order in waiting  # One in its run may have been fed.
            if is_waiting and visit in {None, self._job(job_order).visit}:
                for one in work.job_orders:
                    del self._starved[self._job(one).request][one]
                self.calendar.at(self.calendar.now, partial(self._work, work))
        if not waiting:
            del self._starved[request or ""]

    def _call_when_waited(self, job: JobOrder) -> None:
        """Look again when it has waited for others as long as a run's rule asks."""
        site = self.shop.state.site
        rules = map(site.batch_rule, site.units_of[job.work_center])
        for wait_s in {one.wait_s for one in rules if one is not None and one.wait_s}:
            when = self.calendar.now + wait_s * MILLION
            self.calendar.at(when, partial(self._call, job.work_center))

    # What is done

    def _dispatch(self) -> None:
        while self._called:
            center = next(iter(self._called))
            del self._called[center]
            for unit in self.shop.state.site.units_of[center]:
                while self._is_wanted(unit) and self._take(unit):
                    pass

    def _is_wanted(self, unit: WorkUnit) -> bool:
        if self._stopped_until.get(unit.id, 0) > self.calendar.now:
            return False
        is_full = len(self._works[unit.id]) >= unit.active
        if is_full and unit.counted_in is CapacityUnit.JOBS:
            return False
        ready, center = self._ready, unit.work_center
        return any(ready.get((center, one), 0) > 0 for one in unit.classes)

    def _take(self, unit: WorkUnit) -> bool:
        """Let dispatch give the unit what is next; whether there was anything."""
        command = m.DispatchWorkUnit(work_unit=unit.id, lane=Lane.ACTIVE)
        answer = self.shop.do(command, at=self.calendar.now)
        if _is_unmet(answer, "lane_free"):
            return False
        if answer.outcome is not m.Outcome.ACCEPTED:
            raise SimulationStuck("; ".join((answer.message, *answer.unmet)))
        first = answer.result["job_order"]
        if not first:
            return False
        work = Work(answer.result.get("job_orders", first).split(), unit)
        self._works[unit.id][first] = work
        setup_us = self.times.setup_us(self.shop.state, self._job(first), unit)
        if setup_us:
            self._fire(work, JobOrderTrigger.BEGIN_SETUP)
            self._wait(work, setup_us, self._begin)
        else:
            self._begin(work)
        return True

    def _begin(self, work: Work) -> None:
        self._ok(m.BeginJobOrder(job_order=work.job_order))
        self._work(work)

    def _work(self, work: Work) -> None:
        """Go on with what is there, all of a run together; complete if it is nothing.

        A run of several lasts as long as the longest of them.
        """
        state, unit = self.shop.state, work.unit
        amounts: dict[str, Decimal] = {}
        run_us = 0
        for name in work.job_orders:
            job = self._job(name)
            pieces = self._there(job)
            if len(work.job_orders) == 1:
                pieces = min(pieces, self._passed_on_together(job))
            if pieces > ZERO:
                amounts[name] = pieces
                run_us = max(run_us, self.times.run_us(state, job, unit, pieces))
        if amounts:
            self._wait(work, run_us, lambda one: self._report(one, amounts))
        else:
            self._finish(work)

    def _report(self, work: Work, amounts: Mapping[str, Decimal]) -> None:
        for name, pieces in amounts.items():
            self._ok(m.ReportQuantity(job_order=name, good=pieces))
        self._work(work)

    def _finish(self, work: Work) -> None:
        complete = m.AssertTrigger(
            job_order=work.job_order, trigger=JobOrderTrigger.COMPLETE
        )
        answer = self.shop.do(complete, at=self.calendar.now)
        if answer.outcome is m.Outcome.ACCEPTED:
            del self._works[work.unit.id][work.job_order]
        elif _is_unmet(answer, "nothing_expected"):
            for one in work.job_orders:
                self._starved[self._job(one).request][one] = work
        else:
            raise SimulationStuck("; ".join((answer.message, *answer.unmet)))

    def _there(self, job: JobOrder) -> Decimal:
        if not job.expects_pieces:
            return remaining(job)
        return here(self.shop.state, job).to_work

    def _passed_on_together(self, job: JobOrder) -> Decimal:
        batches = [
            one.transfer_batch
            for one in routing_of(self.shop.state, job).leaving(job.step)
            if one.transfer_batch is not None
        ]
        return min(batches, default=job.planned)

    def _wait(self, work: Work, us: int, then: Then) -> None:
        stands_until = self._stopped_until.get(work.unit.id, 0)
        work.ends_at = max(self.calendar.now, stands_until) + us
        self._look(work, then)

    def _look(self, work: Work, then: Then) -> None:
        def look() -> None:
            if work.ends_at > self.calendar.now:  # A stoppage has put it off.
                self._look(work, then)
            else:
                then(work)

        self.calendar.at(work.ends_at, look)

    def _fire(self, work: Work, trigger: JobOrderTrigger) -> None:
        self._ok(m.AssertTrigger(job_order=work.job_order, trigger=trigger))

    def _ok(self, command: m.Command) -> dict[str, str]:
        return self.shop.ok(command, at=self.calendar.now)

    def _job(self, job_order: str) -> JobOrder:
        job = self.shop.state.job_order.get(job_order)
        if job is None:
            raise SimulationStuck(f"{job_order} is not there")
        return job


def _is_unmet(answer: m.Answer, condition: str) -> bool:
    return any(one.startswith(condition) for one in answer.unmet)
