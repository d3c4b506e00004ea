"""Carriers that are held or loaded with all within, and the law of them."""

from decimal import Decimal
from typing import Any

from mes_engine.core import messages as m
from mes_engine.core.carrier_laws import broken_aggregation_laws, broken_carrier_laws
from mes_engine.core.carriers import (
    AggregationAction,
    AggregationEvent,
    Carrier,
    ContentKind,
)
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.lots import LotExistence, MaterialLot
from mes_engine.core.runs import HoldMode, HoldScope
from mes_engine.core.steps import JobPer
from tests.core.plants import a_furnace, a_routing, a_step
from tests.core.shop import Shop
from tests.core.test_carriers import a_shop, pack, register, stock, unpack

# Held


def test_a_hold_on_a_pallet_holds_everything_in_it_until_it_is_released() -> None:
    shop = a_shop("tray-1", "pallet-1")
    shop.make(5)
    job = shop.begin("cut")
    [made] = shop.state.lot.values()
    shop.ok(pack("pallet-1", made.id))

    held = shop.ok(m.OpenHold(scope=HoldScope.CARRIER, target="pallet-1", reason="wet"))

    assert shop.by_id(job).state is S.INTERRUPTED_HELD
    scrap = shop.refused(shop.a_report("cut", 1))
    assert "H-000001 on pallet-1 by Maria: wet" in scrap.message
    for command in (unpack("pallet-1"), pack("pallet-1", "tray-1")):
        answer = shop.refused(command)
        assert answer.unmet == ("no_hold: H-000001 on pallet-1 by Maria: wet",)
    shop.ok(m.ReleaseHold(hold=held["hold"], resumes=True))
    assert shop.by_id(job).state is S.RUNNING_PROCESSING
    shop.report("cut", 5)


def test_what_is_held_with_its_pallet_is_not_consumed_and_does_not_move_on() -> None:
    shop = a_shop("pallet-1")
    shop.make(5)
    shop.begin("cut")
    [made] = shop.state.lot.values()
    shop.ok(pack("pallet-1", made.id))
    after = m.OpenHold(
        scope=HoldScope.CARRIER,
        target="pallet-1",
        reason="wet",
        mode=HoldMode.AFTER_RUN,
    )
    hold = shop.ok(after)["hold"]
    shop.report("cut", 5)
    shop.complete("cut")

    assert shop.at_step("cut") == {"out": 5, "started": 5}
    shop.ok(m.ReleaseHold(hold=hold))
    assert shop.at_step("mill") == {"queued": 5}


def test_no_hold_waits_for_carriers_and_a_shipped_one_is_not_held() -> None:
    shop = a_shop("pallet-1")
    future = m.OpenHold(
        scope=HoldScope.CARRIER, mode=HoldMode.FUTURE, reason="x", target=""
    )
    assert "has a query" in shop.malformed(future).message
    shop.ok(pack("pallet-1", stock(shop)))
    shop.ok(m.ShipCarrier(carrier="pallet-1", reason="DN"))
    gone = m.OpenHold(scope=HoldScope.CARRIER, target="pallet-1", reason="late")
    assert shop.do(gone).outcome is m.Outcome.NOT_FOUND


# Loaded


def test_scanning_a_carrier_loads_what_waits_for_the_work_unit() -> None:
    routing = a_routing(*(a_step(one, job_per=JobPer.LOT) for one in ("cut", "mill")))
    shop = Shop(routing)
    register(shop, "pallet-1")
    shop.make(3)
    job = shop.run("cut", 3)
    [made] = shop.state.lot.values()
    shop.ok(pack("pallet-1", made.id))
    assert job.state is S.ENDED_CLOSED or job.is_over

    elsewhere = shop.refused(m.LoadCarrier(carrier="pallet-1", work_unit="cut-1"))
    told = shop.ok(m.LoadCarrier(carrier="pallet-1", work_unit="mill-1"))

    assert elsewhere.unmet == (
        f"work_unit_suitable: {made.id} waits at step mill (WC-MILL)",
    )
    assert told["job_order"] == shop.job("mill").id
    assert shop.job("mill").state is S.ALLOWED_LOADED


def test_a_furnace_takes_all_the_lots_of_a_carrier_in_one_run() -> None:
    routing = a_routing(a_step("cut"), a_step("paint", job_per=JobPer.LOT))
    shop = Shop(routing, plant=a_furnace("paint"))
    register(shop, "pallet-1")
    shop.make(6, lot_size=Decimal(3))
    shop.run("cut", 6)
    names = tuple(one.id for one in shop.state.lot.values())
    shop.ok(pack("pallet-1", *names))

    told = shop.ok(m.LoadCarrier(carrier="pallet-1", work_unit="paint-1"))

    assert len(told["job_orders"].split()) == 2
    shop.ok(unpack("pallet-1"))
    nothing = shop.refused(m.LoadCarrier(carrier="pallet-1", work_unit="paint-1"))
    assert nothing.unmet == ("work_unit_suitable: no lot in it waits anywhere",)


# The law


def an_event(seq: int, action: str, carrier: str, content: str = "L-1") -> Any:
    return AggregationEvent(
        seq=seq,
        action=AggregationAction(action),
        kind=ContentKind.LOT,
        content=content,
        carrier=carrier,
        outermost=carrier,
        at=0,
        person="",
    )


def a_lot(carrier: str | None, **changed: Any) -> MaterialLot:
    fields: dict[str, Any] = {"id": "L-1", "number": 1, "material": "m", "unit": "C62"}
    return MaterialLot(**fields | {"created_at": 0, "carrier": carrier} | changed)


def test_the_law_names_what_is_doubled_lost_or_nowhere() -> None:
    box = Carrier(id="B", type="box", registered_at=0)
    told = list(
        broken_aggregation_laws(
            [an_event(1, "add", "B"), an_event(2, "add", "C")], [a_lot("C")], [box]
        )
    )
    assert told == ["CARRIER: L-1 went into C from B"]
    lost = list(
        broken_aggregation_laws([an_event(1, "add", "B")], [a_lot(None)], [box])
    )
    assert lost == ["CARRIER: L-1 is in none, and by the events in B"]
    out = list(broken_aggregation_laws([an_event(1, "delete", "B")], [], []))
    assert out == ["CARRIER: L-1 came out of B, and was in none"]
    shipped = Carrier(id="B", type="box", registered_at=0, is_shipped=True)
    gone = a_lot("B", existence=LotExistence.CONSUMED)
    assert list(broken_carrier_laws([gone], [shipped])) == [
        "CARRIER: L-1 is in B, which is shipped",
        "CARRIER: B holds lot L-1, which is consumed",
    ]
    ring = [
        Carrier(id=a, type="x", registered_at=0, carrier=b) for a, b in ("AB", "BA")
    ]
    assert list(broken_carrier_laws([], ring)) == [
        f"CARRIER: {name} is in more than 5, or in itself" for name in "AB"
    ]
