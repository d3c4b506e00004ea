"""Carriers: packed and unpacked, moved and shipped whole, held with all within."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.carriers import (
    CarrierType,
    check_digit,
    checked_carrier,
)
from mes_engine.core.errors import Malformed
from mes_engine.core.lots import LotExistence, MaterialLot
from mes_engine.core.runs import HoldScope
from tests.core.plants import a_plant, a_routing, a_step
from tests.core.shop import Shop


def a_shop(*carriers: str, **changed: Any) -> Shop:
    """A shop with carriers, named after their types: tray-1, box-1, pallet-1."""
    shop = Shop(a_routing("cut", "mill"), **changed)
    for name in carriers:
        register(shop, name)
    return shop


def register(shop: Shop, name: str) -> None:
    kind = name.split("-", 1)[0]
    shop.ok(m.RegisterCarrier(carrier=name, carrier_type=kind))


def stock(shop: Shop, quantity: int = 2, material: str = "bracket") -> str:
    return shop.receive(str(quantity), material=material, unit="C62")


def pack(carrier: str, *contents: str) -> m.PackCarrier:
    return m.PackCarrier(carrier=carrier, contents=contents)


def unpack(carrier: str, *contents: str) -> m.UnpackCarrier:
    return m.UnpackCarrier(carrier=carrier, contents=contents)


def lot(shop: Shop, name: str) -> MaterialLot:
    found = shop.state.lot.get(name)
    assert found is not None
    return found


def inside(shop: Shop) -> dict[str, str]:
    """What is in what, by the content."""
    lots = {one.id: one.carrier for one in shop.state.lot.values()}
    carriers = {one.id: one.carrier for one in shop.state.carrier.values()}
    return {name: at for name, at in (lots | carriers).items() if at}


def at(shop: Shop, name: str) -> dict[str, int]:
    """Where a lot is in stock."""
    positions = shop.state.position.find("lot", name)
    return {one.place: int(one.stock) for one in positions if one.stock}


def events(shop: Shop, name: str) -> list[tuple[str, str, str]]:
    rows = shop.rows.get("aggregation_event", {})
    return [
        (rows[seq].action.value, rows[seq].carrier, rows[seq].outermost)
        for seq in sorted(rows)
        if rows[seq].content == name
    ]


# In and out


def test_lots_go_in_and_come_out_with_their_quantities() -> None:
    shop = a_shop("tray-1", "pallet-1")
    first, second = stock(shop, 3), stock(shop, 1)
    before = {name: at(shop, name) for name in (first, second)}

    shop.ok(pack("tray-1", first, second))
    shop.ok(pack("pallet-1", "tray-1"))

    assert inside(shop) == {
        first: "tray-1",
        second: "tray-1",
        "tray-1": "pallet-1",
    }
    shop.ok(unpack("pallet-1"))
    assert inside(shop) == {first: "tray-1", second: "tray-1"}
    shop.ok(unpack("tray-1", second))
    told = shop.ok(unpack("tray-1"))
    assert told["unpacked"] == first
    assert inside(shop) == {}
    assert {name: at(shop, name) for name in (first, second)} == before
    assert events(shop, first) == [
        ("add", "tray-1", "tray-1"),
        ("delete", "tray-1", "tray-1"),
    ]
    assert events(shop, "tray-1") == [
        ("add", "pallet-1", "pallet-1"),
        ("delete", "pallet-1", "pallet-1"),
    ]


def test_a_serial_is_packed_by_its_serial() -> None:
    shop = a_shop("box-1")
    whole = stock(shop, 2)
    shop.ok(m.SerialiseLot(lot=whole, serials=("SN-1", "SN-2"), reason="labels"))
    shop.ok(pack("box-1", "SN-1"))
    [content] = inside(shop)
    assert lot(shop, content).serial == "SN-1"
    shop.ok(unpack("box-1", "SN-1"))


def test_what_is_in_one_carrier_is_put_into_no_other_and_all_is_refused() -> None:
    shop = a_shop("tray-1", "pallet-1")
    first, second = stock(shop), stock(shop)
    shop.ok(pack("tray-1", first))

    answer = shop.refused(pack("pallet-1", second, first))

    assert answer.unmet == (f"not_packed: {first} is in tray-1",)
    assert inside(shop) == {first: "tray-1"}
    again = shop.refused(pack("tray-1", first))
    assert f"not_packed: {first} is in tray-1" in again.unmet


def test_a_carrier_takes_what_its_type_says() -> None:
    shop = a_shop("tray-1", "tray-2", "tray-3", "box-1", "pallet-1")
    bracket, lid = stock(shop), stock(shop, material="lid")

    lots_in_a_box = shop.refused(pack("box-1", bracket))
    box_in_a_tray = shop.refused(pack("tray-1", "box-1"))
    shop.ok(pack("tray-1", bracket))
    mixed = shop.refused(pack("tray-1", lid))
    shop.ok(unpack("tray-1"))
    too_many_pieces = shop.refused(pack("tray-1", bracket, stock(shop, 3)))
    shop.ok(pack("box-1", "tray-1", "tray-2"))
    no_room = shop.refused(pack("box-1", "tray-3"))

    assert lots_in_a_box.unmet == ("carrier_takes: box takes no lots",)
    assert box_in_a_tray.unmet == ("carrier_takes: tray takes no box",)
    assert mixed.unmet == ("one_material: tray-1 would hold bracket, lid",)
    assert too_many_pieces.unmet == ("capacity: tray-1 takes 4 pieces, not 5",)
    assert no_room.unmet == ("capacity: box-1 has 2 positions, 2 taken, 1 more wanted",)
    shop.ok(pack("tray-2", bracket))
    of_the_tray = shop.refused(pack("tray-2", lid))
    assert of_the_tray.unmet == ("one_material: tray-2 would hold bracket, lid",)


def nesting() -> Shop:
    kinds = CarrierType(id="ring", name="Ring", takes=("lots", "ring"))
    shop = Shop(a_routing("cut"), plant=a_plant(carrier_types=(kinds,)))
    for number in range(7):
        register(shop, f"ring-{number}")
    return shop


def test_nothing_is_in_itself_and_not_more_than_five_are_nested() -> None:
    shop = nesting()
    for number in range(4):
        shop.ok(pack(f"ring-{number}", f"ring-{number + 1}"))

    round_ = shop.refused(pack("ring-4", "ring-0"))
    itself = shop.refused(pack("ring-6", "ring-6"))
    sixth = shop.refused(pack("ring-4", "ring-5"))
    around = shop.refused(pack("ring-5", "ring-0"))

    assert "no_cycle: ring-4 is in ring-0" in round_.unmet
    assert "no_cycle: ring-6 is in ring-6" in itself.unmet
    assert sixth.unmet == ("depth: more than 5 carriers would be one in the other",)
    assert around.unmet == ("depth: more than 5 carriers would be one in the other",)


def test_what_is_elsewhere_or_in_two_places_does_not_go_in() -> None:
    shop = a_shop("pallet-1")
    here, there, apart = stock(shop), stock(shop), stock(shop)
    shop.ok(m.MoveStock(lot=there, to_location="cage"))
    shop.ok(m.MoveStock(lot=apart, to_location="cage", quantity=Decimal(1)))
    shop.ok(pack("pallet-1", here))

    elsewhere = shop.refused(pack("pallet-1", there))
    in_two = shop.refused(pack("pallet-1", apart))

    assert elsewhere.unmet == ("same_place: they are at RM, cage",)
    assert f"same_place: {apart} is at RM, cage" in in_two.unmet


def test_what_is_not_there_is_not_found_and_what_is_not_in_is_named() -> None:
    shop = a_shop("tray-1")
    name = stock(shop)
    empty = shop.refused(unpack("tray-1"))
    other = shop.refused(unpack("tray-1", name))
    assert empty.unmet == ("packed_here: tray-1 is empty",)
    assert other.unmet == (f"packed_here: {name} is in no carrier",)
    for command in (
        pack("tray-none", name),
        pack("tray-1", "L-none"),
        m.RegisterCarrier(carrier="x-1", carrier_type="crate"),
    ):
        assert shop.do(command).outcome is m.Outcome.NOT_FOUND
    assert "named twice" in shop.malformed(pack("tray-1", name, name)).message
    assert "0 contents" in shop.malformed(pack("tray-1")).message


# Registered


def test_a_carrier_is_registered_once_and_keeps_its_type() -> None:
    shop = a_shop("tray-1")
    shop.ok(m.RegisterCarrier(carrier="tray-1", carrier_type="tray"))
    assert len(shop.facts(f.CarrierRegistered)) == 1
    other = shop.refused(m.RegisterCarrier(carrier="tray-1", carrier_type="box"))
    assert other.unmet == ("same_type: tray-1 is a tray",)


def test_an_sscc_is_checked_by_its_last_digit() -> None:
    shop = a_shop()
    good = m.RegisterCarrier(carrier="376104250021234569", carrier_type="pallet")
    shop.ok(good)
    bad = m.RegisterCarrier(carrier="376104250021234563", carrier_type="pallet")
    assert "3, and 9 would be right" in shop.malformed(bad).message
    blank = m.RegisterCarrier(carrier="P 1", carrier_type="pallet")
    assert "position 2 is ' '" in shop.malformed(blank).message


@settings(deadline=None)
@given(st.text("0123456789", min_size=17, max_size=17), st.integers(0, 16))
def test_a_digit_mistaken_is_found(digits: str, place: int) -> None:
    right = digits + check_digit(digits)
    assert checked_carrier(right) == right
    changed = str((int(right[place]) + 1) % 10)
    with pytest.raises(Malformed):
        checked_carrier(right[:place] + changed + right[place + 1 :])


# Moved and shipped


def test_a_carrier_is_moved_with_everything_in_it() -> None:
    shop = a_shop("tray-1", "pallet-1")
    first, second = stock(shop), stock(shop)
    shop.ok(pack("tray-1", first))
    shop.ok(pack("pallet-1", "tray-1", second))

    shop.ok(m.MoveCarrier(carrier="pallet-1", to_location="cage"))

    assert at(shop, first) == at(shop, second) == {"cage": 2}
    again = m.MoveCarrier(carrier="pallet-1", to_location="cage")
    assert "is at cage already" in shop.refused(again).message
    inner = shop.refused(m.MoveCarrier(carrier="tray-1", to_location="RM"))
    assert inner.unmet == ("not_packed: tray-1 is in pallet-1",)
    alone = shop.refused(m.MoveStock(lot=first, to_location="RM"))
    assert alone.unmet == (f"not_packed: {first} is in tray-1",)
    assert shop.refused(m.ShipLot(lot=first, reason="DN")).unmet == alone.unmet


def test_a_pallet_is_shipped_with_everything_in_it_or_not_at_all() -> None:
    shop = a_shop("tray-1", "pallet-1")
    first, second = stock(shop), stock(shop)
    shop.ok(pack("tray-1", first))
    shop.ok(pack("pallet-1", "tray-1", second))
    shop.ok(m.OpenHold(scope=HoldScope.LOT, target=second, reason="look"))

    held = shop.refused(m.ShipCarrier(carrier="pallet-1", reason="DN-1"))
    assert held.unmet[0].startswith(f"lot_not_held: {second}: H-000001")
    assert at(shop, first) == {"RM": 2}
    shop.ok(m.ReleaseHold(hold="H-000001"))
    told = shop.ok(m.ShipCarrier(carrier="pallet-1", reason="DN-1"))

    assert told["shipped"] == f"{first} {second}"
    shipped = shop.facts(f.QuantityMoved)[-2:]
    assert [(one.move.lot, int(one.move.quantity)) for one in shipped] == [
        (first, 2),
        (second, 2),
    ]
    assert lot(shop, first).existence is LotExistence.SHIPPED
    assert inside(shop) == {}
    assert events(shop, first)[-1] == ("ship", "tray-1", "pallet-1")
    assert events(shop, second)[-1] == ("ship", "pallet-1", "pallet-1")
    assert events(shop, "tray-1")[-1] == ("ship", "pallet-1", "pallet-1")
    gone = pack("pallet-1", stock(shop))
    assert shop.do(gone).outcome is m.Outcome.NOT_FOUND
    register(shop, "pallet-1")
    shop.ok(pack("pallet-1", stock(shop)))


def test_an_empty_carrier_and_pieces_on_the_floor_are_not_shipped() -> None:
    shop = a_shop("pallet-1")
    empty = shop.refused(m.ShipCarrier(carrier="pallet-1", reason="DN"))
    assert empty.unmet == ("quantity_there: pallet-1 is empty",)
    shop.make(5)
    shop.begin("cut")
    [made] = shop.state.lot.values()
    shop.ok(pack("pallet-1", made.id))

    for command in (
        m.ShipCarrier(carrier="pallet-1", reason="DN"),
        m.MoveCarrier(carrier="pallet-1", to_location="cage"),
    ):
        answer = shop.refused(command)
        assert answer.unmet == (f"in_stock: {made.id} has 5 queued at WR-1/cut/1",)
    assert (
        "needs a reason"
        in shop.malformed(m.ShipCarrier(carrier="pallet-1", reason=" ")).message
    )


# Split, merged, gone


def test_a_part_of_a_packed_lot_stays_in_the_carrier() -> None:
    shop = a_shop("tray-1")
    whole = stock(shop, 4)
    shop.ok(pack("tray-1", whole))

    told = shop.ok(m.SplitLot(lot=whole, quantities=(Decimal(1),), reason="sample"))

    child = told["lots"]
    assert inside(shop) == {whole: "tray-1", child: "tray-1"}
    shop.ok(unpack("tray-1", child))
    apart = shop.refused(m.MergeLots(lots=(whole, child), reason="again"))
    assert apart.unmet == (f"same_carrier: {whole} tray-1, {child} none",)
    shop.ok(pack("tray-1", child))
    merged = shop.ok(m.MergeLots(lots=(whole, child), reason="again"))["lot"]
    assert inside(shop) == {merged: "tray-1"}


def put_back(shop: Shop, name: str) -> m.ReverseRegrouping:
    moves = [one for one in shop.rows["move"].values() if one.to_lot == name]
    return m.ReverseRegrouping(
        lot=name,
        reason="slip",
        moves=tuple(moves),
        edges=tuple(
            one for one in shop.rows["genealogy_edge"].values() if one.target == name
        ),
        uses=tuple(
            one for one in shop.rows["genealogy_edge"].values() if one.source == name
        ),
    )


def test_a_merge_put_back_leaves_the_lots_in_the_carrier_and_a_split_is_asked() -> None:
    shop = a_shop("tray-1", "tray-2")
    first, second = stock(shop, 1), stock(shop, 1)
    merged = shop.ok(m.MergeLots(lots=(first, second), reason="one"))["lot"]
    shop.ok(pack("tray-1", merged))
    shop.ok(put_back(shop, merged))
    assert inside(shop) == {first: "tray-1", second: "tray-1"}

    whole = stock(shop, 3)
    child = shop.ok(m.SplitLot(lot=whole, quantities=(Decimal(1),), reason="x"))["lots"]
    shop.ok(pack("tray-2", child))
    answer = shop.refused(put_back(shop, child))
    assert answer.unmet == (f"untouched: it is in tray-2, {whole} is in no carrier",)
    shop.ok(unpack("tray-2"))
    shop.ok(put_back(shop, child))


def test_what_is_used_up_is_in_no_carrier() -> None:
    shop = Shop(a_routing(a_step("pack", consumes=(a_bracket(),)), material="frame"))
    register(shop, "tray-1")
    name = stock(shop, 2)
    shop.ok(pack("tray-1", name))
    shop.make(2)
    shop.run("pack", 2)

    assert lot(shop, name).existence is LotExistence.CONSUMED
    assert inside(shop) == {}
    assert events(shop, name)[-1][0] == "delete"


def a_bracket() -> Any:
    from mes_engine.core.steps import Component

    return Component(material="bracket", per_piece=Decimal(1), unit="C62")
