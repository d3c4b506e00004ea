"""From a backup on to a later moment: what was committed since, out of the archive.

Facts go through the core's ``evolve`` into the store, as they did when they were new.
What is no fact is as in the backup, but for the ledger, which books again what the
journal says that it had booked.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mes_engine.core.errors import Refused
from mes_engine.core.evolve import evolve
from mes_engine.core.facts import PostingMoved, Recorded
from mes_engine.core.postings import PostingState
from mes_engine.core.state import State
from mes_engine.modules.ledger import Booked, book_again
from mes_engine.runtime.memory import Memory
from mes_engine.storage.archive.committing import commit_again
from mes_engine.storage.archive.history import history, plant_of
from mes_engine.storage.archive.lines import Commit, FactRow
from mes_engine.storage.archive.reading import recorded_of, rows_after
from mes_engine.storage.database import Database
from mes_engine.storage.journal import MAIN
from mes_engine.storage.store import SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Onward:
    """Where the archive is, and how far to go; to its end, if nothing else is said.

    Attributes:
        folder: The archive's.
        at: No commit that was recorded after this time; microseconds of UTC.
        seq: No commit with a fact after this one.
        timeline: Of the archive as it was before a restore that came later.
    """

    folder: Path
    at: int | None = None
    seq: int | None = None
    timeline: int | None = None

    def commits(self, *, after: int) -> Iterator[Commit]:
        """Yield what the archive has after a fact, in order."""
        return history(self.folder, after=after, timeline=self.timeline)

    def has(self, commit: Commit) -> bool:
        """Whether a commit is not too late."""
        is_in_time = self.at is None or commit.facts[-1].recorded_at <= self.at
        return is_in_time and (self.seq is None or commit.last <= self.seq)


@dataclass(frozen=True, slots=True)
class Reached:
    """How far it went.

    Attributes:
        seq: The last fact.
        at: When it was recorded; None where nobody has looked.
    """

    seq: int
    at: int | None


def check_archive(folder: Path, plant: str) -> None:
    """Refuse what is no archive, or another plant's.

    Raises:
        Refused: It is not to be used.
    """
    header = plant_of(folder)
    if header is None:
        raise Refused(
            f"There is no archive of a journal in {folder}.",
            hint="Name the folder that site.yaml has as archive.folder.",
        )
    if plant and header.plant != plant:
        raise Refused(
            f"{folder} has the journal of {header.plant}, the backup is of {plant}.",
            hint="Name that plant's folder.",
        )


async def replay(url: str, onward: Onward) -> Reached:
    """Bring the database at ``url`` on, as far as the archive and ``onward`` go.

    Raises:
        Refused: It is past that moment already, or is not of the archive's history.
    """
    database = Database.open(url)
    try:
        return await _replay(database, onward)
    finally:
        await database.close()


async def _replay(database: Database, onward: Onward) -> Reached:
    store = SqlStore(database)
    state = await store.load()
    rows = await database.read(
        lambda connection: rows_after(connection, MAIN, state.seq - 1, 1)
    )
    reached = Reached(state.seq, rows[0].recorded_at if rows else 0)
    _check_not_past(reached, onward)
    if rows:
        _check_is_of(onward, rows[0])
    memory = Memory(state)
    for commit in onward.commits(after=state.seq):
        if commit.first != state.seq + 1:
            raise Refused(
                f"The archive has no facts {state.seq + 1}..{commit.first - 1}.",
                hint="Take a later backup, or put the missing files back.",
            )
        if not onward.has(commit):
            break
        records = [recorded_of(row, MAIN) for row in commit.facts]
        layer = state.layer()
        booked = list(_evolved(layer, records))
        await commit_again(database, commit, records, layer)
        layer.merge()
        memory.hear(records)
        await _book(database, booked)
        reached = Reached(commit.last, commit.facts[-1].recorded_at)
    return reached


def _evolved(layer: State, records: Iterable[Recorded]) -> Iterator[Booked]:
    """Evolve each fact; yield what the ledger had acknowledged by it."""
    for recorded in records:
        evolve(layer, recorded)
        fact = recorded.fact
        if isinstance(fact, PostingMoved) and fact.state is PostingState.ACKNOWLEDGED:
            posting = layer.posting.get(fact.posting)
            if posting is None:
                raise Refused(f"Fact {recorded.seq} is of no posting: {fact.posting}.")
            yield Booked(posting, fact.reference, recorded.recorded_at)


async def _book(database: Database, booked: list[Booked]) -> None:
    if booked:
        await database.write(lambda connection: book_again(connection, booked))


def _check_not_past(reached: Reached, onward: Onward) -> None:
    is_past = onward.at is not None and (reached.at or 0) > onward.at
    if is_past or (onward.seq is not None and reached.seq > onward.seq):
        raise Refused(
            f"The backup goes up to fact {reached.seq} already, which is later.",
            hint="Take a backup of before that moment.",
        )


def _check_is_of(onward: Onward, last: FactRow) -> None:
    """Refuse a backup whose last fact the archive knows, and knows otherwise."""
    commit = next(onward.commits(after=last.seq - 1), None)
    if commit is None or commit.first > last.seq:
        return
    if commit.facts[-1] != last:
        raise Refused(
            f"The backup's last fact {last.seq} is not the archive's: they went "
            "separate ways before it, by a restore.",
            hint="Take a backup of before that restore, or name --timeline.",
        )
