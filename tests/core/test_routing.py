"""Routings: every problem of one is told, with the path to it."""

from decimal import Decimal
from typing import Any

import pytest

from mes_engine.core import messages as m
from mes_engine.core.routing import Routing
from mes_engine.core.routing_problems import routing_problems
from mes_engine.core.steps import ConnectionKind
from tests.core.loops import again, with_a_loop, with_a_step_of_its_own
from tests.core.plants import (
    a_routing,
    a_step,
    beside,
    either,
    flows,
    in_batches,
    one_of_two,
    split_by_shares,
    steel,
    waits,
)
from tests.core.shop import Shop


def half(source: str, target: str) -> Any:
    return flows(source, target, share=Decimal("0.5"))


@pytest.mark.parametrize(
    "routing",
    [
        a_routing("cut"),
        a_routing("cut", "mill", "drill", "paint", "pack"),
        in_batches("cut", "mill", of=25),
        split_by_shares(),
        beside(),
        one_of_two(),
        with_a_loop(),
        with_a_step_of_its_own(),
        a_routing("cut", "mill", rework=(again("mill", "cut"),)),
        a_routing("cut", "mill", rework=(again("mill", "mill"),)),
    ],
)
def test_a_sound_routing_has_no_problems(routing: Routing) -> None:
    assert routing_problems(routing) == []


@pytest.mark.parametrize(
    ("routing", "problem"),
    [
        pytest.param(
            a_routing(), ("steps", "a routing needs at least one step"), id="no steps"
        ),
        pytest.param(
            a_routing("cut", "mill", "cut", connections=()),
            ("steps.2.id", "there is already a step 'cut'"),
            id="a step twice",
        ),
        pytest.param(
            a_routing("cut", connections=(flows("cut", "weld"),)),
            ("connections.0.target", "there is no step 'weld'"),
            id="to nowhere",
        ),
        pytest.param(
            a_routing("cut", connections=(flows("weld", "cut"),)),
            ("connections.0.source", "there is no step 'weld'"),
            id="from nowhere",
        ),
        pytest.param(
            a_routing(
                "cut", "mill", connections=(flows("cut", "mill"), waits("cut", "mill"))
            ),
            ("connections.1", "'cut' and 'mill' are already connected"),
            id="connected twice",
        ),
        pytest.param(
            a_routing(
                "cut",
                "mill",
                connections=(flows("cut", "mill"), flows("mill", "cut")),
            ),
            (
                "connections",
                "every step is reached by another: the routing is a cycle",
            ),
            id="a cycle without an entry",
        ),
        pytest.param(
            a_routing(
                "cut",
                "mill",
                "drill",
                connections=(
                    flows("cut", "mill"),
                    flows("mill", "drill"),
                    flows("drill", "mill"),
                ),
            ),
            (
                "connections",
                "the steps drill, mill wait for each other: a cycle that is no "
                "declared rework loop",
            ),
            id="a cycle behind the entry",
        ),
        pytest.param(
            a_routing("cut", "mill", rework=(again("mill", "weld"),)),
            ("rework.0.target", "there is no step 'weld'"),
            id="rework to nowhere",
        ),
        pytest.param(
            a_routing(
                "cut", "mill", rework=(again("mill", "cut"), again("mill", "cut"))
            ),
            ("rework.1.id", "there is already a loop 'to-cut'"),
            id="a loop twice",
        ),
        pytest.param(
            a_routing("cut", "mill", rework=(again("mill", "cut", 0),)),
            ("rework.0.limit", "0 is no number of times of 1 or more"),
            id="a loop that nothing may take",
        ),
        pytest.param(
            a_routing("cut", "mill", rework=(again("cut", "mill"),)),
            ("rework.0.target", "'mill' comes after 'cut': that is no way back"),
            id="rework forwards",
        ),
        pytest.param(
            a_routing(
                "cut",
                "mill",
                "drill",
                connections=(flows("cut", "mill"),),
                rework=(again("mill", "drill"),),
            ),
            (
                "rework.0.target",
                "no way leads from 'drill' back to 'mill', or to a step after it",
            ),
            id="rework without a way back",
        ),
        pytest.param(
            a_routing(
                "cut",
                "mill",
                "drill",
                connections=(
                    flows("cut", "mill"),
                    flows("mill", "drill"),
                    flows("drill", "mill"),
                ),
                rework=(again("drill", "mill"),),
            ),
            (
                "connections",
                "the steps drill, mill wait for each other: a cycle that is no "
                "declared rework loop",
            ),
            id="a cycle beside a loop",
        ),
        pytest.param(
            a_routing("cut", "cut-2", connections=(flows("cut-2", "cut-2"),)),
            ("steps.1", "step 'cut-2' is not reachable from 'cut'"),
            id="a step that feeds itself",
        ),
        pytest.param(
            a_routing("cut", "mill", connections=()),
            (
                "steps.1",
                "step 'mill' is not reachable from 'cut': connect it, or leave it out",
            ),
            id="two entries",
        ),
        pytest.param(
            a_routing(
                "cut",
                "mill",
                "drill",
                connections=(half("cut", "mill"), flows("cut", "drill")),
            ),
            (
                "steps.0",
                "the shares of the connections out of 'cut' add up to 1.5, not to 1",
            ),
            id="shares above 1",
        ),
        pytest.param(
            a_routing(
                "cut",
                "mill",
                "drill",
                connections=(flows("cut", "mill"), either("cut", "drill")),
            ),
            ("steps.0", "pieces leave 'cut' both by quantity and by alternative"),
            id="both kinds",
        ),
        pytest.param(
            a_routing(
                "cut",
                "paint",
                "pack",
                connections=(
                    waits("cut", "paint"),
                    flows("cut", "pack"),
                    flows("paint", "pack"),
                ),
            ),
            (
                "steps.1",
                "'paint' is reached by precedence alone: no pieces leave it",
            ),
            id="pieces out of a token",
        ),
        pytest.param(
            a_routing(
                "cut",
                "mill",
                connections=(flows("cut", "mill", transfer_batch=Decimal(0)),),
            ),
            (
                "connections.0.transfer_batch",
                "0 is no amount of pieces above 0",
            ),
            id="a batch of nothing",
        ),
        pytest.param(
            a_routing("cut", over_tolerance=Decimal("NaN")),
            ("over_tolerance", "NaN is no share of 0 or more"),
            id="no number",
        ),
        pytest.param(
            a_routing("cut", over_tolerance=Decimal("-0.1")),
            ("over_tolerance", "-0.1 is no share of 0 or more"),
            id="below nothing",
        ),
        pytest.param(
            a_routing(
                "cut",
                "mill",
                "drill",
                connections=(
                    flows("cut", "mill", share=Decimal(2)),
                    flows("cut", "drill", share=Decimal(-1)),
                ),
            ),
            ("connections.1.share", "-1 is no share above 0, up to 1"),
            id="a share below 0",
        ),
        pytest.param(
            a_routing(a_step("cut", consumes=(steel("-1"),))),
            ("steps.0.consumes.0.per_piece", "-1 is no amount of 0 or more"),
            id="a component below 0",
        ),
        pytest.param(
            a_routing(a_step("cut", consumes=(steel("1"), steel("2")))),
            ("steps.0.consumes.1.material", "'steel' is consumed here already"),
            id="a component twice",
        ),
        pytest.param(
            a_routing(a_step("cut", id="cut>1")),
            ("steps.0.id", "'cut>1' has a '>' or '/', or is empty"),
            id="a name that reads as two",
        ),
    ],
)
def test_a_problem_is_told_with_its_path(
    routing: Routing, problem: tuple[str, str]
) -> None:
    assert problem in routing_problems(routing)


