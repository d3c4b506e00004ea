"""The head of the journal's chain, anchored outside the database each minute."""

import asyncio
from functools import partial
from pathlib import Path

import structlog

from mes_engine.runtime.jobs import Job, every
from mes_engine.runtime.pace import Clock
from mes_engine.storage.chain import Head
from mes_engine.storage.chain.anchors import last_anchor, write_anchor
from mes_engine.storage.store import SqlStore

log = structlog.stdlib.get_logger()

ANCHOR_EVERY_S = 60
LOOK_EVERY_S = 15


def anchor_job(store: SqlStore, file: Path, *, clock: Clock) -> Job:
    """Return the job that writes the head to ``file``, where it is another than before.

    The store is told how many lines there are, for the chain to have that number. What
    has been committed since the last line could be cut off without a trace: that is a
    minute.
    """
    store.anchors = last_anchor(file)
    last: Head | None = None

    async def anchor(_: int) -> None:
        nonlocal last
        head = await store.head()
        if head.seq == 0 or head == last:
            return
        write = partial(
            write_anchor, file, store.key, head, partition=store.partition, at=clock()
        )
        written = await asyncio.to_thread(write)
        store.anchors = written.number
        last = head
        log.debug("head_anchored", seq=head.seq, number=written.number)

    return Job(
        name="anchor_head",
        slot_at=every(ANCHOR_EVERY_S),
        wake_s=LOOK_EVERY_S,
        work=anchor,
    )
