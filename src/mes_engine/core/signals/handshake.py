"""Handshakes: four phases, one execution and one acknowledgement a transaction.

The machine raises its request with a number; we do what it asks, commit, and only then
raise the ack; the machine lets the request fall; we take the ack back. Requests are
levels here, and not edges: what was not seen to fall is told by its number, so that
neither a restart nor a lost or repeated reading executes anything twice.
"""

from enum import StrEnum

import msgspec

from mes_engine.core.signals.transaction import TransactionOutcome

REMEMBERED = 64
"""How many executed transactions a handshake knows again, newest last. Machines number
in 16 bits and start again; so what is older may be another."""


class HandshakePhase(StrEnum):
    """How far the transaction in hand has come.

    ``acknowledging`` and ``clearing`` wait for a write to be confirmed;
    ``acknowledged`` and ``unanswered`` (refused, with no tag to say so) wait for the
    request to fall.
    """

    IDLE = "idle"
    ACKNOWLEDGING = "acknowledging"
    ACKNOWLEDGED = "acknowledged"
    UNANSWERED = "unanswered"
    CLEARING = "clearing"


WRITING = frozenset({HandshakePhase.ACKNOWLEDGING, HandshakePhase.CLEARING})
_DOWN = frozenset({HandshakePhase.IDLE, HandshakePhase.CLEARING})


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A value that a tag of the device is to have."""

    tag: str
    value: bool | int


class HandshakeState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one handshake.

    Attributes:
        id: The rule's.
        phase: Of the transaction ``boot``, ``key``.
        outcome: What became of it; None before the first.
        since: When the phase began.
        wanted: What is to be written, in this order, and is not confirmed yet.
        due_at: When the request is late to fall; None if nothing is awaited.
        is_late: It was, and still has not fallen.
        executed: The newest transactions that were executed, each as ``boot/key``.
    """

    id: str
    phase: HandshakePhase = HandshakePhase.IDLE
    boot: str = ""
    key: str = ""
    outcome: TransactionOutcome | None = None
    since: int = 0
    wanted: tuple[Wanted, ...] = ()
    due_at: int | None = None
    is_late: bool = False
    executed: tuple[str, ...] = ()

    @property
    def is_down(self) -> bool:
        """Whether the request was low when we saw it last."""
        return self.phase in _DOWN


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a handshake at one moment.

    Attributes:
        is_ack_up: Whether our own ack was seen up; None if it was not read along.
        at: When it was read, by our clock.
        steady_us: How long all of it has been as it is.
        given: What came with it, by field of the action, as text.
    """

    is_high: bool
    boot: str
    key: str
    is_ack_up: bool | None
    at: int
    steady_us: int
    given: dict[str, str] = msgspec.field(default_factory=dict)


class Turn(StrEnum):
    """What a reading asks for."""

    NOTHING = "nothing"
    DECIDE = "decide"
    ACK_AGAIN = "ack_again"
    FALL = "fall"


def turn_of(known: HandshakeState, seen: Request, *, debounce_us: int = 0) -> Turn:
    """Tell what ``seen`` asks for after ``known``."""
    if seen.steady_us < debounce_us:
        return Turn.NOTHING
    if not seen.is_high:
        return Turn.NOTHING if known.is_down else Turn.FALL
    if not known.is_down and (known.boot, known.key) == (seen.boot, seen.key):
        is_ack_lost = (
            known.phase is HandshakePhase.ACKNOWLEDGED
            and seen.is_ack_up is False
            and seen.at > known.since
        )
        return Turn.ACK_AGAIN if is_ack_lost else Turn.NOTHING
    if transaction_key(seen.boot, seen.key) in known.executed:
        return Turn.ACK_AGAIN
    return Turn.DECIDE


def transaction_key(boot: str, key: str) -> str:
    """Return the name by which a handshake knows a transaction again."""
    return f"{boot}/{key}"


def remembering(executed: tuple[str, ...], boot: str, key: str) -> tuple[str, ...]:
    """Return ``executed`` with one more, and the oldest forgotten."""
    name = transaction_key(boot, key)
    return (*(one for one in executed if one != name), name)[-REMEMBERED:]
