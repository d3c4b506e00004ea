"""Material lots, and the genealogy edges between them (ISA-95 MaterialLot).

An edge goes from what was there to what was made of it. Splits and merges make new
lots, so that no lot is ever made of itself.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.quantity import ZERO


class LotQuality(StrEnum):
    """What a lot may be used for."""

    QUARANTINE = "quarantine"
    UNRESTRICTED = "unrestricted"
    RESTRICTED = "restricted"
    REJECTED = "rejected"


class LotExistence(StrEnum):
    """Whether there is anything left of a lot, and what became of it."""

    ACTIVE = "active"
    CONSUMED = "consumed"
    MERGED = "merged"
    SPLIT = "split"
    SCRAPPED = "scrapped"
    SHIPPED = "shipped"
    RETURNED = "returned"
    VOIDED = "voided"


class LotOrigin(StrEnum):
    """How a lot came to be."""

    STARTED = "started"
    FOUND = "found"
    RECEIVED = "received"
    PRODUCED = "produced"
    SPLIT = "split"
    MERGED = "merged"


class EdgeKind(StrEnum):
    """How a quantity of one lot went into another, or came out of it.

    What was ``damaged`` was used up by work on the other lot, and is not in it.
    """

    CONSUMED = "consumed"
    DAMAGED = "damaged"
    PRODUCED = "produced"
    SPLIT = "split"
    MERGED = "merged"


class MaterialLot(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity of one material and revision that stays together.

    Attributes:
        request: The work request that made it; None for what was received.
        number: Counts the lots of the plant; its id is made of it.
        origin: How it came to be; a request begins as those that were ``started``.
        parent: The lot that it was split from, if any.
        bound_units: By step: the work unit on which it was worked there, where a later
            step has to be worked on the same.
        supplier: Who sent it, and ``supplier_lot`` what they call it; else empty.
        serial: Of the plant's own, of a lot of one; empty if it has none.
        carrier: That it is in, if in one.
    """

    id: str
    number: int
    material: str
    unit: str
    created_at: int
    request: str | None = None
    origin: LotOrigin = LotOrigin.STARTED
    parent: str | None = None
    supplier: str = ""
    supplier_lot: str = ""
    quality: LotQuality = LotQuality.UNRESTRICTED
    existence: LotExistence = LotExistence.ACTIVE
    bound_units: dict[str, str] = {}
    serial: str = ""
    carrier: str | None = None


class GenealogyEdge(msgspec.Struct, frozen=True, kw_only=True):
    """``quantity`` of one lot went into another, or came out of it.

    Attributes:
        seq: The fact that it was written by.
        quantity: In ``unit``: of the source, or of what was produced from it.
        job_order: At which it was done, if at one.
        reverses: The booking that it takes back, if it does.
    """

    seq: int
    source: str
    target: str
    quantity: Decimal
    unit: str
    job_order: str | None
    at: int
    kind: EdgeKind = EdgeKind.CONSUMED
    reverses: int | None = None


class ComponentUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a job order was given of a material, beside what is taken at its end.

    Attributes:
        used: In ``unit``: the end takes as much less.
        damaged: Consumed and not in any piece: the end takes all the same.
    """

    job_order: str
    material: str
    unit: str
    used: Decimal = ZERO
    damaged: Decimal = ZERO
