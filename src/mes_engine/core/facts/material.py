"""Lots, what they are made of, and where their pieces are."""

from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.lots import ComponentUse, GenealogyEdge, LotExistence, MaterialLot
from mes_engine.core.wip_ledger import Move


class LotCreated(BaseFact, frozen=True, kw_only=True, tag="lot_created"):
    """There is a lot of this id."""

    lot: MaterialLot


class LotEnded(BaseFact, frozen=True, kw_only=True, tag="lot_ended"):
    """Nothing is left of a lot."""

    lot: str
    existence: LotExistence


class LotRestored(BaseFact, frozen=True, kw_only=True, tag="lot_restored"):
    """There is something of a lot again: what had used it up was reversed."""

    lot: str


class LotBound(BaseFact, frozen=True, kw_only=True, tag="lot_bound"):
    """A lot was begun on a work unit that a later step has to be worked on as well."""

    lot: str
    step: str
    work_unit: str


class LotConsumed(BaseFact, frozen=True, kw_only=True, tag="lot_consumed"):
    """A quantity of one lot went into another."""

    edge: GenealogyEdge


class LotProduced(BaseFact, frozen=True, kw_only=True, tag="lot_produced"):
    """A lot of another material came out of work on a lot."""

    edge: GenealogyEdge


class LotSplit(BaseFact, frozen=True, kw_only=True, tag="lot_split"):
    """A quantity of one lot became a lot of its own."""

    edge: GenealogyEdge


class LotMerged(BaseFact, frozen=True, kw_only=True, tag="lot_merged"):
    """A lot became part of a new one."""

    edge: GenealogyEdge


class ComponentUsed(BaseFact, frozen=True, kw_only=True, tag="component_used"):
    """A job order was given components by hand; totals afterwards."""

    use: ComponentUse


class QuantityMoved(BaseFact, frozen=True, kw_only=True, tag="quantity_moved"):
    """Pieces or material went from one bucket to another."""

    move: Move


MaterialFact = (
    LotCreated
    | LotEnded
    | LotRestored
    | LotBound
    | LotConsumed
    | LotProduced
    | LotSplit
    | LotMerged
    | ComponentUsed
    | QuantityMoved
)
