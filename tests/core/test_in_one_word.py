"""What a terminal does with one button: load and begin, report and complete."""

from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from tests.core.plants import a_routing
from tests.core.shop import Shop


def test_the_next_is_loaded_and_begun() -> None:
    shop = Shop(a_routing("mill", "pack"))
    shop.make(10)

    given = shop.ok(m.DispatchWorkUnit(work_unit="mill-1", begins=True))

    assert given["job_order"] == shop.job("mill").id
    assert shop.job("mill").state is S.RUNNING_PROCESSING
    assert shop.at_step("mill") == {"queued": 10, "started": 10}


def test_nothing_is_begun_where_nothing_waits() -> None:
    shop = Shop(a_routing("mill", "pack"))
    given = shop.ok(m.DispatchWorkUnit(work_unit="mill-1", begins=True))
    assert given["job_order"] == ""


def test_what_cannot_be_begun_is_not_loaded_either() -> None:
    shop = Shop(a_routing("cut"))
    for name in ("WR-1", "WR-2"):
        shop.make(1, request=name)
    first = shop.job("cut", "WR-1").id
    shop.ok(m.LoadJobOrder(job_order=first, work_unit="cut-1"))

    staged = m.DispatchWorkUnit(work_unit="cut-1", begins=True)
    refusal = shop.refused(staged)

    assert refusal.unmet[0].startswith("claim_held: it is staged, and cut-1 has")
    assert shop.job("cut", "WR-2").state is S.ALLOWED_READY


def test_the_last_report_completes() -> None:
    shop = Shop(a_routing("mill", "pack"))
    shop.make(10)
    shop.ok(m.DispatchWorkUnit(work_unit="mill-1", begins=True))
    mill = shop.job("mill").id

    done = m.ReportQuantity(job_order=mill, good=Decimal(10), completes=True)
    told = shop.ok(done)

    assert (told["good"], told["state"]) == ("10", S.ENDED_COMPLETED.value)
    assert shop.at_step("pack") == {"queued": 10}
    (closed,) = [one for one in shop.facts(f.RunChanged) if not one.run.is_open]
    (booked,) = shop.facts(f.TimeBooked)
    assert booked.run == closed.run.id


def test_a_report_that_leaves_some_does_not_complete_and_books_nothing() -> None:
    shop = Shop(a_routing("mill", "pack"))
    shop.make(10)
    shop.ok(m.DispatchWorkUnit(work_unit="mill-1", begins=True))
    mill = shop.job("mill").id

    short = m.ReportQuantity(job_order=mill, good=Decimal(9), completes=True)
    refusal = shop.refused(short)

    assert refusal.unmet[0].startswith("quantity_accounted: queued 1,")
    assert shop.job("mill").good == 0
