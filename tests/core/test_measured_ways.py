"""Ways by measured data: each lot by its own, and nothing moves on a guess."""

from decimal import Decimal
from typing import Any

import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.characteristics import Characteristic, ValueKind
from mes_engine.core.job_order import JobOrderState, JobOrderTrigger
from mes_engine.core.personnel import Qualification, QualificationNeed
from mes_engine.core.requests import LotWay, WorkRequestState
from mes_engine.core.routing import Routing
from mes_engine.core.runs import HoldScope
from mes_engine.core.steps import Connection, ConnectionKind, JobPer
from mes_engine.core.ways import awaited
from tests.core.loops import again, held_at, is_sound, live, wide, work
from tests.core.plants import a_routing, a_step, flows
from tests.core.shop import Shop

WIDTH = Characteristic(name="width", unit="MMT")
GRADE = Characteristic(name="grade", kind=ValueKind.TEXT)
TIGHT = Characteristic(name="tight", kind=ValueKind.BOOLEAN)


def either(target: str, **changed: Any) -> Connection:
    """After cutting, go to ``target``."""
    return flows("cut", target, kind=ConnectionKind.ALTERNATIVE, **changed)


def parting(*ways: Connection, per: JobPer = JobPer.REQUEST, **changed: Any) -> Routing:
    """Wide lots are milled, tight ones drilled, others painted; all are packed."""
    taken = ways or (
        either("mill", when="width > 10"),
        either("drill", when='tight and grade == "A"'),
        either("paint", is_otherwise=True),
    )
    targets = [one.target for one in taken]
    return a_routing(
        a_step("cut", job_per=per, characteristics=(WIDTH, GRADE, TIGHT)),
        *targets,
        "pack",
        connections=(*taken, *(flows(one, "pack") for one in targets)),
        **changed,
    )


def cutting(routing: Routing, quantity: int = 10, **changed: Any) -> Shop:
    shop = wide(routing)
    shop.make(quantity, **changed)
    for job in shop.jobs("cut"):
        shop.ok(m.LoadJobOrder(job_order=job.id, work_unit="cut-1"))
        shop.ok(m.BeginJobOrder(job_order=job.id))
    return shop


def measure(shop: Shop, name: str, value: str | bool, **changed: Any) -> int:  # noqa: FBT001 a value
    fields: dict[str, Any] = {
        "job_order": shop.job("cut").id,
        "characteristic": name,
        "value": value,
    }
    return int(shop.ok(m.RecordMeasurement(**fields | changed))["measurement"])


def places(shop: Shop) -> dict[str, dict[str, int]]:
    """Return what is held of each lot, by step."""
    found: dict[str, dict[str, int]] = {}
    for one in shop.state.position.find("request", "WR-1"):
        if one.held:
            step = one.place.split("/")[1] if one.on_floor else one.place
            found.setdefault(one.lot, {})[step] = int(one.held)
    return found


def choices(shop: Shop) -> list[tuple[str, str, str]]:
    found = shop.facts(f.AlternativeChosen)
    return [(one.lot, one.target, one.why) for one in found]


@pytest.mark.parametrize(
    ("width", "tight", "grade", "target"),
    [
        ("10.1", "true", "A", "mill"),
        ("10", "true", "A", "drill"),
        ("10", "true", "B", "paint"),
        ("10", "false", "A", "paint"),
    ],
)
def test_a_lot_takes_the_first_way_whose_condition_holds(
    width: str, tight: str, grade: str, target: str
) -> None:
    shop = cutting(parting())
    for name, value in (("width", width), ("tight", tight), ("grade", grade)):
        measure(shop, name, value)
    shop.report("cut", 10)
    shop.complete("cut")

    assert places(shop) == {"L-000001": {target: 10}}
    ((_, chosen, why),) = choices(shop)
    assert chosen == target
    assert (
        why
        == {
            "mill": "width > 10",
            "drill": 'tight and grade == "A"',
            "paint": "none of the conditions holds",
        }[target]
    )
    assert is_sound(shop)


def test_the_choice_keeps_the_values_that_it_saw() -> None:
    shop = cutting(parting())
    seq = measure(shop, "width", "12")
    shop.report("cut", 10)
    shop.complete("cut")

    (choice,) = shop.facts(f.AlternativeChosen)
    (seen,) = choice.saw
    assert (seen.step, seen.characteristic, seen.value) == ("cut", "width", "12")
    assert seen.measurement == seq


