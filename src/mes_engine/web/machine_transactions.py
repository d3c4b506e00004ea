"""What machines asked for by themselves over HTTP, and what they are alarmed about."""

from fastapi import APIRouter, Response

from mes_engine.core.alarms import Alarm
from mes_engine.core.machine_rules import HandshakeRule, MachineAction
from mes_engine.core.messages import ChangeOver
from mes_engine.core.signals import (
    HandshakePhase,
    HandshakeState,
    MachineTransaction,
    TransactionOutcome,
)
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import At, Id, View
from mes_engine.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, number_of_cursor
from mes_engine.web.command_bodies import Occurred, carried_out, posts
from mes_engine.web.history import is_one, page, table_of
from mes_engine.web.parts import Parts


class AlarmView(View):
    """Something about a machine that is so now; severity 1 to 1000."""

    id: str
    work_unit: str
    code: str
    severity: int
    text: str
    raised_at: At


class HandshakeView(View):
    """A handshake of a machine, and how far its transaction in hand has come.

    Attributes:
        is_late: The request was acknowledged, and has not fallen in time.
    """

    id: str
    work_unit: str
    link: str
    does: MachineAction
    request: str
    ack: str
    phase: HandshakePhase
    boot: str
    key: str
    outcome: TransactionOutcome | None
    since: At | None
    is_late: bool

    @classmethod
    def of(cls, parts: Parts, rule: HandshakeRule) -> "HandshakeView":
        """Show what is known of a handshake."""
        known = parts.state.handshake.get(rule.id) or HandshakeState(id=rule.id)
        return cls(
            id=rule.id,
            work_unit=rule.work_unit,
            link=rule.link,
            does=rule.does,
            request=rule.request,
            ack=rule.ack,
            phase=known.phase,
            boot=known.boot,
            key=known.key,
            outcome=known.outcome,
            since=known.since or None,
            is_late=known.is_late,
        )


class MachineTransactionView(View):
    """One thing that a machine asked for: what it gave, and what became of it."""

    seq: int
    rule: str
    work_unit: str
    link: str
    boot: str
    key: str
    does: MachineAction
    outcome: TransactionOutcome
    job_order: str
    given: dict[str, str]
    message: str
    hint: str
    unmet: list[str]
    at: At


def open_alarms(parts: Parts, work_unit: str | None = None) -> list[Alarm]:
    """Return what is so now, the gravest first."""
    found = (
        (one for one in parts.state.alarm.values() if one.is_open)
        if work_unit is None
        else parts.state.alarm.find("work_unit", work_unit)
    )
    return sorted(found, key=lambda one: (-one.severity, one.raised_at, one.id))


def machine_transactions_router(parts: Parts) -> APIRouter:
    """Return the routes of what machines do by themselves."""
    router = api_router(tags=["machines"])
    post = posts(router)

    @router.get("/alarms")
    async def list_alarms(work_unit: Id | None = None) -> list[AlarmView]:
        """List the alarms that are open, the gravest first."""
        return [AlarmView.model_validate(one) for one in open_alarms(parts, work_unit)]

    @router.get("/handshakes")
    async def list_handshakes(work_unit: Id | None = None) -> list[HandshakeView]:
        """List the handshakes of the plant, each with its transaction in hand."""
        return [
            HandshakeView.of(parts, rule)
            for rule in parts.state.site.plant.handshakes
            if work_unit in {None, rule.work_unit}
        ]

    @router.get("/machine-transactions")
    async def list_machine_transactions(
        *,
        work_unit: Id | None = None,
        outcome: TransactionOutcome | None = None,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[MachineTransactionView]:
        """List what machines asked for, the newest first; a refusal with its reason."""
        columns = table_of("machine_transaction").c
        before = [columns.seq < number_of_cursor(cursor)] if cursor else []
        return await page(
            parts.database,
            "machine_transaction",
            *before,
            *is_one(columns.work_unit, work_unit),
            *is_one(columns.outcome, outcome),
            partition=parts.state.partition,
            by=columns.seq.desc(),
            key=_seq,
            shown=MachineTransactionView.model_validate,
            limit=limit,
        )

    @post("/work-units/{work_unit}/changeover")
    async def change_over_work_unit(
        work_unit: Id, sender: CommandSender, body: Occurred | None = None
    ) -> Response:
        """Begin what is staged there, in the place of what is active."""
        return await carried_out(parts, sender, ChangeOver(work_unit=work_unit), body)

    return router


def _seq(one: MachineTransaction) -> int:
    return one.seq
