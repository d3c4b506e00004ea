"""Ways that pieces took: the ledger has the moves, job orders the totals."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers, known
from mes_engine.core.state import State

replace = msgspec.structs.replace


def _rework_sent(state: State, fact: f.ReworkSent) -> None:
    job = known(state.job_order.get(fact.job_order))
    state.job_order.put(replace(job, reworked=fact.reworked_total))


def _lot_deviated(state: State, fact: f.LotDeviated) -> None:
    job = known(state.job_order.get(fact.job_order))
    state.job_order.put(replace(job, deviated=fact.deviated_total))


HANDLERS: Handlers = {
    f.LotDeviated: _lot_deviated,
    f.ReworkSent: _rework_sent,
}
