"""Changeovers: what a setup takes depends on what the work unit was set up for."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.dispatching import DispatchDecision
from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.plant import Changeover, DispatchRule, Plant
from mes_engine.core.routing import Routing
from mes_engine.core.runs import Lane
from mes_engine.core.setups import present_setup, setup_us
from tests.core.plants import a_plant, a_routing, a_step, flows, one_of_two
from tests.core.shop import Shop

MINUTE = 60_000_000


def change(source: str, target: str, minutes: int) -> Changeover:
    return Changeover(source=source, target=target, minutes=Decimal(minutes))


COLOURS = (change("RED", "BLUE", 15), change("BLUE", "RED", 45))


def a_colourful_plant(
    *own: Changeover, rule: DispatchRule = DispatchRule.FIFO, **changed: Any
) -> Plant:
    """The class cut has COLOURS; cut-1 has its own, if given."""
    replace = msgspec.structs.replace
    plant = a_plant(signals=())
    return replace(
        plant,
        classes=tuple(
            replace(one, changeovers=COLOURS if one.id == "cut" else ())
            for one in plant.classes
        ),
        work_units=tuple(
            replace(one, changeovers=own if one.id == "cut-1" else ())
            for one in plant.work_units
        ),
        work_centers=tuple(replace(one, rule=rule) for one in plant.work_centers),
        **changed,
    )


def cut(family: str) -> Routing:
    step = a_step("cut", setup_s=Decimal(600), run_s=Decimal(6), setup_family=family)
    return a_routing(step, id=f"R-{family}")


def a_shop(*own: Changeover, rule: DispatchRule = DispatchRule.FIFO) -> Shop:
    plant = a_colourful_plant(*own, rule=rule)
    return Shop(cut("RED"), cut("BLUE"), cut("GREEN"), plant=plant)


def make(shop: Shop, *families: str) -> list[str]:
    for number, family in enumerate(families):
        shop.make(1, request=f"WR-{number}", routing=f"R-{family}")
    return [shop.job("cut", f"WR-{number}").id for number in range(len(families))]


def run(shop: Shop, number: int) -> None:
    job = shop.job("cut", f"WR-{number}").id
    shop.ok(m.LoadJobOrder(job_order=job, work_unit="cut-1"))
    shop.ok(m.BeginJobOrder(job_order=job))
    shop.ok(m.ReportQuantity(job_order=job, good=Decimal(1)))
    shop.fire_of(job, JobOrderTrigger.COMPLETE)


def minutes_of(shop: Shop, number: int) -> int:
    job = shop.job("cut", f"WR-{number}")
    unit = shop.state.site.work_unit("cut-1")
    return setup_us(shop.state, job, unit) // MINUTE


def test_a_setup_takes_its_standard_time_until_a_setup_is_known() -> None:
    shop = a_shop()
    make(shop, "RED")

    assert present_setup(shop.state, "cut-1") == ""
    assert minutes_of(shop, 0) == 10


def test_a_changeover_goes_by_what_the_machine_ran_last() -> None:
    """Red to blue takes 15 minutes, red to red none, and green is not listed."""
    shop = a_shop()
    make(shop, "RED", "BLUE", "RED", "GREEN")

    run(shop, 0)

    assert present_setup(shop.state, "cut-1") == "RED"
    assert [minutes_of(shop, number) for number in (1, 2, 3)] == [15, 0, 10]


def test_a_work_units_own_changeover_goes_before_its_classes() -> None:
    shop = a_shop(change("RED", "BLUE", 7), change("RED", "RED", 1))
    make(shop, "RED", "BLUE", "RED", "GREEN")

    run(shop, 0)

    assert [minutes_of(shop, number) for number in (1, 2, 3)] == [7, 1, 10]


def test_without_a_family_of_its_own_a_step_has_its_material() -> None:
    shop = Shop(a_routing("cut"), plant=a_colourful_plant())
    shop.make(1)

    shop.run("cut", 1)

    assert present_setup(shop.state, "cut-1") == "bracket"


def test_setting_up_counts_and_not_only_running() -> None:
    shop = a_shop()
    [job] = make(shop, "RED")
    shop.ok(m.LoadJobOrder(job_order=job, work_unit="cut-1"))

    shop.fire_of(job, JobOrderTrigger.BEGIN_SETUP)

    assert present_setup(shop.state, "cut-1") == "RED"


def test_no_fact_is_written_where_no_changeover_asks_for_it() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(1)

    shop.run("cut", 1)

    assert shop.facts(f.EquipmentChanged) == []


def test_the_setup_stays_when_a_plant_is_applied_again() -> None:
    shop = a_shop()
    make(shop, "RED", "BLUE")
    run(shop, 0)

    slower = (change("RED", "BLUE", 30),)
    shop.ok(m.ApplyPlant(plant=a_colourful_plant(*slower)))

    assert minutes_of(shop, 1) == 30


def test_setup_min_takes_what_needs_the_shortest_changeover_and_says_why() -> None:
    shop = a_shop(rule=DispatchRule.SETUP_MIN)
    jobs = make(shop, "RED", "GREEN", "BLUE", "RED")
    run(shop, 0)

    result = shop.ok(m.DispatchWorkUnit(work_unit="cut-1", lane=Lane.ACTIVE))

    assert result["job_order"] == jobs[3]
    kept = shop.facts(f.DispatchDecided)[-1].decision
    assert isinstance(kept, DispatchDecision)
    assert [(one.job_order, one.why) for one in kept.candidates] == [
        (jobs[3], "0 s to set up (RED to RED)"),
        (jobs[1], "600 s to set up (RED to GREEN)"),
        (jobs[2], "900 s to set up (RED to BLUE)"),
    ]


@pytest.mark.parametrize(
    ("step", "left_s"), [("cut", 260 + 50), ("mill", 50), ("drill", 50), ("pack", 0)]
)
def test_what_is_left_of_a_routing_is_its_longest_path(step: str, left_s: int) -> None:
    """10 pieces: milled in 60 + 200 s or drilled in 90 s, then packed in 50 s."""
    steps = (
        a_step("cut", run_s=Decimal(99)),
        a_step("mill", setup_s=Decimal(60), run_s=Decimal(20)),
        a_step("drill", run_s=Decimal(9)),
        a_step("pack", run_s=Decimal(5)),
    )
    routing = one_of_two(steps=steps)

    assert routing.rest_us(step, Decimal(10)) == left_s * 1_000_000
    # Another quantity has another longest path, and the first is not forgotten.
    assert routing.rest_us("cut", Decimal(1)) == (60 + 20 + 5) * 1_000_000
    assert routing.rest_us(step, Decimal(10)) == left_s * 1_000_000


def test_what_is_left_is_known_for_any_number_of_quantities() -> None:
    routing = a_routing("cut", a_step("mill", run_s=Decimal(2)))

    found = [routing.rest_us("cut", Decimal(number)) for number in range(1, 600)]

    assert found == [2_000_000 * number for number in range(1, 600)]


def test_a_long_routing_is_no_trouble() -> None:
    names = [f"s{number}" for number in range(2_000)]
    steps = tuple(
        msgspec.structs.replace(a_step("cut", run_s=Decimal(1)), id=one)
        for one in names
    )
    line = a_routing(*steps)

    assert line.connections[0] == flows("s0", "s1")
    assert line.rest_us("s0", Decimal(1)) == 1_999 * 1_000_000
