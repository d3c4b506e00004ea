"""Serial numbers of the plant's own."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers, count, known
from mes_engine.core.state import State

replace = msgspec.structs.replace


def _serial_given(state: State, fact: f.SerialGiven) -> None:
    lot = known(state.lot.get(fact.lot))
    state.lot.put(replace(lot, serial=fact.serial))
    if fact.number > state.last_number(fact.counter):
        count(state, fact.counter, fact.number)


HANDLERS: Handlers = {f.SerialGiven: _serial_given}
