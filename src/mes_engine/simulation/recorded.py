"""Demand that a database has recorded: its plant, routings and released requests."""

from dataclasses import dataclass

from sqlalchemy import Connection

from mes_engine.core import facts as f
from mes_engine.core.errors import Refused
from mes_engine.core.plant import Plant
from mes_engine.core.requests import WorkRequest, WorkRequestState
from mes_engine.core.routing import Routing
from mes_engine.migrations import current, head
from mes_engine.simulation.demand import Demand
from mes_engine.storage.database import Database
from mes_engine.storage.journal import MAIN, facts_after

_TYPES = (
    "plant_applied",
    "routing_released",
    "work_request_created",
    "work_request_changed",
)
_PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDemand:
    """What was asked of a shop, and what it was to do it with, as it is now."""

    plant: Plant
    routings: tuple[Routing, ...]
    demand: tuple[Demand, ...]


async def recorded_demand(database_url: str) -> RecordedDemand:
    """Read the work requests that a database's journal has.

    What was cancelled, or never released, is left out. The plant and the routings are
    the newest.

    Raises:
        Refused: There are none, or the database is of another schema.
    """
    found = current(database_url)
    if found != head():
        raise Refused(
            f"{database_url} is at revision {found or 'none'}; this version needs "
            f"{head()}.",
            hint="Run `mes db upgrade` first.",
        )
    database = Database.open(database_url)
    try:
        return await database.read(_recorded)
    finally:
        await database.close()


def _recorded(connection: Connection) -> RecordedDemand:
    plant: Plant | None = None
    routings: dict[str, Routing] = {}
    asked: dict[str, WorkRequest] = {}
    released: dict[str, int] = {}
    seq = 0
    while page := facts_after(connection, MAIN, seq, _PAGE, types=_TYPES):
        seq = page[-1].seq
        for recorded in page:
            match recorded.fact:
                case f.PlantApplied(plant=applied):
                    plant = applied
                case f.RoutingReleased(routing=routing):
                    routings[routing.id] = routing
                case f.WorkRequestCreated(work_request=request):
                    asked[request.id] = request
                case f.WorkRequestChanged(work_request=name, state=state):
                    if state is WorkRequestState.RELEASED:
                        released.setdefault(name, recorded.occurred_at)
                    elif state is WorkRequestState.CANCELLED:
                        released.pop(name, None)
    if plant is None or not released:
        raise Refused("The journal has no released work request.")
    demand = tuple(
        Demand(
            work_request=name,
            routing=asked[name].routing,
            quantity=asked[name].quantity,
            release_at=at,
            due_at=asked[name].due_at,
            priority=asked[name].priority,
        )
        for name, at in released.items()
    )
    return RecordedDemand(plant=plant, routings=tuple(routings.values()), demand=demand)
