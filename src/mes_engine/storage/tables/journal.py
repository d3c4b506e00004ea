"""The journal: every fact, once, in order; and the chain that holds it together."""

from sqlalchemy import Index

from mes_engine.storage.columns import (
    number_key,
    partition,
    strict_table,
    string,
    whole,
)
from mes_engine.storage.dialect import where_only

IS_OF_BOOKS = "type = 'books_closed'"
"""The SQL condition that a fact tells of accounting periods."""

fact = strict_table(
    "fact",
    partition(),
    number_key("seq"),
    string("type"),
    whole("version"),
    whole("occurred_at"),
    whole("recorded_at"),
    string("cause"),
    string("person"),
    string("body"),
    Index(None, "partition", "cause"),
    Index(
        "ix_fact_set_aside",
        "partition",
        "seq",
        **where_only("type = 'message_set_aside'"),
    ),
    Index("ix_fact_books", "partition", "seq", **where_only(IS_OF_BOOKS)),
    has_rowid=False,
)

chain_link = strict_table(
    "chain_link",
    partition(),
    number_key("seq"),
    string("key"),
    whole("anchors"),
    string("digest"),
    string("tags"),
    has_rowid=False,
)
