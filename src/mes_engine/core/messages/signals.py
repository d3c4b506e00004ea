"""What our own parts tell of machines' signals."""

from mes_engine.core.messages.command import BaseCommand
from mes_engine.core.signals import HandshakePhase


class RecordAcknowledgement(
    BaseCommand, frozen=True, kw_only=True, tag="record_acknowledgement"
):
    """Say what became of what a handshake wanted to be written in its ``phase``.

    Attributes:
        boot: With ``key``, the transaction that it was written for.
        is_written: The device holds it, as was read back. If not, it is tried again.
        reason: Why not.
    """

    handshake: str
    boot: str
    key: str
    phase: HandshakePhase
    is_written: bool
    reason: str = ""


class CheckSignals(BaseCommand, frozen=True, kw_only=True, tag="check_signals"):
    """The clock: see what time alone has brought, up to the command's own time."""


SignalsCommand = RecordAcknowledgement | CheckSignals
