"""What a reversal does is listed before it is done, in a real browser."""

from decimal import Decimal
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.plant import RunningPlant, running_plant, served, until
from tests.web.browser import visiting
from tests.web.operating import (
    begun,
    card,
    counted,
    now_in,
    press,
    sawn,
    scan,
    sign_in,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def milled(plant: RunningPlant) -> tuple[str, str]:
    """Saw ten and mill ten of them; return both job orders."""
    mill = await sawn(plant)
    saw = next(
        job.id
        for job in plant.state.job_order.find("request", "WR-1")
        if job.step == "10"
    )
    await begun(plant, mill, "mill-1")
    await plant.done(f"/job-orders/{mill}/report", good="10")
    return saw, mill


async def test_a_report_of_an_ended_job_order_is_taken_back_where_the_pieces_are(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        saw, mill = await milled(plant)
        async with visiting(
            browser, f"{address}/supervisor", viewport={"width": 360, "height": 740}
        ) as visit:
            page = visit.page
            section = page.locator("#corrections")
            await sign_in(page, "Ana")
            await section.get_by_label("Job order", exact=True).fill(saw)
            await page.keyboard.press("Enter")
            report = section.locator("li", has_text="Maria: 10 good")
            await press(report, "Take back")
            await report.get_by_label("How many, if not all").fill("2")
            looked = report.locator("[data-looked]")
            do = report.get_by_role("button", name="Take it back")
            await expect(looked.locator(".against")).to_contain_text("where_it_is")
            await expect(do).to_be_disabled()
            assert now_in(plant, saw).good == Decimal(10)

            await report.get_by_label("Take them out where they are now").check()
            for told in (
                f"on {saw}: good 10 → 8",
                f"on {mill}: good 10 → 8",
                "at operation 10: 2 pieces",
                "operation 10, lot",
                "queued 0 → 2",
                f"ERP: 10 good, the last word of {saw} is taken back",
                f"ERP: 8 good of {saw} is posted",
            ):
                await expect(looked).to_contain_text(told)
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide == 360
            assert now_in(plant, mill).good == Decimal(10)
            await do.click()
            await until(lambda: now_in(plant, saw).good == Decimal(8))
            assert now_in(plant, mill).good == Decimal(8)
            follow_on = next(
                job.id
                for job in plant.state.job_order.find("request", "WR-1")
                if job.follows == saw
            )
            assert now_in(plant, follow_on).planned == Decimal(2)
            await expect(page.get_by_role("alert")).to_contain_text(
                f"Done: {follow_on}"
            )
            await expect(
                section.locator("li", has_text="Maria: 8 good")
            ).to_be_visible()
        assert visit.errors == []


async def test_a_whole_job_order_is_taken_back_and_an_unknown_one_is_told(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        mill = await sawn(plant)
        saw = next(job.id for job in plant.state.job_order.values() if job.id != mill)
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page = visit.page
            section = page.locator("#corrections")
            await sign_in(page, "Ana")
            await section.get_by_label("Job order", exact=True).fill("JO-nobody")
            await press(section, "Show what was booked")
            await expect(page.get_by_role("alert")).to_contain_text("JO-nobody")
            await press(page.get_by_role("alert"), "Understood")

            await section.get_by_label("Job order", exact=True).focus()
            await scan(page, saw)
            end = section.locator("li", has_text="ended, with all that was booked")
            await press(end, "Take back")
            looked = end.locator("[data-looked]")
            await expect(looked).to_contain_text("good 10 → 0")
            await expect(looked).to_contain_text(f"{mill}: No pieces yet")
            await page.route("**/reverse/preview", lambda route: route.abort())
            await end.get_by_label("Take them out where they are now").check()
            await expect(looked).to_contain_text("The connection is lost")
            await expect(end.get_by_role("button", name="Take it")).to_be_disabled()
            await page.unroute("**/reverse/preview")
            await end.get_by_label("Take them out where they are now").uncheck()
            await press(end, "Take it back")
            await until(lambda: now_in(plant, saw).good == Decimal(0))
        assert visit.errors == []


async def test_of_what_a_machine_counted_it_is_said_what_becomes_of_it(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        await plant.connect()
        mill = await sawn(plant)
        await begun(plant, mill, "mill-1")
        for value in (100, 103):
            await counted(plant, value)
        await until(lambda: now_in(plant, mill).good == Decimal(3))
        async with visiting(browser, f"{address}/t/mill-1") as visit:
            page, work = visit.page, card(visit.page, mill)
            await sign_in(page, "Zoë")
            await press(work.locator(".actions"), "Take back")
            report = work.locator(".bookings li")
            await press(report, "Take back")
            looked = report.locator("[data-looked]")
            loose = "Counted at mill-1, and on no job order: good 0 → 3"
            await expect(looked).to_contain_text(loose)
            await report.get_by_label("What the machine counted").select_option(
                "was no pieces"
            )
            await expect(looked).not_to_contain_text("on no job order")
            await press(report, "Take it back")
            await until(lambda: now_in(plant, mill).good == Decimal(0))
            assert not any(
                one.left for one in plant.state.unassigned_production.values()
            )
        assert visit.errors == []
