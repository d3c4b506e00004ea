"""One question at a time on a channel, and its own answer or none.

Over TCP an answer carries the number of its question. On a serial line it carries unit,
function and length only. So we remember there what was asked and never answered, leave
such a unit alone for as long as an answer may be late, and believe no answer that may
be one of those.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from structlog.stdlib import BoundLogger

from mes_adapters.modbus.channel import Channel
from mes_adapters.modbus.wire import (
    Frame,
    Partial,
    Question,
    fits,
    from_rtu,
    from_tcp,
    is_write,
    to_rtu,
    to_tcp,
)
from mes_engine.core.errors import SourceLost

LAST_TRANSACTION = 65_535
IDLE_S = 1.0
"""A connection that was not used for so long may have been closed for that."""
GAP_S = 0.05
"""No byte for so long: what was being sent has ended."""
LATE_TIMES = 10
"""An answer that is later than declared is reckoned with for so many times as long."""


class NoAnswer(Exception):
    """A question has no answer that can be believed. The line may be asked again."""


class _Closed(Exception):
    """The other end closed before it answered."""


Open = Callable[[], Awaitable[Channel]]


class Line(ABC):
    """A way to the units, opened and closed; ``ask`` is one exchange."""

    def __init__(self, name: str, opens: Open, log: BoundLogger) -> None:
        self.name = name
        self._opens = opens
        self._log = log
        self._lock = asyncio.Lock()
        self._channel: Channel | None = None
        self._has_answered = False
        self._answered_at = 0.0

    async def open(self) -> None:
        """Open the channel."""
        self._channel = await self._opens()
        self._has_answered = False

    async def close(self) -> None:
        """Close the channel."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    @property
    def is_open(self) -> bool:
        """Whether there is a channel."""
        return self._channel is not None

    def free_at(self, unit: int) -> float:
        """Return when ``unit`` may be asked, by the loop's clock."""
        return 0.0

    async def ask(self, question: Question, *, timeout_s: float) -> bytes:
        """Ask, and return the PDU of the answer, which may be an exception.

        A device that closes a connection because it was idle is connected to again,
        and a read is asked again; a write is not, for it may have been carried out.

        Raises:
            NoAnswer: There was none in time, or none that can be believed.
            SourceLost: The channel is of no more use.
        """
        async with self._lock:
            channel = self._opened()
            was_idle = self._has_answered and _now() - self._answered_at >= IDLE_S
            if channel.is_lost and was_idle:
                channel = await self._again()
            try:
                answer = await self._exchange(channel, question, timeout_s)
            except _Closed as closed:
                if is_write(question) or not was_idle:
                    text = f"{self.name} closed the connection."
                    raise SourceLost(text) from closed
                answer = await self._asked_again(question, timeout_s)
            self._has_answered, self._answered_at = True, _now()
            return answer

    def _opened(self) -> Channel:
        if self._channel is None:
            raise SourceLost(f"{self.name} is not connected.")
        return self._channel

    async def _again(self) -> Channel:
        await self.close()
        await self.open()
        return self._opened()

    async def _asked_again(self, question: Question, timeout_s: float) -> bytes:
        channel = await self._again()
        try:
            return await self._exchange(channel, question, timeout_s)
        except _Closed as closed:
            raise SourceLost(f"{self.name} closes each connection.") from closed

    @abstractmethod
    async def _exchange(
        self, channel: Channel, question: Question, timeout_s: float
    ) -> bytes:
        """Ask once on a channel, and return the answer to this very question."""


class TcpLine(Line):
    """Modbus TCP: an answer has the number of its question."""

    def __init__(self, name: str, opens: Open, log: BoundLogger) -> None:
        super().__init__(name, opens, log)
        self._transaction = 0

    async def _exchange(
        self, channel: Channel, question: Question, timeout_s: float
    ) -> bytes:
        self._transaction = self._transaction % LAST_TRANSACTION + 1
        channel.send(to_tcp(question, self._transaction))
        until = asyncio.get_running_loop().time() + timeout_s
        while True:
            found = from_tcp(bytes(channel.received))
            if isinstance(found, Frame):
                del channel.received[: found.size]
                if found.transaction != self._transaction:
                    continue  # an answer that came too late
                if not fits(question, found.unit, found.pdu):
                    raise SourceLost(f"{self.name} answers what was not asked.")
                return found.pdu
            if found is Partial.NOISE:
                raise SourceLost(f"{self.name} sends what is no Modbus TCP.")
            if channel.is_lost:
                raise _Closed
            if not await channel.more(until):
                if channel.received:
                    raise SourceLost(f"{self.name} sent half an answer.")
                raise NoAnswer(f"no answer within {timeout_s:g} s")


