"""Turns that seldom come about by themselves: a few things done one after the other."""

from decimal import Decimal
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import rule

from mes_engine.core import messages as m
from mes_engine.core.postings import SETTLED, PostingState
from mes_engine.core.quantity import MAX_QUANTITY, ZERO
from mes_engine.core.routing import Routing
from mes_engine.core.samples import LinkReport, LinkState
from mes_engine.core.steps import JobPer, ReworkLoop
from tests.core import correcting
from tests.core.plants import a_furnace, a_routing, a_step
from tests.core.shop import SECOND
from tests.core.whole_shop import few
from tests.core.whole_ways import WholeWays

TURNING = (
    a_routing(
        "cut", id="TWICE", rework=(ReworkLoop(id="again", source="cut", target="cut"),)
    ),
    a_routing(a_step("paint", job_per=JobPer.LOT), id="BURNT"),
)


class WholeTurns(WholeWays):
    """Each of these is a story of its own, wherever the shop stands."""

    routings: ClassVar[tuple[Routing, ...]] = (*TURNING, *WholeWays.routings)

    @rule(quantity=st.sampled_from([2, 5]), sent=few, times=st.integers(1, 3))
    def go_round(self, *, quantity: int, sent: Decimal, times: int) -> None:
        """Send to rework twice in a pass, and again what came of it, without end."""
        name = self.new_request("TWICE", quantity)
        for _ in range(times):
            for job in self.of(name):
                self.go_on(job.id, steps=2)
                for amount in (Decimal(1), sent):
                    command = m.SendToRework(
                        job_order=job.id, quantity=amount, loop="again", reason="burr"
                    )
                    self.do(command)

    @rule(quantity=st.sampled_from([2, 5]), sent=few, good=few)
    def send_back(self, *, quantity: int, sent: Decimal, good: Decimal) -> None:
        """Send pieces back to a step whose last word has been said, and do it there."""
        name = self.new_request("LINE", quantity)
        for step in ("cut", "mill"):
            for job in self.of(name):
                if job.step == step:
                    self.go_on(job.id, good if step == "mill" else ZERO, steps=3)
        for job in self.of(name):
            if job.step == "mill":
                command = m.DeviateLot(
                    job_order=job.id, to_step="cut", quantity=sent, reason="too long"
                )
                self.do(command)
        for job in self.of(name):
            if job.step == "cut":
                self.go_on(job.id, steps=3)

    @rule(is_waived=st.booleans())
    def park_a_posting(self, *, is_waived: bool) -> None:
        """Have the ledger refuse a posting; a person sends it again, or waives it."""
        name = self.new_request("LINE", 2)
        for job in self.of(name)[:1]:
            self.go_on(job.id, steps=3)
        for posting in list(self.shop.batch.posting.values()):
            if posting.stream == name and posting.state not in SETTLED:
                key, parked = posting.key, PostingState.PARKED
                self.do(m.RecordPosting(posting=key, state=parked, reason="closed"))
                if is_waived:
                    self.do(m.WaivePosting(posting=key, reason="by hand"))
                else:
                    self.do(m.RetryPosting(posting=key))

    @rule(good=st.sampled_from([3, 5]), is_taken_back=st.booleans())
    def fill_a_buffer(self, *, good: int, is_taken_back: bool) -> None:
        """Three pieces fill the buffer before milling; another request waits for it."""
        first, _ = self.new_request("LEAN", 5), self.new_request("LEAN", 5)
        cut = next((one.id for one in self.of(first) if one.step == "cut"), "")
        self.go_on(cut, steps=2)
        for _ in range(good):
            self.do(m.ReportQuantity(job_order=cut, good=Decimal(1)))
        self.shop.commit()
        for booking in correcting.bookings(self.shop, cut) if is_taken_back else ():
            self.do(correcting.reversing(self.shop, booking))

    @rule(made=st.integers(1, 5), quantity=st.one_of(st.none(), few))
    def count_and_assign(self, *, made: int, quantity: Decimal | None) -> None:
        """Let a saw count with nothing on it, and say later whose pieces those are."""
        self.shop.hear(LinkReport(state=LinkState.CONNECTED, at=self.shop.at))
        self.count(tag="cut-1.good", made=0)
        self.count(tag="cut-1.good", made=made)
        job = next((one.id for one in self.of(self.new_request("LINE", 5))), "JO-none")
        self.go_on(job, steps=2)
        found = [
            one.seq
            for one in self.shop.batch.unassigned_production.values()
            if one.work_unit == "cut-1" and one.left
        ]
        command = m.AssignProduction(
            production=found[-1] if found else 0,
            job_order=job,
            quantity=quantity,
            reason="he had begun",
        )
        self.do(command)

    @rule(
        seconds=st.sampled_from([1, 5, 60]),
        quantities=st.tuples(few, few),
        lot_size=st.sampled_from([None, Decimal(2)]),
        steps=st.integers(0, 3),
    )
    def attend_a_furnace(
        self,
        *,
        seconds: int,
        quantities: tuple[Decimal, Decimal],
        lot_size: Decimal | None,
        steps: int,
    ) -> None:
        """Be on a furnace with several job orders in it, for a while."""
        self.do(m.ApplyPlant(plant=a_furnace("paint")))
        names = [
            self.new_request("BURNT", int(quantity) + 1, lot_size=lot_size)
            for quantity in quantities
        ]
        jobs = [one.id for name in dict.fromkeys(names) for one in self.of(name)][:3]
        self.do(m.LoadTogether(job_orders=tuple(jobs), work_unit="paint-1"))
        self.do(m.BeginJobOrder(job_order=jobs[0] if jobs else "JO-none"))
        self.do(m.SignOnPerson(work_unit="paint-1", person="Eva"))
        self.shop.at += seconds * SECOND
        self.do(m.SignOffPerson(work_unit="paint-1", person="Eva"))
        for job in jobs:
            self.go_on(job, steps=steps)

    @rule(by_hand=st.sampled_from(["0.5", "1", "2"]), is_loaded=st.booleans())
    def consume_and_restart(self, *, by_hand: str, is_loaded: bool) -> None:
        """Give steel by hand; what is consumed at the end knows of it."""
        steel = m.ReceiveMaterial(
            material="steel", unit="KGM", quantity=MAX_QUANTITY, supplier="S"
        )
        lot = self.do(steel).result.get("lot", "L-none")
        name = self.new_request("STEEL", 5)
        job = next((one.id for one in self.of(name)), "JO-none")
        self.go_on(job, steps=2)
        command = m.ConsumeMaterial(
            job_order=job, lot=lot, quantity=Decimal(by_hand), reason="by hand"
        )
        self.do(command)
        self.restart(is_loaded=is_loaded)
        self.go_on(job, steps=3)

    @rule(is_loaded=st.booleans())
    def end_and_restart(self, *, is_loaded: bool) -> None:
        """Close a request, and do something with what it put into stock."""
        name = self.new_request("LINE", 2)
        for _ in range(2):
            for job in self.of(name):
                self.go_on(job.id, steps=4)
        for posting in list(self.shop.batch.posting.values()):
            if posting.stream == name and posting.state not in SETTLED:
                state = PostingState.ACKNOWLEDGED
                self.do(m.RecordPosting(posting=posting.key, state=state))
        self.do(m.CloseWorkRequest(work_request=name))
        self.restart(is_loaded=is_loaded)
        for lot in list(self.shop.state.lot.find("request", name)):
            self.do(m.MoveStock(lot=lot.id, to_location="cage"))
        self.shop.commit()
