"""What is known of signals besides their values: waits, clocks, messages."""

from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.signals import LinkClock, MachineEvent, SignalWatch


class SignalWatched(BaseFact, frozen=True, kw_only=True, tag="signal_watched"):
    """A value that has to last is another, waits to count, or counts now."""

    watch: SignalWatch


class LinkClockRead(BaseFact, frozen=True, kw_only=True, tag="link_clock_read"):
    """The clock behind a link goes otherwise than ours, or no longer does."""

    clock: LinkClock


class MachineEventSeen(BaseFact, frozen=True, kw_only=True, tag="machine_event_seen"):
    """A message of a machine was dealt with; it is known when it comes again."""

    event: MachineEvent


SignalsFact = SignalWatched | LinkClockRead | MachineEventSeen
