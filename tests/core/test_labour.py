"""Labour: people on runs, their time shared exactly, and nothing without a sign-on."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.plant import LabourRule, Plant
from mes_engine.core.runs import Lane
from tests.core.plants import a_furnace, a_plant, a_routing
from tests.core.shop import SECOND, Shop
from tests.core.watch import times_of

ROUTINGS = (
    a_routing("mill"),
    a_routing("cut", id="CUT"),
    a_routing("paint", id="PAINT"),
)


def a_shop(plant: Plant | None = None) -> Shop:
    return Shop(*ROUTINGS, plant=plant or a_plant())


def working(shop: Shop, request: str, unit: str, routing: str = "R") -> str:
    """Begin a job order of a request of its own on ``unit``; return it."""
    shop.make(10, request=request, routing=routing)
    job = shop.state.job_order.find("request", request)[0].id
    shop.ok(m.LoadJobOrder(job_order=job, work_unit=unit))
    shop.ok(m.BeginJobOrder(job_order=job))
    return job


def on(shop: Shop, unit: str, person: str = "Ali", run: str | None = None) -> None:
    shop.ok(m.SignOnPerson(work_unit=unit, person=person, run=run))


def off(shop: Shop, unit: str, person: str = "Ali", run: str | None = None) -> None:
    shop.ok(signing_off(shop, unit, person, run))


def signing_off(
    shop: Shop, unit: str, person: str = "Ali", run: str | None = None
) -> m.SignOffPerson:
    """Return the command, with what the door would read."""
    return m.SignOffPerson(
        work_unit=unit,
        person=person,
        run=run,
        known=times_of(shop.state, person),
        known_seq=shop.state.seq,
    )


def labour_s(shop: Shop, job: str) -> Decimal:
    return Decimal(shop.by_id(job).labour_us) / SECOND


def end(shop: Shop, job: str) -> None:
    shop.ok(m.ReportQuantity(job_order=job, good=Decimal(10)))
    shop.fire_of(job, T.COMPLETE)


def test_a_person_on_a_unit_is_on_what_it_works_on() -> None:
    shop = a_shop()
    job = working(shop, "WR-1", "mill-1")
    on(shop, "mill-1")
    shop.at += 59 * SECOND
    off(shop, "mill-1")
    assert labour_s(shop, job) == 60
    shop.at += 100 * SECOND
    end(shop, job)
    assert labour_s(shop, job) == 60  # From then on it ran unattended.
    assert shop.by_id(job).processing_us > 160 * SECOND


def test_who_is_on_a_unit_goes_on_with_its_next_run() -> None:
    shop = a_shop()
    first = working(shop, "WR-1", "mill-1")
    on(shop, "mill-1")
    shop.at += 8 * SECOND
    end(shop, first)
    before = labour_s(shop, first)
    second = working(shop, "WR-2", "mill-1")
    shop.at += 8 * SECOND
    off(shop, "mill-1")
    assert before == labour_s(shop, first) == 10
    assert labour_s(shop, second) == 10


def test_what_is_staged_gets_no_labour_until_it_is_active() -> None:
    shop = a_shop()
    first = working(shop, "WR-1", "cut-1", "CUT")
    on(shop, "cut-1")
    shop.make(10, request="WR-2", routing="CUT")
    second = shop.job("cut", "WR-2").id
    shop.ok(m.LoadJobOrder(job_order=second, work_unit="cut-1", lane=Lane.STAGED))
    shop.at += 10 * SECOND
    end(shop, first)
    assert labour_s(shop, second) == 0
    shop.ok(m.BeginJobOrder(job_order=second))
    shop.at += 9 * SECOND
    off(shop, "cut-1")
    assert labour_s(shop, second) == 10


def test_the_end_of_a_run_signs_its_people_off() -> None:
    shop = a_shop()
    job = working(shop, "WR-1", "mill-1")
    run = shop.by_id(job).run
    on(shop, "mill-1", run=run)
    end(shop, job)
    assert shop.state.sign_on.find("work_unit", "mill-1") == []
    assert shop.state.labour_interval.find("person", "Ali") == []
    assert labour_s(shop, job) == 2
    [signed_off] = shop.facts(f.SignedOff)
    assert signed_off.sign_on.signed_off_at == shop.at


def test_one_on_two_runs_gives_each_a_fair_part() -> None:
    shop = a_shop()
    first = working(shop, "WR-1", "mill-1")
    second = working(shop, "WR-2", "mill-2")
    on(shop, "mill-1")
    shop.at += 9 * SECOND
    on(shop, "mill-2")
    shop.at += 19 * SECOND
    off(shop, "mill-1")
    shop.at += 4 * SECOND
    off(shop, "mill-2")
    assert labour_s(shop, first) == 10 + 10
    assert labour_s(shop, second) == 10 + 5


def in_full() -> Plant:
    plant = a_plant()
    centers = tuple(
        msgspec.structs.replace(one, labour=LabourRule.FULL)
        for one in plant.work_centers
    )
    return msgspec.structs.replace(plant, work_centers=centers)


def test_where_it_counts_in_full_each_run_gets_all_of_it() -> None:
    shop = a_shop(in_full())
    first = working(shop, "WR-1", "mill-1")
    second = working(shop, "WR-2", "mill-2")
    on(shop, "mill-1")
    on(shop, "mill-2")
    shop.at += 9 * SECOND
    off(shop, "mill-1")
    off(shop, "mill-2")
    assert labour_s(shop, first) == 1 + 10
    assert labour_s(shop, second) == 10 + 1


def test_two_people_on_one_run_are_twice_the_labour() -> None:
    shop = a_shop()
    job = working(shop, "WR-1", "mill-1")
    on(shop, "mill-1", "Ali")
    on(shop, "mill-1", "Eva")
    shop.at += 9 * SECOND
    off(shop, "mill-1", "Ali")
    off(shop, "mill-1", "Eva")
    assert labour_s(shop, job) == 11 + 11


def test_the_members_of_a_run_share_labour_by_quantity() -> None:
    shop = a_shop(a_furnace())
    for request, quantity in (("WR-1", 30), ("WR-2", 10)):
        shop.make(quantity, request=request, routing="PAINT")
    jobs = [shop.job("paint", one).id for one in ("WR-1", "WR-2")]
    shop.ok(m.LoadTogether(job_orders=tuple(jobs), work_unit="paint-1"))
    on(shop, "paint-1")
    shop.at += 7 * SECOND
    off(shop, "paint-1")
    assert [labour_s(shop, one) for one in jobs] == [6, 2]


def test_who_is_on_already_or_not_at_all_is_told() -> None:
    shop = a_shop()
    job = working(shop, "WR-1", "mill-1")
    on(shop, "mill-1")
    again = m.SignOnPerson(work_unit="mill-1", person="Ali")
    assert "already" in shop.refused(again).message
    never = m.SignOffPerson(work_unit="mill-1", person="Eva")
    assert "not on mill-1" in shop.refused(never).message
    nowhere = m.SignOnPerson(work_unit="mill-2", run=shop.by_id(job).run)
    assert shop.do(nowhere).outcome is m.Outcome.NOT_FOUND


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["mill-1", "mill-2", "cut-1"]), st.integers(0, 10**7)
        ),
        max_size=12,
    )
)
def test_shared_time_adds_up_to_the_microsecond(steps: list[tuple[str, int]]) -> None:
    shop = a_shop()
    jobs = [
        working(shop, "WR-1", "mill-1"),
        working(shop, "WR-2", "mill-2"),
        working(shop, "WR-3", "cut-1", "CUT"),
    ]
    present: dict[str, None] = {}
    worked = 0
    for unit, later_us in steps:
        shop.at += later_us
        worked += (later_us + SECOND) if present else 0
        if unit in present:
            del present[unit]
            off(shop, unit)
        else:
            present[unit] = None
            on(shop, unit)
    for unit in list(present):
        worked += SECOND
        off(shop, unit)
    assert sum(shop.by_id(one).labour_us for one in jobs) == worked
    booked = shop.facts(f.LabourBooked)
    assert sum(one.labour_us for one in booked) == worked


def test_who_comes_to_a_unit_is_not_on_what_is_staged_there() -> None:
    shop = a_shop()
    first = working(shop, "WR-1", "cut-1", "CUT")
    shop.make(10, request="WR-2", routing="CUT")
    second = shop.job("cut", "WR-2").id
    shop.ok(m.LoadJobOrder(job_order=second, work_unit="cut-1", lane=Lane.STAGED))
    on(shop, "cut-1")
    shop.at += 9 * SECOND
    off(shop, "cut-1")
    assert labour_s(shop, first) == 10
    assert labour_s(shop, second) == 0


def test_one_that_leaves_a_run_has_its_share_of_the_labour_so_far() -> None:
    shop = a_shop(a_furnace())
    for request, quantity in (("WR-1", 30), ("WR-2", 10)):
        shop.make(quantity, request=request, routing="PAINT")
    jobs = [shop.job("paint", one).id for one in ("WR-1", "WR-2")]
    shop.ok(m.LoadTogether(job_orders=tuple(jobs), work_unit="paint-1"))
    on(shop, "paint-1")
    shop.at += 7 * SECOND
    shop.fire_of(jobs[0], T.UNLOAD)
    shop.at += 9 * SECOND
    off(shop, "paint-1")
    assert [labour_s(shop, one) for one in jobs] == [6, 2 + 10]
