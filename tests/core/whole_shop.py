"""Anything at all done to a shop, in any order, with every law checked at each step."""

from decimal import Decimal
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    rule,
)

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.plant import Plant
from mes_engine.core.postings import PostingState
from mes_engine.core.routing import Routing
from mes_engine.core.runs import HoldMode, HoldScope, Lane
from mes_engine.core.samples import LinkReport, LinkState, Quality
from mes_engine.core.steps import BeginOn, Component, StepOrder
from tests.core import finishing, watch
from tests.core.driving import COUNTERS
from tests.core.plants import (
    a_furnace,
    a_plant,
    a_routing,
    a_step,
    beside,
    flows,
    in_batches,
    one_of_two,
    split_by_shares,
    steel,
)
from tests.core.shop import SECOND
from tests.core.whole_people import UNITS, WholePeople, picks

THREE_WAYS = tuple(
    flows("cut", to, share=Decimal(share), transfer_batch=Decimal(2))
    for to, share in (("mill", "0.33"), ("drill", "0.33"), ("pack", "0.34"))
)
ROUTINGS: tuple[Routing, ...] = (
    a_routing("cut", "mill", id="LINE", over_tolerance=Decimal("0.2")),
    in_batches("cut", "mill", "paint", of=3, id="BATCHES"),
    split_by_shares(id="SHARES"),
    beside(id="BESIDE"),
    one_of_two(id="EITHER"),
    a_routing("cut", "mill", "drill", "pack", id="THREE", connections=THREE_WAYS),
    a_routing(
        "cut",
        "paint",
        id="FREE",
        step_order=StepOrder.FREE,
        over_tolerance=Decimal("0.5"),
    ),
    a_routing(
        a_step("mill", consumes=(steel("0.5"),), begin_on=BeginOn.FIRST_COUNT),
        "paint",
        id="STEEL",
        material="bracket",
    ),
    a_routing(
        a_step(
            "pack",
            consumes=(Component(material="bracket", per_piece=Decimal(1), unit="C62"),),
        ),
        id="ASSEMBLY",
        material="frame",
    ),
)
REQUESTS = tuple(f"WR-{number}" for number in range(4))
routes = st.integers(0, 63)
few = st.sampled_from([Decimal(n) for n in (0, 1, 2, 3, 5, 10)])
amounts = st.one_of(
    few,
    few,
    st.sampled_from(
        [Decimal(x) for x in ("-1", "-0", "0.5", "NaN", "sNaN", "Infinity", "1E+9")]
    ),
)
reasons = st.sampled_from(["because", "because", "because", ""])


