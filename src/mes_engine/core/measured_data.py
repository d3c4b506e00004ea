"""What is measured at a job order, what is missing, and what counts of a lot."""

from collections.abc import Sequence

import msgspec

from mes_engine.core.characteristics import Characteristic
from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.job_order import JobOrder
from mes_engine.core.measurements import ALL_LOTS, MeasuredValue
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import step_of
from mes_engine.core.state import State
from mes_engine.core.whereabouts import positions_of

UNCLEAR = " (merged of lots that differ)"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A characteristic of a job order's step, and how it stands.

    Attributes:
        latest: The latest value of any of its lots that counts, if there is one.
        lacking: The lots that it is not measured of, and required; ``ALL_LOTS`` where
            it is not measured at all.
        unclear: Of these, the ones that were merged of lots that differ.
    """

    characteristic: Characteristic
    latest: MeasuredValue | None
    lacking: tuple[str, ...]
    unclear: tuple[str, ...] = ()


def asked_of(
    state: State, job: JobOrder, values: Sequence[MeasuredValue] | None = None
) -> tuple[Asked, ...]:
    """Return the characteristics of the job order's step, as declared.

    Args:
        state: Where to look.
        job: At which they are measured.
        values: What counts there; as ``state`` has it, if not said.
    """
    declared = step_of(state, job).characteristics
    if not declared:
        return ()
    if values is None:
        values = state.measured_value.find("job_order", job.id)
    return tuple(_asked(state, job, one, values) for one in declared)


def required_data(state: State, job: JobOrder) -> Condition:
    """Whether what is required of what the job order made good has been measured."""
    missing = missing_of(asked_of(state, job)) if job.good > ZERO else []
    return Condition(
        name=ConditionName.REQUIRED_DATA,
        is_met=not missing,
        why=f"not measured yet: {', '.join(missing)}" if missing else "",
        mender="whoever measures it" if missing else "",
    )


def missing_of(asked: tuple[Asked, ...]) -> list[str]:
    """Say what is required and not measured, each by its name."""
    told = []
    for one in asked:
        lots = ", ".join(
            lot + (UNCLEAR if lot in one.unclear else "")
            for lot in one.lacking
            if lot != ALL_LOTS
        )
        if one.lacking:
            told.append(one.characteristic.name + (f" of {lots}" if lots else ""))
    return told


def _asked(
    state: State,
    job: JobOrder,
    characteristic: Characteristic,
    values: Sequence[MeasuredValue],
) -> Asked:
    named = [one for one in values if one.characteristic == characteristic.name]
    ours = [one for one in named if one.value is not None]
    unclear = {one.lot: one.at for one in named if one.is_unclear}
    lacking: tuple[str, ...] = ()
    if characteristic.is_required:
        if not ours and not unclear:
            lacking = (ALL_LOTS,)
        else:
            measured = {one.lot for one in ours}
            of_all = max((one.at for one in ours if one.lot == ALL_LOTS), default=None)
            lacking = tuple(
                one.lot
                for one in positions_of(state, job)
                if one.out > ZERO
                and one.lot not in measured
                and (of_all is None or unclear.get(one.lot, -1) > of_all)
            )
    latest = max(ours, key=lambda one: (one.at, one.measurement), default=None)
    return Asked(
        characteristic=characteristic,
        latest=latest,
        lacking=lacking,
        unclear=tuple(lot for lot in lacking if lot in unclear),
    )


def value_at(
    state: State, request: str, step: str, lot: str, name: str, *, visit: str | None
) -> MeasuredValue | None:
    """Return what counts of a characteristic of a lot; None if it is not measured.

    Args:
        state: Where to look.
        request: Whose.
        step: Where it is measured, in whatever pass.
        lot: What it is of: itself, or all lots at the job order.
        name: Of the characteristic.
        visit: The only pass that counts, if one does.
    """
    found = told_at(state, request, step, lot, name, visit=visit)
    return found if found is not None and found.value is not None else None


def told_at(
    state: State, request: str, step: str, lot: str, name: str, *, visit: str | None
) -> MeasuredValue | None:
    """Return what was told last of a characteristic of a lot, as ``value_at``.

    It has no value where the lot was merged of some that differ, and was not measured
    since.
    """
    found = [
        one
        for one in state.measured_value.find("step", (request, step))
        if one.characteristic == name
        and (one.value is not None or one.is_unclear)
        and one.lot in {lot, ALL_LOTS}
        and visit in {None, one.visit}
    ]
    return max(found, key=lambda one: (one.at, one.measurement), default=None)
