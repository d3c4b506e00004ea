"""Whatever was done, the rest of the work can be finished, and costs what it costs."""

from decimal import Decimal

import pytest

from mes_engine.core import messages as m
from mes_engine.core.equipment import ItemState
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.plant import SignalMeaning
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.runs import HoldMode, HoldScope
from mes_engine.core.samples import LinkReport, LinkState
from tests.core.plants import (
    a_plant,
    a_routing,
    a_signal,
    a_step,
    beside,
    either,
    flows,
    steel,
    waits,
)
from tests.core.shop import SECOND, Shop


def test_pieces_may_be_reported_in_setup() -> None:
    shop = Shop(a_routing("cut", "pack", over_tolerance=Decimal("0.5")))
    shop.make(10)
    shop.load("cut")
    shop.fire("cut", T.BEGIN_SETUP)

    shop.report("cut", 2)

    assert shop.at_step("cut") == {"queued": 8, "out": 2, "started": 10}


def test_a_cancelled_step_without_pieces_is_skipped() -> None:
    shop = Shop(beside())
    shop.make(10)
    shop.run("cut", 10)
    shop.fire("paint", T.CANCEL)
    shop.run("drill", 10)

    shop.run("pack", 10)

    request = shop.state.work_request.get("WR-1")
    assert request is not None
    assert request.state is WorkRequestState.COMPLETED


def test_nothing_waits_for_a_step_on_a_way_not_taken() -> None:
    shop = Shop(
        a_routing(
            *("cut", "mill", "drill", "paint", "pack"),
            connections=(
                either("cut", "mill"),
                either("cut", "drill"),
                waits("mill", "paint"),
                flows("mill", "pack"),
                flows("drill", "pack"),
                waits("paint", "pack"),
            ),
        )
    )
    shop.make(10)
    shop.begin("cut")
    choice = m.ChooseAlternative(work_request="WR-1", step="cut", target="drill")
    shop.ok(choice)
    shop.report("cut", 10)
    shop.complete("cut")
    shop.run("drill", 10)

    shop.run("pack", 10)

    assert shop.stock() == 10


def test_nothing_waits_for_a_step_that_no_piece_went_to() -> None:
    shop = Shop(
        a_routing(
            *("cut", "mill", "drill", "pack"),
            connections=(
                flows("cut", "mill", share=Decimal("0.4")),
                flows("cut", "pack", share=Decimal("0.6")),
                flows("mill", "drill"),
                waits("drill", "pack"),
            ),
        )
    )
    shop.make(1)
    shop.run("cut", 1)

    shop.run("pack", 1)

    assert shop.stock() == 1


def test_a_plant_may_not_take_its_work_center_from_what_is_begun() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    job = shop.begin("cut")
    shop.ok(m.PauseJobOrder(job_order=job, reason="moves", gives_up_slot=True))
    plant = a_plant()
    smaller = a_plant(
        work_centers=tuple(o for o in plant.work_centers if o.id != "WC-CUT"),
        work_units=tuple(o for o in plant.work_units if o.work_center != "WC-CUT"),
        signals=(),
    )

    answer = shop.refused(m.ApplyPlant(plant=smaller))

    assert answer.message == f"WC-CUT cannot be removed: {job} is begun there."


def test_a_machine_without_signals_is_not_out_of_service_for_ever() -> None:
    shop = Shop(a_routing("mill"))
    shop.link(LinkState.CONNECTED)
    for unit in ("mill-1", "mill-2"):
        shop.sense(f"{unit}.state", 9)
    shop.make(10)
    assert shop.job("mill").state is S.ALLOWED_WAITING

    shop.ok(m.ApplyPlant(plant=a_plant(signals=())))

    assert shop.job("mill").state is S.ALLOWED_READY


def test_the_link_of_its_state_tells_whether_a_machine_is_known() -> None:
    signals = (
        a_signal("mill-1.good", link="plc2"),
        a_signal("mill-1.state", means=SignalMeaning.STATE),
    )
    shop = Shop(a_routing("mill"), plant=a_plant(signals=signals))
    shop.link(LinkState.CONNECTED)
    shop.sense("mill-1.state", 6)

    lost = LinkReport(state=LinkState.DISCONNECTED, at=shop.at)
    shop.hear(lost, link="plc2")
    assert shown(shop, "mill-1") == ItemState.EXECUTING

    shop.link(LinkState.DISCONNECTED)
    assert shown(shop, "mill-1") == "unknown"


def shown(shop: Shop, unit: str) -> str:
    equipment = shop.state.equipment.get(unit)
    assert equipment is not None
    return equipment.shown


def test_material_is_asked_for_what_can_still_come() -> None:
    mill = a_step("mill", consumes=(steel("0.5"),))
    shop = Shop(a_routing("cut", mill))
    shop.receive("4.5")
    shop.make(10)
    job = shop.begin("cut")
    scrap = (m.Scrapped(quantity=Decimal(1), reason="bent"),)
    shop.ok(m.ReportQuantity(job_order=job, good=Decimal(9), scrap=scrap))
    shop.complete("cut")

    assert shop.job("mill").state is S.ALLOWED_READY


def test_scrap_that_was_never_touched_uses_up_nothing() -> None:
    cut = a_step("cut", consumes=(steel("1"),))
    shop = Shop(a_routing(cut))
    shop.receive("10")
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 4)

    stop = m.StopJobOrder(
        job_order=shop.job("cut").id, remainder=m.Remainder.SCRAP, reason="no demand"
    )
    shop.ok(stop)

    assert shop.stock("steel") == 6


def test_time_told_late_counts_once() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    job = shop.begin("cut")
    shop.at += 100 * SECOND
    pause = m.PauseJobOrder(job_order=job, reason="jam")
    shop.ok(pause, at=shop.at - 50 * SECOND)
    shop.ok(m.ResumeJobOrder(job_order=job), at=shop.at - 90 * SECOND)
    shop.report("cut", 10)
    shop.complete("cut")

    assert shop.by_id(job).processing_us <= 110 * SECOND


@pytest.mark.parametrize("resumes", [True, False])
def test_a_hold_that_goes_lets_nothing_go_on_that_a_person_paused(
    *, resumes: bool
) -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    job = shop.begin("cut")
    shop.ok(m.PauseJobOrder(job_order=job, reason="lunch"))
    held = m.OpenHold(scope=HoldScope.JOB_ORDER, target=job, reason="crack")
    hold = shop.ok(held)["hold"]

    shop.ok(m.ReleaseHold(hold=hold, resumes=resumes))

    assert shop.by_id(job).state is S.INTERRUPTED_SUSPENDED


def test_a_hold_after_the_run_lets_it_finish_and_holds_what_follows() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    job = shop.begin("cut")
    hold = shop.ok(
        m.OpenHold(
            scope=HoldScope.JOB_ORDER,
            target=job,
            reason="measure the first",
            mode=HoldMode.AFTER_RUN,
        )
    )["hold"]
    shop.ok(m.PauseJobOrder(job_order=job, reason="break"))
    shop.ok(m.ResumeJobOrder(job_order=job))
    shop.report("cut", 10)
    shop.complete("cut")
    assert shop.job("mill").state is S.ALLOWED_WAITING

    shop.ok(m.ReleaseHold(hold=hold))

    assert shop.job("mill").state is S.ALLOWED_READY
