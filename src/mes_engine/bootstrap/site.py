"""A whole site: the engine with its gateway, its modules, its ledger and its web."""

import asyncio
import secrets
import signal
import socket
import time
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import msgspec
import structlog
import uvicorn
from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from mes_engine.bootstrap.core import (
    Core,
    collect_from_now_on,
    running_engine,
)
from mes_engine.bootstrap.leading import Leading
from mes_engine.bootstrap.own_gateway import OwnGateway, keep_running
from mes_engine.bootstrap.safekeeping import Safekeeping, refuse_unsafe
from mes_engine.bootstrap.scheduled import scheduled
from mes_engine.bootstrap.serving import (
    Server,
    SiteFailed,
    announce,
    end_with,
    listening,
    serve,
    url_of,
)
from mes_engine.bootstrap.standby import stand_by
from mes_engine.bootstrap.telemetry import Telemetry, telemetry
from mes_engine.core.errors import MesError, SettingsError
from mes_engine.core.messages import ApplyPlant, Commanded, Outcome
from mes_engine.core.plant import Plant
from mes_engine.http.admission import Admission
from mes_engine.http.deadlines import protocol_with
from mes_engine.migrations import head
from mes_engine.modules import crm, ledger, plm, scm
from mes_engine.ports import AdapterSpec, Fenced, Floor
from mes_engine.runtime.acknowledging import Acknowledging
from mes_engine.runtime.consumers import Consumer, Consuming
from mes_engine.runtime.gateways import Gateways
from mes_engine.runtime.intents import IntentRelay
from mes_engine.runtime.jobs import Jobs
from mes_engine.runtime.machine_calls import MachineCalls
from mes_engine.runtime.machine_jobs import MachineJobs
from mes_engine.runtime.metrics import (
    Durations,
    EngineCollector,
    Outbox,
    process_collectors,
    watch_loop,
)
from mes_engine.runtime.pace import engine_back_off
from mes_engine.runtime.relay import Relay
from mes_engine.runtime.serving import keep_serving
from mes_engine.runtime.signal_clock import run_signal_clock
from mes_engine.runtime.wanted import GatewayDevices
from mes_engine.settings import Site, variables_of_site
from mes_engine.storage.backend import is_postgresql
from mes_engine.storage.driver import file_url
from mes_engine.storage.leadership import Lease
from mes_engine.web.app import LOOPBACK, create_app
from mes_engine.web.parts import GatewayDoor

log = structlog.stdlib.get_logger()

CONSUMERS = tuple(
    Consumer(name=module.CONSUMER, types=module.LISTENS_TO, handle=module.handle)
    for module in (crm, plm, scm, ledger)
)
LOOK_S = 1.0
GRACE_S = 5
"""For requests that are still coming in; the whole stop is to take less than 10 s."""


