"""Verify names the first row of the journal that is not what was written there."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection

from mes_engine.storage.bulk import FACT_COLUMNS
from mes_engine.storage.chain import (
    GENESIS,
    ChainKey,
    Keyring,
    Link,
    encoded_fact,
    fact_digest,
    keyring,
    linked,
)
from mes_engine.storage.store import SqlStore
from mes_engine.storage.verify import VerifyReport, verify
from tests.builders import Shop, a_day, settle_postings
from tests.databases import open_database, url_in
from tests.storage.tampering import Site

KEY = ChainKey.of(b"k" * 32)
OLD = ChainKey.of(b"o" * 32)


async def chained(site: Site) -> list[tuple[str, str]]:
    """Return where the chain is broken, and why, the first place first."""
    report = await site.database.read(verify)
    return [(one.where, one.why) for one in report.problems if one.what == "chain"]


async def first(site: Site) -> tuple[str, str]:
    """Return where it is broken first, which has to be somewhere."""
    return (await chained(site))[0]


@pytest.mark.parametrize(
    "change",
    [
        "type = 'gap_seen'",
        "version = version + 1",
        "occurred_at = occurred_at - 1",
        "recorded_at = recorded_at + 1",
        "cause = cause || '.'",
        "person = 'Nobody'",
        "body = replace(body, '\"', ' \"')",
        "body = body || ' '",
    ],
)
async def test_any_column_of_a_fact(site: Site, change: str) -> None:
    site.corrupt(f"UPDATE fact SET {change} WHERE seq = 7")

    seq, why = await first(site)
    assert seq == "7"
    assert "it was edited" in why


async def test_a_fact_in_the_middle_is_missing(site: Site) -> None:
    site.corrupt("DELETE FROM fact WHERE seq = 7")

    assert [seq for seq, _ in await chained(site)] == ["7"]
    assert (await first(site))[1].startswith("it is missing (")


async def test_two_facts_that_changed_places(site: Site) -> None:
    for old, new in ((7, -1), (9, 7), (-1, 9)):
        site.corrupt(f"UPDATE fact SET seq = {new} WHERE seq = {old}")

    assert await chained(site) == [
        ("7", "what stands there was written as fact 9: it was moved"),
        ("9", "what stands there was written as fact 7: it was moved"),
    ]


async def test_a_fact_that_was_put_in_and_the_others_moved_on(site: Site) -> None:
    last = int(await site.scalar("SELECT max(seq) FROM fact"))
    for seq in range(last, 6, -1):
        site.corrupt(f"UPDATE fact SET seq = {seq + 1} WHERE seq = {seq}")
    site.corrupt(f"INSERT INTO fact {_copy('7')} WHERE seq = 6")

    found = await chained(site)
    assert found[0][0] == "7"
    assert found[-1][0] == str(last + 1)
    assert found[1] == ("8", "what stands there was written as fact 7: it was moved")


@pytest.mark.parametrize("seq", ["-1", "0", "100000"])
async def test_a_fact_that_was_put_in_at_an_end(site: Site, seq: str) -> None:
    site.corrupt(f"INSERT INTO fact {_copy(seq)} WHERE seq = 7")

    assert await chained(site) == [
        (seq, "it was inserted: no link of the chain has it")
    ]


async def test_two_facts_that_were_made_one(site: Site) -> None:
    """So that the bytes are the same, one after the other."""
    row = await site.scalar(
        "SELECT '],[' || seq || ',\"' || type || '\",' || version || ',' || "
        "occurred_at || ',' || recorded_at || ',\"' || cause || '\",\"' || person || "
        "'\",' || body FROM fact WHERE seq = 8"
    )
    site.corrupt("DELETE FROM fact WHERE seq = 8")
    site.corrupt(f"UPDATE fact SET body = body || '{row}' WHERE seq = 7")

    assert [seq for seq, _ in await chained(site)] == ["7", "8"]


async def test_a_fact_moved_to_another_partition(site: Site) -> None:
    site.corrupt("UPDATE fact SET partition = 'other' WHERE seq = 7")

    assert [seq for seq, _ in await chained(site)] == ["7", "other 7"]


@pytest.mark.parametrize(
    "change",
    [
        "digest = substr(digest, 2) || '0'",
        "anchors = anchors + 1",
        "tags = '00000000' || substr(tags, 9)",
        "tags = substr(tags, 9)",
        "tags = ''",
        "seq = seq - 1",
    ],
)
async def test_any_column_of_a_link(site: Site, change: str) -> None:
    link = await site.scalar("SELECT max(seq) FROM chain_link")
    began = int(await site.scalar("SELECT min(seq) FROM chain_link")) + 1

    site.corrupt(f"UPDATE chain_link SET {change} WHERE seq = {link}")

    seq, _ = await first(site)
    assert began <= int(seq) <= int(link)


async def test_a_key_by_another_name(site: Site) -> None:
    """Nobody who has no key at all is told that all is well."""
    link = await site.scalar("SELECT min(seq) FROM chain_link")
    site.corrupt(f"UPDATE chain_link SET key = 'none.' WHERE seq = {link}")
    report = await site.database.read(verify)
    assert report.unchecked

    strict = await site.database.read(lambda at: verify(at, keys=keyring([KEY])))
    assert strict.broken_at == "1"


async def test_a_link_that_is_missing(site: Site) -> None:
    link = await site.scalar("SELECT min(seq) FROM chain_link")

    site.corrupt(f"DELETE FROM chain_link WHERE seq = {link}")

    assert await chained(site) == [
        ("1", f"the chain has no link over facts 1..{link}: it is missing")
    ]


async def test_the_end_cut_off_with_its_link(site: Site) -> None:
    """The chain says nothing of it: the rows that are left do, and the anchors."""
    link = await site.scalar("SELECT min(seq) FROM chain_link")
    site.corrupt(f"DELETE FROM chain_link WHERE seq > {link}")
    for seq in range(int(await site.database.read(_last)), int(link), -1):
        site.corrupt(f"DELETE FROM fact WHERE seq = {seq}")

    assert await chained(site) == []
    assert await site.found()


def _last(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT max(seq) FROM fact").scalar_one())


def _copy(seq: str) -> str:
    """Return the SQL of a fact as it stands, under another number."""
    return (
        f"SELECT partition, {seq}, type, version, occurred_at, recorded_at, cause, "
        "person, body FROM fact"
    )


@pytest.fixture
async def guarded(tmp_path: Path, either_database: str) -> AsyncIterator[Site]:
    """A site whose chain was begun with one key, and goes on with another."""
    async with open_database(tmp_path) as database:
        shop = Shop()
        for key, work in ((OLD, a_day), (KEY, settle_postings)):
            work(shop)
            await SqlStore(database, key=key).commit(*shop.take())
        yield Site(database, url_in(tmp_path))


async def report_of(site: Site, *keys: ChainKey) -> VerifyReport:
    ring = keyring(keys)
    return await site.database.read(lambda at: verify(at, keys=ring))


async def test_a_key_may_follow_another(guarded: Site) -> None:
    report = await report_of(guarded, OLD, KEY)

    assert report.is_sound
    assert (report.links, report.unchecked) == (2, 0)


async def test_what_was_made_with_a_key_that_is_lost_is_not_taken_for_good(
    guarded: Site,
) -> None:
    link = await guarded.scalar("SELECT min(seq) FROM chain_link")

    report = await report_of(guarded, KEY)

    assert report.broken_at == "1"
    assert f"key {OLD.id}, which is not known" in report.problems[0].why
    assert len(report.problems) == 1, "from there on it is followed"
    assert report.unchecked == int(link)


async def test_without_any_key_nothing_is_said_of_the_chain(guarded: Site) -> None:
    report = await guarded.database.read(verify)

    assert report.is_sound
    assert report.unchecked == report.facts


async def test_a_chain_made_anew_without_the_key(guarded: Site) -> None:
    """With the right names and a secret that was guessed."""
    guarded.corrupt("UPDATE fact SET person = 'Nobody' WHERE seq = 7")
    await chain_anew(guarded, ChainKey(KEY.id, b"guessed"), ChainKey(OLD.id, b""))

    report = await report_of(guarded, OLD, KEY)

    assert report.broken_at == "1"


async def test_a_chain_made_anew_with_the_keys_would_hold(guarded: Site) -> None:
    """So it is the secret on which everything depends."""
    guarded.corrupt("UPDATE fact SET person = 'Nobody' WHERE seq = 7")
    await chain_anew(guarded, KEY, OLD)

    report = await report_of(guarded, OLD, KEY)

    assert report.broken_at is None


async def chain_anew(site: Site, *keys: ChainKey) -> None:
    """Put a link in the place of each, that fits the facts as they are now."""
    for link in await site.database.read(links_anew(keyring(keys))):
        said = ", ".join(
            f"{name} = '{value}'" for name, value in link._asdict().items()
        )
        site.corrupt(f"UPDATE chain_link SET {said} WHERE seq = {link.seq}")


def links_anew(keys: Keyring) -> Callable[[Connection], list[Link]]:
    def work(connection: Connection) -> list[Link]:
        head, made = GENESIS, []
        columns, names = ", ".join(FACT_COLUMNS), ", ".join(Link._fields)
        for row in _read(connection, f"SELECT {names} FROM chain_link"):
            old = Link(*row)
            facts = _read(
                connection,
                f"SELECT {columns} FROM fact "
                f"WHERE seq > {head.seq} AND seq <= {old.seq}",
            )
            key = keys[old.key]
            digests = [
                fact_digest(key, encoded_fact((*fact, msgspec.Raw(body))))
                for *fact, body in facts
            ]
            new = linked(key, "main", head, old.seq, digests, anchors=old.anchors)
            made.append(new)
            head = new.head
        return made

    return work


def _read(connection: Connection, query: str) -> list[Sequence[Any]]:
    return list(connection.exec_driver_sql(f"{query} ORDER BY seq"))
