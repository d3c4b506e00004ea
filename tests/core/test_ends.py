"""The ends of a job order: complete, stop, close, cancel, and what they need."""

from decimal import Decimal

import pytest

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.postings import PostingState
from tests.core.plants import a_routing, in_batches
from tests.core.shop import SECOND, Shop
from tests.core.situations import JOB, a_command, completed, processing


@pytest.mark.parametrize(
    ("reported", "unmet"),
    [
        (Decimal(0), "queued 10, in process 0, suspect 0 C62 not accounted for"),
        (Decimal(9), "queued 1, in process 0, suspect 0 C62 not accounted for"),
    ],
)
def test_complete_needs_every_piece_accounted_for(
    reported: Decimal, unmet: str
) -> None:
    shop = processing()
    if reported:
        shop.report("cut", int(reported))

    answer = shop.refused(a_command(T.COMPLETE))

    assert answer.unmet == (f"quantity_accounted: {unmet}",)


def test_complete_waits_for_pieces_that_may_still_come() -> None:
    shop = Shop(in_batches("cut", "mill", of=5))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 5)
    shop.begin("mill")
    shop.report("mill", 5)

    job = shop.job("mill").id
    answer = shop.refused(m.AssertTrigger(job_order=job, trigger=T.COMPLETE))

    assert answer.unmet == ("nothing_expected: pieces may still come from step cut",)


def test_suspect_pieces_wait_for_their_disposition() -> None:
    shop = processing()
    shop.report("cut", 8, suspect=Decimal(2), reason="scratch")
    answer = shop.refused(a_command(T.COMPLETE))
    assert "suspect 2" in answer.unmet[0]

    shop.refused(shop.a_report("cut", 3, taken_from=m.ReportFrom.SUSPECT))
    shop.report("cut", 1, taken_from=m.ReportFrom.SUSPECT)
    scrap = (m.Scrapped(quantity=Decimal(1), reason="scratch"),)
    shop.report("cut", scrap=scrap, taken_from=m.ReportFrom.SUSPECT)

    shop.complete("cut")
    assert shop.at_step("mill") == {"queued": 9}


@pytest.mark.parametrize(
    ("remainder", "state", "planned_next"),
    [
        (m.Remainder.FOLLOW_ON, S.ALLOWED_READY, 6),
        (m.Remainder.QUEUE, S.NOT_ALLOWED_READY, 6),
    ],
)
def test_stop_leaves_the_rest_to_a_follow_on(
    remainder: m.Remainder, state: S, planned_next: int
) -> None:
    shop = processing()
    shop.report("cut", 4)

    shop.ok(m.StopJobOrder(job_order=JOB, remainder=remainder, reason="rush"))

    assert shop.by_id(JOB).state is S.ENDED_COMPLETED
    following = shop.job("cut")
    assert following.follows == JOB
    assert following.state is state
    assert following.planned == planned_next
    assert shop.at_step("cut") == {"queued": 6, "started": 10}
    assert shop.at_step("mill") == {"queued": 4}
    posting = next(shop.state.posting.values())
    assert not posting.is_final


def test_stop_with_scrap_leaves_nothing() -> None:
    shop = processing()
    shop.report("cut", 4)

    shop.ok(
        m.StopJobOrder(job_order=JOB, remainder=m.Remainder.SCRAP, reason="wrong steel")
    )

    assert len(shop.jobs("cut")) == 1
    assert shop.job("cut").scrap == 6
    assert shop.at_step("cut") == {"scrap": 6, "started": 10}
    assert next(shop.state.posting.values()).is_final


def test_close_waits_for_the_ledger() -> None:
    shop = completed()
    posting = next(shop.state.posting.values())

    answer = shop.refused(a_command(T.CLOSE))
    assert answer.unmet == (f"posting_settled: {posting.key} is pending",)

    state = PostingState.ACKNOWLEDGED
    shop.ok(m.RecordPosting(posting=posting.key, state=state, reference="4711"))
    assert shop.by_id(JOB).state is S.ENDED_CLOSED


def test_cancel_needs_that_nothing_was_booked() -> None:
    shop = completed()
    following = shop.job("mill").id

    answer = shop.refused(m.AssertTrigger(job_order=following, trigger=T.CANCEL))

    assert answer.unmet == ("nothing_booked: 0 C62 reported, 10 at the step",)


def test_a_few_may_be_missing_if_the_routing_tolerates_it_and_a_person_says_why() -> (
    None
):
    shop = Shop(a_routing("cut", under_tolerance=Decimal("0.05")))
    shop.make(100)
    job = shop.begin("cut")
    shop.report("cut", 94)
    missing = m.AssertTrigger(job_order=job, trigger=T.COMPLETE, reason="miscounted")
    shop.refused(missing)

    shop.report("cut", 1)
    shop.refused(a_command(T.COMPLETE))
    shop.ok(missing)

    assert shop.at_step("cut") == {"started": 100, "lost": 5}
    assert shop.stock() == 95
    assert shop.by_id(job).lost == 5


def test_an_end_that_is_told_late_is_not_before_its_beginning() -> None:
    shop = processing()
    run = shop.by_id(JOB).run or ""

    stop = m.StopJobOrder(
        job_order=JOB, remainder=m.Remainder.FOLLOW_ON, reason="early end"
    )
    shop.ok(stop, at=shop.at - 10 * SECOND)

    found = shop.state.run.get(run)
    assert found is not None
    assert found.closed_at is not None
    assert found.closed_at >= found.opened_at
    assert found.processing_us == 0
