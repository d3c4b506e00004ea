"""What stands around a module: the core's rules, the journal, and its consumer."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import httpx
from fastapi import APIRouter, FastAPI
from sqlalchemy import Connection

from mes_engine.core.facts import Fact, Recorded
from mes_engine.core.messages import Answer, ApplyPlant, Command
from mes_engine.http.problems import install_problem_handlers
from mes_engine.storage.cursors import advance_cursor, cursor_of
from mes_engine.storage.database import Database
from mes_engine.storage.intents import pending_intents, settle_intent
from mes_engine.storage.journal import facts_after
from mes_engine.storage.store import SqlStore
from tests.builders import Shop, a_plant

NOW = 1_790_000_000_000_000
MARIA = {"X-Person": "Maria"}

Handle = Callable[[Connection, Sequence[Recorded]], None]


def clock() -> int:
    return NOW


class Floor:
    """The core's rules over a real journal, one step at a time."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.shop = Shop()
        self._store = SqlStore(database)

    @classmethod
    async def opened(cls, database: Database) -> "Floor":
        floor = cls(database)
        await floor.do(ApplyPlant(plant=a_plant()))
        return floor

    async def do(self, command: Command) -> Answer:
        """Carry out a command of a person at a terminal."""
        answer = self.shop.do(command)
        await self._commit()
        return answer

    async def note(self, *facts: Fact) -> None:
        """Let facts have happened."""
        for fact in facts:
            self.shop.note(fact)
        await self._commit()

    async def relay(self) -> list[Answer]:
        """Answer every intent that waits, as the runtime does."""
        answers = []
        pending = await self.database.read(lambda c: pending_intents(c, 1000))
        for commanded in pending:
            answer = self.shop.hear(commanded)
            assert answer is not None
            answers.append(answer)
            await self._commit()
            settle = partial(
                settle_intent,
                origin=commanded.origin,
                key=commanded.key,
                answer=answer,
            )
            await self.database.write(settle)
        return answers

    async def tell(
        self, consumer: str, handle: Handle, *, crash: bool = False, limit: int = 1000
    ) -> int:
        """Hand a consumer the facts after its cursor; return how many there were.

        Args:
            consumer: Names the cursor.
            handle: Takes the facts.
            crash: Die after the work, before the commit.
            limit: How many facts at most.
        """

        def work(connection: Connection) -> int:
            cursor = cursor_of(connection, consumer)
            records = facts_after(connection, "main", cursor, limit)
            if records:
                handle(connection, records)
                advance_cursor(connection, consumer, records[-1].seq)
            if crash:
                raise Crash
            return len(records)

        return await self.database.write(work)

    async def _commit(self) -> None:
        records, layer = self.shop.take()
        if records:
            await self._store.commit(records, layer)


class Crash(Exception):
    """The process died here."""


@asynccontextmanager
async def client_of(router: APIRouter) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app that has this router alone."""
    app = FastAPI()
    install_problem_handlers(app)
    app.include_router(router)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://mes") as client:
        yield client
