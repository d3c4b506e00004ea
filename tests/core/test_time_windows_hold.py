"""Whatever comes in whatever order: a window is kept, or broken, and never both."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.core import messages as m
from mes_engine.core.evolve import evolve
from mes_engine.core.facts.windows import (
    TimeWindowPassed,
    TimeWindowSatisfied,
    TimeWindowViolated,
    TimeWindowWaived,
)
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.state import State
from mes_engine.core.time_windows import WindowRule, WindowState
from tests.core.plants import a_routing
from tests.core.shop import SECOND, Shop
from tests.core.tables import kept_tables

MOST = 30


@dataclass
class Told:
    """What the model knows of the one window, in seconds after it was armed."""

    armed_at: int
    least: int | None
    most: int | None
    checked: int = 0
    begun: int | None = None
    waived: int | None = None
    is_late: bool = False

    @property
    def is_open(self) -> bool:
        return self.least is None or self.checked >= self.least

    def look(self, at: int) -> None:
        """The clock was looked at."""
        if self.begun is None and self.waived is None:
            self.checked = max(self.checked, at)
            self.is_late = self.most is not None and self.checked > self.most


moments = st.integers(0, MOST)
messages = st.lists(
    st.tuples(st.sampled_from(["tick", "begin", "waive", "load"]), moments),
    max_size=12,
)


@given(
    least=st.none() | moments,
    most=st.none() | moments,
    warn=st.booleans(),
    messages=messages,
)
@settings(max_examples=150, deadline=None)
def test_a_window_is_violated_if_and_only_if_it_was_not_begun_in_time(
    least: int | None,
    most: int | None,
    *,
    warn: bool,
    messages: list[tuple[str, int]],
) -> None:
    if least is not None and most is not None and least > most:
        least, most = most, least
    if least is None and most is None:
        most = MOST
    shop, told = armed(least, most, is_warned=warn)
    mill = shop.job("mill").id
    for what, seconds in messages:
        at = told.armed_at + seconds * SECOND
        is_done = shop.do(_command(what, mill), at=at).outcome is m.Outcome.ACCEPTED
        _follow(told, shop, what, seconds, is_done=is_done)
        assert shop.broken_laws() == []
        _agree(shop, told)
    assert rebuilt(shop) == shop.kept()


def armed(least: int | None, most: int | None, *, is_warned: bool) -> tuple[Shop, Told]:
    """Ten pieces have left the first step."""
    rule = WindowRule(
        source="cut",
        target="mill",
        min_s=None if least is None else Decimal(least),
        max_s=None if most is None else Decimal(most),
        warn_s=Decimal(most) / 2 if is_warned and most is not None else None,
    )
    shop = Shop(a_routing("cut", "mill", time_windows=(rule,)))
    shop.make(10)
    shop.run("cut", 10)
    [window] = shop.state.time_window.values()
    return shop, Told(window.armed_at, least, most)


def _command(what: str, mill: str) -> m.Command:
    match what:
        case "tick":
            return m.CheckTimeWindows()
        case "waive":
            return m.WaiveTimeWindow(window="TW-000001", reason="seen")
        case "load":
            return m.LoadJobOrder(job_order=mill, work_unit="mill-1")
        case _:
            return m.BeginJobOrder(job_order=mill)


def _follow(told: Told, shop: Shop, what: str, at: int, *, is_done: bool) -> None:
    """Say what must have come of the message, by the rule itself."""
    match what:
        case "tick":
            told.look(at)
        case "waive":
            assert is_done == (told.begun is None and told.waived is None)
            if is_done:
                told.look(at)
                told.waived = at
        case "begin":
            was_begun, can_be = told.begun is not None, shop.job("mill").run is not None
            in_time = told.most is None or max(at, told.checked) <= told.most
            not_early = told.is_open or (told.least is not None and at >= told.least)
            may = told.waived is not None or (
                in_time and not_early and not told.is_late
            )
            assert is_done == (can_be and not was_begun and may)
            if is_done:
                told.look(at)
                told.begun = at


def _agree(shop: Shop, told: Told) -> None:
    [window] = shop.state.time_window.values()
    is_early = (
        told.begun is not None
        and told.waived is None
        and told.least is not None
        and told.begun < told.least
    )
    assert (window.violated_at is not None) == (told.is_late or is_early)
    assert window.is_live == (told.begun is None)
    is_satisfied = window.state is WindowState.SATISFIED
    is_kept = told.begun is not None and told.waived is None and not is_early
    assert is_satisfied == is_kept
    if told.is_late and told.most is not None:
        assert window.violated_at == told.armed_at + told.most * SECOND
    assert not (shop.facts(TimeWindowSatisfied) and shop.facts(TimeWindowViolated))
    assert len(shop.facts(TimeWindowSatisfied) + shop.facts(TimeWindowPassed)) <= 1
    assert len(shop.facts(TimeWindowViolated)) <= 1
    assert bool(shop.facts(TimeWindowWaived)) == (told.waived is not None)
    job = shop.job("mill")
    is_blocked = told.waived is None and (told.is_late or not told.is_open)
    if told.begun is None and job.run is None:
        assert (job.state is S.ALLOWED_WAITING) == is_blocked


def rebuilt(shop: Shop) -> dict[str, dict[object, object]]:
    """Return the tables that the journal alone leads to."""
    state = State()
    for recorded in shop.journal:
        evolve(state, recorded)
    return kept_tables(state)
