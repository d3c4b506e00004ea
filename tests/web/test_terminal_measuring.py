"""Measured data at a terminal, in a real browser."""

from decimal import Decimal
from functools import partial
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser, expect

from mes_engine.core.characteristics import Characteristic
from mes_engine.core.job_order import JobOrderState
from tests.builders import a_routing
from tests.plant import RunningPlant, running_plant, served, until
from tests.web.browser import visiting
from tests.web.operating import begun, card, now_in, press, scan, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDTH = Characteristic(
    name="width",
    unit="MMT",
    lower=Decimal(40),
    upper=Decimal("40.5"),
    is_required=True,
)


async def test_what_is_required_is_measured_before_the_job_order_ends(
    tmp_path: Path, browser: Browser
) -> None:
    routing = a_routing()
    saw, mill = routing.steps
    saw = msgspec.structs.replace(saw, characteristics=(WIDTH,))
    routing = msgspec.structs.replace(routing, steps=(saw, mill))
    async with (
        running_plant(tmp_path, routings=(routing,)) as plant,
        served(plant) as address,
    ):
        job = await plant.request("WR-1")
        await begun(plant, job)
        await plant.done(f"/job-orders/{job}/report", good="10")
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page, work = visit.page, card(visit.page, job)
            await sign_in(page, "Zoë")
            await expect(work.locator("[data-list=why]")).to_contain_text("width")

            await press(work, "Measure")
            panel = work.locator("[data-panel=measure]")
            stands = panel.locator("[data-list=characteristics]")
            await expect(stands).to_contain_text("width 40 to 40.5 MMT")
            await expect(stands).to_contain_text("not measured yet")
            await panel.get_by_label("Value").fill("40,75")
            await press(panel, "Keep the value")
            await until(lambda: bool(plant.state.measured_value.own))
            (kept,) = plant.state.measured_value.values()
            assert (kept.value, kept.is_within) == ("40.75", False)

            await press(work, "Complete")
            ended = JobOrderState.ENDED_COMPLETED
            await until(lambda: now_in(plant, job).state is ended)


async def test_a_value_is_of_a_lot_and_a_gauge_and_may_be_voided(
    tmp_path: Path, browser: Browser
) -> None:
    routing = a_routing()
    saw, mill = routing.steps
    saw = msgspec.structs.replace(saw, characteristics=(WIDTH,))
    routing = msgspec.structs.replace(routing, steps=(saw, mill))
    async with (
        running_plant(tmp_path, routings=(routing,)) as plant,
        served(plant) as address,
    ):
        gauge = {"tool": "CAL-1", "asset_class": "CALIPER", "name": "Caliper"}
        await plant.done("/tools", **gauge, crib="LAB", life_unit="none", life="0")
        job = await plant.request("WR-1")
        await begun(plant, job)
        (whole,) = {lot.id for lot in plant.state.lot.values() if lot.request == "WR-1"}
        visit_id = now_in(plant, job).visit
        await plant.done(
            f"/lots/{whole}/split",
            quantities=["4"],
            reason="Other use",
            place=visit_id,
            bucket="queued",
        )
        (part,) = {lot.id for lot in plant.state.lot.values() if lot.parent == whole}
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page, work = visit.page, card(visit.page, job)
            await sign_in(page, "Zoë")
            panel = work.locator("[data-panel=measure]")
            for value in ("40.1", "44"):
                await press(work, "Measure")
                await panel.get_by_label("Of lot").select_option(part)
                await scan(page, "CAL-1")
                await expect(panel.get_by_label("Gauge")).to_have_value("CAL-1")
                await panel.get_by_label("Value").fill(value)
                await press(panel, "Keep the value")
                await until(partial(counts, plant, value))
            (kept,) = plant.state.measured_value.values()
            assert (kept.lot, kept.is_within) == (part, False)

            await press(work, "Measure")
            stands = panel.locator("[data-list=characteristics]")
            await expect(stands).to_contain_text("44, out of limits")
            await press(stands, "Was mistaken")
            await stands.get_by_label("Why does it not count").select_option(index=0)
            await press(stands, "Let it not count")
            await until(partial(counts, plant, "40.1"))
            await press(work, "Measure")
            await expect(stands).to_contain_text("40.1")
            await expect(stands).not_to_contain_text("out of limits")


def counts(plant: RunningPlant, value: str) -> bool:
    """Whether this is the value that counts."""
    return [one.value for one in plant.state.measured_value.values()] == [value]
