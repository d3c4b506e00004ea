"""Siblings: job orders of one visit that share its pieces, each with its own plan."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from tests.core import watch
from tests.core.plants import a_routing, in_batches
from tests.core.shop import Shop


def split(shop: Shop, job: str, quantity: int) -> str:
    """Split so many off a job order; return the sibling."""
    command = m.SplitJobOrder(job_order=job, quantity=Decimal(quantity))
    return shop.ok(command)["job_order"]


def start(shop: Shop, job: str, unit: str) -> None:
    shop.ok(m.LoadJobOrder(job_order=job, work_unit=unit))
    shop.ok(m.BeginJobOrder(job_order=job))


def good(shop: Shop, job: str, quantity: int) -> None:
    shop.ok(m.ReportQuantity(job_order=job, good=Decimal(quantity)))


def milling(quantity: int = 100, off: int = 40) -> tuple[Shop, str, str]:
    """A shop with all pieces at the mill, and its job order split."""
    shop = Shop(a_routing("cut", "mill", "pack"))
    shop.make(quantity)
    shop.run("cut", quantity)
    first = shop.job("mill").id
    return shop, first, split(shop, first, off)


def finals(shop: Shop, step: str) -> list[bool]:
    postings = sorted(shop.state.posting.values(), key=lambda one: one.stream_seq)
    return [one.is_final for one in postings if one.step == step]


def test_two_machines_share_what_is_there() -> None:
    shop, first, second = milling()
    assert shop.by_id(first).planned == 60
    assert shop.by_id(second).planned == 40
    assert shop.by_id(second).follows == shop.by_id(second).split_of == first
    start(shop, first, "mill-1")
    start(shop, second, "mill-2")
    good(shop, first, 50)
    good(shop, second, 40)
    assert shop.at_step("mill")["queued"] == 10

    shop.fire_of(second, T.COMPLETE)
    assert finals(shop, "mill") == [False]
    refused = shop.refused(m.AssertTrigger(job_order=first, trigger=T.COMPLETE))
    assert refused.unmet[0].startswith("quantity_accounted: queued 10")
    good(shop, first, 10)
    shop.fire_of(first, T.COMPLETE)
    assert finals(shop, "mill") == [False, True]
    assert shop.at_step("pack") == {"queued": 100}
    assert watch.broken(shop.state) == []


def test_what_one_does_not_take_the_other_may() -> None:
    shop, first, second = milling()
    start(shop, first, "mill-1")
    start(shop, second, "mill-2")
    good(shop, second, 70)
    good(shop, first, 30)
    shop.fire_of(first, T.COMPLETE)
    shop.fire_of(second, T.COMPLETE)
    assert shop.by_id(second).good == 70
    assert shop.at_step("pack") == {"queued": 100}


def test_a_sibling_that_nothing_is_left_for_is_given_up() -> None:
    shop, first, second = milling()
    start(shop, first, "mill-1")
    good(shop, first, 100)
    assert shop.by_id(second).state is S.ALLOWED_WAITING  # Nothing is there for it.
    shop.fire_of(first, T.COMPLETE)
    assert shop.by_id(second).state is S.CANCELLED
    assert finals(shop, "mill") == [False, True]
    assert watch.broken(shop.state) == []


def test_a_loaded_sibling_that_nothing_is_left_for_leaves_its_machine() -> None:
    shop, first, second = milling()
    shop.ok(m.LoadJobOrder(job_order=second, work_unit="mill-2"))
    start(shop, first, "mill-1")
    good(shop, first, 100)
    shop.fire_of(first, T.COMPLETE)
    assert shop.by_id(second).state is S.CANCELLED
    assert shop.state.run.find("work_unit", "mill-2") == []


def test_a_split_is_taken_back_by_cancelling_it() -> None:
    shop, first, second = milling()
    shop.fire_of(second, T.CANCEL)
    assert shop.by_id(first).planned == 100
    start(shop, first, "mill-1")
    good(shop, first, 100)
    shop.fire_of(first, T.COMPLETE)
    assert finals(shop, "mill") == [True]


def test_pieces_that_arrive_are_for_whoever_takes_them() -> None:
    shop = Shop(in_batches("cut", "mill", of=20))
    shop.make(100)
    shop.begin("cut")
    shop.report("cut", 20)
    first = shop.job("mill").id
    second = split(shop, first, 50)
    start(shop, first, "mill-1")
    good(shop, first, 20)
    assert shop.by_id(second).state is S.ALLOWED_WAITING
    shop.report("cut", 40)
    assert shop.by_id(second).state is S.ALLOWED_READY
    start(shop, second, "mill-2")
    good(shop, second, 10)
    good(shop, first, 30)
    shop.fire_of(first, T.COMPLETE)  # It has done its 50; the rest is for the other.
    complete = m.AssertTrigger(job_order=second, trigger=T.COMPLETE)
    assert shop.refused(complete).unmet[0].startswith("nothing_expected")
    shop.report("cut", 40)
    shop.complete("cut")
    good(shop, second, 40)
    shop.fire_of(second, T.COMPLETE)
    assert finals(shop, "mill") == [False, True]


def test_each_starts_its_own_where_the_routing_begins() -> None:
    shop = Shop(a_routing("mill"))
    shop.make(100)
    first = shop.job("mill").id
    second = split(shop, first, 40)
    start(shop, first, "mill-1")
    assert shop.at_step("mill") == {"queued": 60, "started": 60}
    good(shop, first, 10)
    start(shop, second, "mill-2")
    assert shop.at_step("mill") == {"queued": 90, "out": 10, "started": 100}
    good(shop, first, 60)  # Ten of those that the other has started.
    good(shop, second, 30)
    shop.fire_of(first, T.COMPLETE)
    shop.fire_of(second, T.COMPLETE)
    assert shop.stock() == 100


def test_a_split_after_the_begin_starts_nothing_twice() -> None:
    shop = Shop(a_routing("mill"))
    shop.make(100)
    first = shop.begin("mill", "mill-1")
    second = split(shop, first, 40)
    start(shop, second, "mill-2")
    good(shop, second, 1)
    assert shop.at_step("mill") == {"queued": 99, "out": 1, "started": 100}


@pytest.mark.parametrize("remainder", [m.Remainder.FOLLOW_ON, m.Remainder.SCRAP])
def test_a_stop_is_of_its_own_part(remainder: m.Remainder) -> None:
    shop, first, second = milling()
    start(shop, first, "mill-1")
    start(shop, second, "mill-2")
    good(shop, first, 25)
    shop.ok(m.StopJobOrder(job_order=first, remainder=remainder, reason="broken"))
    if remainder is m.Remainder.SCRAP:
        assert shop.by_id(first).scrap == 35
    else:
        rest = shop.jobs("mill")[-1]
        assert rest.planned == 35
        assert rest.follows == rest.split_of == first
        start(shop, rest.id, "mill-1")
        good(shop, rest.id, 35)
        shop.fire_of(rest.id, T.COMPLETE)
    good(shop, second, 40)
    shop.fire_of(second, T.COMPLETE)
    assert finals(shop, "mill")[-1]
    assert sum(finals(shop, "mill")) == 1
    assert watch.broken(shop.state) == []


def test_an_abort_makes_suspect_what_the_person_says_was_at_work() -> None:
    shop, first, second = milling()
    start(shop, first, "mill-1")
    start(shop, second, "mill-2")
    abort = m.AbortJobOrder(
        job_order=first, reason="crash", in_process=Decimal(3), signature="Maria"
    )
    shop.ok(abort)
    assert shop.at_step("mill")["suspect"] == 3
    assert shop.at_step("mill")["queued"] == 97
    assert shop.jobs("mill")[-1].planned == 60


def test_no_more_than_is_left_can_be_split_off() -> None:
    shop, first, _ = milling()
    all_of_it = m.SplitJobOrder(job_order=first, quantity=Decimal(60))
    answer = shop.refused(all_of_it)
    assert answer.unmet == ("quantity_left: 60 of 60 C62 are left to do",)
    shop.malformed(m.SplitJobOrder(job_order=first, quantity=Decimal(0)))
    shop.fire_of(first, T.CANCEL)
    answer = shop.refused(m.SplitJobOrder(job_order=first, quantity=Decimal(1)))
    assert "cancelled" in answer.message


@given(st.data())
def test_however_it_is_split_all_pieces_come_out_once(data: st.DataObject) -> None:
    shop, first, second = milling(20, data.draw(st.integers(1, 19)))
    jobs = [first, second]
    for job, unit in zip(jobs, ("mill-1", "mill-2"), strict=True):
        start(shop, job, unit)
    left = 20
    while left:
        amount = data.draw(st.integers(1, left))
        good(shop, jobs[data.draw(st.integers(0, 1))], amount)
        left -= amount
    for job in jobs:
        shop.fire_of(job, T.COMPLETE)
    assert shop.at_step("pack") == {"queued": 20}
    assert finals(shop, "mill")[-1]
    assert watch.broken(shop.state) == []


def test_what_it_has_started_is_not_left_to_one_that_has_not_begun() -> None:
    shop = Shop(a_routing("mill"))
    shop.make(100)
    first = shop.job("mill").id
    split(shop, first, 40)
    start(shop, first, "mill-1")
    good(shop, first, 50)
    complete = m.AssertTrigger(job_order=first, trigger=T.COMPLETE)
    assert shop.refused(complete).unmet[0].startswith("quantity_accounted: queued 10")


def test_what_one_made_too_many_the_other_does_not_start_again() -> None:
    shop = Shop(a_routing("mill"))
    shop.make(100)
    first = shop.job("mill").id
    second = split(shop, first, 40)
    start(shop, first, "mill-1")
    start(shop, second, "mill-2")
    good(shop, first, 70)
    shop.fire_of(first, T.COMPLETE)
    shop.ok(m.PauseJobOrder(job_order=second, reason="break"))
    shop.ok(m.ResumeJobOrder(job_order=second))
    good(shop, second, 30)
    shop.fire_of(second, T.COMPLETE)
    assert shop.stock() == 100
