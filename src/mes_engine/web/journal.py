"""The journal over HTTP: facts by their number, a page at a time or as they come.

A fact's body is as the journal keeps it: decimals as text, times in microseconds of
UTC. Its envelope has ISO times.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query

from mes_engine.core.facts import Recorded, as_plain, fact_name
from mes_engine.http.bodies import api_router
from mes_engine.http.fields import At, Id, View
from mes_engine.http.paging import DEFAULT_LIMIT, Limit, Page
from mes_engine.storage.journal import facts_after
from mes_engine.web.parts import Parts
from mes_engine.web.streams import FactStream, Interest, Told

SEQ_DIGITS = 18
SET_ASIDE = "message_set_aside"

FactType = Annotated[
    list[str] | None,
    Query(
        alias="type", max_length=40, description="names of facts, such as run_opened"
    ),
]
Seq = Annotated[int, Query(ge=0, lt=10**SEQ_DIGITS)]
LastEventId = Annotated[str | None, Header(pattern=rf"^\d{{1,{SEQ_DIGITS}}}$")]


class FactView(View):
    """A fact with its place in the journal."""

    seq: int
    type: str
    occurred_at: At
    recorded_at: At
    cause: str
    person: str
    fact: dict[str, Any]

    @classmethod
    def of(cls, recorded: Recorded) -> "FactView":
        """Show ``recorded``."""
        return cls(
            seq=recorded.seq,
            type=fact_name(recorded.fact),
            occurred_at=recorded.occurred_at,
            recorded_at=recorded.recorded_at,
            cause=recorded.cause,
            person=recorded.person,
            fact=as_plain(recorded.fact),
        )


def journal_router(parts: Parts) -> APIRouter:
    """Return the routes of the journal."""
    router = api_router(tags=["journal"])
    told = Told(parts)

    @router.get("/facts")
    async def list_facts(
        after_seq: Annotated[Seq, Query(alias="after")] = 0,
        limit: Limit = DEFAULT_LIMIT,
        types: FactType = None,
    ) -> Page[FactView]:
        """List facts after a number; ``next`` is the ``after`` of the page behind."""
        records = await _after(parts, after_seq, limit, types)
        has_more = len(records) == limit
        return Page(
            items=[FactView.of(one) for one in records],
            next=str(records[-1].seq) if has_more else None,
        )

    @router.get("/set-aside")
    async def list_set_aside(
        after_seq: Annotated[Seq, Query(alias="after")] = 0,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[FactView]:
        """List the messages that could not be handled and wait for a person."""
        return await list_facts(after_seq, limit, [SET_ASIDE])

    @router.get("/facts/stream", response_class=FactStream, status_code=200)
    async def stream_facts(
        after_seq: Annotated[Seq | None, Query(alias="after")] = None,
        types: FactType = None,
        work_center: Id | None = None,
        last_event_id: LastEventId = None,
    ) -> FactStream:
        """Send every fact as it is committed; the id of an event is the fact's number.

        Begins after ``Last-Event-ID``, else after ``after``, else with the next one.
        Ends with an event ``bye`` when the engine stops. With a work center, only what
        its terminals may show is sent. Facts that come thick arrive a few at a time.
        """
        seen = parts.state.seq if after_seq is None else after_seq
        if last_event_id is not None:
            seen = int(last_event_id)
        names = None if types is None else frozenset(types)
        interest = Interest(types=names, work_center=work_center)
        return FactStream(parts, told, seen, interest)

    return router


async def _after(
    parts: Parts, seq: int, limit: int, types: Sequence[str] | None = None
) -> list[Recorded]:
    partition = parts.state.partition
    return await parts.database.read(
        lambda connection: facts_after(connection, partition, seq, limit, types=types)
    )
