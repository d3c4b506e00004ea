"""Labour over HTTP: sign on, sign off, and who is on a work unit."""

from decimal import Decimal

from fastapi import APIRouter, Response
from sqlalchemy import Connection, or_

from mes_engine.core.labour import LabourInterval
from mes_engine.core.messages import BookLabour, SignOffPerson, SignOnPerson
from mes_engine.core.quantity import MILLION
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import At, Decimals, Id, Instant, Reason, Text, View
from mes_engine.storage.journal import head
from mes_engine.web.command_bodies import Occurred, carried_out, posts
from mes_engine.web.history import found, table_of
from mes_engine.web.parts import Parts


class SignBody(Occurred):
    """Who, if not the one who says so; on which run, if not on all there."""

    person: Text = ""
    run: Id | None = None


class LateBody(Occurred):
    """Who had worked on a run, when, and why it is told only now."""

    run: Id
    started_at: Instant
    ended_at: Instant
    reason: Reason
    person: Text = ""


class WorkView(View):
    """A run that a person is on; ``labour_s`` is its part of the person's time.

    Attributes:
        since: Up to when it has been booked.
    """

    run: str
    job_orders: list[str]
    started_at: At
    since: At
    labour_s: Decimals


class SignedOnView(View):
    """A person who is on a work unit, or on one run there."""

    id: str
    person: str
    run: str | None
    signed_on_at: At
    works_on: list[WorkView]


def labour_router(parts: Parts) -> APIRouter:
    """Return the routes of labour."""
    router = api_router(prefix="/work-units", tags=["labour"])
    post = posts(router)

    @router.get("/{work_unit}/people")
    async def list_people_of_work_unit(work_unit: Id) -> list[SignedOnView]:
        """List who is on a work unit now, and on which of its runs."""
        return people_at(parts, parts.state.site.work_unit(work_unit).id)

    @post("/{work_unit}/sign-on")
    async def sign_on(
        work_unit: Id, sender: CommandSender, body: SignBody | None = None
    ) -> Response:
        """Be on a run, or on all that the work unit works on from now on."""
        said = SignBody() if body is None else body
        command = SignOnPerson(work_unit=work_unit, person=said.person, run=said.run)
        return await carried_out(parts, sender, command, body)

    @post("/{work_unit}/sign-off")
    async def sign_off(
        work_unit: Id, sender: CommandSender, body: SignBody | None = None
    ) -> Response:
        """Be on it no more; if that is told late, since ``occurred_at``.

        What was booked after that goes to what else the person was on.
        """
        said = SignBody() if body is None else body
        person, now = said.person or sender.person, parts.clock()
        known, known_seq = await parts.database.read(
            lambda connection: _times(parts, connection, person, said.at(now), now)
        )
        command = SignOffPerson(
            work_unit=work_unit,
            person=said.person,
            run=said.run,
            known=known,
            known_seq=known_seq,
        )
        return await carried_out(parts, sender, command, body)

    @post("/{work_unit}/labour")
    async def book_labour(
        work_unit: Id, body: LateBody, sender: CommandSender
    ) -> Response:
        """Say late that a person had worked on a run, also on one that is over.

        It is shared with what else the person was on then.
        """
        parts.state.site.work_unit(work_unit)
        person = body.person or sender.person
        began, ended = body.started_at, body.ended_at
        known, known_seq = await parts.database.read(
            lambda connection: _times(parts, connection, person, began, ended)
        )
        command = BookLabour(
            run=body.run,
            person=person,
            started_at=body.started_at,
            ended_at=body.ended_at,
            reason=body.reason,
            known=known,
            known_seq=known_seq,
        )
        return await carried_out(parts, sender, command, body)

    return router


def _times(
    parts: Parts, connection: Connection, person: str, began: int, ended: int
) -> tuple[tuple[LabourInterval, ...], int]:
    """Return a person's times that touch a stretch, and what was known then."""
    interval, partition = table_of("labour_interval").c, parts.state.partition
    seq = head(connection, partition)
    known: list[LabourInterval] = found(
        connection,
        "labour_interval",
        interval.person == person,
        interval.started_at <= ended,
        or_(interval.ended_at.is_(None), interval.ended_at >= began),
        partition=partition,
    )
    return tuple(known), seq


def people_at(parts: Parts, work_unit: str) -> list[SignedOnView]:
    """Return who is on a work unit now, and on which of its runs."""
    state = parts.state
    return [
        SignedOnView(
            id=one.id,
            person=one.person,
            run=one.run,
            signed_on_at=one.signed_on_at,
            works_on=[
                _work(parts, interval)
                for interval in state.labour_interval.find("person", one.person)
                if interval.sign_on == one.id
            ],
        )
        for one in state.sign_on.find("work_unit", work_unit)
    ]


def _work(parts: Parts, interval: LabourInterval) -> WorkView:
    run = parts.state.run.get(interval.run)
    return WorkView(
        run=interval.run,
        job_orders=[] if run is None else list(run.job_orders),
        started_at=interval.started_at,
        since=interval.since,
        labour_s=Decimal(interval.labour_us) / MILLION,
    )
