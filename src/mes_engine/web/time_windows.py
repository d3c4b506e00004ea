"""Time windows over HTTP: how each lot fares, and the waiving of one."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from mes_engine.core.messages import WaiveTimeWindow
from mes_engine.core.time_windows import TimeWindow, WindowState
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import Id, Reason
from mes_engine.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, number_of_cursor
from mes_engine.web.command_bodies import Occurred, carried_out, posts
from mes_engine.web.history import is_one, one_by_key, page, table_of
from mes_engine.web.parts import Parts
from mes_engine.web.time_window_views import TimeWindowView


class WaiveTimeWindowBody(Occurred):
    """Why the lot may go on."""

    reason: Reason


def time_windows_router(parts: Parts) -> APIRouter:
    """Return the routes of time windows."""
    router = api_router(prefix="/time-windows", tags=["time windows"])
    post = posts(router)

    @router.get("")
    async def list_time_windows(
        state: Annotated[list[WindowState] | None, Query()] = None,
        work_request: Id | None = None,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[TimeWindowView]:
        """List time windows, the oldest first."""
        columns = table_of("time_window").c
        return await page(
            parts.database,
            "time_window",
            columns.number > number_of_cursor(cursor),
            *is_one(columns.request, work_request),
            *([columns.state.in_(state)] if state else []),
            partition=parts.state.partition,
            by=columns.number,
            key=_number,
            shown=TimeWindowView.model_validate,
            limit=limit,
        )

    @router.get("/{time_window}")
    async def show_time_window(time_window: Id) -> TimeWindowView:
        """Show a time window."""
        window = parts.state.time_window.get(time_window) or await one_by_key(
            parts.database,
            "time_window",
            time_window,
            partition=parts.state.partition,
            what="time window",
        )
        return TimeWindowView.model_validate(window)

    @post("/{time_window}/waive")
    async def waive_time_window(
        time_window: Id, body: WaiveTimeWindowBody, sender: CommandSender
    ) -> Response:
        """Let the lot go on in spite of what was violated or is not over yet."""
        command = WaiveTimeWindow(window=time_window, reason=body.reason)
        return await carried_out(parts, sender, command, body)

    return router


def _number(window: TimeWindow) -> int:
    return window.number
