"""Suppliers, bought materials, receipts, and what moves do to the stock. Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.errors import Malformed
from mes_engine.core.messages import Answer, Commanded, Outcome, ReceiveMaterial
from mes_engine.core.quantity import ZERO, checked_quantity
from mes_engine.core.wip_ledger import Bucket, Move

ORIGIN = "scm"


class Supplier(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends material."""

    id: str
    name: str


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """What is bought, and the unit that it is counted in."""

    code: str
    unit: str
    name: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a supplier sent, as it was taken in.

    Attributes:
        quantity: In the material's unit.
        supplier_lot: What the supplier calls it; may be empty.
        location: Where it is put; None: where the plant receives.
    """

    id: str
    supplier: str
    material: str
    quantity: Decimal
    supplier_lot: str = ""
    location: str | None = None


class ReceiptState(StrEnum):
    """Where a receipt stands."""

    REQUESTED = "requested"
    REFUSED = "refused"
    RECEIVED = "received"


class ReceiptProgress(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt, and what has become of it.

    Attributes:
        attempt: How often the engine was asked to take it in.
        lot: What came of it in stock; None while nothing has.
        answer: Of the engine, to the last attempt; None: not yet.
    """

    receipt: Receipt
    unit: str
    received_at: int
    received_by: str
    attempt: int
    lot: str | None = None
    answer: Answer | None = None

    @property
    def refusal(self) -> Answer | None:
        """The engine's answer, if it is not a consent."""
        is_refused = self.answer and self.answer.outcome is not Outcome.ACCEPTED
        return self.answer if is_refused and self.lot is None else None

    @property
    def state(self) -> ReceiptState:
        """Where it stands."""
        if self.refusal is not None:
            return ReceiptState.REFUSED
        is_known = self.lot is not None or self.answer is not None
        return ReceiptState.RECEIVED if is_known else ReceiptState.REQUESTED


class StockedLot(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a lot is at a location.

    Attributes:
        work_request: Which made it; None for what was received.
    """

    lot: str
    location: str
    material: str
    unit: str
    quantity: Decimal
    supplier: str
    supplier_lot: str
    work_request: str | None


class OnHand(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a material is at a location, over all its lots."""

    material: str
    unit: str
    location: str
    quantity: Decimal
    lots: int


def check_receipt(receipt: Receipt, unit: str) -> None:
    """See that a receipt is of an amount that ``unit`` allows.

    Raises:
        Malformed: It is not.
    """
    if checked_quantity(receipt.quantity, unit=unit) == ZERO:
        raise Malformed(f"Receipt {receipt.id} is of nothing.")


def stock_changes(moves: Iterable[Move]) -> dict[tuple[str, str], Decimal]:
    """Return what ``moves`` add up to in stock, by lot and location; not 0."""
    changes: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for move in moves:
        if move.bucket is Bucket.STOCK:
            changes[move.lot, move.place] -= move.quantity
        if move.to_bucket is Bucket.STOCK:
            changes[move.to_lot or move.lot, move.to_place] += move.quantity
    return {at: change for at, change in changes.items() if change}


def intent_key(receipt: str, attempt: int) -> str:
    """Return the key of the intent to take a receipt in.

    Example:
        >>> intent_key("R-7", 1)
        'R-7/1'
    """
    return f"{receipt}/{attempt}"


def receipt_of_cause(cause: str) -> str | None:
    """Return the receipt that a fact's cause is an intent of, if it is one of ours.

    Example:
        >>> receipt_of_cause("scm:R-7/1")
        'R-7'
    """
    origin, _, key = cause.partition(":")
    return key.rpartition("/")[0] if origin == ORIGIN else None


def intent_of(
    receipt: Receipt, unit: str, *, attempt: int, person: str, at: int
) -> Commanded:
    """Return what is asked of the engine: to take ``receipt`` into stock."""
    command = ReceiveMaterial(
        material=receipt.material,
        unit=unit,
        quantity=receipt.quantity,
        supplier=receipt.supplier,
        supplier_lot=receipt.supplier_lot,
        location=receipt.location,
    )
    return Commanded(
        origin=ORIGIN,
        key=intent_key(receipt.id, attempt),
        digest=hashlib.sha256(msgspec.json.encode(command)).hexdigest(),
        person=person,
        at=at,
        command=command,
    )
