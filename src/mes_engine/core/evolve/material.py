"""Lots, positions, moves and flows."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers, count, known
from mes_engine.core.lots import LotExistence, MaterialLot
from mes_engine.core.quantity import ZERO
from mes_engine.core.requests import ConnectionFlow
from mes_engine.core.state import State
from mes_engine.core.wip_ledger import Bucket, Move, Position, apply_move

replace = msgspec.structs.replace


def _lot_created(state: State, fact: f.LotCreated) -> None:
    state.lot.put(fact.lot)
    count(state, "lot", fact.lot.number)


def _lot_ended(state: State, fact: f.LotEnded) -> None:
    lot = known(state.lot.get(fact.lot))
    state.lot.put(replace(lot, existence=fact.existence))


def _lot_restored(state: State, fact: f.LotRestored) -> None:
    lot = known(state.lot.get(fact.lot))
    state.lot.put(replace(lot, existence=LotExistence.ACTIVE))


def _lot_bound(state: State, fact: f.LotBound) -> None:
    lot = known(state.lot.get(fact.lot))
    bound = {**lot.bound_units, fact.step: fact.work_unit}
    state.lot.put(replace(lot, bound_units=bound))


def _edge_written(
    state: State, fact: f.LotConsumed | f.LotProduced | f.LotSplit | f.LotMerged
) -> None:
    state.genealogy_edge.put(fact.edge)


def _component_used(state: State, fact: f.ComponentUsed) -> None:
    state.component_use.put(fact.use)


def _quantity_moved(state: State, fact: f.QuantityMoved) -> None:
    move = fact.move
    lot: MaterialLot = known(state.lot.get(move.to_lot or move.lot))
    is_across = move.place != move.to_place or lot.id != move.lot
    source = state.position.get((move.lot, move.place)) if is_across else None
    target = state.position.get((lot.id, move.to_place))
    if target is None:
        target = Position(
            lot=lot.id,
            place=move.to_place,
            material=lot.material,
            unit=lot.unit,
            is_stock=move.to_bucket is Bucket.STOCK,
            request=lot.request,
        )
    source, target = apply_move(move, source, target)
    if source is not None:
        state.position.put(source)
    state.position.put(target)
    state.move.put(move)
    if move.connection:
        _flow(state, move)


def _flow(state: State, move: Move) -> None:
    source, target = move.connection.split(">")
    key = (move.request or "", source, target)
    flow = state.connection_flow.get(key) or ConnectionFlow(
        request=key[0], source=source, target=target, sent=ZERO, arrived=ZERO
    )
    if move.reverses is not None and move.bucket is Bucket.TRANSIT:
        flow = replace(flow, sent=flow.sent - move.quantity)
    elif move.reverses is not None:
        flow = replace(flow, arrived=flow.arrived - move.quantity)
    elif move.to_bucket is Bucket.TRANSIT:
        flow = replace(flow, sent=flow.sent + move.quantity)
    else:
        flow = replace(flow, arrived=flow.arrived + move.quantity)
    state.connection_flow.put(flow)


HANDLERS: Handlers = {
    f.LotCreated: _lot_created,
    f.LotEnded: _lot_ended,
    f.LotRestored: _lot_restored,
    f.LotBound: _lot_bound,
    f.LotConsumed: _edge_written,
    f.LotProduced: _edge_written,
    f.LotSplit: _edge_written,
    f.LotMerged: _edge_written,
    f.ComponentUsed: _component_used,
    f.QuantityMoved: _quantity_moved,
}
