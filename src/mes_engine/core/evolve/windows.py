"""Time windows."""

from typing import Any

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers, count, known
from mes_engine.core.state import State
from mes_engine.core.time_windows import WindowState

replace = msgspec.structs.replace


def _armed(state: State, fact: f.TimeWindowArmed) -> None:
    state.time_window.put(fact.window)
    count(state, "time_window", fact.window.number)


def _extended(state: State, fact: f.TimeWindowExtended) -> None:
    # What has to pass has not passed for the pieces that came now.
    _change(
        state,
        fact.window,
        last_at=fact.last_at,
        opens_at=fact.opens_at,
        opened_at=None,
    )


def _opened(state: State, fact: f.TimeWindowOpened) -> None:
    _change(state, fact.window, opened_at=fact.at)


def _warned(state: State, fact: f.TimeWindowWarned) -> None:
    _change(state, fact.window, state=WindowState.WARNED)


def _violated(state: State, fact: f.TimeWindowViolated) -> None:
    _change(
        state,
        fact.window,
        state=WindowState.VIOLATED,
        violated_at=fact.at,
        reason=fact.reason,
    )


def _satisfied(state: State, fact: f.TimeWindowSatisfied) -> None:
    _change(state, fact.window, state=WindowState.SATISFIED, settled_at=fact.at)


def _waived(state: State, fact: f.TimeWindowWaived) -> None:
    _change(
        state,
        fact.window,
        state=WindowState.WAIVED,
        waived_at=fact.at,
        waived_by=fact.person,
        reason=fact.reason,
    )


def _passed(state: State, fact: f.TimeWindowPassed) -> None:
    _change(state, fact.window, settled_at=fact.at)


def _voided(state: State, fact: f.TimeWindowVoided) -> None:
    _change(
        state,
        fact.window,
        state=WindowState.VOID,
        settled_at=fact.at,
        reason=fact.reason,
    )


def _change(of: State, window: str, **changed: Any) -> None:
    of.time_window.put(replace(known(of.time_window.get(window)), **changed))


HANDLERS: Handlers = {
    f.TimeWindowArmed: _armed,
    f.TimeWindowExtended: _extended,
    f.TimeWindowOpened: _opened,
    f.TimeWindowWarned: _warned,
    f.TimeWindowViolated: _violated,
    f.TimeWindowSatisfied: _satisfied,
    f.TimeWindowWaived: _waived,
    f.TimeWindowPassed: _passed,
    f.TimeWindowVoided: _voided,
}
