"""A person says which of the alternatives out of a step pieces take."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.choosing import passer
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.parting import check_right
from mes_engine.core.decide.sending import send_told
from mes_engine.core.errors import Refused
from mes_engine.core.messages import ChooseAlternative
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import routing_of
from mes_engine.core.requests import OVER, Visit, visit_id
from mes_engine.core.steps import ConnectionKind
from mes_engine.core.ways import conditional_ways


def choose_alternative(draft: Draft, command: ChooseAlternative) -> dict[str, str]:
    """Take one of the alternatives after a step, before any piece has left it.

    Where measured data tells the way, a person with the right may say it of a lot, or
    of all that have not gone yet; what waited for the data goes on.
    """
    request = draft.request(command.work_request)
    if request.state in OVER:
        raise Refused(
            f"{request.id} is {request.state}: nothing of it goes anywhere.",
            unmet=[f"request_open: {request.id} is {request.state}"],
        )
    routing = draft.state.routing.get((request.routing, request.revision))
    choices = [
        one.target
        for one in (routing.leaving(command.step) if routing else ())
        if one.kind is ConnectionKind.ALTERNATIVE
    ]
    if command.target not in choices:
        raise Refused(
            f"'{command.target}' is no alternative after step '{command.step}' of "
            f"{request.id}.",
            hint=f"Alternatives: {', '.join(choices) or 'none'}.",
        )
    visit = draft.state.visit.get(
        visit_id(request.id, command.step, command.pass_number)
    )
    if visit is None:
        raise Refused(f"{request.id} has not come to step '{command.step}' yet.")
    result = {"work_request": request.id, "target": command.target}
    stand_in = passer(draft, visit, command.lot)
    if conditional_ways(routing_of(draft.state, stand_in), visit.step):
        check_right(draft, stand_in, f"Choosing for {visit.id}")
    elif command.lot is not None:
        raise Refused(
            f"{request.id} takes one way out of step '{command.step}', with all its "
            "lots.",
            hint="Leave out the lot, or let measured data tell the way in the routing.",
        )
    if command.lot is None:
        _check_free(visit, visit.chosen, command.target, request.id)
        chosen = msgspec.structs.replace(visit, chosen=command.target)
        draft.emit(f.VisitChanged(visit=chosen))
    else:
        _choose_for(draft, visit, command.lot, command)
        result["lot"] = command.lot
    send_told(draft, request.id)
    return result


def _choose_for(
    draft: Draft, visit: Visit, lot: str, command: ChooseAlternative
) -> None:
    position = draft.state.position.get((lot, visit.id))
    if position is None:
        raise Refused(
            f"Lot {lot} has not come to step '{visit.step}' in this pass.",
            unmet=[f"lot: {lot} is not at {visit.id}"],
        )
    known = next((one for one in visit.ways if one.lot == lot), None)
    if known is not None and position.moved_out > ZERO:
        _check_free(visit, known.target, command.target, lot)
    draft.emit(
        f.AlternativeChosen(
            visit=visit.id,
            step=visit.step,
            lot=lot,
            target=command.target,
            why=command.reason or "chosen by a person",
            saw=(),
            is_set=True,
            at=draft.at,
            person=draft.person,
        )
    )


def _check_free(visit: Visit, taken: str | None, target: str, who: str) -> None:
    if taken not in {None, target}:
        raise Refused(
            f"{who} has taken '{taken}' already.",
            hint="Send pieces another way by a deviation.",
            unmet=[f"way_decided: {who} takes '{taken}' out of {visit.step}"],
        )
