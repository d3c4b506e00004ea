"""The journal and its projections in the database: ``ports.WipStore``."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from mes_engine.core.facts import Recorded
from mes_engine.core.messages import Answer
from mes_engine.core.state import State
from mes_engine.storage.batches import Batch
from mes_engine.storage.chain import UNKEYED, ChainKey, Head
from mes_engine.storage.database import Database
from mes_engine.storage.journal import chain_head, head
from mes_engine.storage.load import load_state
from mes_engine.storage.tables import handled


class SqlStore:
    """One partition's journal, and the rows that are projections of it.

    Attributes:
        partition: Whose they are.
        key: What the journal's chain is made with from now on.
        anchors: How often the head of its chain has been anchored outside the database.

    Args:
        database: Where they are.
        partition: Whose they are.
        key: What the journal's chain is made with from now on.
    """

    def __init__(
        self, database: Database, partition: str = "main", *, key: ChainKey = UNKEYED
    ) -> None:
        self.anchors = 0
        self.partition = partition
        self.key = key
        self._database = database
        self._head: Head | None = None

    async def load(self) -> State:
        """Return what is live, as it was last committed."""
        return await self._database.read(
            lambda connection: load_state(connection, self.partition)
        )

    async def commit(self, records: Sequence[Recorded], layer: State) -> None:
        """Write facts and the rows that ``layer`` changed: all of it, or nothing.

        Raises:
            DuplicateKey: A command of the batch was handled before.
            StoreUnavailable: Nothing was written; the same commit may be tried again.
            Fenced: Nothing was written, nor will be: another engine has taken over.
            CommitInDoubt: It may have been written or not: ``reached`` tells.
        """
        if records:
            batch = Batch.of(
                self.partition,
                records,
                layer,
                key=self.key,
                head=self._head,
                anchors=self.anchors,
            )
            self._head = await self._database.raw(batch.writer(self._database))

    async def reached(self) -> int:
        """Return the seq of the last fact that is committed; 0 if there is none.

        After it, nothing that is still on its way is committed.

        Raises:
            StoreUnavailable: It cannot be told now.
            Fenced: Another engine has taken over.
        """

        def work(connection: Connection) -> int:
            return head(connection, self.partition)

        if self._database.dialect == "sqlite":
            return await self._database.read(work)
        # Behind the writers' lock and the fence, that a new connection has moved on.
        return await self._database.write(work)

    async def head(self) -> Head:
        """Return where the chain of the journal ends."""
        return await self._database.read(
            lambda connection: chain_head(connection, self.partition)
        )

    async def handled(self, origin: str, key: str) -> tuple[str, Answer] | None:
        """Return digest and answer of the command with this key, if there is one."""
        query = select(handled.c.digest, handled.c.answer).where(
            handled.c.partition == self.partition,
            handled.c.origin == origin,
            handled.c.key == key,
        )

        def work(connection: Connection) -> tuple[str, Answer] | None:
            row = connection.execute(query).first()
            return None if row is None else (row.digest, row.answer)

        return await self._database.read(work)