def test_several_problems_are_told_at_once() -> None:
    routing = a_routing(
        "cut", "cut", connections=(flows("cut", "weld"), flows("glue", "cut"))
    )

    assert [path for path, _ in routing_problems(routing)] == [
        "steps.1.id",
        "connections.0.target",
        "connections.1.source",
    ]


def test_the_plant_has_to_be_able_to_do_it() -> None:
    shop = Shop()
    routing = a_routing(
        a_step("cut", work_center="WC-WELD"),
        a_step("mill", equipment_class="drill"),
    )

    answer = shop.refused(m.ReleaseRouting(routing=routing))

    assert answer.unmet == (
        "steps.0.work_center: there is no 'WC-WELD'",
        "steps.1.equipment_class: WC-MILL has no work unit of class 'drill'",
    )


def test_a_released_revision_never_changes() -> None:
    shop = Shop(a_routing("cut"))
    shop.ok(m.ReleaseRouting(routing=a_routing("cut")))

    answer = shop.refused(m.ReleaseRouting(routing=a_routing("mill")))

    assert "a released revision never changes" in answer.message


def test_work_keeps_the_revision_that_it_was_stored_with() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.ok(m.ReleaseRouting(routing=a_routing("cut", "mill", revision="B")))
    shop.make(5, request="WR-2")

    shop.run("cut", 10)

    assert shop.stock() == 10
    assert [job.revision for job in shop.state.job_order.values()] == ["A", "B"]


def test_no_work_is_stored_by_a_withdrawn_revision() -> None:
    shop = Shop(a_routing("cut"))
    shop.ok(m.WithdrawRouting(routing="R", revision="A"))
    create = m.CreateWorkRequest(
        work_request="WR-1", routing="R", quantity=Decimal(1), due_at=0
    )

    answer = shop.refused(create)
    assert answer.unmet == ("routing_effective: it was withdrawn",)

    shop.refused(m.WithdrawRouting(routing="R", revision="A"))
    shop.ok(m.ReleaseRouting(routing=a_routing("cut")))
    shop.ok(create)


def test_a_step_reached_by_precedence_alone_holds_no_pieces() -> None:
    routing = beside()

    assert [step.id for step in routing.steps if routing.holds_pieces(step.id)] == [
        "cut",
        "drill",
        "pack",
    ]
    assert [step.id for step in routing.entries] == ["cut"]
    assert not waits("cut", "paint").carries_pieces
    assert waits("cut", "paint").kind is ConnectionKind.PRECEDENCE


def test_a_step_leads_to_what_pieces_or_tokens_come_to_from_it() -> None:
    routing = beside()
    ids = [step.id for step in routing.steps]
    for source in ids:
        for step in ids:
            by_pieces = step in routing.beyond(source, by_tokens=False)
            assert routing.leads_to(source, step) is by_pieces
            by_any = step in routing.beyond(source)
            assert routing.leads_to(source, step, by_tokens=True) is by_any
    assert routing.leads_to("cut", "pack")
    assert not routing.leads_to("cut", "paint")
    assert not routing.leads_to("pack", "cut")
