"""Whatever is reported and taken back, in whatever order: laws, sums, and a rebuild."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.core import messages as m
from mes_engine.core.bookings import AdjustAt
from mes_engine.core.bookings import BookingKind as K
from mes_engine.core.evolve import evolve
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.postings import PostingKind, PostingState
from mes_engine.core.state import State
from tests.core.correcting import bookings, postings, reversing, scrapped
from tests.core.plants import a_routing, a_step, in_batches, steel
from tests.core.shop import Shop
from tests.core.tables import kept_tables

STEPS = ("cut", "paint")
WHOLE = 12

DEEDS = st.lists(
    st.tuples(
        st.sampled_from(
            ("report", "report", "scrap", "reverse", "adjust", "end", "book")
        ),
        st.sampled_from(STEPS),
        st.integers(1, 5),
    ),
    max_size=25,
)


def a_line() -> Shop:
    shop = Shop(in_batches(a_step("cut", consumes=(steel("0.5"),)), "paint", of=3))
    shop.receive("100")
    shop.make(WHOLE)
    return shop


def do(shop: Shop, deed: str, step: str, number: int) -> None:
    """Do something that may be refused; nothing else may happen to it."""
    jobs = shop.jobs(step)
    if not jobs:
        return
    job = jobs[-1]
    command: m.Command
    match deed:
        case "report" | "scrap":
            shop.do(m.LoadJobOrder(job_order=job.id, work_unit=f"{step}-1"))
            shop.do(m.BeginJobOrder(job_order=job.id))
            amount = Decimal(number)
            told = {"good": amount} if deed == "report" else {"scrap": scrapped(number)}
            command = m.ReportQuantity(job_order=job.id, **told)
        case "end":
            command = m.AssertTrigger(job_order=job.id, trigger=T.COMPLETE)
            if number > 3:
                command = m.StopJobOrder(
                    job_order=job.id, remainder=m.Remainder.FOLLOW_ON, reason="x"
                )
        case "book":
            waiting = [
                one for one in postings(shop) if one.state is PostingState.PENDING
            ]
            for one in waiting[:1]:
                shop.do(
                    m.RecordPosting(posting=one.key, state=PostingState.ACKNOWLEDGED)
                )
            return
        case _:
            made = [one for job in jobs for one in bookings(shop, job.id)]
            if not made:
                return
            part = None if number == 5 else Decimal(number)
            command = reversing(shop, made[-number % len(made)])
            if deed == "adjust":
                command = reversing(
                    shop,
                    made[-number % len(made)],
                    where=AdjustAt.WHERE_IT_IS,
                    quantity=part,
                )
    answer = shop.do(command)
    assert answer.outcome in {m.Outcome.ACCEPTED, m.Outcome.REFUSED} or (
        deed == "adjust" and answer.outcome is m.Outcome.MALFORMED
    ), answer


@settings(max_examples=60, deadline=None)
@given(DEEDS)
def test_laws_hold_and_sums_agree_whatever_is_taken_back(
    deeds: list[tuple[str, str, int]],
) -> None:
    shop = a_line()
    for deed, step, number in deeds:
        do(shop, deed, step, number)
        assert shop.broken_laws() == []
    _sums_agree(shop)
    assert kept_tables(rebuilt(shop)) == shop.kept()


def rebuilt(shop: Shop) -> State:
    state = State()
    layer = state.layer()
    for recorded in shop.journal:
        evolve(layer, recorded)
    layer.merge()
    return state


def _sums_agree(shop: Shop) -> None:
    for step in STEPS:
        for job in shop.jobs(step):
            made = bookings(shop, job.id)
            assert job.good == sum(one.good for one in made)
            assert job.scrap == sum(one.scrap for one in made)
            signed = sum(
                -one.good if one.kind is PostingKind.REVERSE else one.good
                for one in postings(shop)
                if one.job_order == job.id
            )
            assert signed == job.posted_good
    net = sum(
        -one.good if one.kind is PostingKind.REVERSE else one.good
        for one in postings(shop)
        if one.state is PostingState.NETTED
    )
    assert net == 0


def test_a_whole_line_comes_to_its_end_after_all_was_taken_back() -> None:
    shop = Shop(a_routing("cut", "paint"))
    shop.make(WHOLE)
    for _ in range(3):
        shop.run("cut", WHOLE)
        shop.run("paint", WHOLE)
        for step in reversed(STEPS):
            (done, *_) = [one for one in reversed(shop.jobs(step)) if one.is_over]
            for one in reversed(bookings(shop, done.id)):
                if one.kind is K.REPORT:
                    shop.ok(reversing(shop, one))
    shop.run("cut", WHOLE)
    shop.run("paint", WHOLE)
    assert shop.stock() == WHOLE
    assert kept_tables(rebuilt(shop)) == shop.kept()
