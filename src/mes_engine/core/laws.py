"""The laws over everything: L0 to L5 and of counts, each break in one sentence.

L0 and L1 are checked at every move besides (``wip_ledger``); here they are checked over
whatever positions are given, so that ``mes verify`` finds a row that somebody changed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from mes_engine.core.carrier_laws import broken_carrier_laws
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import EdgeKind, GenealogyEdge, LotExistence, MaterialLot
from mes_engine.core.postings import Posting, PostingKind
from mes_engine.core.production import MachineTally, UnassignedProduction
from mes_engine.core.quantity import MILLION, ZERO
from mes_engine.core.requests import ConnectionFlow, WorkRequest
from mes_engine.core.state import State
from mes_engine.core.wip_ledger import SINKS, SOURCES, Bucket, Position


def broken_laws(state: State) -> Iterator[str]:
    """Yield each break of L0 to L5, and of counts, in what is in memory."""
    positions = list(state.position.values())
    yield from broken_position_laws(positions)
    yield from broken_connection_laws(state.connection_flow.values(), positions)
    yield from broken_lot_laws(list(state.lot.values()), positions)
    yield from broken_serial_laws(list(state.lot.values()), positions)
    yield from broken_carrier_laws(state.lot.values(), list(state.carrier.values()))
    yield from broken_request_laws(state.work_request.values(), positions)
    yield from broken_posting_laws(state.job_order.values(), state.posting.values())
    yield from broken_count_laws(
        state.machine_tally.values(), state.unassigned_production.values()
    )


def broken_position_laws(positions: Iterable[Position]) -> Iterator[str]:
    """Yield each break of L0 and L1."""
    for position in positions:
        where = f"{position.lot} at {position.place}"
        for bucket in Bucket:
            if position.of(bucket) < ZERO:
                yield f"L0: {where} has {position.of(bucket)} in {bucket}"
        if position.came != position.went:
            yield (
                f"L1: {where}: {position.came} came, "
                f"{position.went} are held, sunk or moved out"
            )


def broken_connection_laws(
    flows: Iterable[ConnectionFlow], positions: Iterable[Position]
) -> Iterator[str]:
    """Yield each break of L2: what was sent is in transit or has arrived."""
    transit: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for position in positions:
        if not position.is_stock:
            transit[_visit(position.place)] += position.transit
    on_the_way: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for flow in flows:
        if flow.arrived > flow.sent:
            yield (
                f"L2: {flow.request}: {flow.arrived} arrived from {flow.source} at "
                f"{flow.target}, only {flow.sent} were sent"
            )
        on_the_way[f"{flow.request}/{flow.source}"] += flow.sent - flow.arrived
    for visit in sorted({*transit, *on_the_way}):
        if transit[visit] != on_the_way[visit]:
            yield (
                f"L2: {visit}: {transit[visit]} in transit, but sent less arrived is "
                f"{on_the_way[visit]}"
            )


def _visit(place: str) -> str:
    request, step, _ = place.rsplit("/", 2)
    return f"{request}/{step}"


def broken_lot_laws(
    lots: Iterable[MaterialLot], positions: Iterable[Position]
) -> Iterator[str]:
    """Yield each break of L3: a lot with nothing left is ended, and only such a one."""
    held: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for position in positions:
        held[position.lot] += position.held
    for lot in lots:
        is_empty = held[lot.id] == ZERO
        if not is_empty and lot.existence is not LotExistence.ACTIVE:
            yield f"L3: lot {lot.id} is {lot.existence}, yet {held[lot.id]} are held"
        if is_empty and lot.request is None and lot.existence is LotExistence.ACTIVE:
            yield f"L3: lot {lot.id} is active, and nothing of it is held"
    known = {lot.id for lot in lots}
    for name in sorted(set(held) - known):
        yield f"L3: positions speak of lot {name}, which there is none of"


def broken_serial_laws(
    lots: Iterable[MaterialLot], positions: Iterable[Position]
) -> Iterator[str]:
    """Yield each serial that is not of one piece, or that two lots of a material have.

    Of all lots that are given: also of those that nothing is left of.
    """
    held: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for position in positions:
        held[position.lot] += position.held
    having: dict[tuple[str, str], str] = {}
    for lot in lots:
        if not lot.serial:
            continue
        other = having.setdefault((lot.material, lot.serial), lot.id)
        if other != lot.id:
            yield f"SERIAL: {lot.serial} of {lot.material} is {other}, and is {lot.id}"
        if held[lot.id] > 1:
            yield f"SERIAL: {lot.serial}: {held[lot.id]} are held of lot {lot.id}"


def broken_edge_laws(
    edges: Iterable[GenealogyEdge], positions: Iterable[Position]
) -> Iterator[str]:
    """Yield each break of L3 in what the edges say: sums, and that nothing goes round.

    What a lot's positions gave to other lots, and took from them, is what its edges
    tell; one that reverses another takes away from it.
    """
    given, taken = _amounts_of(positions)
    made_of: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        made_of[edge.target].add(edge.source)
        told = edge.quantity if edge.reverses is None else -edge.quantity
        if edge.kind in {EdgeKind.CONSUMED, EdgeKind.DAMAGED}:
            given[edge.source, Bucket.CONSUMED.value] -= told
        elif edge.kind is EdgeKind.PRODUCED:
            taken[edge.target, Bucket.PRODUCED.value] -= told
        else:
            given[edge.source, "split_out"] -= told
            taken[edge.target, "split_in"] -= told
    for word, left in (("went out", given), ("came in", taken)):
        for (lot, how), amount in sorted(left.items()):
            if amount != ZERO:
                yield (
                    f"L3: lot {lot}: its positions say that {amount} more {word} "
                    f"({how}) than its edges"
                )
    for lot in _going_round(made_of):
        yield f"L3: lot {lot} is made of itself"


Amounts = dict[tuple[str, str], Decimal]


def _amounts_of(positions: Iterable[Position]) -> tuple[Amounts, Amounts]:
    given: Amounts = defaultdict(lambda: ZERO)
    taken: Amounts = defaultdict(lambda: ZERO)
    for position in positions:
        given[position.lot, "split_out"] += position.split_out
        given[position.lot, Bucket.CONSUMED.value] += position.consumed
        taken[position.lot, "split_in"] += position.split_in
        if position.is_stock:
            taken[position.lot, Bucket.PRODUCED.value] += position.produced
    return given, taken


def _going_round(made_of: dict[str, set[str]]) -> list[str]:
    """Return the lots that are left when those that come of nothing are taken away."""
    goes_into: dict[str, list[str]] = defaultdict(list)
    waits_for = {lot: len(sources) for lot, sources in made_of.items()}
    for lot, sources in made_of.items():
        for source in sources:
            goes_into[source].append(lot)
    free = [lot for lot in goes_into if lot not in waits_for]
    while free:
        for lot in goes_into.get(free.pop(), ()):
            waits_for[lot] -= 1
            if waits_for[lot] == 0:
                free.append(lot)
    return sorted(lot for lot, count in waits_for.items() if count)


def broken_request_laws(
    requests: Iterable[WorkRequest], positions: Iterable[Position]
) -> Iterator[str]:
    """Yield each break of L4: what was begun is on the floor, finished, or sunk."""
    by_request: dict[str, dict[str, list[Position]]] = defaultdict(dict)
    for position in positions:
        if position.request is not None:
            of_material = by_request[position.request]
            of_material.setdefault(position.material, []).append(position)
    for request in requests:
        for material, there in by_request[request.id].items():
            came = wip = finished = sunk = ZERO
            for position in there:
                came += sum((position.of(bucket) for bucket in SOURCES), ZERO)
                sunk += sum((position.of(bucket) for bucket in SINKS), ZERO)
                wip += position.on_floor
                finished += position.stock
            if came != wip + finished + sunk:
                yield (
                    f"L4: {request.id}: {came} {material} begun, but {wip} in work, "
                    f"{finished} finished and {sunk} in sinks"
                )


POSTED = ("good", "scrap", "setup_s", "processing_s", "labour_s")
"""What postings speak of, and job orders keep an account of."""


def broken_posting_laws(
    jobs: Iterable[JobOrder], postings: Iterable[Posting]
) -> Iterator[str]:
    """Yield each break of L5: what was posted is what the job orders reported."""
    raised: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    streams: dict[str, list[int]] = defaultdict(list)
    for posting in postings:
        sign = -1 if posting.kind is PostingKind.REVERSE else 1
        for word in POSTED:
            raised[posting.job_order, word] += sign * getattr(posting, word)
        streams[posting.stream].append(posting.stream_seq)
        yield from _broken_amounts(posting)
    for job in jobs:
        for word, posted, reported in _posted_and_reported(job):
            told = raised[job.id, word]
            if told != posted:
                yield f"L5: {job.id}: {posted} {word} posted, postings say {told}"
            if posted > reported or (job.is_final_posted and posted != reported):
                yield f"L5: {job.id}: {reported} {word} reported, {posted} posted"
    for stream, numbers in streams.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            yield f"L5: the postings of {stream} are not numbered without a gap"


def _broken_amounts(posting: Posting) -> Iterator[str]:
    for word in POSTED:
        amount = getattr(posting, word)
        if amount < ZERO:
            yield f"L5: {posting.key}: {amount} {word}; a reversal says so by kind"
    if posting.repeated > posting.good:
        yield f"L5: {posting.key}: {posting.repeated} repeated, of {posting.good} good"


def _posted_and_reported(job: JobOrder) -> Iterator[tuple[str, Decimal, Decimal]]:
    for word in POSTED:
        if word.endswith("_s"):
            name = f"{word[:-2]}_us"
            posted, reported = getattr(job, f"posted_{name}"), getattr(job, name)
            yield word, Decimal(posted) / MILLION, Decimal(reported) / MILLION
        else:
            yield word, getattr(job, f"posted_{word}"), getattr(job, word)


def broken_count_laws(
    tallies: Iterable[MachineTally], productions: Iterable[UnassignedProduction]
) -> Iterator[str]:
    """Yield each break of: counted is booked, unassigned or dismissed.

    What is unassigned is what is open of the stretches; those that are settled may have
    been left out.
    """
    left: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for one in productions:
        left[one.work_unit, one.role] += one.left
        if one.left < ZERO:
            yield f"COUNT: {one.left} are left of unassigned production {one.seq}"
    for tally in tallies:
        where = f"{tally.work_unit} {tally.role}"
        yield from broken_tally(tally)
        open_ones = left.pop((tally.work_unit, tally.role), ZERO)
        if tally.unassigned != open_ones:
            yield (
                f"COUNT: {where}: {tally.unassigned} unassigned, {open_ones} are open"
            )
    for (unit, role), amount in left.items():
        if amount:
            yield f"COUNT: {unit} {role}: {amount} are open, and nothing was counted"


def broken_dismissal_laws(
    tallies: Iterable[MachineTally], productions: Iterable[UnassignedProduction]
) -> Iterator[str]:
    """Yield each work unit of which not as much was dismissed as its stretches say.

    Of all that there ever were.
    """
    gone: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for one in productions:
        gone[one.work_unit, one.role] += one.dismissed
    for tally in tallies:
        told = gone[tally.work_unit, tally.role]
        if tally.dismissed != told:
            yield (
                f"COUNT: {tally.work_unit} {tally.role}: {tally.dismissed} dismissed, "
                f"its stretches say {told}"
            )


def broken_tally(tally: MachineTally) -> Iterator[str]:
    """Yield that a tally does not add up, if it does not."""
    whole = tally.booked + tally.unassigned + tally.dismissed
    if tally.counted != whole:
        yield (
            f"COUNT: {tally.work_unit} {tally.role}: {tally.counted} counted, "
            f"{tally.booked} booked, {tally.unassigned} unassigned, "
            f"{tally.dismissed} dismissed"
        )
