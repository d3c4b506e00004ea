"""What waits where it was worked is sent on, once nothing speaks against it."""

from mes_engine.core.decide.choosing import passer
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.flow import transfer
from mes_engine.core.decide.visits import settle_afterwards
from mes_engine.core.readiness import routing_of
from mes_engine.core.requests import Visit
from mes_engine.core.ways import conditional_ways


def send_on(draft: Draft, visit: Visit, lot: str) -> None:
    """Send on what of a lot is out at a visit; all of it where its work has ended."""
    position = draft.state.position.get((lot, visit.id))
    if position is None or not position.out:
        return
    jobs = draft.state.job_order.find("visit", visit.id)
    mine = [one for one in jobs if one.lot in {None, lot}]
    if not mine:  # It skips the step, or is a part of the lot that was worked there.
        mine = [passer(draft, visit, lot)]
    live = [one for one in mine if not one.is_over and one.id]
    transfer(draft, (live or mine)[-1], is_ending=not live)
    settle_afterwards(draft, visit)


def send_told(draft: Draft, request: str) -> None:
    """Send on what waited for measured data, as far as that tells the way now."""
    for visit in draft.state.visit.find("open", request):
        routing = routing_of(draft.state, passer(draft, visit, None))
        if not routing.has_conditions:
            return
        if conditional_ways(routing, visit.step):
            for position in draft.state.position.find("place", visit.id):
                send_on(draft, visit, position.lot)
