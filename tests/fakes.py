"""Working stand-ins for the ports. ``tests/contracts`` holds them to the same rules."""

from collections.abc import Sequence

from mes_engine.core.evolve import evolve
from mes_engine.core.facts import CommandHandled, Recorded
from mes_engine.core.messages import Answer
from mes_engine.core.state import State
from mes_engine.ports import DuplicateKey, StoreUnavailable


class InMemoryStore:
    """A journal in a list.

    Attributes:
        journal: Every fact that was committed.
        is_down: Set it to have every commit fail.
    """

    def __init__(self, partition: str = "main") -> None:
        self.journal: list[Recorded] = []
        self.is_down = False
        self._partition = partition
        self._handled: dict[tuple[str, str], CommandHandled] = {}

    async def load(self) -> State:
        """Return everything, as it was last committed."""
        state = State(self._partition)
        for recorded in self.journal:
            evolve(state, recorded)
        return state

    async def commit(self, records: Sequence[Recorded], layer: State) -> None:
        """Keep the facts, all or none."""
        if self.is_down:
            raise StoreUnavailable("it was told to be down")
        handled = {
            (one.fact.origin, one.fact.key): one.fact
            for one in records
            if isinstance(one.fact, CommandHandled)
        }
        if handled.keys() & self._handled.keys():
            raise DuplicateKey("a command was handled before")
        self._handled |= handled
        self.journal.extend(records)

    async def reached(self) -> int:
        """Return the seq of the last fact."""
        return len(self.journal)

    async def handled(self, origin: str, key: str) -> tuple[str, Answer] | None:
        """Return digest and answer of the command with this key, if there is one."""
        found = self._handled.get((origin, key))
        return None if found is None else (found.digest, found.answer)
