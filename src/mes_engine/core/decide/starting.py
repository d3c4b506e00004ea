"""What begins: the lots of a request, and the pieces that its work starts with."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.genealogy import create_lot
from mes_engine.core.decide.moving import move_of
from mes_engine.core.errors import Refused
from mes_engine.core.job_order import (
    JobOrder,
)
from mes_engine.core.lots import LotExistence, LotOrigin, MaterialLot
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import (
    is_fed,
    remaining,
)
from mes_engine.core.requests import WorkRequest
from mes_engine.core.siblings import to_start
from mes_engine.core.whereabouts import (
    here,
    positions_of,
)
from mes_engine.core.wip_ledger import Bucket

replace = msgspec.structs.replace


def open_lots(draft: Draft, request: WorkRequest) -> list[MaterialLot]:
    """Return the lots that the request begins as, made now if they are not yet."""
    known = draft.state.lot.find("request", request.id)
    lots = [
        one
        for one in known
        if one.origin is LotOrigin.STARTED and one.material == request.material
    ]
    if lots:
        return lots
    size = request.lot_size or request.quantity
    count = int((request.quantity / size).to_integral_value(ROUND_CEILING))
    lots.extend(
        create_lot(
            draft, material=request.material, unit=request.unit, request=request.id
        )
        for _ in range(count)
    )
    draft.emit(
        f.WorkRequestChanged(
            work_request=request.id, state=request.state, lot=lots[0].id
        )
    )
    return lots


def planned_of(request: WorkRequest, lots: Sequence[MaterialLot]) -> dict[str, Decimal]:
    """Return how many pieces each of the lots that a request began as is to have."""
    size = request.lot_size or request.quantity
    left = request.quantity - size * (len(lots) - 1)
    return {one.id: size for one in lots[:-1]} | {lots[-1].id: left}


def start_pieces(draft: Draft, job: JobOrder) -> None:
    """Bring the job order's pieces onto the floor, where its routing begins with it."""
    if not job.expects_pieces or is_fed(draft.state, job):
        return
    request = draft.request(job.request)
    there = here(draft.state, job).unaccounted
    missing = remaining(job) - there
    if job.split_of is not None:
        missing = to_start(draft.state, job, there)
    if missing <= ZERO and request.lot is not None:
        return
    lots = open_lots(draft, request)
    if job.lot is not None or len(lots) == 1:
        if missing > ZERO:
            start(draft, job, job.lot or lots[0].id, missing)
        return
    for name, planned in planned_of(request, lots).items():
        begun = sum(
            (
                one.started + one.produced
                for one in draft.state.position.find("lot", name)
            ),
            ZERO,
        )
        amount = min(planned - begun, missing)
        if amount > ZERO:
            start(draft, job, name, amount)
            missing -= amount
    if missing > ZERO:
        start(draft, job, lots[-1].id, missing)


def start(draft: Draft, job: JobOrder, lot: str, quantity: Decimal) -> None:
    """Bring pieces of a lot onto the floor, or of what became of it."""
    lot = lot_for_more(draft, job, lot)
    move_of(draft, job, quantity, entry_of(job), Bucket.QUEUED, lot=lot)


def entry_of(job: JobOrder) -> Bucket:
    """Return the source of what a routing's first step begins with.

    What it makes of other materials is ``produced``; else pieces are ``started``.
    """
    return Bucket.PRODUCED if job.materials else Bucket.STARTED


def lot_for_more(draft: Draft, job: JobOrder, lot: str) -> str:
    """Return ``lot``, or where it was split up or merged, one that is still there.

    Of the request's lots, the oldest at the job order's visit; else the oldest; else a
    new one.
    """
    found = draft.state.lot.get(lot)
    if found is None or _takes_more(found):
        return lot
    if job.lot == lot and found.serial:
        raise Refused(
            f"{lot} is one piece, {found.serial}: no more go into it.",
            hint="Report what is there.",
            unmet=[f"quantity_accounted: {lot} is {found.serial}"],
        )
    there = [one.lot for one in positions_of(draft.state, job) if one.on_floor]
    known = (draft.state.lot.get(one) for one in there)
    others = (
        one
        for one in draft.state.lot.find("request", job.request)
        if one.material == found.material
    )
    for one in (*known, *others):
        if one is not None and _takes_more(one):
            return one.id
    return create_lot(
        draft,
        material=found.material,
        unit=found.unit,
        request=found.request,
        origin=LotOrigin.FOUND,
    ).id


def _takes_more(lot: MaterialLot) -> bool:
    return lot.existence is LotExistence.ACTIVE and not lot.serial
