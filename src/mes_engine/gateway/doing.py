"""Do to devices what the engine wants: each once, and say what became of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

import structlog

from mes_engine.core.errors import (
    Malformed,
    MesError,
    NotFound,
    OutcomeUnknown,
    Overloaded,
    Refused,
    SourceLost,
)
from mes_engine.ports import Devices, Uplink
from mes_engine.runtime.pace import BackOff
from mes_engine.wire import Called, Failed, Settled, Wanted, Write, Written

log = structlog.stdlib.get_logger()

Callee = Callable[[str, Any], Awaitable[Any]]
"""Does a call to the device of a link, with its arguments; the result is plain data."""

TELL_S = 60.0
"""So long an outcome is told again; nobody waits for it any more then."""


class Doing:
    """Asks the engine what it wants, for one life of the gateway.

    Args:
        devices: Those of the links that run here.
        uplink: Where to ask.
        instance: Of this life.
        calls: What can be called besides writing, by the method's name.
    """

    def __init__(
        self,
        devices: Devices,
        uplink: Uplink,
        *,
        instance: int,
        calls: Mapping[str, Callee] = MappingProxyType({}),
    ) -> None:
        self._devices = devices
        self._calls = calls
        self._uplink = uplink
        self._instance = instance

    async def run(self) -> None:
        """Ask and do, for as long as the gateway works."""
        back_off = BackOff(first_s=0.1, longest_s=5.0)
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    wishes = await self._uplink.wanted(self._instance)
                except MesError as error:
                    # Whether we are still wanted at all, delivering finds out.
                    log.debug("wishes_unasked", reason=str(error))
                    await back_off.wait()
                    continue
                back_off.reset()
                for one in wishes:
                    tasks.create_task(self._do(one))

    async def _do(self, wanted: Wanted) -> None:
        outcome = await self._outcome(wanted)
        settled = Settled(instance=self._instance, outcome=outcome)
        back_off = BackOff(first_s=0.1, longest_s=5.0)
        try:
            async with asyncio.timeout(TELL_S):
                while True:
                    try:
                        await self._uplink.settle(wanted.id, settled)
                    except (SourceLost, Overloaded, OutcomeUnknown):
                        await back_off.wait()
                    else:
                        return
        except (TimeoutError, MesError) as error:
            log.warning("outcome_untold", wish=wanted.id, reason=str(error))

    async def _outcome(self, wanted: Wanted) -> Written | Called | Failed:
        try:
            async with asyncio.timeout(wanted.within_s):
                return await self._done(wanted)
        except TimeoutError:
            return Failed(
                kind=OutcomeUnknown.__name__,
                message=f"The device did not answer within {wanted.within_s:.1f} s.",
                hint="Look at the device before doing it again.",
            )
        except (Refused, Malformed, NotFound, SourceLost, OutcomeUnknown) as error:
            return Failed(
                kind=type(error).__name__, message=error.message, hint=error.hint
            )
        except Exception as error:
            log.exception("wish_failed", wish=wanted.id, link=wanted.link)
            return Failed(
                kind=OutcomeUnknown.__name__,
                message=f"The link failed with {type(error).__name__}.",
                hint="Look at the device before doing it again.",
            )

    async def _done(self, wanted: Wanted) -> Written | Called:
        if isinstance(wanted.what, Write):
            one = wanted.what
            done = await self._devices.write(
                wanted.link, one.tag, one.value, expect=one.expect
            )
            return Written(value=done.value, at=done.at, is_verified=done.is_verified)
        call = self._calls.get(wanted.what.method)
        if call is None:
            raise NotFound(f"'{wanted.what.method}' is nothing that a link can do.")
        return Called(result=await call(wanted.link, wanted.what.arguments))
