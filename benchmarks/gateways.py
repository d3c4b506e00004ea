"""What the way through a gateway costs: its spool, its delivery, against no way at all.

The same reports go into the same engine, which decides, commits and answers: straight,
by the delivery over HTTP, and by the spool and then over HTTP. The engine's part is in
all of them, so the ratio is what a plant sees; here gateway and engine share a process,
and in a plant they do not.

    python -m benchmarks.gateways --rounds 3
"""

import argparse
import asyncio
import socket
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, perf_counter, time_ns

import msgspec
import structlog
import uvicorn

from mes_engine.bootstrap.core import Core, running_engine, tune_interpreter
from mes_engine.bootstrap.serving import Server, serve
from mes_engine.bootstrap.site import apply_plant
from mes_engine.core.messages import Sensed
from mes_engine.core.plant import (
    EquipmentClass,
    Plant,
    Signal,
    SignalMeaning,
    WorkCenter,
    WorkUnit,
)
from mes_engine.core.samples import Quality, Sample
from mes_engine.gateway.delivering import Delivering
from mes_engine.gateway.keeping import Keeping
from mes_engine.gateway.spool import Spool
from mes_engine.gateway.uplink import HttpUplink
from mes_engine.http.deadlines import PromptProtocol
from mes_engine.runtime.gateways import Gateways
from mes_engine.runtime.wanted import GatewayDevices
from mes_engine.web.app import LOOPBACK, create_app
from mes_engine.web.parts import GatewayDoor
from mes_engine.wire import MOST_REPORTS, Delivery, SpoolStatus, sensed_encoder

