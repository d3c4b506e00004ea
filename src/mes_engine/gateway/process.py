"""Put a gateway together, run it, and end it in order."""

import asyncio
import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from mes_engine.core.errors import MesError, SettingsError
from mes_engine.gateway.aside import SPOOL
from mes_engine.gateway.blame import Marks, living, marking
from mes_engine.gateway.calls import calls_of
from mes_engine.gateway.delivering import Delivering
from mes_engine.gateway.doing import Doing
from mes_engine.gateway.keeping import Keeping
from mes_engine.gateway.limits import EXIT_MEMORY, Watchdog, end_with_parent
from mes_engine.gateway.links import Links, measurements_of
from mes_engine.gateway.recording import Recorder, recording
from mes_engine.gateway.spool import Spool
from mes_engine.gateway.uplink import HttpUplink
from mes_engine.ports import AdapterSpec
from mes_engine.settings import LinkFile, digest_of, load_links
from mes_engine.wire import Delivered

log = structlog.stdlib.get_logger()

MB = 1024 * 1024
HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOptions:
    """How to run a gateway.

    Attributes:
        id: Its name; the engine tells gateways apart by it.
        engine: The URL of the engine's web.
        token: What the engine lets it in by.
        config: The folder with ``plant.yaml``.
        folder: Its own, for its spool.
        links: Which links to run; None for all of the plant.
        memory_mb: It ends where it takes more.
        spool_mb: What may wait on its disk.
        spool_hours: Older measurements are thinned out.
        parent: The process that it ends with; None for none.
        record: Where to write down all that its links say; None for nowhere.
    """

    id: str
    engine: str
    token: str
    config: Path
    folder: Path
    links: frozenset[str] | None = None
    memory_mb: int = 512
    spool_mb: int = 512
    spool_hours: float = 72
    parent: int | None = None
    record: Path | None = None


async def run_gateway(
    options: GatewayOptions,
    *,
    adapters: Mapping[str, AdapterSpec],
    environment: Mapping[str, str],
) -> None:
    """Run a gateway until the process is told to end (SIGTERM, SIGINT).

    Raises:
        SettingsError: The plant's file or the folder cannot be used.
        Refused: Another gateway feeds one of its links, or it was started elsewhere.
    """
    if options.parent is not None:
        end_with_parent(options.parent)
    watchdog = Watchdog(options.memory_mb * MB, monotonic=time.monotonic)
    watchdog.start()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)

    def read() -> LinkFile:
        return load_links(options.config, environment=environment, adapters=adapters)

    try:
        with (
            structlog.contextvars.bound_contextvars(gateway=options.id),
            _sole_user(options.folder),
            recording(options.record) as recorder,
            living(options.folder) as marks,
        ):
            watchdog.marks = marks
            loop.set_task_factory(marking(marks))
            await _run(
                options,
                adapters=adapters,
                read=read,
                recorder=recorder,
                watchdog=watchdog,
                marks=marks,
                stopping=stopping,
            )
    except MemoryError:
        os._exit(EXIT_MEMORY)
    finally:
        watchdog.stop()


async def _run(
    options: GatewayOptions,
    *,
    adapters: Mapping[str, AdapterSpec],
    read: Callable[[], LinkFile],
    recorder: Recorder | None,
    watchdog: Watchdog,
    marks: Marks,
    stopping: asyncio.Event,
) -> None:
    file = read()
    keeping = Keeping(
        Spool(options.folder / SPOOL, limit_bytes=options.spool_mb * MB),
        measurements=measurements_of(file),
        clock=_wall_clock,
        most_age_us=int(options.spool_hours * HOUR_US),
    )
    uplink = HttpUplink(options.engine, options.id, options.token)
    try:
        life = await keeping.begin_life(blamed=marks.blamed)
        if marks.blamed is not None:
            log.error("life_ended_by_link", link=marks.blamed)
        links = Links(
            keeping,
            life,
            adapters=adapters,
            chosen=options.links,
            clock=_wall_clock,
            recorder=recorder,
            marks=marks,
        )
        news = _PlantNews(options.config, file.digest)
        delivering = Delivering(
            keeping,
            uplink,
            instance=life.epoch,
            links=links.names,
            plant=lambda: links.digest,
            heard=news.hear,
            left_alone=lambda: links.left_alone,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(keeping.run())
            await links.use(file, tasks)
            log.info("gateway_started", links=list(links.names()), epoch=life.epoch)
            tasks.create_task(delivering.run())
            tasks.create_task(
                Doing(
                    links, uplink, instance=life.epoch, calls=calls_of(links, links)
                ).run()
            )
            tasks.create_task(links.tell_thinned())
            tasks.create_task(links.carry_out_fates())
            tasks.create_task(_follow(news, read, links, tasks))
            tasks.create_task(_tick(watchdog))
            tasks.create_task(_end(stopping))
    except BaseExceptionGroup as group:
        _raise_one(group)
    finally:
        await uplink.close()
        keeping.close()


class _Ended(Exception):
    """The process was told to end."""


async def _end(stopping: asyncio.Event) -> None:
    await stopping.wait()
    log.info("stopping")
    raise _Ended


async def _tick(watchdog: Watchdog) -> None:
    while True:
        watchdog.seen()
        await asyncio.sleep(1)


def _raise_one(group: BaseExceptionGroup[BaseException]) -> None:
    """Raise what ended the gateway; nothing, if it was told to end."""
    errors = list(_leaves(group))
    for error in errors:
        if isinstance(error, MemoryError | MesError):
            raise error from None
    others = [one for one in errors if not isinstance(one, _Ended)]
    if others:
        raise group


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for one in group.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from _leaves(one)
        else:
            yield one


class _PlantNews:
    """Notices that the engine has read another ``plant.yaml``, and that it is here."""

    def __init__(self, config: Path, digest: str) -> None:
        self.digest = digest
        self.changed = asyncio.Event()
        self._config = config
        self._is_told = False

    def hear(self, answer: Delivered) -> None:
        """Compare the engine's plant with ours."""
        if answer.plant == self.digest:
            self._is_told = False
            return
        try:
            is_here = digest_of(self._config) == answer.plant
        except OSError:
            is_here = False
        if is_here:
            self.changed.set()
        elif not self._is_told:
            self._is_told = True
            log.warning(
                "plant_differs", hint="Copy the engine's plant.yaml to this gateway."
            )


async def _follow(
    news: _PlantNews,
    read: Callable[[], LinkFile],
    links: Links,
    tasks: asyncio.TaskGroup,
) -> None:
    """Run the links anew that a changed plant has changed."""
    while True:
        await news.changed.wait()
        news.changed.clear()
        try:
            file = await asyncio.to_thread(read)
            await links.use(file, tasks)
        except SettingsError as error:
            log.error("plant_unusable", reason=str(error))
        else:
            news.digest = file.digest
            log.info("plant_changed", links=list(links.names()))


@contextmanager
def _sole_user(folder: Path) -> Iterator[None]:
    """Be the only gateway in this folder.

    Raises:
        SettingsError: There is another one, or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "gateway.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise SettingsError(
            f"The gateway's folder {folder} cannot be used: {error.strerror}."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SettingsError(
            f"Another gateway runs in {folder}.",
            hint="End it first, or give this one a folder of its own.",
        ) from error
    else:
        yield
    finally:
        os.close(lock)


def _wall_clock() -> int:
    return time.time_ns() // 1_000
