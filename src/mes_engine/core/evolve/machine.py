"""Equipment, signals and counts."""

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers
from mes_engine.core.state import State


def _equipment_changed(state: State, fact: f.EquipmentChanged) -> None:
    state.equipment.put(fact.equipment)


def _signal_read(state: State, fact: f.SignalRead) -> None:
    state.signal.put(fact.signal)


def _kept_in_the_journal(state: State, fact: f.GapSeen | f.DataGapSeen) -> None:
    """Nothing follows from it: it is there to be read."""


def _machine_counted(state: State, fact: f.MachineCounted) -> None:
    state.machine_tally.put(fact.tally)


def _production_set(
    state: State, fact: f.ProductionUnassigned | f.ProductionSettled
) -> None:
    state.unassigned_production.put(fact.production)


HANDLERS: Handlers = {
    f.EquipmentChanged: _equipment_changed,
    f.SignalRead: _signal_read,
    f.GapSeen: _kept_in_the_journal,
    f.DataGapSeen: _kept_in_the_journal,
    f.MachineCounted: _machine_counted,
    f.ProductionUnassigned: _production_set,
    f.ProductionSettled: _production_set,
}
