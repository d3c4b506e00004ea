"""Labour goes up to the ERP: what was booked of it, by the fair split, also late."""

from decimal import Decimal
from typing import Any

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.postings import PostingKind
from tests.core.correcting import acknowledge, postings, reverse, the_last
from tests.core.loops import is_sound
from tests.core.plants import a_routing
from tests.core.shop import SECOND, Shop
from tests.core.watch import times_of

HAND = "forgot to sign on"


def attended(shop: Shop, request: str, unit: str) -> str:
    """Begin a job order on ``unit`` with Ali on it; return it."""
    shop.make(10, request=request)
    [job] = [one.id for one in shop.state.job_order.find("request", request)]
    shop.ok(m.LoadJobOrder(job_order=job, work_unit=unit))
    shop.ok(m.BeginJobOrder(job_order=job))
    shop.ok(m.SignOnPerson(work_unit=unit, person="Ali"))
    return job


def ended(shop: Shop, job: str) -> None:
    shop.ok(m.ReportQuantity(job_order=job, good=Decimal(10)))
    shop.fire_of(job, T.COMPLETE)


def posted(shop: Shop, job: str) -> Decimal:
    """Return the labour that stands in the postings of a job order."""
    return sum(
        (
            -one.labour_s if one.kind is PostingKind.REVERSE else one.labour_s
            for one in postings(shop)
            if one.job_order == job
        ),
        Decimal(0),
    )


def late(shop: Shop, job: str, since_s: int, until_s: int, **more: Any) -> m.BookLabour:
    """Book Ali's time in the run of a job order, in seconds after its opening."""
    run = next(one for one in shop.state.run.values() if job in one.job_orders)
    fields: dict[str, Any] = {
        "run": run.id,
        "person": "Ali",
        "started_at": run.opened_at + since_s * SECOND,
        "ended_at": run.opened_at + until_s * SECOND,
        "reason": HAND,
        "known": times_of(shop.state, "Ali"),
        "known_seq": shop.state.seq,
    }
    return m.BookLabour(**fields | more)


def test_labour_is_posted_beside_the_machines_time() -> None:
    shop = Shop(a_routing("mill"))
    first, second = attended(shop, "WR-1", "mill-1"), attended(shop, "WR-2", "mill-2")
    shop.at += 60 * SECOND
    ended(shop, first)
    ended(shop, second)

    jobs = [shop.by_id(one) for one in (first, second)]
    assert [posted(shop, one.id) * SECOND for one in jobs] == [
        one.labour_us for one in jobs
    ]
    assert posted(shop, first) > 0 < posted(shop, second)
    last = max(postings(shop), key=lambda one: one.occurred_at)
    assert last.processing_s > last.labour_s  # Two machines shared one person.


def test_what_is_told_late_is_posted_as_a_supplement() -> None:
    shop = Shop(a_routing("mill"))
    shop.make(10)
    job = shop.begin("mill")
    shop.at += 100 * SECOND
    ended(shop, job)
    acknowledge(shop)
    before = len(postings(shop))

    shop.ok(late(shop, job, 5, 65))

    [supplement] = postings(shop)[before:]
    assert [supplement.labour_s, supplement.good] == [60, 0]
    assert not supplement.is_final
    assert shop.by_id(job).labour_us == 60 * SECOND
    assert shop.by_id(job).is_final_posted
    assert is_sound(shop)


def test_labour_is_told_late_once_of_the_time_of_the_run_and_with_a_reason() -> None:
    shop = Shop(a_routing("mill"))
    job = attended(shop, "WR-1", "mill-1")
    shop.at += 100 * SECOND
    doubled = shop.refused(late(shop, job, 30, 60))
    assert doubled.unmet[0].startswith("not_booked: LI-000001")
    before = shop.refused(late(shop, job, -30, 60))
    assert before.unmet[0].startswith("in_the_run")
    shop.malformed(late(shop, job, 30, 20))
    shop.malformed(late(shop, job, 30, 10_000))
    shop.malformed(late(shop, job, 0, 1, reason=" "))
    known = (next(iter(shop.state.labour_interval.values())),)
    ended(shop, job)
    again = late(shop, job, 30, 60, known=known)
    assert shop.refused(again).unmet[0].startswith("not_booked")
    unknown = m.BookLabour(run="R-9", started_at=1, ended_at=2, reason=HAND)
    assert shop.do(unknown).outcome is m.Outcome.NOT_FOUND


def test_a_reversal_takes_pieces_back_and_leaves_the_time_of_people() -> None:
    shop = Shop(a_routing("mill"))
    job = attended(shop, "WR-1", "mill-1")
    shop.at += 100 * SECOND
    ended(shop, job)
    spent = shop.by_id(job).labour_us
    reverse(shop, the_last(shop, "mill", job=job))
    assert shop.by_id(job).labour_us == spent == posted(shop, job) * SECOND
