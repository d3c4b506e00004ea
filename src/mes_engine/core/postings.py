"""Postings: what goes up to the ERP's work-centre ledger, once each, in order.

A stream is a work request; within it postings are numbered without a gap and sent in
that order. Nothing posted is edited: a mistake goes up as a reversal.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.quantity import ZERO


class PostingKind(StrEnum):
    """What a posting says."""

    CONFIRM = "confirm"
    REVERSE = "reverse"


class PostingState(StrEnum):
    """How far a posting has come; ``held`` is one of a period that is closed."""

    PENDING = "pending"
    RETRYING = "retrying"
    IN_DOUBT = "in_doubt"
    PARKED = "parked"
    HELD = "held"
    ACKNOWLEDGED = "acknowledged"
    WAIVED = "waived"
    NETTED = "netted"


SETTLED = frozenset(
    {PostingState.ACKNOWLEDGED, PostingState.WAIVED, PostingState.NETTED}
)


WAITING_FOR_A_PERSON = frozenset({PostingState.PARKED, PostingState.HELD})
"""The states in which the relay leaves a posting, and all behind it, alone."""


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """One confirmation of one operation, as the ledger is to book it.

    Attributes:
        key: Names it for ever; derived from the fact that it posts. Booked once a key.
        stream: The work request; ``stream_seq`` counts from 1 without a gap.
        good: Pieces in ``unit``; ``scrap``, ``lost`` and ``tested`` likewise.
        repeated: Of ``good``, what the operation had confirmed as good in an earlier
            pass: its yield is ``good`` less these.
        pass_number: Of the visit: 1 at first, more where pieces came back to be worked.
        setup_s: Seconds of setup; ``processing_s`` of machine time, ``labour_s`` of
            people's.
        is_final: Nothing more will be confirmed for this operation.
        business_date: The plant's day (ISO), by the shift it belongs to.
        reverses: The key of the posting that this one undoes.
    """

    key: str
    stream: str
    stream_seq: int
    kind: PostingKind
    job_order: str
    step: str
    work_center: str
    material: str
    unit: str
    good: Decimal
    scrap: Decimal
    setup_s: Decimal
    processing_s: Decimal
    is_final: bool
    occurred_at: int
    business_date: str
    labour_s: Decimal = ZERO
    repeated: Decimal = ZERO
    pass_number: int = 1
    reverses: str | None = None
    state: PostingState = PostingState.PENDING
    reference: str = ""
    reason: str = ""
