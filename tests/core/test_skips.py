"""Steps that are skipped: by a sample, or by a person; each with its fact."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrder, JobOrderState
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.routing import Routing
from mes_engine.core.routing_problems import routing_problems
from mes_engine.core.steps import JobPer, Sampling
from mes_engine.core.wip_ledger import Bucket
from tests.core.loops import begin, held_at, is_sound, live, wide, work
from tests.core.plants import a_routing, a_step
from tests.core.shop import Shop

ONE_IN_THREE = Sampling(every=3)


def sampled(*steps: str, per: JobPer = JobPer.REQUEST) -> Routing:
    """Cut, mill, drill, pack; of some steps one in three is worked."""
    return a_routing(
        *(
            a_step(one, job_per=per, sampling=ONE_IN_THREE if one in steps else None)
            for one in ("cut", "mill", "drill", "pack")
        )
    )


def through_cutting(shop: Shop, request: str) -> None:
    shop.make(5, request=request)
    (job,) = shop.jobs("cut", request)
    work(shop, job, 5)


def place(shop: Shop, request: str) -> list[str]:
    found = shop.state.position.find("request", request)
    return [one.place.split("/")[1] for one in found if one.held]


def test_one_request_in_three_is_worked_and_the_others_go_on_at_once() -> None:
    shop = wide(sampled("mill"))
    requests = [f"WR-{number}" for number in range(1, 6)]
    for request in requests:
        through_cutting(shop, request)

    assert [place(shop, one) for one in requests] == [
        ["mill"],
        ["drill"],
        ["drill"],
        ["mill"],
        ["drill"],
    ]
    assert shop.jobs("mill", "WR-2") == []
    (skip,) = [one for one in shop.facts(f.StepSkipped) if one.visit == "WR-2/mill/1"]
    assert skip.why == "sampling takes one in 3; this is number 2"
    moves = [one for one in shop.rows["move"].values() if one.place == "WR-2/mill/1"]
    assert [(one.bucket, one.to_bucket) for one in moves][:1] == [
        (Bucket.QUEUED, Bucket.OUT)
    ]
    assert {one.job_order for one in moves} == {None}
    assert is_sound(shop)


def test_nobody_waits_for_a_step_that_was_skipped() -> None:
    shop = wide(sampled("mill"))
    for request in ("WR-0", "WR-1"):
        through_cutting(shop, request)
    work(shop, live(shop, "drill"), 5)
    work(shop, live(shop, "pack"), 5)

    visit = shop.state.visit.get("WR-1/mill/1")
    assert visit is not None
    assert visit.is_done
    assert shop.stock() == 5
    assert is_sound(shop)


def test_several_skips_in_a_row_end_in_stock() -> None:
    shop = wide(sampled("mill", "drill", "pack"))
    through_cutting(shop, "WR-1")
    for step in ("mill", "drill", "pack"):
        work(shop, live(shop, step), 5)

    through_cutting(shop, "WR-2")

    assert shop.stock() == 10
    second = shop.state.work_request.get("WR-2")
    assert second is not None
    assert second.state is WorkRequestState.COMPLETED
    assert [one.step for one in shop.facts(f.StepSkipped)] == ["mill", "drill", "pack"]
    assert is_sound(shop)


def test_lots_are_sampled_one_by_one() -> None:
    shop = wide(sampled("mill", per=JobPer.LOT))
    shop.make(8, lot_size=Decimal(2))
    for job in shop.jobs("cut"):
        work(shop, job, 2)

    assert [job.lot for job in shop.jobs("mill")] == ["L-000001", "L-000004"]
    assert held_at(shop, "WR-1/drill/1") == {"queued": 4}
    for step in ("mill", "drill", "pack"):
        for job in [one for one in shop.jobs(step) if not one.is_over]:
            work(shop, job, 2)
    assert shop.stock() == 8
    assert is_sound(shop)


def test_pieces_that_come_later_share_the_fate_of_the_first() -> None:
    shop = wide(sampled("mill"))
    through_cutting(shop, "WR-0")
    shop.make(10)
    cut = begin(shop, live(shop, "cut"))
    for _ in range(2):
        shop.ok(m.ReportQuantity(job_order=cut.id, good=Decimal(4)))
        shop.ok(
            m.DeviateLot(
                job_order=cut.id,
                to_step="drill",
                reason="test",
                taken_from=m.ReworkFrom.OUT,
            )
        )
    work(shop, cut, 2)

    assert held_at(shop, "WR-1/drill/1") == {"queued": 10}
    assert len(shop.facts(f.StepSampled)) == 2
    assert is_sound(shop)


def skip(job: JobOrder, reason: str = "not asked for") -> m.SkipStep:
    return m.SkipStep(job_order=job.id, reason=reason)


def with_an_option() -> Shop:
    steps = (a_step(one, is_optional=one == "mill") for one in ("cut", "mill", "pack"))
    shop = wide(a_routing(*steps))
    shop.make(10)
    return shop


def test_a_person_lets_pieces_skip_an_optional_step() -> None:
    shop = with_an_option()
    work(shop, live(shop, "cut"), 10)
    mill = live(shop, "mill")
    shop.ok(skip(mill))

    assert shop.by_id(mill.id).state is JobOrderState.CANCELLED
    (fact,) = shop.facts(f.StepSkipped)
    assert [fact.step, fact.why, fact.person] == ["mill", "not asked for", "Maria"]
    work(shop, live(shop, "pack"), 10)
    assert shop.stock() == 10
    assert is_sound(shop)


def test_a_step_is_skipped_before_anything_has_come_to_it() -> None:
    shop = with_an_option()
    cut = begin(shop, live(shop, "cut"))
    shop.ok(skip(live(shop, "mill")))
    work(shop, cut, 10)

    assert held_at(shop, "WR-1/pack/1") == {"queued": 10}
    work(shop, live(shop, "pack"), 10)
    assert shop.stock() == 10
    assert is_sound(shop)


def test_what_is_begun_or_must_be_done_is_not_skipped() -> None:
    shop = with_an_option()
    assert "is not optional" in shop.refused(skip(live(shop, "cut"))).message
    work(shop, live(shop, "cut"), 10)
    mill = live(shop, "mill")
    shop.malformed(skip(mill, " "))
    begin(shop, mill)
    assert "it is 'running.processing'" in shop.refused(skip(mill)).message


@given(
    share=st.decimals("0.01", "1", places=2),
    numbers=st.integers(1, 300),
)
def test_a_share_is_kept_to_within_one(share: Decimal, numbers: int) -> None:
    sampling = Sampling(share=share)
    taken = sum(sampling.takes(number) for number in range(1, numbers + 1))

    assert sampling.takes(1)
    assert 0 <= taken - share * numbers < 1


@pytest.mark.parametrize(
    ("routing", "problem"),
    [
        (
            a_routing(a_step("cut", is_optional=True), "mill"),
            ("steps.0.is_optional", "'cut' cannot be skipped: pieces begin there"),
        ),
        (
            a_routing("cut", a_step("mill", sampling=Sampling(every=0))),
            ("steps.1.sampling.every", "0 is no number above 0"),
        ),
        (
            a_routing("cut", a_step("mill", sampling=Sampling(share=Decimal(2)))),
            ("steps.1.sampling.share", "2 is no share above 0, up to 1"),
        ),
        (
            a_routing(
                "cut", a_step("mill", sampling=Sampling(every=2, share=Decimal(1)))
            ),
            ("steps.1.sampling", "says both 'every' and 'share'"),
        ),
    ],
)
def test_what_cannot_be_skipped_is_a_problem(
    routing: Routing, problem: tuple[str, str]
) -> None:
    assert routing_problems(routing) == [problem]
