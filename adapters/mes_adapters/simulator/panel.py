"""The machines' panels over HTTP, for whoever plays the operator. Loopback only."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI, HTTPException
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
    app = FastAPI(title="Simulated plant", docs_url=None, redoc_url=None)
    _add_views(app, plant)
    _add_buttons(app, plant, now)
    return app


def _chosen(plant: Plant, machine_id: str) -> Machine:
    if machine_id not in plant.machines:
        known = ", ".join(plant.machines)
        raise HTTPException(404, f"no machine '{machine_id}'; there are {known}")
    return plant.machines[machine_id]


def _add_views(app: FastAPI, plant: Plant) -> None:
    @app.get("/machines")
    async def list_machines() -> list[MachineView]:
        return [MachineView.of(machine) for machine in plant.machines.values()]

    @app.get("/machines/{machine_id}")
    async def show_machine(machine_id: str) -> MachineView:
        return MachineView.of(_chosen(plant, machine_id))


def _add_buttons(app: FastAPI, plant: Plant, now: Callable[[], int]) -> None:
    def at_panel(machine_id: str) -> tuple[Machine, int]:
        machine = _chosen(plant, machine_id)
        at = now()
        plant.tick(at)  # what was due before the button was pressed comes first
        return machine, at

    def stand(machine_id: str, state: PackmlState, seconds: float) -> MachineView:
        machine, at = at_panel(machine_id)
        until = at + round(seconds * MICROS)
        change = machine.interrupt(state, now=at, until=until)
        if change is None:
            problem = f"{machine.kind.id} is {machine.state.name}, not EXECUTE"
            raise HTTPException(409, problem)
        plant.show([change])
        return MachineView.of(machine)

    @app.post("/machines/{machine_id}/start")
    async def start(machine_id: str, order: StartOrder) -> MachineView:
        machine, at = at_panel(machine_id)
        plant.show([machine.start(order.quantity, now=at)])
        return MachineView.of(machine)

    @app.post("/machines/{machine_id}/stop")
    async def stop(machine_id: str) -> MachineView:
        machine, at = at_panel(machine_id)
        plant.show([machine.stop(now=at)])
        return MachineView.of(machine)

    @app.post("/machines/{machine_id}/abort")
    async def abort(machine_id: str) -> MachineView:
        machine, at = at_panel(machine_id)
        plant.show([machine.abort(now=at)])
        return MachineView.of(machine)

    @app.post("/machines/{machine_id}/jam")
    async def jam(machine_id: str, order: Interruption) -> MachineView:
        return stand(machine_id, PackmlState.HELD, order.seconds)

    @app.post("/machines/{machine_id}/starve")
    async def starve(machine_id: str, order: Interruption) -> MachineView:
        return stand(machine_id, PackmlState.SUSPENDED, order.seconds)


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
