"""What is kept beside the engine to be measured: the outbox, how late the loop is."""

import asyncio
import time
from decimal import Decimal

import structlog
from prometheus_client import CollectorRegistry

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.postings import SETTLED, PostingState
from mes_engine.runtime.metrics import Outbox, watch_loop
from tests.core.plants import a_routing
from tests.core.shop import SECOND, Shop


def test_the_outbox_that_heard_of_every_commit_is_the_one_of_the_state() -> None:
    shop = Shop(a_routing("cut"))
    outbox, heard = Outbox(shop.state), 0

    def told() -> tuple[dict[PostingState, int], int | None]:
        nonlocal heard
        shop.commit()
        outbox.hear(shop.journal[heard:])
        heard = len(shop.journal)
        fresh = Outbox(shop.state)
        assert (outbox.by_state(), outbox.oldest()) == (
            fresh.by_state(),
            fresh.oldest(),
        )
        waiting = {state: n for state, n in outbox.by_state().items() if n}
        return waiting, outbox.oldest()

    assert told() == ({}, None)
    for request in ("WR-1", "WR-2"):
        shop.make(2, request=request)
        job = shop.job("cut", request).id
        shop.ok(m.LoadJobOrder(job_order=job, work_unit="cut-1"))
        shop.ok(m.BeginJobOrder(job_order=job))
        shop.ok(m.ReportQuantity(job_order=job, good=Decimal(2)))
        shop.fire_of(job, T.COMPLETE)
        shop.at += 60 * SECOND
    raised = list(shop.state.posting.values())
    first = min(one.occurred_at for one in raised)
    assert told() == ({PostingState.PENDING: len(raised)}, first)

    for one in raised:
        for state in (PostingState.PARKED, PostingState.ACKNOWLEDGED):
            shop.ok(m.RecordPosting(posting=one.key, state=state))
            told()
    assert told() == ({}, None)
    assert set(outbox.by_state()) == set(PostingState) - SETTLED


async def test_a_loop_that_somebody_keeps_is_noted_and_told() -> None:
    registry = CollectorRegistry()
    with structlog.testing.capture_logs() as logged:
        watching = asyncio.create_task(watch_loop(registry, look_s=0.001, stall_s=0.02))
        await asyncio.sleep(0)
        until = time.monotonic() + 0.05
        while time.monotonic() < until:
            pass
        await asyncio.sleep(0.002)
        watching.cancel()
        await asyncio.wait([watching])

    assert [one["event"] for one in logged][:1] == ["loop_stalled"]
    late = registry.get_sample_value("mes_loop_lag_seconds_bucket", {"le": "0.02"})
    every = registry.get_sample_value("mes_loop_lag_seconds_count")
    assert late is not None
    assert every is not None
    assert late < every
