"""Job control (OPC 10031-4): what it asks that nobody else does."""

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.errors import Refused
from mes_engine.core.job_order import JobOrder
from mes_engine.core.messages import ClearJobOrder
from mes_engine.core.requests import OVER


def clear(draft: Draft, command: ClearJobOrder) -> JobOrder:
    """Serve a job order that is over no longer."""
    job = draft.job(command.job_order)
    if not job.is_over:
        raise Refused(
            f"{job.id} is '{job.state}', and only what is over is cleared.",
            hint="Stop, abort or cancel it first.",
        )
    if not job.is_cleared and draft.request(job.request).state not in OVER:
        draft.emit(f.JobOrderCleared(job_order=job.id))
    return draft.job(job.id)
