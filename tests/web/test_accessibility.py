"""Everybody can read the pages and press what is on them, on every screen."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.plant import RunningPlant, running_plant, served
from tests.web.axe import axe_source, violations
from tests.web.browser import visiting
from tests.web.operating import (
    a_demanding_routing,
    begun,
    card,
    counted,
    equipped,
    sawn,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

SMALLEST = 56
SCREENS = (
    ("light", "en-GB", 360, 740),
    ("dark", "de-DE", 360, 740),
    ("light", "de-DE", 1024, 768),
    ("dark", "en-GB", 1024, 768),
)
UNFOLD = """
for (const one of document.querySelectorAll("[data-panel], form, [data-reveal]")) {
  one.hidden = false;
}
"""
SMALL = """
(least) => [...document.querySelectorAll("button, a.button, select, input, label.tick")]
  .filter((one) => one.checkVisibility() && one.type !== "checkbox")
  .filter((one) => one.getBoundingClientRect().height < least)
  .map((one) => `${one.tagName} ${one.name || one.textContent}`)
"""


async def something_of_everything(plant: RunningPlant) -> None:
    """Have people, tools, holds, time windows and loose counts to show."""
    await equipped(plant)
    await plant.connect()
    mill = await sawn(plant)
    for value in (100, 103):
        await counted(plant, value)
    saw = await plant.request("WR-2")
    held = await plant.request("WR-3")
    await begun(plant, saw)
    await plant.done(f"/job-orders/{saw}/report", good="4")
    await plant.done("/work-units/saw-1/sign-on")
    await plant.done("/holds", scope="job_order", target=held, reason="Drawing")
    await plant.done("/work-units/mill-1/sign-on")
    await begun(plant, mill, "mill-1")


async def settled(page: Page) -> None:
    """Wait until the page shows what there is, and open all that can be opened."""
    await expect(
        page.locator("main :is(.item, .tile, #open-title:not(:empty)):visible").first
    ).to_be_visible()
    await page.evaluate(UNFOLD)


@pytest.mark.parametrize("screen", SCREENS)
async def test_no_page_keeps_anybody_out(
    tmp_path: Path, browser: Browser, screen: tuple[str, str, int, int]
) -> None:
    source, found = axe_source(), {}
    scheme, locale, width, height = screen
    routings = (a_demanding_routing(),)
    async with (
        running_plant(tmp_path, routings=routings) as plant,
        served(plant) as address,
    ):
        await something_of_everything(plant)
        for path in ("/t/saw-1", "/supervisor", "/periods", "/"):
            async with visiting(
                browser,
                address + path,
                locale=locale,
                color_scheme=scheme,
                viewport={"width": width, "height": height},
                bypass_csp=True,
                has_touch=True,
            ) as visit:
                page = visit.page
                await settled(page)
                found[path] = await violations(page, source)
                found[f"{path} small"] = await page.evaluate(SMALL, SMALLEST)
                wide = await page.evaluate("document.documentElement.scrollWidth")
                assert wide == width
                assert visit.errors == []
                assert visit.hosts() == {address.removeprefix("http://")}
    assert {path: told for path, told in found.items() if told} == {}


async def test_a_terminal_is_worked_with_the_keyboard_alone(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        job = await plant.request("WR-1")
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page, keyboard = visit.page, visit.page.keyboard
            await expect(page.locator(f"li[data-job-order={job}]")).to_be_visible()

            async def tab_to(name: str) -> None:
                for _ in range(40):
                    await keyboard.press("Tab")
                    focused = page.locator(":focus")
                    told = await focused.evaluate(
                        "(one) => one.labels?.[0]?.textContent ?? one.textContent"
                    )
                    if name in str(told):
                        return
                raise AssertionError(f"the Tab key never comes to {name}")

            await tab_to("Your name")
            await keyboard.type("Zoë", delay=60)
            await tab_to("Load")
            await keyboard.press("Enter")
            work = card(page, job)
            await expect(work).to_be_visible()
            await page.locator("h1 a").focus()
            await tab_to("Begin")
            await keyboard.press("Space")
            await expect(work.locator("[data-show=word]")).to_have_text("Running")
            await page.locator("h1 a").focus()
            await tab_to("Enter quantity")
            await keyboard.press("Enter")
            await keyboard.type("7", delay=60)
            await keyboard.press("Enter")
            await expect(work.locator("[data-show=good]")).to_have_text("7")
        assert visit.errors == []
