"""The shop with every command that there is, and every kind of routing.

``NOT_SENT`` names the commands that are left out, each with the reason.
"""

from decimal import Decimal
from typing import ClassVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import rule

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.bookings import AdjustAt, ReportedAs
from mes_engine.core.characteristics import Characteristic, ValueKind
from mes_engine.core.job_order import AT_WORK, JobOrder
from mes_engine.core.lots import MaterialLot
from mes_engine.core.measurements import Measurement
from mes_engine.core.messages.command import BaseCommand
from mes_engine.core.personnel import Qualification
from mes_engine.core.routing import Routing
from mes_engine.core.runs import HoldMode, HoldQuery, HoldScope
from mes_engine.core.steps import Component, JobPer, Output, OutputKind, Sampling
from mes_engine.core.wip_limits import WipLimit
from tests.core import correcting, watch
from tests.core.plants import a_furnace, a_routing, a_step, in_batches, steel
from tests.core.shop import SECOND
from tests.core.whole_carriers import WholeCarriers
from tests.core.whole_floor import WholeFloor
from tests.core.whole_people import picks
from tests.core.whole_shop import REQUESTS, amounts, few, reasons, routes

NOT_SENT: dict[type[BaseCommand], str] = {}

OPTIONAL = (
    a_routing("cut", a_step("paint", is_optional=True), "mill", "pack", id="OPTIONAL"),
    in_batches(
        *("cut", a_step("mill", job_per=JobPer.LOT, sampling=Sampling(every=2))),
        *(a_step("paint", job_per=JobPer.LOT, is_optional=True), "pack"),
        of=2,
        id="SAMPLED",
    ),
)
OUTPUTS = a_routing(
    a_step(
        "cut",
        produces=(
            Output(
                material="offcut",
                per_piece=Decimal("0.2"),
                unit="KGM",
                kind=OutputKind.BY_PRODUCT,
            ),
            Output(
                material="lid",
                per_piece=Decimal(2),
                unit="C62",
                kind=OutputKind.CO_PRODUCT,
            ),
        ),
    ),
    a_step(
        "pack",
        consumes=(
            steel("1"),
            Component(material="lid", per_piece=Decimal(1), unit="C62"),
        ),
    ),
    id="OUTPUTS",
    under_tolerance=Decimal("0.3"),
)
LEAN = in_batches("cut", a_step("mill", kanban=Decimal(3)), "pack", of=1, id="LEAN")
MEASURED = a_routing(
    a_step(
        "cut",
        characteristics=(
            Characteristic(
                name="thickness",
                unit="MMT",
                lower=Decimal("9.9"),
                upper=Decimal("10.1"),
                is_required=True,
            ),
            Characteristic(name="finish", kind=ValueKind.TEXT),
        ),
    ),
    "mill",
    id="MEASURED",
)
STEPS = ("cut", "mill", "drill", "paint", "pack")


