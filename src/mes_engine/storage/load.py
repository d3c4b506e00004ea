"""The live state, read in bulk: what the engine keeps in memory from its start.

Live is every work request that is neither closed nor cancelled, or that has postings
still to settle, with all that belongs to it; every lot of which something is held; and
what is known of the site. Of work requests and routings every row is read, as their ids
are given by others and must be recognised when they come again.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    literal_column,
    or_,
    select,
    text,
    union,
)

from mes_engine.core.lots import LotExistence
from mes_engine.core.postings import SETTLED
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.state import State
from mes_engine.storage import tables as t
from mes_engine.storage.codec import CODECS
from mes_engine.storage.journal import head
from mes_engine.storage.tables.material import IS_HELD

HANDLED_KEPT = 100_000
AT_ONCE = 5_000
OVER = (WorkRequestState.CLOSED, WorkRequestState.CANCELLED)

WHOLE = (
    "plant",
    "routing",
    "effective_routing",
    "work_request",
    "equipment",
    "signal",
    "machine_tally",
    "watermark",
    "counter",
)


def load_state(connection: Connection, partition: str) -> State:
    """Return the live state of ``partition``, as of the last committed fact."""
    state = State(partition)
    with _uncollected():
        for name in WHOLE:
            _fill(state, connection, name)
        for name, condition in _live(partition).items():
            _fill(state, connection, name, condition)
        _fill_handled(state, connection)
    state.seq = head(connection, partition)
    return state


def _live(partition: str) -> dict[str, ColumnElement[bool]]:
    unsettled = t.posting.c.state.not_in(sorted(SETTLED))
    live = union(
        select(t.work_request.c.id).where(
            t.work_request.c.partition == partition,
            t.work_request.c.state.not_in(OVER),
        ),
        select(t.posting.c.stream).where(t.posting.c.partition == partition, unsettled),
    ).cte("live")
    requests = select(live.c.id)
    jobs = select(t.job_order.c.id).where(
        t.job_order.c.partition == partition, t.job_order.c.request.in_(requests)
    )
    is_held = text(IS_HELD)
    held = select(t.position.c.lot).where(t.position.c.partition == partition, is_held)
    received = and_(t.lot.c.request.is_(None), t.lot.c.existence == LotExistence.ACTIVE)
    return {
        "visit": t.visit.c.request.in_(requests),
        "job_order": t.job_order.c.request.in_(requests),
        "run": t.run.c.job_order.in_(jobs),
        "hold": t.hold.c.released_at.is_(None),
        "lot": or_(t.lot.c.request.in_(requests), t.lot.c.id.in_(held), received),
        "position": or_(t.position.c.request.in_(requests), is_held),
        "connection_flow": t.connection_flow.c.request.in_(requests),
        "posting": or_(unsettled, t.posting.c.stream.in_(requests)),
    }


def _fill(
    state: State,
    connection: Connection,
    name: str,
    condition: ColumnElement[bool] | None = None,
) -> None:
    codec = CODECS[name]
    query = codec.query(state.partition)
    if condition is not None:
        query = query.where(condition)
    put = getattr(state, name).put
    for rows in connection.execute(query).partitions(AT_ONCE):
        for value in codec.values(rows):
            put(value)


def _fill_handled(state: State, connection: Connection) -> None:
    codec = CODECS["handled"]
    rowid: ColumnElement[int] = literal_column("rowid")
    newest = codec.query(state.partition).order_by(rowid.desc()).limit(HANDLED_KEPT)
    rows = connection.execute(newest).all()
    for value in codec.values(reversed(rows)):  # the oldest is forgotten first
        state.handled.put(value)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector from walking, again and again, what is all there to stay."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
