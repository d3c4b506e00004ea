"""The WIP ledger: where every piece is, and the laws that its moves obey.

A position is a lot at a visit (on the floor) or at a location (in stock). Every change
of a quantity is a move, written once: from one bucket to another. L0 and L1 are checked
here, at each move; ``laws`` checks all of them over everything.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter

import msgspec

from mes_engine.core.quantity import ZERO, shortest


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
ENTRIES = frozenset({_B.STARTED, _B.FOUND, _B.PRODUCED})
"""The sources from which a request's pieces come onto the floor."""
SINKS = (_B.SCRAP, _B.LOST, _B.TESTED, _B.CONSUMED, _B.SHIPPED)

WITHIN: frozenset[tuple[Bucket, Bucket]] = frozenset(
    {
        (_B.STARTED, _B.QUEUED),
        (_B.FOUND, _B.QUEUED),
        (_B.PRODUCED, _B.QUEUED),
        (_B.PRODUCED, _B.STOCK),
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

NOT_STARTED: frozenset[tuple[Bucket, Bucket]] = frozenset({(_B.QUEUED, _B.STARTED)})
"""The one way back to a source: nobody had worked on them, and fewer are wanted."""

ACROSS: frozenset[tuple[Bucket, Bucket]] = frozenset(
    {(_B.TRANSIT, _B.QUEUED), (_B.OUT, _B.STOCK), (_B.STOCK, _B.STOCK)}
)
"""The arcs from one position to another of the same lot."""

BETWEEN_LOTS: frozenset[tuple[Bucket, Bucket]] = frozenset((one, one) for one in HELD)
"""The arcs from one lot to another at the same place: a split, or a merge."""

_WITHIN = WITHIN | NOT_STARTED
_all_held = attrgetter(*HELD)
_all_on_floor = attrgetter(*FLOOR)
_all_that_came = attrgetter(*SOURCES, "moved_in", "split_in")
_all_that_went = attrgetter(*HELD, *SINKS, "moved_out", "split_out")


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of a lot at one place, and what ever passed through it.

    Sources, sinks, and what moved or was split in and out are running totals; held
    buckets are what is there now. All in ``unit``, all at least 0 (law L0).

    Attributes:
        moved_in: From other places of the lot; ``moved_out`` to them.
        split_in: From other lots at this place, by a split or a merge; ``split_out`` to
            them.
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
    split_in: Decimal = ZERO
    split_out: Decimal = ZERO

    def of(self, bucket: Bucket) -> Decimal:
        """Return the amount in ``bucket``."""
        amount: Decimal = getattr(self, bucket)
        return amount

    @property
    def held(self) -> Decimal:
        """What is here now, on the floor or in stock."""
        return sum(_all_held(self), ZERO)

    @property
    def entered(self) -> Decimal:
        """What ever came onto the floor here, and from no other step."""
        if self.is_stock:
            return ZERO
        return self.started + self.produced + self.found

    @property
    def on_floor(self) -> Decimal:
        """What is here now and counts as work in progress."""
        return sum(_all_on_floor(self), ZERO)

    @property
    def came(self) -> Decimal:
        """Left side of law L1: sources and what moved or was split in."""
        return sum(_all_that_came(self), ZERO)

    @property
    def went(self) -> Decimal:
        """Right side of law L1: what is held, sunk, moved out or split off."""
        return sum(_all_that_went(self), ZERO)


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity went from one bucket to another; written once, never edited.

    Attributes:
        seq: The fact that it was written by.
        quantity: In ``unit``, above 0.
        connection: ``source>target`` of the steps between which it moved, or empty.
        caused_by: The step at fault, of scrap; empty if not said.
        to_lot: The lot that it went into, by a split or a merge; else it stayed in its
            own.
        reverses: The booking that it takes back: it goes along an arc the wrong way.
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
    caused_by: str = ""
    to_lot: str | None = None
    reverses: int | None = None


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
    if move.reverses is not None:
        return _taken_back(move, source, target)
    if arc not in _arcs(move, source):
        raise LawBroken(f"no arc from {move.bucket} to {move.to_bucket}")
    gone = -move.quantity
    if source is None:
        spent = move.quantity if move.bucket in SOURCES else gone
        got = gone if move.to_bucket in SOURCES else move.quantity
        changes: dict[str, Decimal] = {move.bucket: spent, move.to_bucket: got}
        return None, _changed(target, changes)
    way = "moved" if move.to_lot is None else "split"
    return (
        _changed(source, {move.bucket: gone, f"{way}_out": move.quantity}),
        _changed(target, {move.to_bucket: move.quantity, f"{way}_in": move.quantity}),
    )


def _arcs(move: Move, source: Position | None) -> frozenset[tuple[Bucket, Bucket]]:
    if move.to_lot is not None:
        is_regrouped = move.place == move.to_place and move.to_lot != move.lot
        return BETWEEN_LOTS if is_regrouped else frozenset()
    return _WITHIN if source is None else ACROSS


def _taken_back(
    move: Move, source: Position | None, target: Position
) -> tuple[Position | None, Position]:
    """Return both positions after a linked reversal, which goes along an arc backwards.

    Sources, sinks, and what was moved or split in and out are totals: they go down
    again.
    """
    arc = (move.to_bucket, move.bucket)
    if arc not in _arcs(move, source):
        raise LawBroken(f"no arc back from {move.bucket} to {move.to_bucket}")
    gone = -move.quantity
    if source is None:
        back = gone if move.to_bucket in SOURCES else move.quantity
        return None, _changed(target, {move.bucket: gone, move.to_bucket: back})
    way = "moved" if move.to_lot is None else "split"
    return (
        _changed(source, {move.bucket: gone, f"{way}_in": gone}),
        _changed(target, {move.to_bucket: move.quantity, f"{way}_out": gone}),
    )


def _changed(position: Position, changes: Mapping[str, Decimal]) -> Position:
    amounts = {
        name: shortest(getattr(position, name) + changes[name]) for name in changes
    }
    for name, amount in amounts.items():
        if amount < ZERO:
            raise LawBroken(
                f"L0: {position.lot} at {position.place} would hold {amount} in {name}"
            )
    return _lawful(msgspec.structs.replace(position, **amounts))


def _lawful(position: Position) -> Position:
    if position.came != position.went:
        raise LawBroken(
            f"L1: {position.lot} at {position.place}: "
            f"{position.came} came and {position.went} are accounted for"
        )
    return position
