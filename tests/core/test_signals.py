"""Counters: whatever they do between two samples, the pieces add up."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.core.plant import Signal
from mes_engine.core.quantity import MAX_QUANTITY
from mes_engine.core.signals import (
    CounterChange,
    CounterReading,
    SignalState,
    read_counter,
)
from tests.core.plants import a_signal
from tests.core.shop import SECOND

WIDTHS = (65_536, 2**32)


@dataclass
class Heard:
    """What was read of one counter, sample after sample."""

    signal: Signal
    state: SignalState | None = None
    pieces: int = 0

    def sample(self, value: int, at: int = 0) -> CounterReading | None:
        reading = read_counter(self.signal, self.state, value, at)
        if reading is not None:
            assert reading.delta >= 0
            assert reading.state.value == str(value)
            if reading.change is not CounterChange.SUSPECT:
                self.pieces += reading.delta
            self.state = reading.state
        return reading

    def change(self, value: int, at: int = 0) -> CounterChange | None:
        reading = self.sample(value, at)
        return None if reading is None else reading.change


def heard(*values: int, rollover: int | None = None) -> Heard:
    """A counter of which these samples have been read."""
    told = Heard(a_signal("cut-1.good", rollover=rollover))
    for value in values:
        told.sample(value)
    return told


def test_the_first_value_ever_is_a_baseline_and_counts_nothing() -> None:
    counter = heard()

    assert counter.change(5000) is CounterChange.BASELINE
    assert counter.pieces == 0


def test_an_increase_counts_and_the_same_value_says_nothing() -> None:
    counter = heard(10)

    assert counter.change(13) is CounterChange.ADVANCE
    assert counter.change(13) is None
    assert counter.pieces == 3


def test_a_return_from_the_top_is_a_rollover() -> None:
    counter = heard(65_530, rollover=65_536)

    assert counter.change(4) is CounterChange.ROLLOVER
    assert counter.pieces == 10
    assert counter.state is not None
    assert counter.state.epoch == 0


def test_a_return_from_below_the_top_half_is_a_reset() -> None:
    counter = heard(30_000, rollover=65_536)

    assert counter.change(4) is CounterChange.RESET
    assert counter.pieces == 4
    assert counter.state is not None
    assert counter.state.epoch == 1


def test_a_counter_without_a_width_never_rolls_over() -> None:
    assert heard(65_530).change(4) is CounterChange.RESET


def test_a_reset_counts_from_where_the_counter_starts_again() -> None:
    counter = Heard(a_signal("cut-1.good", reset_to=100))
    counter.sample(500)

    assert counter.change(103) is CounterChange.RESET
    assert counter.pieces == 3
    assert counter.change(50) is CounterChange.SUSPECT
    assert counter.pieces == 3


def test_an_increase_that_the_machine_cannot_make_is_suspect_and_the_new_base() -> None:
    counter = Heard(a_signal("cut-1.good", max_rate_per_s=Decimal(2)))
    counter.sample(0, 0)

    assert counter.change(1000, 10 * SECOND) is CounterChange.SUSPECT
    assert counter.change(1010, 15 * SECOND) is CounterChange.ADVANCE
    assert counter.pieces == 10


def test_the_rate_tells_a_reset_near_the_top_from_a_rollover() -> None:
    signal = a_signal("cut-1.good", rollover=65_536, max_rate_per_s=Decimal(2))
    counter = Heard(signal)
    counter.sample(40_000, 0)

    assert counter.change(5, 10 * SECOND) is CounterChange.RESET
    assert counter.pieces == 5


def test_time_that_runs_backwards_allows_one_count_of_slack() -> None:
    counter = Heard(a_signal("cut-1.good", max_rate_per_s=Decimal(2)))
    counter.sample(0, 10 * SECOND)

    assert counter.change(1, 5 * SECOND) is CounterChange.ADVANCE
    assert counter.change(3, 4 * SECOND) is CounterChange.SUSPECT


@given(
    width=st.sampled_from(WIDTHS),
    start=st.integers(0, 2**32 - 1),
    made=st.lists(st.tuples(st.floats(0, 0.5), st.booleans()), max_size=30),
)
@settings(max_examples=300)
def test_every_piece_is_counted_once_across_rollovers_and_gaps(
    width: int, start: int, made: list[tuple[float, bool]]
) -> None:
    """Up to half a width between two samples; lost samples make the gaps longer."""
    counter = heard(start % width, rollover=width)
    total = unread = 0
    for share, is_read in made:
        most = min(width // 2, int(MAX_QUANTITY))
        pieces = min(int(share * width), most - unread)
        total, unread = total + pieces, unread + pieces
        if is_read:
            counter.sample((start + total) % width)
            unread = 0
    counter.sample((start + total) % width)

    assert counter.pieces == total
    assert counter.state is not None
    assert counter.state.position == total
    assert counter.state.epoch == 0


@given(
    width=st.sampled_from(WIDTHS),
    start=st.integers(0, 2**32 - 1),
    made=st.lists(st.integers(0, 1000), max_size=20),
)
def test_with_a_rate_every_piece_is_counted_whatever_the_width(
    width: int, start: int, made: list[int]
) -> None:
    signal = a_signal("cut-1.good", rollover=width, max_rate_per_s=Decimal(1000))
    counter = Heard(signal)
    counter.sample(start % width, 0)
    total = 0
    for second, pieces in enumerate(made, start=1):
        total += pieces
        counter.sample((start + total) % width, second * SECOND)

    assert counter.pieces == total


@given(
    lives=st.lists(
        st.lists(st.integers(0, 100), min_size=1, max_size=5), min_size=1, max_size=5
    )
)
def test_a_reset_loses_at_most_what_was_made_before_it_unread(
    lives: list[list[int]],
) -> None:
    """A counter that starts again at 0 and is then below where it was."""
    counter = heard(0)
    total, resets = 0, 0
    for life in lives:
        value = 0
        for pieces in life:
            value += pieces
            last = int(counter.state.value or 0) if counter.state else 0
            resets += value < last
            total += value - last if value >= last else value
            counter.sample(value)

    assert counter.pieces == total
    assert counter.state is not None
    assert counter.state.epoch == resets


@given(
    values=st.lists(st.integers(0, 2**64), max_size=30),
    width=st.sampled_from([None, *WIDTHS]),
    rate=st.sampled_from([None, Decimal("0.1"), Decimal(10)]),
    times=st.lists(st.integers(-(2**40), 2**40), min_size=30, max_size=30),
)
def test_nothing_that_a_counter_says_counts_below_zero(
    values: Sequence[int], width: int | None, rate: Decimal | None, times: list[int]
) -> None:
    signal = a_signal("cut-1.good", rollover=width, max_rate_per_s=rate)
    counter = Heard(signal)
    before = 0
    for value, at in zip(values, times, strict=False):
        counter.sample(value, at)
        assert counter.pieces >= before
        before = counter.pieces


@given(
    values=st.lists(st.integers(0, 65_535), min_size=1, max_size=20),
    repeats=st.integers(1, 3),
)
def test_samples_said_again_change_nothing(values: list[int], repeats: int) -> None:
    once = heard(*values, rollover=65_536)
    often = heard(*(value for value in values for _ in range(repeats)), rollover=65_536)

    assert often.state == once.state
    assert often.pieces == once.pieces


@pytest.mark.parametrize("value", [1_000_000_001, 2**53, 2**64])
def test_a_jump_of_more_than_can_be_counted_is_suspect(value: int) -> None:
    """More pieces than a quantity can be are no production, whatever the rate."""
    assert heard(0).change(value) is CounterChange.SUSPECT
