"""The plant: another one, as far as what is at work keeps its place."""

from operator import attrgetter

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide import limits
from mes_engine.core.decide.carrier_types import keep_types_in_use
from mes_engine.core.decide.draft import Draft
from mes_engine.core.equipment import Equipment, OperationMode
from mes_engine.core.errors import Refused
from mes_engine.core.job_order import AT_WORK, JobOrder
from mes_engine.core.messages import ApplyPlant
from mes_engine.core.plant import Plant, SignalMeaning, WorkUnit
from mes_engine.core.signals import SignalState, set_value
from mes_engine.core.site import Site

replace = msgspec.structs.replace
_OF_THE_MACHINE = frozenset({SignalMeaning.STATE, SignalMeaning.MODE})


def apply_plant(draft: Draft, command: ApplyPlant) -> dict[str, str]:
    """Work with this plant from now on.

    Raises:
        Refused: It leaves out a work unit that something is loaded on, or the type of a
            carrier that something is in.
    """
    known = next(draft.state.plant.values(), None)
    if known is not None and known.site != command.plant.site:
        raise Refused(f"This is site '{known.site}', not '{command.plant.site}'.")
    if known is not None:
        _keep_what_is_loaded(draft, known, Site(command.plant))
        keep_types_in_use(draft.state, command.plant)
    if known != command.plant:
        draft.emit(f.PlantApplied(plant=command.plant))
        limits.plant_applied(draft, known)
        _forget_what_nothing_tells(draft, known)
        centers = [*command.plant.work_centers, *(known.work_centers if known else ())]
        for center in dict.fromkeys(one.id for one in centers):
            for job in draft.state.job_order.find("live_at", center):
                draft.touch(job.id)
    return {"site": command.plant.site}


def _keep_what_is_loaded(draft: Draft, known: Plant, after: Site) -> None:
    """Refuse a plant that takes the place away from what is at work."""
    for unit in known.work_units:
        for run in draft.state.run.find("work_unit", unit.id):
            for name in run.job_orders:
                _keep_its_place(draft.job(name), unit, after)
    for center in known.work_centers:
        at_work = [
            job.id
            for job in draft.state.job_order.find("live_at", center.id)
            if job.state in AT_WORK
        ]
        if center.id not in after.work_centers and at_work:
            raise Refused(
                f"{center.id} cannot be removed: {at_work[0]} is begun there.",
                hint="Complete or stop it first.",
            )


def _keep_its_place(job: JobOrder, unit: WorkUnit, after: Site) -> None:
    if unit.id not in after.work_units:
        raise Refused(
            f"{unit.id} cannot be removed: {job.id} is loaded on it.",
            hint="Unload it, or leave the work unit in the plant.",
        )
    capable = after.capable_units(job.work_center, job.equipment_class)
    if unit.id not in {one.id for one in capable}:
        raise Refused(
            f"{unit.id} cannot leave {job.work_center} or lose the class "
            f"{job.equipment_class}: {job.id} is loaded on it.",
            hint="Unload it first.",
        )


def _forget_what_nothing_tells(draft: Draft, known: Plant | None) -> None:
    """Know nothing of a machine that no signal tells of any more.

    When the signal is there again, what it says is news, though it be the same.
    """
    told = {
        (one.work_unit, one.means): one.tag for one in draft.state.site.plant.signals
    }
    units = {one for one, _ in told}
    for one in () if known is None else known.signals:
        is_told = told.get((one.work_unit, one.means)) == one.tag
        if one.means in _OF_THE_MACHINE and not is_told:
            _forget_signal(draft, one.tag)
    for equipment in sorted(
        draft.state.equipment.values(), key=attrgetter("work_unit")
    ):
        name, now = equipment.work_unit, equipment
        if name not in units:
            now = Equipment(work_unit=name, setup=equipment.setup)
        if (name, SignalMeaning.STATE) not in told:
            now = replace(now, item_state=None, word="", since=0, map_version="")
        if (name, SignalMeaning.MODE) not in told:
            now = replace(now, mode=OperationMode.NONE)
        if now != equipment:
            draft.emit(f.EquipmentChanged(equipment=now))


def _forget_signal(draft: Draft, tag: str) -> None:
    if draft.state.signal.get(tag) is not None:
        draft.emit(f.SignalRead(signal=SignalState(tag=tag, at=draft.at)))
    watch = draft.state.signal_watch.get(f"{tag}/state")
    if watch is not None:
        draft.emit(f.SignalWatched(watch=set_value(watch, "", at=draft.at)))
