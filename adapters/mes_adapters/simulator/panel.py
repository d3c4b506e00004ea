"""The machines' panels over HTTP, for whoever plays the operator. Loopback only."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from mes_adapters.simulator.machine import MICROS, Machine, PackmlState
from mes_adapters.simulator.plant import Plant

HOST = "127.0.0.1"


class StartOrder(BaseModel):
    """How many pieces, good and scrap together, to make more."""

    model_config = ConfigDict(extra="forbid")

    quantity: int = Field(ge=0, le=1_000_000)


class Interruption(BaseModel):
    """For how long the machine stands."""

    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(gt=0, le=86_400)


class MachineView(BaseModel):
    """What a panel shows."""

    id: str
    state: int
    state_name: str
    good: int
    scrap: int
    to_make: int
    serial: int

    @classmethod
    def of(cls, machine: Machine) -> "MachineView":
        """Show ``machine``."""
        return cls(
            id=machine.kind.id,
            state=int(machine.state),
            state_name=machine.state.name.lower(),
            good=machine.good,
            scrap=machine.scrap,
            to_make=machine.to_make,
            serial=machine.serial,
        )


def panel_app(plant: Plant, now: Callable[[], int]) -> FastAPI:
    """Return the panels of ``plant``; ``now`` tells UTC microseconds."""

    def at_machine(machine_id: str) -> Machine:
        if machine_id not in plant.machines:
            known = ", ".join(plant.machines)
            raise HTTPException(404, f"no machine '{machine_id}'; there are {known}")
        return plant.machines[machine_id]

    app = FastAPI(title="Simulated plant", docs_url=None, redoc_url=None)
    chosen = Annotated[Machine, Depends(at_machine)]
    _add_views(app, plant, chosen)
    _add_buttons(app, plant, chosen, now)
    return app


def _add_views(app: FastAPI, plant: Plant, chosen: Any) -> None:
    @app.get("/machines")
    async def list_machines() -> list[MachineView]:
        return [MachineView.of(machine) for machine in plant.machines.values()]

    @app.get("/machines/{machine_id}")
    async def show_machine(machine: chosen) -> MachineView:
        return MachineView.of(machine)


def _add_buttons(
    app: FastAPI, plant: Plant, chosen: Any, now: Callable[[], int]
) -> None:
    def stand(machine: Machine, state: PackmlState, seconds: float) -> MachineView:
        at = now()
        until = at + round(seconds * MICROS)
        change = machine.interrupt(state, now=at, until=until)
        if change is None:
            problem = f"{machine.kind.id} is {machine.state.name}, not EXECUTE"
            raise HTTPException(409, problem)
        plant.show([change])
        return MachineView.of(machine)

    @app.post("/machines/{machine_id}/start")
    async def start(machine: chosen, order: StartOrder) -> MachineView:
        plant.show([machine.start(order.quantity, now=now())])
        return MachineView.of(machine)

    @app.post("/machines/{machine_id}/stop")
    async def stop(machine: chosen) -> MachineView:
        plant.show([machine.stop(now=now())])
        return MachineView.of(machine)

    @app.post("/machines/{machine_id}/abort")
    async def abort(machine: chosen) -> MachineView:
        plant.show([machine.abort(now=now())])
        return MachineView.of(machine)

    @app.post("/machines/{machine_id}/jam")
    async def jam(machine: chosen, order: Interruption) -> MachineView:
        return stand(machine, PackmlState.HELD, order.seconds)

    @app.post("/machines/{machine_id}/starve")
    async def starve(machine: chosen, order: Interruption) -> MachineView:
        return stand(machine, PackmlState.SUSPENDED, order.seconds)


@asynccontextmanager
async def serve_panel(app: FastAPI, *, port: int) -> AsyncIterator[int]:
    """Serve ``app``, and yield the port; port 0 takes a free one."""
    listener = socket.create_server((HOST, port))
    server = _Server(
        uvicorn.Config(
            app, log_config=None, timeout_graceful_shutdown=1, lifespan="off"
        )
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program."""
        yield
