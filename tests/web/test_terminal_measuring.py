"""Measured data at a terminal, in a real browser."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser, expect

from mes_engine.core.characteristics import Characteristic
from mes_engine.core.job_order import JobOrderState
from tests.builders import a_routing
from tests.plant import running_plant, served, until
from tests.web.browser import visiting
from tests.web.operating import begun, card, now_in, press, sign_in

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
            panel = work.locator("form[data-panel=measure]")
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
