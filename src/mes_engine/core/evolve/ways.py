"""Ways that pieces took: the ledger has the moves, job orders the totals."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers, count, known
from mes_engine.core.requests import LotWay
from mes_engine.core.state import State

replace = msgspec.structs.replace


def _rework_sent(state: State, fact: f.ReworkSent) -> None:
    job = known(state.job_order.get(fact.job_order))
    state.job_order.put(replace(job, reworked=fact.reworked_total))


def _lot_deviated(state: State, fact: f.LotDeviated) -> None:
    job = known(state.job_order.get(fact.job_order))
    state.job_order.put(replace(job, deviated=fact.deviated_total))


def _step_sampled(state: State, fact: f.StepSampled) -> None:
    count(state, fact.counter, fact.number)


def _alternative_chosen(state: State, fact: f.AlternativeChosen) -> None:
    visit = known(state.visit.get(fact.visit))
    others = tuple(one for one in visit.ways if one.lot != fact.lot)
    way = LotWay(lot=fact.lot, target=fact.target, is_set=fact.is_set)
    state.visit.put(replace(visit, ways=(*others, way)))


def _kept_in_the_journal(state: State, fact: f.StepSkipped) -> None:
    """Nothing follows from it: the moves are facts of their own."""


HANDLERS: Handlers = {
    f.AlternativeChosen: _alternative_chosen,
    f.StepSampled: _step_sampled,
    f.StepSkipped: _kept_in_the_journal,
    f.LotDeviated: _lot_deviated,
    f.ReworkSent: _rework_sent,
}
