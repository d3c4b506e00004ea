"""Labour."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers, count, known
from mes_engine.core.labour import closed_of
from mes_engine.core.state import State

replace = msgspec.structs.replace


def _signed_on(state: State, fact: f.SignedOn) -> None:
    state.sign_on.put(fact.sign_on)
    count(state, "sign_on", fact.sign_on.number)


def _signed_off(state: State, fact: f.SignedOff) -> None:
    state.sign_on.put(fact.sign_on)


def _labour_changed(state: State, fact: f.LabourChanged) -> None:
    is_new = state.labour_interval.get(fact.interval.id) is None
    state.labour_interval.put(fact.interval)
    number = fact.interval.number
    # One that is over was forgotten, and may be told of again.
    if is_new and number > state.last_number("labour_interval"):
        count(state, "labour_interval", number)
    if not fact.interval.is_open:
        count(state, closed_of(fact.interval.person), state.seq)


def _labour_booked(state: State, fact: f.LabourBooked) -> None:
    job = known(state.job_order.get(fact.job_order))
    state.job_order.put(replace(job, labour_us=fact.labour_total_us))


HANDLERS: Handlers = {
    f.SignedOn: _signed_on,
    f.SignedOff: _signed_off,
    f.LabourChanged: _labour_changed,
    f.LabourBooked: _labour_booked,
}
