"""Split and merge: which lot pieces are of, where they are; nothing else changes.

Either makes new lots, with edges from the old: a lot never comes of itself. Lots that
share a furnace share a run; they are not merged for it.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from mes_engine.core.decide import window_course
from mes_engine.core.decide.aggregation import end_lot, put_in
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.ending import give_up
from mes_engine.core.decide.genealogy import create_lot, relate
from mes_engine.core.decide.inheritance import inherit_holds, merge_measurements
from mes_engine.core.decide.lot_jobs import (
    job_of_lot,
    plan,
    stored_for,
    touch_place,
)
from mes_engine.core.decide.pieces import active_lot, pieces_of
from mes_engine.core.decide.splitting import regroup, split_off
from mes_engine.core.decide.visits import NOT_BEGUN
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.job_order import NOT_ALLOWED, QUEUED, JobOrder
from mes_engine.core.lots import EdgeKind, LotExistence, LotOrigin, MaterialLot
from mes_engine.core.messages import MergeLots, SplitLot
from mes_engine.core.quantity import ZERO, checked_quantity
from mes_engine.core.wip_ledger import Bucket, Position

MOST_LOTS = 1_000
FEWEST_TO_MERGE = 2


def split_lot(draft: Draft, command: SplitLot) -> dict[str, str]:
    """Make lots of their own of some of a lot's pieces.

    Raises:
        Refused: There is less than that, or it is not to be told which pieces are
            meant.
    """
    lot = active_lot(draft, command.lot)
    check_reason(command.reason, f"Splitting {lot.id}")
    total = _checked_total(lot, command.quantities)
    position, bucket = pieces_of(draft, lot, command.place, command.bucket)
    there = position.of(bucket)
    if total > there:
        raise Refused(
            f"{lot.id} has {there} {lot.unit} {bucket} at {position.place}; {total} "
            "cannot be split off.",
            hint="Split off at most what is there.",
            unmet=[f"quantity_there: {total} asked for, {there} there"],
        )
    if lot.serial:
        raise Refused(
            f"{lot.id} is one piece, {lot.serial}: it is not split.",
            unmet=[f"not_serial: {lot.id} is {lot.serial}"],
        )
    children = split_into(
        draft, lot, position, bucket, command.quantities, reason=command.reason
    )
    return {"lot": lot.id, "lots": " ".join(one.id for one in children)}


def split_into(
    draft: Draft,
    lot: MaterialLot,
    position: Position,
    bucket: Bucket,
    quantities: Sequence[Decimal],
    *,
    reason: str,
) -> list[MaterialLot]:
    """Make a lot of each of the quantities, with a job order if it needs its own.

    Raises:
        Refused: Its job order has got further with the pieces than queueing them.
    """
    job = job_of_lot(draft, lot, position.place, bucket)
    children = [
        split_off(draft, position, {bucket: quantity}, reason=reason)
        for quantity in quantities
    ]
    _end_regrouped(draft, lot, LotExistence.SPLIT)
    if job is not None:
        _part_job_order(draft, job, children, quantities)
    touch_place(draft, lot, position.place)
    return children


def merge_lots(draft: Draft, command: MergeLots) -> dict[str, str]:
    """Make one new lot of several that are in the same place and alike.

    Raises:
        Refused: They differ in something, which it names.
    """
    if len(set(command.lots)) < max(FEWEST_TO_MERGE, len(command.lots)):
        raise Malformed(
            "A merge needs two lots or more, each named once.",
            hint="Name them in 'lots'.",
        )
    check_reason(command.reason, "Merging lots")
    lots = [active_lot(draft, one) for one in command.lots]
    found = [pieces_of(draft, one, None, None) for one in lots]
    _check_alike(lots, found)
    first, (position, bucket) = lots[0], found[0]
    place = position.place
    jobs = [job_of_lot(draft, one, place, bucket) for one in lots]
    _check_not_begun(one for one in jobs if one is not None)
    suppliers = {(one.supplier, one.supplier_lot) for one in lots}
    merged = create_lot(
        draft,
        material=first.material,
        unit=first.unit,
        request=first.request,
        origin=LotOrigin.MERGED,
        supplier=first.supplier if len(suppliers) == 1 else "",
        supplier_lot=first.supplier_lot if len(suppliers) == 1 else "",
        quality=first.quality,
        bound_units=_bound_alike(lots),
    )
    inherit_holds(draft, command.lots, merged.id)
    merge_measurements(draft, command.lots, merged.id)
    total = ZERO
    for lot, (one, _) in zip(lots, found, strict=True):
        quantity = one.of(bucket)
        total += quantity
        regroup(draft, one, bucket, quantity, into=merged.id, reason=command.reason)
        window_course.inherit(draft, lot, merged)
        relate(draft, lot.id, merged.id, quantity, lot.unit, kind=EdgeKind.MERGED)
        _end_regrouped(draft, lot, LotExistence.MERGED)
    if first.carrier is not None:
        put_in(draft, merged, first.carrier, reason=command.reason)
    _join_job_orders(draft, [one for one in jobs if one is not None], merged, total)
    touch_place(draft, merged, place)
    return {"lot": merged.id, "quantity": f"{total:f}"}


def check_reason(reason: str, what: str) -> None:
    """See that there is a reason.

    Raises:
        Malformed: There is none.
    """
    if not reason.strip():
        raise Malformed(f"{what} needs a reason.", hint="Say why in 'reason'.")


def _checked_total(lot: MaterialLot, quantities: tuple[Decimal, ...]) -> Decimal:
    if not 0 < len(quantities) <= MOST_LOTS:
        raise Malformed(
            f"{lot.id} cannot be split into {len(quantities)} new lots.",
            hint=f"Name 1 to {MOST_LOTS} quantities.",
        )
    for one in quantities:
        if checked_quantity(one, unit=lot.unit) == ZERO:
            raise Malformed(f"A lot of 0 {lot.unit} cannot be split off {lot.id}.")
    return sum(quantities, ZERO)


def _check_alike(lots: list[MaterialLot], found: list[tuple[Position, Bucket]]) -> None:
    told = []
    # In stock, nothing has to come back to the work unit that it was on.
    on_floor = [
        lot for lot, (one, _) in zip(lots, found, strict=True) if not one.is_stock
    ]
    for name, values in (
        ("material", [one.material for one in lots]),
        ("unit", [one.unit for one in lots]),
        ("request", [one.request or "none" for one in lots]),
        ("quality", [one.quality.value for one in lots]),
        ("place", [position.place for position, _ in found]),
        ("bucket", [bucket.value for _, bucket in found]),
        ("bound_units", [_bound_told(one) for one in on_floor]),
        ("carrier", [one.carrier or "none" for one in lots]),
    ):
        if len(set(values)) > 1:
            listed = ", ".join(
                f"{lot.id} {value}" for lot, value in zip(lots, values, strict=True)
            )
            told.append(f"same_{name}: {listed}")
    if told:
        raise Refused(
            f"The lots cannot be merged: {'; '.join(told)}.",
            hint="Merge only what is alike, in the same place.",
            unmet=told,
        )


def _bound_told(lot: MaterialLot) -> str:
    told = (f"{step}:{unit}" for step, unit in sorted(lot.bound_units.items()))
    return " ".join(told) or "nowhere"


def _bound_alike(lots: list[MaterialLot]) -> dict[str, str]:
    first, *others = (set(one.bound_units.items()) for one in lots)
    return dict(sorted(first.intersection(*others)))


def _end_regrouped(draft: Draft, lot: MaterialLot, existence: LotExistence) -> None:
    positions = draft.state.position.find("lot", lot.id)
    if not any(one.held for one in positions):
        end_lot(draft, lot.id, existence)


def _check_not_begun(jobs: Iterable[JobOrder]) -> None:
    told = [
        f"{one.lot} has {one.id}, which is '{one.state}'"
        for one in jobs
        if one.state not in {*NOT_ALLOWED, *QUEUED} or one.worked or one.run
    ]
    if told:
        raise Refused(
            f"The lots cannot be merged: {'; '.join(told)}.",
            hint="Complete these job orders, or unload them, first.",
            unmet=[f"not_begun: {one}" for one in told],
        )


def _part_job_order(
    draft: Draft,
    job: JobOrder,
    lots: Sequence[MaterialLot],
    quantities: Sequence[Decimal],
) -> None:
    """Give each new lot a job order of its own; the old one plans what is left."""
    left = max(job.planned - sum(quantities, ZERO), job.worked)
    plan(draft, job, left)
    for lot, quantity in zip(lots, quantities, strict=True):
        own = stored_for(draft, job, lot, quantity)
        inherit_holds(draft, [job.id], own.id)
    parent = draft.state.lot.get(job.lot or "")
    is_gone = parent is None or parent.existence is not LotExistence.ACTIVE
    if is_gone:
        for one in draft.state.job_order.find("visit", job.visit):
            own = draft.job(one.id)
            if own.lot == job.lot and own.state in NOT_BEGUN:
                give_up(draft, own, "its lot was split up")
    draft.touch(job.id)


def _join_job_orders(
    draft: Draft, jobs: list[JobOrder], lot: MaterialLot, quantity: Decimal
) -> None:
    """Put one job order in the place of those of the lots that were merged."""
    if not jobs:
        return
    own = stored_for(draft, jobs[0], lot, quantity)
    for job in jobs:
        inherit_holds(draft, [job.id], own.id)
        give_up(draft, job, f"its lot was merged into {lot.id}")
