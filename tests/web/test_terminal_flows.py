"""What people do at a terminal besides the straight path, in a real browser."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser, expect

from mes_engine.core.job_order import JobOrderState
from mes_engine.core.plant import BatchRule, Plant
from tests.builders import a_plant
from tests.plant import running_plant, served, until
from tests.web.browser import visiting
from tests.web.operating import (
    a_demanding_routing,
    a_winding_routing,
    begun,
    card,
    counted,
    equipped,
    now_in,
    press,
    row,
    sawn,
    scan,
    sign_in,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")
S = JobOrderState


async def test_a_hold_stops_work_until_whom_it_names_releases_it(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        await plant.done("/people", person="Ana", name="Ana", roles=["quality"])
        job = await plant.request("WR-1")
        await begun(plant, job)
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page, work = visit.page, card(visit.page, job)
            await sign_in(page, "Zoë")
            await press(work, "Hold")
            panel = work.locator("form[data-panel=hold]")
            await panel.get_by_label("Why").select_option("Drawing")
            await panel.get_by_label("May be released by").fill("quality")
            await press(panel, "Hold it")
            held = work.locator("[data-hold]")
            await expect(held).to_contain_text("Drawing")
            await expect(held).to_contain_text("by Zoë; may be released by quality")
            await expect(work.locator("[data-show=word]")).to_have_text("On hold")
            assert now_in(plant, job).state is S.INTERRUPTED_HELD
            await expect(work.locator("[data-list=why]")).to_contain_text("On hold:")

            await press(work, "Release")
            refusal = page.get_by_role("alert")
            await expect(refusal).to_contain_text("Release: not done")
            await expect(refusal).to_contain_text("quality")
            await page.reload()
            await expect(page.get_by_role("alert")).to_contain_text("Release: not done")
            await press(page.get_by_role("alert"), "Understood")
            await expect(page.get_by_role("alert")).to_have_count(0)

            await sign_in(page, "Ana")
            await press(work, "Release")
            await expect(held).to_have_count(0)
            await press(work, "Resume")
            await until(lambda: now_in(plant, job).state is S.RUNNING_PROCESSING)
            await page.reload()
            await expect(work.locator("[data-show=word]")).to_have_text("Running")
            await expect(page.get_by_role("alert")).to_have_count(0)
        assert visit.errors == []


async def test_part_of_a_lot_becomes_one_of_its_own_and_they_merge_again(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        mill = await sawn(plant)
        async with visiting(browser, f"{address}/t/mill-1") as visit:
            page, waiting = visit.page, row(visit.page, mill)
            await sign_in(page, "Zoë")
            await press(waiting, "Lots")
            panel = waiting.locator("form[data-panel=lots]")
            lots = panel.locator("li[data-lot]")
            await expect(lots).to_have_count(1)
            await expect(lots).to_contain_text("10 queued")
            await panel.get_by_label("Pieces into a new lot").fill("4")
            await press(panel, "Split")
            await expect(page.get_by_role("alert")).to_contain_text("Done: L-")
            await press(page.get_by_role("alert"), "Understood")

            await press(waiting, "Lots")
            await expect(lots).to_have_count(2)
            await expect(lots.nth(0)).to_contain_text("6 queued")
            await expect(lots.nth(1)).to_contain_text("4 queued")
            for box in await lots.get_by_role("checkbox").all():
                await box.check()
            await press(panel, "Merge those that are ticked")
            await press(waiting, "Lots")
            await expect(lots).to_have_count(1)
            await expect(lots).to_contain_text("10 queued")
        assert visit.errors == []


async def test_people_sign_on_and_counts_find_their_job_order(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        await plant.connect()
        mill = await sawn(plant)
        for value in (100, 103):
            await counted(plant, value)
        await begun(plant, mill, "mill-1")
        async with visiting(browser, f"{address}/t/mill-1") as visit:
            page = visit.page
            await sign_in(page, "Zoë")
            await expect(page.locator("#attended")).to_contain_text("Unattended")
            await press(page.locator("main"), "Sign on")
            people = page.locator("#people li")
            await expect(people).to_contain_text("Zoë")
            await expect(people).to_contain_text(mill)
            await expect(page.locator("#attended")).to_contain_text("Attended")
            await press(people, "Sign off")
            await expect(people).to_have_count(0)

            loose = page.locator("#unassigned li")
            await expect(loose).to_contain_text("3 good at mill-1")
            await expect(loose).to_contain_text("nothing was loaded")
            await expect(loose.get_by_label("Job order")).to_have_value(mill)
            await loose.get_by_label("Pieces, if not all").fill("2")
            await press(loose, "Assign")
            await expect(loose).to_contain_text("1 good")
            await loose.get_by_label("There are none").select_option("Test stroke")
            await press(loose, "Dismiss")
            await expect(loose).to_have_count(0)
        assert now_in(plant, mill).good == Decimal(2)
        assert visit.errors == []


async def test_pieces_go_back_another_way_or_past_a_step_by_whom_it_is_allowed(
    tmp_path: Path, browser: Browser
) -> None:
    routings = (a_winding_routing(),)
    async with (
        running_plant(tmp_path, routings=routings) as plant,
        served(plant) as address,
    ):
        await plant.done("/people", person="Ana", name="Ana")
        await plant.done("/people/Ana/qualifications", name="foreman", level=1)
        mill = await sawn(plant)
        async with visiting(browser, f"{address}/t/mill-1") as visit:
            page, waiting, work = (
                visit.page,
                row(visit.page, mill),
                card(visit.page, mill),
            )
            await sign_in(page, "Zoë")
            await expect(waiting.locator("[data-list=why]")).to_contain_text(
                "Queue time:"
            )
            window = waiting.locator("[data-time-window]")
            await expect(window).to_contain_text("has to wait 60 min more")
            await press(window, "Waive")
            await window.get_by_label("Why may it go on").select_option("Cooled")
            await press(window, "Let it go on")
            await press(waiting, "Load")
            await press(work, "Begin")

            await press(work, "Send to rework")
            await work.get_by_label("Pieces", exact=True).fill("2")
            await work.get_by_label("Why rework").select_option("Burr")
            await press(work, "Send")
            await until(lambda: now_in(plant, mill).reworked == Decimal(2))
            await press(page.get_by_role("alert"), "Understood")

            await press(work, "More")
            await press(work, "Another way")
            panel = work.locator("form[data-panel=deviate]")
            await expect(panel).to_contain_text("Qualification: 'Zoë' is not known")
            await panel.get_by_label("Pieces, if not all").fill("3")
            await press(panel, "Send them there")
            await expect(page.get_by_role("alert")).to_contain_text("foreman")
            await press(page.get_by_role("alert"), "Understood")
            assert now_in(plant, mill).deviated == Decimal(0)
            await sign_in(page, "Ana")
            await expect(panel).not_to_contain_text("is not known")
            await press(work, "More")
            await press(work, "Another way")
            await panel.get_by_label("Pieces, if not all").fill("3")
            await press(panel, "Send them there")
            await until(lambda: now_in(plant, mill).deviated == Decimal(3))

            second = await sawn(plant, "WR-2")
            await press(row(page, second), "Skip")
            await press(row(page, second), "Skip this operation")
            await expect(row(page, second)).to_have_count(0)
            assert now_in(plant, second).is_over
        assert visit.errors == []


async def test_what_work_needs_is_shown_and_what_is_missing_by_name(
    tmp_path: Path, browser: Browser
) -> None:
    routings = (a_demanding_routing(),)
    async with (
        running_plant(tmp_path, routings=routings) as plant,
        served(plant) as address,
    ):
        job = await plant.request("WR-1")
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page, waiting, work = (
                visit.page,
                row(visit.page, job),
                card(visit.page, job),
            )
            why = waiting.locator("[data-list=why]")
            await sign_in(page, "Jo")
            for told in (
                "Tool: there is no BLADE (the tool crib can mend it)",
                "Document: WI-7 has not been released (document control can mend it)",
                "(the supervisor can mend it)",
            ):
                await expect(why).to_contain_text(told)
            await equipped(plant)
            await expect(why).to_have_text(
                "Qualification: Jo is not known to have 'sawing' "
                "(the supervisor can mend it)"
            )
            await sign_in(page, "Maria")
            await expect(waiting.locator(".heading")).to_be_hidden()

            await page.locator("#mount").get_by_label("Tool").fill("B-1")
            await press(page.locator("#mount"), "Mount")
            tool = page.locator("#tools li")
            await expect(tool).to_contain_text("100 pieces left")
            await press(waiting, "Load")
            await press(work, "Begin")
            await expect(work).to_contain_text("Read WI-7, revision C: Sawing")
            plus_one = work.get_by_role("button", name="+1 good")
            await plus_one.evaluate("(one) => { one.click(); one.click(); }")  # bounces
            await expect(tool).to_contain_text("99 pieces left")
            await expect(work.locator("[data-show=good]")).to_have_text("1")
            await expect(work.locator("[data-list=tools]")).to_contain_text("99 pieces")
            await press(tool, "Unmount")
            await expect(page.get_by_role("alert")).to_contain_text("Unmount: not done")
            await press(page.get_by_role("alert"), "Understood")

            await press(work, "Material")
            panel = work.locator("form[data-panel=material]")
            await expect(panel).to_contain_text(
                "BAR: 0.25 MTR a piece; 0 given by hand"
            )
            await panel.get_by_label("Quantity").fill("1,5")
            await press(panel, "Give material")
            await press(work, "Material")
            await expect(panel).to_contain_text("1.5 given by hand")
        assert visit.errors == []


def a_furnace() -> Plant:
    plant = a_plant()
    saw, mill = plant.work_units
    furnace = msgspec.structs.replace(saw, batch=BatchRule(most=Decimal(3)))
    return msgspec.structs.replace(plant, work_units=(furnace, mill))


async def test_job_orders_go_into_one_run_together_and_a_scan_finds_them(
    tmp_path: Path, browser: Browser
) -> None:
    async with (
        running_plant(tmp_path, plant=a_furnace()) as plant,
        served(plant) as address,
    ):
        first, second, third = [await plant.request(f"WR-{n}") for n in (1, 2, 3)]
        await plant.done("/people", person="B-4711", name="Maria K.")
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page = visit.page
            await row(page, first).get_by_role("button", name="Load").focus()
            await scan(page, "B-4711")
            await expect(page.get_by_label("Your name")).to_have_value("B-4711")
            await page.locator("#scan").focus()
            await scan(page, third)
            await expect(row(page, third)).to_be_focused()
            await expect(page.locator("#scan")).to_have_value("")
            await scan(page, "nobody-knows")
            await expect(page.get_by_role("alert")).to_contain_text("Scan it again")
            await press(page.get_by_role("alert"), "Understood")
            await page.get_by_label("Scan or type a code").fill(second)
            await page.keyboard.press("Enter")
            await expect(row(page, second)).to_be_focused()
            assert now_in(plant, first).state is S.ALLOWED_READY

            for job in (first, second):
                await row(page, job).get_by_label("Together").check()
            await press(page.locator("main"), "Load what is ticked together")
            await expect(card(page, first)).to_contain_text(f"one run with {second}")
            await card(page, second).get_by_role("button", name="Begin").dblclick()
            for job in (first, second):
                await expect(card(page, job).locator("[data-show=word]")).to_have_text(
                    "Running"
                )
            await expect(page.get_by_role("alert")).to_have_count(0)
        assert visit.errors == []


async def test_a_supervisor_sees_what_waits_for_one(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        await plant.connect()
        mill = await sawn(plant)
        for value in (100, 103):
            await counted(plant, value)
        async with visiting(browser, f"{address}/supervisor") as visit:
            page = visit.page
            await expect(page.get_by_text("Nothing is on hold.")).to_be_visible()
            await plant.done("/holds", scope="job_order", target=mill, reason="crack")
            held = page.locator("#holds li")
            await expect(held).to_contain_text("crack")
            await sign_in(page, "Ana")
            await press(held, "Release")
            await expect(held).to_have_count(0)
            await begun(plant, mill, "mill-1")
            loose = page.locator("#unassigned li")
            await loose.get_by_label("Job order").fill(mill)
            await press(loose, "Assign")
            await expect(page.get_by_text("Every piece has its job")).to_be_visible()
        assert now_in(plant, mill).good == Decimal(3)
        assert visit.errors == []
