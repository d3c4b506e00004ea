"""Labour: who is signed on, and the time that each has worked on what."""

from sqlalchemy import Index

from mes_engine.storage.columns import key, partition, strict_table, string, whole
from mes_engine.storage.dialect import where_only

IS_SIGNED_ON = "signed_off_at IS NULL"
"""The SQL condition that a person is still signed on."""

IS_WORKING = "ended_at IS NULL"
"""The SQL condition that a person is still on a run."""

sign_on = strict_table(
    "sign_on",
    partition(),
    key("id"),
    whole("number"),
    string("person"),
    string("work_unit"),
    string("work_center"),
    string("run", is_optional=True),
    whole("signed_on_at"),
    string("signed_on_by"),
    whole("signed_off_at", is_optional=True),
    Index("ix_sign_on_open", "partition", "id", **where_only(IS_SIGNED_ON)),
)

labour_interval = strict_table(
    "labour_interval",
    partition(),
    key("id"),
    whole("number"),
    string("sign_on"),
    string("person"),
    string("run"),
    string("work_unit"),
    string("work_center"),
    whole("started_at"),
    whole("since"),
    whole("labour_us"),
    whole("ended_at", is_optional=True),
    string("reason"),
    Index(None, "partition", "run"),
    Index("ix_labour_interval_open", "partition", "id", **where_only(IS_WORKING)),
)
