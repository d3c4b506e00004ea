"""What was measured of lots that are merged: known as far as they agree."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.characteristics import Characteristic
from mes_engine.core.conditions import ConditionName
from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.measured_data import required_data, value_at
from mes_engine.core.measurements import Measurement
from mes_engine.core.steps import Connection, ConnectionKind
from mes_engine.core.ways import awaited
from tests.core.plants import a_routing, a_step, flows
from tests.core.shop import Shop
from tests.core.test_means import rebuilds

WIDTH = Characteristic(name="width", unit="MMT", is_required=True)
ALL = None


def a_shop(*ways: Connection) -> tuple[Shop, list[str]]:
    """Three lots of two pieces, begun to be cut; wide ones are milled, if asked."""
    steps = ("mill", "paint") if ways else ("mill",)
    routing = a_routing(
        a_step("cut", characteristics=(WIDTH,)),
        *steps,
        **({"connections": ways} if ways else {}),
    )
    shop = Shop(routing)
    shop.make(6, lot_size=Decimal(2))
    shop.begin("cut")
    return shop, [one.id for one in shop.state.lot.values()]


def measure(shop: Shop, value: str, lot: str | None = ALL) -> int:
    command = m.RecordMeasurement(
        job_order=shop.job("cut").id, characteristic="width", value=value, lot=lot
    )
    return int(shop.ok(command)["measurement"])


def merge(shop: Shop, *lots: str) -> str:
    return shop.ok(m.MergeLots(lots=lots, reason="one crate"))["lot"]


def known(shop: Shop, lot: str) -> str | None:
    value = value_at(shop.state, "WR-1", "cut", lot, "width", visit=None)
    return None if value is None else value.value


def lacks(shop: Shop) -> str:
    return required_data(shop.state, shop.job("cut")).why


def test_a_value_that_all_have_is_inherited() -> None:
    shop, [one, two, _] = a_shop()
    measure(shop, "10", one)
    measure(shop, "10", two)

    merged = merge(shop, one, two)

    assert known(shop, merged) == "10"
    [told] = shop.facts(f.MeasurementsInherited)
    assert (told.parent, told.lot) == (f"{one} {two}", merged)
    assert rebuilds(shop)


def test_values_that_differ_are_not_known_any_more_and_named_until_measured() -> None:
    shop, [one, two, _] = a_shop()
    measure(shop, "10", one)
    measure(shop, "12", two)
    merged = merge(shop, one, two)
    shop.report("cut", 4, lot=merged)

    assert known(shop, merged) is None
    answer = shop.refused(
        m.AssertTrigger(job_order=shop.job("cut").id, trigger=JobOrderTrigger.COMPLETE)
    )
    told = f"not measured yet: width of {merged} (merged of lots that differ)"
    assert f"{ConditionName.REQUIRED_DATA.value}: {told}" in answer.unmet
    measure(shop, "11", merged)
    assert known(shop, merged) == "11"
    assert lacks(shop) == ""


def test_what_was_measured_of_one_only_is_not_known_of_both() -> None:
    shop, [one, two, three] = a_shop()
    measure(shop, "10", one)
    merged = merge(shop, one, two)
    assert known(shop, merged) is None
    again = merge(shop, merged, three)
    assert known(shop, again) is None
    assert rebuilds(shop)


def test_what_is_true_of_all_lots_counts_as_before_unless_one_differs() -> None:
    shop, [one, two, three] = a_shop()
    measure(shop, "10")
    same = merge(shop, one, two)
    assert known(shop, same) == "10"
    measure(shop, "12", three)

    differs = merge(shop, same, three)

    assert known(shop, differs) is None
    shop.report("cut", 6)
    assert differs in lacks(shop)
    measure(shop, "11")
    assert known(shop, differs) == "11"
    assert lacks(shop) == ""


def test_a_part_of_an_unclear_lot_is_unclear() -> None:
    shop, [one, two, _] = a_shop()
    measure(shop, "10", one)
    measure(shop, "12", two)
    merged = merge(shop, one, two)
    split = m.SplitLot(lot=merged, quantities=(Decimal(1),), reason="sample")
    part = shop.ok(split)["lots"]
    measure(shop, "10", merged)
    assert (known(shop, merged), known(shop, part)) == ("10", None)


@pytest.mark.parametrize("mistaken", [0, 1])
def test_a_void_of_one_that_agreed_takes_the_merged_lots_value(mistaken: int) -> None:
    shop, [one, two, _] = a_shop()
    measured = [measure(shop, "10", one), measure(shop, "10", two)]
    merged = merge(shop, one, two)

    void(shop, measured[mistaken])

    assert known(shop, merged) is None
    assert known(shop, (one, two)[1 - mistaken]) == "10"
    shop.report("cut", 4, lot=merged)
    assert merged in lacks(shop)


def void(shop: Shop, number: int) -> None:
    wrong: Measurement = next(
        one.measurement
        for one in shop.facts(f.MeasurementRecorded)
        if one.measurement.seq == number
    )
    command = m.VoidMeasurement(
        measurement=wrong, reason="wrong gauge", known_seq=shop.state.seq
    )
    shop.ok(command)


def either(target: str, **changed: object) -> Connection:
    fields: dict[str, object] = {"kind": ConnectionKind.ALTERNATIVE} | changed
    return flows("cut", target, **fields)


def test_a_way_by_a_value_waits_for_it_and_says_that_lots_differ() -> None:
    shop, [one, two, three] = a_shop(
        either("mill", when="width > 10"), either("paint", is_otherwise=True)
    )
    measure(shop, "10", one)
    measure(shop, "12", two)
    measure(shop, "12", three)
    merged = merge(shop, one, two)
    shop.report("cut", 6)

    [waits] = awaited(shop.state, shop.job("cut"))

    assert "cut.width (merged of lots that differ)" in str(waits)
    measure(shop, "12", merged)
    shop.complete("cut")
    assert shop.at_step("mill") == {"queued": 6}


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.sampled_from(["10", "10", "12", None]), min_size=2, max_size=3),
    st.sampled_from([None, None, "10"]),
)
def test_a_merged_lot_has_a_value_where_all_of_its_lots_have_it(
    values: list[str | None], of_all: str | None
) -> None:
    shop, lots = a_shop()
    if of_all is not None:
        measure(shop, of_all)
    for lot, value in zip(lots, values, strict=False):
        if value is not None:
            measure(shop, value, lot)
    before = {known(shop, lot) for lot in lots[: len(values)]}

    merged = merge(shop, *lots[: len(values)])

    assert known(shop, merged) == (before.pop() if len(before) == 1 else None)
