"""The law of carriers: what is in one is there, in that one alone, and not lost.

That a lot is in at most one carrier is how it is kept: the carrier is a field of it.
"""

from collections.abc import Iterable, Iterator

from mes_engine.core.carriers import (
    MOST_NESTED,
    AggregationAction,
    AggregationEvent,
    Carrier,
)
from mes_engine.core.lots import LotExistence, MaterialLot


def broken_carrier_laws(
    lots: Iterable[MaterialLot], carriers: Iterable[Carrier]
) -> Iterator[str]:
    """Yield each content of a carrier that is gone or not here, and what goes round."""
    known = {one.id: one for one in carriers}
    for lot in lots:
        if lot.carrier is None:
            continue
        yield from _not_here(lot.id, lot.carrier, known)
        if lot.existence is not LotExistence.ACTIVE:
            yield f"CARRIER: {lot.carrier} holds lot {lot.id}, which is {lot.existence}"
    for carrier in known.values():
        if carrier.is_shipped and carrier.location:
            yield f"CARRIER: {carrier.id} is shipped, and at {carrier.location}"
        if carrier.carrier is None:
            continue
        yield from _not_here(carrier.id, carrier.carrier, known)
        if carrier.is_shipped:
            yield f"CARRIER: {carrier.id} is shipped, and in {carrier.carrier}"
        if carrier.location:
            yield f"CARRIER: {carrier.id} is in {carrier.carrier}, and put down"
        if _nested(carrier, known) > MOST_NESTED:
            yield f"CARRIER: {carrier.id} is in more than {MOST_NESTED}, or in itself"


def _not_here(content: str, name: str, known: dict[str, Carrier]) -> Iterator[str]:
    carrier = known.get(name)
    if carrier is None or carrier.is_shipped:
        told = "which there is none of" if carrier is None else "which is shipped"
        yield f"CARRIER: {content} is in {name}, {told}"


def _nested(carrier: Carrier, known: dict[str, Carrier]) -> int:
    count, at = 1, carrier
    while at.carrier is not None and count <= MOST_NESTED:
        outer = known.get(at.carrier)
        if outer is None:
            break
        count, at = count + 1, outer
    return count


def broken_aggregation_laws(
    events: Iterable[AggregationEvent],
    lots: Iterable[MaterialLot],
    carriers: Iterable[Carrier],
) -> Iterator[str]:
    """Yield each content that went in twice, came out of where it was not, or is lost.

    What the events come to, one after the other, is what is in the carriers now.
    """
    inside: dict[tuple[str, str], str] = {}
    for event in events:
        content = (event.kind.value, event.content)
        there = inside.get(content)
        if event.action is AggregationAction.ADD:
            if there is not None:
                yield f"CARRIER: {event.content} went into {event.carrier} from {there}"
            inside[content] = event.carrier
        else:
            if there != event.carrier:
                yield (
                    f"CARRIER: {event.content} came out of {event.carrier}, and was in "
                    f"{there or 'none'}"
                )
            inside.pop(content, None)
    for kind, things in (("lot", lots), ("carrier", carriers)):
        for one in things:
            there = inside.pop((kind, one.id), None)
            if there != one.carrier:
                yield (
                    f"CARRIER: {one.id} is in {one.carrier or 'none'}, and by the "
                    f"events in {there or 'none'}"
                )
    for (kind, name), there in sorted(inside.items()):
        yield f"CARRIER: {kind} {name} went into {there}, and there is none of it"
