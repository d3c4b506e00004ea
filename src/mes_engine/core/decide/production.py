"""Unassigned production: what was counted and belongs to no job order."""

from mes_engine.core import facts as f
from mes_engine.core.bookings import Booking
from mes_engine.core.decide.draft import Draft
from mes_engine.core.production import (
    MachineTally,
    UnassignedProduction,
    UnassignedReason,
)


def unassign(draft: Draft, booking: Booking) -> None:
    """Keep what a machine counted, once the report of it is taken back."""
    for role, quantity in (("good", booking.good), ("scrap", booking.scrap)):
        if not quantity:
            continue
        draft.emit(
            f.ProductionUnassigned(
                production=UnassignedProduction(
                    seq=draft.next_seq,
                    work_unit=booking.work_unit,
                    tag=booking.tag,
                    role=role,
                    quantity=quantity,
                    reason=UnassignedReason.REVERSED,
                    at=booking.at,
                    job_order=booking.job_order,
                )
            )
        )
        known = draft.state.machine_tally.get((booking.work_unit, role))
        if known is not None:
            draft.emit(
                f.MachineCounted(
                    tally=MachineTally(
                        work_unit=known.work_unit,
                        role=role,
                        counted=known.counted,
                        booked=known.booked - quantity,
                        unassigned=known.unassigned + quantity,
                    )
                )
            )
