"""What was measured, and what counts of it."""

from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.measurements import MeasuredValue, Measurement, MeasurementVoid


class MeasurementRecorded(
    BaseFact, frozen=True, kw_only=True, tag="measurement_recorded"
):
    """A characteristic was measured; ``counts`` is its value that counts now."""

    measurement: Measurement
    counts: MeasuredValue


class MeasurementVoided(BaseFact, frozen=True, kw_only=True, tag="measurement_voided"):
    """A measurement counts no more; ``counts`` is what does in its place.

    Of the lot that was measured, and of those that have inherited it.
    """

    void: MeasurementVoid
    counts: tuple[MeasuredValue, ...]


class MeasurementsInherited(
    BaseFact, frozen=True, kw_only=True, tag="measurements_inherited"
):
    """What was measured of a lot is true of the lot that was split off it.

    Of lots that were merged, named in ``parent``, what is the same of all is true of
    the new one; what is not has no value.
    """

    parent: str
    lot: str
    values: tuple[MeasuredValue, ...]


MeasuredFact = MeasurementRecorded | MeasurementVoided | MeasurementsInherited
