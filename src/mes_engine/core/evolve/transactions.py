"""Machines' transactions, handshakes and alarms."""

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers
from mes_engine.core.state import State


def _transaction_decided(state: State, fact: f.TransactionDecided) -> None:
    state.machine_transaction.put(fact.transaction)


def _handshake_moved(state: State, fact: f.HandshakeMoved) -> None:
    state.handshake.put(fact.handshake)


def _alarm_set(state: State, fact: f.AlarmRaised | f.AlarmCleared) -> None:
    state.alarm.put(fact.alarm)


HANDLERS: Handlers = {
    f.TransactionDecided: _transaction_decided,
    f.HandshakeMoved: _handshake_moved,
    f.AlarmRaised: _alarm_set,
    f.AlarmCleared: _alarm_set,
}
