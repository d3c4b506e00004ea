"""The live state, read in bulk: what the engine keeps in memory from its start.

Live is every work request that is neither closed nor cancelled, or that has postings
still to settle, with all that belongs to it, and the lots that it has consumed; every
lot of which something is held; and what is known of the site. Of work requests and
routings every row is read, as their ids are given by others and must be recognised when
they come again.
"""

import gc
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import (
    Connection,
    select,
    text,
    union_all,
)

from mes_engine.core.lots import EdgeKind
from mes_engine.core.runs import HoldMode
from mes_engine.core.state import State
from mes_engine.storage import tables as t
from mes_engine.storage.codec import CODECS, Sharing
from mes_engine.storage.dialect import following, unindexed
from mes_engine.storage.gathering import Query, gathered
from mes_engine.storage.journal import head
from mes_engine.storage.tables.carriers import IS_HERE
from mes_engine.storage.tables.labour import IS_SIGNED_ON, IS_WORKING
from mes_engine.storage.tables.machine_calls import IS_PENDING
from mes_engine.storage.tables.material import IS_HELD, IS_PACKED, IS_UNSETTLED
from mes_engine.storage.tables.means import IS_IN_USE
from mes_engine.storage.tables.signals import IS_RAISED
from mes_engine.storage.tables.site import IS_UNASSIGNED
from mes_engine.storage.tables.work import IS_HOLD_OPEN, IS_REQUEST_OPEN

HANDLED_KEPT = 100_000
EVENTS_KEPT = 10_000

WHOLE = (
    "plant",
    "routing",
    "effective_routing",
    "work_request",
    "equipment",
    "physical_asset",
    "person",
    "document",
    "signal",
    "handshake",
    "signal_watch",
    "link_clock",
    "machine_tally",
    "books",
    "watermark",
    "counter",
)

OF_A_REQUEST = (
    "visit",
    "job_order",
    "area_entry",
    "time_window",
    "lot",
    "position",
    "connection_flow",
    "machine_job",
    "measured_value",
)


def load_state(connection: Connection, partition: str) -> State:
    """Return the live state of ``partition``, as of the last committed fact."""
    state, sharing = State(partition), Sharing()
    with _uncollected():
        with closing(gathered(connection, _wanted(connection, partition))) as found:
            for name, columns in found:
                getattr(state, name).fill(CODECS[name].of_columns(columns, sharing))
        _fill_newest(state, connection, "handled", HANDLED_KEPT, sharing)
        _fill_newest(state, connection, "machine_event", EVENTS_KEPT, sharing)
    state.seq = head(connection, partition)
    return state


def _wanted(connection: Connection, partition: str) -> Iterator[tuple[str, Query]]:
    for name in WHOLE:
        yield name, CODECS[name].query(partition)
    for name, query in _live(partition):
        if _has_any(connection, name, partition):
            yield name, query


def _live(partition: str) -> Iterator[tuple[str, Query]]:
    """Yield what to read of which table; a row may be read twice.

    Each query is one that an index answers, so that what is over costs nothing.
    """
    ours = {name: CODECS[name].query(partition) for name in t.PROJECTIONS}
    live = union_all(
        select(t.work_request.c.id).where(
            t.work_request.c.partition == partition, text(IS_REQUEST_OPEN)
        ),
        select(t.posting.c.stream).where(
            t.posting.c.partition == partition, text(IS_UNSETTLED)
        ),
    ).cte("live")
    requests = select(live.c.id)
    jobs = select(t.job_order.c.id).where(
        t.job_order.c.partition == partition, t.job_order.c.request.in_(requests)
    )
    held = select(t.position.c.lot).where(
        t.position.c.partition == partition, text(IS_HELD)
    )
    consumed = (
        select(t.genealogy_edge.c.source)
        .join_from(t.lot, t.genealogy_edge, t.genealogy_edge.c.target == t.lot.c.id)
        .where(
            t.lot.c.partition == partition,
            t.genealogy_edge.c.partition == partition,
            t.lot.c.request.in_(requests),
        )
    )
    # What was split or merged in stock may be put back into what it came of.
    regrouped = select(t.genealogy_edge.c.source).where(
        t.genealogy_edge.c.partition == partition,
        t.genealogy_edge.c.target.in_(held),
        t.genealogy_edge.c.kind.in_((EdgeKind.SPLIT, EdgeKind.MERGED)),
    )
    for name in OF_A_REQUEST:
        yield name, ours[name].where(t.PROJECTIONS[name].c.request.in_(requests))
    members = select(t.run_member.c.run).where(
        t.run_member.c.partition == partition, t.run_member.c.job_order.in_(jobs)
    )
    yield "run", ours["run"].where(t.run.c.id.in_(members))
    yield "run_member", ours["run_member"].where(t.run_member.c.job_order.in_(jobs))
    yield (
        "component_use",
        ours["component_use"].where(t.component_use.c.job_order.in_(jobs)),
    )
    yield "posting", ours["posting"].where(t.posting.c.stream.in_(requests))
    yield "reversal", ours["reversal"].where(t.reversal.c.request.in_(requests))
    yield "tool_use", ours["tool_use"].where(text(IS_IN_USE))
    yield "sign_on", ours["sign_on"].where(text(IS_SIGNED_ON))
    yield "labour_interval", ours["labour_interval"].where(text(IS_WORKING))
    yield (
        "unassigned_production",
        ours["unassigned_production"].where(text(IS_UNASSIGNED)),
    )
    yield "hold", ours["hold"].where(text(IS_HOLD_OPEN))
    # What a future hold has fallen on once, it falls on no more.
    waiting = select(t.hold.c.id).where(
        t.hold.c.partition == partition,
        t.hold.c.mode == HoldMode.FUTURE,
        text(IS_HOLD_OPEN),
    )
    yield "hold", ours["hold"].where(t.hold.c.from_hold.in_(waiting))
    yield "alarm", ours["alarm"].where(text(IS_RAISED))
    yield "machine_call", ours["machine_call"].where(text(IS_PENDING))
    yield "carrier", ours["carrier"].where(text(IS_HERE))
    yield "lot", ours["lot"].where(text(IS_PACKED))
    yield "lot", ours["lot"].where(t.lot.c.id.in_(held))
    yield "lot", ours["lot"].where(t.lot.c.id.in_(consumed))
    yield "position", ours["position"].where(t.position.c.lot.in_(consumed))
    yield "lot", ours["lot"].where(t.lot.c.id.in_(regrouped))
    yield "position", ours["position"].where(t.position.c.lot.in_(regrouped))
    yield (
        "position",
        ours["position"].where(text(IS_HELD)),
    )
    # What left a lot that is still in stock, from another place.
    yield (
        "position",
        ours["position"].where(t.position.c.lot.in_(held), t.position.c.is_stock == 1),
    )


def _has_any(connection: Connection, name: str, partition: str) -> bool:
    """Whether there is any row: else the live requests are gone through for nothing."""
    every = CODECS[name].table.c.partition
    anything = select(every).where(every == partition).limit(1)
    return connection.execute(anything).first() is not None


def _fill_newest(
    state: State, connection: Connection, name: str, most: int, sharing: Sharing
) -> None:
    codec = CODECS[name]
    newest = (
        codec.query()
        .where(unindexed(codec.table.c.partition) == state.partition)
        .order_by(following(codec.table.c["at"]).desc())
        .limit(most)
    )
    rows = connection.execute(newest).cursor.fetchall()
    oldest_first = reversed(rows)  # which is forgotten first
    getattr(state, name).fill(codec.values(oldest_first, sharing))


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
