"""The inbox: what waits for the engine. Bounded, so that overload is seen and said."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from mes_engine.core.errors import MesError, Overloaded
from mes_engine.core.messages import Answer, Commanded, Sensed

CAPACITY = 10_000
KEPT_FOR_COMMANDS = 1_000
BATCH_MAX = 500


@dataclass(slots=True, eq=False)
class Waiting:
    """A message on its way through the engine.

    Attributes:
        answer: Where its sender waits; None if nobody does.
        failure: Why it could not be handled: it is to be set aside.
    """

    message: Commanded | Sensed
    answer: asyncio.Future[Answer] | None = None
    failure: Exception | None = None

    def tell(self, outcome: Answer | MesError) -> None:
        """Answer whoever waits; only the first answer counts."""
        if self.answer is None or self.answer.done():
            return
        if isinstance(outcome, MesError):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class Inbox:
    """Messages in the order in which they came in.

    A command that finds it full is refused at once. What is sensed waits for room, and
    leaves some for people: a plant full of chattering machines can still be operated.
    """

    def __init__(
        self, *, capacity: int = CAPACITY, kept_for_commands: int = KEPT_FOR_COMMANDS
    ) -> None:
        self.capacity = capacity
        self.taken = 0
        self.overloads = 0
        self._waiting: deque[Waiting] = deque()
        self._arrived = asyncio.Event()
        self._most_sensed = capacity - kept_for_commands
        self._sensed = 0
        self._room_for_sensed = asyncio.Semaphore(self._most_sensed)
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put_command(self, waiting: Waiting) -> None:
        """Take a command.

        Raises:
            Overloaded: There is no room, or the engine is stopping.
        """
        if self._is_closed or len(self._waiting) >= self.capacity:
            self.overloads += 1
            raise overloaded(is_stopping=self._is_closed)
        self._append(waiting)

    async def put_sensed(self, waiting: Waiting) -> None:
        """Take what was sensed, once there is room.

        Raises:
            Overloaded: The engine is stopping.
        """
        await self._room_for_sensed.acquire()
        if self._is_closed:
            self._room_for_sensed.release()
            raise overloaded(is_stopping=True)
        self._sensed += 1
        self._append(waiting)

    async def put_delivered(self, some: Sequence[Waiting]) -> None:
        """Take all that was sensed elsewhere, or nothing.

        Raises:
            Overloaded: There is no room for it, or the engine is stopping.
        """
        if self._is_closed or self._sensed + len(some) > self._most_sensed:
            self.overloads += 1
            raise overloaded(is_stopping=self._is_closed)
        for one in some:
            await self.put_sensed(one)

    async def take(self, at_most: int = BATCH_MAX) -> list[Waiting]:
        """Wait for a message, then take all there is; nothing once closed and empty."""
        while not self._waiting:
            if self._is_closed:
                return []
            self._arrived.clear()
            await self._arrived.wait()
        count = min(at_most, len(self._waiting))
        batch = [self._waiting.popleft() for _ in range(count)]
        self._took(batch)
        return batch

    def take_commands(self) -> list[Waiting]:
        """Take every command out, leaving what was sensed in its order."""
        commands = [one for one in self._waiting if isinstance(one.message, Commanded)]
        if commands:
            kept = (one for one in self._waiting if isinstance(one.message, Sensed))
            self._waiting = deque(kept)
            self._took(commands)
        return commands

    def take_all(self) -> list[Waiting]:
        """Take everything out."""
        every = list(self._waiting)
        self._waiting.clear()
        self._took(every)
        return every

    def close(self) -> None:
        """Take in nothing more; what is there can still be taken out."""
        self._is_closed = True
        self._arrived.set()

    def _append(self, waiting: Waiting) -> None:
        self._waiting.append(waiting)
        self._arrived.set()

    def _took(self, batch: list[Waiting]) -> None:
        self.taken += len(batch)
        for one in batch:
            if isinstance(one.message, Sensed):
                self._sensed -= 1
                self._room_for_sensed.release()


def overloaded(*, is_stopping: bool) -> Overloaded:
    """Return the error that says so: nothing was taken."""
    if is_stopping:
        return Overloaded(
            "The engine is stopping.", hint="Send it again, with the same key, soon."
        )
    return Overloaded(
        "The engine has more to do than it can keep.",
        hint="Send it again, with the same key, in a second.",
    )
