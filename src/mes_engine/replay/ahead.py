"""Hand commands in by the hundred, though each depends on what the last one did.

A commit costs what it costs, and a log is thousands of commands. But the core is pure:
what the engine will answer is known before it is asked. So commands are decided here on
a layer of our own, handed in together, and the engine's answers held against ours.
"""

import asyncio
from collections.abc import Sequence

from sqlalchemy import Connection, select

from mes_engine.bootstrap import Core
from mes_engine.core.decide import decide
from mes_engine.core.messages import KEPT, Answer, Commanded
from mes_engine.core.state import State
from mes_engine.runtime.batch import answer_again
from mes_engine.storage.tables import handled

TOGETHER = 400


class Ahead:
    """The state as it will be once everything that was put is committed.

    Attributes:
        state: For reading.
    """

    def __init__(
        self, core: Core, handled_before: dict[str, tuple[str, Answer]]
    ) -> None:
        self.state: State = core.engine.committed.layer()
        self._core = core
        self._handled = handled_before
        self._put: list[tuple[Commanded, Answer]] = []

    @classmethod
    async def of(cls, core: Core, origin: str) -> "Ahead":
        """Begin where the engine is, knowing what it has handled for ``origin``."""
        columns = (handled.c.key, handled.c.digest, handled.c.answer)
        query = select(*columns).where(handled.c.origin == origin)

        def work(connection: Connection) -> dict[str, tuple[str, Answer]]:
            rows = connection.execute(query)
            return {key: (digest, answer) for key, digest, answer in rows}

        return cls(core, await core.database.read(work))

    def is_handled(self, key: str) -> bool:
        """Whether a command with this key has an answer that is kept."""
        return key in self._handled

    def answer(self, key: str) -> Answer | None:
        """Return the answer that is kept under this key."""
        known = self._handled.get(key)
        return None if known is None else known[1]

    def put(self, messages: Sequence[Commanded]) -> list[Answer]:
        """Decide ``messages`` one upon the other, and return what the engine will say.

        All of them are of the origin that this began with.
        """
        answers = [self._decided(one) for one in messages]
        self._put.extend(zip(messages, answers, strict=True))
        return answers

    def is_full(self) -> bool:
        """Whether enough is put to be handed in."""
        return len(self._put) >= TOGETHER

    async def hand_in(self) -> None:
        """Have the engine do what was put; on return it is committed.

        Raises:
            Overloaded: The database takes no changes.
            OutcomeUnknown: It may have been done; replaying the log finds out.
        """
        put, self._put = self._put, []
        # They begin in the order in which they are given, so the inbox has it too.
        answers = await asyncio.gather(*(self._core.submit(one) for one, _ in put))
        for (message, expected), answer in zip(put, answers, strict=True):
            if answer != expected:
                raise AssertionError(
                    f"the engine answered {message.key} with {answer}, "
                    f"the core with {expected}"
                )
        self.state = self._core.engine.committed.layer()

    def _decided(self, message: Commanded) -> Answer:
        known = self._handled.get(message.key)
        if known is not None:
            return answer_again(message, *known)
        layer = self.state.layer()
        answer = decide(layer, message, now=self._core.clock()).answer
        layer.merge()
        if answer is None:
            raise TypeError("a command was decided without an answer")
        if answer.outcome in KEPT:
            self._handled[message.key] = (message.digest, answer)
        return answer
