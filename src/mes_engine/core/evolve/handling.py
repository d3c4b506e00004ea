"""Keys and watermarks."""

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers
from mes_engine.core.state import State


def _command_handled(state: State, fact: f.CommandHandled) -> None:
    state.handled.put(fact)


def _source_advanced(state: State, fact: f.SourceAdvanced) -> None:
    state.watermark.put(fact)


def _kept_in_the_journal(state: State, fact: f.MessageSetAside) -> None:
    """Nothing follows from it: it is there to be read."""


HANDLERS: Handlers = {
    f.CommandHandled: _command_handled,
    f.SourceAdvanced: _source_advanced,
    f.MessageSetAside: _kept_in_the_journal,
}
