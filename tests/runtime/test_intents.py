"""Intents: in order of each module, under their own keys, answered once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection, text
from structlog.testing import LogCapture

from mes_engine.core.errors import OutcomeUnknown, Overloaded
from mes_engine.core.messages import Answer, Commanded, Outcome
from mes_engine.runtime.batch import MessageFailed
from mes_engine.runtime.intents import IntentRelay
from mes_engine.runtime.pace import BackOff
from mes_engine.storage.database import Database
from mes_engine.storage.intents import add_intent, answer_of, pending_intents
from tests.runtime.builders import NOW, as_command
from tests.runtime.stand_ins import no_pause, until, until_so


def an_intent(key: str, *, origin: str = "crm") -> Commanded:
    return Commanded(
        origin=origin,
        key=key,
        digest="d",
        person="Ada",
        at=NOW,
        command=as_command(key),
    )


async def add(database: Database, *intents: Commanded) -> None:
    def work(connection: Connection) -> None:
        for one in intents:
            add_intent(connection, one)

    await database.write(work)


async def answer(database: Database, key: str, origin: str = "crm") -> Answer | None:
    return await database.read(lambda connection: answer_of(connection, origin, key))


async def wait_until_settled(database: Database) -> None:
    async def is_settled() -> bool:
        return not await database.read(lambda found: pending_intents(found, 1))

    await until_so(is_settled)


@dataclass
class Desk:
    """Takes submissions as the engine would; ``failures`` come first."""

    failures: list[Exception] = field(default_factory=list)
    bad: str = ""
    taken: list[tuple[str, str]] = field(default_factory=list)

    async def submit(self, commanded: Commanded) -> Answer:
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append((commanded.origin, commanded.key))
        if commanded.key == self.bad:
            raise MessageFailed("a bug of ours.")
        is_refused = commanded.key.startswith("no")
        outcome = Outcome.REFUSED if is_refused else Outcome.ACCEPTED
        return Answer(outcome=outcome, result={"key": commanded.key})


@asynccontextmanager
async def relaying(
    database: Database, desk: Desk, *, poll_s: float = 0.01
) -> AsyncIterator[IntentRelay]:
    relay = IntentRelay(
        database,
        desk.submit,
        poll_s=poll_s,
        back_off=BackOff(first_s=1, longest_s=1, sleep=no_pause),
        patience=lambda: BackOff(first_s=1, longest_s=1, sleep=no_pause),
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(relay.run())
        yield relay
        running.cancel()


async def test_intents_reach_the_engine_in_the_order_of_their_origin(
    database: Database,
) -> None:
    desk = Desk()
    await add(database, *(an_intent(f"k{n}") for n in range(5)))
    await add(database, *(an_intent(f"k{n}", origin="scm") for n in range(5)))
    async with relaying(database, desk):
        await wait_until_settled(database)
        await add(database, an_intent("later"))
        await wait_until_settled(database)

    in_crm = [key for origin, key in desk.taken if origin == "crm"]
    assert in_crm == [*(f"k{n}" for n in range(5)), "later"]
    assert [key for origin, key in desk.taken if origin == "scm"] == in_crm[:5]


async def test_each_is_settled_with_its_answer(database: Database) -> None:
    await add(database, an_intent("yes"), an_intent("no"))
    async with relaying(database, Desk()):
        await wait_until_settled(database)

    yes, no = await answer(database, "yes"), await answer(database, "no")
    assert yes is not None
    assert no is not None
    assert (yes.outcome, yes.result) == (Outcome.ACCEPTED, {"key": "yes"})
    assert no.outcome is Outcome.REFUSED


async def test_overload_and_doubt_are_asked_again_under_the_same_key(
    database: Database,
) -> None:
    desk = Desk(failures=[Overloaded("full."), OutcomeUnknown("?"), Overloaded("full")])
    await add(database, an_intent("a"), an_intent("b"))
    async with relaying(database, desk):
        await wait_until_settled(database)

    assert desk.taken == [("crm", "a"), ("crm", "b")]


async def test_a_poisoned_intent_does_not_hold_up_those_behind_it(
    database: Database,
) -> None:
    desk = Desk(bad="b")
    await add(database, *(an_intent(key) for key in "abc"))
    async with relaying(database, desk):
        await wait_until_settled(database)

    poisoned = await answer(database, "b")
    assert poisoned is not None
    assert poisoned.outcome is Outcome.MALFORMED
    assert [key for _, key in desk.taken] == ["a", "b", "c"]


async def test_an_intent_that_cannot_be_read_does_not_end_the_relay(
    database: Database, logs: LogCapture
) -> None:
    desk = Desk()
    await add(database, an_intent("a"))
    await spoil(database, "a", "{}")
    async with relaying(database, desk):
        await until(lambda: bool(logs.entries))
        await spoil(database, "a", msgspec.json.encode(as_command("a")).decode())
        await wait_until_settled(database)

    assert desk.taken == [("crm", "a")]
    assert {entry["event"] for entry in logs.entries} == {"intents_failed"}


async def spoil(database: Database, key: str, command: str) -> None:
    sql = text("UPDATE intent SET command = :command WHERE key = :key")
    await database.write(
        lambda connection: connection.execute(sql, {"command": command, "key": key})
    )


async def test_a_module_that_says_so_is_not_polled_for(database: Database) -> None:
    desk = Desk()
    async with relaying(database, desk, poll_s=3600) as relay:
        await add(database, an_intent("first"))
        relay.wake()
        await until(lambda: bool(desk.taken))

    assert desk.taken == [("crm", "first")]
