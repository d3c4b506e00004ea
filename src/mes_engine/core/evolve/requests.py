"""Work requests and visits."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers, known
from mes_engine.core.state import State

replace = msgspec.structs.replace


def _work_request_created(state: State, fact: f.WorkRequestCreated) -> None:
    state.work_request.put(fact.work_request)


def _work_request_changed(state: State, fact: f.WorkRequestChanged) -> None:
    request = known(state.work_request.get(fact.work_request))
    state.work_request.put(replace(request, state=fact.state, lot=fact.lot))


def _work_request_updated(state: State, fact: f.WorkRequestUpdated) -> None:
    request = known(state.work_request.get(fact.work_request))
    state.work_request.put(
        replace(
            request,
            quantity=fact.quantity,
            due_at=fact.due_at,
            priority=fact.priority,
            revision=fact.revision,
        )
    )


def _visit_set(state: State, fact: f.VisitOpened | f.VisitChanged) -> None:
    state.visit.put(fact.visit)


HANDLERS: Handlers = {
    f.WorkRequestCreated: _work_request_created,
    f.WorkRequestChanged: _work_request_changed,
    f.WorkRequestUpdated: _work_request_updated,
    f.VisitOpened: _visit_set,
    f.VisitChanged: _visit_set,
}
