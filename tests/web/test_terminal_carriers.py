"""Packing, unpacking and loading by scanning at a terminal, in a real browser."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from mes_engine.core.job_order import JobOrderState
from tests.plant import running_plant, served, until
from tests.web.browser import visiting
from tests.web.operating import now_in, press, row, sawn, scan, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_lots_are_packed_and_unpacked_and_a_carrier_is_loaded_by_scanning(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        await plant.done("/carriers", carrier="P-7", carrier_type="pallet")
        mill = await sawn(plant)
        [lot] = [
            one.id
            for one in plant.state.lot.values()
            if one.request == "WR-1" and one.id.startswith("L-")
        ][-1:]

        def packed() -> str | None:
            known = plant.state.lot.get(lot)
            return None if known is None else known.carrier

        async with visiting(browser, f"{address}/t/mill-1") as visit:
            page = visit.page
            await sign_in(page, "Zoë")
            form = page.locator("#carrier")
            await scan(page, "P-7")
            await expect(form.get_by_label("Carrier", exact=True)).to_have_value("P-7")
            await scan(page, lot)
            named = form.get_by_label("Lots, pieces and carriers")
            await expect(named).to_have_value(lot)
            await press(form, "Pack")
            await until(lambda: packed() == "P-7")

            await scan(page, "P-7")
            load = form.get_by_role("button", name="Load what is in it")
            await expect(load).to_be_focused()
            await load.click()
            await until(
                lambda: now_in(plant, mill).state is JobOrderState.ALLOWED_LOADED
            )

            await scan(page, "P-7")
            await expect(form.get_by_label("Carrier", exact=True)).to_have_value("P-7")
            await press(form, "Unpack")
            await until(lambda: packed() is None)
            await scan(page, "P-7")
            await press(form, "Unpack")
            refusal = page.get_by_role("alert")
            await expect(refusal).to_contain_text("Unpack: not done")
            await expect(refusal).to_contain_text("P-7 is empty")
            await press(refusal, "Understood")

            told = page.locator("#carrier-told")
            await expect(told).to_contain_text("P-7 pallet; at mill-1; it is empty")
            await scan(page, "P-7")
            await form.get_by_label("Where to").fill("rack 4")
            await press(form, "Put it there")
            await expect(refusal).to_contain_text("Put it there: not done")
            await press(refusal, "Understood")
            await scan(page, "P-7")
            await form.get_by_label("Where to").fill("RACK-4")
            await press(form, "Put it there")
            await expect(told).to_contain_text("P-7 pallet; at RACK-4; it is empty")


async def test_a_carrier_is_held_with_what_it_stops_until_whom_it_names_releases_it(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        await plant.done("/people", person="Ana", name="Ana", roles=["quality"])
        await plant.done("/carriers", carrier="P-7", carrier_type="pallet")
        mill = await sawn(plant)
        [lot] = (await plant.get("/lots", work_request="WR-1"))["items"]
        await plant.done("/carriers/P-7/pack", contents=[lot["id"]])
        async with visiting(
            browser, f"{address}/t/mill-1", viewport={"width": 360, "height": 740}
        ) as visit:
            page, waiting = visit.page, row(visit.page, mill)
            await sign_in(page, "Zoë")
            told, held = page.locator("#carrier-told"), page.locator("#carrier-holds")
            named = page.locator("#carrier").get_by_label("Carrier", exact=True)
            await named.fill("X")
            await expect(told).to_have_text("There is no carrier X.")
            await named.fill("")
            await scan(page, "P-7")
            await expect(told).to_contain_text(
                f"P-7 pallet; at MILLS; in it: {lot['id']}"
            )
            form = page.locator("#carrier")
            await press(form, "Hold")
            await form.get_by_label("Why").select_option("Customer")
            await form.get_by_label("May be released by").fill("quality")
            await press(form, "Hold it")
            await expect(held).to_contain_text("carrier P-7: Customer")
            stopped = waiting.locator("[data-list=holds] li")
            await expect(stopped).to_contain_text("carrier P-7: Customer")
            await expect(waiting.locator("[data-list=why]")).to_contain_text("On hold:")
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide == 360

            await press(waiting, "Load")
            refusal = page.get_by_role("alert")
            await expect(refusal).to_contain_text("Load: not done")
            await press(refusal, "Understood")
            await press(held, "Release")
            await expect(refusal).to_contain_text("released by quality, not by Zoë")
            await press(refusal, "Understood")

            await sign_in(page, "Ana")
            await press(held, "Release")
            await expect(held.locator("li")).to_have_count(0)
            await expect(stopped).to_have_count(0)
            await press(waiting, "Load")
            await until(
                lambda: now_in(plant, mill).state is JobOrderState.ALLOWED_LOADED
            )
        assert visit.errors == []
