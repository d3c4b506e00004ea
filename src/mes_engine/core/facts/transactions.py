"""What machines asked for by themselves, and alarms."""

from mes_engine.core.alarms import Alarm
from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.signals import HandshakeState, MachineTransaction


class TransactionDecided(
    BaseFact, frozen=True, kw_only=True, tag="transaction_decided"
):
    """A machine's transaction was executed or refused; it is decided once.

    What it did is told by the facts before it, of the same cause.
    """

    transaction: MachineTransaction


class HandshakeMoved(BaseFact, frozen=True, kw_only=True, tag="handshake_moved"):
    """A handshake is in another phase, or something else is to be written."""

    handshake: HandshakeState


class AlarmRaised(BaseFact, frozen=True, kw_only=True, tag="alarm_raised"):
    """Something about a machine is so that people should know."""

    alarm: Alarm


class AlarmCleared(BaseFact, frozen=True, kw_only=True, tag="alarm_cleared"):
    """It is no longer so."""

    alarm: Alarm


TransactionsFact = TransactionDecided | HandshakeMoved | AlarmRaised | AlarmCleared
