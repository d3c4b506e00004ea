"""The page of accounting periods: what is open, closing, opening again."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.plant import RunningPlant, running_plant, served, until
from tests.web.axe import axe_source, violations
from tests.web.browser import visiting
from tests.web.operating import press, sign_in
from tests.web.test_accessibility import SMALL, SMALLEST

pytestmark = pytest.mark.asyncio(loop_scope="session")
THEN = {"occurred_at": "2020-01-15T10:00:00Z"}
CLOSED, DAY = "2020-01-31", "2020-01-15"


async def worked(plant: RunningPlant, *, is_ended: bool) -> str:
    """Saw ten, and say that it had been in January 2020."""
    job = await plant.request("WR-1" if is_ended else "WR-2")
    await plant.done(f"/job-orders/{job}/load", work_unit="saw-1", **THEN)
    await plant.done(f"/job-orders/{job}/begin", **THEN)
    await plant.done(f"/job-orders/{job}/report", good="10", **THEN)
    if is_ended:
        await plant.done(f"/job-orders/{job}/complete", **THEN)
    return job


async def open_items(plant: RunningPlant, day: str) -> dict[str, Any]:
    shown: dict[str, Any] = await plant.get("/books/open-items", until=day)
    return shown


async def test_what_is_open_of_a_period_is_told_before_it_is_closed(
    tmp_path: Path,
) -> None:
    async with running_plant(tmp_path) as plant:
        ended = await worked(plant, is_ended=True)
        going_on = await worked(plant, is_ended=False)

        before = await open_items(plant, "2020-01-14")
        assert (before["postings"], before["unposted"]) == ([], [])
        shown = await open_items(plant, DAY)
        assert {one["job_order"] for one in shown["postings"]} == {ended}
        assert {one["state"] for one in shown["postings"]} == {"pending"}
        [unposted] = shown["unposted"]
        assert (unposted["job_order"], unposted["good"]) == (going_on, "10")
        assert shown["against"] == []
        ahead = await open_items(plant, "2999-01-01")
        assert ahead["against"] == ["period_over: 2999-01-01 is not"]
        latest = await plant.get("/books/open-items")
        assert latest["against"] == []

        assert await plant.get("/books/closings") == []
        for day in ("2020-01-10", CLOSED):
            await plant.done("/books/close", last_day=day, reason="it is over")
        await plant.done("/books/reopen", first_day="2020-01-20", reason="late")
        told = [one["closed_until"] for one in await plant.get("/books/closings")]
        assert told == ["2020-01-19", CLOSED, "2020-01-10"]
        closed = await open_items(plant, "2020-01-10")
        assert closed["against"][0].startswith("period_open: 2020-01-10")


async def test_a_period_is_closed_settled_and_opened_again_at_its_page(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        async with visiting(
            browser,
            f"{address}/periods",
            viewport={"width": 360, "height": 740},
            bypass_csp=True,
        ) as visit:
            page = visit.page
            await sign_in(page, "Ana")
            await expect(page.locator("#books")).to_have_text("No day is closed.")
            await expect(page.get_by_text("Nothing is open of these")).to_be_visible()
            await expect(page.get_by_text("were never closed")).to_be_visible()
            closing = page.locator("#close")
            looked = closing.locator("[data-looked]")
            await closing.get_by_label("Its last day").fill("2999-01-01")
            await expect(page.locator("#against")).to_contain_text("2999-01-01 is not")
            await closing.get_by_label("Why").fill("January is done")
            await expect(looked).to_contain_text("cannot be closed until 2999-01-01")
            await closing.get_by_label("Its last day").fill(CLOSED)
            await expect(looked).to_contain_text(f"books are closed until {CLOSED}.")
            assert list(plant.state.books.values()) == []
            await press(closing, "Close the books")
            told = f"Closed until {CLOSED}, open from 2020-02-01 on"
            await expect(page.locator("#books")).to_contain_text(told)
            await expect(page.locator("#books")).to_contain_text("by Ana: January is")
            await expect(page.locator("#history li")).to_have_count(1)

            await worked(plant, is_ended=True)
            await closing.get_by_label("Its last day").fill(DAY)
            held = page.locator("#postings li")
            await expect(held.first).to_contain_text("of a closed period")
            found = await violations(page, axe_source())
            assert (found, await page.evaluate(SMALL, SMALLEST)) == ([], [])
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide == 360
            many = await held.count()
            await press(held.first, "Settle it")
            await press(held.first, "Book it in the open period")
            assert await held.count() == many  # Nobody has said why.
            await held.first.get_by_label("Why").fill("told late")
            await press(held.first, "Book it in the open period")
            await expect(held).to_have_count(many - 1)

            opening = page.locator("#reopen")
            await opening.get_by_label("From which day on").fill("2020-01-01")
            await opening.get_by_label("Why").fill("forgot a shift")
            looked = opening.locator("[data-looked]")
            await expect(looked).to_contain_text("closed until 2019-12-31.")
            await press(opening, "Open the books again")
            await expect(page.locator("#books")).to_contain_text("until 2019-12-31")
            await expect(page.locator("#history li")).to_have_count(2)
            await until(
                lambda: all(
                    one.state.value != "held" for one in plant.state.posting.values()
                )
            )
        assert visit.errors == []
