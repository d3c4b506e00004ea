"""Any chart: the compiled table and the library's machine are one definition."""

from enum import StrEnum

import pytest
from transitions import MachineError

from mes_engine.core.statechart import Row, StateChart


class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut.unlocked"
    LOCKED = "shut.locked"


class Hand(StrEnum):
    PUSH = "push"
    PULL = "pull"
    LOCK = "lock"


CHART: StateChart[Door, Hand] = StateChart(
    states=Door,
    triggers=Hand,
    rows=[
        Row(Hand.PUSH, Door.OPEN, Door.SHUT),
        Row(Hand.PULL, Door.SHUT, Door.OPEN, ("unblocked",)),
        Row(Hand.LOCK, Door.SHUT, Door.LOCKED, ("has_key", "unblocked")),
    ],
)


@pytest.mark.parametrize(
    ("held", "after"),
    [
        (set(), None),
        ({"has_key"}, None),
        ({"unblocked"}, None),
        ({"has_key", "unblocked"}, Door.LOCKED),
    ],
)
def test_every_guard_has_to_hold(held: set[str], after: Door | None) -> None:
    assert CHART.after(Door.SHUT, Hand.LOCK, held.__contains__) is after


def test_a_trigger_that_a_state_does_not_take_has_no_row() -> None:
    assert CHART.row(Door.OPEN, Hand.LOCK) is None
    with pytest.raises(MachineError):
        CHART.after(Door.OPEN, Hand.LOCK, lambda _: True)


def test_the_triggers_of_a_state_come_by_name() -> None:
    assert CHART.triggers(Door.SHUT) == (Hand.LOCK, Hand.PULL)
    assert CHART.triggers(Door.LOCKED) == ()


def test_a_fired_trigger_leaves_no_trace_in_the_chart() -> None:
    """One machine serves every job order: it has no state of its own."""
    for _ in range(3):
        assert CHART.after(Door.OPEN, Hand.PUSH, lambda _: True) is Door.SHUT
    assert CHART.machine.models == []
