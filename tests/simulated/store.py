"""The real store on a real file, which may be slow, fail, or take the engine down."""

import asyncio
from collections.abc import Sequence
from random import Random

from mes_engine.core.facts import Recorded
from mes_engine.core.messages import Answer
from mes_engine.core.state import State
from mes_engine.ports import CommitInDoubt, StoreUnavailable
from mes_engine.storage.store import SqlStore


class Crash(BaseException):
    """The process ends here, whatever it was doing."""


class FaultyStore:
    """``ports.WipStore`` with faults by chance.

    Attributes:
        is_calm: Set it to have no more faults.
        faults: How many there were, by name.
    """

    def __init__(self, store: SqlStore, rng: Random, *, share: float) -> None:
        self.is_calm = False
        self.faults: dict[str, int] = {}
        self._store = store
        self._rng = rng
        self._share = share

    async def load(self) -> State:
        """Return what is live."""
        return await self._store.load()

    async def commit(self, records: Sequence[Recorded], layer: State) -> None:
        """Write, after a while; or not; or write and not say so."""
        await asyncio.sleep(self._rng.expovariate(1 / 0.004))
        fault = self._fault("down", "crash_before", "crash_after", "in_doubt", "lost")
        match fault:
            case "down":
                raise StoreUnavailable(fault)
            case "lost":
                raise CommitInDoubt(fault)
            case "crash_before":
                raise Crash(fault)
        await self._store.commit(records, layer)
        match fault:
            case "crash_after":
                raise Crash(fault)
            case "in_doubt":
                raise CommitInDoubt(fault)
        await asyncio.sleep(self._rng.expovariate(1 / 0.001))

    async def reached(self) -> int:
        """Return how far it is written, or fail."""
        if self._fault("unreadable", "crash_asking") == "crash_asking":
            raise Crash("asking")
        return await self._store.reached()

    async def handled(self, origin: str, key: str) -> tuple[str, Answer] | None:
        """Return what is known of a command."""
        return await self._store.handled(origin, key)

    def _fault(self, *names: str) -> str | None:
        if self.is_calm or self._rng.random() >= self._share:
            return None
        name = self._rng.choice(names)
        self.faults[name] = self.faults.get(name, 0) + 1
        if name == "unreadable":
            raise StoreUnavailable(name)
        return name
