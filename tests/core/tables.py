"""The tables of a state as plain dictionaries."""

from typing import Any

from mes_engine.core.state import State


def kept_tables(state: State) -> dict[str, dict[Any, Any]]:
    """Return the tables of a bottom layer that have anything in them."""
    return {
        name: dict(table.own)
        for name, table in state.tables.items()
        if table.own and table.spec.is_kept
    }
