"""A request in several lots: each with job orders of its own, or all in one."""

from decimal import Decimal

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrder, JobOrderState, JobOrderTrigger
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.steps import JobPer
from tests.core.plants import a_routing, a_step
from tests.core.shop import Shop


def in_lots(job_per: JobPer) -> Shop:
    steps = (a_step(one, job_per=job_per) for one in ("cut", "mill"))
    shop = Shop(a_routing(*steps))
    shop.make(10, lot_size=Decimal(4))
    return shop


def work(shop: Shop, job: JobOrder) -> None:
    unit = f"{job.step}-1"
    shop.ok(m.LoadJobOrder(job_order=job.id, work_unit=unit))
    shop.ok(m.BeginJobOrder(job_order=job.id))
    shop.ok(m.ReportQuantity(job_order=job.id, good=job.planned))
    shop.fire_of(job.id, JobOrderTrigger.COMPLETE)


def test_each_lot_has_job_orders_of_its_own() -> None:
    shop = in_lots(JobPer.LOT)
    first, second, last = shop.jobs("cut")
    assert [job.planned for job in (first, second, last)] == [4, 4, 2]

    work(shop, second)

    (after,) = shop.jobs("mill")
    assert after.lot == second.lot
    assert after.planned == 4
    assert after.state is JobOrderState.ALLOWED_READY
    assert [one.queued for one in shop.state.position.find("place", after.visit)] == [4]

    for job in (first, last):
        work(shop, job)
    for job in shop.jobs("mill"):
        work(shop, job)

    assert shop.stock() == 10
    request = shop.state.work_request.get("WR-1")
    assert request is not None
    assert request.state is WorkRequestState.COMPLETED


def test_one_job_order_takes_the_lots_as_they_came() -> None:
    shop = in_lots(JobPer.REQUEST)
    shop.begin("cut")
    shop.report("cut", 5)

    assert [one.out for one in shop.state.position.values()] == [4, 1, 0]
    shop.report("cut", 5)
    shop.complete("cut")
    (after,) = shop.jobs("mill")
    assert after.planned == 10
    shop.run("mill", 10)
    assert shop.stock() == 10


def test_a_step_of_lots_follows_one_of_all() -> None:
    shop = Shop(a_routing("cut", a_step("mill", job_per=JobPer.LOT)))
    shop.make(10, lot_size=Decimal(4))
    shop.begin("cut")
    shop.report("cut", 10)
    shop.complete("cut")

    assert [job.planned for job in shop.jobs("mill")] == [4, 4, 2]


def test_more_lots_than_a_request_may_have_are_refused() -> None:
    shop = Shop(a_routing("cut"))
    command = m.CreateWorkRequest(
        work_request="WR-1",
        routing="R",
        quantity=Decimal(2_000),
        due_at=0,
        lot_size=Decimal(1),
    )
    assert "cannot be made in lots of 1" in shop.malformed(command).message
