"""Measured data: every value and void, and what counts of them."""

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers
from mes_engine.core.state import State


def _recorded(state: State, fact: f.MeasurementRecorded) -> None:
    state.measurement.put(fact.measurement)
    state.measured_value.put(fact.counts)


def _voided(state: State, fact: f.MeasurementVoided) -> None:
    state.measurement_void.put(fact.void)
    for one in fact.counts:
        state.measured_value.put(one)


def _inherited(state: State, fact: f.MeasurementsInherited) -> None:
    for one in fact.values:
        state.measured_value.put(one)


HANDLERS: Handlers = {
    f.MeasurementRecorded: _recorded,
    f.MeasurementVoided: _voided,
    f.MeasurementsInherited: _inherited,
}
