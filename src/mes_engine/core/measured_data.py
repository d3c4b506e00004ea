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


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A characteristic of a job order's step, and how it stands.

    Attributes:
        latest: The latest value of any of its lots that counts, if there is one.
        lacking: The lots that it is not measured of, and required; ``ALL_LOTS`` where
            it is not measured at all.
    """

    characteristic: Characteristic
    latest: MeasuredValue | None
    lacking: tuple[str, ...]


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
        lots = ", ".join(lot for lot in one.lacking if lot != ALL_LOTS)
        if one.lacking:
            told.append(one.characteristic.name + (f" of {lots}" if lots else ""))
    return told


def _asked(
    state: State,
    job: JobOrder,
    characteristic: Characteristic,
    values: Sequence[MeasuredValue],
) -> Asked:
    ours = [
        one
        for one in values
        if one.characteristic == characteristic.name and one.value is not None
    ]
    lacking: tuple[str, ...] = ()
    if characteristic.is_required:
        measured = {one.lot for one in ours}
        if not measured:
            lacking = (ALL_LOTS,)
        elif ALL_LOTS not in measured:
            lacking = tuple(
                one.lot
                for one in positions_of(state, job)
                if one.out > ZERO and one.lot not in measured
            )
    latest = max(ours, key=lambda one: (one.at, one.measurement), default=None)
    return Asked(characteristic=characteristic, latest=latest, lacking=lacking)


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
    found = [
        one
        for one in state.measured_value.find("step", (request, step))
        if one.characteristic == name
        and one.value is not None
        and one.lot in {lot, ALL_LOTS}
        and visit in {None, one.visit}
    ]
    return max(found, key=lambda one: (one.at, one.measurement), default=None)
