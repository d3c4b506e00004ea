"""Giving serials at a terminal, by the pattern and by scanning, in a real browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.builders import a_plant
from tests.plant import RunningPlant, running_plant, served, until
from tests.web.browser import visiting
from tests.web.operating import begun, card, press, row, sawn, scan, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def at_the_mill(
    folder: Path, browser: Browser
) -> AsyncIterator[tuple[RunningPlant, Page, Locator]]:
    """Wait at the mill with ten brackets; give the plant, its page, and their row."""
    made = msgspec.structs.replace(a_plant(), serials={"BRACKET": "B-{n:04}"})
    async with running_plant(folder, plant=made) as plant, served(plant) as address:
        mill = await sawn(plant)
        async with visiting(browser, f"{address}/t/mill-1") as visit:
            await sign_in(visit.page, "Zoë")
            yield plant, visit.page, row(visit.page, mill)
        assert visit.errors == []


def given(plant: RunningPlant) -> set[str]:
    return {one.serial for one in plant.state.lot.values() if one.serial}


async def test_the_next_serials_are_shown_and_then_given(
    tmp_path: Path, browser: Browser
) -> None:
    async with at_the_mill(tmp_path, browser) as (plant, page, waiting):
        await press(waiting, "Serials")
        panel = waiting.locator("form[data-panel=serials]")
        told = panel.locator("[data-list=effects] li")
        await expect(told).to_have_count(10)
        await panel.get_by_label("Pieces, if not all").fill("2")
        await expect(told).to_have_count(2)
        await expect(told.nth(0)).to_contain_text("B-0001")
        await expect(told.nth(1)).to_contain_text("B-0002")
        assert given(plant) == set()

        await panel.get_by_label("Why").select_option("Labels printed")
        await press(panel, "Give serials")
        alert = page.get_by_role("alert")
        await expect(alert).to_contain_text("Done: B-0001 B-0002")
        assert given(plant) == {"B-0001", "B-0002"}

        await press(waiting, "Lots")
        await expect(waiting.locator("[data-list=lots]")).to_contain_text("B-0002: 1 q")
        await press(waiting, "Serials")
        await panel.get_by_label("Pieces, if not all").fill("1")
        await expect(told).to_have_count(1)
        await expect(told).to_contain_text("B-0003")
        await expect(panel.get_by_label("Of lot").locator("option")).to_have_count(1)


async def test_serials_are_scanned_and_one_that_is_taken_is_told_before_and_refused(
    tmp_path: Path, browser: Browser
) -> None:
    async with at_the_mill(tmp_path, browser) as (plant, page, waiting):
        await press(waiting, "Serials")
        panel = waiting.locator("form[data-panel=serials]")
        serials = panel.get_by_label("Serials, scanned or typed")
        told = panel.locator("[data-list=effects] li")
        await expect(told).to_have_count(10)
        for label in ("SN-17", "SN-18"):
            await scan(page, label)
        await expect(serials).to_have_value("SN-17 SN-18")
        await expect(told).to_have_count(2)
        await press(panel, "Give serials")
        await until(lambda: given(plant) == {"SN-17", "SN-18"})
        await press(page.get_by_role("alert"), "Understood")

        await press(waiting, "Serials")
        await expect(told).to_have_count(8)
        await scan(page, "SN-19")
        await scan(page, "SN-17")
        await expect(serials).to_have_value("SN-19 SN-17")
        against = panel.locator(".against")
        await expect(against).to_contain_text("cannot have these serials: SN-17")
        await expect(told).to_have_count(0)
        await press(panel, "Give serials")
        alert = page.get_by_role("alert")
        await expect(alert).to_contain_text("Give serials: not done")
        await expect(alert).to_contain_text("SN-17 of BRACKET is lot L-")
        assert given(plant) == {"SN-17", "SN-18"}


async def test_who_gives_serials_is_asked_and_a_lost_connection_is_told(
    tmp_path: Path, browser: Browser
) -> None:
    async with at_the_mill(tmp_path, browser) as (plant, page, waiting):
        await sign_in(page, "")
        await press(waiting, "Serials")
        panel = waiting.locator("form[data-panel=serials]")
        against = panel.locator(".against")
        await expect(against).to_contain_text("Who are you?")
        await sign_in(page, "Zoë")
        await expect(against).to_be_hidden()
        await expect(panel.locator("[data-list=effects] li")).to_have_count(10)
        await page.route("**/serialise/preview", lambda route: route.abort())
        await panel.get_by_label("Pieces, if not all").fill("1")
        await expect(against).to_contain_text("The connection is lost")
        assert given(plant) == set()


async def test_pieces_on_the_machine_get_serials_by_the_keyboard_alone(
    tmp_path: Path, browser: Browser
) -> None:
    async with at_the_mill(tmp_path, browser) as (plant, page, waiting):
        job = str(await waiting.get_attribute("data-job-order"))
        await begun(plant, job, "mill-1")
        work, keyboard = card(page, job), page.keyboard
        await work.get_by_role("button", name="More", exact=True).focus()
        await keyboard.press("Enter")
        await work.get_by_role("button", name="Serials").focus()
        await keyboard.press("Enter")
        panel = work.locator("form[data-panel=serials]")
        await expect(panel.get_by_label("Of lot")).to_be_focused()
        await keyboard.press("Tab")
        await keyboard.type("SN-1, SN-2", delay=60)
        await expect(panel.locator("[data-list=effects] li")).to_have_count(2)
        await keyboard.press("Enter")
        await until(lambda: given(plant) == {"SN-1", "SN-2"})
