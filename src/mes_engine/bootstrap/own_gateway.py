"""The gateway beside the engine: a child process, started again when it ends.

It gets the environment without what only ``site.yaml`` names, such as the way to the
database, and a token that was made for it.
"""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from mes_engine.runtime.pace import BackOff, Monotonic
from mes_engine.settings import GatewaySettings

log = structlog.stdlib.get_logger()

NAME = "local"
TOKEN = "MES_GATEWAY_TOKEN"  # noqa: S105 - the variable's name
STOP_S = 3.0
STEADY_S = 30.0
"""A life that lasted so long was a good one: the next pause is short again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnGateway:
    """How ``mes run`` starts its gateway.

    Attributes:
        config: The folder with ``plant.yaml``.
        folder: The gateway's own.
        settings: Its limits.
        token: What the engine lets it in by.
        hidden: The variables of the environment that it does not get.
    """

    config: Path
    folder: Path
    settings: GatewaySettings
    token: str
    hidden: frozenset[str]

    def command(self, url: str) -> list[str]:
        """Return the command that starts it for the engine at ``url``."""
        limits = self.settings
        return [
            *(sys.executable, "-m", "mes_engine"),
            *("--log-level", "INFO", "gateway", "--id", NAME, "--engine", url),
            *("--config", str(self.config), "--folder", str(self.folder)),
            *("--memory-mb", str(limits.memory_mb)),
            *("--spool-mb", str(limits.spool_mb)),
            *("--spool-hours", str(limits.spool_hours)),
            *("--parent", str(os.getpid())),
        ]

    def environment(self, ours: Mapping[str, str]) -> dict[str, str]:
        """Return what of our environment it gets."""
        shared = {name: text for name, text in ours.items() if name not in self.hidden}
        return {**shared, TOKEN: self.token}


async def keep_running(
    gateway: OwnGateway,
    url: str,
    *,
    stopping: asyncio.Event,
    monotonic: Monotonic,
    back_off: BackOff | None = None,
) -> None:
    """Run the gateway, and start it again when it ends, until ``stopping``.

    Its log goes where ours goes.
    """
    pause = back_off or BackOff(first_s=0.25, longest_s=30.0)
    while not stopping.is_set():
        began = monotonic()
        child = await asyncio.create_subprocess_exec(
            *gateway.command(url),
            stdin=asyncio.subprocess.DEVNULL,
            env=gateway.environment(os.environ),
        )
        try:
            code = await _ended(child, stopping)
        finally:
            await _stop(child)
        if code is None:
            return
        log.error("gateway_ended", gateway=NAME, exit_code=code)
        if monotonic() - began >= STEADY_S:
            pause.reset()
        async with asyncio.TaskGroup() as tasks:
            waiting = [
                tasks.create_task(pause.wait()),
                tasks.create_task(_set(stopping)),
            ]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for one in waiting:
                one.cancel()


async def _ended(child: Process, stopping: asyncio.Event) -> int | None:
    """Return the exit code; None if we are stopping before it ends."""
    async with asyncio.TaskGroup() as tasks:
        ending = tasks.create_task(child.wait())
        stop = tasks.create_task(_set(stopping))
        await asyncio.wait([ending, stop], return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        stop.cancel()
    return child.returncode


async def _set(stopping: asyncio.Event) -> None:
    await stopping.wait()


async def _stop(child: Process) -> None:
    """Have the child end, in order if it can."""
    if child.returncode is not None:
        return
    with suppress(ProcessLookupError):
        child.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()