@dataclass(frozen=True, slots=True)
class _Late:
    """A question without an answer, which may come until ``until``."""

    question: Question
    until: float

    def may_be(self, pdu: bytes) -> bool:
        """Whether ``pdu`` of its unit looks like its answer."""
        return fits(self.question, self.question.unit, pdu)


class RtuLine(Line):
    """Modbus RTU: on a serial line, or carried as it is over TCP."""

    def __init__(
        self, name: str, opens: Open, log: BoundLogger, *, quiet_s: float
    ) -> None:
        super().__init__(name, opens, log)
        self._quiet_s = quiet_s
        self._late: defaultdict[int, list[_Late]] = defaultdict(list)
        self._free_at: dict[int, float] = {}
        self._tells_late = True

    def free_at(self, unit: int) -> float:
        """Return when an unanswered question to ``unit`` is answered no more."""
        return self._free_at.get(unit, 0.0)

    async def _exchange(
        self, channel: Channel, question: Question, timeout_s: float
    ) -> bytes:
        await self._settle(channel)
        channel.send(to_rtu(question))
        until = _now() + timeout_s
        late_s = LATE_TIMES * (timeout_s + self._quiet_s)
        while True:
            found = from_rtu(bytes(channel.received))
            if isinstance(found, Frame):
                del channel.received[: found.size]
                if fits(question, found.unit, found.pdu):
                    self._doubt(question, found)
                    return found.pdu
                self._was_late(found)
            elif found is Partial.NOISE:
                await _until_quiet(channel, self._quiet_s)
                channel.received.clear()
                self._unanswered(question, late_s)
                raise NoAnswer("an answer that was disturbed")
            elif channel.is_lost:
                self._unanswered(question, late_s)
                raise _Closed
            elif not await channel.more(until):
                channel.received.clear()
                self._unanswered(question, late_s)
                raise NoAnswer(f"no answer within {timeout_s:g} s")

    def _doubt(self, question: Question, found: Frame) -> None:
        """Believe no answer that may be the one to an earlier question.

        Raises:
            NoAnswer: It may be. One of the two is still to come, or never will: after
                a time of quiet none does.
        """
        now = _now()
        late = [one for one in self._late[found.unit] if one.until > now]
        if any(one.may_be(found.pdu) for one in late):
            self._late[found.unit].clear()
            self._unanswered(question, self._quiet_s)
            raise NoAnswer("an answer that may be an earlier question's")
        self._late[found.unit] = late

    async def _settle(self, channel: Channel) -> None:
        """Take away what came unasked, once it has ended."""
        if not channel.received:
            return
        await _until_quiet(channel, self._quiet_s)
        while isinstance(found := from_rtu(bytes(channel.received)), Frame):
            del channel.received[: found.size]
            self._was_late(found)
        channel.received.clear()

    def _was_late(self, found: Frame) -> None:
        """Hear an answer to none, or to an earlier question."""
        late = self._late[found.unit]
        for at, one in enumerate(late):
            if one.may_be(found.pdu):
                del late[at]
                if self._tells_late:
                    self._tells_late = False
                    hint = "Raise timeout_s above what the device takes."
                    self._log.warning("answer_late", unit=found.unit, hint=hint)
                return

    def _unanswered(self, question: Question, late_s: float) -> None:
        now = _now()
        self._late[question.unit].append(_Late(question, now + late_s))
        self._free_at[question.unit] = now + self._quiet_s


async def _until_quiet(channel: Channel, longest_s: float) -> None:
    until = _now() + longest_s
    while not channel.is_lost and _now() < until:
        if not await channel.more(_now() + GAP_S):
            return


def _now() -> float:
    return asyncio.get_running_loop().time()
