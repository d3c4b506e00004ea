"""Ways that pieces take besides the straight one, as commands to a job order."""

from functools import partial

from fastapi import APIRouter, Response

from mes_engine.core import messages as m
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import Amount, Id, Reason
from mes_engine.web.command_bodies import Occurred, Word, carried_out, posts
from mes_engine.web.job_order_commands import JobOrderId
from mes_engine.web.parts import Parts


class ReworkBody(Occurred):
    """How many pieces go back, by which loop of the routing, and why.

    Attributes:
        lot: Whose pieces; the oldest lot's first if not said.
        taken_from: ``work`` (in process, then queued), ``suspect``, or ``out``:
            reported good, and waiting to move.
    """

    quantity: Amount
    loop: Id
    reason: Reason
    lot: Id | None = None
    taken_from: Word[m.ReworkFrom] = m.ReworkFrom.WORK


class DeviationBody(Occurred):
    """Which step pieces go to, how many, and why.

    Attributes:
        quantity: All that are there if not said.
        lot: Whose pieces; the oldest lot's first if not said.
        taken_from: As for rework.
    """

    to_step: Id
    reason: Reason
    quantity: Amount | None = None
    lot: Id | None = None
    taken_from: Word[m.ReworkFrom] = m.ReworkFrom.WORK


class SkipBody(Occurred):
    """Why the step is skipped."""

    reason: Reason


def rework_router(parts: Parts) -> APIRouter:
    """Return the routes."""
    router = api_router(prefix="/job-orders", tags=["job order commands"])
    post, sent = posts(router), partial(carried_out, parts)

    @post("/{job_order}/rework")
    async def send_to_rework(
        job_order: JobOrderId, body: ReworkBody, sender: CommandSender
    ) -> Response:
        """Send pieces back to be worked again; the answer names where they wait."""
        command = m.SendToRework(
            job_order=job_order,
            quantity=body.quantity,
            loop=body.loop,
            reason=body.reason,
            lot=body.lot,
            taken_from=body.taken_from,
        )
        return await sent(sender, command, body)

    @post("/{job_order}/skip")
    async def skip_step(
        job_order: JobOrderId, body: SkipBody, sender: CommandSender
    ) -> Response:
        """Let its pieces go past its step, which has to be an optional one."""
        command = m.SkipStep(job_order=job_order, reason=body.reason)
        return await sent(sender, command, body)

    @post("/{job_order}/deviate")
    async def deviate_lot(
        job_order: JobOrderId, body: DeviationBody, sender: CommandSender
    ) -> Response:
        """Send pieces another way than the routing's; the answer names where to."""
        command = m.DeviateLot(
            job_order=job_order,
            to_step=body.to_step,
            reason=body.reason,
            quantity=body.quantity,
            lot=body.lot,
            taken_from=body.taken_from,
        )
        return await sent(sender, command, body)

    return router
