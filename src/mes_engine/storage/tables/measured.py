"""Measured data: what was told, what was voided, and what counts."""

from sqlalchemy import Index

from mes_engine.core.characteristics import ValueKind
from mes_engine.storage.columns import (
    body,
    flag,
    key,
    number_key,
    partition,
    strict_table,
    string,
    whole,
    word,
)

measurement = strict_table(
    "measurement",
    partition(),
    number_key("seq"),
    string("job_order"),
    string("request"),
    string("visit"),
    string("step"),
    string("lot"),
    string("run", is_optional=True),
    string("work_unit"),
    string("characteristic"),
    word("kind", ValueKind),
    string("value"),
    string("unit"),
    flag("is_within"),
    string("gauge", is_optional=True),
    string("tag"),
    whole("at"),
    string("person"),
    string("remark"),
    Index(None, "partition", "job_order", "seq"),
    Index(None, "partition", "lot", "seq"),
)

measurement_void = strict_table(
    "measurement_void",
    partition(),
    number_key("seq"),
    whole("measurement"),
    string("job_order"),
    string("reason"),
    whole("at"),
    string("person"),
    Index(None, "partition", "measurement"),
)

measured_value = strict_table(
    "measured_value",
    partition(),
    key("job_order"),
    key("lot"),
    key("characteristic"),
    string("request"),
    string("visit"),
    string("step"),
    string("value", is_optional=True),
    flag("is_within"),
    whole("at"),
    whole("measurement"),
    whole("changed_seq"),
    body("agreed", tuple[int, ...]),
    Index(None, "partition", "request"),
)
