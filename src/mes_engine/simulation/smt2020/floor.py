"""The fab's floor: lots arrive, tools take them, work on them and pass them on.

All of it is commands to the core and facts from it: release, dispatch, begin setup,
begin, report, choose the way on, complete.
"""

from collections.abc import Callable
from decimal import Decimal
from random import Random

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState, JobOrderTrigger
from mes_engine.core.runs import Lane
from mes_engine.core.setups import setup_us
from mes_engine.core.time_windows import TimeWindow
from mes_engine.simulation.calendar import Calendar
from mes_engine.simulation.shop import SimulationStuck, VirtualShop
from mes_engine.simulation.smt2020.behind import Behind
from mes_engine.simulation.smt2020.fab import loop_of, routing_id, ways_on
from mes_engine.simulation.smt2020.lots import Lot, lot_in_process
from mes_engine.simulation.smt2020.measures import DAY_US, FabMeasures
from mes_engine.simulation.smt2020.model import Fab, Per, Release
from mes_engine.simulation.smt2020.tools import Tool, Tools, Work, lot_for_setup

LOOK_AGAIN_US = 600 * 1_000_000
Then = Callable[[Work], None]


class FabFloor:
    """Drives the fab along a calendar; the laws are checked each simulated day."""

    def __init__(
        self, fab: Fab, shop: VirtualShop, calendar: Calendar, chance: Random
    ) -> None:
        self.shop = shop
        self.calendar = calendar
        self.measures = FabMeasures(fab.part_routes)
        self.lots: dict[str, Lot] = {}
        self._fab = fab
        self._chance = chance
        self._waiting: dict[str, dict[str, Lot]] = {
            group: {} for group in fab.tool_groups
        }
        self._free: dict[str, dict[str, Tool]] = {
            group: {} for group in fab.tool_groups
        }
        self._called: dict[str, None] = {}
        self._batched = {
            one.tool_group
            for route in fab.routes.values()
            for one in route
            if one.batch_most
        }
        self._set_up = {
            one.tool_group
            for route in fab.routes.values()
            for one in route
            if one.setup
        }
        self._behind = Behind(shop)
        self._over: set[str] = set()
        self._looked_for: set[str] = set()
        self._violated: list[str] = []
        self._day_ends = calendar.now + DAY_US
        self.tools = Tools(fab, shop, calendar, chance, self._call_tool)
        for tools in self.tools.of_group.values():
            for tool in tools:
                self._call_tool(tool)
        shop.hear(f.JobOrderStored, self._job_order_stored)
        shop.hear(f.QuantityMoved, lambda fact: self.measures.move(fact.move))
        shop.hear(f.LotBound, self._bind)
        shop.hear(f.TimeWindowArmed, lambda fact: self._watch(fact.window))
        shop.hear(f.TimeWindowViolated, self._window_violated)
        shop.hear(f.TimeWindowSatisfied, self._window_satisfied)

    def begin(self) -> None:
        """Put in what is in process, and let lots be released from now on."""
        for one in self._fab.in_process:
            self._enter(lot_in_process(self._fab, one))
        for release in self._fab.releases:
            self._release_later(release, 0)

    def run(self, *, until: int) -> None:
        """Go on to ``until``.

        Raises:
            SimulationStuck: Something was refused that should not be, or a law broken.
        """
        self._dispatch()
        while (when := self.calendar.next_at) is not None and when < until:
            while when >= self._day_ends:
                self.end_day()
            self.calendar.step()
            self._dispatch()
        while until >= self._day_ends:
            self.end_day()

    def end_day(self) -> None:
        """Check every law, count what came in, went out and is there; forget."""
        self.shop.check_laws()
        told = self.measures.unbalanced(self.shop.state, len(self.lots))
        if told:
            raise SimulationStuck(told)
        self._behind.forget_over(self._over)
        self._over = set()
        self._day_ends += DAY_US

    # How lots come in

    def _release_later(self, release: Release, number: int) -> None:
        when = release.first + release.every * number
        if number < release.most:
            self.calendar.at(when, lambda: self._release(release, number, when))

    def _release(self, release: Release, number: int, at: int) -> None:
        route = self._fab.routes[self._fab.part_routes[release.part]]
        self._enter(
            Lot(
                f"{release.id}-{number + 1}",
                release.part,
                route,
                pieces=release.pieces,
                priority=release.priority,
                due=at + release.due - release.first,
                began_at=at,
            )
        )
        self._release_later(release, number + 1)

    def _enter(self, lot: Lot) -> None:
        self.lots[lot.id] = lot
        self.measures.enter(lot)
        route = self._fab.part_routes[lot.part]
        self._ok(
            m.CreateWorkRequest(
                work_request=lot.id,
                routing=routing_id(route, lot.operation.id, lot.at),
                quantity=Decimal(lot.pieces),
                due_at=lot.due,
                priority=lot.priority,
                releases_job_orders=False,
            )
        )
        self._ok(m.ReleaseWorkRequest(work_request=lot.id))
        self._arrive(lot)

    # What is heard

    def _job_order_stored(self, fact: f.JobOrderStored) -> None:
        job = fact.job_order
        self.lots[job.request].job_orders[job.step] = job.id

    def _window_violated(self, fact: f.TimeWindowViolated) -> None:
        self.measures.windows_violated += 1
        self._violated.append(fact.window)

    def _window_satisfied(self, _: f.TimeWindowSatisfied) -> None:
        self.measures.windows_kept += 1

    def _bind(self, fact: f.LotBound) -> None:
        core_lot = self.shop.state.lot.get(fact.lot)
        request = None if core_lot is None else core_lot.request
        if request is not None:
            self.lots[request].bind(fact.step, fact.work_unit)

    def _watch(self, window: TimeWindow) -> None:
        """Look at a time window when it would be over, as the clock of an engine does.

        One that is over is counted and waived: in a fab, such a lot is looked at and
        goes on, or is scrapped; the published model lets it go on.
        """

        def look() -> None:
            known = self.shop.state.time_window.get(window.id)
            if known is not None and known.due_at is not None:
                self._ok(m.CheckTimeWindows())
                self._waive()

        if window.due_at is not None:
            self.calendar.at(window.due_at, look)

    def _waive(self) -> None:
        while self._violated:
            name = self._violated.pop()
            self._ok(m.WaiveTimeWindow(window=name, reason="counted, and let go on"))
            lot = self.lots[self._request_of(name)]
            self._called[lot.operation.tool_group] = None

    def _request_of(self, window: str) -> str:
        known = self.shop.state.time_window.get(window)
        if known is None:
            raise SimulationStuck(f"{window} is not there")
        return known.request

    # What is done

    def _arrive(self, lot: Lot) -> None:
        """Let a lot into the queue of the tools that it needs next."""
        self._fire(lot, JobOrderTrigger.RELEASE)
        group = lot.operation.tool_group
        self._waiting[group][lot.job_order] = lot
        self._called[group] = None

    def _call_tool(self, tool: Tool) -> None:
        self._free[tool.group.id][tool.id] = tool
        self._called[tool.group.id] = None

    def _dispatch(self) -> None:
        while self._called:
            group = next(iter(self._called))
            del self._called[group]
            free = self._free[group]
            for tool in list(free.values()):
                while tool.is_free(self.calendar.now) and self._take(tool):
                    pass
                if not self._waiting[group]:
                    break
                if not tool.is_free(self.calendar.now):
                    del free[tool.id]

    def _take(self, tool: Tool) -> bool:
        """Let dispatch give a tool its next lot; whether there was one."""
        waiting = self._waiting[tool.group.id]
        if not any(one.may_use(tool.id) for one in waiting.values()):
            return False
        if tool.group.id in self._batched:
            return self._take_batch(tool, waiting)
        begins = tool.group.id not in self._set_up
        job_order = self._within_minimum_run(tool, waiting)
        if job_order:
            load = m.LoadJobOrder(
                job_order=job_order, work_unit=tool.id, lane=Lane.ACTIVE
            )
            self._ok(load)
        else:
            command = m.DispatchWorkUnit(
                work_unit=tool.id, lane=Lane.ACTIVE, begins=begins
            )
            job_order = self._ok(command)["job_order"]
        if not job_order:
            self._look_again(tool.group.id)
            return False
        lot = waiting.pop(job_order)
        work = Work(tool, lot.operation, [lot])
        if begins:
            tool.inside.append(work)
            self._begun(work)
        else:
            self._begin(work)
        return True

    def _within_minimum_run(self, tool: Tool, waiting: dict[str, Lot]) -> str:
        least = self._fab.minimum_runs.get(tool.setup, 0)
        job_order = lot_for_setup(tool, least, waiting, self._can_go)
        if job_order:
            self.measures.kept_setups += 1
        return job_order

    def _can_go(self, job_order: str) -> bool:
        job = self.shop.state.job_order.get(job_order)
        return job is not None and job.state is JobOrderState.ALLOWED_READY

    def _look_again(self, group: str) -> None:
        """Come back later: what speaks against all that waits there may pass.

        Such as a queue behind a time window that would be too long now.
        """
        if group not in self._looked_for:
            self._looked_for.add(group)

            def look() -> None:
                self._looked_for.discard(group)
                self._called[group] = None

            self.calendar.at(self.calendar.now + LOOK_AGAIN_US, look)

    def _take_batch(self, tool: Tool, waiting: dict[str, Lot]) -> bool:
        """Load the batch that is led by the first hot lot, or else the longest waiting.

        Lots of one route and step go together.
        """
        batches: dict[tuple[str, str], list[Lot]] = {}
        for lot in waiting.values():
            batches.setdefault((lot.part, lot.operation.id), []).append(lot)
        ready = []
        for lots in batches.values():
            lots.sort(key=lambda one: -one.priority)
            operation = lots[0].operation
            taken = lots[: operation.batch_most // lots[0].pieces]
            if sum(one.pieces for one in taken) >= operation.batch_least:
                ready.append(taken)
        if not ready:
            return False
        lots = min(ready, key=lambda ones: -ones[0].priority)
        together = tuple(lot.job_order for lot in lots)
        command = m.LoadTogether(
            job_orders=together, work_unit=tool.id, lane=Lane.ACTIVE
        )
        self._ok(command)
        for job_order in together:
            del waiting[job_order]
        self._begin(Work(tool, lots[0].operation, lots))
        return True

    def _begin(self, work: Work) -> None:
        tool, operation = work.tool, work.operation
        tool.inside.append(work)
        state = self.shop.state
        job, unit = state.job_order.get(work.lots[0].job_order), tool.unit
        setup = 0 if job is None or not operation.setup else setup_us(state, job, unit)
        if tool.setup != operation.setup:
            tool.setup, tool.ran = operation.setup, 0
        tool.ran += len(work.lots)
        if setup:
            self.measures.setups += 1
            self._fire(work.lots[0], JobOrderTrigger.BEGIN_SETUP)
            tool.takes_at = self.calendar.now + setup
            self._wait(work, setup, self._process)
        else:
            self._process(work)

    def _process(self, work: Work) -> None:
        self._ok(m.BeginJobOrder(job_order=work.lots[0].job_order))
        self._begun(work)

    def _begun(self, work: Work) -> None:
        tool, operation, now = work.tool, work.operation, self.calendar.now
        first = operation.processing.sample(self._chance)
        per_piece = operation.interval or first
        us = first + (work.pieces - 1) * per_piece
        takes_again = operation.interval * work.pieces
        if operation.per is not Per.PIECE:
            us, takes_again = first, operation.interval
        us += tool.group.load + tool.group.unload
        if operation.interval:
            tool.takes_at = now + tool.group.load + takes_again
            self.calendar.at(tool.takes_at, lambda: self._call_tool(tool))
        self._wait(work, us, self._finish)

    def _finish(self, work: Work) -> None:
        tool = work.tool
        tool.inside.remove(work)
        self.tools.count(tool, work.pieces)
        jobs = [lot.job_order for lot in work.lots]
        last = work.lots[-1]  # What is in one run is completed together, with the last.
        ways = [self._done(lot, completes=lot is last) for lot in work.lots]
        for lot, job_order, at in zip(work.lots, jobs, ways, strict=True):
            self._go_on(lot, job_order, at)
        self.tools.maintain(tool)
        self._call_tool(tool)

    def _done(self, lot: Lot, *, completes: bool) -> int | None:
        """Report a lot, good or to be worked again; return where it goes on."""
        pieces, job_order = Decimal(lot.pieces), lot.job_order
        again = self._worked_again(lot)
        if again is None:
            at = self._way_on(lot)
            report = m.ReportQuantity(
                job_order=job_order, good=pieces, completes=completes
            )
            self._ok(report)
            return at
        self.measures.reworked += 1
        self._ok(
            m.SendToRework(
                job_order=job_order,
                loop=loop_of(lot.operation),
                quantity=pieces,
                reason="measured",
            )
        )
        if completes:
            complete = JobOrderTrigger.COMPLETE
            self._ok(m.AssertTrigger(job_order=job_order, trigger=complete))
        return again

    def _worked_again(self, lot: Lot) -> int | None:
        """Return the operation that the lot has to go back to, if chance says so."""
        operation = lot.operation
        if not operation.rework or self._chance.random() >= operation.rework:
            return None
        back = range(lot.first, lot.at)
        return next(
            (at for at in back if lot.route[at].id == operation.rework_from), None
        )

    def _go_on(self, lot: Lot, job_order: str, at: int | None) -> None:
        """Take a lot to its ``at``-th operation, or out of the fab."""
        self.measures.operations += 1
        if lot.at != lot.first:
            self._behind.leave(job_order)
        if lot.job_orders.get(lot.operation.id) == job_order:
            del lot.job_orders[lot.operation.id]
        if at is None:
            self.measures.leave(lot, self.calendar.now)
            del self.lots[lot.id]
            self._over.add(lot.id)
            return
        lot.at = at
        transport = self._fab.transport.sample(self._chance)
        self.calendar.at(self.calendar.now + transport, lambda: self._arrive(lot))

    def _way_on(self, lot: Lot) -> int | None:
        """Return the number of the lot's next operation; None after the last.

        A choice is said at once: what is reported good sets out on it.
        """
        ways = ways_on(lot.route, lot.at)
        if not ways:
            return None
        taken = next(
            at
            for at, one in enumerate(ways)
            if one.sampled == 1 or self._chance.random() < one.sampled
        )
        if len(ways) > 1:
            self._ok(
                m.ChooseAlternative(
                    work_request=lot.id,
                    step=lot.operation.id,
                    target=ways[taken].id,
                    pass_number=self._pass_of(lot),
                )
            )
        return lot.at + 1 + taken

    def _pass_of(self, lot: Lot) -> int:
        state = self.shop.state
        job = state.job_order.get(lot.job_order)
        visit = None if job is None else state.visit.get(job.visit)
        return 1 if visit is None else visit.pass_number

    def _wait(self, work: Work, us: int, then: Then) -> None:
        work.ends_at = max(self.calendar.now, work.tool.stands_until) + us
        self._look(work, then)

    def _look(self, work: Work, then: Then) -> None:
        def look() -> None:
            if work.ends_at > self.calendar.now:  # The tool stood still meanwhile.
                self._look(work, then)
            else:
                then(work)

        self.calendar.at(work.ends_at, look)

    def _fire(self, lot: Lot, trigger: JobOrderTrigger) -> None:
        self._ok(m.AssertTrigger(job_order=lot.job_order, trigger=trigger))

    def _ok(self, command: m.Command) -> dict[str, str]:
        return self.shop.ok(command, at=self.calendar.now)
