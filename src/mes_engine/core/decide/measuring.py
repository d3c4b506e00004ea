"""Measured data: kept as it was told, and voided where it was mistaken."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.characteristics import Characteristic, value_of
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.sending import send_told
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.job_order import NOT_ALLOWED, QUEUED, JobOrder, JobOrderState
from mes_engine.core.measurements import (
    ALL_LOTS,
    MeasuredValue,
    Measurement,
    MeasurementVoid,
    counting,
    unclear,
)
from mes_engine.core.messages import RecordMeasurement, VoidMeasurement
from mes_engine.core.readiness import step_of
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.whereabouts import positions_of

replace = msgspec.structs.replace

BEFORE_WORK = frozenset({*NOT_ALLOWED, *QUEUED})
SEALED = frozenset({WorkRequestState.CLOSED, WorkRequestState.CANCELLED})
"""Until then a laboratory may answer, whatever the ledger has acknowledged."""


def record(draft: Draft, command: RecordMeasurement) -> dict[str, str]:
    """Keep what was measured, whether it is within the limits or not.

    Raises:
        Refused: The job order has not come to work, is sealed, or measures no such
            thing.
        Malformed: The value is of another kind or unit than the step declares.
        NotFound: There is no such gauge.
    """
    job = draft.job(command.job_order)
    characteristic = _declared(draft, job, command.characteristic)
    _check_open(draft, job)
    value = value_of(characteristic, command.value)
    if command.unit not in {None, characteristic.unit}:
        raise Malformed(
            f"{characteristic.name} is measured in {characteristic.unit}, not in "
            f"{command.unit}.",
            hint=f"Measured here: {characteristic.told}.",
        )
    _check_gauge(draft, command.gauge)
    measurement = keep(
        draft,
        job,
        characteristic,
        value,
        lot=lot_of(draft, job, command.lot),
        gauge=command.gauge,
        remark=command.remark,
    )
    send_told(draft, job.request)
    return {
        "job_order": job.id,
        "measurement": str(measurement.seq),
        "characteristic": measurement.characteristic,
        "lot": measurement.lot,
        "value": measurement.value,
        "is_within": str(measurement.is_within).lower(),
    }


def keep(
    draft: Draft,
    job: JobOrder,
    characteristic: Characteristic,
    value: str,
    *,
    lot: str,
    gauge: str | None = None,
    tag: str = "",
    remark: str = "",
) -> Measurement:
    """Write down a checked value; the latest by its source's time counts."""
    run = None if job.run is None else draft.state.run.get(job.run)
    measurement = Measurement(
        seq=draft.next_seq,
        job_order=job.id,
        request=job.request,
        visit=job.visit,
        step=job.step,
        lot=lot,
        run=job.run,
        work_unit="" if run is None else run.work_unit,
        characteristic=characteristic.name,
        kind=characteristic.kind,
        value=value,
        unit=characteristic.unit,
        is_within=characteristic.is_within(value),
        gauge=gauge,
        tag=tag,
        at=draft.at,
        person=draft.person,
        remark=remark,
    )
    counts = counting(measurement, measurement.seq)
    known = draft.state.measured_value.get((job.id, lot, characteristic.name))
    if known is not None and known.value is not None and known.at > draft.at:
        counts = replace(known, changed_seq=measurement.seq)
    draft.emit(f.MeasurementRecorded(measurement=measurement, counts=counts))
    return measurement


