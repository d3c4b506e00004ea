"""Compare what we say is booked with what the ledger says, and keep the result.

Nothing is mended by itself: a difference is for a person to explain.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import time
from decimal import Decimal

import msgspec
import structlog
from sqlalchemy import Connection, case, delete, func, insert, select

from mes_engine.core.postings import (
    SETTLED,
    WAITING_FOR_A_PERSON,
    PostingKind,
    PostingState,
)
from mes_engine.core.quantity import ZERO
from mes_engine.runtime.jobs import Job, daily
from mes_engine.runtime.tables import Difference, reconciliation
from mes_engine.storage.database import Database
from mes_engine.storage.tables import posting

log = structlog.stdlib.get_logger()

AT_NIGHT = time(2, 0)
LOOK_S = 60.0
RESULTS_KEPT_US = 90 * 86_400 * 1_000_000
AMOUNTS = ("good", "repeated", "scrap", "setup_s", "processing_s", "labour_s")


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """What is booked of one stream; reversals count against it."""

    entries: int
    good: Decimal = ZERO
    repeated: Decimal = ZERO
    scrap: Decimal = ZERO
    setup_s: Decimal = ZERO
    processing_s: Decimal = ZERO
    labour_s: Decimal = ZERO


class Ours(msgspec.Struct, frozen=True, kw_only=True):
    """What we know of one stream: what is acknowledged, and what is not settled."""

    acknowledged: Booked
    waiting: int
    parked: int


LedgerTotals = Callable[[], Awaitable[Mapping[str, Booked]]]
"""Ask the ledger what it has booked, by stream."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison found.

    Attributes:
        streams: How many were compared; ``waiting`` have something on its way.
        parked: Postings that wait for a person.
    """

    at: int
    streams: int
    waiting: int
    parked: int
    differences: tuple[Difference, ...]


async def reconcile(
    database: Database,
    ledger_totals: LedgerTotals,
    *,
    at: int,
    partition: str = "main",
) -> Result:
    """Compare every stream, log and keep what was found."""
    # Ours before and after: what moved meanwhile is on its way, and no difference.
    before = await database.read(lambda connection: our_totals(connection, partition))
    theirs = await ledger_totals()
    after = await database.read(lambda connection: our_totals(connection, partition))
    result = compared(before, theirs, after, at=at)
    await database.write(lambda connection: _keep(connection, result, partition))
    say = log.warning if result.differences else log.info
    say(
        "ledger_reconciled",
        streams=result.streams,
        waiting=result.waiting,
        parked=result.parked,
        differences=[f"{one.stream}: {one.kind}" for one in result.differences[:20]],
    )
    return result


def nightly(
    database: Database,
    ledger_totals: LedgerTotals,
    *,
    zone: str,
    at: time = AT_NIGHT,
    partition: str = "main",
) -> Job:
    """Return the job that compares every stream once a local day."""

    async def work(slot: int) -> None:
        await reconcile(database, ledger_totals, at=slot, partition=partition)

    return Job(name="reconcile", slot_at=daily(at, zone), wake_s=LOOK_S, work=work)


def compared(
    before: Mapping[str, Ours],
    theirs: Mapping[str, Booked],
    after: Mapping[str, Ours],
    *,
    at: int,
) -> Result:
    """Say where the ledger differs, leaving out streams that were on their way."""
    differences: list[Difference] = []
    waiting = 0
    for stream in sorted({*after, *theirs}):
        ours = after.get(stream)
        if ours is not None and (ours.waiting or ours != before.get(stream)):
            waiting += 1
            continue
        acknowledged = Booked(entries=0) if ours is None else ours.acknowledged
        booked = theirs.get(stream, Booked(entries=0))
        if acknowledged != booked:
            differences.append(_difference(stream, acknowledged, booked))
    return Result(
        at=at,
        streams=len({*after, *theirs}),
        waiting=waiting,
        parked=sum(ours.parked for ours in after.values()),
        differences=tuple(differences),
    )


def _difference(stream: str, ours: Booked, theirs: Booked) -> Difference:
    kind = "changed"
    if theirs.entries < ours.entries:
        kind = "missing"
    elif theirs.entries > ours.entries:
        kind = "orphan"
    return Difference(
        stream=stream, kind=kind, ours=_as_text(ours), theirs=_as_text(theirs)
    )


def _as_text(booked: Booked) -> dict[str, str]:
    return {name: str(value) for name, value in msgspec.structs.asdict(booked).items()}


def our_totals(connection: Connection, partition: str) -> dict[str, Ours]:
    """Return what the engine knows of each stream's postings."""
    column = posting.c
    is_booked = column.state == PostingState.ACKNOWLEDGED
    is_parked = column.state.in_(WAITING_FOR_A_PERSON)
    is_on_its_way = column.state.not_in([*SETTLED, *WAITING_FOR_A_PERSON])
    sums = [
        func.sum(
            case(
                (~is_booked, ZERO),
                (column.kind == PostingKind.REVERSE, -column[name]),
                else_=column[name],
            )
        ).label(name)
        for name in AMOUNTS
    ]
    query = (
        select(
            column.stream,
            func.sum(case((is_booked, 1), else_=0)).label("entries"),
            func.sum(case((is_parked, 1), else_=0)).label("parked"),
            func.sum(case((is_on_its_way, 1), else_=0)).label("waiting"),
            *sums,
        )
        .where(column.partition == partition)
        .group_by(column.stream)
    )
    return {
        row["stream"]: Ours(
            acknowledged=Booked(
                entries=row["entries"],
                **{name: row[name] or ZERO for name in AMOUNTS},
            ),
            waiting=row["waiting"],
            parked=row["parked"],
        )
        for row in connection.execute(query).mappings()
    }


def results(
    connection: Connection, *, partition: str = "main", limit: int = 30
) -> list[Result]:
    """Return what the last comparisons found, the newest first."""
    table = reconciliation
    query = (
        select(table)
        .where(table.c.partition == partition)
        .order_by(table.c.at.desc())
        .limit(limit)
    )
    return [
        Result(
            at=row.at,
            streams=row.streams,
            waiting=row.waiting,
            parked=row.parked,
            differences=row.differences,
        )
        for row in connection.execute(query)
    ]


def _keep(connection: Connection, result: Result, partition: str) -> None:
    row = msgspec.structs.asdict(result)
    connection.execute(insert(reconciliation).values(partition=partition, **row))
    old = result.at - RESULTS_KEPT_US
    connection.execute(
        delete(reconciliation).where(
            reconciliation.c.partition == partition, reconciliation.c.at < old
        )
    )