class WholeShop(WholePeople):
    """The engine's commands and samples, valid or not, in any order."""

    routings: ClassVar[tuple[Routing, ...]] = ROUTINGS
    plant: ClassVar[Plant] = a_furnace("paint")

    def __init__(self) -> None:
        super().__init__(*self.routings, plant=self.plant)

    @initialize(
        which=st.lists(routes, min_size=1, max_size=3),
        quantity=st.sampled_from([1, 2, 7, 10]),
        steel=st.sampled_from([0, 1, 5, 100]),
        lot_size=st.sampled_from([None, None, Decimal(3)]),
    )
    def begin_with_requests(
        self,
        *,
        which: list[int],
        quantity: int,
        steel: int,
        lot_size: Decimal | None,
    ) -> None:
        if steel:
            self.receive(quantity=Decimal(steel))
        for name, routing in enumerate(which):
            self.create(
                name=name,
                which=routing,
                quantity=Decimal(quantity),
                releases_job_orders=True,
                lot_size=lot_size,
            )
            self.do(m.ReleaseWorkRequest(work_request=REQUESTS[name]))
        self.shop.commit()

    # What is made

    @rule(
        name=picks,
        which=routes,
        quantity=amounts,
        releases_job_orders=st.booleans(),
        lot_size=st.sampled_from([None, None, Decimal(3), Decimal(0)]),
    )
    def create(
        self,
        *,
        name: int,
        which: int,
        quantity: Decimal,
        releases_job_orders: bool,
        lot_size: Decimal | None = None,
    ) -> None:
        command = m.CreateWorkRequest(
            work_request=REQUESTS[name % len(REQUESTS)],
            routing=self.routings[which % len(self.routings)].id,
            quantity=quantity,
            due_at=self.shop.at,
            releases_job_orders=releases_job_orders,
            lot_size=lot_size,
        )
        self.do(command)

    @rule(name=picks, what=st.sampled_from(["release", "release", "close", "cancel"]))
    def settle_request(self, *, name: int, what: str) -> None:
        request = REQUESTS[name % len(REQUESTS)]
        kinds: dict[str, Any] = {
            "release": m.ReleaseWorkRequest,
            "close": m.CloseWorkRequest,
            "cancel": m.CancelWorkRequest,
        }
        self.do(kinds[what](work_request=request))

    @rule(which=routes, is_withdrawn=st.booleans())
    def settle_routing(self, *, which: int, is_withdrawn: bool) -> None:
        routing = self.routings[which % len(self.routings)]
        if is_withdrawn:
            name, revision = routing.id, routing.revision
            self.do(m.WithdrawRouting(routing=name, revision=revision))
        else:
            self.do(m.ReleaseRouting(routing=routing))

    @rule(unit=st.sampled_from([None, None, *UNITS]))
    def apply_plant(self, *, unit: str | None) -> None:
        """Make the plant whole, or leave a work unit out."""
        whole = a_plant()
        kept = tuple(one for one in whole.work_units if one.id != unit)
        signals = tuple(one for one in whole.signals if one.work_unit != unit)
        self.do(m.ApplyPlant(plant=a_plant(work_units=kept, signals=signals)))

    @rule(name=picks, step=picks, to=picks)
    def choose(self, *, name: int, step: int, to: int) -> None:
        steps = ("cut", "mill", "drill")
        command = m.ChooseAlternative(
            work_request=REQUESTS[name % len(REQUESTS)],
            step=steps[0 if step else 1],
            target=steps[to % 3],
        )
        self.do(command)

    @rule(quantity=amounts)
    def receive(self, *, quantity: Decimal) -> None:
        command = m.ReceiveMaterial(
            material="steel", unit="KGM", quantity=quantity, supplier="S"
        )
        self.do(command)

    # What is done with job orders

    @rule(pick=picks, good=few, steps=st.integers(1, 5))
    def press_on(self, *, pick: int, good: Decimal, steps: int) -> None:
        """Do what comes next, so that histories get long."""
        name = self.job(pick)
        for _ in range(steps):
            job = self.shop.batch.job_order.get(name)
            if job is not None:
                for command in finishing.next_commands(self.shop.batch, job, good):
                    self.do(command)

    @rule(pick=picks, good=few)
    def press_on_far(self, *, pick: int, good: Decimal) -> None:
        self.press_on(pick=pick, good=good, steps=5)
        self.shop.commit()

    @rule(
        pick=picks,
        good=few,
        steps=st.integers(2, 5),
        what=st.sampled_from(["setup", "pause", "leave", "hold", "stop", "abort"]),
        remainder=st.sampled_from(m.Remainder),
    )
    def press_on_and_interrupt(
        self,
        *,
        pick: int,
        good: Decimal,
        steps: int,
        what: str,
        remainder: m.Remainder,
    ) -> None:
        """Do what comes next, and then something that gets in the way."""
        job = self.job(pick)
        self.press_on(pick=pick, good=good, steps=steps)
        ways: dict[str, m.Command] = {
            "setup": m.AssertTrigger(job_order=job, trigger=T.BEGIN_SETUP),
            "pause": m.PauseJobOrder(job_order=job, reason="break"),
            "leave": m.PauseJobOrder(job_order=job, reason="rush", gives_up_slot=True),
            "hold": m.OpenHold(scope=HoldScope.JOB_ORDER, target=job, reason="crack"),
            "stop": m.StopJobOrder(
                job_order=job, remainder=remainder, reason="early end"
            ),
            "abort": m.AbortJobOrder(job_order=job, reason="crash", signature="Ana"),
        }
        self.do(ways[what])
        self.shop.commit()

    @rule(
        pick=picks,
        good=few,
        steps=st.integers(1, 4),
        role=st.sampled_from(["good", "good", "scrap"]),
        made=st.integers(0, 12),
    )
    def press_on_and_count(
        self, *, pick: int, good: Decimal, steps: int, role: str, made: int
    ) -> None:
        """Do what comes next, and let the machine count."""
        name = self.job(pick)
        self.press_on(pick=pick, good=good, steps=steps)
        job = self.shop.batch.job_order.get(name)
        run = None if job is None else self.shop.batch.run.get(job.run or "")
        tag = COUNTERS[0] if run is None else f"{run.work_unit}.{role}"
        if tag in COUNTERS:
            self.count(tag=tag, made=0)
            self.count(tag=tag, made=made)

    @rule(pick=picks)
    def press_on_to_the_end(self, *, pick: int) -> None:
        self.press_on(pick=pick, good=Decimal(0), steps=5)
        self.shop.commit()

    @rule(pick=picks, trigger=st.sampled_from(JobOrderTrigger), reason=reasons)
    def assert_trigger(
        self, *, pick: int, trigger: JobOrderTrigger, reason: str
    ) -> None:
        job = self.job(pick, trigger)
        is_allowed = watch.is_allowed(self.shop.batch, job, trigger)
        answer = self.do(m.AssertTrigger(job_order=job, trigger=trigger, reason=reason))
        if trigger in watch.SAID_BY_NAME_ALONE:
            assert (answer.outcome is m.Outcome.ACCEPTED) == is_allowed, answer
        elif trigger is not JobOrderTrigger.TO_HELD:
            assert answer.outcome is not m.Outcome.ACCEPTED

    @rule(pick=picks, unit=picks, lane=st.sampled_from([None, *Lane]))
    def load(self, *, pick: int, unit: int, lane: Lane | None) -> None:
        work_unit = UNITS[unit] if unit < len(UNITS) else "nowhere"
        self.do(
            m.LoadJobOrder(
                job_order=self.job(pick, T.LOAD), work_unit=work_unit, lane=lane
            )
        )

    @rule(pick=picks, quantity=amounts)
    def split(self, *, pick: int, quantity: Decimal) -> None:
        self.do(m.SplitJobOrder(job_order=self.job(pick), quantity=quantity))

    @rule(chosen=st.lists(picks, min_size=1, max_size=4))
    def load_together(self, *, chosen: list[int]) -> None:
        here = [
            one.id
            for one in self.shop.batch.job_order.values()
            if one.step == "paint" and watch.is_allowed(self.shop.batch, one.id, T.LOAD)
        ]
        jobs = [here[pick % len(here)] if here else "JO-none" for pick in chosen]
        self.do(m.LoadTogether(job_orders=tuple(jobs), work_unit="paint-1"))

    @rule(unit=picks, lane=st.sampled_from([None, *Lane]))
    def dispatch(self, *, unit: int, lane: Lane | None) -> None:
        work_unit = UNITS[unit % len(UNITS)]
        self.do(m.DispatchWorkUnit(work_unit=work_unit, lane=lane))

    @rule(pick=picks, in_process=amounts)
    def begin(self, *, pick: int, in_process: Decimal) -> None:
        self.do(
            m.BeginJobOrder(job_order=self.job(pick, T.BEGIN), in_process=in_process)
        )

    @rule(
        pick=picks,
        good=amounts,
        scrap=few,
        other=st.tuples(few, few, few),
        times=st.tuples(few, few, few),
        reason=reasons,
        taken_from=st.sampled_from([m.ReportFrom.WORK, *m.ReportFrom]),
    )
    def report(
        self,
        *,
        pick: int,
        good: Decimal,
        scrap: Decimal,
        other: tuple[Decimal, Decimal, Decimal],
        times: tuple[Decimal, Decimal, Decimal],
        reason: str,
        taken_from: m.ReportFrom,
    ) -> None:
        command = m.ReportQuantity(
            job_order=self.job(pick, T.REPORT),
            good=good,
            scrap=(m.Scrapped(quantity=scrap, reason=reason),) if scrap else (),
            suspect=other[0],
            lost=other[1],
            tested=other[2],
            setup_s=times[0],
            processing_s=times[1],
            down_s=times[2],
            reason=reason,
            taken_from=taken_from,
        )
        self.do(command)

    @rule(pick=picks, amount=few, suspect=few)
    def report_plainly(self, *, pick: int, amount: Decimal, suspect: Decimal) -> None:
        command = m.ReportQuantity(
            job_order=self.job(pick, T.REPORT),
            good=amount,
            suspect=suspect,
            reason="because",
        )
        self.do(command)

    @rule(pick=picks, reason=reasons, gives_up_slot=st.booleans())
    def pause(self, *, pick: int, reason: str, gives_up_slot: bool) -> None:
        command = m.PauseJobOrder(
            job_order=self.job(pick, T.PAUSE),
            reason=reason,
            gives_up_slot=gives_up_slot,
        )
        self.do(command)

    @rule(pick=picks, unit=picks, lane=st.sampled_from([None, *Lane]))
    def move(self, *, pick: int, unit: int, lane: Lane | None) -> None:
        command = m.MoveJobOrder(
            job_order=self.job(pick, T.MOVE_TO),
            work_unit=UNITS[unit % len(UNITS)],
            lane=lane,
        )
        self.do(command)

    @rule(pick=picks, unit=picks)
    def resume(self, *, pick: int, unit: int) -> None:
        work_unit = UNITS[unit] if unit < len(UNITS) else None
        self.do(
            m.ResumeJobOrder(job_order=self.job(pick, T.RESUME), work_unit=work_unit)
        )

    @rule(pick=picks, remainder=st.sampled_from(m.Remainder), reason=reasons)
    def stop(self, *, pick: int, remainder: m.Remainder, reason: str) -> None:
        command = m.StopJobOrder(
            job_order=self.job(pick, T.STOP), remainder=remainder, reason=reason
        )
        self.do(command)

    @rule(pick=picks, in_process=amounts, signature=reasons)
    def abort(self, *, pick: int, in_process: Decimal, signature: str) -> None:
        command = m.AbortJobOrder(
            job_order=self.job(pick, T.ABORT),
            reason="because",
            in_process=in_process,
            signature=signature,
        )
        self.do(command)

    @rule(pick=picks, priority=st.sampled_from([None, 0, 5]))
    def update(self, *, pick: int, priority: int | None) -> None:
        self.do(m.UpdateJobOrder(job_order=self.job(pick, T.UPDATE), priority=priority))

    @rule(
        pick=picks,
        is_of_job=st.booleans(),
        mode=st.sampled_from(HoldMode),
        reason=reasons,
    )
    def hold(self, *, pick: int, is_of_job: bool, mode: HoldMode, reason: str) -> None:
        command = m.OpenHold(
            scope=HoldScope.JOB_ORDER if is_of_job else HoldScope.WORK_REQUEST,
            target=self.job(pick) if is_of_job else REQUESTS[pick % len(REQUESTS)],
            reason=reason,
            mode=mode,
        )
        self.do(command)

    @rule(pick=picks, resumes=st.booleans())
    def release_hold(self, *, pick: int, resumes: bool) -> None:
        holds = sorted(self.shop.batch.hold.values(), key=lambda one: one.number)
        name = holds[pick % len(holds)].id if holds else "H-none"
        self.do(m.ReleaseHold(hold=name, resumes=resumes))

    @rule(seconds=st.sampled_from([1, 10, 3600]))
    def say_the_next_late(self, *, seconds: int) -> None:
        """The next command happened earlier, by the word of who sends it."""
        self.lag = seconds * SECOND

    # What the ledger says

    @rule(pick=picks, state=st.sampled_from(PostingState))
    def record_posting(self, *, pick: int, state: PostingState) -> None:
        self.do(m.RecordPosting(posting=self.posting(pick), state=state))

    @rule(pick=picks, is_waived=st.booleans())
    def settle_posting(self, *, pick: int, is_waived: bool) -> None:
        posting = self.posting(pick)
        if is_waived:
            self.do(m.WaivePosting(posting=posting, reason="by hand"))
        else:
            self.do(m.RetryPosting(posting=posting))

    # What machines say

    @rule(tag=st.sampled_from(COUNTERS), made=st.integers(0, 12))
    def count(self, *, tag: str, made: int) -> None:
        self.counts[tag] += made
        self.sense(tag, self.counts[tag])

    @rule(tag=st.sampled_from(COUNTERS), value=st.sampled_from([0, 3, 65_530, 2**40]))
    def jump(self, *, tag: str, value: int) -> None:
        self.counts[tag] = value
        self.sense(tag, value)

    @rule(
        tag=st.sampled_from([*COUNTERS, "mill-1.state", "no.such"]),
        value=st.sampled_from(
            [None, True, -1, 1.5, float("nan"), float("inf"), 1e300, 10**30, "x"]
        ),
        quality=st.sampled_from(Quality),
        overflow=st.booleans(),
    )
    def talk_nonsense(
        self, *, tag: str, value: Any, quality: Quality, overflow: bool
    ) -> None:
        self.sense(tag, value, quality=quality, overflow=overflow)

    @rule(
        tag=st.sampled_from(["mill-1.state", "mill-2.state"]),
        word=st.sampled_from([6, 6, 4, 9, 99, "6"]),
    )
    def tell_state(self, *, tag: str, word: object) -> None:
        self.sense(tag, word)

    @rule(state=st.sampled_from([LinkState.CONNECTED, *LinkState]))
    def hear_link(self, *, state: LinkState) -> None:
        self.shop.at += SECOND
        self.shop.hear(LinkReport(state=state, at=self.shop.at))

    @rule(earlier_s=st.integers(1, 100), made=st.integers(0, 5))
    def count_late(self, *, earlier_s: int, made: int) -> None:
        """A count with a source time before the last one, or none at all."""
        tag = "cut-1.good"
        self.counts[tag] += made
        source_at = self.shop.at - earlier_s * SECOND if earlier_s < 90 else None
        self.sense(tag, self.counts[tag], source_at=source_at)
