"""Take orders down, and confirm them into intents.

A write answers after its own transaction. Its intents go to the engine afterwards, so
reading the order again shows what the engine made of them.
"""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, insert, update

from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.modules.crm.model import (
    Customer,
    LineProgress,
    Makeable,
    OrderProgress,
    OrderStage,
    SalesOrder,
    begun_lines,
    intent_of,
    line_verbs,
    mendable,
    order_problems,
    unmakeable_lines,
)
from mes_engine.modules.crm.tables import (
    crm_customer,
    crm_order_line,
    crm_sales_order,
    insert_order,
    read_customers,
    read_makeable,
    read_orders,
)
from mes_engine.storage.database import Database
from mes_engine.storage.intents import add_intent

asdict, replace = msgspec.structs.asdict, msgspec.structs.replace


class CrmService:
    """Customers and their orders."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    async def put_customer(self, customer: Customer, *, person: str) -> Customer:
        """Take ``customer`` down; once more changes nothing.

        Raises:
            Refused: There is another one of this id.
        """
        now = self._clock()

        def work(connection: Connection) -> Customer:
            known = read_customers(connection, crm_customer.c.id == customer.id)
            if not known:
                row = {**asdict(customer), "created_at": now, "created_by": person}
                connection.execute(insert(crm_customer).values(**row))
            elif known != [customer]:
                raise Refused(
                    f"There is another customer {customer.id}: {known[0].name}.",
                    hint="Choose another id.",
                )
            return customer

        return await self._database.write(work)

    async def customers(self, *, after: str = "", limit: int = 100) -> list[Customer]:
        """Return customers in the order of their ids, from the one after ``after``."""
        return await self._database.read(
            lambda connection: read_customers(
                connection, crm_customer.c.id > after, limit=limit
            )
        )

    async def makeable(self) -> list[Makeable]:
        """Return what can be ordered: materials that a released routing makes."""
        return await self._database.read(
            lambda connection: sorted(
                read_makeable(connection).values(), key=lambda one: one.material
            )
        )

    async def put_order(self, order: SalesOrder, *, person: str) -> OrderProgress:
        """Take ``order`` down as a draft; once more changes nothing.

        Raises:
            Malformed: A line is there twice, or has no quantity.
            Refused: There is another order of this id, or no such customer.
        """
        now = self._clock()
        problems = order_problems(order)
        if problems:
            raise Malformed(f"Sales order {order.id}: {'; '.join(problems)}.")

        def work(connection: Connection) -> OrderProgress:
            known = read_orders(connection, crm_sales_order.c.id == order.id)
            if not known:
                _check_customer(connection, order)
                insert_order(connection, order, person=person, now=now)
            elif known[0].order != order:
                raise Refused(
                    f"There is another sales order {order.id}.",
                    hint="Choose another id; a draft that is wrong can be cancelled.",
                )
            return _order(connection, order.id)

        return await self._database.write(work)

    async def order(self, order: str) -> OrderProgress:
        """Return an order, and what has become of it.

        Raises:
            NotFound: There is none of this id.
        """
        return await self._database.read(lambda connection: _order(connection, order))

    async def orders(
        self, *, customer: str | None = None, after: str = "", limit: int = 100
    ) -> list[OrderProgress]:
        """Return orders in the order of their ids, from the one after ``after``."""
        where = [crm_sales_order.c.id > after]
        if customer is not None:
            where.append(crm_sales_order.c.customer == customer)
        return await self._database.read(
            lambda connection: read_orders(connection, *where, limit=limit)
        )

    async def confirm(
        self, order: str, *, is_released: bool, person: str
    ) -> OrderProgress:
        """Make each line a work request, released at once if ``is_released``.

        Once more changes nothing.

        Raises:
            NotFound: There is no such order.
            Refused: No released routing makes a line's material, or the order was
                cancelled, or confirmed otherwise.
        """
        now = self._clock()

        def work(connection: Connection) -> OrderProgress:
            progress = _order(connection, order)
            if progress.stage is OrderStage.CANCELLED:
                raise Refused(f"Sales order {order} is cancelled.")
            if progress.stage is OrderStage.DRAFT:
                decided = replace(
                    progress, stage=OrderStage.CONFIRMED, is_released=is_released
                )
                _decide(connection, decided, person=person, now=now)
            elif progress.is_released is not is_released:
                how = "released" if progress.is_released else "planned only"
                raise Refused(f"Sales order {order} was confirmed to be {how}.")
            return _order(connection, order)

        return await self._database.write(work)

    async def cancel(self, order: str, *, person: str) -> OrderProgress:
        """Give an order up; once more changes nothing.

        Raises:
            NotFound: There is no such order.
            Refused: A line is in work, made, or not yet answered by the engine.
        """
        now = self._clock()

        def work(connection: Connection) -> OrderProgress:
            progress = _order(connection, order)
            if progress.stage is OrderStage.CANCELLED:
                return progress
            begun = begun_lines(progress)
            if begun:
                raise Refused(
                    f"Sales order {order} cannot be cancelled any more, or not yet.",
                    hint="Stop or finish its work requests.",
                    unmet=begun,
                )
            decided = replace(progress, stage=OrderStage.CANCELLED)
            _decide(connection, decided, person=person, now=now)
            return _order(connection, order)

        return await self._database.write(work)

    async def retry_line(
        self, order: str, line: int, *, attempt: int, person: str
    ) -> OrderProgress:
        """Ask the engine again for what it refused at ``attempt``.

        Once more changes nothing: by then there is a later attempt.

        Raises:
            NotFound: There is no such line.
            Refused: Nothing of it was refused, or it still cannot be made.
        """
        now = self._clock()

        def work(connection: Connection) -> OrderProgress:
            progress = _order(connection, order)
            found = [one for one in progress.lines if one.line.line == line]
            if not found:
                raise NotFound(f"Sales order {order} has no line {line}.")
            if attempt < found[0].attempt:
                return progress
            refusal = mendable(
                found[0], progress.stage, is_released=progress.is_released
            )
            if attempt > found[0].attempt or refusal is None:
                raise Refused(
                    f"Nothing was refused at attempt {attempt} of line {line} of "
                    f"sales order {order}.",
                    hint="Read the order again.",
                )
            _ask(connection, progress, found, person=person, now=now)
            return _order(connection, order)

        return await self._database.write(work)


def _check_customer(connection: Connection, order: SalesOrder) -> None:
    if not read_customers(connection, crm_customer.c.id == order.customer):
        raise Refused(
            f"Sales order {order.id}: there is no customer {order.customer}.",
            hint="Take the customer down first.",
        )


def _order(connection: Connection, order: str) -> OrderProgress:
    found = read_orders(connection, crm_sales_order.c.id == order)
    if not found:
        raise NotFound(f"There is no sales order {order}.")
    return found[0]


def _decide(
    connection: Connection, decided: OrderProgress, *, person: str, now: int
) -> None:
    """Write the stage that an order is at now, and ask what follows from it."""
    connection.execute(
        update(crm_sales_order)
        .where(crm_sales_order.c.id == decided.order.id)
        .values(
            stage=decided.stage,
            is_released=decided.is_released,
            decided_at=now,
            decided_by=person,
        )
    )
    _ask(connection, decided, decided.lines, person=person, now=now)


def _ask(
    connection: Connection,
    progress: OrderProgress,
    lines: Sequence[LineProgress],
    *,
    person: str,
    now: int,
) -> None:
    """Begin the next attempt of ``lines``: write the intents of what they need."""
    order = progress.order.id
    makeable = read_makeable(connection, [one.line.material for one in lines])
    if progress.stage is OrderStage.CONFIRMED:
        problems = unmakeable_lines([one.line for one in lines], makeable)
        if problems:
            raise Refused(
                f"Sales order {order} cannot be made as it is.",
                hint="Release a routing for the material, or order what can be made.",
                unmet=problems,
            )
    for one in lines:
        verbs = line_verbs(one, progress.stage, is_released=progress.is_released)
        if not verbs and one.attempt == 0:
            continue
        attempt = one.attempt + 1
        known = makeable.get(one.line.material)
        for verb in verbs:
            intent = intent_of(
                order,
                one.line,
                verb,
                attempt=attempt,
                routing="" if known is None else known.routing,
                person=person,
                at=now,
            )
            add_intent(connection, intent)
        connection.execute(
            update(crm_order_line)
            .where(
                crm_order_line.c.sales_order == order,
                crm_order_line.c.line == one.line.line,
            )
            .values(attempt=attempt)
        )
