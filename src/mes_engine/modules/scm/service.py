"""Take receipts down as intents; keep the read model of what is on stock.

A write answers after its own transaction. Its intent goes to the engine afterwards, so
reading the receipt again shows the lot that came of it.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import msgspec
from sqlalchemy import Connection, delete, insert, select, tuple_, update

from mes_engine.core.errors import NotFound, Refused
from mes_engine.core.facts import LotCreated, QuantityMoved, Recorded
from mes_engine.core.quantity import ZERO, checked_unit
from mes_engine.modules.scm.model import (
    ORIGIN,
    Material,
    OnHand,
    Receipt,
    ReceiptProgress,
    StockedLot,
    Supplier,
    check_receipt,
    intent_of,
    receipt_of_cause,
    stock_changes,
)
from mes_engine.modules.scm.tables import (
    read_materials,
    read_on_hand,
    read_receipts,
    read_stocked_lots,
    read_suppliers,
    scm_lot,
    scm_material,
    scm_receipt,
    scm_stock,
    scm_supplier,
)
from mes_engine.storage.database import Database
from mes_engine.storage.intents import add_intent

CONSUMER = ORIGIN
LISTENS_TO = (LotCreated, QuantityMoved)


class ScmService:
    """Suppliers, bought materials, receipts and stock."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    async def put_supplier(self, supplier: Supplier, *, person: str) -> Supplier:
        """Take ``supplier`` down; once more changes nothing.

        Raises:
            Refused: There is another one of this id.
        """
        row = {
            **msgspec.structs.asdict(supplier),
            "created_at": self._clock(),
            "created_by": person,
        }

        def work(connection: Connection) -> Supplier:
            known = read_suppliers(connection, scm_supplier.c.id == supplier.id)
            if not known:
                connection.execute(insert(scm_supplier).values(**row))
            elif known != [supplier]:
                raise _other("supplier", supplier.id)
            return supplier

        return await self._database.write(work)

    async def put_material(self, material: Material, *, person: str) -> Material:
        """Take ``material`` down; once more changes nothing.

        Raises:
            Malformed: Its unit is unknown.
            Refused: There is another one of this code.
        """
        checked_unit(material.unit)
        row = {
            **msgspec.structs.asdict(material),
            "created_at": self._clock(),
            "created_by": person,
        }

        def work(connection: Connection) -> Material:
            known = read_materials(connection, scm_material.c.code == material.code)
            if not known:
                connection.execute(insert(scm_material).values(**row))
            elif known != [material]:
                raise _other("material", material.code)
            return material

        return await self._database.write(work)

    async def put_receipt(self, receipt: Receipt, *, person: str) -> ReceiptProgress:
        """Take ``receipt`` down, to be put into stock; once more changes nothing.

        Raises:
            Malformed: It is of nothing, or finer than the material's unit.
            Refused: There is another one of this id, or no such supplier or material.
        """
        now = self._clock()

        def work(connection: Connection) -> ReceiptProgress:
            known = read_receipts(connection, scm_receipt.c.id == receipt.id)
            if known and known[0].receipt != receipt:
                raise _other("receipt", receipt.id)
            if not known:
                unit = _unit_for(connection, receipt)
                check_receipt(receipt, unit)
                connection.execute(
                    insert(scm_receipt).values(
                        **msgspec.structs.asdict(receipt),
                        received_at=now,
                        received_by=person,
                        attempt=1,
                    )
                )
                add_intent(
                    connection,
                    intent_of(receipt, unit, attempt=1, person=person, at=now),
                )
            return _receipt(connection, receipt.id)

        return await self._database.write(work)

    async def retry_receipt(
        self, receipt: str, *, attempt: int, person: str
    ) -> ReceiptProgress:
        """Ask the engine again for what it refused at ``attempt``.

        Once more changes nothing: by then there is a later attempt.

        Raises:
            NotFound: There is no such receipt.
            Refused: It was not refused.
        """
        now = self._clock()

        def work(connection: Connection) -> ReceiptProgress:
            known = _receipt(connection, receipt)
            if attempt < known.attempt:
                return known
            if attempt > known.attempt or known.refusal is None:
                raise Refused(
                    f"Receipt {receipt} was not refused at attempt {attempt}.",
                    hint="Read the receipt again.",
                )
            intent = intent_of(
                known.receipt, known.unit, attempt=attempt + 1, person=person, at=now
            )
            add_intent(connection, intent)
            connection.execute(
                update(scm_receipt)
                .where(scm_receipt.c.id == receipt)
                .values(attempt=attempt + 1)
            )
            return _receipt(connection, receipt)

        return await self._database.write(work)

    async def suppliers(self, *, after: str = "", limit: int = 100) -> list[Supplier]:
        """Return suppliers in the order of their ids, from the one after ``after``."""
        where = scm_supplier.c.id > after
        return await self._database.read(
            lambda connection: read_suppliers(connection, where, limit=limit)
        )

    async def materials(self, *, after: str = "", limit: int = 100) -> list[Material]:
        """Return materials in the order of their codes."""
        where = scm_material.c.code > after
        return await self._database.read(
            lambda connection: read_materials(connection, where, limit=limit)
        )

    async def receipt(self, receipt: str) -> ReceiptProgress:
        """Return a receipt, and what has become of it.

        Raises:
            NotFound: There is none of this id.
        """
        return await self._database.read(
            lambda connection: _receipt(connection, receipt)
        )

    async def receipts(
        self, *, material: str | None = None, after: str = "", limit: int = 100
    ) -> list[ReceiptProgress]:
        """Return receipts in the order of their ids, from the one after ``after``."""
        where = [scm_receipt.c.id > after]
        if material is not None:
            where.append(scm_receipt.c.material == material)
        return await self._database.read(
            lambda connection: read_receipts(connection, *where, limit=limit)
        )

    async def on_hand(self, *, material: str | None = None) -> list[OnHand]:
        """Return what is on stock, by material and location."""
        where = [] if material is None else [scm_lot.c.material == material]
        return await self._database.read(
            lambda connection: read_on_hand(connection, *where)
        )

    async def stocked_lots(
        self,
        *,
        material: str | None = None,
        after: tuple[str, str] = ("", ""),
        limit: int = 100,
    ) -> list[StockedLot]:
        """Return what is on stock, by lot and location, from those after ``after``."""
        where = [tuple_(scm_lot.c.lot, scm_stock.c.location) > after]
        if material is not None:
            where.append(scm_lot.c.material == material)
        return await self._database.read(
            lambda connection: read_stocked_lots(connection, *where, limit=limit)
        )


