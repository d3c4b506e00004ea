"""Postings: once each, in order, and what the ledger says of them."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.plant import PostingPolicy, Shift
from mes_engine.core.postings import Posting, PostingState
from mes_engine.core.requests import WorkRequestState
from tests.core.plants import a_plant, a_routing, in_batches
from tests.core.shop import SECOND, Shop


def postings(shop: Shop) -> list[Posting]:
    return sorted(shop.state.posting.values(), key=lambda one: one.stream_seq)


def record(
    shop: Shop, posting: Posting, state: PostingState, **changed: str
) -> dict[str, str]:
    command = m.RecordPosting(posting=posting.key, state=state, **changed)
    return shop.ok(command)


def done() -> Shop:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.run("cut", 10)
    return shop


def test_a_work_center_posts_each_report_or_each_run() -> None:
    shop = Shop(in_batches("cut", "paint", of=5))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 5)
    assert postings(shop) == []
    shop.begin("paint")
    shop.report("paint", 2)
    shop.report("paint", 3)
    assert [(one.step, int(one.good)) for one in postings(shop)] == [
        ("paint", 2),
        ("paint", 3),
    ]

    shop.report("cut", 5)
    shop.complete("cut")

    last = postings(shop)[-1]
    assert [last.step, last.good, last.is_final] == ["cut", 10, True]
    assert [one.stream_seq for one in postings(shop)] == [1, 2, 3]


def test_of_a_work_center_without_an_account_nothing_goes_up() -> None:
    plant = a_plant()
    centers = tuple(
        replace(one, posting=PostingPolicy.NONE if one.name == "cut" else one.posting)
        for one in plant.work_centers
    )
    shop = Shop(a_routing("cut", "paint"), plant=a_plant(work_centers=centers))
    shop.make(10)
    shop.run("cut", 10)
    assert postings(shop) == []
    shop.run("paint", 10)
    assert {one.step for one in postings(shop)} == {"paint"}


def test_times_go_up_with_the_pieces_and_once() -> None:
    shop = Shop(a_routing("paint"))
    shop.make(10)
    shop.load("paint")
    shop.fire("paint", T.BEGIN_SETUP)
    shop.at += 9 * SECOND
    shop.begin("paint")
    shop.report("paint", 4)
    shop.at += 19 * SECOND
    shop.report("paint", 6)
    shop.complete("paint")

    found = postings(shop)
    assert [one.setup_s for one in found] == [10, 0, 0]
    assert sum(one.processing_s for one in found) == shop.job("paint").processing_us / (
        SECOND
    )
    assert [one.is_final for one in found] == [False, False, True]
    assert [one.good for one in found] == [4, 6, 0]


def test_the_key_is_of_the_fact_that_it_posts() -> None:
    shop = done()

    (posting,) = postings(shop)

    recorded = next(
        one for one in shop.journal if getattr(one.fact, "posting", None) == posting
    )
    assert posting.key == f"main-{recorded.seq}"


def test_a_night_is_posted_to_the_day_on_which_it_began() -> None:
    """The shop's clock begins at six in the morning of Monday."""
    night = Shift(id="n", name="Night", starts=22 * 60, ends=7 * 60, days=(7,))
    shop = Shop(a_routing("cut"), plant=a_plant(shifts=(night,)))
    shop.make(10)
    shop.run("cut", 10)

    assert postings(shop)[0].business_date == "2026-01-04"


@pytest.mark.parametrize(
    "state", [PostingState.RETRYING, PostingState.IN_DOUBT, PostingState.PENDING]
)
def test_what_is_on_its_way_leaves_the_job_order_open(state: PostingState) -> None:
    shop = done()

    record(shop, postings(shop)[0], state, reason="no answer")

    assert postings(shop)[0].state is state
    assert shop.job("cut").state is S.ENDED_COMPLETED


def test_an_acknowledgement_is_kept_and_a_second_one_changes_nothing() -> None:
    shop = done()
    record(shop, postings(shop)[0], PostingState.ACKNOWLEDGED, reference="4711")
    assert shop.job("cut").state is S.ENDED_CLOSED

    again = record(shop, postings(shop)[0], PostingState.PARKED, reason="refused")

    assert again["state"] == "acknowledged"
    assert postings(shop)[0].reference == "4711"


def test_only_what_is_parked_is_retried_or_waived() -> None:
    shop = done()
    key = postings(shop)[0].key
    shop.refused(m.RetryPosting(posting=key))
    shop.refused(m.WaivePosting(posting=key, reason="sample"))

    record(shop, postings(shop)[0], PostingState.PARKED, reason="period is closed")
    shop.ok(m.RetryPosting(posting=key))
    assert postings(shop)[0].state is PostingState.PENDING
    record(shop, postings(shop)[0], PostingState.PARKED, reason="period is closed")
    shop.ok(m.WaivePosting(posting=key, reason="sample"))

    assert postings(shop)[0].state is PostingState.WAIVED
    assert shop.job("cut").state is S.ENDED_CLOSED


@pytest.mark.parametrize(
    "command",
    [
        m.RecordPosting(posting="no-1", state=PostingState.ACKNOWLEDGED),
        m.RetryPosting(posting="no-1"),
        m.WaivePosting(posting="no-1", reason="x"),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_posting_that_is_not_there_is_not_found(command: m.Command) -> None:
    assert Shop().do(command).outcome is m.Outcome.NOT_FOUND


def test_a_request_is_closed_after_its_work_and_its_postings() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    close = m.CloseWorkRequest(work_request="WR-1")
    shop.refused(close)
    shop.run("cut", 10)
    shop.run("mill", 10)
    answer = shop.refused(close)
    assert len(answer.unmet) == 2

    for posting in postings(shop):
        record(shop, posting, PostingState.ACKNOWLEDGED)
    shop.ok(close)

    request = shop.state.work_request.get("WR-1")
    assert request is not None
    assert request.state is WorkRequestState.CLOSED
    shop.refused(m.CancelWorkRequest(work_request="WR-1"))
    shop.refused(m.ReleaseWorkRequest(work_request="WR-1"))


def test_a_request_on_which_nothing_was_booked_is_cancelled_with_its_job_orders() -> (
    None
):
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    shop.load("cut")

    shop.ok(m.CancelWorkRequest(work_request="WR-1", reason="the customer left"))

    assert [job.state for job in shop.jobs("cut")] == [S.CANCELLED]
    assert not any(run.is_open for run in shop.state.run.values())
    request = shop.state.work_request.get("WR-1")
    assert request is not None
    assert request.state is WorkRequestState.CANCELLED


def test_a_request_on_which_pieces_were_begun_is_not_cancelled() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.begin("cut")

    answer = shop.refused(m.CancelWorkRequest(work_request="WR-1"))

    assert "'cancel' is not allowed" in answer.message
    assert shop.job("cut").state is S.RUNNING_PROCESSING


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "0.5"])
def test_a_request_for_nothing_is_malformed(quantity: str) -> None:
    shop = Shop(a_routing("cut"))
    shop.malformed(
        m.CreateWorkRequest(
            work_request="WR-1", routing="R", quantity=Decimal(quantity), due_at=0
        )
    )


def test_a_request_is_created_once_and_by_a_routing_that_is_there() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    again = m.CreateWorkRequest(
        work_request="WR-1", routing="R", quantity=Decimal(1), due_at=0
    )
    shop.refused(again)

    nowhere = m.CreateWorkRequest(
        work_request="WR-2", routing="X", quantity=Decimal(1), due_at=0
    )
    assert shop.do(nowhere).outcome is m.Outcome.NOT_FOUND
