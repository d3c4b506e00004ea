"""The whole engine: every command in any order, and what seldom comes of itself."""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import rule

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.runs import HoldMode, HoldScope
from mes_engine.core.whereabouts import here, positions_of
from tests.core import correcting
from tests.core.whole_people import picks
from tests.core.whole_shop import few
from tests.core.whole_turns import WholeTurns


class WholeEngine(WholeTurns):
    """Some things done one after the other, so that they come about often enough."""

    @rule(pick=picks, good=few, steps=st.integers(2, 5), which=st.integers(0, 2))
    def press_on_and_take_back(
        self, *, pick: int, good: Decimal, steps: int, which: int
    ) -> None:
        """Do what comes next, and take one of the last bookings back."""
        job = self.job(pick)
        self.press_on(pick=pick, good=good, steps=steps)
        self.shop.commit()
        booked = correcting.bookings(self.shop, job)
        if booked:
            booking = booked[-1 - which % len(booked)]
            self.do(correcting.reversing(self.shop, booking))

    @rule(pick=picks, steps=st.integers(1, 3), is_taken_back=st.booleans())
    def scrap_all(self, *, pick: int, steps: int, is_taken_back: bool) -> None:
        """Do what comes next, and scrap all that is there; or it was not so."""
        name = self.job(pick)
        self.press_on(pick=pick, good=Decimal(1), steps=steps)
        job = self.shop.batch.job_order.get(name)
        if job is None:
            return
        there = here(self.shop.batch, job).to_work
        scrap = m.Scrapped(quantity=there, reason="melted")
        self.do(m.ReportQuantity(job_order=name, scrap=(scrap,)))
        self.do(m.AssertTrigger(job_order=name, trigger=JobOrderTrigger.COMPLETE))
        self.shop.commit()
        booked = correcting.bookings(self.shop, name)
        if booked and is_taken_back:
            self.do(correcting.reversing(self.shop, booked[-1]))

    @rule(pick=picks, size=few, is_held=st.booleans(), good=few)
    def part_a_lot_at_work(
        self, *, pick: int, size: Decimal, is_held: bool, good: Decimal
    ) -> None:
        """Split what a job order works on, hold a part, and go on."""
        job = self.shop.batch.job_order.get(self.job(pick))
        found = [] if job is None else positions_of(self.shop.batch, job)
        if not found:
            return
        lot = found[pick % len(found)].lot
        split = m.SplitLot(lot=lot, quantities=(size,), reason="two crates")
        apart = self.do(split).result.get("lots")
        if apart and is_held:
            command = m.OpenHold(
                scope=HoldScope.LOT,
                target=apart,
                reason="crack",
                mode=HoldMode.AFTER_RUN,
            )
            self.do(command)
        self.press_on(pick=pick, good=good, steps=5)

    @rule(which=picks, quantity=few)
    def store_in_two_places(self, *, which: int, quantity: Decimal) -> None:
        """Put a part of a lot elsewhere, and ship what is left in the first place."""
        lot = self.stocked(which)
        at = [
            one.place
            for one in self.shop.batch.position.find("lot", lot)
            if one.is_stock
        ]
        self.do(m.MoveStock(lot=lot, to_location="cage", quantity=quantity))
        self.do(m.ShipLot(lot=lot, place=at[0] if at else None, reason="DN-1"))
