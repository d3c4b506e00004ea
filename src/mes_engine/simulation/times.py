"""How long work takes: the machine model of a simulation."""

from decimal import Decimal
from typing import Protocol

from mes_engine.core.job_order import JobOrder
from mes_engine.core.plant import WorkUnit
from mes_engine.core.quantity import MILLION
from mes_engine.core.readiness import step_of
from mes_engine.core.setups import setup_us
from mes_engine.core.state import State


class Times(Protocol):
    """Says how long a work unit takes; asked once for each setup and each amount."""

    def setup_us(self, state: State, job: JobOrder, unit: WorkUnit) -> int:
        """Return how long setting up takes; 0 for none."""

    def run_us(
        self, state: State, job: JobOrder, unit: WorkUnit, pieces: Decimal
    ) -> int:
        """Return how long ``pieces`` take."""


class StandardTimes:
    """Every work unit takes the standard times of the routing, and its changeovers."""

    def setup_us(self, state: State, job: JobOrder, unit: WorkUnit) -> int:
        """Return the step's standard setup, or the changeover in its place."""
        return setup_us(state, job, unit)

    def run_us(
        self, state: State, job: JobOrder, unit: WorkUnit, pieces: Decimal
    ) -> int:
        """Return the step's standard time of so many pieces."""
        return int(step_of(state, job).run_s * pieces * MILLION)
