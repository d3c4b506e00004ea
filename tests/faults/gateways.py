"""A gateway from outside: a process of its own, killed and started as a test likes."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.adapters.plant import RunningPlant, running_plant
from tests.faults.harness import CONFIG, EngineProcess, an_engine, until
from tests.faults.judge import have_arrived, miscounted
from tests.faults.people import Acknowledgements, Person, a_person

TOKEN = "a token that nobody guesses"
STOP_S = 15.0


class GatewayProcess:
    """``mes gateway`` with a folder of its own, one life after the other."""

    def __init__(
        self,
        folder: Path,
        engine: EngineProcess,
        *,
        environment: dict[str, str],
        name: str = "north",
        config: Path = CONFIG,
        options: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = (
            *("--log-level", "INFO", "gateway", "--id", name, *options),
            *("--folder", str(folder / name), "--config", str(config)),
        )
        self._engine = engine
        self._environment = {
            **os.environ,
            **environment,
            "MES_GATEWAY_TOKEN": TOKEN,
        }
        self._process: Process | None = None

    async def start(self) -> None:
        """Begin a life; the engine has to have had one before, for its address."""
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "mes_engine", *self._command),
                *("--engine", self._engine.url),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
            )

    async def kill(self) -> None:
        self._running.kill()
        await self._running.wait()

    async def stop(self) -> int:
        self._running.terminate()
        return await self.ended()

    async def ended(self, *, within_s: float = STOP_S) -> int:
        async with asyncio.timeout(within_s):
            return await self._running.wait()

    async def close(self) -> None:
        if self._process is not None and self._process.returncode is None:
            await self.kill()

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    async def until_said(self, word: str, *, within_s: float = 30) -> None:
        async def is_said() -> bool:
            return word in self.said()

        await until(is_said, within_s=within_s)

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def _running(self) -> Process:
        assert self._process is not None, "it was never started"
        return self._process


@dataclass
class Parted:
    """A plant, a gateway, and an engine, each a process of its own."""

    engine: EngineProcess
    gateway: GatewayProcess
    clerk: Person
    plant: RunningPlant

    async def status(self) -> dict[str, Any]:
        """Return how the gateway stands, as the engine has it."""
        told = await self.clerk.get("/gateways")
        found = [one for one in told["gateways"] if one["id"] == self.gateway.name]
        return dict(found[0]) if found else {}

    async def until_counting(self) -> None:
        """Wait until both links have brought their first counts."""

        async def are_counting() -> bool:
            facts = await self.clerk.items("/facts", type="signal_read")
            seen = {one["fact"]["signal"]["tag"] for one in facts}
            return {"mill-1.good", "press-1.good", "pack-1.good"} <= seen

        await until(are_counting, within_s=40)

    async def until_made(self, more: int) -> None:
        """Wait until the machines have made so many pieces more."""
        wanted = self.made() + more

        async def are_made() -> bool:
            return self.made() >= wanted

        await until(are_made, within_s=60)

    def made(self) -> int:
        return self.plant.pieces.read_bytes().count(b"\n")

    async def comes_out(self) -> None:
        """Stop the machines; everything they made has been counted, once, in order."""
        for machine in ("mill-1", "mill-2", "lathe-1", "press-1", "press-2"):
            await self.plant.press(machine, "stop")
        for machine in ("wash-1", "pack-1"):
            await self.plant.press(machine, "stop")
        await until(lambda: have_arrived(self.clerk, self.plant), within_s=40)
        assert await miscounted(self.clerk, self.plant) == []
        assert out_of_order(await self.clerk.items("/facts")) == []


def out_of_order(facts: list[dict[str, Any]]) -> list[str]:
    """Return the causes of facts that came after a later one of their source."""
    last: dict[str, tuple[int, int]] = {}
    problems = []
    for one in facts:
        source, _, rest = one["cause"].partition("/")
        if one["type"] == "source_advanced" or source not in ("cell", "line"):
            continue
        epoch, _, n = rest.partition("/")
        number = (int(epoch), int(n))
        if number < last.get(source, (0, 0)):
            problems.append(one["cause"])
        last[source] = number
    return problems


@asynccontextmanager
async def parted(
    folder: Path, *plant_options: str, config: Path = CONFIG
) -> AsyncIterator[Parted]:
    """Run all three; the machines make some twenty pieces a second by themselves."""
    options = ("--free-run", "--cycle-s", "0.35", "--scrap-rate", "0.1", *plant_options)
    async with AsyncExitStack() as stack:
        plant = await asyncio.to_thread(
            stack.enter_context, running_plant(folder, *options)
        )
        engine = await stack.enter_async_context(
            an_engine(
                folder,
                opcua=plant.opcua,
                modbus=plant.modbus,
                config=config,
                token=TOKEN,
            )
        )
        await engine.start()
        gateway = GatewayProcess(
            folder,
            engine,
            environment={
                "MES_OPCUA_URL": plant.opcua_url,
                "MES_MODBUS_PORT": str(plant.modbus),
            },
            config=config,
        )
        stack.push_async_callback(gateway.close)
        await gateway.start()
        file = Acknowledgements(folder / "answers.jsonl")
        clerk = a_person("Clara", lambda: engine.url, file)
        found = Parted(engine, gateway, await stack.enter_async_context(clerk), plant)
        await found.until_counting()
        yield found


def door(engine: EngineProcess, token: str = TOKEN) -> httpx.AsyncClient:
    """Return someone who talks to the engine as a gateway does."""
    return httpx.AsyncClient(
        base_url=f"{engine.url}/api/v1/gateways",
        headers={"Authorization": f"Bearer {token}"},
    )
