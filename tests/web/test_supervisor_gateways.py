"""The supervisor's page shows how machines are connected: gateways, links, disks."""

import time
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser, expect

from mes_engine.runtime.engine import Engine
from mes_engine.runtime.gateways import Gateways
from mes_engine.runtime.wanted import GatewayDevices
from mes_engine.web.parts import GatewayDoor
from mes_engine.wire import Delivery, SpoolStatus
from tests.builders import LINK
from tests.plant import RunningPlant, now, running_plant, served
from tests.web.browser import visiting

pytestmark = pytest.mark.asyncio(loop_scope="session")
TOKEN = "a token"
MINUTE_US = 60_000_000


def door(engine: Engine) -> GatewayDoor:
    gateways = Gateways(
        engine,
        links=(LINK, "line"),
        plant="",
        clock=now,
        monotonic=time.monotonic,
        lease_s=2,
    )
    devices = GatewayDevices(gateways, started_at=now())
    return GatewayDoor(intake=gateways, downlink=devices, token=TOKEN)


async def delivered(plant: RunningPlant, **more: object) -> None:
    """Have gateway north say how it stands."""
    told = msgspec.structs.replace(
        Delivery(instance=1, links=(LINK, "line"), plant="", status=SpoolStatus()),
        **more,
    )
    answer = await plant.client.post(
        "/api/v1/gateways/north/reports",
        content=msgspec.json.encode(told),
        headers={
            "Authorization": f"Bearer {TOKEN}",
            "Content-Type": "application/json",
        },
    )
    assert answer.status_code == 200, answer.text


async def test_gateways_are_shown_with_their_links_and_disks(
    tmp_path: Path, browser: Browser
) -> None:
    states = {LINK: "connected", "line": "disconnected"}
    async with (
        running_plant(tmp_path, door=door, links=lambda: states) as plant,
        served(plant) as address,
        visiting(browser, f"{address}/supervisor") as visit,
    ):
        page = visit.page
        shown = page.locator("#gateways li")
        await expect(page.get_by_text("No gateway was heard of.")).to_be_visible()

        await delivered(plant)
        await page.reload()
        await expect(shown.locator("[data-chip]")).to_contain_text("Connected")
        await expect(shown).to_contain_text(f"north. {LINK}: Connected")
        await expect(shown).to_contain_text("line: Connection lost")
        await expect(shown).to_contain_text("Nothing waits on its disk.")

        full = SpoolStatus(
            waiting=7,
            oldest_at=now() - MINUTE_US,
            level="half",
            set_aside=2,
            last_set_aside="there is no link 'x' in the plant",
        )
        await delivered(plant, status=full, left_alone={"line": now() + MINUTE_US})
        await page.reload()
        await expect(shown.locator("[data-chip]")).to_contain_text("Needs attention")
        await expect(shown).to_contain_text("7 reports wait on its disk")
        await expect(shown).to_contain_text("2 reports are set aside: there is no link")
        await expect(shown).to_contain_text("line: left alone until")

        # Nobody says anything any more: the page finds out by itself.
        lost = shown.locator("[data-chip]")
        await expect(lost).to_contain_text("Connection lost", timeout=20_000)
        await expect(shown).to_contain_text("line: left alone until")
        await expect(shown).to_contain_text(f"{LINK}: No signal")
        assert visit.errors == []
