"""Job control."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers, known
from mes_engine.core.state import State


def _job_order_cleared(state: State, fact: f.JobOrderCleared) -> None:
    job = known(state.job_order.get(fact.job_order))
    state.job_order.put(msgspec.structs.replace(job, is_cleared=True))


def _machine_job_changed(state: State, fact: f.MachineJobChanged) -> None:
    state.machine_job.put(fact.machine_job)


HANDLERS: Handlers = {
    f.JobOrderCleared: _job_order_cleared,
    f.MachineJobChanged: _machine_job_changed,
}
