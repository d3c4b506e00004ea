"""Runs, holds and dispatch decisions."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers, count, known
from mes_engine.core.state import State

replace = msgspec.structs.replace


def _run_opened(state: State, fact: f.RunOpened) -> None:
    state.run.put(fact.run)
    count(state, "run", fact.run.number)
    for member in fact.members:
        state.run_member.put(member)
        job = known(state.job_order.get(member.job_order))
        state.job_order.put(replace(job, run=fact.run.id))


def _run_changed(state: State, fact: f.RunChanged) -> None:
    before = known(state.run.get(fact.run.id))
    state.run.put(fact.run)
    for member in fact.members:
        state.run_member.put(member)
    staying = fact.run.job_orders if fact.run.is_open else ()
    if before.is_open and before.job_orders != staying:
        for name in before.job_orders:
            if name not in staying:
                job = known(state.job_order.get(name))
                state.job_order.put(replace(job, run=None))


def _hold_opened(state: State, fact: f.HoldOpened) -> None:
    state.hold.put(fact.hold)
    count(state, "hold", fact.hold.number)


def _hold_released(state: State, fact: f.HoldReleased) -> None:
    hold = known(state.hold.get(fact.hold))
    state.hold.put(replace(hold, released_at=fact.at, released_by=fact.person))


def _dispatch_decided(state: State, fact: f.DispatchDecided) -> None:
    state.dispatch_decision.put(fact.decision)


HANDLERS: Handlers = {
    f.RunOpened: _run_opened,
    f.RunChanged: _run_changed,
    f.HoldOpened: _hold_opened,
    f.HoldReleased: _hold_released,
    f.DispatchDecided: _dispatch_decided,
}
