"""Methods of machines that were called."""

from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.machine_calls import MachineCall


class MachineCallAsked(BaseFact, frozen=True, kw_only=True, tag="machine_call_asked"):
    """A method of a machine is to be called; nothing was called before this."""

    call: MachineCall


class MachineCallSettled(
    BaseFact, frozen=True, kw_only=True, tag="machine_call_settled"
):
    """It is known what came of a call, or that nobody will know."""

    call: MachineCall


MachineCallsFact = MachineCallAsked | MachineCallSettled
"""Calls of machines' methods."""
