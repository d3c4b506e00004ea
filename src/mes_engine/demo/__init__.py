"""The demo: a simulated plant, the engine, and the people in between, over the network.

It is a client like any other: it starts two processes and then uses HTTP, no more.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Container
from typing import Any

import httpx
from rich.console import Console
from rich.live import Live

from mes_engine.demo.client import Api, Panels
from mes_engine.demo.operators import Operator
from mes_engine.demo.options import DemoOptions
from mes_engine.demo.processes import (
    ChildFailed,
    Plant,
    running_engine,
    running_plant,
    verified,
)
from mes_engine.demo.reckoning import MachineReckoning, reckon
from mes_engine.demo.screen import plant_table, print_reckoning
from mes_engine.demo.story import enter_order, set_the_stage

__all__ = ["ChildFailed", "DemoOptions", "run_demo"]

PEOPLE = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gia", "Hal", "Ida", "Jon")
LOOK_S = 0.5
FEW_ORDERS = 3
"""Without ``--until-done``: how many orders are always in hand."""


async def run_demo(options: DemoOptions, console: Console) -> int:
    """Run the demo; return its exit code: 1 where the reckoning does not come out.

    Raises:
        ChildFailed: The plant or the engine did not come up.
        TimeoutError: Not done in time.
    """
    options.folder.mkdir(parents=True, exist_ok=True)
    plant_runs = running_plant(options.folder, seed=options.seed, speed=options.speed)
    async with plant_runs as plant:
        engine_runs = running_engine(
            options.folder, plant, config=options.config, port=options.port
        )
        async with engine_runs as url, httpx.AsyncClient(base_url=url) as http:
            console.print(f"Engine {url}   operator pages {url}/   API docs {url}/docs")
            console.print("Demo data, not for production.")
            if not options.is_until_done:
                console.print("Ctrl-C stops it.")
                await _run_on(options, plant, http, console)
            machines = await _run_to_the_end(options, plant, http, console)
    found = await verified(options.folder)
    return _concluded(options, console, machines, found)


def _concluded(
    options: DemoOptions,
    console: Console,
    machines: list[MachineReckoning],
    found: dict[str, Any],
) -> int:
    is_good = not found["problems"] and not any(one.problems for one in machines)
    if options.as_json:
        told = {
            "reconciled": is_good,
            "machines": [one.as_plain() for one in machines],
            "verify": found,
        }
        print(json.dumps(told, indent=2))  # noqa: T201
    else:
        print_reckoning(console, machines, found)
        console.print(
            "[bold green]Everything the plant made is accounted for.[/]"
            if is_good
            else "[bold red]Not reconciled.[/]"
        )
    return 0 if is_good else 1


async def _run_to_the_end(
    options: DemoOptions, plant: Plant, http: httpx.AsyncClient, console: Console
) -> list[MachineReckoning]:
    async with asyncio.timeout(options.timeout_s), asyncio.TaskGroup() as tasks:
        planner = Api(http, "Pat the planner")
        await set_the_stage(planner, options.routings)
        people = await _open_the_shop(options, plant, http, tasks)
        rng = random.Random(options.seed)
        for number in range(1, options.orders + 1):
            await enter_order(planner, number, rng)
        with Live(console=console, transient=True) as live:
            while not await _look(planner, live):
                await asyncio.sleep(LOOK_S)
        for person in people:
            person.cancel()
    return await reckon(planner, plant.pieces)


async def _run_on(
    options: DemoOptions, plant: Plant, http: httpx.AsyncClient, console: Console
) -> None:
    """Keep a few orders in hand, until interrupted."""
    async with asyncio.TaskGroup() as tasks:
        planner = Api(http, "Pat the planner")
        await set_the_stage(planner, options.routings)
        await _open_the_shop(options, plant, http, tasks)
        rng = random.Random(options.seed)
        entered = 0
        with Live(console=console) as live:
            while True:
                is_done = await _look(planner, live)
                orders = await planner.items("/crm/sales-orders")
                in_hand = sum(one["state"] != "completed" for one in orders)
                wanted = entered < options.orders or in_hand < FEW_ORDERS or is_done
                if wanted:
                    entered = len(orders) + 1
                    await enter_order(planner, entered, rng)
                await asyncio.sleep(LOOK_S)


async def _open_the_shop(
    options: DemoOptions,
    plant: Plant,
    http: httpx.AsyncClient,
    tasks: asyncio.TaskGroup,
) -> list[asyncio.Task[None]]:
    """Put someone at each work unit, once its machine is heard of."""
    panels = Panels(httpx.AsyncClient(base_url=f"http://127.0.0.1:{plant.panel}"))
    machines = await panels.machines()
    shop = Api(http, "the shop")
    while not await _are_heard(shop, machines):
        await asyncio.sleep(LOOK_S)
    units = await shop.get("/work-units")
    people = []
    for number, unit in enumerate(units):
        name = PEOPLE[number % len(PEOPLE)]
        rng = random.Random(f"{options.seed}/{unit['id']}")
        operator = Operator(Api(http, name), panels, unit["id"], rng)
        work = operator.work(has_machine=unit["id"] in machines)
        people.append(tasks.create_task(work))
    return people


async def _are_heard(api: Api, machines: Container[str]) -> bool:
    """Whether every machine tells its state: what it made before, nobody asked for."""
    shown = await api.get("/equipment")
    return all(
        one["link"] == "connected" and one["shown"] != "unknown"
        for one in shown
        if one["work_unit"] in machines
    )


async def _look(api: Api, live: Live) -> bool:
    """Show how things stand; whether everything ordered is made and posted."""
    units = [
        await api.get(f"/work-units/{one['id']}")
        for one in await api.get("/work-units")
    ]
    orders = await api.items("/crm/sales-orders")
    postings = Counter(one["state"] for one in await api.items("/postings"))
    live.update(plant_table(units, orders, postings))
    is_made = bool(orders) and all(one["state"] == "completed" for one in orders)
    return is_made and set(postings) <= {"acknowledged", "waived"}
