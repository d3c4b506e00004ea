"""What the module hears from the engine's facts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from mes_engine.core import facts as f
from mes_engine.core.quantity import ZERO
from mes_engine.core.requests import WorkRequest, WorkRequestState
from mes_engine.core.wip_ledger import Bucket
from mes_engine.modules.crm.model import ORIGIN, demand_of
from mes_engine.modules.crm.tables import crm_makeable, crm_order_line
from mes_engine.storage.metadata import Quantity

CONSUMER = ORIGIN
LISTENS_TO = (
    f.RoutingReleased,
    f.RoutingWithdrawn,
    f.WorkRequestCreated,
    f.WorkRequestChanged,
    f.QuantityMoved,
)


def handle(connection: Connection, records: Sequence[f.Recorded]) -> None:
    """Note what can be made, and how the work requests of order lines fare."""
    finished: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for one in records:
        match one.fact:
            case f.RoutingReleased(routing=routing):
                _forget_routing(connection, crm_makeable.c.routing == routing.id)
                connection.execute(
                    insert(crm_makeable).values(
                        routing=routing.id,
                        revision=routing.revision,
                        material=routing.material,
                        unit=routing.unit,
                        released_seq=one.seq,
                    )
                )
            case f.RoutingWithdrawn(routing=name, revision=revision):
                _forget_routing(
                    connection,
                    crm_makeable.c.routing == name,
                    crm_makeable.c.revision == revision,
                )
            case f.WorkRequestCreated(work_request=made):
                _note_created(connection, made)
            case f.WorkRequestChanged(work_request=name, state=state):
                _note_changed(connection, name, state)
            case f.QuantityMoved(move=move):
                is_finished = move.bucket is Bucket.OUT
                if is_finished and move.to_bucket is Bucket.STOCK and move.request:
                    finished[move.request] += move.quantity
                is_taken_back = move.bucket is Bucket.STOCK and move.request
                if is_taken_back and move.to_bucket is Bucket.OUT and move.request:
                    finished[move.request] -= move.quantity
    if finished:
        _add_finished(connection, finished)


def _note_created(connection: Connection, made: WorkRequest) -> None:
    """Put a work request to the line that asked for it, if one of ours did."""
    line = crm_order_line.c
    query = select(line.sales_order, line.line).where(line.work_request == made.id)
    asked = connection.execute(query).one_or_none()
    if asked is not None and made.demand == demand_of(asked.sales_order, asked.line):
        connection.execute(
            update(crm_order_line)
            .where(line.work_request == made.id)
            .values(production=made.state)
        )


def _note_changed(
    connection: Connection, work_request: str, state: WorkRequestState
) -> None:
    line = crm_order_line.c
    connection.execute(
        update(crm_order_line)
        .where(line.work_request == work_request, line.production.is_not(None))
        .values(production=state)
    )


def _add_finished(connection: Connection, finished: Mapping[str, Decimal]) -> None:
    line = crm_order_line.c
    connection.execute(
        update(crm_order_line)
        .where(line.work_request == bindparam("asked"), line.production.is_not(None))
        .values(finished=line.finished + bindparam("more", type_=Quantity)),
        [{"asked": name, "more": more} for name, more in finished.items()],
    )


def _forget_routing(connection: Connection, *where: ColumnElement[bool]) -> None:
    connection.execute(delete(crm_makeable).where(*where))
