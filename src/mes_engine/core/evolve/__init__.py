"""Put a fact into the state: the only thing that changes it, live and in a rebuild."""

from mes_engine.core import facts as f
from mes_engine.core.evolve import (
    carriers,
    corrections,
    floor,
    handling,
    job_control,
    labour,
    limits,
    machine,
    machine_calls,
    master,
    material,
    means,
    measured,
    periods,
    posting,
    requests,
    serials,
    signals,
    transactions,
    ways,
    windows,
    work,
)
from mes_engine.core.evolve.handler import Handlers
from mes_engine.core.state import State


def evolve(state: State, recorded: f.Recorded) -> None:
    """Change ``state`` as ``recorded`` says, and remember that it came this far."""
    state.seq = recorded.seq
    _HANDLERS[type(recorded.fact)](state, recorded.fact)


_HANDLERS: Handlers = {
    **master.HANDLERS,
    **requests.HANDLERS,
    **material.HANDLERS,
    **means.HANDLERS,
    **work.HANDLERS,
    **job_control.HANDLERS,
    **ways.HANDLERS,
    **floor.HANDLERS,
    **labour.HANDLERS,
    **machine.HANDLERS,
    **posting.HANDLERS,
    **periods.HANDLERS,
    **windows.HANDLERS,
    **corrections.HANDLERS,
    **limits.HANDLERS,
    **measured.HANDLERS,
    **serials.HANDLERS,
    **carriers.HANDLERS,
    **handling.HANDLERS,
    **transactions.HANDLERS,
    **machine_calls.HANDLERS,
    **signals.HANDLERS,
}
