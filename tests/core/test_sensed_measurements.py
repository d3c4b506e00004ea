"""What machines measure: kept for the active run, once, or told why not."""

from typing import Any

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.characteristics import Characteristic, ValueKind
from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.samples import Origin, Quality
from tests.core.loops import is_sound
from tests.core.plants import a_routing, a_step
from tests.core.shop import SECOND, Shop

WIDTH = Characteristic(name="width", unit="MMT", is_required=True)
TAG = "drill-1.width"


def a_shop(characteristic: Characteristic = WIDTH) -> Shop:
    shop = Shop(a_routing(a_step("drill", characteristics=(characteristic,)), "pack"))
    shop.make(10)
    return shop


def values(shop: Shop) -> list[Any]:
    return [one.measurement.value for one in shop.facts(f.MeasurementRecorded)]


def gaps(shop: Shop) -> list[str]:
    return [one.reason for one in shop.facts(f.GapSeen)]


def known_of(shop: Shop) -> str | None:
    signal = shop.state.signal.get(TAG)
    return None if signal is None else signal.value


def test_a_signal_measures_for_the_active_run_at_its_own_time() -> None:
    shop = a_shop()
    shop.begin("drill")
    shop.sense(TAG, 10.25)

    (kept,) = shop.facts(f.MeasurementRecorded)
    measured = kept.measurement
    assert (measured.value, measured.tag, measured.person) == ("10.25", TAG, "")
    assert (measured.lot, measured.work_unit) == ("L-000001", "drill-1")
    assert measured.at == shop.at
    shop.report("drill", 10)
    shop.complete("drill")
    assert is_sound(shop)


def test_only_a_changed_value_is_kept() -> None:
    shop = a_shop()
    shop.begin("drill")
    for value in (10.25, 10.25, 10.5, 10.5, 10.25, 10):
        shop.sense(TAG, value)

    assert values(shop) == ["10.25", "10.5", "10.25", "10"]


def test_a_binary_fraction_is_told_in_millionths() -> None:
    shop = a_shop()
    shop.begin("drill")
    shop.sense(TAG, 20.100000381469727)

    assert values(shop) == ["20.1"]


def test_without_an_active_run_nothing_is_kept_and_that_is_said_once() -> None:
    shop = a_shop()
    for value in (1.0, 2.0, 3.0):
        shop.sense(TAG, value)
    assert values(shop) == []
    assert gaps(shop) == ["measured while no run was active"]

    shop.begin("drill")
    shop.sense(TAG, 3.0)
    assert values(shop) == ["3"]
    shop.report("drill", 10)
    shop.fire("drill", JobOrderTrigger.COMPLETE)
    for value in (4.0, 5.0):
        shop.sense(TAG, value)
    assert values(shop) == ["3"]
    assert len(gaps(shop)) == 2


def test_what_was_measured_before_the_run_began_is_not_of_the_run() -> None:
    shop = a_shop()
    shop.begin("drill")
    before = shop.at - 60 * SECOND

    shop.sense(TAG, 1.0, source_at=before, received_at=before)

    assert values(shop) == []
    assert gaps(shop) == ["measured while no run was active"]


def test_what_comes_late_is_kept_at_its_time_and_says_nothing_of_now() -> None:
    shop = a_shop()
    shop.begin("drill")
    at = shop.at + SECOND
    shop.sense(TAG, 10.5, source_at=at + SECOND, received_at=at + SECOND)
    shop.sense(TAG, 10.25, source_at=at, received_at=at, origin=Origin.BACKFILL)

    late = shop.facts(f.MeasurementRecorded)[1].measurement
    assert (late.value, late.at) == ("10.25", at)
    assert known_of(shop) == "10.500000"
    (counts,) = shop.state.measured_value.values()
    assert counts.value == "10.5"

    before = shop.at - 60 * SECOND
    for _ in range(2):
        shop.sense(TAG, 1, source_at=before, received_at=at, origin=Origin.BACKFILL)
    assert gaps(shop) == ["measured while no run was active"] * 2
    assert known_of(shop) == "10.500000"
    assert is_sound(shop)


def test_a_step_that_measures_no_such_thing_says_so() -> None:
    shop = a_shop(Characteristic(name="depth"))
    shop.begin("drill")
    shop.sense(TAG, 1.0)

    assert gaps(shop) == ["step drill of JO-000001 measures no 'width'"]


def test_a_value_of_another_kind_is_not_kept() -> None:
    shop = a_shop(Characteristic(name="width", kind=ValueKind.BOOLEAN))
    shop.begin("drill")
    shop.sense(TAG, "wide")
    assert gaps(shop) == ["'wide' is no value of width: it is either true or false."]

    shop.sense(TAG, value=True)
    assert values(shop) == ["true"]
    shop.sense(TAG, float("nan"))
    assert values(shop) == ["true"]
    assert len(gaps(shop)) == 2


def test_bad_quality_measures_nothing() -> None:
    shop = a_shop()
    shop.begin("drill")
    shop.sense(TAG, None, quality=Quality.BAD)
    assert values(shop) == []

    shop.sense(TAG, 1.0)
    assert values(shop) == ["1"]


def test_what_a_machine_measured_is_voided_like_any_other() -> None:
    shop = a_shop()
    shop.begin("drill")
    shop.sense(TAG, 1.0)
    (kept,) = shop.facts(f.MeasurementRecorded)
    shop.ok(
        m.VoidMeasurement(
            measurement=kept.measurement,
            reason="probe dirty",
            known_seq=shop.state.seq,
        )
    )

    shop.sense(TAG, 1.0)

    assert values(shop) == ["1", "1"]
