"""Serial numbers of the plant's own: a serial is a lot of one, named once for ever."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.core import messages as m
from mes_engine.core.errors import Malformed
from mes_engine.core.laws import broken_serial_laws
from mes_engine.core.lots import LotExistence, MaterialLot
from mes_engine.core.runs import HoldScope
from mes_engine.core.serials import (
    KnownSerial,
    checked_serial,
    pattern_problem,
    serial_of,
    upcoming,
)
from mes_engine.core.steps import JobPer
from tests.core import correcting
from tests.core.loops import is_sound
from tests.core.plants import a_routing, a_step
from tests.core.shop import Shop

ONE = Decimal(1)


def a_shop(quantity: int = 5, **changed: Any) -> Shop:
    shop = Shop(a_routing("cut", "mill", **changed))
    shop.make(quantity)
    shop.begin("cut")
    return shop


def serialise(lot: str, *serials: str, **changed: Any) -> m.SerialiseLot:
    return m.SerialiseLot(lot=lot, serials=serials, reason="labels", **changed)


def first_lot(shop: Shop) -> str:
    return next(iter(shop.state.lot.values())).id


def lot(shop: Shop, name: str) -> MaterialLot:
    found = shop.state.lot.get(name)
    assert found is not None
    return found


def named(shop: Shop) -> dict[str, str]:
    """The lots with serials, by serial."""
    return {one.serial: one.id for one in shop.state.lot.values() if one.serial}


def test_serials_that_are_given_name_lots_of_one_and_what_is_left_stays() -> None:
    shop = a_shop(5)

    told = shop.ok(serialise(first_lot(shop), "SN-7", "SN-3"))

    assert told["serials"] == "SN-7 SN-3"
    assert list(named(shop)) == ["SN-7", "SN-3"]
    assert told["lots"] == " ".join(named(shop).values())
    assert [
        (one.lot, int(one.queued))
        for one in shop.state.position.find("request", "WR-1")
    ] == [(first_lot(shop), 3), *((name, 1) for name in named(shop).values())]
    assert lot(shop, named(shop)["SN-7"]).parent == first_lot(shop)


def test_a_lot_of_one_is_named_itself() -> None:
    shop = a_shop(1)

    told = shop.ok(serialise(first_lot(shop), "SN-1"))

    assert told["lots"] == first_lot(shop)
    assert len(list(shop.state.lot.values())) == 1
    again = shop.refused(serialise(first_lot(shop), "SN-2"))
    assert again.unmet == (f"not_serial: {first_lot(shop)} is SN-1",)
    split = m.SplitLot(lot="SN-1", quantities=(ONE,), reason="x")
    assert shop.refused(split).unmet == (f"not_serial: {first_lot(shop)} is SN-1",)


def test_the_last_of_several_gets_a_lot_of_its_own_as_others_may_come_back() -> None:
    shop = a_shop(3)
    shop.report("cut", 1)
    job = shop.job("cut").id
    shop.report("cut", 0, scrap=(m.Scrapped(quantity=Decimal(2), reason="crack"),))
    shop.complete("cut")
    whole = first_lot(shop)

    [one] = shop.ok(serialise(whole, "SN-1"))["lots"].split()
    assert one != whole

    [slip] = [booked for booked in correcting.bookings(shop, job) if booked.scrap]
    shop.ok(correcting.reversing(shop, slip))
    held = shop.state.position.find("lot", whole)
    assert sum(one.held for one in held) == 2
    assert is_sound(shop)


def test_every_piece_named_uses_the_lot_up() -> None:
    shop = a_shop(3)
    whole = first_lot(shop)
    shop.ok(serialise(whole))
    assert lot(shop, whole).existence is LotExistence.SPLIT
    assert list(named(shop)) == ["B26-001", "B26-002", "B26-003"]


def test_a_pattern_counts_on_and_passes_over_what_was_given_by_hand() -> None:
    shop = a_shop(6)
    shop.ok(serialise(first_lot(shop), quantity=Decimal(2)))
    shop.ok(serialise(first_lot(shop), "B26-003"))

    elsewhere = (KnownSerial(serial="B26-004", lot="L-000000"),)
    shop.ok(serialise(first_lot(shop), quantity=Decimal(2), taken=elsewhere))

    assert sorted(named(shop)) == [
        *("B26-001", "B26-002", "B26-003", "B26-005", "B26-006"),
    ]
    assert shop.state.last_number("serial:bracket") == 6


def test_a_material_without_a_pattern_asks_for_serials() -> None:
    shop = Shop(a_routing("cut", material="lid"))
    shop.make(2)
    shop.begin("cut")
    answer = shop.refused(serialise(first_lot(shop)))
    assert answer.unmet == ("serial_pattern: lid has none",)
    shop.ok(serialise(first_lot(shop), "1", "2"))


def test_a_serial_is_taken_for_ever_and_the_clash_is_named() -> None:
    shop = a_shop(4)
    shop.ok(serialise(first_lot(shop), "SN-1", "SN-2"))
    gone = named(shop)["SN-1"]
    scrap = (m.Scrapped(quantity=ONE, reason="crack"),)
    shop.ok(m.ReportQuantity(job_order=shop.job("cut").id, scrap=scrap, lot="SN-1"))

    answer = shop.refused(serialise(first_lot(shop), "SN-9", "SN-1"))

    assert answer.unmet == (f"serial_free: SN-1 of bracket is lot {gone}",)
    over = (KnownSerial(serial="SN-9", lot="L-000001"),)
    later = shop.refused(serialise(first_lot(shop), "SN-9", taken=over))
    assert later.unmet == ("serial_free: SN-9 of bracket is lot L-000001",)


def test_a_piece_that_was_put_back_keeps_its_serial_from_others() -> None:
    shop = Shop(a_routing("cut"))
    steel = shop.receive("3", material="bracket", unit="C62")
    shop.ok(serialise(steel, "SN-1"))
    child = named(shop)["SN-1"]
    edges = tuple(shop.rows["genealogy_edge"].values())
    moves = tuple(one for one in shop.rows["move"].values() if one.to_lot == child)
    back = m.ReverseRegrouping(lot="SN-1", reason="slip", moves=moves, edges=edges)
    shop.ok(back)

    assert lot(shop, child).existence is LotExistence.VOIDED
    answer = shop.refused(serialise(steel, "SN-1"))
    assert answer.unmet == (f"serial_free: SN-1 of bracket is lot {child}",)


def test_nothing_is_put_back_into_one_piece_with_a_serial() -> None:
    shop = Shop(a_routing("cut"))
    stock = shop.receive("2", material="bracket", unit="C62")
    [child] = shop.ok(m.SplitLot(lot=stock, quantities=(ONE,), reason="box"))[
        "lots"
    ].split()
    shop.ok(serialise(stock, "SN-1"))
    edges = tuple(shop.rows["genealogy_edge"].values())
    moves = tuple(one for one in shop.rows["move"].values() if one.to_lot == child)
    back = m.ReverseRegrouping(lot=child, reason="slip", moves=moves, edges=edges)
    assert shop.refused(back).unmet == (f"not_serial: {stock} is SN-1",)


@pytest.mark.parametrize(
    ("serial", "told"),
    [
        ("", "is empty"),
        ("SN 1", "position 3 is ' '"),
        ("-1", "position 1 is '-'"),
        ("SN/1", "position 3 is '/'"),
        ("SN-\u00e4", "position 4 is '\\xe4'"),
        ("x" * 65, "position 65 is one too many"),
        ("L-000001", "reads as a lot's own number"),
    ],
)
def test_malformed_text_is_refused_with_its_position(serial: str, told: str) -> None:
    shop = a_shop(3)
    answer = shop.malformed(serialise(first_lot(shop), "SN-1", serial))
    assert answer.message.startswith("Serial 2")
    assert told in answer.message


def test_a_serial_twice_too_many_or_too_few_say_so() -> None:
    shop = a_shop(2)
    twice = shop.malformed(serialise(first_lot(shop), "SN-1", "SN-1"))
    assert "Serial 2 'SN-1' is the same as serial 1" in twice.message
    too_many = shop.refused(serialise(first_lot(shop), "1", "2", "3"))
    assert too_many.unmet == ("quantity_there: 3 asked for, 2 there",)
    other = serialise(first_lot(shop), "1", quantity=Decimal(2))
    assert "1 serials for 2 pieces" in shop.malformed(other).message
    kilos = shop.receive("3")
    by_weight = shop.refused(serialise(kilos, "SN-1"))
    assert by_weight.unmet == (f"counted_in_pieces: {kilos} is in KGM",)


def test_a_piece_is_handled_by_its_serial() -> None:
    shop = a_shop(3)
    shop.ok(serialise(first_lot(shop), "SN-1", "SN-2", "SN-3"))
    job = shop.job("cut").id

    shop.ok(m.ReportQuantity(job_order=job, good=ONE, lot="SN-2"))
    scrap = (m.Scrapped(quantity=ONE, reason="crack"),)
    shop.ok(m.ReportQuantity(job_order=job, scrap=scrap, lot="SN-1"))
    held = shop.ok(m.OpenHold(scope=HoldScope.LOT, target="SN-3", reason="look"))

    places = {one.lot: one for one in shop.state.position.find("place", "WR-1/cut/1")}
    assert places[named(shop)["SN-2"]].out == 1
    assert places[named(shop)["SN-1"]].scrap == 1
    hold = shop.state.hold.get(held["hold"])
    assert hold is not None
    assert hold.target == named(shop)["SN-3"]


def test_one_serial_of_two_materials_is_refused_by_name() -> None:
    shop = Shop(a_routing("cut"))
    lid = shop.receive("1", material="lid", unit="C62")
    bracket = shop.receive("1", material="bracket", unit="C62")
    shop.ok(serialise(lid, "7"))
    shop.ok(serialise(bracket, "7"))

    answer = shop.refused(m.ShipLot(lot="7", reason="DN"))

    assert answer.unmet == (f"one_piece: 7 is {lid} of lid, {bracket} of bracket",)
    shop.ok(m.ShipLot(lot=lid, reason="DN"))
    shop.ok(m.ShipLot(lot="7", reason="DN"))
    assert lot(shop, bracket).existence is LotExistence.SHIPPED


def test_over_production_makes_no_second_piece_of_a_serial() -> None:
    shop = a_shop(1, over_tolerance=ONE)
    shop.ok(serialise(first_lot(shop), "SN-1"))
    shop.report("cut", 2, reason="one more")
    assert [one.serial for one in shop.state.lot.values()] == ["SN-1", ""]

    per_lot = Shop(a_routing(a_step("cut", job_per=JobPer.LOT), over_tolerance=ONE))
    per_lot.make(1)
    per_lot.begin("cut")
    per_lot.ok(serialise(first_lot(per_lot), "SN-1"))
    answer = per_lot.refused(per_lot.a_report("cut", 2, reason="one more"))
    assert answer.unmet == (f"quantity_accounted: {first_lot(per_lot)} is SN-1",)


def test_the_law_names_a_serial_twice_or_of_two_pieces() -> None:
    shop = a_shop(2)
    shop.ok(serialise(first_lot(shop), "SN-1"))
    one = lot(shop, named(shop)["SN-1"])
    double = [
        one,
        lot(shop, first_lot(shop)).__class__(
            id="L-9",
            number=9,
            material="bracket",
            unit="C62",
            created_at=0,
            serial="SN-1",
        ),
    ]
    assert list(broken_serial_laws(double, [])) == [
        f"SERIAL: SN-1 of bracket is {one.id}, and is L-9"
    ]
    [at] = shop.state.position.find("lot", first_lot(shop))
    two = [
        MaterialLot(
            id=at.lot, number=1, material="m", unit="C62", created_at=0, serial="X"
        )
    ]
    doubled = at.__class__(
        lot=at.lot,
        place="p",
        material="m",
        unit="C62",
        is_stock=True,
        stock=Decimal(2),
        received=Decimal(2),
    )
    assert list(broken_serial_laws(two, [doubled])) == [
        f"SERIAL: X: 2 are held of lot {at.lot}"
    ]


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("P{yy}{ww}-{n:06}", ""),
        ("{n}", ""),
        ("P-1", "needs '{n}'"),
        ("{n}-{n}", "says more than once '{n}'"),
        ("{n:6}{year}", "there is no '{year}' in a serial"),
        ("P {n}", "position 2 is ' '"),
        ("L-{n}", "reads as a lot's own number"),
        ("{n", "needs '{n}'"),
    ],
)
def test_a_pattern_says_what_is_wrong_with_it(pattern: str, told: str) -> None:
    assert told in pattern_problem(pattern) if told else not pattern_problem(pattern)


def test_a_week_has_its_own_year() -> None:
    assert serial_of("{yy}{ww}-{n:03}", 7, "2027-01-01") == "2653-007"
    assert serial_of("{yyyy}{mm}{dd}.{n}", 7, "2027-01-01") == "20270101.7"


@settings(deadline=None)
@given(
    st.sampled_from(["{n}{yy}", "P{yy}{ww}-{n:06}", "{dd}{n:02}", "7{n}7"]),
    st.integers(0, 10_000),
    st.dates(),
)
def test_a_pattern_makes_of_every_number_another_serial(
    pattern: str, after: int, day: Any
) -> None:
    serials = upcoming(pattern, after, day.isoformat())
    made = [next(serials) for _ in range(120)]
    assert len(set(made)) == len(made)
    assert all(checked_serial(one) == one for one in made)


@settings(deadline=None)
@given(st.text(max_size=70))
def test_what_is_taken_as_a_serial_is_clean(text: str) -> None:
    try:
        checked_serial(text)
    except Malformed:
        return
    assert text.isascii()
    assert text.isprintable()
    assert " " not in text
