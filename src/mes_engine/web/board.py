"""The supervisor's board over HTTP: what is held, counted for nobody, or late."""

from fastapi import APIRouter

from mes_engine.core.time_windows import WindowState
from mes_engine.http.bodies import api_router
from mes_engine.http.fields import At, View
from mes_engine.web.gateways import GatewayStatus, gateway_views
from mes_engine.web.machine_transactions import AlarmView, open_alarms
from mes_engine.web.parts import Parts
from mes_engine.web.terminal_views import OpenHoldView, Who
from mes_engine.web.time_window_views import TimeWindowView
from mes_engine.web.work_unit_views import UnassignedView

MOST = 200
LATE = frozenset({WindowState.WARNED, WindowState.VIOLATED})


class BoardView(View):
    """What asks for a supervisor, the oldest first; at most 200 of each.

    Attributes:
        holds: Those that are open.
        unassigned: What was counted, and is on no job order.
        time_windows: Those that are short or over.
        alarms: Of machines, the gravest first.
        gateways: Those that are not heard of, fill up, or have put reports aside.
    """

    holds: list[OpenHoldView]
    unassigned: list[UnassignedView]
    time_windows: list[TimeWindowView]
    alarms: list[AlarmView]
    gateways: list[GatewayStatus]
    now: At
    seq: int


def board_router(parts: Parts) -> APIRouter:
    """Return the route of the board."""
    router = api_router(tags=["terminals"])

    @router.get("/board")
    async def show_board(person: Who = "") -> BoardView:
        """Show what asks for a supervisor, to the person who stands there."""
        state = parts.state
        held = sorted(
            (one for one in state.hold.values() if one.is_open),
            key=lambda one: one.number,
        )
        loose = [one for one in state.unassigned_production.values() if one.left]
        late = sorted(
            (one for one in state.time_window.values() if one.state in LATE),
            key=lambda one: one.number,
        )
        return BoardView.model_validate(
            {
                "holds": [OpenHoldView.to(state, one, person) for one in held[:MOST]],
                "unassigned": sorted(loose, key=lambda one: one.seq)[:MOST],
                "time_windows": late[:MOST],
                "alarms": open_alarms(parts)[:MOST],
                "gateways": [
                    one for one in gateway_views(parts) if one.asks_for_someone
                ],
                "now": parts.clock(),
                "seq": state.seq,
            }
        )

    return router
