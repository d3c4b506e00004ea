"""Replay an execution log: a door of its own to the engine, on a virtual clock."""

from mes_engine.replay.amounts import Amounts
from mes_engine.replay.report import MachineReport, Refusal, ReplayReport
from mes_engine.replay.run import replay
from mes_engine.replay.signals import read_record, replay_signals, told

__all__ = [
    "Amounts",
    "MachineReport",
    "Refusal",
    "ReplayReport",
    "read_record",
    "replay",
    "replay_signals",
    "told",
]
