"""Signals: what a sample means. Pure, the same for every protocol, a room a subject.

What is known of each signal is engine state, committed with the facts that it caused:
a restart of ours neither loses nor repeats anything.
"""

from mes_engine.core.signals.counter import (
    CounterChange,
    CounterReading,
    SignalState,
    read_counter,
)
from mes_engine.core.signals.edge import DOWN, UP, fires, hold_us, level_of
from mes_engine.core.signals.event import MachineEvent
from mes_engine.core.signals.handshake import (
    HandshakePhase,
    HandshakeState,
    Request,
    Turn,
    Wanted,
    turn_of,
)
from mes_engine.core.signals.time import LinkClock, TimeBasis, corrected, read_clock
from mes_engine.core.signals.transaction import MachineTransaction, TransactionOutcome
from mes_engine.core.signals.watch import (
    Lasting,
    SignalWatch,
    WatchKind,
    hear_value,
    last_on,
    set_value,
)

__all__ = [
    "DOWN",
    "UP",
    "CounterChange",
    "CounterReading",
    "HandshakePhase",
    "HandshakeState",
    "Lasting",
    "LinkClock",
    "MachineEvent",
    "MachineTransaction",
    "Request",
    "SignalState",
    "SignalWatch",
    "TimeBasis",
    "TransactionOutcome",
    "Turn",
    "Wanted",
    "WatchKind",
    "corrected",
    "fires",
    "hear_value",
    "hold_us",
    "last_on",
    "level_of",
    "read_clock",
    "read_counter",
    "set_value",
    "turn_of",
]
