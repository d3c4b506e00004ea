"""A whole site: the engine with its machines, its modules, its ledger and its web."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import msgspec
import structlog
import uvicorn
from fastapi import APIRouter

from mes_engine.bootstrap.core import Core, running_engine
from mes_engine.core.errors import SettingsError
from mes_engine.core.messages import ApplyPlant, Commanded, Outcome
from mes_engine.core.plant import Plant
from mes_engine.http.deadlines import PromptProtocol
from mes_engine.migrations import head
from mes_engine.modules import crm, ledger, plm, scm
from mes_engine.ports import AdapterSpec
from mes_engine.runtime.consumers import Consumer, Consuming
from mes_engine.runtime.intents import IntentRelay
from mes_engine.runtime.jobs import Job, Jobs, every
from mes_engine.runtime.reconcile import Booked, reconcile
from mes_engine.runtime.relay import Relay
from mes_engine.runtime.supervise import next_epoch, supervise
from mes_engine.settings import Site
from mes_engine.web.app import LOOPBACK, create_app

log = structlog.stdlib.get_logger()

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
CONSUMERS = tuple(
    Consumer(name=module.CONSUMER, types=module.LISTENS_TO, handle=module.handle)
    for module in (crm, plm, scm, ledger)
)
RECONCILE_EVERY_S = 900
POKE_EVERY_S = 300
GRACE_S = 5
"""For requests that are still coming in; the whole stop is to take less than 10 s."""
MOST_CONNECTIONS = 1_000


async def run_site(
    site: Site,
    *,
    adapters: Mapping[str, AdapterSpec],
    ready_file: Path | None = None,
) -> None:
    """Run a site until the process is told to end (SIGTERM, SIGINT).

    Args:
        site: What the files say.
        adapters: What opens the site's links.
        ready_file: Written once the web answers: ``{"url": ..., "pid": ...}``.

    Raises:
        SettingsError: The database cannot be used, the plant does not fit what is in
            work, or the web cannot listen where it should.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    with _listening(site.http.host, site.http.port) as listener:
        engine_runs = running_engine(
            site.database.url, busy_timeout_s=site.database.busy_timeout_s
        )
        async with engine_runs as core:
            await apply_plant(core, site.plant)
            await _run(
                core,
                site,
                adapters,
                listener=listener,
                stopping=stopping,
                ready_file=ready_file,
            )


async def apply_plant(core: Core, plant: Plant) -> None:
    """Have the engine work with ``plant``.

    Raises:
        SettingsError: Something is loaded on a work unit that the plant leaves out.
    """
    known = next(core.engine.committed.plant.values(), None)
    if known == plant:
        return
    digest = sha256(msgspec.json.encode(plant)).hexdigest()
    answer = await core.submit(
        Commanded(
            origin="config",
            # The same plant may be applied again later, after another one.
            key=f"{digest[:16]}-{core.engine.committed.seq}",
            digest=digest,
            person="config",
            at=core.clock(),
            command=ApplyPlant(plant=plant),
        )
    )
    if answer.outcome is not Outcome.ACCEPTED:
        raise SettingsError(answer.message, hint=answer.hint)


async def _run(
    core: Core,
    site: Site,
    adapters: Mapping[str, AdapterSpec],
    *,
    listener: socket.socket,
    stopping: asyncio.Event,
    ready_file: Path | None,
) -> None:
    books = ledger.LedgerService(core.database, core.clock)
    relay = Relay(
        books, committed=core.engine.committed, submit=core.submit, clock=core.clock
    )
    core.feed.tap(relay.hear)
    jobs = Jobs(_jobs(core, relay), core.database, clock=core.clock)
    consumers = [Consuming(one, core.database, core.feed) for one in CONSUMERS]
    server = _Server(
        uvicorn.Config(
            create_app(
                engine=core.engine,
                database=core.database,
                feed=core.feed,
                clock=core.clock,
                stopping=stopping,
                modules=_module_routers(core, books),
                hosts=LOOPBACK,
                links=lambda: _link_states(core),
                schema=head(),
            ),
            http=PromptProtocol,
            log_config=None,
            access_log=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=GRACE_S,
        )
    )
    async with asyncio.TaskGroup() as tasks:
        working = [
            tasks.create_task(relay.run()),
            tasks.create_task(jobs.run()),
            tasks.create_task(IntentRelay(core.database, core.submit).run()),
            *(tasks.create_task(one.run()) for one in consumers),
            *(tasks.create_task(one) for one in _links(core, site, adapters)),
            tasks.create_task(_announce(server, listener, ready_file)),
            tasks.create_task(_end_when(stopping, server)),
        ]
        await server.serve(sockets=[listener])
        stopping.set()
        for task in working:
            task.cancel()


