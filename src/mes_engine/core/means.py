"""What work needs besides material and machine: tools, people and documents.

*Available* asks whether there is some combination at all; what one machine, one person
and the tools at hand can do is asked when a job order is loaded there.
"""

import msgspec

from mes_engine.core.assets import PhysicalAsset
from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.job_order import JobOrder
from mes_engine.core.personnel import QualificationNeed
from mes_engine.core.plant import WorkUnit
from mes_engine.core.state import State
from mes_engine.core.steps import Step

TOOL_CRIB = "the tool crib"
TRAINER = "the supervisor"
DOCUMENT_CONTROL = "document control"


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for a trigger, and when.

    Attributes:
        person: Empty where a machine does it: then whoever loaded the job order counts.
    """

    person: str
    at: int


def needs_of(step: Step) -> tuple[str, ...]:
    """Return what a job order at ``step`` is found by when its means change."""
    qualification = step.qualification
    return (
        *(tool_need(one) for one in step.tools),
        *(document_need(one) for one in step.documents),
        *(() if qualification is None else (qualification_need(qualification.name),)),
    )


def tool_need(asset_class: str) -> str:
    """Return what a step that needs a tool of the class is found by."""
    return f"tool:{asset_class}"


def document_need(document: str) -> str:
    """Return what a step that is worked by the document is found by."""
    return f"document:{document}"


def qualification_need(name: str) -> str:
    """Return what a step that asks for the qualification is found by."""
    return f"qualification:{name}"


def means(
    state: State, job: JobOrder, *, at: int | None = None
) -> tuple[Condition, ...]:
    """Return the conditions of what the job order's step names, and of nothing else."""
    if not job.needs:
        return ()
    step = _step(state, job)
    found = []
    if step.tools:
        found.append(tool_available(state, job))
    if step.qualification is not None:
        found.append(person_qualified(state, job, at=at))
    if step.documents:
        found.append(document_released(state, job))
    return tuple(found)


def tool_available(state: State, job: JobOrder, *, is_free: bool = False) -> Condition:
    """Whether its tools are fit for work: those it has claimed, or some at a work unit.

    Args:
        state: Where to look.
        job: Whose tools.
        is_free: Whether those that other runs have do not count.
    """
    name = ConditionName.TOOL_AVAILABLE
    classes = () if not job.needs else _step(state, job).tools
    if not classes:
        return _met(name)
    if job.run is not None:
        claimed = state.physical_asset.find("run", job.run)
        lacking = _lacking(job, claimed, classes)
        return _condition(name, lacking, TOOL_CRIB) if lacking else _met(name)
    units = state.site.capable_units(job.work_center, job.equipment_class)
    told: dict[str, None] = {}
    for unit in units:
        _, why = tools_at(state, job, unit, is_free=is_free)
        if not why:
            return _met(name)
        told[why] = None
    return _condition(name, "; ".join(told), TOOL_CRIB) if told else _met(name)


def tools_at(
    state: State, job: JobOrder, unit: WorkUnit, *, is_free: bool = True
) -> tuple[list[PhysicalAsset], str]:
    """Return the tools that the job order would be worked with at ``unit``.

    What is mounted there goes before what is in the crib; then the one used most, so
    that tools are worn out one after the other.

    Returns:
        One of each class, and why not, for the first class that lacks one.
    """
    chosen: list[PhysicalAsset] = []
    classes = () if not job.needs else _step(state, job).tools
    for asset_class in classes:
        known = state.physical_asset.find("class", asset_class)
        fit = [
            one
            for one in known
            if one.is_usable
            and one not in chosen
            and (one.work_unit in {None, unit.id} or _is_its_own(one, job))
            and (one.run is None or not is_free or _is_its_own(one, job))
        ]
        if not fit:
            return [], _none_of(asset_class, known, unit)
        fit.sort(key=lambda one: (one.work_unit != unit.id, -one.used, one.id))
        chosen.append(fit[0])
    return chosen, ""


def _is_its_own(asset: PhysicalAsset, job: JobOrder) -> bool:
    return asset.run is not None and asset.run == job.run


