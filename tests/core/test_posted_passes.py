"""Each pass confirms for itself, and says what the operation had confirmed before."""

from collections import defaultdict
from decimal import Decimal

from mes_engine.core import messages as m
from mes_engine.core.postings import PostingKind
from tests.core.correcting import postings, reverse, the_last
from tests.core.loops import (
    begin,
    held_at,
    is_sound,
    live,
    rework,
    wide,
    with_a_loop,
    with_a_step_of_its_own,
    work,
)
from tests.core.shop import Shop


def yields(shop: Shop) -> dict[str, tuple[int, int]]:
    """Return by step what was confirmed as good, and the yield of its operation."""
    good: dict[str, Decimal] = defaultdict(Decimal)
    again: dict[str, Decimal] = defaultdict(Decimal)
    for one in postings(shop):
        sign = -1 if one.kind is PostingKind.REVERSE else 1
        good[one.step] += sign * one.good
        again[one.step] += sign * one.repeated
    return {step: (int(good[step]), int(good[step] - again[step])) for step in good}


def at_drilling(*, suspect: int = 0, good: int = 0) -> Shop:
    """100 are at drilling, where some were found good or suspect."""
    shop = wide(with_a_loop())
    shop.make(100)
    for step in ("cut", "mill"):
        shop.run(step, 100)
    drill = begin(shop, live(shop, "drill"))
    if good or suspect:
        told = m.ReportQuantity(
            job_order=drill.id,
            good=Decimal(good),
            suspect=Decimal(suspect),
            reason="scratch",
        )
        shop.ok(told)
    return shop


def finish(shop: Shop, sent: int) -> None:
    """Work all that is left to the end, as good."""
    drill = live(shop, "drill")
    left = held_at(shop, drill.visit).get("queued", 0)
    work(shop, drill, left)
    work(shop, live(shop, "mill", 2), sent)
    work(shop, live(shop, "drill", 2), sent)
    work(shop, live(shop, "pack"), 100)


def test_pieces_that_come_again_are_confirmed_again_and_yield_once() -> None:
    shop = at_drilling()
    rework(shop, live(shop, "drill"), 3, "to-mill")
    finish(shop, 3)

    assert yields(shop) == {
        "cut": (100, 100),
        "mill": (103, 100),  # The three had been milled well already.
        "drill": (100, 100),  # There they are good for the first time.
        "pack": (100, 100),
    }
    told = {(one.step, one.pass_number) for one in postings(shop) if one.good}
    assert {("mill", 1), ("mill", 2), ("drill", 2), ("pack", 1)} <= told
    assert is_sound(shop)


def test_what_had_been_reported_good_where_it_is_sent_back_yields_once() -> None:
    """Two of four had been found good at drilling, and two had not."""
    shop = at_drilling(suspect=2, good=10)
    drill = live(shop, "drill")
    rework(shop, drill, 2, "to-mill", taken_from=m.ReworkFrom.OUT)
    rework(shop, drill, 2, "to-mill", taken_from=m.ReworkFrom.SUSPECT)
    finish(shop, 4)

    assert yields(shop)["drill"] == (102, 100)
    assert yields(shop)["mill"] == (104, 100)
    assert is_sound(shop)


def test_a_step_for_rework_only_has_a_yield_of_its_own() -> None:
    shop = wide(with_a_step_of_its_own())
    shop.make(10)
    shop.run("cut", 10)
    drill = begin(shop, live(shop, "drill"))
    rework(shop, drill, 3, "to-mill")
    work(shop, live(shop, "mill", 2), 3)
    assert yields(shop)["mill"] == (3, 3)


def test_a_reversal_takes_back_what_was_said_to_be_repeated() -> None:
    shop = at_drilling()
    rework(shop, live(shop, "drill"), 3, "to-mill")
    again = work(shop, live(shop, "mill", 2), 3)
    assert yields(shop)["mill"] == (103, 100)
    reverse(shop, the_last(shop, "mill", job=again.id))
    assert yields(shop)["mill"] == (100, 100)
    assert is_sound(shop)
