"""What the tests of the terminal do at it, and what they make it stand in."""

from decimal import Decimal
from itertools import count

import msgspec
from playwright.async_api import Locator, Page

from mes_engine.core.job_order import JobOrder
from mes_engine.core.messages import Sensed
from mes_engine.core.personnel import QualificationNeed
from mes_engine.core.routing import Routing
from mes_engine.core.samples import Quality, Sample
from mes_engine.core.steps import ReworkLoop
from mes_engine.core.time_windows import WindowRule
from tests.builders import LINK, a_routing
from tests.plant import RunningPlant, now, until

NUMBERS = count(1)
FINGER_MS = 80
replace = msgspec.structs.replace


def a_demanding_routing() -> Routing:
    """A bracket whose saw needs a blade, a person who can, and a drawing."""
    routing = a_routing()
    saw, mill = routing.steps
    saw = replace(
        saw,
        tools=("BLADE",),
        documents=("WI-7",),
        qualification=QualificationNeed(name="sawing", level=2),
    )
    return replace(
        routing,
        steps=(saw, replace(mill, is_optional=True)),
        deviation=QualificationNeed(name="foreman"),
    )


def a_winding_routing() -> Routing:
    """A bracket that may go back, past its mill, and has to cool before it."""
    routing = a_routing()
    saw, mill = routing.steps
    return replace(
        routing,
        steps=(saw, replace(mill, is_optional=True)),
        deviation=QualificationNeed(name="foreman"),
        rework=(ReworkLoop(id="again", source="20", target="10", limit=2),),
        time_windows=(WindowRule(source="10", target="20", min_s=Decimal(3600)),),
    )


async def equipped(plant: RunningPlant) -> None:
    """Have what the demanding routing asks for; Maria can do it."""
    blade = {"tool": "B-1", "asset_class": "BLADE", "name": "Blade", "crib": "CRIB"}
    await plant.done("/tools", **blade, life_unit="pieces", life="100")
    await plant.done("/documents/WI-7/release", revision="C", title="Sawing")
    await plant.done("/people", person="Maria", name="Maria K.", roles=["quality"])
    await plant.done("/people/Maria/qualifications", name="sawing", level=2)


async def begun(plant: RunningPlant, job: str, unit: str = "saw-1") -> None:
    """Load a job order, and begin it."""
    await plant.done(f"/job-orders/{job}/load", work_unit=unit)
    await plant.done(f"/job-orders/{job}/begin")


async def sawn(plant: RunningPlant, request: str = "WR-1") -> str:
    """Saw ten pieces; return the mill's job order."""
    saw = await plant.request(request)
    await begun(plant, saw)
    await plant.done(f"/job-orders/{saw}/report", good="10")
    await plant.done(f"/job-orders/{saw}/complete")
    jobs = plant.state.job_order.find("request", request)
    return next(job.id for job in jobs if job.step == "20")


async def counted(plant: RunningPlant, value: int) -> None:
    """Let the mill's counter of good pieces have this value."""
    at, before = now(), plant.state.seq
    sample = Sample(
        tag="mill-1.good",
        value=value,
        quality=Quality.GOOD,
        source_at=at,
        received_at=at,
    )
    await plant.engine.sense(
        Sensed(source=LINK, epoch=at, n=next(NUMBERS), report=sample)
    )
    await until(lambda: plant.state.seq > before)


def now_in(plant: RunningPlant, job_order: str) -> JobOrder:
    """Return a job order as it is."""
    job = plant.state.job_order.get(job_order)
    assert job is not None
    return job


def card(page: Page, job_order: str) -> Locator:
    """Return what is shown of a job order on the machine."""
    return page.locator(f"article[data-job-order={job_order}]")


def row(page: Page, job_order: str) -> Locator:
    """Return what is shown of a job order that waits."""
    return page.locator(f"li[data-job-order={job_order}]")


async def press(place: Locator, name: str) -> None:
    """Press the button of this name, as long as a finger does.

    Two presses that are quicker than that are a contact that bounces.
    """
    await place.get_by_role("button", name=name, exact=True).click(delay=FINGER_MS)


async def scan(page: Page, code: str) -> None:
    """Have a scanner type a code, a key each 5 ms, wherever the focus is.

    The times are those of the keys, as a scanner gives them: how busy this machine is
    does not matter.
    """
    device = await page.context.new_cdp_session(page)
    begun_at = now() / 1_000_000
    for at, key in enumerate([*code, "Enter"]):
        event = {"key": key, "timestamp": begun_at + at * 0.005}
        if key == "Enter":
            event |= {"code": key, "windowsVirtualKeyCode": 13}
        text = "\r" if key == "Enter" else key
        await device.send(
            "Input.dispatchKeyEvent", {"type": "keyDown", "text": text} | event
        )
        await device.send("Input.dispatchKeyEvent", {"type": "keyUp"} | event)


async def sign_in(page: Page, name: str) -> None:
    """Say who stands at the terminal."""
    await page.get_by_label("Your name").fill(name)
