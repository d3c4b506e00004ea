"""A journal with its anchors, and someone who tampers with copies of it at random."""

import random
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mes_engine.storage.bulk import FACT_COLUMNS
from mes_engine.storage.chain import (
    GENESIS,
    ChainKey,
    Head,
    Link,
    encoded_fact,
    fact_digest,
    keyring,
    linked,
)
from mes_engine.storage.chain.anchors import read_anchors, write_anchor
from mes_engine.storage.database import Database
from mes_engine.storage.driver import sqlite_driver
from mes_engine.storage.store import SqlStore
from mes_engine.storage.verify import Anchored, VerifyReport, verify_chain
from tests.builders import SHIFT_START, Shop, a_request, a_site
from tests.databases import open_database

KEY = ChainKey.of(b"k" * 32)
COMMITS = 40
ANCHOR_EVERY = 5
OLD_AT = 20
SECOND = 1_000_000


@dataclass(frozen=True)
class Journal:
    """Where it is, as it was made: nobody changes that.

    Attributes:
        file: The database.
        old: A copy of it, of earlier.
        anchors: The file with its anchors.
    """

    file: Path
    old: Path
    anchors: Path


async def a_journal(folder: Path) -> Journal:
    """Make a journal of many commits, of one fact and of many."""
    made = Journal(folder / "mes.db", folder / "old.db", folder / "mes.anchors")
    async with open_database(folder) as database:
        shop, store = Shop(), SqlStore(database, key=KEY)
        a_site(shop)
        for number in range(COMMITS):
            a_request(shop, f"WR-{number}")
            await store.commit(*shop.take())
            if number % ANCHOR_EVERY == 0:
                at = SHIFT_START + number * SECOND
                head = await store.head()
                written = write_anchor(made.anchors, KEY, head, partition="main", at=at)
                store.anchors = written.number
            if number == OLD_AT:
                _copy(made.file, made.old)
    _copy(made.file, folder / "whole.db")
    (folder / "whole.db").replace(made.file)
    return made


def _copy(file: Path, to: Path) -> None:
    """Copy a database whole, whatever is still in its log."""
    with (
        closing(sqlite_driver().connect(file)) as source,
        closing(sqlite_driver().connect(to)) as target,
    ):
        source.backup(target)


class Tampering:
    """A copy of a journal that somebody changes.

    Attributes:
        named: Facts of which one has to be named first; none where it is the anchors.
        is_put_back: Whether the database of earlier is to be in its place.
    """

    def __init__(self, journal: Journal, folder: Path, seed: int) -> None:
        self.named: set[int] = set()
        self.is_put_back = False
        self.chance = random.Random(seed)
        self.file = folder / "mes.db"
        self.anchors = folder / "mes.anchors"
        self._journal = journal
        folder.mkdir()
        shutil.copy(journal.file, self.file)
        shutil.copy(journal.anchors, self.anchors)

    def apply(self, tamper: "Callable[[Tampering, Any], None]") -> None:
        """Do it, with the guards of the database taken away."""
        with closing(sqlite_driver().connect(self.file)) as raw:
            for (name,) in raw.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                raw.execute(f"DROP TRIGGER {name}")
            tamper(self, raw)
            raw.commit()
        if self.is_put_back:
            shutil.copy(self._journal.old, self.file)

    async def report(self) -> VerifyReport:
        """Return what verify finds of the chain and its anchors."""
        keys = keyring([KEY])

        def read() -> Any:
            return read_anchors([self.anchors], keys)

        anchored = Anchored(read(), read)
        database = Database.open(f"sqlite:///{self.file}")
        try:
            return await database.read(
                lambda at: verify_chain(at, keys=keys, anchored=anchored)
            )
        finally:
            await database.close()

    def a_fact(self, raw: Any, *, but_last: int = 0) -> int:
        """Choose a fact."""
        last = raw.execute("SELECT max(seq) FROM fact").fetchone()[0]
        return self.chance.randint(1, last - but_last)


def edit_a_byte(to: Tampering, raw: Any) -> None:
    """Change one character, or one number, of a fact."""
    seq = to.a_fact(raw)
    column = to.chance.choice([one for one in FACT_COLUMNS if one != "seq"])
    old = raw.execute(f"SELECT {column} FROM fact WHERE seq = {seq}").fetchone()[0]
    new: Any = to.chance.choice("abc{}\"'\\ 0")
    if isinstance(old, int):
        new = old ^ (1 << to.chance.randrange(8))
    else:
        at = to.chance.randrange(len(old) + 1)
        new = old[:at] + new + old[at + to.chance.randrange(2) :]
        if new == old:
            new += "."
    raw.execute(f"UPDATE fact SET {column} = ? WHERE seq = {seq}", (new,))
    to.named = {seq}


def edit_a_link(to: Tampering, raw: Any) -> None:
    """Change one character, or one number, of a link."""
    seqs = [seq for (seq,) in raw.execute("SELECT seq FROM chain_link ORDER BY seq")]
    at = to.chance.randrange(len(seqs))
    seq, first = seqs[at], seqs[at - 1] + 1 if at else 1
    column = to.chance.choice(["key", "anchors", "digest", "tags"])
    query = f"SELECT {column} FROM chain_link WHERE seq = {seq}"
    old = raw.execute(query).fetchone()[0]
    new: Any = old + 1 if isinstance(old, int) else "x" + old[1:]
    raw.execute(f"UPDATE chain_link SET {column} = ? WHERE seq = {seq}", (new,))
    to.named = set(range(first, seq + 1))


