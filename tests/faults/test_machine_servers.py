"""Machine servers stalled, cut, frozen and restarted in turn: the count is exact."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from mes_adapters.simulator.plant import count_pieces
from mes_engine.conformance.network import Relay, relaying
from tests.adapters.plant import RunningPlant, running_plant
from tests.faults.harness import EngineProcess, an_engine, until, verified
from tests.faults.judge import have_arrived, miscounted
from tests.faults.people import Acknowledgements, Person, a_person

MACHINES = {
    "opcua": {"mill-1", "mill-2", "lathe-1"},
    "modbus": {"press-1", "press-2", "wash-1", "pack-1"},
}
EVERY = MACHINES["opcua"] | MACHINES["modbus"]
PLANT = ("--free-run", "--speed", "8", "--scrap-rate", "0.2")


class Site:
    """An engine, its machines, and a network in between that can be made to fail."""

    def __init__(
        self,
        engine: EngineProcess,
        clerk: Person,
        plant: RunningPlant,
        relays: dict[str, Relay],
    ) -> None:
        self.engine = engine
        self.clerk = clerk
        self.plant = plant
        self.relays = relays
        self.lives = ExitStack()

    async def shown(self, machines: set[str]) -> set[str]:
        """Return the states that the engine shows of the machines."""
        equipment = await self.clerk.get("/equipment")
        return {one["shown"] for one in equipment if one["work_unit"] in machines}

    async def until_unknown(self, machines: set[str]) -> None:
        async def are_unknown() -> bool:
            return await self.shown(machines) == {"unknown"}

        await until(are_unknown, within_s=20)

    async def until_counting(self) -> None:
        """Wait until all are known again, and more pieces are counted than now."""
        before = count_pieces(self.plant.pieces)

        async def are_counting() -> bool:
            if await self.shown(EVERY) != {"executing"}:
                return False
            units = [await self.clerk.get(f"/work-units/{one}") for one in EVERY]
            return all(
                int(one["value"]) > before[unit["id"], role]
                for unit in units
                for one in unit["signals"]
                if (role := one["means"].removesuffix("_count")) == "good"
            )

        await until(are_counting, within_s=40)

    async def is_stalled(self, server: str, still_s: float) -> None:
        """Hold every byte of a server back for a while; then let all of them go."""
        others = EVERY - MACHINES[server]
        self.relays[server].hold()
        await self.until_unknown(MACHINES[server])
        assert "unknown" not in await self.shown(others)
        await asyncio.sleep(still_s)
        self.relays[server].release()
        await self.until_counting()

    async def is_cut(self, server: str) -> None:
        """Reset every connection to a server."""
        accepted = self.relays[server].accepted
        self.relays[server].cut()

        async def is_back() -> bool:
            return self.relays[server].accepted > accepted

        await until(is_back)
        await self.until_counting()

    async def is_frozen(self, still_s: float) -> None:
        """Stop the servers' process; sockets stay open and say nothing."""
        self.plant.freeze()
        try:
            await self.until_unknown(EVERY)
            await asyncio.sleep(still_s)
        finally:
            self.plant.thaw()
        await self.until_counting()

    async def is_restarted(self) -> None:
        """Kill the servers, and start them again with what their memory has kept."""
        self.plant.kill()
        await self.until_unknown(EVERY)
        again = running_plant(
            self.plant.pieces.parent, *PLANT, "--seed", "3", again=self.plant
        )
        self.plant = await asyncio.to_thread(self.lives.enter_context, again)
        await self.until_counting()


@asynccontextmanager
async def a_site(folder: Path) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        first = running_plant(folder, *PLANT, "--seed", "3")
        plant = await asyncio.to_thread(stack.enter_context, first)
        relays = {
            "opcua": await stack.enter_async_context(relaying(plant.opcua)),
            "modbus": await stack.enter_async_context(relaying(plant.modbus)),
        }
        engine = await stack.enter_async_context(
            an_engine(folder, opcua=relays["opcua"].port, modbus=relays["modbus"].port)
        )
        file = Acknowledgements(folder / "answers.jsonl")
        clerk = a_person("Clara", lambda: engine.url, file)
        site = Site(engine, await stack.enter_async_context(clerk), plant, relays)
        stack.enter_context(site.lives)
        await engine.start()
        await site.until_counting()
        yield site


async def count_is_exact(site: Site) -> None:
    """Stop every machine; what is in its file, and no piece more, has been counted."""
    for machine in EVERY:
        await site.plant.press(machine, "stop")
    await until(lambda: have_arrived(site.clerk, site.plant), within_s=30)
    assert await miscounted(site.clerk, site.plant) == []
    made = count_pieces(site.plant.pieces)
    assert min(made[machine, "good"] for machine in EVERY) > 0
    assert await site.engine.stop() == 0, site.engine.tail()
    found = await verified(site.engine)
    assert found["ok"], found


@pytest.mark.timeout(240)
async def test_each_fault_in_turn(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        for server in MACHINES:
            await site.is_stalled(server, still_s=0.5)
            await site.is_cut(server)
        await site.is_frozen(still_s=0.5)
        await site.is_restarted()
        await count_is_exact(site)


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_each_fault_for_long_and_again(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        for _ in range(3):
            for server in MACHINES:
                await site.is_stalled(server, still_s=12)
                for _ in range(3):
                    await site.is_cut(server)
            await site.is_frozen(still_s=8)
            await site.is_restarted()
        await count_is_exact(site)
