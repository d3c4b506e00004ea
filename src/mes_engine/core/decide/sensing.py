"""What machines measure: values of the run that is active, at their source's time."""

from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.characteristics import value_of
from mes_engine.core.decide.counting import active_jobs, begun_at_of
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.measuring import keep, lot_of
from mes_engine.core.decide.sending import send_told
from mes_engine.core.errors import Malformed
from mes_engine.core.job_order import AT_WORK, JobOrder
from mes_engine.core.plant import Signal
from mes_engine.core.readiness import step_of
from mes_engine.core.samples import KEPT_BY_THE_DEVICE, Sample
from mes_engine.core.signals import SignalState

MILLIONTH = Decimal("0.000001")
"""What a machine tells is not finer: its binary fractions are no measured digits."""


def hear_measurement(
    draft: Draft, signal: Signal, sample: Sample, last: SignalState | None
) -> None:
    """Keep a value for each job order of the active run, unless it is the same still.

    Where none can be kept, that is said once, until one can.
    """
    told = _told(sample)
    jobs = active_jobs(draft, draft.state.site.work_unit(signal.work_unit))
    begun_at = begun_at_of(draft, jobs)
    why = ""
    if told is None:
        why = f"'{sample.value}' is no value"
    elif begun_at is None or draft.told_at < begun_at:
        why = "measured while no run was active"
    else:
        for job in jobs:
            why = _keep(draft, signal, job, told) or why
        for request in dict.fromkeys(job.request for job in jobs):
            send_told(draft, request)
    value = None if why or told is None else str(told)
    known = last or SignalState(tag=signal.tag, at=-1)
    if sample.origin in KEPT_BY_THE_DEVICE and known.at > draft.at:
        # It is late, and says nothing of how things are now.
        if why:
            draft.emit(f.GapSeen(tag=signal.tag, reason=why, at=draft.at))
        return
    if (known.value, known.is_bad) != (value, False) or known.at < 0:
        changed = msgspec.structs.replace(known, value=value, at=draft.at, is_bad=False)
        draft.emit(f.SignalRead(signal=changed))
        if why:
            draft.emit(f.GapSeen(tag=signal.tag, reason=why, at=draft.at))


def _keep(draft: Draft, signal: Signal, job: JobOrder, told: str | bool) -> str:  # noqa: FBT001 a value
    """Keep a value of one job order; say why not, if it cannot be."""
    name = signal.characteristic
    declared = step_of(draft.state, job).characteristics
    characteristic = next((one for one in declared if one.name == name), None)
    if characteristic is None:
        return f"step {job.step} of {job.id} measures no '{name}'"
    if draft.job(job.id).state not in AT_WORK:
        return f"{job.id} is not at work"
    try:
        value = value_of(characteristic, told)
    except Malformed as error:
        return error.message
    lot = lot_of(draft, job, None)
    known = draft.state.measured_value.get((job.id, lot, name))
    if known is None or known.value != value:
        keep(draft, job, characteristic, value, lot=lot, tag=signal.tag)
    return ""


def _told(sample: Sample) -> str | bool | None:
    match sample.value:
        case bool() | str():
            return sample.value
        case int():
            return str(sample.value)
        case float():
            number = Decimal(repr(sample.value))
            if number.is_finite() and abs(number.adjusted()) < 20:  # noqa: PLR2004 digits
                return f"{number.quantize(MILLIONTH):f}"
    return None
