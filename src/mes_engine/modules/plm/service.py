"""Import, release and withdraw revisions; hear what the engine works by.

A write answers after its own transaction. Its intent goes to the engine afterwards, so
reading the revision again shows what the engine made of it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, insert, tuple_, update

from mes_engine.core.errors import NotFound, Refused
from mes_engine.core.facts import Recorded, RoutingReleased, RoutingWithdrawn
from mes_engine.core.routing import Routing
from mes_engine.modules.plm.model import (
    ORIGIN,
    Revision,
    RevisionState,
    RoutingUnusable,
    Stage,
    body_problems,
    canonical,
    digest_of,
    intent_of,
)
from mes_engine.modules.plm.tables import plm_revision, read_revisions
from mes_engine.storage.database import Database
from mes_engine.storage.intents import add_intent

CONSUMER = ORIGIN
LISTENS_TO = (RoutingReleased, RoutingWithdrawn)


class PlmService:
    """Revisions of routings."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    async def put_draft(self, body: Routing, *, person: str) -> Revision:
        """Import ``body`` as a draft, in place of an earlier one of its revision.

        The body of a released revision is answered as it is.

        Raises:
            RoutingUnusable: The body has problems; it says all of them.
            Refused: The revision was released with another body.
        """
        now = self._clock()
        _check(body)

        def work(connection: Connection) -> Revision:
            known = _find(connection, body.id, body.revision)
            if known is None:
                _insert(connection, body, person=person, now=now)
            elif canonical(known.body) != canonical(body):
                if not known.is_replaceable:
                    raise Refused(
                        f"Routing {body.id} {body.revision} is "
                        f"{known.state.value}, and its body stays what it is.",
                        hint="Import the change as another revision.",
                    )
                _set(
                    connection,
                    body,
                    body=body,
                    digest=digest_of(body),
                    stage=Stage.DRAFT,
                    imported_at=now,
                    imported_by=person,
                    released_at=None,
                    released_by=None,
                )
            return _revision(connection, body.id, body.revision)

        return await self._database.write(work)

    async def release(self, routing: str, revision: str, *, person: str) -> Revision:
        """Let the engine work by a revision; once more changes nothing.

        After a refusal by the engine, it is asked again.

        Raises:
            NotFound: There is no such revision.
            RoutingUnusable: Its body has problems by the rules of today.
            Refused: It was withdrawn.
        """
        now = self._clock()

        def work(connection: Connection) -> Revision:
            known = _revision(connection, routing, revision)
            if known.stage is Stage.WITHDRAWN:
                raise Refused(
                    f"Routing {routing} {revision} is withdrawn.",
                    hint="Import its body as another revision.",
                )
            if known.is_replaceable:
                _check(known.body)
                _ask(connection, known, Stage.RELEASED, person=person, now=now)
            return _revision(connection, routing, revision)

        return await self._database.write(work)

    async def withdraw(self, routing: str, revision: str, *, person: str) -> Revision:
        """Let no more work be stored by a revision; once more changes nothing.

        After a refusal by the engine, it is asked again.

        Raises:
            NotFound: There is no such revision.
            Refused: It is not released.
        """
        now = self._clock()

        def work(connection: Connection) -> Revision:
            known = _revision(connection, routing, revision)
            if known.state is RevisionState.RELEASED:
                _ask(connection, known, Stage.WITHDRAWN, person=person, now=now)
            elif known.stage is not Stage.WITHDRAWN:
                raise Refused(
                    f"Routing {routing} {revision} is {known.state.value}, "
                    "not released.",
                )
            return _revision(connection, routing, revision)

        return await self._database.write(work)

    async def revision(self, routing: str, revision: str) -> Revision:
        """Return a revision.

        Raises:
            NotFound: There is no such revision.
        """
        return await self._database.read(
            lambda connection: _revision(connection, routing, revision)
        )

    async def revisions(
        self, *, after: tuple[str, str] = ("", ""), limit: int = 100
    ) -> list[Revision]:
        """Return revisions by routing and revision, from the one after ``after``."""
        key = tuple_(plm_revision.c.routing, plm_revision.c.revision)
        return await self._database.read(
            lambda connection: read_revisions(connection, key > after, limit=limit)
        )


def handle(connection: Connection, records: Sequence[Recorded]) -> None:
    """Note what the engine works by, also where somebody else released it."""
    for one in records:
        match one.fact:
            case RoutingReleased(routing=body):
                _note_released(connection, body, one)
            case RoutingWithdrawn(routing=routing, revision=revision):
                _note_withdrawn(connection, routing, revision, one)


def _note_released(connection: Connection, body: Routing, record: Recorded) -> None:
    known = _find(connection, body.id, body.revision)
    if known is None:
        _insert(connection, body, person=record.person, now=record.recorded_at)
    elif canonical(known.body) != canonical(body):
        # A draft of the same name lost to a body that came another way.
        _set(connection, body, body=body, digest=digest_of(body))
    connection.execute(
        update(plm_revision)
        .where(plm_revision.c.routing == body.id)
        .values(is_effective=False)
    )
    changes: dict[str, Any] = {"confirmed": Stage.RELEASED, "is_effective": True}
    is_ours = known is not None and known.stage is not Stage.DRAFT
    if not is_ours or (known and known.confirmed is Stage.WITHDRAWN):
        changes |= {
            "stage": Stage.RELEASED,
            "released_at": record.recorded_at,
            "released_by": record.person,
        }
    _set(connection, body, **changes)


def _note_withdrawn(
    connection: Connection, routing: str, revision: str, record: Recorded
) -> None:
    known = _find(connection, routing, revision)
    if known is None:
        return
    changes: dict[str, Any] = {"confirmed": Stage.WITHDRAWN, "is_effective": False}
    if known.stage is not Stage.WITHDRAWN:
        changes |= {
            "stage": Stage.WITHDRAWN,
            "withdrawn_at": record.recorded_at,
            "withdrawn_by": record.person,
        }
    _set(connection, known.body, **changes)


def _check(body: Routing) -> None:
    problems = body_problems(body)
    if problems:
        raise RoutingUnusable(body, problems)


def _ask(
    connection: Connection, known: Revision, stage: Stage, *, person: str, now: int
) -> None:
    attempt = known.attempt + 1
    intent = intent_of(known.body, stage, attempt=attempt, person=person, at=now)
    add_intent(connection, intent)
    when = {f"{stage}_at": now, f"{stage}_by": person}
    _set(connection, known.body, stage=stage, attempt=attempt, **when)


def _find(connection: Connection, routing: str, revision: str) -> Revision | None:
    columns = plm_revision.c
    found = read_revisions(
        connection, columns.routing == routing, columns.revision == revision
    )
    return found[0] if found else None


def _revision(connection: Connection, routing: str, revision: str) -> Revision:
    found = _find(connection, routing, revision)
    if found is None:
        raise NotFound(f"There is no revision {revision} of a routing {routing}.")
    return found


def _insert(connection: Connection, body: Routing, *, person: str, now: int) -> None:
    connection.execute(
        insert(plm_revision).values(
            routing=body.id,
            revision=body.revision,
            body=body,
            digest=digest_of(body),
            stage=Stage.DRAFT,
            is_effective=False,
            attempt=0,
            imported_at=now,
            imported_by=person,
        )
    )


def _set(connection: Connection, of: Routing, **values: Any) -> None:
    connection.execute(
        update(plm_revision)
        .where(plm_revision.c.routing == of.id, plm_revision.c.revision == of.revision)
        .values(**values)
    )
