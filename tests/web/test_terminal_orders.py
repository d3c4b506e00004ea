"""Whole orders, parts of them and doubtful pieces at a terminal, in a real browser."""

from decimal import Decimal
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from mes_engine.core.job_order import JobOrderState
from mes_engine.core.runs import HoldScope
from tests.plant import RunningPlant, running_plant, served, until
from tests.web.browser import visiting
from tests.web.operating import begun, card, now_in, press, row, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="session")
S = JobOrderState


async def test_pieces_are_parted_for_another_machine(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        job = await plant.request("WR-1")
        await begun(plant, job)
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page, work = visit.page, card(visit.page, job)
            await sign_in(page, "Zoë")
            await press(work, "More")
            await press(work, "Part to another machine")
            panel = work.locator("form[data-panel=split]")
            await panel.get_by_label("Pieces for another machine").fill("4")
            await press(panel, "Part them")
            await until(lambda: len(of_order(plant, "WR-1")) == 2)

            assert now_in(plant, job).planned == Decimal(6)
            (other,) = {*of_order(plant, "WR-1")} - {job}
            assert now_in(plant, other).planned == Decimal(4)
            await expect(row(page, other)).to_contain_text("4 pieces")


@pytest.mark.parametrize("scope", ["work_request", "lot"])
async def test_a_whole_order_or_a_lot_is_held(
    tmp_path: Path, browser: Browser, scope: str
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        job = await plant.request("WR-1")
        await begun(plant, job)
        (lot,) = {one.id for one in plant.state.lot.values() if one.request == "WR-1"}
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page, work = visit.page, card(visit.page, job)
            await sign_in(page, "Zoë")
            await press(work, "Hold")
            panel = work.locator("form[data-panel=hold]")
            value = scope if scope == "work_request" else f"lot|{lot}"
            await panel.locator("[name=scope]").select_option(value)
            await press(panel, "Hold it")
            await until(lambda: any(one.is_open for one in plant.state.hold.values()))

            (hold,) = plant.state.hold.values()
            assert hold.scope is HoldScope(scope)
            await expect(work.locator("[data-hold]")).to_have_count(1)
            await press(work, "Release")
            await expect(work.locator("[data-hold]")).to_have_count(0)


async def test_the_next_is_loaded_by_the_rule_of_the_place(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        first = await plant.request("WR-1")
        await plant.request("WR-2")
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page = visit.page
            await sign_in(page, "Zoë")
            await expect(row(page, first)).to_be_visible()
            await press(page.locator("body"), "Load what is next")
            await until(lambda: now_in(plant, first).state is S.ALLOWED_LOADED)
            await expect(card(page, first)).to_be_visible()


async def test_doubtful_pieces_wait_for_a_decision_and_stop_the_end(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        job = await plant.request("WR-1")
        await begun(plant, job)
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page, work = visit.page, card(visit.page, job)
            await sign_in(page, "Zoë")
            await press(work, "Enter quantity")
            panel = work.locator("form[data-panel=report]")
            await panel.get_by_label("Good").fill("8")
            await panel.get_by_label("Suspect", exact=True).fill("2")
            await panel.get_by_label("Why scrap or suspect").select_option(index=1)
            await panel.get_by_role("button", name="Report", exact=True).click()
            await until(lambda: suspect(plant) == Decimal(2))

            await press(work, "Complete")
            refusal = page.get_by_role("alert")
            await expect(refusal).to_contain_text("Complete: not done")
            await expect(refusal).to_contain_text("Pieces not reported")
            assert now_in(plant, job).state is S.RUNNING_PROCESSING


def of_order(plant: RunningPlant, request: str) -> list[str]:
    """Return the job orders of a work request at its first step."""
    jobs = plant.state.job_order.find("request", request)
    return [one.id for one in jobs if one.step == "10"]


def suspect(plant: RunningPlant) -> Decimal:
    """Return how many pieces wait for a decision."""
    return sum((one.suspect for one in plant.state.position.values()), Decimal(0))
