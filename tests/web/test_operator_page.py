"""What an operator does at a terminal, in a real browser on a real server."""

import asyncio
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
from playwright.async_api import Browser, Route, expect
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mes_engine.core.job_order import JobOrderState
from tests.plant import RunningPlant, running_plant, served, until
from tests.web.browser import visiting
from tests.web.operating import card, now_in, press

S = JobOrderState
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_operator_works_a_job_order_from_loading_to_the_end(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        first = await plant.request("WR-1", quantity=3)
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page = visit.page
            at_work = card(page, first)
            await page.get_by_label("Your name").fill("Zoë Łukasz")

            await press(page.locator(f"li[data-job-order={first}]"), "Load")
            await press(at_work, "Begin")
            await until(lambda: now_in(plant, first).state is S.RUNNING_PROCESSING)

            await press(at_work, "+1 good")
            await expect(at_work.locator("[data-show=good]")).to_have_text("1")
            await expect(at_work.locator("[data-show=todo]")).to_have_text("2")

            await press(at_work, "Pause")
            await press(at_work, "Tool")
            await until(lambda: now_in(plant, first).state is S.INTERRUPTED_SUSPENDED)
            assert now_in(plant, first).reason == "Tool"

            await press(at_work, "Resume")
            await expect(at_work.locator("[data-show=word]")).to_have_text("Running")

            await press(at_work, "Complete")
            refusal = page.get_by_role("alert")
            await expect(refusal).to_contain_text("Complete: not done")
            await expect(refusal).to_contain_text("queued 2")
            assert now_in(plant, first).state is S.RUNNING_PROCESSING

            await press(at_work, "Enter quantity")
            await at_work.get_by_label("Good", exact=True).fill("1")
            await at_work.get_by_label("Scrap", exact=True).fill("1")
            await at_work.get_by_label("Why scrap or suspect").select_option("Surface")
            await press(at_work, "Report")
            await until(lambda: now_in(plant, first).scrap == Decimal(1))

            await press(at_work, "Complete")
            await until(lambda: now_in(plant, first).state is S.ENDED_COMPLETED)
            await expect(at_work).to_have_count(0)
            await expect(page.get_by_text("Nothing is loaded.")).to_be_visible()

        runs = plant.state.run.values()
        assert {run.person for run in runs} == {"Zoë Łukasz"}
        assert visit.hosts() == {address.removeprefix("http://")}
        assert visit.errors == []


async def test_what_happens_elsewhere_shows_without_a_reload(
    tmp_path: Path, browser: Browser
) -> None:
    async with (
        running_plant(tmp_path) as plant,
        served(plant) as address,
        visiting(browser, f"{address}/t/saw-1") as visit,
    ):
        page = visit.page
        await expect(page.get_by_text("Nothing waits here.")).to_be_visible()
        await expect(page.locator("#connection")).to_contain_text("Connected")

        first = await plant.request("WR-1")
        row = page.locator(f"li[data-job-order={first}]")
        await expect(row).to_contain_text("Ready")

        hold = await plant.done(
            "/holds", scope="job_order", target=first, reason="wrong drawing"
        )
        await expect(row).to_contain_text("Cannot start:")
        await expect(row).to_contain_text("wrong drawing")

        await plant.done(f"/holds/{hold['hold']}/release")
        await expect(row.locator("[data-list=why]")).to_be_empty()


async def test_a_press_without_a_name_is_not_sent(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        first = await plant.request("WR-1")
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page = visit.page
            await press(page.locator(f"li[data-job-order={first}]"), "Load")
            await expect(page.get_by_role("alert")).to_contain_text("Who are you?")
        assert now_in(plant, first).state is S.ALLOWED_READY


async def test_presses_survive_a_lost_network_and_a_reload(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        first = await plant.request("WR-1")
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page = visit.page
            await page.get_by_label("Your name").fill("Maria")
            await press(page.locator(f"li[data-job-order={first}]"), "Load")
            at_work = card(page, first)
            await press(at_work, "Begin")
            await expect(at_work.locator("[data-show=word]")).to_have_text("Running")

            lost = "**/api/v1/job-orders/**"
            await page.route(lost, lambda route: route.abort())
            plus_one = at_work.get_by_role("button", name="+1 good")
            for _ in range(3):
                await plus_one.click(delay=80)
            await expect(page.locator("#waiting")).to_have_text("3 waiting to send")
            await page.unroute(lost)
            await page.reload()

            await expect(at_work.locator("[data-show=good]")).to_have_text("3")
        assert now_in(plant, first).good == Decimal(3)


async def test_a_reply_that_is_lost_does_not_count_twice(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        first = await plant.request("WR-1")
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page = visit.page
            await page.get_by_label("Your name").fill("Maria")
            await press(page.locator(f"li[data-job-order={first}]"), "Load")
            at_work = card(page, first)
            await press(at_work, "Begin")

            replies = 0

            async def lose_the_first_reply(route: Route) -> None:
                nonlocal replies
                answer = await route.fetch()
                replies += 1
                if replies == 1:
                    await route.abort()
                else:
                    await route.fulfill(response=answer)

            await page.route("**/report", lose_the_first_reply)
            await press(at_work, "+1 good")
            await until(lambda: replies == 2)
            await expect(at_work.locator("[data-show=good]")).to_have_text("1")
        assert now_in(plant, first).good == Decimal(1)


async def test_no_press_is_lost_while_everything_changes(
    tmp_path: Path, browser: Browser
) -> None:
    presses, rate_s = 12, 0.2

    async def change(plant: RunningPlant, waiting: str) -> None:
        for priority in count(1):
            await plant.done(f"/job-orders/{waiting}/update", priority=priority % 9)
            await asyncio.sleep(rate_s)

    async with running_plant(tmp_path) as plant, served(plant) as address:
        first = await plant.request("WR-1", quantity=presses)
        waiting = await plant.request("WR-2")
        async with (
            visiting(browser, f"{address}/t/saw-1") as visit,
            asyncio.TaskGroup() as tasks,
        ):
            page = visit.page
            await page.get_by_label("Your name").fill("Maria")
            await press(page.locator(f"li[data-job-order={first}]"), "Load")
            at_work = card(page, first)
            await press(at_work, "Begin")
            plus_one = at_work.get_by_role("button", name="+1 good")
            changing = tasks.create_task(change(plant, waiting))
            for _ in range(presses):
                await plus_one.click(delay=120)
            await until(lambda: now_in(plant, first).good == Decimal(presses))
            changing.cancel()


class Refusing:
    """An app that has no time for streams while ``is_busy``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.is_busy = True
        self.refused = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.is_busy and scope.get("path", "").endswith("/stream"):
            self.refused += 1
            await Response(status_code=503)(scope, receive, send)
            return
        await self._app(scope, receive, send)


async def test_the_page_finds_back_after_the_stream_was_refused(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant:
        refusing = Refusing(plant.app)
        async with (
            served(plant, app=refusing) as address,
            visiting(browser, f"{address}/t/saw-1") as visit,
        ):
            connection = visit.page.locator("#connection")
            await expect(connection).to_contain_text("Connection lost")
            await until(lambda: refusing.refused > 1)
            refusing.is_busy = False
            await expect(connection).to_contain_text("Connected")


async def test_an_operator_takes_a_report_back(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        first = await plant.request("WR-1", quantity=3)
        async with visiting(browser, f"{address}/t/saw-1") as visit:
            page = visit.page
            at_work = card(page, first)
            await page.get_by_label("Your name").fill("Zoë")
            await press(page.locator(f"li[data-job-order={first}]"), "Load")
            await press(at_work, "Begin")
            await press(at_work, "+1 good")
            await expect(at_work.locator("[data-show=good]")).to_have_text("1")

            await press(at_work.locator(".actions"), "Take back")
            booked = at_work.locator(".bookings li")
            await expect(booked).to_have_count(1)
            await expect(booked).to_contain_text("Zoë: 1 good")
            await press(booked, "Take back")
            await booked.get_by_label("Why is it taken back").select_option(
                "Pressed twice"
            )
            await expect(booked.locator("[data-looked]")).to_contain_text("good 1 → 0")
            await press(booked, "Take it back")

            await until(lambda: now_in(plant, first).good == Decimal(0))
            await expect(at_work.locator("[data-show=good]")).to_have_text("0")
        assert visit.errors == []
