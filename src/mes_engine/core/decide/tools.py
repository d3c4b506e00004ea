"""Tools: registered, mounted, claimed by runs, worn by what is worked with them."""

from decimal import Decimal
from typing import Any

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.assets import AssetState, LifeUnit, PhysicalAsset, ToolUse
from mes_engine.core.bookings import Booking
from mes_engine.core.decide.draft import Draft
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.job_order import JobOrder
from mes_engine.core.means import TOOL_CRIB, tool_need, tools_at
from mes_engine.core.messages import (
    MountTool,
    RegisterAsset,
    ReturnTool,
    UnmountTool,
    WithdrawTool,
)
from mes_engine.core.plant import WorkUnit
from mes_engine.core.quantity import MAX_QUANTITY, ZERO
from mes_engine.core.readiness import step_of
from mes_engine.core.runs import Run

replace = msgspec.structs.replace


def register(draft: Draft, command: RegisterAsset) -> dict[str, str]:
    """Know a tool, or correct what is known of it."""
    has_life = command.life_unit is not LifeUnit.NONE
    if has_life is not (command.life > ZERO) or command.life > MAX_QUANTITY:
        raise Malformed(
            f"{command.asset} with a life of {command.life} {command.life_unit}.",
            hint="Give a 'life' with 'pieces' or 'uses', and none without.",
        )
    known = draft.state.physical_asset.get(command.asset)
    fields: dict[str, Any] = {
        "asset_class": command.asset_class,
        "name": command.name,
        "crib": command.crib,
        "life_unit": command.life_unit,
        "life": command.life,
    }
    if known is None:
        asset = PhysicalAsset(id=command.asset, **fields)
    else:
        if known.run is not None and known.asset_class != command.asset_class:
            raise _in_use(draft, known, "become another class")
        asset = replace(known, **fields)
        draft.touch_needing(tool_need(known.asset_class))
    if asset != known:
        draft.emit(f.AssetRegistered(asset=asset))
        draft.touch_needing(tool_need(asset.asset_class))
    return {"asset": asset.id, "state": asset.state.value}


def mount(draft: Draft, command: MountTool) -> dict[str, str]:
    """Bring a tool to a work unit, for what is loaded there or comes later."""
    asset = _asset(draft, command.asset)
    unit = draft.state.site.work_unit(command.work_unit)
    if asset.run is not None:
        raise _in_use(draft, asset, f"be mounted at {unit.id}")
    if not asset.is_usable:
        raise Refused(
            f"{asset.id} cannot be mounted: {asset.told}.",
            hint=f"Can be mended by: {TOOL_CRIB}.",
            unmet=[f"tool_available: {asset.told}"],
        )
    run = _run_in_need(draft, unit, asset)
    _change(draft, asset, work_unit=unit.id, run=None if run is None else run.id)
    return {"asset": asset.id, "work_unit": unit.id}


def unmount(draft: Draft, command: UnmountTool) -> dict[str, str]:
    """Bring a tool back to its crib."""
    asset = _asset(draft, command.asset)
    if asset.work_unit is None:
        raise Refused(f"{asset.id} is in {asset.crib} already.")
    if asset.run is not None and asset.is_usable:
        raise _in_use(draft, asset, "be unmounted")
    _change(draft, asset, work_unit=None, run=None)
    return {"asset": asset.id, "crib": asset.crib}


def withdraw(draft: Draft, command: WithdrawTool) -> dict[str, str]:
    """Let no more work be done with a tool; a run that has it goes on to its end."""
    asset = _asset(draft, command.asset)
    if command.state is AssetState.AVAILABLE or not command.reason.strip():
        raise Malformed(
            f"{asset.id} is withdrawn as worn, in calibration or withdrawn, and why.",
            hint="Say 'state' and 'reason'.",
        )
    _change(draft, asset, state=command.state, reason=command.reason)
    return {"asset": asset.id, "state": command.state.value}


def give_back(draft: Draft, command: ReturnTool) -> dict[str, str]:
    """Let a tool be worked with again."""
    asset = _asset(draft, command.asset)
    used = ZERO if command.renews_life else asset.used
    is_used_up = replace(asset, used=used).is_used_up
    if is_used_up:
        raise Refused(
            f"{asset.id} has nothing left of its life.",
            hint="Say that its life is renewed, if it was reground.",
            unmet=[f"tool_available: {asset.used} of {asset.life} {asset.life_unit}"],
        )
    renewed = draft.next_seq if command.renews_life else asset.renewed
    reason = command.reason
    changed = replace(asset, state=AssetState.AVAILABLE, used=used, reason=reason)
    _set(draft, replace(changed, renewed=renewed))
    return {"asset": asset.id, "state": AssetState.AVAILABLE.value}


def chosen_tools(draft: Draft, job: JobOrder, unit: WorkUnit) -> list[PhysicalAsset]:
    """Return the tools to work with at ``unit``, free or the job order's own.

    Raises:
        Refused: One is missing.
    """
    chosen, why = tools_at(draft.state, job, unit)
    if why:
        raise Refused(
            f"{job.id} cannot be loaded on {unit.id}: {why}.",
            hint=f"Can be mended by: {TOOL_CRIB}.",
            unmet=[f"tool_available: {why}"],
        )
    return chosen


