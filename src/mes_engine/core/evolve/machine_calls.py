"""Methods of machines that were called."""

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers
from mes_engine.core.state import State


def _call_changed(
    state: State, fact: f.MachineCallAsked | f.MachineCallSettled
) -> None:
    state.machine_call.put(fact.call)


HANDLERS: Handlers = {
    f.MachineCallAsked: _call_changed,
    f.MachineCallSettled: _call_changed,
}
