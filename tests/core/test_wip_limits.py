"""Limits of work in progress: new work waits until other work has left."""

from decimal import Decimal
from typing import Any

import msgspec

from mes_engine.core import messages as m
from mes_engine.core.facts.limits import AreaEntered, AreaLeft
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.plant import Plant, WorkUnit
from mes_engine.core.wip_limits import WipLimit
from tests.core.correcting import reverse, the_last
from tests.core.plants import a_plant, a_routing, a_step, center, in_batches, one_of_two
from tests.core.shop import Shop

FRONT = ("cut", "mill")


def a_limited_plant(limit: WipLimit | None, **kanban: int) -> Plant:
    """Cutting and milling are the front area; every bench takes many jobs."""
    plant = a_plant(signals=())
    centers = tuple(
        msgspec.structs.replace(
            one,
            area="front" if one.name in FRONT else "hall",
            kanban=Decimal(kanban[one.name]) if one.name in kanban else None,
        )
        for one in plant.work_centers
    )
    units: tuple[WorkUnit, ...] = tuple(
        msgspec.structs.replace(one, active=20) for one in plant.work_units
    )
    return msgspec.structs.replace(
        plant,
        areas=("front", "hall"),
        work_centers=centers,
        work_units=units,
        wip_limits={} if limit is None else {"front": limit},
    )


def a_shop(limit: WipLimit | None, *, requests: int = 3, **changed: Any) -> Shop:
    routing = a_routing("cut", "mill", "pack")
    shop = Shop(routing, plant=a_limited_plant(limit, **changed))
    for number in range(1, requests + 1):
        shop.make(10, request=f"WR-{number}")
    return shop


def state(shop: Shop, request: str, step: str = "cut") -> S:
    return shop.job(step, request).state


def why(shop: Shop, request: str, step: str = "cut") -> list[str]:
    found = shop.job(step, request).conditions
    return [str(one) for one in found if not one.is_met]


def begin(shop: Shop, request: str, step: str = "cut") -> None:
    job = shop.job(step, request).id
    if shop.by_id(job).state is S.ALLOWED_READY:
        shop.ok(m.LoadJobOrder(job_order=job, work_unit=f"{step}-1"))
    shop.ok(m.BeginJobOrder(job_order=job))


def finish(shop: Shop, request: str, step: str = "cut") -> None:
    job = shop.job(step, request).id
    shop.ok(m.ReportQuantity(job_order=job, good=Decimal(10)))
    shop.fire_of(job, T.COMPLETE)


def work(shop: Shop, request: str, step: str) -> None:
    begin(shop, request, step)
    finish(shop, request, step)


def inside(shop: Shop) -> list[str]:
    return [one.request for one in shop.state.area_entry.find("area", "front")]


def test_new_work_waits_while_an_area_is_full_and_comes_when_other_work_leaves() -> (
    None
):
    shop = a_shop(WipLimit(work_requests=2))
    begin(shop, "WR-1")
    assert state(shop, "WR-3") is S.ALLOWED_READY
    begin(shop, "WR-2")
    assert state(shop, "WR-3") is S.ALLOWED_WAITING
    assert why(shop, "WR-3") == ["wip_limit: area front has 2 of 2 work requests"]
    [condition] = [
        one for one in shop.job("cut", "WR-3").conditions if one.name == "wip_limit"
    ]
    assert condition.mender == "the supervisor"

    finish(shop, "WR-1")
    work(shop, "WR-1", "mill")

    assert inside(shop) == ["WR-2"]
    assert state(shop, "WR-3") is S.ALLOWED_READY
    begin(shop, "WR-3")
    assert inside(shop) == ["WR-2", "WR-3"]


def test_who_is_inside_is_not_held_up_at_the_next_step() -> None:
    """Between two steps of the area its pieces wait there: it has not left."""
    shop = a_shop(WipLimit(work_requests=1))
    work(shop, "WR-1", "cut")
    assert inside(shop) == ["WR-1"]
    assert state(shop, "WR-1", "mill") is S.ALLOWED_READY
    assert state(shop, "WR-2") is S.ALLOWED_WAITING

    begin(shop, "WR-1", "mill")
    assert state(shop, "WR-2") is S.ALLOWED_WAITING
    finish(shop, "WR-1", "mill")

    assert state(shop, "WR-2") is S.ALLOWED_READY


