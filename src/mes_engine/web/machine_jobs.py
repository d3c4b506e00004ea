"""Job orders at machines that run them by themselves, over HTTP."""

from fastapi import APIRouter

from mes_engine.core.machine_jobs import JobVerb, MachineJobState
from mes_engine.http.bodies import api_router
from mes_engine.http.fields import At, Decimals, Id, View
from mes_engine.web.parts import Parts


class MachineJobView(View):
    """A job order at a machine: as it told last, and what it was asked last.

    Attributes:
        status: What it answered, in the bits of OPC 10031-4; 1 is no error.
        is_pending: It has taken what it was asked, and told nothing since.
        refusal: Why it refused; empty if it did not.
        problem: What does not go together with our job order; empty if nothing.
    """

    job_order: str
    link: str
    work_unit: str
    state: MachineJobState | None
    good: Decimals
    scrap: Decimals
    asked: JobVerb | None
    status: int
    is_pending: bool
    refusal: str
    problem: str
    at: At


def machine_jobs_router(parts: Parts) -> APIRouter:
    """Return the routes of job orders at machines."""
    router = api_router(tags=["machines"])

    @router.get("/machine-jobs")
    async def list_machine_jobs(
        *, job_order: Id | None = None, work_unit: Id | None = None
    ) -> list[MachineJobView]:
        """List job orders at machines that run them, of requests that are not over."""
        known = parts.state.machine_job
        found = (
            known.values() if job_order is None else known.find("job_order", job_order)
        )
        return [
            MachineJobView.model_validate(one)
            for one in found
            if work_unit in {None, one.work_unit}
        ]

    return router
