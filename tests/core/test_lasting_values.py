"""Levels and words that have to last: glitches do nothing, by the source's time."""

from hypothesis import given
from hypothesis import strategies as st

from mes_engine.core.signals import SignalWatch, WatchKind, hear_value, last_on

NEW = SignalWatch(id="w", kind=WatchKind.EDGE, tag="t", value="0")
HOLD = 100


def heard(*values: tuple[str, int]) -> list[tuple[str, int]]:
    """Return what counted of values that were heard at these times."""
    watch = NEW
    counted: list[tuple[str, int]] = []
    for value, at in values:
        lasting = hear_value(watch, value, at=at, heard_at=at, hold=lambda _: HOLD)
        watch = lasting.watch
        counted += lasting.counts
    return counted


def test_a_value_counts_once_it_has_lasted_from_when_it_began() -> None:
    assert heard(("1", 1000), ("1", 1099)) == []
    assert heard(("1", 1000), ("1", 1100)) == [("1", 1000)]


def test_a_value_that_ends_too_soon_was_a_glitch() -> None:
    assert heard(("1", 1000), ("0", 1099), ("0", 5000)) == []


def test_a_value_that_lasted_counts_though_another_ends_it() -> None:
    assert heard(("1", 1000), ("0", 1200)) == [("1", 1000)]
    assert heard(("1", 1000), ("0", 1200), ("0", 1300)) == [("1", 1000), ("0", 1200)]


def test_it_counts_by_our_clock_where_nothing_else_is_heard() -> None:
    lasting = hear_value(NEW, "1", at=1000, heard_at=1500, hold=lambda _: HOLD)
    assert lasting.watch.due_at == 1600
    assert last_on(lasting.watch).counts == (("1", 1000),)
    assert last_on(last_on(lasting.watch).watch).counts == ()


def test_without_a_hold_every_change_counts_at_once() -> None:
    lasting = hear_value(NEW, "1", at=1000, heard_at=1000, hold=lambda _: 0)
    assert lasting.counts == (("1", 1000),)
    assert lasting.watch.due_at is None


@given(st.lists(st.tuples(st.sampled_from("01"), st.integers(1, 150)), max_size=30))
def test_what_counts_changes_each_time_and_lasted(
    steps: list[tuple[str, int]],
) -> None:
    at, told = 0, []
    for value, later in steps:
        at += later
        told.append((value, at))
    counted = heard(*told)
    values = [value for value, _ in counted]
    assert values == [("1", "0")[n % 2] for n in range(len(values))]
    for value, since in counted:
        within = [one for one, at in told if since <= at < since + HOLD]
        assert set(within) == {value}
