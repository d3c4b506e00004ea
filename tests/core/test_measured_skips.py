"""Steps that lots skip by measured data, and conditions that no data could tell."""

from decimal import Decimal
from typing import Any

import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.routing import Routing
from mes_engine.core.routing_problems import routing_problems
from mes_engine.core.steps import Connection, JobPer, Sampling
from tests.core.loops import is_sound, live, wide, work
from tests.core.plants import a_routing, a_step, flows
from tests.core.test_measured_ways import (
    GRADE,
    TIGHT,
    WIDTH,
    cutting,
    either,
    measure,
    places,
)


def skipping(*, per: JobPer = JobPer.REQUEST, **changed: Any) -> Routing:
    """Cut, mill where the cut is wide, pack."""
    fields: dict[str, Any] = {"is_optional": True, "skip_when": "width <= 10"}
    return a_routing(
        a_step("cut", characteristics=(WIDTH,)),
        a_step("mill", job_per=per, **fields | changed),
        "pack",
    )


@pytest.mark.parametrize("per", JobPer)
def test_a_lot_skips_a_step_when_its_data_says_so(per: JobPer) -> None:
    shop = cutting(skipping(per=per), 15, lot_size=Decimal(5))
    shop.report("cut", 15)
    for lot, width in (("L-000001", "9"), ("L-000002", "11"), ("L-000003", "10")):
        measure(shop, "width", width, lot=lot)
    shop.complete("cut")

    assert places(shop) == {
        "L-000001": {"pack": 5},
        "L-000002": {"mill": 5},
        "L-000003": {"pack": 5},
    }
    skips = shop.facts(f.StepSkipped)
    assert [(one.lot, one.why) for one in skips] == [
        ("L-000001", "width <= 10"),
        ("L-000003", "width <= 10"),
    ]
    assert [str(one) for one in skips[0].saw] == ["cut.width is 9"]
    work(shop, live(shop, "mill"), 5)
    work(shop, live(shop, "pack"), 15)
    assert shop.stock() == 15
    assert is_sound(shop)


def test_what_is_not_measured_is_worked() -> None:
    shop = cutting(skipping())
    shop.report("cut", 10)
    shop.complete("cut")

    assert places(shop) == {"L-000001": {"mill": 10}}
    measure(shop, "width", "1")
    assert places(shop) == {"L-000001": {"mill": 10}}


def test_what_comes_later_shares_the_fate_of_the_first_pieces() -> None:
    routing = skipping()
    batches = tuple(
        flows(one.source, one.target, transfer_batch=Decimal(5))
        for one in routing.connections
    )
    shop = cutting(a_routing(*routing.steps, connections=batches))
    shop.report("cut", 5)
    measure(shop, "width", "1")
    shop.report("cut", 5)

    assert places(shop) == {"L-000001": {"mill": 10}}


def test_what_is_skipped_by_its_data_is_no_sample() -> None:
    shop = wide(skipping(is_optional=False, sampling=Sampling(every=2)))
    for number, width in enumerate(("9", "11", "11"), start=1):
        shop.make(5, request=f"WR-{number}")
        (job,) = shop.jobs("cut", f"WR-{number}")
        shop.ok(m.LoadJobOrder(job_order=job.id, work_unit="cut-1"))
        shop.ok(m.BeginJobOrder(job_order=job.id))
        measure(shop, "width", width, job_order=job.id)
        shop.ok(m.ReportQuantity(job_order=job.id, good=Decimal(5)))
        shop.fire_of(job.id, JobOrderTrigger.COMPLETE)

    assert [one.visit for one in shop.facts(f.StepSampled)] == [
        "WR-2/mill/1",
        "WR-3/mill/1",
    ]
    assert [one.why for one in shop.facts(f.StepSkipped)] == [
        "width <= 10",
        "sampling takes one in 2; this is number 2",
    ]


@pytest.mark.parametrize(
    ("ways", "problem"),
    [
        (
            (either("mill", when="widht > 10"), either("drill", is_otherwise=True)),
            (
                "connections.0.when",
                "at character 1: there is no characteristic 'widht'; did you mean "
                "'width'?",
            ),
        ),
        (
            (either("mill", when="pack.width > 1"), either("drill", is_otherwise=True)),
            (
                "connections.0.when",
                "at character 1: nothing is measured by then at step 'pack'",
            ),
        ),
        (
            (either("mill", when="width == 'A'"), either("drill", is_otherwise=True)),
            (
                "connections.0.when",
                "at character 1: 'width' is a number, and is compared with a text",
            ),
        ),
        (
            (either("mill", when="tight > true"), either("drill", is_otherwise=True)),
            (
                "connections.0.when",
                "at character 1: 'tight' is a boolean: '>' says nothing of it",
            ),
        ),
        (
            (either("mill", when="width"), either("drill", is_otherwise=True)),
            (
                "connections.0.when",
                "at character 1: 'width' is a number, and is compared with a boolean",
            ),
        ),
        (
            (either("mill", when="tight"), either("drill")),
            (
                "connections.1",
                "others out of its step say 'when': say it, or 'is_otherwise'",
            ),
        ),
        (
            (
                either("mill", when="tight"),
                either("drill", is_otherwise=True),
                either("paint", is_otherwise=True),
            ),
            ("connections.2.is_otherwise", "'drill' takes what is left"),
        ),
        (
            (either("mill", when="tight", is_otherwise=True),),
            ("connections.0.is_otherwise", "says both 'when' and 'is_otherwise'"),
        ),
        (
            (either("mill", is_otherwise=True),),
            (
                "connections.0.is_otherwise",
                "no other way out of its step says 'when'",
            ),
        ),
        (
            (flows("cut", "mill", when="tight"),),
            ("connections.0.when", "says nothing for a connection of kind quantity"),
        ),
    ],
)
def test_ways_that_no_data_could_tell(
    ways: tuple[Connection, ...], problem: tuple[str, str]
) -> None:
    steps = {one.target for one in ways}
    routing = a_routing(
        a_step("cut", characteristics=(WIDTH, GRADE, TIGHT)),
        *sorted(steps),
        a_step("pack", characteristics=(WIDTH,)),
        connections=(*ways, *(flows(one, "pack") for one in sorted(steps))),
    )

    assert routing_problems(routing) == [problem]


def test_a_name_that_two_steps_before_measure_needs_its_step() -> None:
    routing = a_routing(
        a_step("cut", characteristics=(WIDTH,)),
        a_step("mill", characteristics=(WIDTH,)),
        a_step("drill", is_optional=True, skip_when="width > 1"),
        a_step("pack", skip_when="mill.width > 1"),
    )

    assert routing_problems(routing) == [
        (
            "steps.2.skip_when",
            "at character 1: say at which step: cut.width or mill.width",
        ),
        ("steps.3.skip_when", "'pack' is neither optional nor sampled"),
    ]
