"""Waits, clocks and messages."""

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers
from mes_engine.core.state import State


def _signal_watched(state: State, fact: f.SignalWatched) -> None:
    state.signal_watch.put(fact.watch)


def _link_clock_read(state: State, fact: f.LinkClockRead) -> None:
    state.link_clock.put(fact.clock)


def _machine_event_seen(state: State, fact: f.MachineEventSeen) -> None:
    state.machine_event.put(fact.event)


HANDLERS: Handlers = {
    f.SignalWatched: _signal_watched,
    f.LinkClockRead: _link_clock_read,
    f.MachineEventSeen: _machine_event_seen,
}
