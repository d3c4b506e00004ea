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
from mes_engine.core.signals.handshake import (
    HandshakePhase,
    HandshakeState,
    Request,
    Turn,
    Wanted,
    turn_of,
)
from mes_engine.core.signals.transaction import MachineTransaction, TransactionOutcome

__all__ = [
    "CounterChange",
    "CounterReading",
    "HandshakePhase",
    "HandshakeState",
    "MachineTransaction",
    "Request",
    "SignalState",
    "TransactionOutcome",
    "Turn",
    "Wanted",
    "read_counter",
    "turn_of",
]
