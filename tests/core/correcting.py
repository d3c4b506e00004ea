"""Reversals in a shop: what the door would read from its journal, and the command."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.booked import bookings_of
from mes_engine.core.bookings import AdjustAt, Booking, BookingKind
from mes_engine.core.postings import Posting, PostingKind, PostingState
from tests.core.shop import Shop


def bookings(shop: Shop, job_order: str) -> list[Booking]:
    """Return what was booked on a job order, in order."""
    causes: dict[str, list[f.Recorded]] = {}
    for one in shop.journal:
        causes.setdefault(one.cause, []).append(one)
    return sorted(_all(causes, job_order), key=lambda one: one.seq)


def _all(causes: dict[str, list[f.Recorded]], job_order: str) -> Iterator[Booking]:
    for records in causes.values():
        yield from bookings_of(records, job_order)


def the_last(
    shop: Shop, step: str, kind: BookingKind = BookingKind.REPORT, *, job: str = ""
) -> Booking:
    """Return the last booking of a kind at a step."""
    found = bookings(shop, job or shop.job(step).id)
    return next(one for one in reversed(found) if one.kind is kind)


def reversing(shop: Shop, booking: Booking, **changed: Any) -> m.ReverseBooking:
    """Return the command that takes a booking back."""
    fields: dict[str, Any] = {
        "work_request": shop.by_id(booking.job_order).request,
        "booking": booking,
        "reason": "miscounted",
        "also": tuple(bookings(shop, booking.job_order)),
        "uses": tuple(
            one.edge for kind in (f.LotConsumed, f.LotSplit) for one in shop.facts(kind)
        ),
    }
    if changed.get("where") is AdjustAt.WHERE_IT_IS:
        fields["onward"] = onward(shop, booking)
    return m.ReverseBooking(**fields | changed)


def onward(shop: Shop, booking: Booking) -> tuple[Booking, ...]:
    """Return what was booked on the other job orders of its request."""
    request = shop.by_id(booking.job_order).request
    return tuple(
        one
        for job in shop.state.job_order.find("request", request)
        if job.id != booking.job_order
        for one in bookings(shop, job.id)
    )


def reverse(
    shop: Shop, booking: Booking, *, at: int | None = None, **changed: Any
) -> dict[str, str]:
    """Take a booking back; it must be accepted, every law checked."""
    when = {} if at is None else {"at": at}
    return shop.ok(reversing(shop, booking, **changed), **when)


def refused(shop: Shop, booking: Booking, **changed: Any) -> m.Answer:
    """Try to take a booking back; it must be refused, and leave nothing."""
    return shop.refused(reversing(shop, booking, **changed))


def putting_back(shop: Shop, lot: str) -> m.ReverseRegrouping:
    """Return the command, with what the door would read from the journal."""
    edges = [one.edge for one in shop.facts(f.LotSplit)]
    edges += [one.edge for one in shop.facts(f.LotMerged)]
    edges += [one.edge for one in shop.facts(f.LotConsumed)]
    moves = [one.move for one in shop.facts(f.QuantityMoved)]
    return m.ReverseRegrouping(
        lot=lot,
        reason="a slip",
        moves=tuple(one for one in moves if one.to_lot == lot and not one.reverses),
        edges=tuple(one for one in edges if one.target == lot),
        uses=tuple(one for one in edges if one.source == lot),
    )


def scrapped(quantity: int) -> tuple[m.Scrapped, ...]:
    """Return so many pieces of scrap."""
    return (m.Scrapped(quantity=Decimal(quantity), reason="burr"),)


def postings(shop: Shop) -> list[Posting]:
    """Return every posting, in the order of its stream."""
    return sorted(shop.state.posting.values(), key=lambda one: one.stream_seq)


def signed(shop: Shop) -> list[tuple[str, str, int, bool]]:
    """Return step, state, good pieces and whether it is final, of every posting."""
    return [
        (
            one.step,
            one.state.value,
            int(-one.good if one.kind is PostingKind.REVERSE else one.good),
            one.is_final,
        )
        for one in postings(shop)
    ]


def acknowledge(shop: Shop) -> None:
    """Let the ledger have booked every posting."""
    for one in postings(shop):
        shop.ok(
            m.RecordPosting(
                posting=one.key, state=PostingState.ACKNOWLEDGED, reference="x"
            )
        )
