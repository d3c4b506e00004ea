"""Job orders over HTTP: what there is, and all about one of them."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select

from mes_engine.core.job_order import JobOrder, JobOrderState
from mes_engine.core.measured_data import asked_of
from mes_engine.http.bodies import api_router
from mes_engine.http.fields import Id
from mes_engine.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, number_of_cursor
from mes_engine.web.history import found, is_one, one_by_key, page, table_of
from mes_engine.web.job_order_views import JobOrderDetail, JobOrderView
from mes_engine.web.measurements import AskedView
from mes_engine.web.parts import Parts


def job_orders_router(parts: Parts) -> APIRouter:
    """Return the routes that show job orders."""
    router = api_router(prefix="/job-orders", tags=["job orders"])

    @router.get("")
    async def list_job_orders(
        work_request: Id | None = None,
        work_center: Id | None = None,
        state: Annotated[list[JobOrderState] | None, Query()] = None,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[JobOrderView]:
        """List job orders, the oldest first."""
        columns = table_of("job_order").c
        return await page(
            parts.database,
            "job_order",
            columns.number > number_of_cursor(cursor),
            *is_one(columns.request, work_request),
            *is_one(columns.work_center, work_center),
            *([columns.state.in_(state)] if state else []),
            partition=parts.state.partition,
            by=columns.number,
            key=_number,
            shown=JobOrderView.model_validate,
            limit=limit,
        )

    @router.get("/{job_order}")
    async def show_job_order(job_order: Id) -> JobOrderDetail:
        """Show a job order: what is at its step, its runs, and what it would accept."""
        partition, members = parts.state.partition, table_of("run_member")
        runs = await parts.database.read(
            lambda connection: found(
                connection,
                "run",
                table_of("run").c.id.in_(
                    select(members.c.run).where(
                        members.c.partition == partition,
                        members.c.job_order == job_order,
                    )
                ),
                partition=partition,
                order_by=table_of("run").c.number,
            )
        )
        job = parts.state.job_order.get(job_order)
        more: dict[str, object] = {}
        if job is None:
            job = await one_by_key(
                parts.database,
                "job_order",
                job_order,
                partition=partition,
                what="job order",
            )
            values = await parts.database.read(
                lambda connection: found(
                    connection,
                    "measured_value",
                    table_of("measured_value").c.job_order == job_order,
                    partition=partition,
                )
            )
            asked = asked_of(parts.state, job, values)
            more["characteristics"] = [AskedView.of(one) for one in asked]
        # A run may have been opened or closed since the rows were read.
        live = [parts.state.run.get(run.id) or run for run in runs]
        return JobOrderDetail.detailed(parts.state, job, live, asker=None, **more)

    return router


def _number(job: JobOrder) -> int:
    return job.number
