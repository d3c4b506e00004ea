"""Intents are kept with what they follow from, and answered once."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection

from mes_engine.core.errors import KeyReused
from mes_engine.core.messages import (
    Answer,
    Commanded,
    Outcome,
    ReleaseWorkRequest,
)
from mes_engine.storage.database import Database
from mes_engine.storage.intents import (
    add_intent,
    answer_of,
    pending_intents,
    settle_intent,
)
from tests.databases import open_database

ACCEPTED = Answer(outcome=Outcome.ACCEPTED, result={"work_request": "WR-1"}, seq=12)


def an_intent(key: str = "order-1/release") -> Commanded:
    return Commanded(
        origin="crm",
        key=key,
        digest=f"digest of {key}",
        person="anna",
        at=7,
        command=ReleaseWorkRequest(work_request="WR-1"),
    )


@pytest.fixture
async def database(tmp_path: Path, either_database: str) -> AsyncIterator[Database]:
    async with open_database(tmp_path) as opened:
        yield opened


def pending(connection: Connection) -> list[Commanded]:
    return pending_intents(connection, 10)


async def test_intents_wait_in_order(database: Database) -> None:
    for key in ("z", "a", "m"):
        await database.write(partial(add_intent, commanded=an_intent(key)))

    assert await database.read(pending) == [an_intent(key) for key in ("z", "a", "m")]
    assert await database.read(lambda c: pending_intents(c, 1)) == [an_intent("z")]


async def test_the_same_intent_again_changes_nothing(database: Database) -> None:
    await database.write(lambda c: add_intent(c, an_intent()))
    await database.write(
        lambda c: add_intent(c, msgspec.structs.replace(an_intent(), at=99))
    )

    assert await database.read(pending) == [an_intent()]


async def test_another_intent_under_the_same_key_is_refused(
    database: Database,
) -> None:
    await database.write(lambda c: add_intent(c, an_intent()))

    other = msgspec.structs.replace(an_intent(), digest="other")
    with pytest.raises(KeyReused, match=r"'order-1/release' of crm"):
        await database.write(lambda c: add_intent(c, other))


async def test_an_intent_goes_with_its_transaction(database: Database) -> None:
    def work(connection: Connection) -> None:
        add_intent(connection, an_intent())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(work)

    assert await database.read(pending) == []


async def test_the_first_answer_stands(database: Database) -> None:
    await database.write(lambda c: add_intent(c, an_intent()))
    assert await database.read(lambda c: answer_of(c, "crm", "order-1/release")) is None

    for answer in (ACCEPTED, Answer(outcome=Outcome.REFUSED)):
        await database.write(
            partial(settle_intent, origin="crm", key="order-1/release", answer=answer)
        )

    assert await database.read(pending) == []
    found = await database.read(lambda c: answer_of(c, "crm", "order-1/release"))
    assert found == ACCEPTED
