"""Tools, people and documents: what work needs besides material and machine."""

from sqlalchemy import Index

from mes_engine.core.assets import AssetState, LifeUnit
from mes_engine.core.personnel import Qualification
from mes_engine.storage.columns import (
    body,
    flag,
    key,
    partition,
    quantity,
    strict_table,
    string,
    whole,
    word,
)

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