def delete_a_fact(to: Tampering, raw: Any) -> None:
    """Have a fact never have happened."""
    seq = to.a_fact(raw)
    raw.execute(f"DELETE FROM fact WHERE seq = {seq}")
    to.named = {seq}


def insert_a_fact(to: Tampering, raw: Any) -> None:
    """Put a fact in, with the later ones moved on; or at either end."""
    rows = raw.execute(f"SELECT {_COLUMNS} FROM fact ORDER BY seq").fetchall()
    last = rows[-1][0]
    seq = to.chance.choice([to.a_fact(raw), last + 1, 0, -5])
    if seq > 0:
        raw.execute(f"UPDATE fact SET seq = -seq - 1000 WHERE seq >= {seq}")
        raw.execute("UPDATE fact SET seq = -seq - 999 WHERE seq < -1000")
    _, *rest = to.chance.choice([row for row in rows if row[0] != seq])
    _insert(raw, (seq, *rest))
    to.named = {seq}


def swap_two_facts(to: Tampering, raw: Any) -> None:
    """Have two facts in the other order."""
    one = to.a_fact(raw, but_last=1)
    other = one + to.chance.randint(1, to.a_fact(raw, but_last=one))
    raw.execute(f"UPDATE fact SET seq = -1 WHERE seq = {one}")
    raw.execute(f"UPDATE fact SET seq = {one} WHERE seq = {other}")
    raw.execute(f"UPDATE fact SET seq = {other} WHERE seq = -1")
    to.named = {one}


def cut_the_end_off(to: Tampering, raw: Any) -> None:
    """Have the last facts never have happened, nor their links."""
    anchored = read_anchors([to.anchors], keyring([KEY])).anchors[-1].seq
    seqs = [seq for (seq,) in raw.execute("SELECT seq FROM chain_link ORDER BY seq")]
    end = to.chance.choice([seq for seq in seqs if seq < anchored])
    raw.execute(f"DELETE FROM fact WHERE seq > {end}")
    if to.chance.random() < 0.5:
        raw.execute(f"DELETE FROM chain_link WHERE seq > {end}")
        to.named = {end}
    else:
        to.named = {end + 1}


def chain_anew(to: Tampering, raw: Any) -> None:
    """Change a fact, and make the chain anew from there with a key of one's own."""
    edit_a_byte(to, raw)
    (seq,) = to.named
    name = to.chance.choice([KEY.id, "none", "other"])
    own = ChainKey(name, to.chance.randbytes(32))
    head: Head = GENESIS
    for row in raw.execute(
        f"SELECT {', '.join(Link._fields)} FROM chain_link ORDER BY seq"
    ).fetchall():
        old = Link(*row)
        link = old
        if old.seq >= seq:
            link = _link_anew(raw, own, head, old)
            raw.execute(
                "UPDATE chain_link SET key = ?, digest = ?, tags = ? WHERE seq = ?",
                (link.key, link.digest, link.tags, link.seq),
            )
            to.named |= set(range(old.first, seq + 1)) if old.first <= seq else set()
        head = link.head


def _link_anew(raw: Any, own: ChainKey, head: Head, old: Link) -> Link:
    facts = raw.execute(
        f"SELECT {_COLUMNS} FROM fact WHERE seq > ? AND seq <= ? ORDER BY seq",
        (head.seq, old.seq),
    ).fetchall()
    digests = [
        fact_digest(own, encoded_fact((*row, msgspec.Raw(body))))
        for *row, body in facts
    ]
    return linked(own, "main", head, old.seq, digests, anchors=old.anchors)


def put_an_old_copy_back(to: Tampering, raw: Any) -> None:
    """Have the database be what it was."""
    to.is_put_back = True


def delete_the_anchors(to: Tampering, raw: Any) -> None:
    """Have the anchors gone: all of them, or their first or last lines."""
    lines = to.anchors.read_bytes().splitlines(keepends=True)
    kind = to.chance.randrange(3)
    if kind == 0:
        to.anchors.unlink()
    elif kind == 1:
        to.anchors.write_bytes(b"".join(lines[to.chance.randint(1, len(lines) - 1) :]))
    else:
        to.anchors.write_bytes(b"".join(lines[: to.chance.randrange(len(lines) - 1)]))


def edit_an_anchor(to: Tampering, raw: Any) -> None:
    """Have a line of the anchors say something else."""
    lines = to.anchors.read_bytes().splitlines(keepends=True)
    at = to.chance.randrange(len(lines))
    lines[at] = lines[at].replace(b'"seq":', b'"seq":1')
    to.anchors.write_bytes(b"".join(lines))


_COLUMNS = ", ".join(FACT_COLUMNS)


def _insert(raw: Any, row: tuple[Any, ...]) -> None:
    marks = ", ".join("?" for _ in row)
    raw.execute(
        f"INSERT INTO fact (partition, {_COLUMNS}) VALUES ('main', {marks})", row
    )


TAMPERINGS = (
    edit_a_byte,
    edit_a_link,
    delete_a_fact,
    insert_a_fact,
    swap_two_facts,
    cut_the_end_off,
    chain_anew,
    put_an_old_copy_back,
    delete_the_anchors,
    edit_an_anchor,
)
