"""A small plant that runs: database, engine and app, for one test.

async with running_plant(tmp_path) as plant:
    await plant.request("WR-1", quantity=10)
    answer = await plant.command("/job-orders/JO-000001/load", work_unit="saw-1")
"""

import asyncio
import socket
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from mes_engine.core.messages import (
    Answer,
    ApplyPlant,
    Command,
    Commanded,
    CreateWorkRequest,
    Outcome,
    ReceiveMaterial,
    ReleaseRouting,
    ReleaseWorkRequest,
    Sensed,
)
from mes_engine.core.plant import Plant
from mes_engine.core.routing import Routing
from mes_engine.core.samples import LinkReport, LinkState, Quality, Sample
from mes_engine.core.state import State
from mes_engine.http.deadlines import PromptProtocol
from mes_engine.modules import crm, ledger, plm, scm
from mes_engine.runtime.engine import Engine
from mes_engine.runtime.feed import Feed
from mes_engine.storage.database import Database
from mes_engine.storage.metadata import metadata
from mes_engine.storage.store import SqlStore
from mes_engine.web.app import create_app
from mes_engine.web.parts import GatewayDoor
from tests.builders import LINK, a_plant, a_routing
from tests.databases import url_in

API = "/api/v1"
HOST = "127.0.0.1"
BASE = f"http://{HOST}"
DAY = 86_400_000_000
PATIENCE_S = 10.0


def now() -> int:
    """Microseconds of UTC."""
    return time.time_ns() // 1_000


@dataclass(kw_only=True)
class RunningPlant:
    """An engine that runs on a database of its own, and the app that shows it.

    Attributes:
        client: Asks the app, without a network.
    """

    engine: Engine
    database: Database
    feed: Feed
    app: FastAPI
    stopping: asyncio.Event
    client: httpx.AsyncClient
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def state(self) -> State:
        """The committed state."""
        return self.engine.committed

    async def submit(
        self, command: Command, *, key: str = "", at: int | None = None
    ) -> Answer:
        """Have the engine carry a command out, past HTTP; it has to be accepted."""
        number = next(self._numbers)
        answer = await self.engine.submit(
            Commanded(
                origin="test",
                key=key or f"key-{number}",
                digest=f"digest-{number}",
                person="anna",
                at=now() if at is None else at,
                command=command,
            )
        )
        assert answer.outcome is Outcome.ACCEPTED, answer
        return answer

    async def request(
        self, work_request: str, *, quantity: int = 10, routing: str = "bracket"
    ) -> str:
        """Create and release a request for brackets; return its first job order."""
        await self.submit(
            CreateWorkRequest(
                work_request=work_request,
                routing=routing,
                quantity=Decimal(quantity),
                due_at=now() + DAY,
            )
        )
        await self.submit(ReleaseWorkRequest(work_request=work_request))
        jobs = self.state.job_order.find("request", work_request)
        return min(jobs, key=lambda job: job.number).id

    async def connect(self, tag: str = "mill-1.state", *, word: int = 6) -> None:
        """Let the machines' link connect, and a machine say its state."""
        at = now()
        state = Sample(
            tag=tag, value=word, quality=Quality.GOOD, source_at=at, received_at=at
        )
        for report in (LinkReport(state=LinkState.CONNECTED, at=at), state):
            await self.engine.sense(
                Sensed(source=LINK, epoch=at, n=next(self._numbers), report=report)
            )

    async def get(self, path: str, **params: Any) -> Any:
        """Read something of the API; it has to be there."""
        answer = await self.client.get(API + path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        key: str = "",
        person: str = "Maria",
    ) -> httpx.Response:
        """Send a command over HTTP."""
        headers = {
            "X-Person": person,
            "Idempotency-Key": key or f"press-{next(self._numbers):08}",
        }
        return await self.client.post(API + path, json=body, headers=headers)

    async def done(self, path: str, **body: Any) -> dict[str, str]:
        """Send a command over HTTP that has to be accepted; return its result."""
        answer = await self.post(path, body)
        assert answer.status_code == 200, answer.text
        result: dict[str, str] = answer.json()["result"]
        return result


