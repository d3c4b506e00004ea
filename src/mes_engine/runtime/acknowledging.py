"""Write what handshakes want written, and tell the engine once the device has it.

What is wanted is committed before anything is written, and stays wanted until the
device was read back. A write is tried again, because it is a level and not a pulse: the
same value once more changes nothing. Nothing that a machine asked for is done here.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from mes_engine.core.errors import (
    Malformed,
    NotFound,
    OutcomeUnknown,
    Refused,
    SourceLost,
    SourceMisconfigured,
)
from mes_engine.core.facts import HandshakeMoved, PlantApplied, Recorded
from mes_engine.core.machine_rules import HandshakeRule
from mes_engine.core.messages import RecordAcknowledgement
from mes_engine.core.signals import HandshakeState
from mes_engine.core.state import State
from mes_engine.ports import Devices, Submit
from mes_engine.runtime.delivery import told
from mes_engine.runtime.pace import BackOff, Clock

log = structlog.stdlib.get_logger()

ORIGIN = "handshakes"
WRITE_TIMEOUT_S = 30.0
APART_S = 0.1
"""Between two values of one tag: the machine has to see the first one."""


def device_back_off() -> BackOff:
    """Return the pauses of a handshake whose device does not take a write."""
    return BackOff(first_s=0.2, longest_s=5.0)


class NotWritten(Exception):
    """The device will not have it, and somebody has to see to that."""


class Acknowledging:
    """Writes what is committed and wanted, a handshake at a time.

    Attributes:
        written: How many writes were confirmed since it began.
    """

    def __init__(
        self,
        devices: Devices,
        *,
        committed: State,
        submit: Submit,
        clock: Clock,
        back_off: Callable[[], BackOff] = device_back_off,
        patience: Callable[[], BackOff] = device_back_off,
    ) -> None:
        self.written = 0
        self._devices = devices
        self._committed = committed
        self._submit = submit
        self._clock = clock
        self._back_off = back_off
        self._patience = patience
        self._busy: set[str] = set()
        self._due = {one.id: None for one in committed.handshake.values() if one.wanted}
        self._woken = asyncio.Event()

    def hear(self, records: Sequence[Recorded]) -> None:
        """Take note of a commit (a tap of the feed)."""
        for recorded in records:
            fact = recorded.fact
            if isinstance(fact, HandshakeMoved) and fact.handshake.wanted:
                self._due[fact.handshake.id] = None
                self._woken.set()
            elif isinstance(fact, PlantApplied):
                self._due.update(
                    (one.id, None)
                    for one in self._committed.handshake.values()
                    if one.wanted
                )
                self._woken.set()

    async def run(self) -> None:
        """Write for as long as the task lives."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                for name in [one for one in self._due if one not in self._busy]:
                    del self._due[name]
                    self._busy.add(name)
                    tasks.create_task(self._drain(name))
                self._woken.clear()
                await self._woken.wait()

    async def _drain(self, name: str) -> None:
        """Write until the handshake wants nothing more."""
        back_off = self._back_off()
        told = ""
        try:
            with structlog.contextvars.bound_contextvars(handshake=name):
                while (wanting := self._wanting(name)) is not None:
                    known, rule = wanting
                    try:
                        is_written = await self._write(known, rule)
                    except (SourceLost, OutcomeUnknown, TimeoutError) as lost:
                        if not told:
                            told = str(lost) or "It took too long."
                            log.warning("ack_not_written", reason=told)
                        await back_off.wait()
                    except NotWritten as refused:
                        if told != str(refused):
                            told = str(refused)
                            log.error("ack_refused", reason=told)
                            await self._record(known, reason=told)
                        await back_off.wait()
                    else:
                        if is_written and not await self._record(known):
                            await back_off.wait()
        finally:
            self._busy.discard(name)
            if name in self._due:
                self._woken.set()

    def _wanting(self, name: str) -> tuple[HandshakeState, HandshakeRule] | None:
        """Return what is wanted by now; None if nothing is, or the plant is another."""
        known = self._committed.handshake.get(name)
        if known is None or not known.wanted or not self._committed.has_plant:
            return None
        rule = self._committed.site.handshakes.get(name)
        return None if rule is None else (known, rule)

    async def _write(self, known: HandshakeState, rule: HandshakeRule) -> bool:
        """Write all of it, and read it back; False if it is not wanted any more.

        Raises:
            NotWritten: The device holds something else, or refuses.
        """
        seen: dict[str, object] = {}
        for one in known.wanted:
            if seen.get(one.tag, one.value) != one.value:
                await asyncio.sleep(max(APART_S, 2 * rule.debounce_us / 1_000_000))
            seen[one.tag] = one.value
            if self._committed.handshake.get(known.id) != known:
                return False
            try:
                async with asyncio.timeout(WRITE_TIMEOUT_S):
                    result = await self._devices.write(rule.link, one.tag, one.value)
            except (Refused, Malformed, NotFound, SourceMisconfigured) as refused:
                raise NotWritten(str(refused)) from refused
            if not result.is_verified:
                raise NotWritten(
                    f"{one.tag} was written as {one.value}, and holds {result.value}."
                )
        return True

    async def _record(self, known: HandshakeState, *, reason: str = "") -> bool:
        """Tell the engine what became of it; return whether it has taken it."""
        command = RecordAcknowledgement(
            handshake=known.id,
            boot=known.boot,
            key=known.key,
            phase=known.phase,
            is_written=not reason,
            reason=reason,
        )
        answer = await told(
            command,
            origin=ORIGIN,
            key=f"{known.id}/{known.phase}/{known.since}/{self._committed.seq}",
            at=self._clock(),
            submit=self._submit,
            back_off=self._patience(),
        )
        if answer is None:
            return False
        self.written += not reason
        return True
