"""What is in which carrier: inwards, and outwards."""

from mes_engine.core.carriers import MOST_NESTED, Carrier
from mes_engine.core.lots import MaterialLot
from mes_engine.core.state import State
from mes_engine.core.whereabouts import places_of


def around(state: State, carrier: str | None) -> tuple[Carrier, ...]:
    """Return the carrier and those around it, the outermost last; none for None."""
    found: list[Carrier] = []
    while carrier is not None and len(found) <= MOST_NESTED:
        one = state.carrier.get(carrier)
        if one is None:
            break
        found.append(one)
        carrier = one.carrier
    return tuple(found)


def around_lot(state: State, lot: str) -> tuple[Carrier, ...]:
    """Return the carriers that the lot is in, the outermost last."""
    known = state.lot.get(lot)
    return () if known is None else around(state, known.carrier)


def carriers_within(state: State, carrier: str) -> list[Carrier]:
    """Return the carriers in a carrier, at whatever depth, by id; not itself."""
    found: list[Carrier] = []
    left = [carrier]
    while left:
        inside = state.carrier.find("carrier", left.pop())
        found += inside
        left += [one.id for one in inside]
    return sorted(found, key=lambda one: one.id)


def lots_directly_in(state: State, carrier: str) -> list[MaterialLot]:
    """Return the lots that are in a carrier and in no other within it, by number."""
    found: list[MaterialLot] = state.lot.find("carrier", carrier)
    return sorted(found, key=lambda one: one.number)


def lots_within(state: State, carrier: str) -> list[MaterialLot]:
    """Return the lots in a carrier, at whatever depth, by number."""
    found = list(state.lot.find("carrier", carrier))
    for one in carriers_within(state, carrier):
        found += state.lot.find("carrier", one.id)
    return sorted(found, key=lambda one: one.number)


def is_empty(state: State, carrier: str) -> bool:
    """Whether nothing is directly in a carrier."""
    is_in_it = state.lot.members("carrier", carrier)
    return not is_in_it and not state.carrier.members("carrier", carrier)


def has_pieces(state: State, carrier: str) -> bool:
    """Whether any piece is in a carrier, at whatever depth."""
    left = [carrier]
    while left:
        one = left.pop()
        for lot in state.lot.members("carrier", one):
            if any(at.held for at in state.position.find("lot", lot)):
                return True
        left += state.carrier.members("carrier", one)
    return False


def stands_at(state: State, carrier: str) -> tuple[str, ...]:
    """Return where a carrier is: where the pieces are, else where it was put down.

    Places in stock, and of what is on the floor the work unit that it is loaded on, or
    the work center that it waits at. Several, if its lots are at several steps.
    """
    outwards = around(state, carrier)
    if not outwards:
        return ()
    outermost = outwards[-1]
    found = {
        place_of(state, at.place): None
        for lot in lots_within(state, outermost.id)
        for at in places_of(state, lot.id)
        if at.held
    }
    return tuple(found) or ((outermost.location,) if outermost.location else ())


def place_of(state: State, place: str) -> str:
    """Return the place itself; of a visit, where people find what is there."""
    jobs = state.job_order.find("visit", place)
    if not jobs:
        return place
    last = max(jobs, key=lambda one: (not one.is_over, one.number))
    run = None if last.run is None else state.run.get(last.run)
    return last.work_center if run is None else run.work_unit


def height(state: State, carrier: str) -> int:
    """Return how many carriers are one in the other, from this one inwards: 1 alone."""
    inside = state.carrier.find("carrier", carrier)
    return 1 + max((height(state, one.id) for one in inside), default=0)
