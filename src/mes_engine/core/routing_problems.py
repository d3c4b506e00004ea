"""What makes a routing unusable: every problem of it, with the path to it."""

from collections.abc import Iterator

from mes_engine.core.characteristics import characteristic_problems
from mes_engine.core.measured_conditions import way_problems
from mes_engine.core.quantity import UNITS, ZERO
from mes_engine.core.routing import Routing
from mes_engine.core.steps import ConnectionKind, Step
from mes_engine.core.time_windows import window_problems


def routing_problems(routing: Routing) -> list[tuple[str, str]]:
    """Say what makes ``routing`` unusable, as (path, problem).

    A path is dotted, as in the file: ``steps.2.id`` or ``connections.0.target``.
    """
    problems = [*_name_problems(routing), *_loop_name_problems(routing)]
    if problems:
        return problems
    shape = [*_shape_problems(routing)]
    return [
        *_number_problems(routing),
        *shape,
        *_share_problems(routing),
        *window_problems(
            routing.time_windows, {one.id for one in routing.steps}, routing.beyond
        ),
        *([] if shape else _loop_problems(routing)),
        *([] if shape else _skip_problems(routing)),
        *([] if shape else way_problems(routing)),
        *_right_problems(routing),
        *([] if shape else _same_unit_problems(routing)),
    ]


def _name_problems(routing: Routing) -> Iterator[tuple[str, str]]:
    if not routing.steps:
        yield "steps", "a routing needs at least one step"
    ids = [step.id for step in routing.steps]
    for index, step in enumerate(ids):
        if not step or {"/", ">"} & set(step):
            # Visits and connections are named after steps, with these between them.
            yield f"steps.{index}.id", f"'{step}' has a '>' or '/', or is empty"
        if step in ids[:index]:
            yield f"steps.{index}.id", f"there is already a step '{step}'"
    seen: set[tuple[str, str]] = set()
    for index, one in enumerate(routing.connections):
        for end, name in (("source", one.source), ("target", one.target)):
            if name not in ids:
                yield f"connections.{index}.{end}", f"there is no step '{name}'"
        if (one.source, one.target) in seen:
            yield (
                f"connections.{index}",
                f"'{one.source}' and '{one.target}' are already connected",
            )
        seen.add((one.source, one.target))


def _loop_name_problems(routing: Routing) -> Iterator[tuple[str, str]]:
    ids = {step.id for step in routing.steps}
    loops = [one.id for one in routing.rework]
    for index, loop in enumerate(routing.rework):
        for end, name in (("source", loop.source), ("target", loop.target)):
            if name not in ids:
                yield f"rework.{index}.{end}", f"there is no step '{name}'"
        if loop.id in loops[:index]:
            yield f"rework.{index}.id", f"there is already a loop '{loop.id}'"


def _same_unit_problems(routing: Routing) -> Iterator[tuple[str, str]]:
    steps = {one.id: one for one in routing.steps}
    for index, step in enumerate(routing.steps):
        name, path = step.same_unit_as, f"steps.{index}.same_unit_as"
        if not name:
            continue
        other = steps.get(name)
        if other is None:
            yield path, f"there is no step '{name}'"
        elif not routing.leads_to(name, step.id):
            yield path, f"no pieces come from step '{name}' to '{step.id}'"
        elif (other.work_center, other.equipment_class) != (
            step.work_center,
            step.equipment_class,
        ):
            yield path, f"step '{name}' is worked on other work units than '{step.id}'"


def _number_problems(routing: Routing) -> Iterator[tuple[str, str]]:
    for name, share in (
        ("over_tolerance", routing.over_tolerance),
        ("under_tolerance", routing.under_tolerance),
    ):
        if not (share.is_finite() and share >= ZERO):
            yield name, f"{share} is no share of 0 or more"
    for index, step in enumerate(routing.steps):
        for name, seconds in (("setup_s", step.setup_s), ("run_s", step.run_s)):
            if not (seconds.is_finite() and seconds >= ZERO):
                yield f"steps.{index}.{name}", f"{seconds} is no time of 0 or more"
        yield from _amount_problems(index, step)
        yield from _output_problems(index, step, routing.material)
        need = step.qualification
        if need is not None and need.level < 1:
            yield f"steps.{index}.qualification.level", f"{need.level} is no level"
    for index, one in enumerate(routing.connections):
        batch, share = one.transfer_batch, one.share
        path = f"connections.{index}"
        if batch is not None and not (batch.is_finite() and batch > ZERO):
            yield f"{path}.transfer_batch", f"{batch} is no amount of pieces above 0"
        if not (share.is_finite() and ZERO < share <= 1):
            yield f"{path}.share", f"{share} is no share above 0, up to 1"


def _amount_problems(index: int, step: Step) -> Iterator[tuple[str, str]]:
    for path, problem in characteristic_problems(step.characteristics):
        yield f"steps.{index}.{path}", problem
    if step.kanban is not None and not (step.kanban.is_finite() and step.kanban > ZERO):
        yield f"steps.{index}.kanban", f"{step.kanban} is no amount above 0"
    seen: set[str] = set()
    for number, one in enumerate(step.consumes):
        path = f"steps.{index}.consumes.{number}"
        if not (one.per_piece.is_finite() and one.per_piece >= ZERO):
            yield f"{path}.per_piece", f"{one.per_piece} is no amount of 0 or more"
        if one.unit not in UNITS:
            yield f"{path}.unit", f"'{one.unit}' is no unit code known here"
        if one.material in seen:
            yield f"{path}.material", f"'{one.material}' is consumed here already"
        seen.add(one.material)


