"""Machines that serve job orders: what is known of each of ours there."""

from sqlalchemy import Index

from mes_engine.core.machine_jobs import JobVerb, MachineJobState
from mes_engine.storage.columns import (
    flag,
    key,
    partition,
    quantity,
    strict_table,
    string,
    whole,
    word,
)

machine_job = strict_table(
    "machine_job",
    partition(),
    key("job_order"),
    key("link"),
    string("request"),
    string("work_unit"),
    word("state", MachineJobState, is_optional=True),
    quantity("good"),
    quantity("scrap"),
    word("asked", JobVerb, is_optional=True),
    whole("status"),
    whole("asked_at"),
    flag("is_pending"),
    flag("has_stopped_itself"),
    string("refusal"),
    string("problem"),
    string("sent"),
    whole("at"),
    Index(None, "partition", "request"),
)
