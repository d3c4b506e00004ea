"""Commands to a job order: ``POST /job-orders/{id}/{trigger}``, one for each trigger.

The words are the chart's own. What needs nothing said is asserted; the core says
whether it may be.
"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.quantity import ZERO
from mes_engine.core.runs import HoldMode, HoldScope, Lane
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import ID_PATTERN, Amount, Body, Id, Instant, Reason, Text
from mes_engine.web.command_bodies import (
    Endpoint,
    Occurred,
    Word,
    carried_out,
    posts,
)
from mes_engine.web.parts import Parts

_T = JobOrderTrigger

ASSERTED: dict[JobOrderTrigger, str] = {
    _T.RELEASE: "Allow it to start; it enters its work center's queue.",
    _T.REVOKE_START: "Take the permission to start back; it leaves the queue.",
    _T.UNLOAD: "Put it back into the queue; its place on the work unit is free.",
    _T.BEGIN_SETUP: "Begin to set up; setup time counts.",
    _T.COMPLETE: "End it; every piece has been reported and nothing more can come.",
    _T.CLOSE: "Seal it, once the ledger has what it posted.",
    _T.CANCEL: "Give it up before anything was booked.",
    _T.PRECONDITIONS_MET: "Say that its conditions hold; the engine checks them.",
    _T.PRECONDITIONS_LOST: "Say that a condition no longer holds; it is checked.",
    _T.TO_HELD: "Say that a hold fell on it while it was paused; it is checked.",
    _T.TO_SUSPENDED: "Say that every hold on it was released; it is checked.",
}
"""The triggers that need nothing said, and what each does."""

JobOrderId = Annotated[str, Path(pattern=ID_PATTERN, examples=["JO-000012"])]


class ReasonBody(Occurred):
    """Why, if there is something to say."""

    reason: Text = ""


class PlaceBody(Occurred):
    """Where to; the active lane if it is free, unless a lane is named."""

    work_unit: Id
    lane: Word[Lane] | None = None


class LoadBody(PlaceBody):
    """Where to, and how many pieces of a pool this run takes.

    Attributes:
        quantity: Of a step with a job order for each run; as many as the work unit
            takes if not said.
    """

    quantity: Amount | None = None


class BeginBody(Occurred):
    """How many of the queued pieces go in at once."""

    in_process: Amount = ZERO


class ScrapBody(Body):
    """Pieces that are scrap, and why; ``caused_by`` names the step at fault."""

    quantity: Amount
    reason: Reason
    caused_by: Id | None = None


class ReportBody(Occurred):
    """What became of pieces since the last report, in the job order's unit.

    Attributes:
        reason: Why, for what is suspect, lost, tested, or more than was expected.
        taken_from: ``suspect`` disposes of suspect pieces.
        lot: Which of the lots at the step; the oldest first if not said.
        completes: Whether that was all: booked and completed, or neither.
    """

    good: Amount = ZERO
    scrap: list[ScrapBody] = Field(default_factory=list, max_length=50)
    suspect: Amount = ZERO
    lost: Amount = ZERO
    tested: Amount = ZERO
    reason: Text = ""
    taken_from: Word[m.ReportFrom] = m.ReportFrom.WORK
    lot: Id | None = None
    completes: bool = False


class PauseBody(Occurred):
    """Why it is interrupted, and whether it gives up its place."""

    reason: Reason
    gives_up_slot: bool = False


class HoldBody(Occurred):
    """Why it is held."""

    reason: Reason


class ResumeBody(Occurred):
    """Where it goes on, if its place was given up."""

    work_unit: Id | None = None


class StopBody(Occurred):
    """Why it ends early, and what happens to the remainder."""

    remainder: Word[m.Remainder]
    reason: Reason


class AbortBody(Occurred):
    """Why it ends at once; who answers for it, where material was touched."""

    reason: Reason
    in_process: Amount = ZERO
    signature: Text = ""


class UpdateBody(Occurred):
    """Another due date, another priority."""

    due_at: Instant | None = None
    priority: Annotated[int, Field(ge=-1000, le=1000)] | None = None


class SplitBody(Occurred):
    """How much of what is left to do goes to a second job order."""

    quantity: Amount


def job_order_commands_router(parts: Parts) -> APIRouter:
    """Return one route for each trigger of the job order's chart."""
    router = api_router(prefix="/job-orders", tags=["job order commands"])
    _add_asserted(router, parts)
    _add_placing(router, parts)
    _add_working(router, parts)
    _add_ending(router, parts)
    return router


def _add_asserted(router: APIRouter, parts: Parts) -> None:
    post = posts(router)
    for trigger, told in ASSERTED.items():
        post(
            f"/{{job_order}}/{trigger}", name=f"{trigger}_job_order", description=told
        )(_asserting(parts, trigger))


