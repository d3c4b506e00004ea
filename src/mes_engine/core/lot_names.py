"""Lots are named by their numbers, or by their serials: both lead to the lot."""

from collections.abc import Mapping
from typing import Any

import msgspec

from mes_engine.core import messages as m
from mes_engine.core.errors import Refused
from mes_engine.core.lots import LotExistence, MaterialLot
from mes_engine.core.runs import HoldScope
from mes_engine.core.state import State

_ONE_LOT: Mapping[type, tuple[str, ...]] = {
    m.SplitLot: ("lot",),
    m.SerialiseLot: ("lot",),
    m.ReverseRegrouping: ("lot",),
    m.ConsumeMaterial: ("lot", "into"),
    m.MoveStock: ("lot",),
    m.ShipLot: ("lot",),
    m.ReportQuantity: ("lot",),
    m.RecordMeasurement: ("lot",),
    m.SendToRework: ("lot",),
    m.DeviateLot: ("lot",),
    m.ChooseAlternative: ("lot",),
}
_LOTS: Mapping[type, str] = {m.MergeLots: "lots"}


def with_lots(state: State, command: m.Command) -> m.Command:
    """Return a command with the number of each lot that it names by its serial.

    Raises:
        Refused: Lots of several materials have the serial.
    """
    changes: dict[str, Any] = {}
    for field in _ONE_LOT.get(type(command), ()):
        name = getattr(command, field)
        if name is not None and (found := lot_named(state, name)) != name:
            changes[field] = found
    several = _LOTS.get(type(command))
    if several is not None:
        names = getattr(command, several)
        changes[several] = tuple(lot_named(state, one) for one in names)
    if isinstance(command, m.OpenHold) and command.scope is HoldScope.LOT:
        changes["target"] = lot_named(state, command.target)
    return msgspec.structs.replace(command, **changes) if changes else command


def lot_named(state: State, name: str) -> str:
    """Return the number of the lot that a person means; ``name`` if there is none.

    Raises:
        Refused: Lots of several materials have the serial.
    """
    if state.lot.get(name) is not None:
        return name
    found = lots_with_serial(state, name)
    if len(found) > 1:
        raise ambiguous(name, found)
    return found[0].id if found else name


def lots_with_serial(state: State, serial: str) -> list[MaterialLot]:
    """Return the lots with this serial of which anything is left."""
    return [
        one
        for one in state.lot.find("serial", serial)
        if one.existence is LotExistence.ACTIVE
    ]


def ambiguous(serial: str, found: list[MaterialLot]) -> Refused:
    """Say that lots of several materials have a serial."""
    told = ", ".join(sorted(f"{one.id} of {one.material}" for one in found))
    return Refused(
        f"{serial} is the serial of more than one piece: {told}.",
        hint="Name the lot by its number.",
        unmet=[f"one_piece: {serial} is {told}"],
    )
