"""A whole site: the engine with its machines, its modules, its ledger and its web."""

import asyncio
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
from mes_engine.bootstrap.serving import (
    Server,
    SiteFailed,
    announce,
    end_with,
    listening,
    serve,
)
from mes_engine.core.errors import MesError, SettingsError
from mes_engine.core.messages import ApplyPlant, Commanded, Outcome
from mes_engine.core.plant import Plant
from mes_engine.http.deadlines import PromptProtocol
from mes_engine.migrations import head
from mes_engine.modules import crm, ledger, plm, scm
from mes_engine.ports import AdapterSpec, Floor
from mes_engine.runtime.acknowledging import Acknowledging
from mes_engine.runtime.consumers import Consumer, Consuming
from mes_engine.runtime.devices import LinkDevices, open_link
from mes_engine.runtime.intents import IntentRelay
from mes_engine.runtime.jobs import Job, Jobs, every
from mes_engine.runtime.qualifications import qualifications_job
from mes_engine.runtime.reconcile import Booked, reconcile
from mes_engine.runtime.relay import Relay, engine_back_off
from mes_engine.runtime.serving import keep_serving
from mes_engine.runtime.signal_clock import run_signal_clock
from mes_engine.runtime.supervise import next_epoch, supervise
from mes_engine.runtime.time_windows import time_windows_job
from mes_engine.settings import Site
from mes_engine.web.app import LOOPBACK, create_app

log = structlog.stdlib.get_logger()

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
    parent: int | None = None,
) -> None:
    """Run a site until the process is told to end (SIGTERM, SIGINT).

    Args:
        site: What the files say.
        adapters: What opens the site's links.
        ready_file: Written once the web answers: ``{"url": ..., "pid": ...}``.
        parent: The process that started this one; the site ends when that one does.

    Raises:
        SettingsError: The database cannot be used, the plant does not fit what is in
            work, or the web cannot listen where it should.
        SiteFailed: A bug of ours; what could be ended in order was, and it is logged.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    engine_runs = running_engine(
        site.database.url, busy_timeout_s=site.database.busy_timeout_s
    )
    with listening(site.http.host, site.http.port) as listener, _failing_once():
        async with engine_runs as core:
            await apply_plant(core, site.plant)
            await _run(
                core,
                site,
                adapters,
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
    adapters: Mapping[str, AdapterSpec],
    *,
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
    jobs = Jobs(_jobs(core, relay), core.database, clock=core.clock)
    consumers = {
        one.name: Consuming(one, core.database, core.feed) for one in CONSUMERS
    }
    server = Server(
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
    devices = _devices(site, adapters)
    committed = core.engine.committed
    acknowledging = Acknowledging(
        devices, committed=committed, submit=core.submit, clock=core.clock
    )
    core.feed.tap(acknowledging.hear)
    parts = {
        **{f"link {name}": link for name, link in _links(core, devices)},
        **{f"server {name}": one for name, one in _servers(core, site, adapters)},
        "relay": relay.run(),
        "jobs": jobs.run(),
        "handshakes": acknowledging.run(),
        "signal clock": run_signal_clock(
            committed, core.submit, clock=core.clock, patience=engine_back_off
        ),
        "intents": IntentRelay(core.database, core.submit).run(),
        **{f"consumer {name}": one.run() for name, one in consumers.items()},
        "ready file": announce(server, listener, ready_file),
    }
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


def _module_routers(core: Core, books: ledger.LedgerService) -> list[APIRouter]:
    database, clock = core.database, core.clock
    return [
        crm.crm_router(crm.CrmService(database, clock)),
        plm.plm_router(plm.PlmService(database, clock)),
        scm.scm_router(scm.ScmService(database, clock)),
        ledger.ledger_router(books),
    ]


def _devices(site: Site, adapters: Mapping[str, AdapterSpec]) -> LinkDevices:
    return LinkDevices(
        {
            name: open_link(
                adapters[plan.adapter], name, plan.settings, plan.tags, plan.groups
            )
            for name, plan in site.links.items()
        }
    )


def _links(
    core: Core, devices: LinkDevices
) -> Iterator[tuple[str, Coroutine[None, None, None]]]:
    for name, link in devices.links.items():
        supervised = supervise(
            name,
            link,
            core.engine.sense,
            epoch=next_epoch(core.engine.committed, name),
            clock=core.clock,
        )
        yield name, supervised


def _jobs(core: Core, relay: Relay) -> list[Job]:
    async def compare(slot: int) -> None:
        async def totals() -> Mapping[str, Booked]:
            found = await core.database.read(ledger.stream_totals)
            return {
                one.stream: Booked(
                    entries=one.entries, **msgspec.structs.asdict(one.amounts)
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
        qualifications_job(
            core.engine.committed,
            core.submit,
            clock=core.clock,
            patience=engine_back_off,
        ),
        time_windows_job(
            core.engine.committed,
            core.submit,
            clock=core.clock,
            patience=engine_back_off,
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