def _lacking(
    job: JobOrder, claimed: list[PhysicalAsset], classes: tuple[str, ...]
) -> str:
    left = list(claimed)
    for asset_class in classes:
        mine = [one for one in left if one.asset_class == asset_class]
        if not mine:
            return f"{job.id} has no {asset_class}: mount one at its work unit"
        left.remove(mine[0])
    return "; ".join(one.told for one in claimed if not one.is_usable)


def _none_of(asset_class: str, known: list[PhysicalAsset], unit: WorkUnit) -> str:
    if not known:
        return f"there is no {asset_class}"
    told = (
        one.told
        or (
            f"{one.id} is in use at {one.work_unit}"
            if one.run is not None
            else f"{one.id} is mounted at {one.work_unit}"
        )
        for one in known
    )
    return f"no {asset_class} for {unit.id}: {', '.join(told)}"


def person_qualified(
    state: State, job: JobOrder, *, at: int | None = None
) -> Condition:
    """Whether there is somebody who may do it."""
    name = ConditionName.PERSON_QUALIFIED
    need = None if not job.needs else _step(state, job).qualification
    if need is None:
        return _met(name)
    for person in state.person.find("qualification", need.name):
        if not person.lacks(need, at):
            return _met(name)
    told = f"nobody has the qualification '{need.name}' at level {need.level}"
    return _condition(name, told, TRAINER)


def asker_qualified(state: State, job: JobOrder, asker: Asker) -> Condition:
    """Whether the person who does it may do it."""
    name = ConditionName.PERSON_QUALIFIED
    need = None if not job.needs else _step(state, job).qualification
    if need is None:
        return _met(name)
    run = None if job.run is None else state.run.get(job.run)
    who = asker.person or ("" if run is None else run.person)
    person = state.person.get(who)
    if person is None:
        told = f"{who or 'nobody'} is not known to have '{need.name}'"
        return _condition(name, told, TRAINER)
    lack = person.lacks(need, asker.at)
    return _condition(name, lack, TRAINER) if lack else _met(name)


def lacks(state: State, need: QualificationNeed | None, who: str, at: int) -> str:
    """Say why a person does not meet what is asked for; empty if it is met."""
    if need is None:
        return ""
    person = state.person.get(who)
    if person is None:
        return f"'{who}' is not known to have '{need.name}'"
    return person.lacks(need, at)


def document_released(state: State, job: JobOrder) -> Condition:
    """Whether every document that its step is worked by is released."""
    name = ConditionName.DOCUMENT_RELEASED
    documents = () if not job.needs else _step(state, job).documents
    told = []
    for one in documents:
        known = state.document.get(one)
        if known is None:
            told.append(f"{one} has not been released")
        elif not known.is_released:
            why = f": {known.reason}" if known.reason else ""
            told.append(f"{one} {known.revision} was withdrawn{why}")
    return _condition(name, "; ".join(told), DOCUMENT_CONTROL) if told else _met(name)


def combination(
    state: State, job: JobOrder, unit: WorkUnit, asker: Asker
) -> tuple[Condition, ...]:
    """Return what speaks against this person's loading it at this work unit now."""
    if not job.needs:
        return ()
    found = [asker_qualified(state, job, asker)]
    _, why = tools_at(state, job, unit)
    if why:
        found.append(_condition(ConditionName.TOOL_AVAILABLE, why, TOOL_CRIB))
    return tuple(one for one in found if not one.is_met)


def _step(state: State, job: JobOrder) -> Step:
    routing = state.routing.get((job.routing, job.revision))
    if routing is None:
        raise LookupError(f"{job.id} was stored with a routing that is not there")
    return routing.step(job.step)


def _met(name: ConditionName) -> Condition:
    return _MET[name]


_MET = {
    name: Condition(name=name, is_met=True, why="", mender="")
    for name in (
        ConditionName.TOOL_AVAILABLE,
        ConditionName.PERSON_QUALIFIED,
        ConditionName.DOCUMENT_RELEASED,
    )
}


def _condition(name: ConditionName, why: str, mender: str) -> Condition:
    return Condition(name=name, is_met=False, why=why, mender=mender)
