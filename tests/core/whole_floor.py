"""The shop with everything that makes work in progress deep, in any order."""

from decimal import Decimal
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import rule

from mes_engine.core import messages as m
from mes_engine.core.assets import AssetState, LifeUnit
from mes_engine.core.bookings import AdjustAt, CountedPieces
from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.machine_jobs import (
    JobVerb,
    MachineJobList,
    MachineJobState,
    ToldJob,
)
from mes_engine.core.personnel import Qualification, QualificationNeed
from mes_engine.core.routing import Routing
from mes_engine.core.runs import HoldMode, HoldQuery, HoldScope
from mes_engine.core.steps import JobPer, ReworkLoop
from mes_engine.core.time_windows import WindowRule
from tests.core import correcting
from tests.core.plants import JOB_LINK, a_routing, a_step, in_batches
from tests.core.shop import SECOND
from tests.core.whole_people import picks
from tests.core.whole_shop import REQUESTS, ROUTINGS, WholeShop, few, reasons

DEEP: tuple[Routing, ...] = (
    a_routing(
        *(a_step(one, job_per=JobPer.LOT) for one in ("cut", "mill", "paint")),
        id="LOTS",
    ),
    a_routing("cut", a_step("mill", job_per=JobPer.LOT), "paint", id="MIXED"),
    in_batches(
        "cut",
        "mill",
        "paint",
        of=3,
        id="CURED",
        time_windows=(
            WindowRule(
                source="cut", target="mill", min_s=Decimal(5), max_s=Decimal(60)
            ),
            WindowRule(source="cut", target="paint", max_s=Decimal(120)),
        ),
    ),
)


LOOPS = (
    a_routing(
        "cut",
        "mill",
        "paint",
        id="LOOP",
        rework=(
            ReworkLoop(id="again", source="mill", target="cut", limit=2),
            ReworkLoop(id="all-again", source="paint", target="cut"),
        ),
    ),
    in_batches(
        "cut",
        a_step("mill", job_per=JobPer.LOT),
        "paint",
        of=2,
        id="LOOP-OF-LOTS",
        rework=(ReworkLoop(id="again", source="paint", target="mill", limit=2),),
    ),
)
TOOLED = a_routing(
    a_step(
        "cut",
        tools=("saw-blade",),
        qualification=QualificationNeed(name="saw", level=1),
        documents=("DOC-1",),
    ),
    "paint",
    id="TOOLED",
)
BLADES = ("blade-1", "blade-2")


