"""Runs, holds and dispatch: who does what where, or may not."""

from mes_engine.core.dispatching import DispatchDecision
from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.runs import Hold, Run


class RunOpened(BaseFact, frozen=True, kw_only=True, tag="run_opened"):
    """A job order claims a lane of a work unit."""

    run: Run


class RunChanged(BaseFact, frozen=True, kw_only=True, tag="run_changed"):
    """A run's lane or clock is another, or the run is over."""

    run: Run


class HoldOpened(BaseFact, frozen=True, kw_only=True, tag="hold_opened"):
    """A hold forbids work."""

    hold: Hold


class HoldReleased(BaseFact, frozen=True, kw_only=True, tag="hold_released"):
    """A hold forbids no more."""

    hold: str
    at: int
    person: str


class DispatchDecided(BaseFact, frozen=True, kw_only=True, tag="dispatch_decided"):
    """A work unit was given a job order, or none, for these reasons."""

    decision: DispatchDecision


FloorFact = RunOpened | RunChanged | HoldOpened | HoldReleased | DispatchDecided
