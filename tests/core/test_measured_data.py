"""Measured data: kept whatever it is, the latest counts, what is required is named."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.assets import AssetState
from mes_engine.core.characteristics import Characteristic, ValueKind, value_of
from mes_engine.core.errors import Malformed
from mes_engine.core.job_order import JobOrderState, JobOrderTrigger
from mes_engine.core.measurements import Measurement
from mes_engine.core.routing import Routing
from mes_engine.core.routing_problems import routing_problems
from mes_engine.core.steps import JobPer
from tests.core.loops import is_sound, wide
from tests.core.plants import a_routing, a_step
from tests.core.shop import SECOND, Shop

THICKNESS = Characteristic(
    name="thickness",
    unit="MMT",
    lower=Decimal("9.9"),
    upper=Decimal("10.1"),
    is_required=True,
)
FINISH = Characteristic(name="finish", kind=ValueKind.TEXT)
TIGHT = Characteristic(name="tight", kind=ValueKind.BOOLEAN, is_required=True)


def measuring(*characteristics: Characteristic, **changed: Any) -> Routing:
    """Cut, where things are measured, and pack."""
    return a_routing(
        a_step("cut", characteristics=characteristics or (THICKNESS,), **changed),
        "pack",
    )


def at_work(*characteristics: Characteristic, quantity: int = 10) -> Shop:
    shop = wide(measuring(*characteristics))
    shop.make(quantity)
    shop.begin("cut")
    return shop


def measured(shop: Shop, name: str, value: str | bool, **changed: Any) -> Measurement:  # noqa: FBT001 a value
    shop.ok(a_measurement(shop, name, value, **changed))
    measurements: list[f.MeasurementRecorded] = shop.facts(f.MeasurementRecorded)
    return measurements[-1].measurement


def a_measurement(
    shop: Shop,
    name: str,
    value: str | bool,  # noqa: FBT001 a value
    **changed: Any,
) -> m.RecordMeasurement:
    fields: dict[str, Any] = {
        "job_order": shop.job("cut").id,
        "characteristic": name,
        "value": value,
    }
    return m.RecordMeasurement(**fields | changed)


def a_void(
    shop: Shop, of: Measurement, *, before: Measurement | None = None, **changed: Any
) -> m.VoidMeasurement:
    fields: dict[str, Any] = {
        "measurement": of,
        "reason": "wrong gauge",
        "before": before,
        "known_seq": shop.state.seq,
    }
    return m.VoidMeasurement(**fields | changed)


def counts(shop: Shop, name: str = "thickness", lot: str = "L-000001") -> str | None:
    found = shop.state.measured_value.get((shop.job("cut").id, lot, name))
    return None if found is None else found.value


def test_a_value_is_kept_with_its_limits_judged_and_its_source() -> None:
    shop = at_work()

    kept = measured(shop, "thickness", "10.05", unit="MMT", remark="left side")

    assert (kept.value, kept.unit, kept.is_within) == ("10.05", "MMT", True)
    assert (kept.lot, kept.work_unit, kept.person) == ("L-000001", "cut-1", "Maria")
    assert kept.remark == "left side"
    assert is_sound(shop)


@pytest.mark.parametrize(
    ("value", "is_within"),
    [("9.9", True), ("10.1", True), ("9.899999", False), ("-3", False), ("11", False)],
)
def test_a_value_out_of_its_limits_is_kept_and_marked(
    value: str,
    is_within: bool,  # noqa: FBT001 expected
) -> None:
    shop = at_work()

    kept = measured(shop, "thickness", value)

    assert kept.is_within is is_within
    assert counts(shop) == value


def test_later_values_do_not_overwrite_and_the_latest_counts() -> None:
    shop = at_work()

    for value in ("9.8", "10.2", "10"):
        measured(shop, "thickness", value)

    assert [one.value for one in shop.rows["measurement"].values()] == [
        "9.8",
        "10.2",
        "10",
    ]
    assert counts(shop) == "10"
    assert is_sound(shop)


def test_what_is_told_late_counts_by_the_time_of_its_source() -> None:
    shop = at_work()
    measured(shop, "thickness", "10")

    shop.ok(a_measurement(shop, "thickness", "9.5"), at=shop.at - 60 * SECOND)

    assert counts(shop) == "10"
    assert len(shop.rows["measurement"]) == 2


def test_a_void_is_linked_and_the_value_before_counts_again() -> None:
    shop = at_work()
    first, second = (measured(shop, "thickness", one) for one in ("10", "7"))

    shop.ok(a_void(shop, second, before=first))

    assert counts(shop) == "10"
    (void,) = shop.rows["measurement_void"].values()
    assert (void.measurement, void.reason) == (second.seq, "wrong gauge")
    assert shop.rows["measurement"][second.seq] == second
    shop.ok(a_void(shop, first))
    assert counts(shop) is None
    assert is_sound(shop)


def test_voiding_what_does_not_count_changes_nothing_that_does() -> None:
    shop = at_work()
    first, _ = (measured(shop, "thickness", one) for one in ("7", "10"))

    shop.ok(a_void(shop, first))

    assert counts(shop) == "10"


def test_a_void_is_refused_once_something_else_was_told() -> None:
    shop = at_work()
    first = measured(shop, "thickness", "7")
    known = shop.state.seq
    measured(shop, "thickness", "10")

    answer = shop.refused(a_void(shop, first, known_seq=known))

    assert "has been measured or voided since" in answer.message


def test_a_void_is_not_voided_and_needs_a_reason() -> None:
    shop = at_work()
    first = measured(shop, "thickness", "7")
    shop.malformed(a_void(shop, first, reason=" "))
    shop.ok(a_void(shop, first))

    answer = shop.refused(
        a_void(shop, first, voided=next(iter(shop.rows["measurement_void"].values())))
    )

    assert answer.message == (
        f"Measurement {first.seq} was voided by Maria: wrong gauge."
    )


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("thickness", "ten", "'ten' is no value of thickness: it is a number"),
        ("thickness", True, "'true' is no value of thickness: it is a number"),
        ("thickness", "NaN", "'NaN' is no value of thickness"),
        ("thickness", "1e3", "'1e3' is no value of thickness"),
        ("thickness", "1" * 13, "is no value of thickness"),
        ("finish", " ", "' ' is no value of finish: it is a text"),
        ("finish", True, "'true' is no value of finish: it is a text"),
        ("tight", "yes", "'yes' is no value of tight: it is either true or false"),
    ],
)
def test_a_value_of_another_kind_is_no_value(
    name: str,
    value: str | bool,  # noqa: FBT001 a value
    told: str,
) -> None:
    shop = at_work(THICKNESS, FINISH, TIGHT)

    answer = shop.malformed(a_measurement(shop, name, value))

    assert told in answer.message
    assert name in answer.hint


def test_another_unit_is_no_value_either() -> None:
    shop = at_work()

    answer = shop.malformed(a_measurement(shop, "thickness", "1", unit="CMT"))

    assert answer.message == "thickness is measured in MMT, not in CMT."


def test_what_is_not_declared_is_not_measured() -> None:
    shop = at_work(THICKNESS, FINISH)

    answer = shop.refused(a_measurement(shop, "colour", "red"))

    assert answer.message == "Step cut of JO-000001 measures no 'colour'."
    assert answer.hint == (
        "Measured here: thickness (from 9.9 to 10.1 MMT); finish (text)."
    )


def test_a_lot_that_was_never_there_is_not_measured() -> None:
    shop = at_work()

    answer = shop.refused(a_measurement(shop, "thickness", "10", lot="L-000009"))

    assert answer.hint == "Lots there: L-000001."


def test_nothing_is_measured_before_work_or_after_the_job_order_was_cancelled() -> None:
    shop = wide(measuring())
    shop.make()
    early = shop.refused(a_measurement(shop, "thickness", "10"))
    assert early.unmet == ("loaded: JO-000001 is 'allowed_to_start.ready'",)
    shop.fire("cut", JobOrderTrigger.CANCEL)

    late = shop.refused(a_measurement(shop, "thickness", "10"))

    assert late.unmet == ("open: JO-000001 is 'cancelled', WR-1 is 'released'",)


def test_a_gauge_has_to_be_known_and_fit_for_use() -> None:
    shop = at_work()
    missing = shop.do(a_measurement(shop, "thickness", "10", gauge="G-1"))
    assert missing.outcome is m.Outcome.NOT_FOUND
    shop.ok(
        m.RegisterAsset(asset="G-1", asset_class="caliper", name="Caliper", crib="LAB")
    )

    assert measured(shop, "thickness", "10", gauge="G-1").gauge == "G-1"

    shop.ok(
        m.WithdrawTool(asset="G-1", reason="yearly", state=AssetState.IN_CALIBRATION)
    )
    answer = shop.refused(a_measurement(shop, "thickness", "10", gauge="G-1"))
    assert answer.unmet == ("gauge_available: G-1 is in calibration (yearly)",)


def test_complete_and_stop_are_refused_and_name_what_is_missing() -> None:
    shop = at_work(THICKNESS, FINISH, TIGHT)
    shop.report("cut", 10)
    job = shop.job("cut").id
    complete = m.AssertTrigger(job_order=job, trigger=JobOrderTrigger.COMPLETE)
    stop = m.StopJobOrder(job_order=job, reason="x", remainder=m.Remainder.FOLLOW_ON)

    for command in (complete, stop):
        answer = shop.refused(command)
        assert answer.unmet == ("required_data: not measured yet: thickness, tight",)
    assert shop.job("cut").state is JobOrderState.RUNNING_PROCESSING

    measured(shop, "thickness", "12")
    assert shop.refused(complete).unmet == ("required_data: not measured yet: tight",)
    measured(shop, "tight", value=False)
    assert shop.complete("cut").state is JobOrderState.ENDED_COMPLETED
    assert is_sound(shop)


def test_nothing_is_required_of_a_job_order_that_made_nothing_good() -> None:
    shop = at_work()
    shop.ok(
        m.StopJobOrder(
            job_order=shop.job("cut").id,
            reason="broken",
            remainder=m.Remainder.SCRAP,
        )
    )

    assert shop.job("cut").state is JobOrderState.ENDED_COMPLETED


def test_a_voided_value_is_missing_again() -> None:
    shop = at_work()
    shop.report("cut", 10)
    shop.ok(a_void(shop, measured(shop, "thickness", "10")))

    answer = shop.refused(
        m.AssertTrigger(job_order=shop.job("cut").id, trigger=JobOrderTrigger.COMPLETE)
    )

    assert answer.unmet == ("required_data: not measured yet: thickness",)


def test_of_several_lots_each_is_measured_or_all_of_them_at_once() -> None:
    shop = wide(measuring())
    shop.make(10, lot_size=Decimal(5))
    shop.begin("cut")
    shop.report("cut", 10)
    measured(shop, "thickness", "10", lot="L-000001")
    complete = m.AssertTrigger(
        job_order=shop.job("cut").id, trigger=JobOrderTrigger.COMPLETE
    )

    answer = shop.refused(complete)
    assert answer.unmet == ("required_data: not measured yet: thickness of L-000002",)

    assert measured(shop, "thickness", "10").lot == ""
    shop.complete("cut")


def test_each_job_order_of_a_lot_is_measured_by_itself() -> None:
    shop = wide(measuring(job_per=JobPer.LOT))
    shop.make(10, lot_size=Decimal(5))
    first, second = shop.jobs("cut")
    for job in (first, second):
        shop.ok(m.LoadJobOrder(job_order=job.id, work_unit="cut-1"))
        shop.ok(m.BeginJobOrder(job_order=job.id))
        shop.ok(m.ReportQuantity(job_order=job.id, good=Decimal(5)))
    assert measured(shop, "thickness", "10", job_order=first.id).lot == first.lot

    shop.fire_of(first.id, JobOrderTrigger.COMPLETE)
    shop.refused(m.AssertTrigger(job_order=second.id, trigger=JobOrderTrigger.COMPLETE))


def test_what_is_split_off_inherits_what_was_measured() -> None:
    shop = at_work()
    before, latest = (measured(shop, "thickness", one) for one in ("9.95", "10"))
    shop.report("cut", 10)
    (position,) = shop.state.position.find("lot", "L-000001")
    shop.ok(
        m.SplitLot(
            lot="L-000001",
            place=position.place,
            quantities=(Decimal(4),),
            reason="two boxes",
        )
    )

    assert counts(shop, lot="L-000002") == "10"
    shop.ok(a_void(shop, latest, before=before))
    assert counts(shop, lot="L-000002") == counts(shop) == "9.95"
    assert is_sound(shop)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_a_number_means_the_same_as_text(number: Decimal) -> None:
    text = f"{number:f}"
    if len(text.strip("-").partition(".")[0]) > 12:
        with pytest.raises(Malformed):
            value_of(THICKNESS, text)
        return

    assert Decimal(value_of(THICKNESS, text)) == number
    assert value_of(THICKNESS, value_of(THICKNESS, text)) == value_of(THICKNESS, text)


@pytest.mark.parametrize(
    ("characteristics", "problem"),
    [
        ((THICKNESS, THICKNESS), "'thickness' is measured here already"),
        ((Characteristic(name="and"),), "'and' cannot be told apart in a condition"),
        ((Characteristic(name="10"),), "'10' cannot be told apart in a condition"),
        ((Characteristic(name="t", unit="MM"),), "'MM' is no unit code known here"),
        (
            (Characteristic(name="t", lower=Decimal(2), upper=Decimal(1)),),
            "2 is above the upper limit of 1",
        ),
        (
            (Characteristic(name="t", kind=ValueKind.TEXT, lower=Decimal(2)),),
            "says nothing of a text",
        ),
        (
            (Characteristic(name="t", kind=ValueKind.BOOLEAN, unit="MMT"),),
            "says nothing of a boolean",
        ),
        ((Characteristic(name="t", upper=Decimal("NaN")),), "NaN is no number"),
    ],
)
def test_what_cannot_be_measured(
    characteristics: tuple[Characteristic, ...], problem: str
) -> None:
    problems = [told for _, told in routing_problems(measuring(*characteristics))]

    assert problems == [problem]
