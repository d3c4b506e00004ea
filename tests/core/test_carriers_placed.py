"""Where carriers are: where their pieces are, else where they were put down last."""

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.carrier_laws import broken_carrier_laws
from mes_engine.core.carriers import Carrier
from mes_engine.core.packing import stands_at
from tests.core.plants import a_routing, a_step
from tests.core.shop import Shop
from tests.core.test_carriers import a_bracket, a_shop, pack, register, stock, unpack


def where(shop: Shop, carrier: str) -> list[str]:
    return list(stands_at(shop.state, carrier))


def placed(shop: Shop) -> list[tuple[str, str]]:
    return [(one.carrier, one.location) for one in shop.facts(f.CarrierPlaced)]


def test_an_empty_carrier_stands_where_it_was_registered_moved_or_nowhere_known() -> (
    None
):
    shop = a_shop("pallet-1")
    assert where(shop, "pallet-1") == []
    shop.ok(m.MoveCarrier(carrier="pallet-1", to_location="cage"))
    assert where(shop, "pallet-1") == ["cage"]
    again = m.MoveCarrier(carrier="pallet-1", to_location="cage")
    assert "is at cage already" in shop.refused(again).message
    told = m.RegisterCarrier(carrier="tray-9", carrier_type="tray", location="dock")
    shop.ok(told)
    assert where(shop, "tray-9") == ["dock"]
    shop.ok(m.RegisterCarrier(carrier="tray-9", carrier_type="tray", location="hall"))
    assert where(shop, "tray-9") == ["hall"]
    shop.make(5)
    visit = shop.job("cut").visit
    wrong = m.RegisterCarrier(carrier="tray-9", carrier_type="tray", location=visit)
    assert "is a visit" in shop.malformed(wrong).message
    assert where(shop, "nobody-1") == []


def test_a_carrier_is_where_its_pieces_are_and_stays_there_once_it_is_emptied() -> None:
    shop = a_shop("tray-1", "pallet-1")
    lot = stock(shop)
    shop.ok(m.MoveCarrier(carrier="tray-1", to_location="cage"))
    shop.ok(pack("tray-1", lot))
    assert where(shop, "tray-1") == ["RM"]
    shop.ok(pack("pallet-1", "tray-1"))
    shop.ok(m.MoveCarrier(carrier="pallet-1", to_location="hall"))
    assert where(shop, "tray-1") == where(shop, "pallet-1") == ["hall"]

    shop.ok(unpack("tray-1"))

    assert where(shop, "tray-1") == where(shop, "pallet-1") == ["hall"]
    shop.ok(m.MoveCarrier(carrier="pallet-1", to_location="yard"))
    assert where(shop, "tray-1") == ["yard"]
    shop.ok(unpack("pallet-1"))
    assert placed(shop) == [
        ("tray-1", "cage"),
        ("tray-1", ""),
        ("pallet-1", "hall"),
        ("pallet-1", "yard"),
        ("tray-1", "yard"),
    ]


def test_a_carrier_whose_last_piece_is_used_up_stands_where_that_was() -> None:
    shop = Shop(a_routing(a_step("pack", consumes=(a_bracket(),)), material="frame"))
    register(shop, "tray-1")
    shop.ok(pack("tray-1", stock(shop, 2)))
    shop.make(2)
    shop.run("pack", 2)

    assert where(shop, "tray-1") == ["RM"]
    assert placed(shop) == [("tray-1", "RM")]


def test_an_empty_carrier_that_is_put_into_another_is_where_that_is() -> None:
    shop = a_shop("tray-1", "pallet-1")
    shop.ok(m.MoveCarrier(carrier="tray-1", to_location="cage"))
    shop.ok(m.MoveCarrier(carrier="pallet-1", to_location="hall"))
    shop.ok(pack("pallet-1", "tray-1"))
    assert where(shop, "tray-1") == ["hall"]
    told = m.RegisterCarrier(carrier="tray-1", carrier_type="tray", location="dock")
    shop.ok(told)
    assert where(shop, "tray-1") == ["hall"]
    shop.ok(unpack("pallet-1", "tray-1"))
    assert where(shop, "tray-1") == ["hall"]


def test_lots_that_merge_in_a_carrier_leave_it_no_place_when_it_is_shipped() -> None:
    shop = a_shop("pallet-1")
    first, second = stock(shop, 1), stock(shop, 1)
    shop.ok(pack("pallet-1", first, second))
    shop.ok(m.MergeLots(lots=(first, second), reason="one"))
    assert where(shop, "pallet-1") == ["RM"]
    shop.ok(m.ShipCarrier(carrier="pallet-1", reason="DN-1"))
    assert where(shop, "pallet-1") == []


def test_on_the_floor_it_is_at_the_work_unit_or_where_its_work_waits() -> None:
    shop = a_shop("tray-1")
    shop.make(4)
    shop.begin("cut")
    [made] = shop.state.lot.values()
    shop.ok(pack("tray-1", made.id))
    [run] = shop.state.run.values()
    assert where(shop, "tray-1") == [run.work_unit]
    shop.report("cut", 4)
    shop.complete("cut")
    assert where(shop, "tray-1") == [shop.job("mill").work_center]
    shop.ok(unpack("tray-1"))
    assert where(shop, "tray-1") == [shop.job("mill").work_center]


def test_a_shipped_carrier_has_no_place_and_comes_back_to_one() -> None:
    shop = a_shop("pallet-1")
    shop.ok(m.MoveCarrier(carrier="pallet-1", to_location="cage"))
    shop.ok(pack("pallet-1", stock(shop)))
    shop.ok(m.ShipCarrier(carrier="pallet-1", reason="DN-1"))
    assert where(shop, "pallet-1") == []
    register(shop, "pallet-1")
    assert where(shop, "pallet-1") == []

    shop.ok(m.MoveCarrier(carrier="pallet-1", to_location="yard"))
    register(shop, "tray-1")
    shop.ok(pack("tray-1", stock(shop)))
    shop.ok(pack("pallet-1", "tray-1"))
    assert where(shop, "pallet-1") == ["RM"]
    gone = Carrier(
        id="B", type="box", registered_at=0, is_shipped=True, location="cage"
    )
    assert list(broken_carrier_laws([], [gone])) == [
        "CARRIER: B is shipped, and at cage"
    ]
    inner = Carrier(id="T", type="tray", registered_at=0, carrier="P", location="cage")
    outer = Carrier(id="P", type="pallet", registered_at=0)
    assert list(broken_carrier_laws([], [inner, outer])) == [
        "CARRIER: T is in P, and put down"
    ]