class WholeCommands(WholeCarriers):
    """Every command there is, and every kind of routing."""

    routings: ClassVar[tuple[Routing, ...]] = (
        *OPTIONAL,
        OUTPUTS,
        LEAN,
        MEASURED,
        *WholeFloor.routings,
    )

    # Other ways

    @rule(
        pick=picks,
        to_step=st.sampled_from(STEPS),
        quantity=st.one_of(st.none(), amounts),
        taken_from=st.sampled_from(m.ReworkFrom),
        reason=reasons,
    )
    def deviate(
        self,
        *,
        pick: int,
        to_step: str,
        quantity: Decimal | None,
        taken_from: m.ReworkFrom,
        reason: str,
    ) -> None:
        command = m.DeviateLot(
            job_order=self.job(pick),
            to_step=to_step,
            quantity=quantity,
            taken_from=taken_from,
            reason=reason,
        )
        self.do(command)

    @rule(pick=picks, reason=reasons)
    def skip(self, *, pick: int, reason: str) -> None:
        jobs = [one for one in self.live() if one.step in {"paint", "mill"}]
        name = jobs[pick % len(jobs)].id if jobs else self.job(pick)
        self.do(m.SkipStep(job_order=name, reason=reason))

    # Stock

    @rule(
        pick=picks,
        which=picks,
        quantity=amounts,
        is_damaged=st.booleans(),
        reason=reasons,
    )
    def consume(
        self, *, pick: int, which: int, quantity: Decimal, is_damaged: bool, reason: str
    ) -> None:
        jobs = [one for one in self.live() if one.state in AT_WORK and one.materials]
        job = jobs[pick % len(jobs)] if jobs else None
        stock = self.in_stock(job.materials if job is not None and which < 10 else None)
        command = m.ConsumeMaterial(
            job_order=self.job(pick) if job is None else job.id,
            lot=stock[which % len(stock)].id if stock else self.lot(which),
            quantity=quantity,
            is_damaged=is_damaged,
            reason=reason,
        )
        self.do(command)

    @rule(
        which=picks,
        to=st.sampled_from(["FG", "RM", "cage", "WR-0/cut/1"]),
        quantity=st.one_of(st.none(), amounts),
    )
    def move_stock(self, *, which: int, to: str, quantity: Decimal | None) -> None:
        command = m.MoveStock(
            lot=self.stocked(which), to_location=to, quantity=quantity
        )
        self.do(command)

    @rule(
        which=picks,
        quantity=st.one_of(st.none(), amounts),
        is_return=st.booleans(),
        reason=reasons,
    )
    def ship(
        self, *, which: int, quantity: Decimal | None, is_return: bool, reason: str
    ) -> None:
        command = m.ShipLot(
            lot=self.stocked(which),
            quantity=quantity,
            is_return=is_return,
            reason=reason,
        )
        self.do(command)

    @rule(which=picks, is_of_stock=st.booleans())
    def serialise(self, *, which: int, is_of_stock: bool) -> None:
        """Make a lot of one of each piece."""
        lot = self.stocked(which) if is_of_stock else self.lot(which)
        there = [
            max(one.queued, one.stock)
            for one in self.shop.batch.position.find("lot", lot)
        ]
        ones = (Decimal(1),) * min(int(max(there, default=Decimal(1))), 10)
        self.do(m.SplitLot(lot=lot, quantities=ones, reason="serial numbers"))

    @rule(quantity=few, supplier_lot=st.sampled_from(["", "S-1", "S-2"]))
    def receive_components(self, *, quantity: Decimal, supplier_lot: str) -> None:
        command = m.ReceiveMaterial(
            material="lid",
            unit="C62",
            quantity=quantity,
            supplier="S",
            supplier_lot=supplier_lot,
        )
        self.do(command)

    def live(self) -> list[JobOrder]:
        jobs = sorted(self.shop.batch.job_order.values(), key=lambda one: one.number)
        return [one for one in jobs if not one.is_over]

    def in_stock(self, materials: tuple[str, ...] | None = None) -> list[MaterialLot]:
        state = self.shop.batch
        return [
            lot
            for lot in state.lot.values()
            if (materials is None or lot.material in materials)
            and any(one.stock for one in state.position.find("lot", lot.id))
        ]

    # What was counted and is nobody's

    @rule(which=picks, pick=picks, quantity=st.one_of(st.none(), few), reason=reasons)
    def assign(
        self, *, which: int, pick: int, quantity: Decimal | None, reason: str
    ) -> None:
        found = list(self.shop.batch.unassigned_production.values())
        production = found[-1 - which % len(found)] if found else None
        fitting = [
            one.id
            for one in self.shop.batch.job_order.values()
            if production is not None
            and production.work_unit.startswith(one.step)
            and pick < 10
        ]
        command = m.AssignProduction(
            production=0 if production is None else production.seq,
            job_order=fitting[-1 - pick % len(fitting)] if fitting else self.job(pick),
            quantity=quantity,
            reason=reason,
        )
        self.do(command)

    @rule(which=picks, quantity=st.one_of(st.none(), few), reason=reasons)
    def dismiss(self, *, which: int, quantity: Decimal | None, reason: str) -> None:
        found = list(self.shop.batch.unassigned_production.values())
        command = m.DismissProduction(
            production=found[-1 - which % len(found)].seq if found else 0,
            quantity=quantity,
            reason=reason,
        )
        self.do(command)

    # What was measured

    @rule(
        pick=picks,
        name=st.sampled_from(["thickness", "thickness", "finish", "none"]),
        value=st.sampled_from(["10", "10.00", "12", "x", True]),
    )
    def measure(self, *, pick: int, name: str, value: str | bool) -> None:
        jobs = [one for one in self.shop.batch.job_order.values() if one.step == "cut"]
        command = m.RecordMeasurement(
            job_order=jobs[-1 - pick % len(jobs)].id if jobs else "JO-none",
            characteristic=name,
            value=value,
        )
        self.do(command)

    @rule(pick=picks, is_told_what_was_before=st.booleans())
    def void_measurement(self, *, pick: int, is_told_what_was_before: bool) -> None:
        """Read what was measured as the door would, and void one of it."""
        self.shop.commit()
        known: list[Measurement] = [
            one.measurement for one in self.shop.facts(f.MeasurementRecorded)
        ]
        voids = {
            one.void.measurement: one.void
            for one in self.shop.facts(f.MeasurementVoided)
        }
        if not known:
            return
        chosen = known[-1 - pick % len(known)]
        before = [
            one
            for one in known
            if (one.job_order, one.lot, one.characteristic)
            == (chosen.job_order, chosen.lot, chosen.characteristic)
            and one.seq < chosen.seq
            and one.seq not in voids
        ]
        command = m.VoidMeasurement(
            measurement=chosen,
            voided=voids.get(chosen.seq),
            before=before[-1] if before else None,
            reason="wrong gauge",
            known_seq=self.shop.state.seq,
        )
        self.do(command)

    # People's time

    @rule(
        pick=picks,
        person=st.sampled_from(["Ali", "Eva"]),
        from_s=st.sampled_from([0, 1, 5]),
        for_s=st.sampled_from([-1, 0, 1, 10]),
    )
    def book_labour(self, *, pick: int, person: str, from_s: int, for_s: int) -> None:
        self.shop.commit()
        runs = list(self.shop.state.run.values())
        run = runs[-1 - pick % len(runs)] if runs else None
        began = (self.shop.at if run is None else run.opened_at) + from_s * SECOND
        name = "R-none" if run is None else run.id
        command = m.BookLabour(
            run=name,
            person=person,
            started_at=began,
            ended_at=began + for_s * SECOND,
            reason="by hand",
            known=watch.times_of(self.shop.state, person),
            known_seq=self.shop.state.seq,
        )
        self.do(command)

    # Parts of bookings

    @rule(
        pick=picks,
        part=few,
        reported_as=st.sampled_from([ReportedAs.GOOD, *ReportedAs]),
        where=st.sampled_from(AdjustAt),
    )
    def reverse_a_part(
        self, *, pick: int, part: Decimal, reported_as: ReportedAs, where: AdjustAt
    ) -> None:
        self.shop.commit()
        booked = [
            one
            for job in [one.id for one in self.shop.state.job_order.values()]
            for one in correcting.bookings(self.shop, job)
        ]
        if booked:
            command = correcting.reversing(
                self.shop,
                booked[-1 - pick % len(booked)],
                quantity=part,
                reported_as=reported_as,
                where=where,
            )
            self.do(command)

    # Requests, people, holds, plants

    @rule(which=routes)
    def revise_routing(self, *, which: int) -> None:
        """Release a revision of which the last step is called otherwise."""
        routing = self.routings[which % len(self.routings)]
        last = msgspec.structs.replace(routing.steps[-1], name="newer")
        steps = (*routing.steps[:-1], last)
        newer = msgspec.structs.replace(routing, revision="B", steps=steps)
        self.do(m.ReleaseRouting(routing=newer))

    @rule(
        name=picks,
        due_s=st.sampled_from([None, 0, 3600]),
        revision=st.sampled_from([None, "A", "B"]),
    )
    def change_more(
        self, *, name: int, due_s: int | None, revision: str | None
    ) -> None:
        command = m.ChangeWorkRequest(
            work_request=REQUESTS[name % len(REQUESTS)],
            due_at=None if due_s is None else self.shop.at + due_s * SECOND,
            revision=revision,
            reason="the customer asked",
        )
        self.do(command)

    @rule(seconds=st.sampled_from([0, 5, 100]))
    def qualify_for_a_while(self, *, seconds: int) -> None:
        skill = Qualification(
            name="saw", level=2, valid_until=self.shop.at + seconds * SECOND
        )
        self.do(m.GrantQualification(person="Maria", qualification=skill))

    @rule(seconds=st.sampled_from([0, 10, 100]))
    def let_qualifications_expire(self, *, seconds: int) -> None:
        self.shop.at += seconds * SECOND
        self.do(m.ExpireQualifications())

    @rule(
        releaser=st.sampled_from(["", "Maria", "quality"]),
        scope=st.sampled_from([HoldScope.LOT, HoldScope.WORK_REQUEST]),
        query=st.sampled_from(
            [
                HoldQuery(supplier_lot="S-1"),
                HoldQuery(material="bracket"),
                HoldQuery(equipment="mill-1"),
                HoldQuery(routing="LINE"),
            ]
        ),
        opens_as=st.sampled_from([HoldMode.STOP_NOW, HoldMode.AFTER_RUN]),
    )
    def hold_what_comes_of(
        self, *, releaser: str, scope: HoldScope, query: HoldQuery, opens_as: HoldMode
    ) -> None:
        command = m.OpenHold(
            scope=scope,
            mode=HoldMode.FUTURE,
            query=query,
            releaser=releaser,
            opens_as=opens_as,
            reason="a recall",
        )
        self.do(command)

    @rule(
        limit=st.sampled_from(
            [WipLimit(work_requests=1), WipLimit(pieces=Decimal(10)), None]
        )
    )
    def limit_area(self, *, limit: WipLimit | None) -> None:
        limits = {} if limit is None else {"hall": limit}
        plant = msgspec.structs.replace(a_furnace("paint"), wip_limits=limits)
        self.do(m.ApplyPlant(plant=plant))
