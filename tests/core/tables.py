"""The tables of a state as plain dictionaries, and the laws over all of them."""

from collections.abc import Iterator
from typing import Any

from mes_engine.core import laws
from mes_engine.core.state import State


def kept_tables(state: State) -> dict[str, dict[Any, Any]]:
    """Return the tables of a bottom layer that have anything in them."""
    return {
        name: dict(table.own)
        for name, table in state.tables.items()
        if table.own and table.spec.is_kept
    }


def broken_laws(state: State) -> Iterator[str]:
    """Yield each break of the laws L0 to L5."""
    positions = list(state.position.values())
    yield from laws.broken_position_laws(positions)
    yield from laws.broken_connection_laws(state.connection_flow.values(), positions)
    yield from laws.broken_lot_laws(list(state.lot.values()), positions)
    yield from laws.broken_request_laws(state.work_request.values(), positions)
    yield from laws.broken_posting_laws(
        state.job_order.values(), state.posting.values()
    )
