"""The WIP ledger: where every piece is, and the laws that its moves obey.

A position is a lot at a visit (on the floor) or at a location (in stock). Every change
of a quantity is a move, written once: from one bucket to another. L0 and L1 are checked
here, at each move; ``laws`` checks all of them over everything.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.quantity import ZERO


class Bucket(StrEnum):
    """Where in a position a quantity is."""

    QUEUED = "queued"
    IN_PROCESS = "in_process"
    SUSPECT = "suspect"
    OUT = "out"
    TRANSIT = "transit"
    STOCK = "stock"
    STARTED = "started"
    FOUND = "found"
    PRODUCED = "produced"
    RECEIVED = "received"
    SCRAP = "scrap"
    LOST = "lost"
    TESTED = "tested"
    CONSUMED = "consumed"
    SHIPPED = "shipped"


_B = Bucket

FLOOR = (_B.QUEUED, _B.IN_PROCESS, _B.SUSPECT, _B.OUT, _B.TRANSIT)
HELD = (*FLOOR, _B.STOCK)
SOURCES = (_B.STARTED, _B.FOUND, _B.PRODUCED, _B.RECEIVED)
SINKS = (_B.SCRAP, _B.LOST, _B.TESTED, _B.CONSUMED, _B.SHIPPED)

WITHIN: frozenset[tuple[Bucket, Bucket]] = frozenset(
    {
        (_B.STARTED, _B.QUEUED),
        (_B.FOUND, _B.QUEUED),
        (_B.PRODUCED, _B.QUEUED),
        (_B.RECEIVED, _B.STOCK),
        (_B.QUEUED, _B.IN_PROCESS),
        (_B.IN_PROCESS, _B.QUEUED),
        (_B.SUSPECT, _B.QUEUED),
        (_B.SUSPECT, _B.OUT),
        (_B.QUEUED, _B.SUSPECT),
        (_B.OUT, _B.SUSPECT),
        (_B.OUT, _B.TRANSIT),
        (_B.STOCK, _B.CONSUMED),
        (_B.STOCK, _B.SCRAP),
        (_B.STOCK, _B.LOST),
        (_B.STOCK, _B.SHIPPED),
        *((_B.QUEUED, to) for to in (_B.OUT, _B.SCRAP, _B.LOST, _B.TESTED)),
        *((_B.IN_PROCESS, to) for to in (_B.OUT, _B.SCRAP, _B.LOST, _B.TESTED)),
        *((_B.OUT, to) for to in (_B.SCRAP, _B.LOST, _B.TESTED)),
        *((_B.SUSPECT, to) for to in (_B.SCRAP, _B.LOST, _B.TESTED)),
        (_B.IN_PROCESS, _B.SUSPECT),
    }
)
"""The arcs inside one position."""

ACROSS: frozenset[tuple[Bucket, Bucket]] = frozenset(
    {(_B.TRANSIT, _B.QUEUED), (_B.OUT, _B.STOCK), (_B.STOCK, _B.STOCK)}
)
"""The arcs from one position to another of the same lot."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of a lot at one place, and what ever passed through it.

    Sources, sinks, ``moved_in`` and ``moved_out`` are running totals; held buckets are
    what is there now. All in ``unit``, all at least 0 (law L0).

    Attributes:
        place: A visit's id, or a stock location.
        is_stock: Whether ``place`` is a location.
    """

    lot: str
    place: str
    material: str
    unit: str
    is_stock: bool
    request: str | None = None
    queued: Decimal = ZERO
    in_process: Decimal = ZERO
    suspect: Decimal = ZERO
    out: Decimal = ZERO
    transit: Decimal = ZERO
    stock: Decimal = ZERO
    started: Decimal = ZERO
    found: Decimal = ZERO
    produced: Decimal = ZERO
    received: Decimal = ZERO
    scrap: Decimal = ZERO
    lost: Decimal = ZERO
    tested: Decimal = ZERO
    consumed: Decimal = ZERO
    shipped: Decimal = ZERO
    moved_in: Decimal = ZERO
    moved_out: Decimal = ZERO

    def of(self, bucket: Bucket) -> Decimal:
        """Return the amount in ``bucket``."""
        amount: Decimal = getattr(self, bucket.value)
        return amount

    @property
    def held(self) -> Decimal:
        """What is here now, on the floor or in stock."""
        return sum((self.of(bucket) for bucket in HELD), ZERO)

    @property
    def on_floor(self) -> Decimal:
        """What is here now and counts as work in progress."""
        return sum((self.of(bucket) for bucket in FLOOR), ZERO)

    @property
    def came(self) -> Decimal:
        """Left side of law L1: sources and what moved in."""
        return sum((self.of(bucket) for bucket in SOURCES), self.moved_in)

    @property
    def went(self) -> Decimal:
        """Right side of law L1: what is held, was sunk or moved out."""
        sunk = sum((self.of(bucket) for bucket in SINKS), self.moved_out)
        return self.held + sunk


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity went from one bucket to another; written once, never edited.

    Attributes:
        seq: The fact that it was written by.
        quantity: In ``unit``, above 0.
        connection: ``source>target`` of the steps between which it moved, or empty.
    """

    seq: int
    lot: str
    material: str
    unit: str
    quantity: Decimal
    place: str
    bucket: Bucket
    to_place: str
    to_bucket: Bucket
    request: str | None
    job_order: str | None
    run: str | None
    at: int
    person: str
    reason: str = ""
    connection: str = ""


class LawBroken(AssertionError):
    """A move would break a law of the ledger: a bug, never an operator's mistake."""


def apply_move(
    move: Move, source: Position | None, target: Position
) -> tuple[Position | None, Position]:
    """Return both positions after ``move``.

    Args:
        move: What moves.
        source: The position that it leaves; None where it stays inside ``target``.
        target: The position that it is in afterwards.

    Raises:
        LawBroken: The arc is not allowed, or L0 or L1 would not hold.
    """
    arc = (move.bucket, move.to_bucket)
    if move.quantity <= ZERO:
        raise LawBroken(f"a move of {move.quantity} {move.unit}")
    if arc not in (WITHIN if source is None else ACROSS):
        raise LawBroken(f"no arc from {move.bucket} to {move.to_bucket}")
    if source is None:
        after = _taken(target, move, keeps_total=move.bucket in SOURCES)
        return None, _lawful(_added(after, move.to_bucket, move.quantity))
    left = msgspec.structs.replace(
        _taken(source, move), moved_out=source.moved_out + move.quantity
    )
    came = msgspec.structs.replace(
        _added(target, move.to_bucket, move.quantity),
        moved_in=target.moved_in + move.quantity,
    )
    return _lawful(left), _lawful(came)


def _taken(position: Position, move: Move, *, keeps_total: bool = False) -> Position:
    change = move.quantity if keeps_total else -move.quantity
    return _added(position, move.bucket, change)


def _added(position: Position, bucket: Bucket, change: Decimal) -> Position:
    amount = position.of(bucket) + change
    if amount < ZERO:
        raise LawBroken(
            f"L0: {position.lot} at {position.place} would hold {amount} in {bucket}"
        )
    changes: dict[str, Decimal] = {bucket.value: amount}
    return msgspec.structs.replace(position, **changes)


def _lawful(position: Position) -> Position:
    if position.came != position.went:
        raise LawBroken(
            f"L1: {position.lot} at {position.place}: "
            f"{position.came} came and {position.went} are accounted for"
        )
    return position
