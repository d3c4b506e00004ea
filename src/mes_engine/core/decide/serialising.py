"""Serial numbers of the plant's own: given to lots of one, and never given again."""

from collections.abc import Iterator
from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.lots import MOST_LOTS, check_reason, split_into
from mes_engine.core.decide.pieces import active_lot, pieces_of
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.lots import MaterialLot
from mes_engine.core.messages import SerialiseLot
from mes_engine.core.quantity import UNITS, ZERO, checked_quantity
from mes_engine.core.serials import checked_serials, counter_of, serial_of
from mes_engine.core.wip_ledger import SINKS

ONE = Decimal(1)


def serialise(draft: Draft, command: SerialiseLot) -> dict[str, str]:
    """Make lots of one of a lot's pieces, each with a serial; or name a lot of one.

    Raises:
        Refused: A serial is taken, there are fewer pieces, there is no pattern, or the
            lot has a serial already.
    """
    lot = active_lot(draft, command.lot)
    check_reason(command.reason, f"Serialising {lot.id}")
    serials = checked_serials(command.serials)
    _check_kind(lot)
    position, bucket = pieces_of(draft, lot, command.place, command.bucket)
    there = position.of(bucket)
    count = _count(lot, command, there)
    if count > there:
        raise Refused(
            f"{lot.id} has {there} {lot.unit} {bucket} at {position.place}; {count} "
            "cannot have serials.",
            hint="Give at most one to each piece that is there.",
            unmet=[f"quantity_there: {count} asked for, {there} there"],
        )
    taken = {one.serial: one.lot for one in command.taken}
    if serials:
        _check_free(draft, lot, serials, taken)
    numbers = list(_numbers(draft, lot, serials, int(count), taken))
    if _is_one_piece(draft, lot):
        named = [lot]
    else:
        ones = (ONE,) * int(count)
        named = split_into(draft, lot, position, bucket, ones, reason=command.reason)
    for one, (serial, number) in zip(named, numbers, strict=True):
        given = f.SerialGiven(
            lot=one.id, serial=serial, counter=counter_of(lot.material), number=number
        )
        draft.emit(given)
    return {
        "lot": lot.id,
        "lots": " ".join(one.id for one in named),
        "serials": " ".join(serial for serial, _ in numbers),
    }


def _check_kind(lot: MaterialLot) -> None:
    if lot.serial:
        raise Refused(
            f"{lot.id} has the serial {lot.serial} already.",
            unmet=[f"not_serial: {lot.id} is {lot.serial}"],
        )
    digits, word = UNITS[lot.unit]
    if digits:
        raise Refused(
            f"{lot.id} is counted in {lot.unit} ({word}), not in pieces.",
            hint="Only pieces have serials.",
            unmet=[f"counted_in_pieces: {lot.id} is in {lot.unit}"],
        )


def _count(lot: MaterialLot, command: SerialiseLot, there: Decimal) -> Decimal:
    given = Decimal(len(command.serials))
    count = command.quantity
    if count is None:
        count = given or there
    if checked_quantity(count, unit=lot.unit) == ZERO or count > MOST_LOTS:
        raise Malformed(
            f"{count} pieces of {lot.id} cannot have serials at once.",
            hint=f"1 to {MOST_LOTS} at a time.",
        )
    if given and given != count:
        raise Malformed(
            f"{given} serials for {count} pieces of {lot.id}.",
            hint="Give one to each.",
        )
    return count


def _is_one_piece(draft: Draft, lot: MaterialLot) -> bool:
    """Whether there is one piece of the lot, and no other can come into it.

    What went out of it otherwise than into other lots may be taken back; a job order of
    the lot alone may be to bring more.
    """
    positions = draft.state.position.find("lot", lot.id)
    held = sum((one.held for one in positions), ZERO)
    has_lost = any(one.of(sink) for one in positions for sink in SINKS)
    if held != ONE or has_lost:
        return False
    return lot.request is None or not any(
        job.lot == lot.id and job.planned > ONE
        for job in draft.state.job_order.find("live_of", lot.request)
    )


def _check_free(
    draft: Draft, lot: MaterialLot, serials: tuple[str, ...], taken: dict[str, str]
) -> None:
    told = [
        f"{serial} of {lot.material} is lot {has}"
        for serial in serials
        if (has := _lot_with(draft, lot, serial, taken)) is not None
    ]
    if told:
        raise Refused(
            f"{lot.id} cannot have these serials: {'; '.join(told)}.",
            hint="A serial is given once, whatever became of the piece.",
            unmet=[f"serial_free: {one}" for one in told],
        )


def _lot_with(
    draft: Draft, lot: MaterialLot, serial: str, taken: dict[str, str]
) -> str | None:
    for one in draft.state.lot.find("serial", serial):
        if one.material == lot.material:
            return one.id
    return taken.get(serial)


def _numbers(
    draft: Draft,
    lot: MaterialLot,
    serials: tuple[str, ...],
    count: int,
    taken: dict[str, str],
) -> Iterator[tuple[str, int]]:
    """Yield the serial of each piece, and the last number that the pattern has given.

    A number whose serial a lot has already is passed over.
    """
    number = draft.state.last_number(counter_of(lot.material))
    if serials:
        yield from ((serial, number) for serial in serials)
        return
    pattern = draft.state.site.plant.serials.get(lot.material)
    if pattern is None:
        raise Refused(
            f"There is no pattern for serials of {lot.material}.",
            hint="Give the serials, or a pattern in the plant's 'serials'.",
            unmet=[f"serial_pattern: {lot.material} has none"],
        )
    day = draft.state.site.business_date(draft.at)
    for _ in range(count):
        number += 1
        while _lot_with(draft, lot, serial_of(pattern, number, day), taken) is not None:
            number += 1
        yield serial_of(pattern, number, day), number
