"""Which work requests are inside an area that has a limit."""

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers
from mes_engine.core.state import State


def _entered(state: State, fact: f.AreaEntered) -> None:
    state.area_entry.put(fact.entry)


def _left(state: State, fact: f.AreaLeft) -> None:
    state.area_entry.drop((fact.area, fact.request))


HANDLERS: Handlers = {f.AreaEntered: _entered, f.AreaLeft: _left}