@asynccontextmanager
async def running_plant(
    folder: Path,
    *,
    plant: Plant | None = None,
    routings: Iterable[Routing] | None = None,
    modules: Callable[[Database], Iterable[APIRouter]] = lambda _: (),
    schema: str | None = None,
    door: Callable[[Engine], GatewayDoor | None] = lambda _: None,
    links: Callable[[], Mapping[str, str]] = dict,
) -> AsyncIterator[RunningPlant]:
    """Run a plant on a database in ``folder``.

    Args:
        folder: Where the database is kept; a plant run there before goes on.
        plant: The plant to apply; a saw and a mill if none is given.
        routings: The routings to release; saw and mill a bracket if none are given.
        modules: Makes the modules' routers, for the app.
        schema: The revision that ``/readyz`` asks the tables for.
        door: Makes what gateways come in by.
        links: The state of each link.
    """
    database = Database.open(url_in(folder))
    await database.write(metadata.create_all)
    store, feed, stopping = SqlStore(database), Feed(), asyncio.Event()
    engine = Engine(store, await store.load(), clock=now, feed=feed)
    app = create_app(
        engine=engine,
        database=database,
        feed=feed,
        clock=now,
        stopping=stopping,
        modules=modules(database),
        schema=schema,
        gateways=door(engine),
        links=links,
        hosts=("127.0.0.1", "localhost"),
    )
    transport = httpx.ASGITransport(app)
    try:
        async with (
            asyncio.TaskGroup() as tasks,
            httpx.AsyncClient(transport=transport, base_url=BASE) as client,
        ):
            tasks.create_task(engine.run())
            running = RunningPlant(
                engine=engine,
                database=database,
                feed=feed,
                app=app,
                stopping=stopping,
                client=client,
            )
            try:
                await _prepare(running, plant or a_plant(), routings or (a_routing(),))
                yield running
            finally:
                stopping.set()
                feed.close()
                engine.stop()
    finally:
        await database.close()


async def _prepare(
    running: RunningPlant, plant: Plant, routings: Iterable[Routing]
) -> None:
    if next(running.state.plant.values(), None) is not None:
        return
    await running.submit(ApplyPlant(plant=plant), key="plant")
    for routing in routings:
        await running.submit(
            ReleaseRouting(routing=routing), key=f"{routing.id}-{routing.revision}"
        )
    bars = ReceiveMaterial(
        material="BAR", unit="MTR", quantity=Decimal(1000), supplier="Steel Inc"
    )
    await running.submit(bars, key="bars")


def module_routers(database: Database) -> list[APIRouter]:
    """Return the routers of every module, on the plant's own database."""
    return [
        crm.crm_router(crm.CrmService(database, now)),
        plm.plm_router(plm.PlmService(database, now)),
        scm.scm_router(scm.ScmService(database, now)),
        ledger.ledger_router(ledger.LedgerService(database, now)),
    ]


class _Server(uvicorn.Server):
    """A server beside the test on its event loop; signals are the test's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@asynccontextmanager
async def served(
    plant: RunningPlant, *, app: ASGIApp | None = None
) -> AsyncIterator[str]:
    """Serve the plant's app on a free port of this machine; give its address.

    Args:
        plant: Whose app.
        app: Something around it, to be served in its place.
    """
    config = uvicorn.Config(
        plant.app if app is None else app,
        http=PromptProtocol,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = _Server(config)
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        port = listening.getsockname()[1]
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(server.serve(sockets=[listening]))
            await until(lambda: server.started)
            try:
                yield f"http://{HOST}:{port}"
            finally:
                plant.stopping.set()
                server.should_exit = True
                await serving  # A test that failed leaves no server behind either.


async def until(holds: Callable[[], bool], *, seconds: float = PATIENCE_S) -> None:
    """Wait for the thing itself."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - any condition, not one event
            await asyncio.sleep(0.005)


async def until_true(
    holds: Callable[[], Awaitable[bool]], *, seconds: float = PATIENCE_S
) -> None:
    """Wait for the thing itself, where asking for it takes time."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - any condition, not one event
            await asyncio.sleep(0.005)