def test_one_that_is_loaded_keeps_its_place_and_may_not_begin() -> None:
    shop = a_shop(WipLimit(work_requests=1), requests=2)
    second = shop.job("cut", "WR-2").id
    shop.ok(m.LoadJobOrder(job_order=second, work_unit="cut-1"))
    begin(shop, "WR-1")

    refused = shop.refused(m.BeginJobOrder(job_order=second))

    assert refused.unmet == ("wip_limit: area front has 1 of 1 work requests",)
    assert state(shop, "WR-2") is S.ALLOWED_LOADED


def test_a_request_that_is_scrapped_leaves_its_place() -> None:
    shop = a_shop(WipLimit(work_requests=1), requests=2)
    begin(shop, "WR-1")
    shop.ok(
        m.StopJobOrder(
            job_order=shop.job("cut").id, remainder=m.Remainder.SCRAP, reason="x"
        )
    )

    assert inside(shop) == []
    assert state(shop, "WR-2") is S.ALLOWED_READY


def test_pieces_are_counted_by_the_whole_request() -> None:
    shop = a_shop(WipLimit(pieces=Decimal(25)))
    begin(shop, "WR-1")
    begin(shop, "WR-2")

    assert why(shop, "WR-3") == [
        "wip_limit: area front has 20 of 25 pieces, and WR-3 has 10"
    ]


def test_an_empty_area_takes_a_request_of_any_size() -> None:
    shop = a_shop(WipLimit(pieces=Decimal(5)), requests=2)
    begin(shop, "WR-1")

    assert state(shop, "WR-2") is S.ALLOWED_WAITING


def test_work_elsewhere_is_no_matter_of_the_area() -> None:
    shop = Shop(a_routing("pack"), plant=a_limited_plant(WipLimit(work_requests=1)))
    for number in (1, 2):
        shop.make(10, request=f"WR-{number}")
        begin(shop, f"WR-{number}", "pack")

    assert shop.facts(AreaEntered) == []


def test_pieces_reported_in_setup_bring_their_request_inside() -> None:
    shop = a_shop(WipLimit(work_requests=1), requests=2)
    shop.load("cut")
    shop.fire("cut", T.BEGIN_SETUP)
    shop.report("cut", 1)

    assert inside(shop) == ["WR-1"]
    assert state(shop, "WR-2") is S.ALLOWED_WAITING


def test_a_limit_that_is_declared_later_counts_what_is_inside_already() -> None:
    shop = a_shop(None)
    begin(shop, "WR-1")
    work(shop, "WR-2", "cut")
    assert shop.facts(AreaEntered) == []

    shop.ok(m.ApplyPlant(plant=a_limited_plant(WipLimit(work_requests=2))))

    assert sorted(inside(shop)) == ["WR-1", "WR-2"]
    assert state(shop, "WR-3") is S.ALLOWED_WAITING
    shop.ok(m.ApplyPlant(plant=a_limited_plant(None)))
    assert inside(shop) == []
    assert len(shop.facts(AreaLeft)) == 2
    assert state(shop, "WR-3") is S.ALLOWED_READY


def test_a_full_buffer_keeps_the_step_before_it_from_beginning() -> None:
    shop = a_shop(None, requests=2, mill=10)
    work(shop, "WR-1", "cut")
    assert state(shop, "WR-2") is S.ALLOWED_WAITING
    assert why(shop, "WR-2") == [
        "wip_limit: the buffer before WC-MILL has 10 of 10 pieces"
    ]

    begin(shop, "WR-1", "mill")
    assert state(shop, "WR-2") is S.ALLOWED_WAITING
    shop.report("mill", 1)

    assert state(shop, "WR-2") is S.ALLOWED_READY