async def run_site(
    site: Site,
    *,
    adapters: Mapping[str, AdapterSpec],
    config: Path | None,
    ready_file: Path | None = None,
    parent: int | None = None,
) -> None:
    """Run a site until the process is told to end (SIGTERM, SIGINT).

    Args:
        site: What the files say.
        adapters: What serves the site to others; links are a gateway's.
        config: Where the gateway that runs beside it finds them; None for no such one.
        ready_file: Written once the web answers: ``{"url": ..., "pid": ...}``.
        parent: The process that started this one; the site ends when that one does.

    Raises:
        SettingsError: The database or the journal's key cannot be used, the plant does
            not fit what is in work, or the web cannot listen where it should.
        SiteFailed: A bug of ours; what could be ended in order was, and it is logged.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    metrics = CollectorRegistry()
    process_collectors(metrics)
    url = site.database.url
    refuse_unsafe(site)
    with (
        telemetry(version("mes-engine")) as traces,
        listening(site.http.host, site.http.port) as listener,
        _failing_once(),
    ):
        leading = None
        if is_postgresql(url):
            leading = Leading(Lease(url, address=url_of(listener)))
            if not await stand_by(
                leading, listener, stopping, ready_file=ready_file, parent=parent
            ):
                await leading.end()
                return
        async with running_engine(
            url,
            busy_timeout_s=site.database.busy_timeout_s,
            note=traces.noting(Durations(metrics).committed),
            leading=leading,
            key_file=site.key_file,
        ) as core:
            collect_from_now_on()
            await apply_plant(core, site.plant)
            await _run(
                core,
                site,
                config,
                adapters=adapters,
                metrics=metrics,
                traces=traces,
                listener=listener,
                stopping=stopping,
                ready_file=ready_file,
                parent=parent,
            )


@contextmanager
def _failing_once() -> Iterator[None]:
    """Log what nobody expected, and say it in a sentence."""
    try:
        yield
    except MesError:
        raise
    except Fenced as error:
        log.error("lead_lost", reason=str(error))
        raise SiteFailed(
            "The site ended because another engine leads on its database now.",
            hint="Start it again: it stands by until that one is gone.",
        ) from error
    except Exception as error:
        log.exception("site_failed")
        raise SiteFailed(
            f"The site ended because of {type(error).__name__}: {error}.",
            hint="Look into the log, and start it again.",
        ) from error


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
    config: Path | None,
    *,
    adapters: Mapping[str, AdapterSpec],
    metrics: CollectorRegistry,
    traces: Telemetry,
    listener: socket.socket,
    stopping: asyncio.Event,
    ready_file: Path | None,
    parent: int | None,
) -> None:
    books = ledger.LedgerService(core.database, core.clock)
    relay = Relay(
        books, committed=core.engine.committed, submit=core.submit, clock=core.clock
    )
    core.feed.tap(relay.hear)
    safekeeping = Safekeeping(core, site, metrics)
    jobs = Jobs(
        [*scheduled(core, relay, site), *safekeeping.jobs()],
        core.database,
        clock=core.clock,
    )
    consumers = {
        one.name: Consuming(one, core.database, core.feed) for one in CONSUMERS
    }
    gateways = Gateways(
        core.engine,
        links=site.links,
        plant=site.plant_digest,
        clock=core.clock,
        monotonic=time.monotonic,
    )
    devices = GatewayDevices(gateways, started_at=core.clock())
    metrics.register(_measured(core, site, gateways))
    own = None if config is None else _own_gateway(site, config)
    token = site.gateway.token if own is None else own.token
    admission = Admission(registry=metrics)
    app = create_app(
        engine=traces.commanded(core.engine),
        database=core.database,
        feed=core.feed,
        clock=core.clock,
        stopping=stopping,
        modules=_module_routers(core, books),
        hosts=LOOPBACK,
        links=lambda: _link_states(core, gateways),
        schema=head(),
        gateways=GatewayDoor(intake=gateways, downlink=devices, token=token),
        metrics=metrics,
        admission=admission,
    )
    server = Server(
        uvicorn.Config(
            traces.requested(app),
            http=protocol_with(admission),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=GRACE_S,
        )
    )
    committed = core.engine.committed
    acknowledging = Acknowledging(
        devices, committed=committed, submit=core.submit, clock=core.clock
    )
    core.feed.tap(acknowledging.hear)
    machine_jobs = MachineJobs(
        devices, committed=committed, submit=core.submit, clock=core.clock
    )
    core.feed.tap(machine_jobs.hear)
    machine_calls = MachineCalls(
        devices, committed=committed, submit=core.submit, clock=core.clock
    )
    core.feed.tap(machine_calls.hear)
    parts = {
        **{f"server {name}": one for name, one in _servers(core, site, adapters)},
        **safekeeping.parts(),
        "gateways": _watch(gateways, devices, stopping),
        "relay": relay.run(),
        "jobs": jobs.run(),
        "handshakes": acknowledging.run(),
        "machine jobs": machine_jobs.run(),
        "machine calls": machine_calls.run(),
        "signal clock": run_signal_clock(
            committed, core.submit, clock=core.clock, patience=engine_back_off
        ),
        "intents": IntentRelay(core.database, core.submit).run(),
        **{f"consumer {name}": one.run() for name, one in consumers.items()},
        "loop watch": watch_loop(metrics),
        "ready file": announce(server, listener, ready_file),
    }
    if own is not None and site.links:
        parts["own gateway"] = keep_running(
            own, url_of(listener), stopping=stopping, monotonic=time.monotonic
        )
    if parent is not None:
        parts["parent"] = end_with(parent, stopping)
    await serve(server, listener, parts, stopping)


def _servers(
    core: Core, site: Site, adapters: Mapping[str, AdapterSpec]
) -> Iterator[tuple[str, Coroutine[None, None, None]]]:
    floor = Floor(
        committed=core.engine.committed,
        submit=core.submit,
        changes=core.feed.subscribe,
        clock=core.clock,
    )
    for name, plan in site.servers.items():
        server = adapters[plan.adapter].server
        if server is not None:
            yield name, keep_serving(name, server, plan.settings, floor)


def _measured(core: Core, site: Site, gateways: Gateways) -> EngineCollector:
    outbox = Outbox(core.engine.committed)
    core.feed.tap(outbox.hear)
    return EngineCollector(
        core.engine,
        core.feed,
        gateways,
        outbox,
        links=lambda: _link_states(core, gateways),
        clock=core.clock,
        database=_file_of(site.database.url),
        version=version("mes-engine"),
    )


def _module_routers(core: Core, books: ledger.LedgerService) -> list[APIRouter]:
    database, clock = core.database, core.clock
    return [
        crm.crm_router(crm.CrmService(database, clock)),
        plm.plm_router(plm.PlmService(database, clock)),
        scm.scm_router(scm.ScmService(database, clock)),
        ledger.ledger_router(books),
    ]


def _own_gateway(site: Site, config: Path) -> OwnGateway:
    """Return how the gateway beside this engine is run; its spool is by the database.

    Other gateways name the same token, where the site has one.
    """
    return OwnGateway(
        config=config,
        folder=site.gateway.folder or _beside(site.database.url),
        settings=site.gateway,
        token=site.gateway.token or secrets.token_urlsafe(32),
        hidden=variables_of_site(config),
    )


def _beside(database_url: str) -> Path:
    """Return where the spool is: beside the file; of a server, where we started."""
    database = _file_of(database_url)
    if database is None:
        return Path("mes-gateway").resolve()
    return database.with_name(f"{database.name}-gateway")


def _file_of(database_url: str) -> Path | None:
    """Return the file of the database; None where it is on a server."""
    if is_postgresql(database_url):
        return None
    return Path(str(file_url(database_url).database))


async def _watch(
    gateways: Gateways, devices: GatewayDevices, stopping: asyncio.Event
) -> None:
    """Say when a gateway is not heard of any more; let none wait when all ends."""
    while not stopping.is_set():
        gateways.look()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await stopping.wait()
    devices.close()


def _link_states(core: Core, gateways: Gateways) -> dict[str, str]:
    state = core.engine.committed
    found = {}
    for signal_ in state.site.plant.signals:
        known = state.equipment.get(signal_.work_unit)
        is_known = known is not None and known.link is not None
        is_fed = gateways.owner_of(signal_.link) is not None
        told = str(known.link) if known and is_known and is_fed else "unknown"
        found[signal_.link] = told
    return found
