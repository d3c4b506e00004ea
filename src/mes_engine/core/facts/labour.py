"""Labour: who signed on and off, and the time that each has worked on what."""

from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.labour import LabourInterval, SignOn


class SignedOn(BaseFact, frozen=True, kw_only=True, tag="signed_on"):
    """A person is on a run, or on a work unit."""

    sign_on: SignOn


class SignedOff(BaseFact, frozen=True, kw_only=True, tag="signed_off"):
    """A person is not on it any more."""

    sign_on: SignOn


class LabourChanged(BaseFact, frozen=True, kw_only=True, tag="labour_changed"):
    """A person's time on a run began, was booked up to now, or is over."""

    interval: LabourInterval


class LabourBooked(BaseFact, frozen=True, kw_only=True, tag="labour_booked"):
    """A person's time went to a job order; the total is the job order's afterwards."""

    job_order: str
    run: str
    person: str
    labour_us: int
    labour_total_us: int


LabourFact = SignedOn | SignedOff | LabourChanged | LabourBooked
