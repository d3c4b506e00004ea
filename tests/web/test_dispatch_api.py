"""Dispatch over HTTP: what was decided, and what each score was made of."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from mes_engine.core.plant import (
    Changeover,
    DispatchRule,
    Plant,
    RuleSettings,
)
from mes_engine.core.routing import Routing
from tests.builders import a_plant, a_routing
from tests.plant import RunningPlant, running_plant

replace = msgspec.structs.replace


def a_plant_by(rule: DispatchRule, **weights: str) -> Plant:
    """The builders' plant by ``rule``; from RED to BLUE takes 15 minutes."""
    told = {DispatchRule(name): Decimal(one) for name, one in weights.items()}
    plant = a_plant()
    return replace(
        plant,
        classes=tuple(
            replace(
                one,
                changeovers=(
                    Changeover(source="RED", target="BLUE", minutes=Decimal(15)),
                ),
            )
            for one in plant.classes
        ),
        work_centers=tuple(
            replace(one, rule=rule, rule_settings=RuleSettings(weights=told))
            for one in plant.work_centers
        ),
    )


def sawn_for(family: str) -> Routing:
    """The builders' routing, whose saw is set up for ``family`` in ten minutes."""
    routing = a_routing()
    saw = replace(
        routing.steps[0],
        setup_family=family,
        setup_s=Decimal(600),
        run_s=Decimal(6),
        consumes=(),
    )
    return replace(routing, id=f"bracket-{family}", steps=(saw, *routing.steps[1:]))


async def last_decision(plant: RunningPlant) -> dict[str, Any]:
    found = await plant.get("/dispatch-decisions", work_unit="saw-1", limit=1)
    [decision] = found["items"]
    assert isinstance(decision, dict)
    return decision


async def test_a_weighing_of_rules_is_explained_in_queue_and_decision(
    tmp_path: Path,
) -> None:
    """The later request matters more: 0.8 of priority against 0.2 of the due date."""
    weighted = a_plant_by(DispatchRule.WEIGHTED, priority="0.8", edd="0.2")
    async with running_plant(tmp_path, plant=weighted) as plant:
        first, second = await plant.request("WR-1"), await plant.request("WR-2")
        await plant.done(f"/job-orders/{second}/update", priority=5)

        queue = await plant.get("/work-centers/SAWS/queue")
        [center] = [
            one for one in await plant.get("/work-centers") if one["id"] == "SAWS"
        ]
        await plant.done("/work-units/saw-1/dispatch")
        decision = await last_decision(plant)

    told = [
        (second, "0.2", "0.8 x priority 0, 0.2 x edd 1"),
        (first, "0.8", "0.8 x priority 1, 0.2 x edd 0"),
    ]
    settings = {"k": "2", "weights": {"priority": "0.8", "edd": "0.2"}}
    assert [(one["id"], one["score"], one["why"]) for one in queue["waiting"]] == told
    assert (center["rule"], center["rule_settings"]) == ("weighted", settings)
    assert decision["chosen"] == second
    assert (decision["rule"], decision["settings"]) == ("weighted", settings)
    assert [
        (one["job_order"], one["score"], one["why"]) for one in decision["candidates"]
    ] == told


async def test_the_shortest_changeover_goes_first_and_the_machine_shows_its_setup(
    tmp_path: Path,
) -> None:
    """Set up for RED: blue takes 15 minutes, the held red none, another red none."""
    plant_of = a_plant_by(DispatchRule.SETUP_MIN)
    routings = [sawn_for("RED"), sawn_for("BLUE")]
    async with running_plant(tmp_path, plant=plant_of, routings=routings) as plant:
        done = await plant.request("WR-0", routing="bracket-RED")
        await plant.done(f"/job-orders/{done}/load", work_unit="saw-1")
        await plant.done(f"/job-orders/{done}/begin")
        await plant.done(f"/job-orders/{done}/report", good="10")
        await plant.done(f"/job-orders/{done}/complete")
        blue = await plant.request("WR-1", routing="bracket-BLUE")
        held = await plant.request("WR-2", routing="bracket-RED")
        red = await plant.request("WR-3", routing="bracket-RED")
        await plant.done("/holds", scope="job_order", target=held, reason="drawing")

        unit = await plant.get("/work-units/saw-1")
        await plant.done("/work-units/saw-1/dispatch")
        decision = await last_decision(plant)

    assert unit["equipment"]["setup"] == "RED"
    assert decision["chosen"] == red
    assert [
        (one["job_order"], one["why"], [unmet["name"] for unmet in one["unmet"]])
        for one in decision["candidates"]
    ] == [
        (held, "0 s to set up (RED to RED)", ["no_hold"]),
        (red, "0 s to set up (RED to RED)", []),
        (blue, "900 s to set up (RED to BLUE)", []),
    ]
