"""What became of job orders in job control."""

from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.machine_jobs import MachineJob


class JobOrderCleared(BaseFact, frozen=True, kw_only=True, tag="job_order_cleared"):
    """A job order that is over is not served any more."""

    job_order: str


class MachineJobChanged(BaseFact, frozen=True, kw_only=True, tag="machine_job_changed"):
    """A job order stands so at a machine that serves job orders."""

    machine_job: MachineJob


JobControlFact = JobOrderCleared | MachineJobChanged