def test_each_lot_of_a_request_takes_its_own_way() -> None:
    shop = cutting(parting(), 15, lot_size=Decimal(5))
    shop.report("cut", 15)
    for lot, width in (("L-000001", "11"), ("L-000002", "9"), ("L-000003", "12")):
        measure(shop, "width", width, lot=lot)
        measure(shop, "tight", value=False, lot=lot)
    shop.complete("cut")

    assert places(shop) == {
        "L-000001": {"mill": 5},
        "L-000002": {"paint": 5},
        "L-000003": {"mill": 5},
    }
    for step in ("mill", "paint"):
        work(shop, live(shop, step), 10 if step == "mill" else 5)
    work(shop, live(shop, "pack"), 15)
    assert shop.stock() == 15
    request = shop.state.work_request.get("WR-1")
    assert request is not None
    assert request.state is WorkRequestState.COMPLETED
    assert is_sound(shop)


def test_job_orders_of_single_lots_part_likewise() -> None:
    shop = cutting(parting(per=JobPer.LOT), 10, lot_size=Decimal(5))
    for job, width in zip(shop.jobs("cut"), ("11", "9"), strict=True):
        shop.ok(m.ReportQuantity(job_order=job.id, good=Decimal(5)))
        measure(shop, "width", width, job_order=job.id)
        measure(shop, "tight", value=False, job_order=job.id)
        shop.fire_of(job.id, JobOrderTrigger.COMPLETE)

    assert places(shop) == {"L-000001": {"mill": 5}, "L-000002": {"paint": 5}}


def test_what_cannot_be_told_waits_and_goes_on_once_it_is_measured() -> None:
    shop = cutting(parting(), 10, lot_size=Decimal(5))
    shop.report("cut", 10)
    measure(shop, "width", "11", lot="L-000001")
    job = shop.complete("cut")

    assert job.state is JobOrderState.ENDED_COMPLETED
    assert places(shop) == {"L-000001": {"mill": 5}, "L-000002": {"cut": 5}}
    (unmet,) = awaited(shop.state, job)
    assert str(unmet) == "way_decided: L-000002: not measured yet: cut.width"

    measure(shop, "width", "9", lot="L-000002")
    (unmet,) = awaited(shop.state, job)
    assert unmet.why == (
        "L-000002: not measured yet: cut.tight, cut.grade (cut.width is 9)"
    )
    measure(shop, "tight", value=False, lot="L-000002")
    assert places(shop) == {"L-000001": {"mill": 5}, "L-000002": {"paint": 5}}
    assert awaited(shop.state, job) == []
    visit = shop.state.visit.get("WR-1/cut/1")
    assert visit is not None
    assert visit.is_done
    assert is_sound(shop)


def test_a_part_of_a_lot_that_waits_for_its_way_is_sent_too() -> None:
    shop = cutting(parting(per=JobPer.LOT), 2)
    shop.report("cut", 2)
    shop.complete("cut")
    split = m.SplitLot(lot="L-000001", quantities=(Decimal(1),), reason="two crates")
    apart = shop.ok(split)["lots"]

    for lot in ("L-000001", apart):
        choice = m.ChooseAlternative(
            work_request="WR-1", step="cut", target="mill", lot=lot, reason="by eye"
        )
        shop.ok(choice)

    assert places(shop) == {"L-000001": {"mill": 1}, apart: {"mill": 1}}
    assert is_sound(shop)


def test_where_no_condition_holds_and_nothing_is_the_rest_it_waits() -> None:
    shop = cutting(
        parting(either("mill", when="width > 10"), either("drill", when="width < 5"))
    )
    measure(shop, "width", "7")
    shop.report("cut", 10)
    job = shop.complete("cut")

    assert places(shop) == {"L-000001": {"cut": 10}}
    (unmet,) = awaited(shop.state, job)
    assert unmet.why == "L-000001: none of the conditions holds (cut.width is 7)"


def test_a_person_with_the_right_chooses_for_a_lot_that_waits() -> None:
    need = QualificationNeed(name="quality", level=2)
    shop = cutting(parting(deviation=need), 10, lot_size=Decimal(5))
    shop.report("cut", 10)
    shop.complete("cut")
    choose = m.ChooseAlternative(
        work_request="WR-1",
        step="cut",
        target="drill",
        lot="L-000002",
        reason="seen by eye",
    )
    answer = shop.refused(choose)
    assert answer.unmet == ("person_qualified: 'Maria' is not known to have 'quality'",)
    shop.ok(m.RegisterPerson(person="Maria", name="Maria"))
    shop.ok(
        m.GrantQualification(
            person="Maria", qualification=Qualification(name="quality", level=2)
        )
    )

    shop.ok(choose)

    assert places(shop) == {"L-000001": {"cut": 5}, "L-000002": {"drill": 5}}
    assert choices(shop) == [("L-000002", "drill", "seen by eye")]
    answer = shop.refused(
        m.ChooseAlternative(
            work_request="WR-1", step="cut", target="mill", lot="L-000002"
        )
    )
    assert answer.message == "L-000002 has taken 'drill' already."
    shop.ok(m.ChooseAlternative(work_request="WR-1", step="cut", target="paint"))
    assert places(shop)["L-000001"] == {"paint": 5}
    assert is_sound(shop)


