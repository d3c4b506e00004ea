"""People over HTTP: who works here, and what they are qualified for."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field

from mes_engine.core import messages as m
from mes_engine.core.personnel import Person, Qualification
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import MAX_NAME, CommandSender
from mes_engine.http.fields import At, Id, Instant, Reason, View
from mes_engine.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, of_cursor
from mes_engine.web.command_bodies import Occurred, carried_out, posts
from mes_engine.web.history import one_by_key, page, table_of
from mes_engine.web.parts import Parts

PersonName = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
PersonPath = Annotated[str, Path(min_length=1, max_length=MAX_NAME)]


class QualificationView(View):
    """What a person may do, up to which level, and until when."""

    name: str
    level: int
    valid_until: At | None
    has_expired: bool


class PersonView(View):
    """A person; ``id`` is the name that ``X-Person`` says."""

    id: str
    name: str
    roles: list[str]
    qualifications: list[QualificationView]


class RegisterPersonBody(Occurred):
    """Under which name the person acts, and in which roles."""

    person: PersonName
    name: PersonName
    roles: Annotated[list[Id], Field(max_length=50)] = Field(default_factory=list)


class GrantBody(Occurred):
    """What the person may do from now on."""

    name: Id
    level: Annotated[int, Field(ge=1, le=1000)] = 1
    valid_until: Instant | None = None


class RevokeBody(Occurred):
    """Why it is taken back."""

    reason: Reason


def people_router(parts: Parts) -> APIRouter:
    """Return the routes of people."""
    router = api_router(prefix="/people", tags=["people"])
    post = posts(router)

    @router.get("")
    async def list_people(
        cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
    ) -> Page[PersonView]:
        """List the people, by name."""
        columns = table_of("person").c
        return await page(
            parts.database,
            "person",
            columns.id > ("" if cursor is None else of_cursor(cursor)),
            partition=parts.state.partition,
            by=columns.id,
            key=_id,
            shown=PersonView.model_validate,
            limit=limit,
        )

    @router.get("/{person}")
    async def show_person(person: PersonPath) -> PersonView:
        """Show a person."""
        return PersonView.model_validate(
            await one_by_key(
                parts.database,
                "person",
                person,
                partition=parts.state.partition,
                what="person",
            )
        )

    @post("")
    async def register_person(
        body: RegisterPersonBody, sender: CommandSender
    ) -> Response:
        """Say who works here; again, to correct the name or the roles."""
        command = m.RegisterPerson(
            person=body.person, name=body.name, roles=tuple(body.roles)
        )
        return await carried_out(parts, sender, command, body)

    @post("/{person}/qualifications")
    async def grant_qualification(
        person: PersonPath, body: GrantBody, sender: CommandSender
    ) -> Response:
        """Qualify a person; another level or time takes the place of the known one."""
        granted = Qualification(
            name=body.name, level=body.level, valid_until=body.valid_until
        )
        command = m.GrantQualification(person=person, qualification=granted)
        return await carried_out(parts, sender, command, body)

    @post("/{person}/qualifications/{qualification}/revoke")
    async def revoke_qualification(
        person: PersonPath, qualification: Id, body: RevokeBody, sender: CommandSender
    ) -> Response:
        """Take a qualification back."""
        command = m.RevokeQualification(
            person=person, qualification=qualification, reason=body.reason
        )
        return await carried_out(parts, sender, command, body)

    return router


def _id(person: Person) -> str:
    return person.id
