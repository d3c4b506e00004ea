"""Runs, holds and dispatch: who does what where, or may not."""

from mes_engine.core.dispatching import DispatchDecision
from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.runs import Hold, Run, RunMember


class RunOpened(BaseFact, frozen=True, kw_only=True, tag="run_opened"):
    """Job orders claim a lane of a work unit, with what each brings in."""

    run: Run
    members: tuple[RunMember, ...]


class RunChanged(BaseFact, frozen=True, kw_only=True, tag="run_changed"):
    """A run's lane, clock or job orders are others, or the run is over.

    Attributes:
        members: Those that bring in another quantity than was known.
    """

    run: Run
    members: tuple[RunMember, ...] = ()


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