def handle(connection: Connection, records: Sequence[Recorded]) -> None:
    """Note new lots, to the receipts that they came of, and what moves in stock."""
    made = [one for one in records if isinstance(one.fact, LotCreated)]
    for one in made:
        _note_lot(connection, one)
    moves = [one.fact.move for one in records if isinstance(one.fact, QuantityMoved)]
    changes = stock_changes(moves)
    if changes:
        _change_stock(connection, changes)


def _note_lot(connection: Connection, record: Recorded) -> None:
    if not isinstance(record.fact, LotCreated):
        return
    lot = record.fact.lot
    connection.execute(
        insert(scm_lot).values(
            lot=lot.id,
            material=lot.material,
            unit=lot.unit,
            supplier=lot.supplier,
            supplier_lot=lot.supplier_lot,
            work_request=lot.request,
        )
    )
    receipt = receipt_of_cause(record.cause)
    if receipt is not None:
        connection.execute(
            update(scm_receipt).where(scm_receipt.c.id == receipt).values(lot=lot.id)
        )


def _change_stock(
    connection: Connection, changes: Mapping[tuple[str, str], Decimal]
) -> None:
    at = tuple_(scm_stock.c.lot, scm_stock.c.location)
    query = select(scm_stock).where(at.in_(list(changes)))
    before = {
        (row.lot, row.location): row.quantity for row in connection.execute(query)
    }
    connection.execute(delete(scm_stock).where(at.in_(list(before))))
    after = [
        {"lot": lot, "location": location, "quantity": left}
        for (lot, location), change in changes.items()
        if (left := before.get((lot, location), ZERO) + change) != ZERO
    ]
    if after:
        connection.execute(insert(scm_stock), after)


def _receipt(connection: Connection, receipt: str) -> ReceiptProgress:
    found = read_receipts(connection, scm_receipt.c.id == receipt)
    if not found:
        raise NotFound(f"There is no receipt {receipt}.")
    return found[0]


def _unit_for(connection: Connection, receipt: Receipt) -> str:
    materials = read_materials(connection, scm_material.c.code == receipt.material)
    suppliers = read_suppliers(connection, scm_supplier.c.id == receipt.supplier)
    unmet = [] if materials else [f"material: there is no {receipt.material}"]
    unmet += [] if suppliers else [f"supplier: there is no {receipt.supplier}"]
    if unmet:
        raise Refused(
            f"Receipt {receipt.id} names what is not known here.",
            hint="Take the supplier and the material down first.",
            unmet=unmet,
        )
    return materials[0].unit


def _other(what: str, name: str) -> Refused:
    return Refused(f"There is another {what} {name}.", hint="Choose another id.")
