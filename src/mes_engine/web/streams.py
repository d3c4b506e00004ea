"""The stream of facts as server-sent events: told to many at the price of a few.

Terminals of one work center hear the same, so what a commit says to them is filtered
and encoded once. And each stream is sent what has come together since it was sent
something last: all of them together get so many pieces a second, whatever happens.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

import msgspec
from starlette.responses import StreamingResponse
from starlette.types import Send

from mes_engine.core.facts import Fact, Recorded, fact_name
from mes_engine.http.fields import to_iso
from mes_engine.storage.journal import facts_after
from mes_engine.web.parts import Parts
from mes_engine.web.topics import is_of_interest

PAGE_OF_STREAM = 500
BATCHES_BUFFERED = 256
PIECES_A_SECOND = 400
"""To all streams together."""
LONGEST_PAUSE_S = 1.0
PING_S = 15.0
PING = b": ping\n\n"
BEGIN = b": facts\nretry: 1000\n\n"
TEXTS_KEPT = 512

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Interest:
    """What a stream is to hear: facts of some names, of one work center; or all."""

    types: frozenset[str] | None = None
    work_center: str | None = None


class Told:
    """What commits say to streams, kept for a while, as others will ask for it too."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._texts: OrderedDict[tuple[int, int, Interest], bytes] = OrderedDict()

    def text(self, records: Sequence[Recorded], interest: Interest) -> bytes:
        """Return the events of facts that follow each other, as they are sent."""
        key = (records[0].seq, records[-1].seq, interest)
        found = self._texts.get(key)
        if found is None:
            found = b"".join(
                _event(one) for one in records if self._is_wanted(one.fact, interest)
            )
            self._texts[key] = found
            if len(self._texts) > TEXTS_KEPT:
                self._texts.popitem(last=False)
        return found

    def _is_wanted(self, fact: Fact, interest: Interest) -> bool:
        if interest.types is not None and fact_name(fact) not in interest.types:
            return False
        center = interest.work_center
        return center is None or is_of_interest(self._parts.state, fact, center)


class FactStream(StreamingResponse):
    """The answer that does not end: what is committed, as it is."""

    media_type = "text/event-stream"

    def __init__(self, parts: Parts, told: Told, seen: int, interest: Interest) -> None:
        super().__init__(
            _sent(parts, told, seen, interest),
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )

    async def stream_response(self, send: Send) -> None:
        """Send it, and let the feed know at once that nobody listens any more."""
        pieces = cast("AsyncGenerator[bytes, None]", self.body_iterator)
        async with aclosing(pieces):
            await super().stream_response(send)


async def _sent(
    parts: Parts, told: Told, seen: int, interest: Interest
) -> AsyncGenerator[bytes, None]:
    yield BEGIN
    async with aclosing(committed_after(parts, seen)) as batches:
        async for some in batches:
            if not some:
                yield PING
                continue
            seen = some[-1][-1].seq
            if text := b"".join(told.text(one, interest) for one in some):
                yield text
                await asyncio.sleep(pause_s(len(parts.feed)))
    yield b'event: bye\ndata: {"seq":%d}\n\n' % seen


async def committed_after(
    parts: Parts, seen: int
) -> AsyncGenerator[Sequence[Sequence[Recorded]], None]:
    """Yield every fact after ``seen``, in order and once, until the feed is closed.

    What was committed before the subscription is in the journal. What is in both is
    told apart by its number. A reader that was too slow goes on from the journal.
    Nothing is yielded when nothing has happened for a while.
    """
    is_cut = True
    while is_cut:
        with parts.feed.subscribe(BATCHES_BUFFERED) as batches:
            reached = parts.state.seq  # what comes after it, the subscription has
            while seen < reached and (records := await _after(parts, seen)):
                seen = records[-1].seq
                yield [records]
            while True:
                try:
                    async with asyncio.timeout(PING_S):
                        taken = await batches.take()
                except TimeoutError:
                    yield []
                    continue
                if not taken:
                    break
                some = [fresh for one in taken if (fresh := _fresh(one, seen))]
                if some:
                    seen = some[-1][-1].seq
                    yield some
            is_cut = batches.is_cut


def pause_s(streams: int) -> float:
    """Return how long a stream waits between two pieces."""
    return min(streams / PIECES_A_SECOND, LONGEST_PAUSE_S)


def _fresh(records: Sequence[Recorded], seen: int) -> Sequence[Recorded]:
    if records[0].seq > seen:
        return records  # as it is: others have the same
    return [one for one in records if one.seq > seen]


async def _after(parts: Parts, seq: int) -> list[Recorded]:
    partition = parts.state.partition
    return await parts.database.read(
        lambda connection: facts_after(connection, partition, seq, PAGE_OF_STREAM)
    )


def _event(recorded: Recorded) -> bytes:
    body = {
        "seq": recorded.seq,
        "type": fact_name(recorded.fact),
        "occurred_at": to_iso(recorded.occurred_at),
        "recorded_at": to_iso(recorded.recorded_at),
        "cause": recorded.cause,
        "person": recorded.person,
        "fact": recorded.fact,
    }
    return b"data: %b\nid: %d\n\n" % (_encoder.encode(body), recorded.seq)
