"""A job order over HTTP, reconciled: counted, reported and posted, side by side."""

from fastapi import APIRouter
from sqlalchemy import Connection, select

from mes_engine.core.job_order import JobOrder
from mes_engine.core.reconciling import Account, reconciled
from mes_engine.core.runs import Run
from mes_engine.http.bodies import api_router
from mes_engine.http.fields import Decimals, Id, View
from mes_engine.storage.bookings import bookings_of_job, reversals_of_job
from mes_engine.web.history import found, one_by_key, table_of
from mes_engine.web.parts import Parts


class DifferenceView(View):
    """By how much an account is above (below, if negative) the one before it."""

    quantity: Decimals
    cause: str


class CountedOnView(View):
    """What a work unit counted in one run; ``booked`` of it are on the job order."""

    run: str
    work_unit: str
    counted: Decimals
    booked: Decimals


class AccountView(View):
    """Good pieces, or scrap: counted by machines, reported, and in the ledger.

    Attributes:
        to_reported: Why ``reported`` is not ``counted``; adds up to the difference.
        to_posted: Why ``posted`` is not ``reported``; adds up to the difference.
    """

    role: str
    counted: Decimals
    reported: Decimals
    posted: Decimals
    by_run: list[CountedOnView]
    to_reported: list[DifferenceView]
    to_posted: list[DifferenceView]


def reconciliation_router(parts: Parts) -> APIRouter:
    """Return the route of the reconciliation of a job order."""
    router = api_router(prefix="/job-orders", tags=["job orders"])

    @router.get("/{job_order}/reconciliation")
    async def reconcile_job_order(job_order: Id) -> list[AccountView]:
        """Hold what was counted, reported and posted side by side, with the causes."""
        partition = parts.state.partition
        job = await one_by_key(
            parts.database,
            "job_order",
            job_order,
            partition=partition,
            what="job order",
        )
        accounts = await parts.database.read(
            lambda connection: _accounts(connection, partition, job)
        )
        return [AccountView.model_validate(one) for one in accounts]

    return router


def _accounts(
    connection: Connection, partition: str, job: JobOrder
) -> tuple[Account, ...]:
    members, run = table_of("run_member").c, table_of("run").c
    ours = select(members.run).where(
        members.partition == partition, members.job_order == job.id
    )
    runs: list[Run] = found(
        connection, "run", run.id.in_(ours), partition=partition, order_by=run.number
    )
    loose, posting = table_of("unassigned_production").c, table_of("posting").c
    return reconciled(
        job,
        bookings=bookings_of_job(connection, partition, job),
        reversals=reversals_of_job(connection, partition, job.id),
        runs=runs,
        unassigned=found(
            connection,
            "unassigned_production",
            loose.work_unit.in_({one.work_unit for one in runs}),
            loose.until >= job.stored_at,
            partition=partition,
        ),
        postings=found(
            connection, "posting", posting.stream == job.request, partition=partition
        ),
    )
