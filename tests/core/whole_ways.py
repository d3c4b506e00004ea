"""Ways and skips by measured data, and choices for one lot, for the whole shop."""

from decimal import Decimal
from typing import ClassVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import rule

from mes_engine.core import messages as m
from mes_engine.core.routing import Routing
from mes_engine.core.steps import JobPer
from tests.core.test_measured_skips import skipping
from tests.core.test_measured_ways import parting
from tests.core.whole_people import picks
from tests.core.whole_pools import WholePools
from tests.core.whole_shop import reasons

replace = msgspec.structs.replace

BY_DATA = (
    parting(id="PARTING"),
    parting(id="PARTING-LOTS", per=JobPer.LOT),
    replace(skipping(), id="SKIPPING"),
    replace(skipping(per=JobPer.LOT), id="SKIPPING-LOTS"),
)
NAMES = {one.id for one in BY_DATA}
VALUES: dict[str, tuple[str | bool, ...]] = {
    "width": ("9", "10", "11"),
    "grade": ("A", "B"),
    "tight": (True, False),
}


class WholeWays(WholePools):
    """What is measured tells where lots go, unless a person does."""

    routings: ClassVar[tuple[Routing, ...]] = (*BY_DATA, *WholePools.routings)

    @rule(
        pick=picks,
        name=st.sampled_from(sorted(VALUES)),
        value=picks,
        is_of_lot=st.booleans(),
    )
    def measure_what_tells(
        self, *, pick: int, name: str, value: int, is_of_lot: bool
    ) -> None:
        """Measure at cutting what the ways after it ask for."""
        state = self.shop.batch
        jobs = [
            one
            for one in state.job_order.values()
            if one.routing in NAMES and one.step == "cut"
        ]
        if not jobs:
            return
        job = jobs[-1 - pick % len(jobs)]
        lots = [one.lot for one in state.position.find("place", job.visit)]
        values = VALUES[name]
        command = m.RecordMeasurement(
            job_order=job.id,
            characteristic=name,
            value=values[value % len(values)],
            lot=lots[pick % len(lots)] if lots and is_of_lot else None,
        )
        self.do(command)

    @rule(
        pick=picks,
        to=st.sampled_from(["mill", "drill", "paint", "pack"]),
        reason=reasons,
    )
    def choose_for_a_lot(self, *, pick: int, to: str, reason: str) -> None:
        state = self.shop.batch
        there = [
            (one.request, visit.step, one.lot)
            for one in state.position.values()
            if (visit := state.visit.get(one.place)) is not None and one.on_floor
        ]
        parted = [one for one in there if one[1] == "cut"] or there
        request, step, lot = parted[pick % len(parted)] if parted else ("", "", "")
        command = m.ChooseAlternative(
            work_request=request or "WR-0",
            step=step or "cut",
            target=to,
            lot=lot or None,
            reason=reason,
        )
        self.do(command)

    @rule(values=st.tuples(picks, picks, picks), quantity=st.sampled_from([2, 7]))
    def part_by_data(self, *, values: tuple[int, int, int], quantity: int) -> None:
        """Have a request of several lots cut, measured, and sent by what it says."""
        name = self.new_request(
            BY_DATA[values[0] % len(BY_DATA)].id, quantity, lot_size=Decimal(3)
        )
        cut = [one for one in self.of(name) if one.step == "cut"]
        for turn, job in enumerate(cut):
            self.go_on(job.id, steps=2)
            for at, characteristic in enumerate(VALUES):
                known = VALUES[characteristic]
                command = m.RecordMeasurement(
                    job_order=job.id,
                    characteristic=characteristic,
                    value=known[(values[at] + turn) % len(known)],
                )
                self.do(command)
            self.go_on(job.id, steps=2)
        for job in self.of(name):
            self.go_on(job.id, steps=4)
