"""Tools, people and documents: what work needs besides material and machine."""

from sqlalchemy import Index

from mes_engine.core.assets import AssetState, LifeUnit
from mes_engine.core.personnel import Qualification
from mes_engine.storage.columns import (
    body,
    flag,
    key,
    number_key,
    partition,
    quantity,
    strict_table,
    string,
    whole,
    word,
)
from mes_engine.storage.dialect import where_only

physical_asset = strict_table(
    "physical_asset",
    partition(),
    key("id"),
    string("asset_class"),
    string("name"),
    string("crib"),
    word("life_unit", LifeUnit),
    quantity("life"),
    quantity("used"),
    word("state", AssetState),
    string("work_unit", is_optional=True),
    string("run", is_optional=True),
    string("reason"),
    whole("renewed"),
    Index(None, "partition", "asset_class"),
)

IS_IN_USE = "freed_at IS NULL"
"""The SQL condition that a run has the tool still."""

tool_use = strict_table(
    "tool_use",
    partition(),
    number_key("seq"),
    string("asset"),
    string("asset_class"),
    string("run"),
    string("work_unit"),
    body("job_orders", tuple[str, ...]),
    whole("claimed_at"),
    whole("freed_at", is_optional=True),
    whole("freed_seq", is_optional=True),
    Index(None, "partition", "asset", "claimed_at"),
    Index(None, "partition", "run"),
    Index("ix_tool_use_open", "partition", "seq", **where_only(IS_IN_USE)),
)

person = strict_table(
    "person",
    partition(),
    key("id"),
    string("name"),
    body("roles", tuple[str, ...]),
    body("qualifications", tuple[Qualification, ...]),
)

document = strict_table(
    "document",
    partition(),
    key("id"),
    string("revision"),
    string("title"),
    flag("is_released"),
    whole("since"),
    string("person"),
    string("reason"),
)