class WholeFloor(WholeShop):
    """Lots, changes, rework, corrections, and what work needs."""

    routings: ClassVar[tuple[Routing, ...]] = (*DEEP, *LOOPS, TOOLED, *ROUTINGS)

    def __init__(self) -> None:
        super().__init__()
        for blade in BLADES:
            self.do(a_blade(blade))
        self.do(m.RegisterPerson(person="Maria", name="Maria"))
        self.do(a_grant())
        self.do(m.ReleaseDocument(document="DOC-1", revision="A", title="How to"))

    # Lots

    @rule(pick=picks, sizes=st.lists(few, min_size=1, max_size=2), reason=reasons)
    def split_lot(self, *, pick: int, sizes: list[Decimal], reason: str) -> None:
        self.do(m.SplitLot(lot=self.lot(pick), quantities=tuple(sizes), reason=reason))

    @rule(pick=picks, other=picks)
    def merge_lots(self, *, pick: int, other: int) -> None:
        lots = (self.lot(pick), self.lot(other))
        self.do(m.MergeLots(lots=lots, reason="together again"))

    def lot(self, pick: int) -> str:
        lots = list(self.shop.batch.lot.values())
        return lots[-1 - pick % len(lots)].id if lots else "L-none"

    # Job control

    @rule(pick=picks)
    def clear_job_order(self, *, pick: int) -> None:
        self.do(m.ClearJobOrder(job_order=self.job(pick)))

    @rule(
        pick=picks,
        verb=st.sampled_from(JobVerb),
        status=st.sampled_from([None, 0, 1, 8]),
    )
    def record_machine_job(
        self, *, pick: int, verb: JobVerb, status: int | None
    ) -> None:
        self.do(
            m.RecordMachineJob(
                job_order=self.job(pick),
                link=JOB_LINK,
                verb=verb,
                status=status,
                sent="0/0/1",
            )
        )

    @rule(
        pick=picks,
        state=st.sampled_from(
            [one for one in MachineJobState if one is not MachineJobState.GONE]
        ),
        good=few,
        is_listed=st.booleans(),
    )
    def hear_machine_jobs(
        self, *, pick: int, state: MachineJobState, good: Decimal, is_listed: bool
    ) -> None:
        told = ToldJob(job_order=self.job(pick), state=state, good=good)
        jobs = (told,) if is_listed else ()
        self.shop.hear(MachineJobList(jobs=jobs, at=self.shop.at), link=JOB_LINK)

    # Changes and holds

    @rule(
        name=picks,
        quantity=st.sampled_from([None, *(Decimal(n) for n in (0, 1, 5, 12))]),
        priority=st.sampled_from([None, 3]),
    )
    def change_request(
        self, *, name: int, quantity: Decimal | None, priority: int | None
    ) -> None:
        command = m.ChangeWorkRequest(
            work_request=REQUESTS[name % len(REQUESTS)],
            quantity=quantity,
            priority=priority,
            reason="the customer asked",
        )
        self.do(command)

    @rule(pick=picks, mode=st.sampled_from([HoldMode.STOP_NOW, HoldMode.AFTER_RUN]))
    def hold_lot(self, *, pick: int, mode: HoldMode) -> None:
        command = m.OpenHold(
            scope=HoldScope.LOT, target=self.lot(pick), reason="crack", mode=mode
        )
        self.do(command)

    @rule(step=st.sampled_from(["cut", "mill", "paint"]))
    def hold_what_comes(self, *, step: str) -> None:
        command = m.OpenHold(
            scope=HoldScope.JOB_ORDER,
            mode=HoldMode.FUTURE,
            query=HoldQuery(step=step),
            reason="an audit",
        )
        self.do(command)

    # Rework and corrections

    @rule(
        pick=picks,
        quantity=few,
        loop=st.sampled_from(["again", "again", "all-again"]),
        taken_from=st.sampled_from(m.ReworkFrom),
    )
    def rework(
        self, *, pick: int, quantity: Decimal, loop: str, taken_from: m.ReworkFrom
    ) -> None:
        command = m.SendToRework(
            job_order=self.job(pick, JobOrderTrigger.REPORT),
            quantity=quantity,
            loop=loop,
            reason="crack",
            taken_from=taken_from,
        )
        self.do(command)

    @rule(
        pick=picks,
        which=picks,
        counted=st.sampled_from(CountedPieces),
        where=st.sampled_from(AdjustAt),
    )
    def reverse(
        self, *, pick: int, which: int, counted: CountedPieces, where: AdjustAt
    ) -> None:
        self.shop.commit()
        booked = [
            one
            for job in [one.id for one in self.shop.state.job_order.values()]
            for one in correcting.bookings(self.shop, job)
        ]
        if booked:
            booking = booked[-1 - (pick * which) % len(booked)]
            command = correcting.reversing(
                self.shop, booking, counted=counted, where=where
            )
            self.do(command)

    # Time windows

    @rule(seconds=st.sampled_from([1, 10, 100]))
    def let_time_pass(self, *, seconds: int) -> None:
        self.shop.at += seconds * SECOND
        self.do(m.CheckTimeWindows())

    @rule(pick=picks, reason=reasons)
    def waive_window(self, *, pick: int, reason: str) -> None:
        known = list(self.shop.batch.time_window.values())
        window = known[pick % len(known)].id if known else "none"
        self.do(m.WaiveTimeWindow(window=window, reason=reason))

    # Tools, people, documents

    @rule(
        blade=st.sampled_from([*BLADES, "blade-none"]),
        what=st.sampled_from(["mount", "unmount", "withdraw", "return"]),
        unit=st.sampled_from(["cut-1", "mill-1"]),
        state=st.sampled_from(AssetState),
    )
    def handle_tool(
        self, *, blade: str, what: str, unit: str, state: AssetState
    ) -> None:
        ways: dict[str, m.Command] = {
            "mount": m.MountTool(asset=blade, work_unit=unit),
            "unmount": m.UnmountTool(asset=blade),
            "withdraw": m.WithdrawTool(asset=blade, state=state, reason="blunt"),
            "return": m.ReturnTool(asset=blade, renews_life=True, reason="reground"),
        }
        self.do(ways[what])

    @rule(is_granted=st.booleans())
    def qualify(self, *, is_granted: bool) -> None:
        revoked = m.RevokeQualification(
            person="Maria", qualification="saw", reason="expired"
        )
        self.do(a_grant() if is_granted else revoked)

    @rule(is_released=st.booleans())
    def settle_document(self, *, is_released: bool) -> None:
        released = m.ReleaseDocument(document="DOC-1", revision="A", title="How to")
        withdrawn = m.WithdrawDocument(document="DOC-1", reason="wrong")
        self.do(released if is_released else withdrawn)


def a_blade(name: str) -> m.Command:
    """A saw blade that lasts for ten pieces."""
    return m.RegisterAsset(
        asset=name,
        asset_class="saw-blade",
        name=name,
        crib="crib",
        life_unit=LifeUnit.PIECES,
        life=Decimal(10),
    )


def a_grant() -> m.Command:
    """Maria may saw."""
    return m.GrantQualification(
        person="Maria", qualification=Qualification(name="saw", level=2)
    )
