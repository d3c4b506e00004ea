"""What is told late of people's time is shared with what else they were on."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from mes_engine.core import messages as m
from mes_engine.core.labour_shares import Span, fair_parts
from tests.core.correcting import acknowledge
from tests.core.loops import is_sound
from tests.core.plants import a_routing
from tests.core.shop import SECOND, Shop
from tests.core.test_labour import off, on, signing_off, working
from tests.core.test_posted_labour import ended, late, posted
from tests.core.watch import broken_labour, times_of

SPANS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50), st.booleans()), max_size=6
)


def seconds(shop: Shop, *jobs: str) -> list[int]:
    """Return the labour of job orders, to the second."""
    return [round(shop.by_id(one).labour_us / SECOND) for one in jobs]


def two_mills() -> tuple[Shop, str, str]:
    """Two mills at work for as long as it takes; Ali is on the first for 100 s."""
    shop = Shop(a_routing("mill"))
    first, second = (working(shop, f"WR-{n}", f"mill-{n}") for n in (1, 2))
    on(shop, "mill-1")
    shop.at += 99 * SECOND
    off(shop, "mill-1")
    return shop, first, second


def test_a_stretch_told_late_is_shared_with_what_is_booked_of_that_time() -> None:
    """100 s on the first; he was on the second too, for the last 60 and 40 more."""
    shop, first, second = two_mills()
    assert seconds(shop, first) == [100]
    shop.at += 100 * SECOND
    (booked,) = times_of(shop.state, "Ali")
    assert booked.ended_at is not None
    run = shop.by_id(second).run or ""
    told = m.BookLabour(
        run=run,
        person="Ali",
        started_at=booked.ended_at - 60 * SECOND,
        ended_at=booked.ended_at + 40 * SECOND,
        reason="forgot",
        known=times_of(shop.state, "Ali"),
        known_seq=shop.state.seq,
    )

    shop.ok(told)

    assert seconds(shop, first, second) == [70, 70]
    assert broken_labour(shop) == []
    assert is_sound(shop)


def test_what_was_posted_too_much_is_posted_anew() -> None:
    shop, first, second = two_mills()
    ended(shop, first)
    acknowledge(shop)
    assert posted(shop, first) == Decimal(shop.by_id(first).labour_us) / SECOND

    shop.ok(late(shop, second, 2, 92))

    assert seconds(shop, first) < [70]
    assert posted(shop, first) == Decimal(shop.by_id(first).labour_us) / SECOND
    assert shop.by_id(first).is_final_posted
    assert is_sound(shop)


def test_of_time_that_was_posted_after_the_last_word_what_is_left_is_posted() -> None:
    shop, first, second = two_mills()
    ended(shop, first)
    shop.ok(late(shop, first, 10, 60, person="Eva", known=()))
    assert posted(shop, first) == 150
    acknowledge(shop)

    known = times_of(shop.state, "Eva")
    shop.ok(late(shop, second, 10, 60, person="Eva", known=known))

    left = Decimal(shop.by_id(first).labour_us) / SECOND
    assert 100 < left < 150
    assert posted(shop, first) == left
    assert is_sound(shop)


def test_books_that_are_closed_keep_what_they_have() -> None:
    shop, first, second = two_mills()
    ended(shop, first)
    acknowledge(shop)
    shop.ok(m.CloseWorkRequest(work_request="WR-1"))

    shop.ok(late(shop, second, 2, 92))

    assert seconds(shop, first) == [100]
    assert 45 <= seconds(shop, second)[0] < 50
    assert broken_labour(shop) == []


def test_a_late_sign_off_gives_the_time_to_what_else_he_was_on() -> None:
    """On both for 100 s, it seemed; on the first he was for 40 only."""
    shop = Shop(a_routing("mill"))
    first, second = (working(shop, f"WR-{n}", f"mill-{n}") for n in (1, 2))
    on(shop, "mill-1")
    on(shop, "mill-2")
    began = shop.at
    shop.at += 99 * SECOND
    off(shop, "mill-2")  # Up to now, both are booked.
    before = sum(seconds(shop, first, second))

    shop.ok(signing_off(shop, "mill-1"), at=began + 40 * SECOND)

    assert seconds(shop, first, second) == [21, 80]
    assert sum(seconds(shop, first, second)) == before
    cut = next(one for one in times_of(shop.state, "Ali"))
    assert cut.ended_at == began + 40 * SECOND
    assert broken_labour(shop) == []
    assert is_sound(shop)


def test_a_late_sign_off_from_a_machine_takes_in_the_runs_that_ended_since() -> None:
    """He left at 40; the run there went on until 60, and another began."""
    shop = Shop(a_routing("mill"))
    first = working(shop, "WR-1", "mill-1")
    on(shop, "mill-1")
    began = shop.at
    shop.at += 59 * SECOND
    ended(shop, first)
    second = working(shop, "WR-2", "mill-1")
    shop.at += 30 * SECOND
    on(shop, "mill-2")

    shop.ok(signing_off(shop, "mill-1"), at=began + 40 * SECOND)

    assert seconds(shop, first, second) == [40, 0]
    assert posted(shop, first) == 40
    signed_on = [one for one in shop.state.sign_on.values() if one.is_open]
    assert [one.work_unit for one in signed_on] == ["mill-2"]
    assert broken_labour(shop) == []
    assert is_sound(shop)


def test_what_was_booked_meanwhile_is_not_overwritten() -> None:
    shop, _, second = two_mills()
    told = late(shop, second, 2, 12)
    shop.ok(late(shop, second, 20, 30))

    answer = shop.refused(told)

    assert answer.unmet[0].startswith("known_seq")


@given(SPANS)
def test_a_moment_is_shared_once_whatever_he_was_on(
    spans: list[tuple[int, int, bool]],
) -> None:
    told = [
        Span(str(at), began, max(began, ended), full)
        for at, (began, ended, full) in enumerate(spans)
    ]
    parts = fair_parts(told)

    exact = dict.fromkeys(parts, Fraction(0))
    for second in range(50):
        there = [one for one in told if one.started_at <= second < one.ended_at]
        sharing = [one for one in there if not one.is_full]
        for one in there:
            exact[one.interval] += 1 if one.is_full else Fraction(1, len(sharing))
    shared = {
        second
        for one in told
        if not one.is_full
        for second in range(one.started_at, one.ended_at)
    }
    assert sum(parts[one.interval] for one in told if not one.is_full) == len(shared)
    pieces = 2 * len(told) + 1
    assert all(abs(parts[name] - exact[name]) <= pieces for name in parts)
