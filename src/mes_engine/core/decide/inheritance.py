"""What becomes of holds and of measured data where a thing becomes another."""

from collections.abc import Iterable, Sequence

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.measured_data import value_at
from mes_engine.core.measurements import MeasuredValue, unclear
from mes_engine.core.runs import Hold, HoldScope


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
                    reason=_inherited_reason(hold),
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


def merge_measurements(draft: Draft, lots: Sequence[str], merged: str) -> None:
    """Let what is the same of all lots that were merged be true of the new one.

    What differs, or was not measured of each, is not known of it any more, whatever is
    true of all lots at the job order.
    """
    own = [one for lot in lots for one in draft.state.measured_value.find("lot", lot)]
    seq = draft.next_seq
    inherited = [
        _of_merged(draft, first, lots, merged, seq)
        for first in {
            (one.visit, one.characteristic): one for one in own if _says(one)
        }.values()
    ]
    if inherited:
        draft.emit(
            f.MeasurementsInherited(
                parent=" ".join(lots), lot=merged, values=tuple(inherited)
            )
        )


def _says(one: MeasuredValue) -> bool:
    return one.value is not None or one.is_unclear


def _of_merged(
    draft: Draft, like: MeasuredValue, lots: Sequence[str], merged: str, seq: int
) -> MeasuredValue:
    counting = [
        value_at(
            draft.state,
            like.request,
            like.step,
            lot,
            like.characteristic,
            visit=like.visit,
        )
        for lot in lots
    ]
    known = [one for one in counting if one is not None]
    told = {(one.value, one.is_within) for one in known}
    if len(known) < len(lots) or len(told) > 1:
        return unclear(like, at=draft.at, seq=seq, lot=merged)
    newest = max(known, key=lambda one: (one.at, one.measurement))
    others = {number for one in known for number in (one.measurement, *one.agreed)}
    return msgspec.structs.replace(
        newest,
        lot=merged,
        changed_seq=seq,
        agreed=tuple(sorted(others - {newest.measurement})),
    )


def hand_back_holds(draft: Draft, lot: str, sources: Sequence[str]) -> None:
    """Let lots that pieces go back to have the holds that were opened on those since.

    A hold that came from one of the lots is there still, and is only released here.
    """
    known = [
        one
        for source in sources
        for one in draft.state.hold.find("target", (HoldScope.LOT, source))
    ]
    for hold in draft.state.hold.find("target", (HoldScope.LOT, lot)):
        if not any(hold.reason == _inherited_reason(one) for one in known):
            for source in sources:
                number = draft.state.last_number("hold") + 1
                own = msgspec.structs.replace(
                    hold, id=f"H-{number:06}", number=number, target=source
                )
                draft.emit(f.HoldOpened(hold=own))
        released = f.HoldReleased(hold=hold.id, at=draft.at, person=draft.person)
        draft.emit(released)


def _inherited_reason(hold: Hold) -> str:
    return f"{hold.reason} ({hold.id})"
