"""Commit once more what the archive has: the rows and their link to the letter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mes_engine.core.facts import Recorded
from mes_engine.core.state import State
from mes_engine.storage.archive.lines import Commit
from mes_engine.storage.batches import Batch, changes_of
from mes_engine.storage.chain import UNKEYED, Link, encoded_fact
from mes_engine.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedBatch(Batch):
    """A batch that was committed before, and is in the archive."""

    commit: Commit

    def _encoded(self) -> Sequence[bytes]:
        return [encoded_fact(row) for row in self.commit.facts]

    def _link(self, driven: Any, encoded: Sequence[bytes], mark: str) -> Link:
        return self.commit.link


async def commit_again(
    database: Database, commit: Commit, records: Sequence[Recorded], layer: State
) -> None:
    """Write a commit of the archive into a file of SQLite, and what ``layer`` changed.

    No key is needed: whether the chain holds is found out by who has it.

    Args:
        database: Where to.
        commit: As it was archived.
        records: Its facts.
        layer: What they changed.
    """
    batch = ArchivedBatch(
        partition=layer.partition,
        records=records,
        changes=changes_of(layer),
        key=UNKEYED,
        head=None,
        anchors=0,
        commit=commit,
    )
    await database.raw(batch.writer(database))
