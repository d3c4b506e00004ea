"""Packing, unpacking and loading by scanning at a terminal, in a real browser."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from mes_engine.core.job_order import JobOrderState
from tests.plant import running_plant, served, until
from tests.web.browser import visiting
from tests.web.operating import now_in, press, sawn, scan, sign_in

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
