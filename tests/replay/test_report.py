"""A replay that does not add up says where."""

from decimal import Decimal

import pytest

from mes_engine.replay import Amounts, ReplayReport
from mes_engine.replay.drive import Fate, Told
from mes_engine.replay.report import report_of
from mes_engine.replay.rows import Log, Row

GOOD = Amounts(rows=1, good=Decimal(5), processing_s=Decimal(60))
ROW = Row(
    line=2,
    key="k",
    case="A",
    activity="Mill",
    resource="Mill 1",
    start=0,
    complete=1,
    order_quantity=Decimal(10),
    part="Bolt",
    person="Ada",
    is_rework=False,
    amounts=GOOD,
)


def report(
    *,
    in_file: Amounts = GOOD,
    booked: Amounts = GOOD,
    gained: Amounts = GOOD,
    fate: Fate = Fate.ACCEPTED,
    laws: tuple[str, ...] = (),
) -> ReplayReport:
    return report_of(
        "log.csv",
        Log((ROW,), ()),
        [Told(row=ROW, fate=fate)],
        in_file={"Mill 1": in_file},
        booked={"Mill 1": booked},
        gained=gained,
        laws_broken=laws,
    )


def test_what_agrees_is_reconciled() -> None:
    assert report().is_reconciled


def test_a_row_that_the_reader_lost_is_a_difference() -> None:
    found = report(in_file=GOOD + GOOD)

    assert found.differences[0].startswith("Mill 1: the file has 2 rows, 10 good")
    assert not found.is_reconciled


@pytest.mark.parametrize(
    "booked",
    [
        Amounts(),
        Amounts(rows=1, good=Decimal(4), processing_s=Decimal(60)),
        Amounts(rows=1, good=Decimal(5), setup_s=Decimal(60)),
    ],
)
def test_a_booking_that_differs_is_a_difference(booked: Amounts) -> None:
    found = report(booked=booked)

    assert found.differences[0].startswith("Mill 1: 1 rows, 5 good")
    assert not found.is_reconciled


def test_a_row_booked_twice_is_a_difference() -> None:
    assert not report(booked=GOOD + Amounts(rows=1)).is_reconciled


def test_a_refused_row_that_was_booked_is_a_difference() -> None:
    assert not report(fate=Fate.REFUSED).is_reconciled


def test_totals_that_grew_otherwise_are_a_difference() -> None:
    assert not report(gained=Amounts(good=Decimal(6))).is_reconciled


def test_a_broken_law_is_a_difference() -> None:
    assert report(laws=("L1: ...",)).differences == ("L1: ...",)
    assert not report(laws=("L1: ...",)).is_reconciled


def test_it_can_be_told_in_json() -> None:
    total = report().plain()["total"]

    assert isinstance(total, dict)
    assert total["accepted"]["good"] == "5"
    assert total["accepted"]["hours"] == "0.02"