def void(draft: Draft, command: VoidMeasurement) -> dict[str, str]:
    """Let a measurement count no more, and the one before it in its place.

    Raises:
        Refused: Its job order is sealed, or others were told since it was read.
    """
    mistaken = command.measurement
    if not command.reason.strip():
        raise Malformed(
            f"Voiding measurement {mistaken.seq} needs a reason.", hint="Say why."
        )
    job = draft.job(mistaken.job_order)
    _check_open(draft, job)
    key = (mistaken.job_order, mistaken.lot, mistaken.characteristic)
    known = draft.state.measured_value.get(key)
    if known is None:
        raise NotFound(f"There is no measurement {mistaken.seq}.")
    if command.voided is not None:
        raise Refused(
            f"Measurement {mistaken.seq} was voided by {command.voided.person}: "
            f"{command.voided.reason}.",
            hint="Measure again; a void is not voided.",
            unmet=[f"counting: {mistaken.seq} is voided"],
        )
    if known.changed_seq > command.known_seq:
        raise Refused(
            f"{mistaken.characteristic} of {job.id} has been measured or voided since.",
            hint="Look at its measurements again.",
            unmet=[f"known_seq: {known.changed_seq} came after {command.known_seq}"],
        )
    seq = draft.next_seq
    counts = {key: replace(known, changed_seq=seq)}
    for one in draft.state.measured_value.find("step", (job.request, job.step)):
        if one.agreed and mistaken.seq in {one.measurement, *one.agreed}:
            counts[one.job_order, one.lot, one.characteristic] = unclear(
                one, at=one.at, seq=seq
            )
        elif one.measurement == mistaken.seq:
            counts[one.job_order, one.lot, one.characteristic] = _instead(
                one, command.before, seq
            )
    draft.emit(
        f.MeasurementVoided(
            void=MeasurementVoid(
                measurement=mistaken.seq,
                seq=seq,
                job_order=job.id,
                reason=command.reason,
                at=draft.at,
                person=draft.person,
            ),
            counts=tuple(counts.values()),
        )
    )
    send_told(draft, job.request)
    now = counts[key].value
    return {
        "job_order": job.id,
        "measurement": str(mistaken.seq),
        "characteristic": mistaken.characteristic,
        "counts": "" if now is None else now,
    }


def _instead(
    known: MeasuredValue, before: Measurement | None, seq: int
) -> MeasuredValue:
    if before is not None:
        return replace(counting(before, seq), lot=known.lot)
    return replace(
        known, value=None, is_within=True, at=0, measurement=0, changed_seq=seq
    )


def _declared(draft: Draft, job: JobOrder, name: str) -> Characteristic:
    declared = step_of(draft.state, job).characteristics
    found = next((one for one in declared if one.name == name), None)
    if found is None:
        told = "; ".join(one.told for one in declared)
        raise Refused(
            f"Step {job.step} of {job.id} measures no '{name}'.",
            hint=f"Measured here: {told or 'nothing'}.",
            unmet=[f"characteristic: '{name}' is not declared at step {job.step}"],
        )
    return found


def _check_open(draft: Draft, job: JobOrder) -> None:
    request = draft.request(job.request)
    if job.state in BEFORE_WORK:
        raise Refused(
            f"Nothing can be measured at {job.id} yet: it is '{job.state}'.",
            hint="Load it first.",
            unmet=[f"loaded: {job.id} is '{job.state}'"],
        )
    if job.state is JobOrderState.CANCELLED or request.state in SEALED:
        why = f"{job.id} is '{job.state}', {request.id} is '{request.state}'"
        raise Refused(
            f"Measured data of {job.id} can be changed no more: {why}.",
            unmet=[f"open: {why}"],
        )


def _check_gauge(draft: Draft, gauge: str | None) -> None:
    if gauge is None:
        return
    asset = draft.state.physical_asset.get(gauge)
    if asset is None:
        raise NotFound(f"There is no gauge '{gauge}'.", hint="Register it first.")
    if not asset.is_usable:
        raise Refused(
            f"It cannot be measured with {gauge}: {asset.told}.",
            hint="Take another gauge.",
            unmet=[f"gauge_available: {asset.told}"],
        )


def lot_of(draft: Draft, job: JobOrder, lot: str | None) -> str:
    """Return what is measured: a lot that is or was at the job order, or all of them.

    Raises:
        Refused: That lot was never there.
    """
    if lot is None:
        if job.lot is not None:
            return job.lot
        there = positions_of(draft.state, job)
        return there[0].lot if len(there) == 1 else ALL_LOTS
    if not positions_of(draft.state, job, lot):
        others = ", ".join(one.lot for one in positions_of(draft.state, job))
        raise Refused(
            f"Lot {lot} has not been at {job.id}.",
            hint=f"Lots there: {others or 'none'}.",
            unmet=[f"lot: {lot} is not at step {job.step}"],
        )
    return lot
