"""Methods of machines that were called."""

from sqlalchemy import Index

from mes_engine.core.machine_calls import CallOutcome, Given
from mes_engine.storage.columns import (
    body,
    number_key,
    partition,
    strict_table,
    string,
    whole,
    word,
)
from mes_engine.storage.dialect import where_only

IS_PENDING = "outcome = 'pending'"

machine_call = strict_table(
    "machine_call",
    partition(),
    number_key("seq"),
    string("link"),
    string("method"),
    body("arguments", dict[str, Given]),
    string("reason"),
    string("person"),
    whole("at"),
    word("outcome", CallOutcome),
    body("results", dict[str, Given | None]),
    string("message"),
    string("hint"),
    whole("settled_at", is_optional=True),
    Index(None, "partition", "link", "seq"),
    Index("ix_machine_call_pending", "partition", "seq", **where_only(IS_PENDING)),
)
