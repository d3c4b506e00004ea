"""The chain, followed from its first link over every row of the journal.

It is read in one go, each row once. Where it breaks it is taken up again behind the
break, so that each place is named, the first one first.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, func, select

from mes_engine.storage.bulk import FACT_COLUMNS
from mes_engine.storage.chain import (
    GENESIS,
    ONLY_UNKEYED,
    ChainKey,
    Head,
    Keyring,
    Link,
    encoded_fact,
    fact_digest,
    link_digest,
    tag_of,
)
from mes_engine.storage.tables import chain_link
from mes_engine.storage.tables import fact as fact_table
from mes_engine.storage.verify.anchors import Anchored, Expected, check_lines
from mes_engine.storage.verify.findings import CHAIN, Findings
from mes_engine.storage.verify.rows import AT_ONCE

MOST_COMPARED = 200
"""Of so many rows that are not as written it is asked whether they changed places."""

_SKIM = msgspec.json.Decoder(msgspec.Raw)

Row = Sequence[Any]


class _Wrong(NamedTuple):
    """A fact that is not what its link says.

    Attributes:
        seq: Its number.
        row: What stands there; None if nothing does.
        key: What the link is made with.
        tag: What the link has of it; empty where no link has anything.
        within: The facts that were committed with it.
    """

    seq: int
    row: Row | None
    key: ChainKey | None
    tag: str
    within: str


class _Broken(NamedTuple):
    """A link that is not as it was made, or is gone.

    Attributes:
        seq: The first fact that it is about.
        why: What is there, and what should be.
    """

    seq: int
    why: str


def check_chain(
    findings: Findings,
    connection: Connection,
    keys: Keyring | None,
    partition: str,
    anchored: Anchored | None,
) -> None:
    """Note every place at which the journal is not what was written.

    It looks at all partitions: whatever stands in the journal has a link. Without any
    keys, what was made with one is only counted.
    """
    known = 0
    for found in sorted({partition, *_partitions(connection)}):
        expected = None if anchored is None else Expected(anchored.before, found)
        followed = _Followed(connection, keys, found, expected)
        followed.follow()
        known = max(known, followed.anchors)
        findings.links += followed.links
        findings.unchecked += followed.unchecked
        findings.followed += followed.facts
        named = _named(followed.wrong, followed.end)
        for seq, why in sorted([*followed.broken, *named], key=lambda one: one[0]):
            where = str(seq) if found == partition else f"{found} {seq}"
            findings.add(CHAIN, where, why)
    if anchored is not None:
        check_lines(findings, anchored.read(), known)


def _partitions(connection: Connection) -> Iterator[str]:
    """Yield the partitions of which there is anything, without reading it all."""
    for table in (fact_table, chain_link):
        query = select(func.min(table.c.partition))
        found = connection.execute(query).scalar_one()
        while found is not None:
            yield found
            later = query.where(table.c.partition > found)
            found = connection.execute(later).scalar_one()


class _Followed:
    """The chain of one partition, and where it does not hold."""

    def __init__(
        self,
        connection: Connection,
        keys: Keyring | None,
        partition: str,
        expected: Expected | None,
    ) -> None:
        self.broken: list[_Broken] = []
        self.wrong: list[_Wrong] = []
        self.links = 0
        self.unchecked = 0
        self.end = 0
        self.facts = 0
        self.anchors = 0
        self._expected = expected
        self._connection = connection
        self._keys = ONLY_UNKEYED if keys is None else keys
        self._is_strict = keys is not None
        self._partition = partition
        self._strange = ""

    def follow(self) -> None:
        """Follow it to its end, and the journal to its own."""
        rows = self._rows()
        row = next(rows, None)
        head = GENESIS
        for link in self._chain():
            self.links += 1
            here = {}
            while row is not None and row[0] <= link.seq:
                here[row[0]] = row
                row = next(rows, None)
            self._check(head, link, here)
            head = link.head
            self._meet(head)
        self._miss(head.seq)
        while row is not None:
            self._add(row[0], row, None, "", "")
            row = next(rows, None)

    def _meet(self, head: Head) -> None:
        self.anchors = max(self.anchors, head.anchors)
        if self._expected is not None:
            self.broken.extend(
                _Broken(head.seq, why) for why in self._expected.meet(head)
            )

    def _miss(self, end: int) -> None:
        self.end = end
        if self._expected is not None:
            self.broken.extend(
                _Broken(seq, why) for seq, why in self._expected.missed(end)
            )

    def _check(self, head: Head, link: Link, here: dict[int, Row]) -> None:
        is_next = link.first == head.seq + 1 and link.seq >= link.first
        if not is_next:
            self._note_gap(head, link)
        strangers = [seq for seq in here if seq <= head.seq]
        for seq in strangers:
            self._add(seq, here[seq], None, "", "")
        key = self._keys.get(link.key)
        if key is None:
            self.unchecked += len(here)
            self._note_strange(head, link)
        else:
            self._strange = ""
            self._check_facts(head, link, here, key, is_next=is_next)

    def _check_facts(
        self,
        head: Head,
        link: Link,
        here: dict[int, Row],
        key: ChainKey,
        *,
        is_next: bool,
    ) -> None:
        first = max(link.first, head.seq + 1)
        digests = [_digest(key, here.get(seq)) for seq in range(first, link.seq + 1)]
        tags = "".join(map(tag_of, digests))
        is_so = is_next and link.digest == link_digest(
            key,
            self._partition,
            head.digest,
            seq=link.seq,
            anchors=link.anchors,
            digests=digests,
        )
        within = f"{link.first}..{link.seq}"
        if is_so:
            if tags != link.tags:
                why = f"the tags of the link over facts {within} were edited"
                self.broken.append(_Broken(first, why))
            return
        count = len(self.wrong)
        for seq in range(first, link.seq + 1):
            tag = link.tag(seq)
            if tag_of(digests[seq - first]) != tag:
                self._add(seq, here.get(seq), key, tag, within)
        if is_next and len(self.wrong) == count:
            why = (
                f"the link over facts {within} was edited, or does not follow the one "
                f"before it: that ends at {head.seq}"
            )
            self.broken.append(_Broken(first, why))

    def _note_gap(self, head: Head, link: Link) -> None:
        if link.first > head.seq + 1:
            gap = f"{head.seq + 1}..{link.first - 1}"
            why = f"the chain has no link over facts {gap}: it is missing"
        else:
            why = (
                f"the link over facts {link.first}..{link.seq} was edited or inserted: "
                f"the one before it ends at {head.seq}"
            )
        self.broken.append(_Broken(head.seq + 1, why))

    def _note_strange(self, head: Head, link: Link) -> None:
        """Note a key that we have not, once for all the links in a row that name it."""
        if self._is_strict and link.key != self._strange:
            why = (
                f"the chain goes on from here with key {link.key}, which is not known: "
                "what follows under it is not checked"
            )
            self.broken.append(_Broken(head.seq + 1, why))
        self._strange = link.key

    def _add(
        self, seq: int, row: Row | None, key: ChainKey | None, tag: str, within: str
    ) -> None:
        self.wrong.append(_Wrong(seq, row, key, tag, within))

    def _rows(self) -> Iterator[Row]:
        query = (
            select(*(fact_table.c[name] for name in FACT_COLUMNS))
            .where(fact_table.c.partition == self._partition)
            .order_by(fact_table.c.seq)
            .execution_options(yield_per=AT_ONCE)
        )
        for row in self._connection.execute(query):
            self.facts += 1
            yield row

    def _chain(self) -> Iterator[Link]:
        query = (
            select(*(chain_link.c[name] for name in Link._fields))
            .where(chain_link.c.partition == self._partition)
            .order_by(chain_link.c.seq)
            .execution_options(yield_per=AT_ONCE)
        )
        for row in self._connection.execute(query):
            yield Link(*row)


def _digest(key: ChainKey, row: Row | None) -> bytes:
    """Return the digest of a row as it stands; nothing if that can be none of ours."""
    if row is None:
        return b""
    *columns, body = row
    try:
        _SKIM.decode(body)  # So that no two rows can pass for one, nor one for two.
    except msgspec.DecodeError:
        return b""
    return fact_digest(key, encoded_fact((*columns, msgspec.Raw(body))))


def _named(wrong: Sequence[_Wrong], end: int) -> Iterator[tuple[int, str]]:
    """Yield the number of each fact that is wrong, and what was done to it."""
    for one in wrong:
        yield one.seq, _why(one, wrong[:MOST_COMPARED], end)


def _why(one: _Wrong, others: Sequence[_Wrong], end: int) -> str:
    if one.row is None:
        where = "from the end of the journal " if one.seq == end else ""
        return f"it is missing {where}({one.within})"
    _, *rest = one.row
    for other in others:
        if other.key is None or other.seq == one.seq:
            continue
        if tag_of(_digest(other.key, (other.seq, *rest))) == other.tag:
            return f"what stands there was written as fact {other.seq}: it was moved"
    if one.tag:
        return f"it is not what was written there: it was edited ({one.within})"
    return "it was inserted: no link of the chain has it"
