"""Measurements: the values of characteristics, as they were told.

Each is kept, and none is edited: a later one counts instead, and a mistaken one is
voided by a record of its own. Only what counts now stays in memory.
"""

import msgspec

from mes_engine.core.characteristics import ValueKind

ALL_LOTS = ""
"""What stands for every lot at a job order."""


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """A value that was measured at a job order; written once.

    Attributes:
        seq: The fact that it was written by; its id.
        lot: What it speaks of; ``ALL_LOTS`` for all that the job order works on.
        run: During which run; None where none was open.
        work_unit: Where; empty where no run was open.
        value: In digits, ``true``, ``false`` or words; a number in ``unit``.
        is_within: Whether it was within the limits, as they were then.
        gauge: The physical asset that it was measured with; None if not said.
        tag: The signal that told it; empty if a person did.
        at: When it was measured, by its source's time.
    """

    seq: int
    job_order: str
    request: str
    visit: str
    step: str
    lot: str
    run: str | None
    work_unit: str
    characteristic: str
    kind: ValueKind
    value: str
    unit: str
    is_within: bool
    gauge: str | None
    tag: str
    at: int
    person: str
    remark: str = ""


class MeasurementVoid(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement does not count, and why; written once, by the fact ``seq``."""

    seq: int
    measurement: int
    job_order: str
    reason: str
    at: int
    person: str


class MeasuredValue(msgspec.Struct, frozen=True, kw_only=True):
    """What counts of a characteristic of a lot at a job order.

    Attributes:
        value: None where all that were measured have been voided; or where lots were
            merged that differ, at ``at``: then nothing older counts of this one.
        measurement: The latest by its source's time, which it is of; 0 for none.
        agreed: Measurements of the other lots that were merged into this one, and had
            the same value: it counts as long as none of them is voided.
        changed_seq: The last fact that measured it, or voided any measurement of it.
    """

    job_order: str
    lot: str
    characteristic: str
    request: str
    visit: str
    step: str
    value: str | None
    is_within: bool
    at: int
    measurement: int
    changed_seq: int
    agreed: tuple[int, ...] = ()

    @property
    def is_unclear(self) -> bool:
        """Whether it is of lots that differ, and has to be measured again."""
        return self.value is None and self.at > 0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A measured value that something was decided by."""

    step: str
    characteristic: str
    value: str
    measurement: int

    def __str__(self) -> str:
        return f"{self.step}.{self.characteristic} is {self.value}"


def unclear(
    known: MeasuredValue, *, at: int, seq: int, lot: str | None = None
) -> MeasuredValue:
    """Return that a value is not known any more, from ``at`` on."""
    return msgspec.structs.replace(
        known,
        lot=known.lot if lot is None else lot,
        value=None,
        is_within=True,
        at=max(at, 1),
        measurement=0,
        changed_seq=seq,
        agreed=(),
    )


def counting(measurement: Measurement, changed_seq: int) -> MeasuredValue:
    """Return what a measurement is as the one that counts."""
    return MeasuredValue(
        job_order=measurement.job_order,
        lot=measurement.lot,
        characteristic=measurement.characteristic,
        request=measurement.request,
        visit=measurement.visit,
        step=measurement.step,
        value=measurement.value,
        is_within=measurement.is_within,
        at=measurement.at,
        measurement=measurement.seq,
        changed_seq=changed_seq,
    )
