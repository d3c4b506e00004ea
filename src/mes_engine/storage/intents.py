"""Intents: what a module wants of the engine, written with what it follows from.

A module adds an intent in its own transaction; the runtime hands it to the engine under
its own key until there is an answer, and settles it. So a crash between the two loses
nothing and does nothing twice.
"""

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    UniqueConstraint,
    select,
    update,
)

from mes_engine.core.errors import KeyReused
from mes_engine.core.messages import Answer, Command, Commanded
from mes_engine.storage.columns import body, strict_table, string, whole
from mes_engine.storage.dialect import insert, where_only
from mes_engine.storage.metadata import Body

intent = strict_table(
    "intent",
    Column("number", Integer, primary_key=True),
    string("origin"),
    string("key"),
    string("digest"),
    string("person"),
    whole("at"),
    body("command", Command),
    Column("answer", Body(Answer), nullable=True),
    UniqueConstraint("origin", "key"),
    Index("ix_intent_pending", "number", **where_only("answer IS NULL")),
)


def add_intent(connection: Connection, commanded: Commanded) -> None:
    """Keep ``commanded`` for the engine; the same one again changes nothing.

    Raises:
        KeyReused: There is an intent with this key, and another digest.
    """
    added = connection.execute(
        insert(intent)
        .values(
            origin=commanded.origin,
            key=commanded.key,
            digest=commanded.digest,
            person=commanded.person,
            at=commanded.at,
            command=commanded.command,
        )
        .on_conflict_do_nothing(index_elements=["origin", "key"])
        .returning(intent.c.number)
    ).first()
    if added is not None:
        return
    known = connection.execute(
        select(intent.c.digest).where(
            intent.c.origin == commanded.origin, intent.c.key == commanded.key
        )
    ).scalar_one()
    if known != commanded.digest:
        raise KeyReused(
            f"The intent '{commanded.key}' of {commanded.origin} is there already, "
            "and says something else.",
            hint="Use a key of its own for each thing that is asked for.",
        )


def pending_intents(connection: Connection, limit: int) -> list[Commanded]:
    """Return up to ``limit`` intents without an answer, the oldest first."""
    query = (
        select(intent)
        .where(intent.c.answer.is_(None))
        .order_by(intent.c.number)
        .limit(limit)
    )
    return [
        Commanded(
            origin=row.origin,
            key=row.key,
            digest=row.digest,
            person=row.person,
            at=row.at,
            command=row.command,
        )
        for row in connection.execute(query)
    ]


def settle_intent(
    connection: Connection, origin: str, key: str, answer: Answer
) -> None:
    """Keep the engine's answer; the first one stands."""
    connection.execute(
        update(intent)
        .where(
            intent.c.origin == origin, intent.c.key == key, intent.c.answer.is_(None)
        )
        .values(answer=answer)
    )


def answer_of(connection: Connection, origin: str, key: str) -> Answer | None:
    """Return the engine's answer to an intent; None while there is none."""
    query = select(intent.c.answer).where(
        intent.c.origin == origin, intent.c.key == key
    )
    found: Answer | None = connection.execute(query).scalar_one_or_none()
    return found
