"""Tools on the way of lots: which lots were worked with which, and when.

A run has a tool from one fact to another. A lot was worked with it if something of it
left the run's queue in that time; or after it, where the tool was changed in mid-run:
what is reported then may have been worked before.
"""

import json
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from mes_engine.core.assets import ToolUse
from mes_engine.storage.codec import CODECS
from mes_engine.storage.dialect import sql

NEVER = 2**63 - 1
"""A time, and a number of a fact, after every other."""

_IS_WORK = (
    "move.bucket IN ('queued', 'in_process') AND move.to_lot IS NULL "
    "AND move.reverses IS NULL"
)
"""The SQL condition that a move is of work, and takes nothing back."""

_OF_RUN = "tool_use INDEXED BY ix_tool_use_partition_run"
"""Named: SQLite thinks a range of numbers to be fewer than those of one run."""

_COLUMNS = ", ".join(f"tool_use.{name}" for name in CODECS["tool_use"].columns)


class Tooled(msgspec.Struct, frozen=True, kw_only=True):
    """A lot was worked with a tool, by a job order, while a run had it."""

    lot: str
    job_order: str
    step: str
    use: ToolUse


# With CROSS JOIN, SQLite begins with what is wanted.
_OF_LOTS = sql(
    "SELECT done.lot, done.job_order, job_order.step, "  # noqa: S608 - ours
    f"{_COLUMNS} FROM ("
    "SELECT move.lot, move.job_order, move.run, max(move.seq) AS last_seq "
    "FROM json_each(:names) AS wanted CROSS JOIN move "
    "INDEXED BY ix_move_partition_lot_seq "
    "ON move.partition = :partition AND move.lot = wanted.value "
    f"WHERE move.run IS NOT NULL AND {_IS_WORK} "
    "GROUP BY move.lot, move.job_order, move.run) AS done "
    f"CROSS JOIN {_OF_RUN} ON tool_use.partition = :partition "
    "AND tool_use.run = done.run AND tool_use.seq <= done.last_seq "
    "CROSS JOIN job_order "
    "ON job_order.partition = :partition AND job_order.id = done.job_order"
)

_HAS_TOOLS = sql(
    "SELECT EXISTS (SELECT 1 FROM json_each(:jobs) AS wanted "  # noqa: S608 - ours
    "CROSS JOIN run_member ON run_member.partition = :partition "
    "AND run_member.job_order = wanted.value "
    f"CROSS JOIN {_OF_RUN} ON tool_use.partition = :partition "
    "AND tool_use.run = run_member.run)"
)

_WORKED_WITH = sql(
    "SELECT DISTINCT move.lot FROM ("  # noqa: S608 - ours
    "SELECT DISTINCT tool_use.seq, tool_use.run, job_order.request, "
    "CASE WHEN tool_use.claimed_at > :since THEN tool_use.claimed_at "
    "ELSE :since END AS since, "
    # What is reported after a change in mid-run may have been worked before it.
    "CASE WHEN tool_use.freed_seq IS NULL OR run.closed_at IS NULL "
    "OR tool_use.freed_at < run.closed_at THEN :never "
    "ELSE tool_use.freed_seq END AS last_seq "
    "FROM tool_use INDEXED BY ix_tool_use_partition_asset_claimed_at "
    "CROSS JOIN json_each(tool_use.job_orders) AS member "
    "CROSS JOIN job_order ON job_order.partition = :partition "
    "AND job_order.id = member.value "
    "CROSS JOIN run ON run.partition = :partition AND run.id = tool_use.run "
    "WHERE tool_use.partition = :partition AND tool_use.asset = :asset "
    "AND tool_use.claimed_at <= :until "
    "AND (tool_use.freed_at IS NULL OR tool_use.freed_at >= :since)) AS used "
    "CROSS JOIN move INDEXED BY ix_move_partition_request_seq "
    "ON move.partition = :partition AND move.request = used.request "
    "AND move.seq BETWEEN used.seq AND used.last_seq "
    f"WHERE move.run = used.run AND move.at >= used.since AND {_IS_WORK}"
)


def tools_of_lots(
    connection: Connection,
    partition: str,
    lots: Sequence[str],
    job_orders: Sequence[str],
) -> list[Tooled]:
    """Return with which tools these lots were worked, by lot and in order.

    Args:
        connection: Where to read.
        partition: Whose.
        lots: Which.
        job_orders: Those that they were worked by.
    """
    jobs = {"jobs": json.dumps(job_orders), "partition": partition}
    if not connection.execute(_HAS_TOOLS, jobs).scalar_one():
        return []
    asked = {"names": json.dumps(lots), "partition": partition}
    rows = connection.execute(_OF_LOTS, asked).all()
    uses: list[ToolUse] = CODECS["tool_use"].values([row[3:] for row in rows])
    found = [
        Tooled(lot=row[0], job_order=row[1], step=row[2], use=use)
        for row, use in zip(rows, uses, strict=True)
    ]
    return sorted(found, key=lambda one: (one.use.seq, one.lot, one.job_order))


def lots_worked_with(
    connection: Connection,
    partition: str,
    asset: str,
    *,
    since: int | None = None,
    until: int | None = None,
) -> list[str]:
    """Return the lots that were worked with a tool, between two times if said."""
    asked = {
        "partition": partition,
        "asset": asset,
        "since": 0 if since is None else since,
        "until": NEVER if until is None else until,
        "never": NEVER,
    }
    return sorted(connection.execute(_WORKED_WITH, asked).scalars())