def claim_tools(draft: Draft, chosen: list[PhysicalAsset], run: Run) -> None:
    """Let the run have these tools, at its work unit, and nobody else."""
    for one in chosen:
        asset = _asset(draft, one.id)
        _change(draft, asset, work_unit=run.work_unit, run=run.id)


def free_tools(draft: Draft, job: JobOrder, run: Run) -> None:
    """Let the tools of a run go; one that was worked with has one use less."""
    if not job.needs:
        return
    for asset in draft.state.physical_asset.find("run", run.id):
        counts = asset.life_unit is LifeUnit.USES and run.begun_at is not None
        _wear(draft, asset, Decimal(1) if counts else ZERO, run=None)


def wear_tools(draft: Draft, job: JobOrder, pieces: Decimal) -> None:
    """Count pieces on the lives of the tools that they were worked with."""
    if not job.needs or job.run is None:
        return
    for asset in draft.state.physical_asset.find("run", job.run):
        if asset.life_unit is LifeUnit.PIECES:
            _wear(draft, asset, pieces, run=asset.run)


def unwear_tools(draft: Draft, booking: Booking) -> None:
    """Take pieces that are taken back off the lives of the tools that they wore.

    What was worn in a life that is over says nothing of the one that a tool is in. A
    tool that only these pieces had used up may be worked with again.
    """
    for name in booking.tools:
        asset = draft.state.physical_asset.get(name)
        if asset is None or asset.renewed > booking.seq:
            continue
        is_used_up = asset.state is AssetState.WORN and asset.reason == _spent(asset)
        worn = replace(asset, used=max(asset.used - booking.total, ZERO))
        if is_used_up and not worn.is_used_up:
            worn = replace(worn, state=AssetState.AVAILABLE, reason="")
        _set(draft, worn)


def _spent(asset: PhysicalAsset) -> str:
    return f"{asset.used} of {asset.life} {asset.life_unit}"


def _wear(
    draft: Draft, asset: PhysicalAsset, used: Decimal, *, run: str | None
) -> None:
    worn = replace(asset, used=asset.used + used, run=run)
    if worn.is_used_up and worn.state is AssetState.AVAILABLE:
        worn = replace(worn, state=AssetState.WORN, reason=_spent(worn))
    if asset.is_usable == worn.is_usable and asset.run == worn.run:
        draft.emit(f.AssetChanged(asset=worn))  # Nobody's readiness is another.
    else:
        _set(draft, worn)


def _change(draft: Draft, asset: PhysicalAsset, **changes: Any) -> None:
    _set(draft, replace(asset, **changes))


def _set(draft: Draft, asset: PhysicalAsset) -> None:
    known = draft.state.physical_asset.get(asset.id)
    draft.emit(f.AssetChanged(asset=asset))
    if known is None or known.run != asset.run:
        _note_use(draft, asset)
    draft.touch_needing(tool_need(asset.asset_class))


def _note_use(draft: Draft, asset: PhysicalAsset) -> None:
    """Write down which run has the tool from now on, and which has it no more."""
    for use in draft.state.tool_use.find("asset", asset.id):
        at = max(draft.at, use.claimed_at)
        freed = replace(use, freed_at=at, freed_seq=draft.next_seq)
        draft.emit(f.ToolUsed(use=freed))
    run = None if asset.run is None else draft.state.run.get(asset.run)
    if run is not None:
        use = ToolUse(
            seq=draft.next_seq,
            asset=asset.id,
            asset_class=asset.asset_class,
            run=run.id,
            work_unit=run.work_unit,
            job_orders=run.job_orders,
            claimed_at=max(draft.at, run.opened_at),
        )
        draft.emit(f.ToolUsed(use=use))


def _run_in_need(draft: Draft, unit: WorkUnit, asset: PhysicalAsset) -> Run | None:
    """Return the run at ``unit`` that lacks a tool of the asset's class."""
    for run in draft.state.run.find("work_unit", unit.id):
        steps = (step_of(draft.state, draft.job(one)) for one in run.job_orders)
        wanted = max(step.tools.count(asset.asset_class) for step in steps)
        had = [
            one
            for one in draft.state.physical_asset.find("run", run.id)
            if one.asset_class == asset.asset_class
        ]
        if len(had) < wanted:
            return run
    return None


def _in_use(draft: Draft, asset: PhysicalAsset, what: str) -> Refused:
    run = None if asset.run is None else draft.state.run.get(asset.run)
    whose = "a run" if run is None else f"{', '.join(run.job_orders)} ({run.person})"
    return Refused(
        f"{asset.id} cannot {what}: {whose} has it at {asset.work_unit}.",
        hint="Unload the job order, or withdraw the tool first.",
    )


def _asset(draft: Draft, name: str) -> PhysicalAsset:
    asset = draft.state.physical_asset.get(name)
    if asset is None:
        raise NotFound(f"There is no tool '{name}'.", hint="Register it first.")
    return asset
