"""The shop with carriers and serials, in any order."""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import rule

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.packing import lots_within
from mes_engine.core.runs import HoldMode, HoldScope
from mes_engine.core.serials import KnownSerial
from tests.core import watch
from tests.core.whole_people import UNITS, picks
from tests.core.whole_shop import reasons
from tests.core.whole_signals import WholeSignals

SERIALS = ("SN-1", "SN-2", "SN-3", "B26-002", "L-1", "S N")
CARRIERS = ("tray-1", "tray-2", "box-1", "pallet-1", "pallet-2")


class WholeCarriers(WholeSignals):
    """Pieces with serials, and carriers with anything in them."""

    def __init__(self) -> None:
        super().__init__()
        for name in CARRIERS[:4]:
            self.register_carrier(carrier=name, kind=name.split("-")[0])

    def stocked(self, pick: int) -> str:
        """Return a lot in stock, if there is one."""
        found = [
            one
            for one in self.shop.batch.lot.values()
            if any(at.stock for at in self.shop.batch.position.find("lot", one.id))
        ]
        return found[pick % len(found)].id if found else "L-none"

    @rule(
        which=picks,
        is_of_stock=st.booleans(),
        given=st.lists(st.sampled_from(SERIALS), max_size=3),
        quantity=st.sampled_from([None, Decimal(1), Decimal(2)]),
    )
    def give_serials(
        self,
        *,
        which: int,
        is_of_stock: bool,
        given: list[str],
        quantity: Decimal | None,
    ) -> None:
        name = self.stocked(which) if is_of_stock else self.lot(which)
        self.give_serials_to(name, tuple(given), quantity)

    def give_serials_to(
        self, name: str, given: tuple[str, ...], quantity: Decimal | None
    ) -> None:
        """Name pieces, as the door would, which has read what is taken."""
        self.shop.commit()
        known = self.shop.state.lot.get(name)
        command = m.SerialiseLot(
            lot=name,
            serials=given,
            quantity=quantity,
            reason="labels",
            taken=tuple(
                KnownSerial(serial=one.serial, lot=one.id)
                for one in self.shop.rows.get("lot", {}).values()
                if one.serial and known is not None and one.material == known.material
            ),
        )
        self.do(command)

    @rule(pick=picks, serial=st.sampled_from(SERIALS), what=st.integers(0, 3))
    def handle_by_serial(self, *, pick: int, serial: str, what: int) -> None:
        """Report, ship, hold or scrap a piece by its serial."""
        job = self.job(pick)
        scrap = (m.Scrapped(quantity=Decimal(1), reason="crack"),)
        ways: tuple[m.Command, ...] = (
            m.ReportQuantity(job_order=job, good=Decimal(1), lot=serial),
            m.ReportQuantity(job_order=job, scrap=scrap, lot=serial),
            m.ShipLot(lot=serial, reason="DN-2"),
            m.OpenHold(scope=HoldScope.LOT, target=serial, reason="crack"),
        )
        self.do(ways[what])

    @rule(
        carrier=st.sampled_from([*CARRIERS, "376104250021234563"]),
        kind=st.sampled_from(["tray", "pallet", "crate"]),
        location=st.sampled_from(["", "cage"]),
    )
    def register_carrier(self, *, carrier: str, kind: str, location: str = "") -> None:
        own = carrier.split("-", 1)[0]
        told = own if own in {"tray", "box", "pallet"} and kind != "crate" else kind
        command = m.RegisterCarrier(
            carrier=carrier, carrier_type=told, location=location
        )
        self.do(command)

    @rule(
        carrier=st.sampled_from(CARRIERS),
        chosen=st.lists(picks, max_size=3),
        others=st.lists(st.sampled_from([*CARRIERS, "SN-1"]), max_size=1),
        is_of_stock=st.booleans(),
    )
    def pack(
        self, *, carrier: str, chosen: list[int], others: list[str], is_of_stock: bool
    ) -> None:
        lots = [self.stocked(one) if is_of_stock else self.lot(one) for one in chosen]
        command = m.PackCarrier(carrier=carrier, contents=(*lots, *others))
        self.do(command)

    @rule(
        carrier=st.sampled_from(CARRIERS),
        which=st.sampled_from([None, None, *range(4)]),
        reason=reasons,
    )
    def unpack(self, *, carrier: str, which: int | None, reason: str) -> None:
        inside = [one.id for one in lots_within(self.shop.batch, carrier)]
        contents: tuple[str, ...] = ()
        if which is not None:
            contents = (inside[which % len(inside)] if inside else self.lot(which),)
        self.do(m.UnpackCarrier(carrier=carrier, contents=contents, reason=reason))

    @rule(
        carrier=st.sampled_from(CARRIERS),
        to=st.sampled_from(["FG", "cage", "WR-0/cut/1"]),
        is_shipped=st.booleans(),
        reason=reasons,
    )
    def send_carrier(
        self, *, carrier: str, to: str, is_shipped: bool, reason: str
    ) -> None:
        moved = m.MoveCarrier(carrier=carrier, to_location=to, reason=reason)
        shipped = m.ShipCarrier(carrier=carrier, reason=reason)
        self.do(shipped if is_shipped else moved)

    @rule(carrier=st.sampled_from(CARRIERS), unit=picks)
    def load_carrier(self, *, carrier: str, unit: int) -> None:
        """Load it where it is waited for, or anywhere."""
        state = self.shop.batch
        waiting = [
            job.step
            for lot in lots_within(state, carrier)
            for at in state.position.find("lot", lot.id)
            for job in state.job_order.find("visit", at.place)
            if watch.is_allowed(state, job.id, JobOrderTrigger.LOAD)
        ]
        work_unit = f"{waiting[-1]}-1" if waiting else UNITS[unit % len(UNITS)]
        self.do(m.LoadCarrier(carrier=carrier, work_unit=work_unit))

    @rule(
        carrier=st.sampled_from(CARRIERS),
        mode=st.sampled_from([HoldMode.STOP_NOW, HoldMode.AFTER_RUN, HoldMode.FUTURE]),
    )
    def hold_carrier(self, *, carrier: str, mode: HoldMode) -> None:
        command = m.OpenHold(
            scope=HoldScope.CARRIER, target=carrier, mode=mode, reason="wet"
        )
        self.do(command)

    # Some things done one after the other, so that they come about often enough

    def whole_lots(self, *, is_stocked: bool) -> list[str]:
        """Return the lots that are in one place and in no carrier, stocked or not."""
        state = self.shop.batch
        found = []
        for lot in state.lot.values():
            there = [one for one in state.position.find("lot", lot.id) if one.held]
            is_in_stock = [bool(one.stock) for one in there] == [True]
            if len(there) == 1 and lot.carrier is None and is_in_stock is is_stocked:
                found.append(lot.id)
        return found

    @rule(
        pick=picks,
        count=st.integers(1, 3),
        carrier=st.sampled_from(["pallet-1", "pallet-1", "tray-1"]),
        is_stocked=st.booleans(),
        what=st.sampled_from(
            [
                "ship",
                "move",
                "unpack",
                "unpack",
                "split",
                "merge",
                "load",
                "load",
                "load",
                "hold",
                "nest",
                "none",
            ]
        ),
    )
    def pack_and_go_on(
        self, *, pick: int, count: int, carrier: str, is_stocked: bool, what: str
    ) -> None:
        """Put what is whole into a carrier, and do something with it."""
        lots = self.whole_lots(is_stocked=is_stocked and what != "load")
        if not lots:
            return
        chosen = tuple({lots[(pick + one) % len(lots)]: None for one in range(count)})
        kind = carrier.split("-", maxsplit=1)[0]
        self.do(m.RegisterCarrier(carrier=carrier, carrier_type=kind))
        self.do(m.PackCarrier(carrier=carrier, contents=chosen))
        one = (Decimal(1),)
        ways: dict[str, tuple[m.Command, ...]] = {
            "ship": (m.ShipCarrier(carrier=carrier, reason="DN-3"),),
            "move": (m.MoveCarrier(carrier=carrier, to_location="cage"),),
            "unpack": (m.UnpackCarrier(carrier=carrier),),
            "split": (m.SplitLot(lot=chosen[0], quantities=one, reason="sample"),),
            "merge": (m.MergeLots(lots=chosen, reason="one crate"),),
            "hold": (
                m.OpenHold(scope=HoldScope.CARRIER, target=carrier, reason="wet"),
                m.UnpackCarrier(carrier=carrier),
            ),
            "nest": (m.PackCarrier(carrier="pallet-2", contents=(carrier,)),),
        }
        for command in ways.get(what, ()):
            self.do(command)
        if what == "load":
            self.load_carrier(carrier=carrier, unit=pick)

    @rule(pick=picks, is_stocked=st.booleans(), is_by_pattern=st.booleans())
    def name_what_is_there(
        self, *, pick: int, is_stocked: bool, is_by_pattern: bool
    ) -> None:
        """Give a serial to a piece of a lot that is in one place."""
        lots = self.whole_lots(is_stocked=is_stocked)
        if lots:
            chosen = self.stocked if is_stocked else self.lot
            self.give_serials_to(
                lots[pick % len(lots)] if pick < 10 else chosen(pick),
                () if is_by_pattern else (SERIALS[pick % 4],),
                Decimal(1),
            )
