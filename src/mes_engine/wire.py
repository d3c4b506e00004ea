"""What a gateway and the engine say to each other, whatever carries it.

A gateway delivers reports in order, with how its spool stands; the engine answers how
far each source is committed. The other way go the wishes to write to a device or to
call it; each is handed over once, and its outcome comes back.
"""

from typing import Any

import msgspec

from mes_engine.core.messages import Sensed

Value = bool | int | float | str
"""What a tag holds, or is to hold."""

ASK_JOB = "ask_job"
"""The method of a call that asks a machine for a job order."""

CALL_METHOD = "call_method"
"""The method of a call that calls a method of the device itself."""

MOST_REPORTS = 500
"""So many reports go in one delivery at most, as in one commit."""
MOST_BYTES = 512 * 1024
"""And so many bytes, so that a delivery is within the limit of any request."""


class SpoolStatus(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """How a gateway's spool stands.

    Attributes:
        waiting: Reports that the engine has not answered yet.
        bytes: What they take.
        limit_bytes: What they may take.
        oldest_at: When the oldest of them was kept, in microseconds of UTC.
        thinned: Measurements left out because the spool was full, so far.
        set_aside: Reports that the engine will never take.
        last_set_aside: Why, of the last one.
        level: ``ok``, ``half`` or ``nearly full``, ``full``.
    """

    waiting: int = 0
    bytes: int = 0
    limit_bytes: int = 0
    oldest_at: int | None = None
    thinned: int = 0
    set_aside: int = 0
    last_set_aside: str = ""
    level: str = "ok"


class Delivery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reports of one gateway, in order; without any it is a sign of life.

    Attributes:
        instance: Grows with each start of the gateway; an older one is fenced off.
        links: What it runs; nobody else may.
        plant: The digest of the ``plant.yaml`` that it has read.
        left_alone: Links that have ended the gateway too often, and until when, in
            microseconds of UTC.
        reports: Each an encoded :class:`~mes_engine.core.messages.Sensed`.
    """

    instance: int
    links: tuple[str, ...]
    plant: str
    status: SpoolStatus
    left_alone: dict[str, int] = msgspec.field(default_factory=dict)
    reports: tuple[msgspec.Raw, ...] = ()


class Mark(msgspec.Struct, frozen=True):
    """How far a source is committed."""

    epoch: int
    n: int


class RefusedReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report that will never be taken: its place in the delivery, and why.

    Attributes:
        is_elsewhere: Another gateway feeds its link, and may tell the same.
    """

    index: int
    reason: str
    is_elsewhere: bool = False


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: everything that was delivered is committed, or refused for good.

    Attributes:
        committed: How far the engine has come with each source of the delivery.
        plant: The digest of the engine's own ``plant.yaml``.
    """

    committed: dict[str, Mark]
    refused: tuple[RefusedReport, ...]
    plant: str


class Write(msgspec.Struct, frozen=True, kw_only=True, tag="write"):
    """Write ``value`` to a tag; ``expect`` is what it has to hold before."""

    tag: str
    value: Value
    expect: Value | None = None


class Call(msgspec.Struct, frozen=True, kw_only=True, tag="call"):
    """Call a method of the device."""

    method: str
    arguments: Any


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done to a device, once, within so many seconds from now."""

    id: str
    link: str
    what: Write | Call
    within_s: float


class Written(msgspec.Struct, frozen=True, kw_only=True, tag="written"):
    """It was written; see :class:`~mes_engine.ports.WriteResult`."""

    value: Value | None
    at: int
    is_verified: bool


class Called(msgspec.Struct, frozen=True, kw_only=True, tag="called"):
    """The device has answered a call."""

    result: Any


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """It was not done, or nobody knows: ``kind`` names the error of ``core.errors``."""

    kind: str
    message: str
    hint: str = ""


class Settled(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of something wanted."""

    instance: int
    outcome: Written | Called | Failed


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine wants of a gateway now."""

    wanted: tuple[Wanted, ...]


sensed_encoder = msgspec.msgpack.Encoder()
sensed_decoder = msgspec.msgpack.Decoder(Sensed)
"""A report on a gateway's disk and on its way is a ``Sensed`` in MessagePack."""