def test_a_report_that_is_reversed_fills_the_buffer_again() -> None:
    shop = a_shop(None, requests=2, mill=10)
    work(shop, "WR-1", "cut")
    begin(shop, "WR-1", "mill")
    shop.report("mill", 1)
    assert state(shop, "WR-2") is S.ALLOWED_READY

    reverse(shop, the_last(shop, "mill"))

    assert state(shop, "WR-2") is S.ALLOWED_WAITING
    assert why(shop, "WR-2") == [
        "wip_limit: the buffer before WC-MILL has 10 of 10 pieces"
    ]


def test_what_is_to_be_worked_again_fills_the_buffer_again() -> None:
    shop = a_shop(None, requests=2, mill=10)
    for step in ("cut", "mill"):
        begin(shop, "WR-1", step)
        finish(shop, "WR-1", step)
    assert state(shop, "WR-2") is S.ALLOWED_READY

    reverse(shop, the_last(shop, "mill"))

    assert shop.at_step("mill", "WR-1") == {"queued": 10}
    assert why(shop, "WR-2") == [
        "wip_limit: the buffer before WC-MILL has 10 of 10 pieces"
    ]
    assert shop.broken_laws() == []


def test_a_step_may_have_a_buffer_of_its_own() -> None:
    routing = in_batches("cut", a_step("mill", kanban=Decimal(4)), "pack", of=2)
    other = in_batches("cut", "mill", of=2, id="OTHER")
    shop = Shop(routing, other, plant=a_limited_plant(None))
    shop.make(10, request="WR-1")
    shop.make(10, request="WR-2")
    shop.make(10, request="WR-3", routing="OTHER")
    begin(shop, "WR-1")
    for _ in range(2):
        assert state(shop, "WR-2") is S.ALLOWED_READY
        shop.report("cut", 2)

    assert why(shop, "WR-2") == [
        "wip_limit: the buffer before step mill has 4 of 4 pieces"
    ]
    assert state(shop, "WR-3") is S.ALLOWED_READY
    shop.report("cut", 2)  # What has begun goes on.
    begin(shop, "WR-1", "mill")
    shop.ok(shop.a_report("mill", 2))
    assert state(shop, "WR-2") is S.ALLOWED_WAITING
    shop.ok(shop.a_report("mill", 1))
    assert state(shop, "WR-2") is S.ALLOWED_READY


def test_of_alternatives_one_with_room_is_enough() -> None:
    plant = a_limited_plant(None, mill=10, drill=10)
    shop = Shop(one_of_two(), plant=plant)
    for number in (1, 2, 3):
        shop.make(10, request=f"WR-{number}")
    begin(shop, "WR-1")
    begin(shop, "WR-2")
    way = m.ChooseAlternative(work_request="WR-2", step="cut", target="drill")
    shop.ok(way)
    finish(shop, "WR-1")
    assert state(shop, "WR-3") is S.ALLOWED_READY

    finish(shop, "WR-2")

    assert state(shop, "WR-3") is S.ALLOWED_WAITING
    assert len(why(shop, "WR-3")) == 1


def test_without_limits_nothing_is_written() -> None:
    shop = a_shop(None, requests=1)
    work(shop, "WR-1", "cut")
    work(shop, "WR-1", "mill")

    assert shop.facts(AreaEntered) == shop.facts(AreaLeft) == []
    assert center("cut") in shop.state.site.work_centers


def test_pieces_that_siblings_share_fill_a_buffer_once() -> None:
    """Two of three wait for a mill whose job order was split: there is room."""
    lean = in_batches("cut", a_step("mill", kanban=Decimal(3)), of=1)
    shop = Shop(lean)
    shop.make(5)
    shop.make(5, request="WR-2")
    shop.begin("cut")
    mill = shop.job("mill").id
    shop.ok(m.SplitJobOrder(job_order=mill, quantity=Decimal(1)))

    shop.report("cut", 2)
    assert shop.job("cut", "WR-2").state is S.ALLOWED_READY
    shop.report("cut", 1)
    assert shop.job("cut", "WR-2").state is S.ALLOWED_WAITING