def _add_placing(router: APIRouter, parts: Parts) -> None:
    post, sent = posts(router), partial(carried_out, parts)

    @post("/{job_order}/load")
    async def load_job_order(
        job_order: JobOrderId, body: LoadBody, sender: CommandSender
    ) -> Response:
        """Claim a place on a work unit for it; of a pool, for the part that runs.

        The answer names the job order that is loaded: of a pool, that of the run.
        """
        command = m.LoadJobOrder(
            job_order=job_order,
            work_unit=body.work_unit,
            lane=body.lane,
            quantity=body.quantity,
        )
        return await sent(sender, command, body)

    @post("/{job_order}/move_to")
    async def move_job_order(
        job_order: JobOrderId, body: PlaceBody, sender: CommandSender
    ) -> Response:
        """Go on at another work unit."""
        command = m.MoveJobOrder(
            job_order=job_order, work_unit=body.work_unit, lane=body.lane
        )
        return await sent(sender, command, body)

    @post("/{job_order}/split")
    async def split_job_order(
        job_order: JobOrderId, body: SplitBody, sender: CommandSender
    ) -> Response:
        """Have another work unit do a part of it, in parallel."""
        command = m.SplitJobOrder(job_order=job_order, quantity=body.quantity)
        return await sent(sender, command, body)

    @post("/{job_order}/update")
    async def update_job_order(
        job_order: JobOrderId, body: UpdateBody, sender: CommandSender
    ) -> Response:
        """Change its due date or its priority."""
        command = m.UpdateJobOrder(
            job_order=job_order, due_at=body.due_at, priority=body.priority
        )
        return await sent(sender, command, body)


def _add_working(router: APIRouter, parts: Parts) -> None:
    post, sent = posts(router), partial(carried_out, parts)

    @post("/{job_order}/begin")
    async def begin_job_order(
        job_order: JobOrderId, sender: CommandSender, body: BeginBody | None = None
    ) -> Response:
        """Begin to process; machine time counts."""
        command = m.BeginJobOrder(
            job_order=job_order, in_process=ZERO if body is None else body.in_process
        )
        return await sent(sender, command, body)

    @post("/{job_order}/report")
    async def report_job_order(
        job_order: JobOrderId, body: ReportBody, sender: CommandSender
    ) -> Response:
        """Say what became of pieces: good, scrap, suspect, lost, tested."""
        command = m.ReportQuantity(
            job_order=job_order,
            good=body.good,
            scrap=tuple(
                m.Scrapped(
                    quantity=one.quantity,
                    reason=one.reason,
                    caused_by=one.caused_by or "",
                )
                for one in body.scrap
            ),
            suspect=body.suspect,
            lost=body.lost,
            completes=body.completes,
            tested=body.tested,
            reason=body.reason,
            taken_from=body.taken_from,
            lot=body.lot,
        )
        return await sent(sender, command, body)

    @post("/{job_order}/pause")
    async def pause_job_order(
        job_order: JobOrderId, body: PauseBody, sender: CommandSender
    ) -> Response:
        """Interrupt it; times close."""
        command = m.PauseJobOrder(
            job_order=job_order, reason=body.reason, gives_up_slot=body.gives_up_slot
        )
        return await sent(sender, command, body)

    @post("/{job_order}/hold")
    async def hold_job_order(
        job_order: JobOrderId, body: HoldBody, sender: CommandSender
    ) -> Response:
        """Open a hold on it that stops work at once."""
        command = m.OpenHold(
            scope=HoldScope.JOB_ORDER,
            target=job_order,
            reason=body.reason,
            mode=HoldMode.STOP_NOW,
        )
        return await sent(sender, command, body)

    @post("/{job_order}/resume")
    async def resume_job_order(
        job_order: JobOrderId, sender: CommandSender, body: ResumeBody | None = None
    ) -> Response:
        """Go on after an interruption; times open."""
        command = m.ResumeJobOrder(
            job_order=job_order, work_unit=None if body is None else body.work_unit
        )
        return await sent(sender, command, body)


def _add_ending(router: APIRouter, parts: Parts) -> None:
    post, sent = posts(router), partial(carried_out, parts)

    @post("/{job_order}/stop")
    async def stop_job_order(
        job_order: JobOrderId, body: StopBody, sender: CommandSender
    ) -> Response:
        """End it early."""
        command = m.StopJobOrder(
            job_order=job_order, remainder=body.remainder, reason=body.reason
        )
        return await sent(sender, command, body)

    @post("/{job_order}/abort")
    async def abort_job_order(
        job_order: JobOrderId, body: AbortBody, sender: CommandSender
    ) -> Response:
        """End it at once; what is in process becomes suspect."""
        command = m.AbortJobOrder(
            job_order=job_order,
            reason=body.reason,
            in_process=body.in_process,
            signature=body.signature,
        )
        return await sent(sender, command, body)


def _asserting(parts: Parts, trigger: JobOrderTrigger) -> Endpoint:
    async def assert_trigger(
        job_order: JobOrderId, sender: CommandSender, body: ReasonBody | None = None
    ) -> Response:
        command = m.AssertTrigger(
            job_order=job_order,
            trigger=trigger,
            reason="" if body is None else body.reason,
        )
        return await carried_out(parts, sender, command, body)

    return assert_trigger
