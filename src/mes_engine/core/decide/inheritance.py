"""What becomes of holds and of measured data where a thing becomes another."""

from collections.abc import Iterable

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.runs import HoldScope


def inherit_holds(draft: Draft, sources: Iterable[str], target: str) -> None:
    """Open, on ``target``, every hold that is open on one of the ``sources``.

    Each is a record of its own from then on: released one by one.
    """
    for source in sources:
        for scope in HoldScope:
            for hold in draft.state.hold.find("target", (scope, source)):
                number = draft.state.last_number("hold") + 1
                inherited = msgspec.structs.replace(
                    hold,
                    id=f"H-{number:06}",
                    number=number,
                    target=target,
                    reason=f"{hold.reason} ({hold.id})",
                )
                draft.emit(f.HoldOpened(hold=inherited))


def inherit_measurements(draft: Draft, parent: str, lot: str) -> None:
    """Let what was measured of a lot be true of the one that was split off it."""
    values = draft.state.measured_value.find("lot", parent)
    if values:
        seq = draft.next_seq
        inherited = tuple(
            msgspec.structs.replace(one, lot=lot, changed_seq=seq) for one in values
        )
        draft.emit(f.MeasurementsInherited(parent=parent, lot=lot, values=inherited))