def _module_routers(core: Core, books: ledger.LedgerService) -> list[APIRouter]:
    database, clock = core.database, core.clock
    return [
        crm.crm_router(crm.CrmService(database, clock)),
        plm.plm_router(plm.PlmService(database, clock)),
        scm.scm_router(scm.ScmService(database, clock)),
        ledger.ledger_router(books),
    ]


def _links(
    core: Core, site: Site, adapters: Mapping[str, AdapterSpec]
) -> Iterator[Coroutine[None, None, None]]:
    for name, plan in site.links.items():
        link = adapters[plan.adapter].open(name, plan.settings, plan.tags)
        yield supervise(
            name,
            link,
            core.engine.sense,
            epoch=next_epoch(core.engine.committed, name),
            clock=core.clock,
        )


def _jobs(core: Core, relay: Relay) -> list[Job]:
    async def compare(slot: int) -> None:
        async def totals() -> Mapping[str, Booked]:
            found = await core.database.read(ledger.stream_totals)
            return {
                one.stream: Booked(
                    entries=one.entries,
                    good=one.amounts.good,
                    scrap=one.amounts.scrap,
                    setup_s=one.amounts.setup_s,
                    processing_s=one.amounts.processing_s,
                )
                for one in found.values()
            }

        await reconcile(core.database, totals, at=slot)

    async def poke(_: int) -> None:
        relay.poke()

    return [
        Job(
            name="reconcile_ledger",
            slot_at=every(RECONCILE_EVERY_S),
            wake_s=POKE_EVERY_S,
            work=compare,
        ),
        Job(
            name="retry_postings",
            slot_at=every(POKE_EVERY_S),
            wake_s=POKE_EVERY_S,
            work=poke,
        ),
    ]


def _link_states(core: Core) -> dict[str, str]:
    state = core.engine.committed
    found = {}
    for signal_ in state.site.plant.signals:
        known = state.equipment.get(signal_.work_unit)
        is_known = known is not None and known.link is not None
        found[signal_.link] = str(known.link) if known and is_known else "unknown"
    return found


class _Server(uvicorn.Server):
    """uvicorn, with the signals left to us: what they end has an order."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Let others know when the web answers."""
        await super().startup(sockets)
        self.is_up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals."""
        yield


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    if host not in LOOPBACK_HOSTS:
        raise SettingsError(
            f"http.host: {host}: there is no sign-in yet, so the web listens on this "
            "computer only.",
            hint="Use 127.0.0.1.",
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen()  # or another could bind to the same port until we do
        except OSError as error:
            raise SettingsError(
                f"The web cannot listen on {host}:{port}: {error.strerror}.",
                hint="End what listens there, or name another port.",
            ) from error
        yield listener


async def _announce(
    server: _Server, listener: socket.socket, ready_file: Path | None
) -> None:
    await server.is_up.wait()
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    log.info("web_started", url=url, reachable_from="this computer only")
    if ready_file is not None:
        text = json.dumps({"url": url, "pid": os.getpid()})
        await asyncio.to_thread(_write_at_once, ready_file, text)


def _write_at_once(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(text)
    fresh.replace(path)


async def _end_when(stopping: asyncio.Event, server: _Server) -> None:
    await stopping.wait()
    log.info("stopping")
    server.should_exit = True