TOKEN = "bench"
LINKS = 20
GB = 1024**3


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Reports a second, by each way, and what the spool alone keeps."""

    straight: float
    over_http: float
    through: float
    spool_alone: float
    spool_drained: float


async def ways(folder: Path, *, reports: int) -> Ways:
    """Measure each way with ``reports`` reports of ``LINKS`` links."""
    async with _engine(folder / "straight") as (core, _):
        some = list(_reports(reports))
        began = perf_counter()
        for at in range(0, reports, MOST_REPORTS):
            await core.engine.deliver(some[at : at + MOST_REPORTS])
        straight = reports / (perf_counter() - began)
    async with _engine(folder / "http") as (_, url):
        uplink = HttpUplink(url, "bench", TOKEN)
        began = perf_counter()
        for at in range(0, reports, MOST_REPORTS):
            batch = some[at : at + MOST_REPORTS]
            raw = tuple(msgspec.Raw(sensed_encoder.encode(one)) for one in batch)
            await uplink.deliver(_delivery(raw))
        over_http = reports / (perf_counter() - began)
        await uplink.close()
    through, alone, drained = await _through(folder / "through", some)
    return Ways(
        straight=straight,
        over_http=over_http,
        through=through,
        spool_alone=alone,
        spool_drained=drained,
    )


async def _through(folder: Path, some: list[Sensed]) -> tuple[float, float, float]:
    """Keep everything, as links that wait for the disk; then deliver it; then both."""
    async with _engine(folder) as (_, url):
        uplink = HttpUplink(url, "bench", TOKEN)
        keeping = _keeping(folder / "spool.db")
        async with asyncio.TaskGroup() as tasks:
            parts = [tasks.create_task(keeping.run())]
            half = len(some) // 2
            began = perf_counter()
            await _keep(keeping, some[:half])
            alone = half / (perf_counter() - began)
            delivering = Delivering(
                keeping,
                uplink,
                instance=1,
                links=lambda: tuple(_link(n) for n in range(LINKS)),
                plant=lambda: "",
                heard=lambda _: None,
            )
            began = perf_counter()
            parts.append(tasks.create_task(delivering.run()))
            await _emptied(keeping)
            drained = half / (perf_counter() - began)
            began = perf_counter()
            await _keep(keeping, some[half:])
            await _emptied(keeping)
            through = (len(some) - half) / (perf_counter() - began)
            for one in parts:
                one.cancel()
        keeping.close()
        await uplink.close()
    return through, alone, drained


async def _keep(keeping: Keeping, some: list[Sensed]) -> None:
    """Have each link keep its own, one after the other, all links at once."""

    async def one_link(mine: list[Sensed]) -> None:
        for one in mine:
            await keeping.keep(one)

    async with asyncio.TaskGroup() as tasks:
        for n in range(LINKS):
            mine = [one for one in some if one.source == _link(n)]
            tasks.create_task(one_link(mine))


async def _emptied(keeping: Keeping) -> None:
    while (await keeping.status()).waiting:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.001)


def _keeping(path: Path) -> Keeping:
    spool = Spool(path, limit_bytes=GB)
    return Keeping(spool, measurements=(), clock=_now, most_age_us=10**15)


@asynccontextmanager
async def _engine(folder: Path) -> AsyncIterator[tuple[Core, str]]:
    """Run an engine and its web; return where it is."""
    await asyncio.to_thread(folder.mkdir)
    stopping = asyncio.Event()
    async with running_engine(f"sqlite:///{folder / 'mes.db'}") as core:
        await apply_plant(core, _plant())
        gateways = Gateways(
            core.engine,
            links=[_link(n) for n in range(LINKS)],
            plant="",
            clock=core.clock,
            monotonic=monotonic,
        )
        devices = GatewayDevices(gateways, started_at=1)
        app = create_app(
            engine=core.engine,
            database=core.database,
            feed=core.feed,
            clock=core.clock,
            stopping=stopping,
            hosts=LOOPBACK,
            gateways=GatewayDoor(intake=gateways, downlink=devices, token=TOKEN),
        )
        server = Server(
            uvicorn.Config(app, http=PromptProtocol, log_config=None, access_log=False)
        )
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(serve(server, listener, {}, stopping))
                await server.is_up.wait()
                yield core, f"http://127.0.0.1:{listener.getsockname()[1]}"
                stopping.set()


def _reports(count: int) -> Iterator[Sensed]:
    """Count pieces on every link in turn: each report is a change, and a fact."""
    for n in range(count):
        link, number = _link(n % LINKS), n // LINKS + 1
        sample = Sample(
            tag=f"u{n % LINKS}.good",
            value=number,
            quality=Quality.GOOD,
            source_at=None,
            received_at=_now(),
        )
        yield Sensed(source=link, epoch=1, n=number, report=sample)


def _delivery(raw: tuple[msgspec.Raw, ...]) -> Delivery:
    return Delivery(
        instance=1,
        links=tuple(_link(n) for n in range(LINKS)),
        plant="",
        status=SpoolStatus(),
        reports=raw,
    )


def _plant() -> Plant:
    units = tuple(
        WorkUnit(id=f"u{n}", work_center="W", name="u", classes=("c",))
        for n in range(LINKS)
    )
    signals = tuple(
        Signal(
            tag=f"u{n}.good",
            link=_link(n),
            work_unit=f"u{n}",
            means=SignalMeaning.GOOD_COUNT,
        )
        for n in range(LINKS)
    )
    return Plant(
        site="bench",
        name="Benchmark",
        zone="UTC",
        finished_location="F",
        receiving_location="R",
        areas=("a",),
        classes=(EquipmentClass(id="c", name="c"),),
        work_centers=(WorkCenter(id="W", area="a", name="W"),),
        work_units=units,
        signals=signals,
    )


def _link(n: int) -> str:
    return f"l{n}"


def _now() -> int:
    return time_ns() // 1_000


def main() -> int:
    """Print each round, and the medians of the ratios."""
    tune_interpreter()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateways")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reports", type=int, default=10_000)
    asked = parser.parse_args()
    print("round  straight/s  over HTTP/s  by way of the spool/s  spool alone/s")
    found = []
    for number in range(1, asked.rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            one = asyncio.run(ways(Path(folder), reports=asked.reports))
        found.append(one)
        print(
            f"{number:5}  {one.straight:10.0f}  {one.over_http:11.0f}  "
            f"{one.through:21.0f}  {one.spool_alone:13.0f}"
        )
    http = statistics.median(one.over_http / one.straight for one in found)
    through = statistics.median(one.through / one.straight for one in found)
    drained = statistics.median(one.spool_drained / one.straight for one in found)
    print(f"over HTTP / straight: {http:.2f} (median of the rounds' ratios)")
    print(f"by way of the spool / straight: {through:.2f}")
    print(f"a full spool drained / straight: {drained:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
