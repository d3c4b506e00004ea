"""What became of job orders in job control."""

from mes_engine.core.facts.fact import BaseFact


class JobOrderCleared(BaseFact, frozen=True, kw_only=True, tag="job_order_cleared"):
    """A job order that is over is not served any more."""

    job_order: str


JobControlFact = JobOrderCleared
