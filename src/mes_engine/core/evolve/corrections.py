"""Reversals."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers, known
from mes_engine.core.quantity import shortest
from mes_engine.core.state import State

replace = msgspec.structs.replace


def _booking_reversed(state: State, fact: f.BookingReversed) -> None:
    state.reversal.put(fact.reversal)
    job = known(state.job_order.get(fact.reversal.job_order))
    state.job_order.put(
        replace(
            job,
            good=shortest(fact.good_total),
            scrap=shortest(fact.scrap_total),
            lost=shortest(fact.lost_total),
            tested=shortest(fact.tested_total),
        )
    )


def _way_reversed(state: State, fact: f.WayReversed) -> None:
    state.reversal.put(fact.reversal)
    job = known(state.job_order.get(fact.reversal.job_order))
    state.job_order.put(
        replace(job, reworked=fact.reworked_total, deviated=fact.deviated_total)
    )


HANDLERS: Handlers = {
    f.BookingReversed: _booking_reversed,
    f.WayReversed: _way_reversed,
}
