"""Carriers, and what went in and out of them."""

from sqlalchemy import Index

from mes_engine.core.carriers import AggregationAction, ContentKind
from mes_engine.storage.columns import (
    flag,
    key,
    number_key,
    partition,
    strict_table,
    string,
    whole,
    word,
)
from mes_engine.storage.dialect import where_only

IS_HERE = "is_shipped = 0"
"""The SQL condition that a carrier is in the plant."""

IS_INSIDE = "carrier IS NOT NULL"
"""The SQL condition that a carrier is in another."""

carrier = strict_table(
    "carrier",
    partition(),
    key("id"),
    string("type"),
    whole("registered_at"),
    string("carrier", is_optional=True),
    flag("is_shipped"),
    string("location"),
    Index("ix_carrier_here", "partition", "id", **where_only(IS_HERE)),
    Index("ix_carrier_inside", "partition", "carrier", **where_only(IS_INSIDE)),
)

aggregation_event = strict_table(
    "aggregation_event",
    partition(),
    number_key("seq"),
    word("action", AggregationAction),
    word("kind", ContentKind),
    string("content"),
    string("carrier"),
    string("outermost"),
    whole("at"),
    string("person"),
    string("reason"),
    Index(None, "partition", "content", "seq"),
    Index(None, "partition", "carrier", "seq"),
)