def _output_problems(
    index: int, step: Step, material: str
) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for number, one in enumerate(step.produces):
        path = f"steps.{index}.produces.{number}"
        if not (one.per_piece.is_finite() and one.per_piece > ZERO):
            yield f"{path}.per_piece", f"{one.per_piece} is no amount above 0"
        if one.unit not in UNITS:
            yield f"{path}.unit", f"'{one.unit}' is no unit code known here"
        if one.material == material:
            yield f"{path}.material", f"'{material}' is what the routing makes"
        if one.material in seen:
            yield f"{path}.material", f"'{one.material}' is produced here already"
        seen.add(one.material)


def _shape_problems(routing: Routing) -> Iterator[tuple[str, str]]:
    index_of = {step.id: index for index, step in enumerate(routing.steps)}
    entries = [step.id for step in routing.entries]
    if not entries:
        yield "connections", "every step is reached by another: the routing is a cycle"
        return
    if len(entries) > 1:
        for extra in entries[1:]:
            yield (
                f"steps.{index_of[extra]}",
                f"step '{extra}' is not reachable from '{entries[0]}': "
                "connect it, or leave it out",
            )
        return
    reached = {entries[0], *routing.beyond(entries[0])}
    for loop in (one for one in routing.rework if one.source in reached):
        reached |= {loop.target, *routing.beyond(loop.target)}
    for step in routing.steps:
        if step.id not in reached:
            yield (
                f"steps.{index_of[step.id]}",
                f"step '{step.id}' is not reachable from '{entries[0]}'",
            )
    yield from _cycle_problems(routing)


def _cycle_problems(routing: Routing) -> Iterator[tuple[str, str]]:
    waits_for = {step.id: len(routing.reaching(step.id)) for step in routing.steps}
    ready = [step for step, count in waits_for.items() if count == 0]
    done = 0
    while ready:
        done += 1
        for one in routing.leaving(ready.pop()):
            waits_for[one.target] -= 1
            if waits_for[one.target] == 0:
                ready.append(one.target)
    if done < len(routing.steps):
        stuck = sorted(step for step, count in waits_for.items() if count > 0)
        yield (
            "connections",
            f"the steps {', '.join(stuck)} wait for each other: a cycle that is no "
            "declared rework loop",
        )


def _share_problems(routing: Routing) -> Iterator[tuple[str, str]]:
    for index, step in enumerate(routing.steps):
        leaving = routing.leaving(step.id)
        kinds = {one.kind for one in leaving if one.carries_pieces}
        if len(kinds) > 1:
            yield (
                f"steps.{index}",
                f"pieces leave '{step.id}' both by quantity and by alternative",
            )
        shares = [
            one.share
            for one in leaving
            if one.kind is ConnectionKind.QUANTITY and one.share.is_finite()
        ]
        if shares and sum(shares) != 1:
            yield (
                f"steps.{index}",
                f"the shares of the connections out of '{step.id}' add up to "
                f"{sum(shares)}, not to 1",
            )
        if not routing.holds_pieces(step.id) and kinds:
            yield (
                f"steps.{index}",
                f"'{step.id}' is reached by precedence alone: no pieces leave it",
            )


def _loop_problems(routing: Routing) -> Iterator[tuple[str, str]]:
    for index, one in enumerate(routing.rework):
        path = f"rework.{index}"
        if one.limit < 1:
            yield f"{path}.limit", f"{one.limit} is no number of times of 1 or more"
        for end, name in (("source", one.source), ("target", one.target)):
            if not routing.holds_pieces(name):
                yield f"{path}.{end}", f"step '{name}' holds no pieces"
        way = routing.after(one.target) | {one.target}
        if one.source not in way and not way & routing.after(one.source):
            yield (
                f"{path}.target",
                f"no way leads from '{one.target}' back to '{one.source}', or to a "
                "step after it",
            )
        elif one.target in routing.after(one.source):
            yield (
                f"{path}.target",
                f"'{one.target}' comes after '{one.source}': that is no way back",
            )


def _skip_problems(routing: Routing) -> Iterator[tuple[str, str]]:
    for index, step in enumerate(routing.steps):
        sampling, path = step.sampling, f"steps.{index}"
        name = "sampling" if sampling is not None else "is_optional"
        if sampling is not None or step.is_optional:
            is_first = step.id in routing.entry_ids
            if is_first or not routing.holds_pieces(step.id):
                why = "pieces begin there" if is_first else "it holds no pieces"
                yield f"{path}.{name}", f"'{step.id}' cannot be skipped: {why}"
        if sampling is None:
            continue
        if sampling.every < 1:
            yield f"{path}.sampling.every", f"{sampling.every} is no number above 0"
        share = sampling.share
        if share is not None and not (share.is_finite() and ZERO < share <= 1):
            yield f"{path}.sampling.share", f"{share} is no share above 0, up to 1"
        if share is not None and sampling.every != 1:
            yield f"{path}.sampling", "says both 'every' and 'share'"


def _right_problems(routing: Routing) -> Iterator[tuple[str, str]]:
    if routing.deviation is not None and routing.deviation.level < 1:
        yield "deviation.level", f"{routing.deviation.level} is no level"
