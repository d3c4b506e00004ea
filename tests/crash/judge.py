"""What has to be true of a database after a life on it was cut off."""

import asyncio
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from mes_engine.bootstrap.verifying import verified
from mes_engine.core.state import State
from mes_engine.storage.database import Database
from mes_engine.storage.driver import sqlite_driver
from mes_engine.storage.store import SqlStore
from tests.core.plants import LINK
from tests.crash.scenario import ORIGIN, digest_of, live
from tests.databases import url_in


def judge(plant: Path, acks: Iterable[str], expected: list[str]) -> list[str]:
    """Say what is wrong in the folder of a plant; nothing if nothing is.

    What ``look`` asks for. And the rest of the stretch can be done: what was answered
    is answered the same again, and it comes to what it always comes to.
    """
    found = look(plant, acks)
    if found:
        return found
    told: list[str] = []
    came_to = asyncio.run(live(plant, told.append))
    lost = set(acks) - set(told)
    found += [f"answered otherwise now: {one}" for one in sorted(lost)]
    if came_to != expected:
        wrong = sorted(set(came_to) ^ set(expected))
        found.append(f"it came to something else: {wrong}")
    report = asyncio.run(verified(url_in(plant)))
    found += [str(one) for one in report.problems]
    return found


def look(plant: Path, acks: Iterable[str]) -> list[str]:
    """Say what is wrong with what is there.

    The file is whole, its journal rebuilds it, and it has every answer that was given.
    """
    found = _unwhole(plant)
    if found:
        return found
    report = asyncio.run(verified(url_in(plant)))
    found += [str(one) for one in report.problems]
    state = asyncio.run(_loaded(plant))
    found += [f"lost: {one}" for one in acks if not _is_there(state, one)]
    return found


def _unwhole(plant: Path) -> list[str]:
    driver = sqlite_driver()
    try:
        with closing(driver.connect(plant / "mes.db")) as raw:
            rows = raw.execute("PRAGMA integrity_check").fetchall()
    except driver.DatabaseError as error:
        return [f"the file: {error}"]
    return [] if rows == [("ok",)] else [f"the file: {row[0]}" for row in rows]


async def _loaded(plant: Path) -> State:
    database = Database.open(url_in(plant))
    try:
        return await SqlStore(database).load()
    finally:
        await database.close()


def _is_there(state: State, ack: str) -> bool:
    key, told = ack.split()
    if key == LINK:
        mark = state.watermark.get(LINK)
        return mark is not None and mark.n >= int(told)
    known = state.handled.get((ORIGIN, key))
    return known is not None and digest_of(known.answer) == told
