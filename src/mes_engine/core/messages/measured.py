"""Measured data, and what takes it back."""

from mes_engine.core.measurements import Measurement, MeasurementVoid
from mes_engine.core.messages.command import BaseCommand


class RecordMeasurement(
    BaseCommand, frozen=True, kw_only=True, tag="record_measurement"
):
    """Keep the value of a characteristic of a job order's step.

    Attributes:
        value: A number in digits, a text, or true or false, as the step declares it.
        unit: As declared if not said; another one is refused.
        lot: What it is of; the only one there, or else all, if not said.
        gauge: The physical asset that it was measured with.
    """

    job_order: str
    characteristic: str
    value: str | bool
    unit: str | None = None
    lot: str | None = None
    gauge: str | None = None
    remark: str = ""


class VoidMeasurement(BaseCommand, frozen=True, kw_only=True, tag="void_measurement"):
    """Let a measurement count no more; it is kept, with why.

    The door reads what was measured, so that the engine need not remember it all.

    Attributes:
        measurement: That was mistaken.
        voided: What has voided it already, if anything has.
        before: The one that counted before it; None if there is none.
        known_seq: The last fact that had been committed when that was read.
    """

    measurement: Measurement
    reason: str
    known_seq: int
    voided: MeasurementVoid | None = None
    before: Measurement | None = None


MeasuredCommand = RecordMeasurement | VoidMeasurement
