"""Steps whose job orders are made per run, for the whole shop."""

from decimal import Decimal
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import rule

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState
from mes_engine.core.routing import Routing
from mes_engine.core.steps import JobPer, ReworkLoop
from tests.core.plants import a_routing, a_step, in_batches, steel
from tests.core.whole_commands import WholeCommands
from tests.core.whole_people import picks
from tests.core.whole_shop import amounts, few

POOLED = (
    in_batches(
        *("cut", a_step("paint", job_per=JobPer.RUN), "pack"),
        of=2,
        id="POOLED",
        over_tolerance=Decimal("0.2"),
    ),
    a_routing(
        a_step("cut", job_per=JobPer.RUN, consumes=(steel("0.5"),)),
        a_step("mill", job_per=JobPer.RUN),
        id="IN-RUNS",
        rework=(ReworkLoop(id="again", source="mill", target="cut", limit=2),),
    ),
)


class WholePools(WholeCommands):
    """What waits in pools, and runs that take a part of it."""

    routings: ClassVar[tuple[Routing, ...]] = (*POOLED, *WholeCommands.routings)

    @rule(pick=picks, quantity=amounts, good=few, steps=st.integers(0, 3))
    def run_a_part(
        self, *, pick: int, quantity: Decimal, good: Decimal, steps: int
    ) -> None:
        """Load a part of what waits, and go on with it."""
        pooled = {one.id for one in POOLED}
        jobs = [
            one
            for one in self.live()
            if one.routing in pooled and one.state is JobOrderState.ALLOWED_READY
        ]
        job = jobs[pick % len(jobs)] if jobs else None
        command = m.LoadJobOrder(
            job_order=self.job(pick) if job is None else job.id,
            work_unit="cut-1" if job is None else f"{job.step}-1",
            quantity=quantity,
        )
        self.go_on(self.do(command).result.get("job_order", ""), good, steps=steps)
