"""Table of the plm module, and how its rows are read."""

from sqlalchemy import ColumnElement, Connection, RowMapping, select

from mes_engine.core.messages import Answer
from mes_engine.core.routing import Routing
from mes_engine.modules.plm.model import ORIGIN, Revision, Stage, intent_key
from mes_engine.storage.columns import (
    body,
    flag,
    key,
    strict_table,
    string,
    whole,
    word,
)
from mes_engine.storage.intents import intent

plm_revision = strict_table(
    "plm_revision",
    key("routing"),
    key("revision"),
    body("body", Routing),
    string("digest"),
    word("stage", Stage),
    word("confirmed", Stage, is_optional=True),
    flag("is_effective"),
    whole("attempt"),
    whole("imported_at"),
    string("imported_by"),
    whole("released_at", is_optional=True),
    string("released_by", is_optional=True),
    whole("withdrawn_at", is_optional=True),
    string("withdrawn_by", is_optional=True),
)


def read_revisions(
    connection: Connection, *where: ColumnElement[bool], limit: int | None = None
) -> list[Revision]:
    """Return revisions by routing and revision, with the engine's last answers."""
    columns = plm_revision.c
    query = select(plm_revision).where(*where)
    query = query.order_by(columns.routing, columns.revision).limit(limit)
    rows = connection.execute(query).mappings().all()
    query = select(intent.c.key, intent.c.answer).where(
        intent.c.origin == ORIGIN, intent.c.key.in_([_asked(row) for row in rows])
    )
    answers = {row.key: row.answer for row in connection.execute(query)}
    return [_revision(row, answers.get(_asked(row))) for row in rows]


def _asked(row: RowMapping) -> str:
    return intent_key(row["routing"], row["revision"], row["attempt"], row["stage"])


def _revision(row: RowMapping, answer: Answer | None) -> Revision:
    fields = {name: row[name] for name in Revision.__struct_fields__ if name in row}
    return Revision(**fields, answer=answer)
