"""A plant under one seed: engine, store, clock, links, terminals, and their faults."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from sqlalchemy import Connection, text

from mes_engine.core import messages as m
from mes_engine.core.decide import decide
from mes_engine.core.errors import OutcomeUnknown, Overloaded
from mes_engine.core.job_order import END_STATES, JobOrderState
from mes_engine.runtime.engine import Engine
from mes_engine.runtime.feed import Feed
from mes_engine.runtime.pace import BackOff
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore
from mes_engine.storage.verify import verify
from tests.core.plants import a_plant
from tests.core.whole_engine import WholeEngine
from tests.core.whole_floor import BLADES, a_blade, a_grant
from tests.databases import url_in
from tests.simulated.loop import InlineExecutor, VirtualLoop
from tests.simulated.machines import TAGS, Machines
from tests.simulated.people import Person
from tests.simulated.store import Crash, FaultyStore

BEGAN_AT = 1_700_000_000_000_000
S = 1_000_000


@dataclass(slots=True)
class Told:
    """What a simulated day came to."""

    lives: int = 0
    commands: int = 0
    facts: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    digest: str = ""


class World:
    """One plant, from its first start to a quiet end.

    Args:
        folder: With a database of the newest schema.
        seed: Decides everything.
        seconds: How long there is trouble, in virtual time.
    """

    def __init__(self, folder: Path, seed: int, *, seconds: float) -> None:
        self.told = Told()
        self._folder = folder
        self._rng = Random(seed)
        self._seconds = seconds
        self._skew = 0
        self._share = self._rng.choice([0.0, 0.01, 0.03, 0.06])
        self._people = [
            Person(name, Random(self._rng.random()), self.now)
            for name in ("Ana", "Bo", "Cem")
        ]
        self._machines = Machines(Random(self._rng.random()), self.now)

    def now(self) -> int:
        """Tell the time of the clock on the wall, which may be set."""
        return BEGAN_AT + int(asyncio.get_running_loop().time() * S) + self._skew

    def run(self) -> Told:
        """Live it, on a loop of its own."""
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(self._lived())

    async def _lived(self) -> Told:
        loop = asyncio.get_running_loop()
        while loop.time() < self._seconds:
            self.told.lives += 1
            async with self._opened() as database:
                with _until_it_crashes():
                    await self._life(database, self._seconds - loop.time())
            async with self._opened() as database:
                await self._check(database)
        async with self._opened() as database:
            await self._quiet_end(database)
            await self._check(database)
        self.told.commands = sum(len(one.answered) for one in self._people)
        accepted = sum((one.accepted for one in self._people), Counter())
        self.told.accepted = dict(sorted(accepted.items()))
        return self.told

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Database]:
        database = Database.open(url_in(self._folder), executor=InlineExecutor)
        try:
            yield database
        finally:
            await database.close()

    async def _life(self, database: Database, seconds: float) -> None:
        store = FaultyStore(SqlStore(database), self._rng, share=self._share)
        engine = await self._engine(store)
        try:
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(engine.run())
                await self._set_up(engine)
                others = [tasks.create_task(self._machines.tell(engine))]
                others += [tasks.create_task(one.work(engine)) for one in self._people]
                others.append(tasks.create_task(self._set_clocks()))
                await asyncio.sleep(seconds)
                for one in others:
                    one.cancel()
                engine.stop()
                await running
        finally:
            for name, count in store.faults.items():
                self.told.faults[name] = self.told.faults.get(name, 0) + count

    async def _engine(self, store: FaultyStore) -> Engine:
        return Engine(
            store,
            await store.load(),
            clock=self.now,
            feed=Feed(),
            decide=decide,
            back_off=BackOff(first_s=0.05, longest_s=1, chance=self._rng.random),
        )

    async def _set_up(self, engine: Engine) -> None:
        commands: list[m.Command] = [m.ApplyPlant(plant=a_plant())]
        commands += [m.ReleaseRouting(routing=one) for one in WholeEngine.routings]
        commands += [a_blade(one) for one in BLADES]
        commands += [m.RegisterPerson(person="Maria", name="Maria"), a_grant()]
        commands.append(
            m.ReleaseDocument(document="DOC-1", revision="A", title="How to")
        )
        for number, command in enumerate(commands):
            while engine.committed.handled.get(("setup", str(number))) is None:
                with suppress(Overloaded, OutcomeUnknown):
                    await engine.submit(self._of_setup(number, command))
                await asyncio.sleep(0.05)

    def _of_setup(self, number: int, command: m.Command) -> m.Commanded:
        return m.Commanded(
            origin="setup",
            key=str(number),
            digest="",
            person="setup",
            at=self.now(),
            command=command,
        )

    async def _set_clocks(self) -> None:
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / 5))
            self._skew += self._rng.choice([-3600, -1, 1, 3600]) * S

    async def _quiet_end(self, database: Database) -> None:
        """Have no more trouble, and hold every counter against what was counted."""
        store = FaultyStore(SqlStore(database), self._rng, share=0)
        engine = await self._engine(store)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(engine.run())
            await self._set_up(engine)
            telling = tasks.create_task(self._machines.tell(engine))
            await asyncio.sleep(5)
            telling.cancel()
            await self._machines.tell_all(engine)
            engine.stop()
            await running
        for tag in TAGS:
            unit, role = tag.split(".")
            tally = engine.committed.machine_tally.get((unit, role))
            factor = engine.committed.site.signals[tag].factor
            counted = 0 if tally is None else tally.counted
            assert counted == self._machines.made[tag] * factor, tag

    async def _check(self, database: Database) -> None:
        """What is on disk is sound, and has all that was acknowledged, once."""
        report = await database.read(verify)
        assert report.is_sound, [str(one) for one in report.problems[:5]]
        await database.read(self._check_answers)
        self.told.facts = report.facts
        self.told.digest = await database.read(_digest)

    def _check_answers(self, connection: Connection) -> None:
        rows = connection.execute(text("SELECT origin, key, answer FROM handled"))
        kept = {(row.origin, row.key): row.answer for row in rows}
        twice = connection.execute(
            text(
                "SELECT body ->> 'key' AS key FROM fact WHERE type = 'command_handled' "
                "GROUP BY body ->> 'origin', body ->> 'key' HAVING count(*) > 1"
            )
        ).all()
        assert not twice, f"{[row.key for row in twice]} were handled twice"
        for person in self._people:
            for key, (sent, answer) in person.answered.items():
                if answer.outcome in m.KEPT:
                    assert (sent.origin, key) in kept, f"{key} was lost"
        moved = connection.execute(
            text(
                "SELECT seq, body ->> 'job_order' AS job, body ->> 'source' AS source, "
                "body ->> 'state' AS state FROM fact WHERE type = 'job_order_moved'"
            )
        )
        for row in moved:
            if JobOrderState(row.source) in END_STATES:
                assert row.source == JobOrderState.ENDED_COMPLETED, row
                assert row.state == JobOrderState.ENDED_CLOSED, row


def _digest(connection: Connection) -> str:
    rows = connection.execute(text("SELECT * FROM fact ORDER BY seq"))
    return hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()


@contextmanager
def _until_it_crashes() -> Iterator[None]:
    try:
        yield
    except BaseExceptionGroup as group:
        _, others = group.split(Crash)
        if others is not None:
            raise
    except Crash:
        pass