def test_a_person_may_choose_against_the_data_before_the_lot_goes() -> None:
    shop = cutting(parting())
    measure(shop, "width", "12")
    shop.report("cut", 10)
    shop.ok(
        m.ChooseAlternative(
            work_request="WR-1", step="cut", target="paint", lot="L-000001"
        )
    )
    visit = shop.state.visit.get("WR-1/cut/1")
    assert visit is not None
    assert visit.ways == (LotWay(lot="L-000001", target="paint", is_set=True),)

    shop.complete("cut")

    assert places(shop) == {"L-000001": {"paint": 10}}


def test_a_lot_that_is_not_there_takes_no_way() -> None:
    shop = cutting(parting())

    answer = shop.refused(
        m.ChooseAlternative(
            work_request="WR-1", step="cut", target="mill", lot="L-000009"
        )
    )

    assert answer.unmet == ("lot: L-000009 is not at WR-1/cut/1",)


def test_of_a_request_that_is_over_no_way_is_chosen() -> None:
    shop = Shop(parting())
    shop.make(10)
    shop.ok(m.CancelWorkRequest(work_request="WR-1", reason="not wanted"))
    choose = m.ChooseAlternative(work_request="WR-1", step="cut", target="mill")
    assert shop.refused(choose).unmet == ("request_open: WR-1 is cancelled",)


def test_where_data_does_not_tell_a_way_it_is_chosen_for_all_lots() -> None:
    shop = cutting(parting(either("mill"), either("drill")))

    answer = shop.refused(
        m.ChooseAlternative(
            work_request="WR-1", step="cut", target="mill", lot="L-000001"
        )
    )

    assert "with all its lots" in answer.message


def test_a_lot_stays_on_its_way_while_pieces_have_gone_by_it() -> None:
    batch = Decimal(4)
    shop = cutting(
        parting(
            either("mill", when="width > 10", transfer_batch=batch),
            either("paint", is_otherwise=True, transfer_batch=batch),
        )
    )
    measure(shop, "width", "12")
    shop.report("cut", 5)
    assert places(shop) == {"L-000001": {"cut": 6, "mill": 4}}

    measure(shop, "width", "8")
    shop.report("cut", 5)
    shop.complete("cut")

    assert places(shop) == {"L-000001": {"mill": 10}}
    assert len(choices(shop)) == 1
    assert is_sound(shop)


def test_data_of_a_step_before_tells_the_way_too() -> None:
    routing = a_routing(
        a_step("cut", characteristics=(WIDTH,)),
        "mill",
        "drill",
        "pack",
        connections=(
            flows("cut", "mill"),
            flows(
                "mill", "drill", kind=ConnectionKind.ALTERNATIVE, when="cut.width > 3"
            ),
            flows("mill", "pack", kind=ConnectionKind.ALTERNATIVE, is_otherwise=True),
        ),
    )
    shop = cutting(routing)
    measure(shop, "width", "3")
    shop.report("cut", 10)
    shop.complete("cut")
    work(shop, live(shop, "mill"), 10)

    assert places(shop) == {"L-000001": {"pack": 10}}


def test_what_came_back_is_measured_anew_where_it_was() -> None:
    routing = parting(
        either("mill", when="width > 10"),
        either("paint", is_otherwise=True),
        rework=(again("mill", "cut"),),
    )
    shop = cutting(routing)
    measure(shop, "width", "12")
    shop.report("cut", 10)
    shop.complete("cut")
    mill = live(shop, "mill")
    shop.ok(m.LoadJobOrder(job_order=mill.id, work_unit="mill-1"))
    shop.ok(m.BeginJobOrder(job_order=mill.id))
    shop.ok(
        m.SendToRework(
            job_order=mill.id, quantity=Decimal(10), loop="to-cut", reason="too wide"
        )
    )
    back = live(shop, "cut", 2)
    work(shop, back, 10)
    assert held_at(shop, "WR-1/cut/2") == {"out": 10}

    measure(shop, "width", "9", job_order=back.id)

    assert places(shop) == {"L-000001": {"paint": 10}}
    assert is_sound(shop)


def test_a_hold_keeps_what_the_data_would_send_on() -> None:
    shop = cutting(parting())
    shop.report("cut", 10)
    shop.complete("cut")
    hold = m.OpenHold(scope=HoldScope.LOT, target="L-000001", reason="look")
    name = shop.ok(hold)["hold"]
    measure(shop, "width", "12")
    assert places(shop) == {"L-000001": {"cut": 10}}

    shop.ok(m.ReleaseHold(hold=name))

    assert places(shop) == {"L-000001": {"mill": 10}}
