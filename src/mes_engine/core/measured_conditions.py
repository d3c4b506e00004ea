"""What conditions on measured data mean in a routing, and what they say of a lot."""

import difflib
from collections.abc import Iterator

import msgspec

from mes_engine.core.characteristics import Characteristic
from mes_engine.core.expressions import (
    ExpressionError,
    Reference,
    check_use,
    comparisons,
    holds,
    parsed,
)
from mes_engine.core.measured_data import UNCLEAR, told_at
from mes_engine.core.measurements import Seen
from mes_engine.core.routing import Routing
from mes_engine.core.state import State
from mes_engine.core.steps import Connection, ConnectionKind, Step


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a condition says of a lot.

    Attributes:
        holds: None where it takes data that is not there.
        saw: What was there.
        missing: What was not, each as ``step.characteristic``.
    """

    holds: bool | None
    saw: tuple[Seen, ...] = ()
    missing: tuple[str, ...] = ()


def judged(
    state: State,
    routing: Routing,
    text: str,
    *,
    step: str,
    is_after: bool,
    request: str,
    visit: str,
    lot: str,
) -> Verdict:
    """Return what a condition of a routing says of a lot.

    Args:
        state: Where to look.
        routing: By which it is worked.
        text: The condition.
        step: That it is written for.
        is_after: Whether it is asked after that step: then what is measured there
            counts, of this visit alone.
        request: Whose lot.
        visit: At the step.
        lot: Itself.
    """
    expression = parsed(text)
    saw: dict[Reference, Seen] = {}
    missing: dict[str, None] = {}

    def told(reference: Reference) -> str | None:
        at, name = (
            _found(routing, step, reference, is_after=is_after)[0].id,
            reference.name,
        )
        only = visit if is_after and at == step else None
        value = told_at(state, request, at, lot, name, visit=only)
        if value is None or value.value is None:
            unclear = "" if value is None else UNCLEAR
            missing[f"{at}.{name}{unclear}"] = None
            return None
        saw[reference] = Seen(
            step=at,
            characteristic=name,
            value=value.value,
            measurement=value.measurement,
        )
        return value.value

    said = holds(expression, told)
    seen = tuple(dict.fromkeys(saw.values()))
    return Verdict(holds=said, saw=seen, missing=tuple(missing))


def way_problems(routing: Routing) -> Iterator[tuple[str, str]]:
    """Say what makes conditions of a routing unusable, as (path, problem)."""
    for index, one in enumerate(routing.connections):
        path = f"connections.{index}"
        if one.when and one.is_otherwise:
            yield f"{path}.is_otherwise", "says both 'when' and 'is_otherwise'"
        elif one.is_conditional and one.kind is not ConnectionKind.ALTERNATIVE:
            word = "when" if one.when else "is_otherwise"
            yield f"{path}.{word}", f"says nothing for a connection of kind {one.kind}"
        elif one.when:
            yield from _problems(
                routing, f"{path}.when", one.source, one.when, is_after=True
            )
    for index, step in enumerate(routing.steps):
        yield from _choice_problems(routing, routing.leaving(step.id))
        path = f"steps.{index}.skip_when"
        if not step.skip_when:
            continue
        if step.sampling is None and not step.is_optional:
            yield path, f"'{step.id}' is neither optional nor sampled"
        yield from _problems(routing, path, step.id, step.skip_when, is_after=False)


def _choice_problems(
    routing: Routing, leaving: tuple[Connection, ...]
) -> Iterator[tuple[str, str]]:
    """See that of conditional alternatives each says when, or that it is the rest."""
    ways = [one for one in leaving if one.kind is ConnectionKind.ALTERNATIVE]
    if not any(one.is_conditional for one in ways):
        return
    rest = [one for one in ways if one.is_otherwise]
    for one in ways:
        path = f"connections.{routing.connections.index(one)}"
        if not one.is_conditional:
            yield path, "others out of its step say 'when': say it, or 'is_otherwise'"
        elif one in rest[1:]:
            yield f"{path}.is_otherwise", f"'{rest[0].target}' takes what is left"
    if not any(one.when for one in ways):
        path = f"connections.{routing.connections.index(rest[0])}"
        yield f"{path}.is_otherwise", "no other way out of its step says 'when'"


def _problems(
    routing: Routing, path: str, step: str, text: str, *, is_after: bool
) -> Iterator[tuple[str, str]]:
    try:
        for one in comparisons(parsed(text)):
            _, characteristic = _found(routing, step, one.of, is_after=is_after)
            check_use(one, characteristic.kind)
    except ExpressionError as error:
        yield path, str(error)


def _found(
    routing: Routing, step: str, reference: Reference, *, is_after: bool
) -> tuple[Step, Characteristic]:
    """Return what a name stands for: a step, and a characteristic of it.

    Raises:
        ExpressionError: Nothing, or nothing that is measured by then.
    """
    here = [routing.step(step)] if is_after else []
    before = (
        one
        for one in routing.steps
        if one.characteristics
        and one.id != step
        and routing.leads_to(one.id, step, by_tokens=True)
    )
    if reference.step:
        known = [*here, *before]
        known = [one for one in known if one.id == reference.step]
        if not known:
            raise ExpressionError(
                reference.at, f"nothing is measured by then at step '{reference.step}'"
            )
    else:
        known = [one for one in here if _of(one, reference.name)] or list(before)
    found = [(one, of) for one in known if (of := _of(one, reference.name))]
    if len(found) > 1:
        places = " or ".join(f"{one.id}.{reference.name}" for one, _ in found)
        raise ExpressionError(reference.at, f"say at which step: {places}")
    if not found:
        names = [of.name for one in (*here, *known) for of in one.characteristics]
        near = difflib.get_close_matches(reference.name, names, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise ExpressionError(
            reference.at, f"there is no characteristic '{reference.name}'{hint}"
        )
    return found[0]


def _of(step: Step, name: str) -> Characteristic | None:
    return next((one for one in step.characteristics if one.name == name), None)
