"""The site: its plant and routings, and what its machines have said."""

from sqlalchemy import Index

from mes_engine.core.equipment import ItemState, OperationMode
from mes_engine.core.plant import Plant
from mes_engine.core.production import UnassignedReason
from mes_engine.core.routing import Routing
from mes_engine.core.samples import LinkState
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

plant = strict_table("plant", partition(), key("site"), body("body", Plant))

routing = strict_table(
    "routing", partition(), key("id"), key("revision"), body("body", Routing)
)

effective_routing = strict_table(
    "effective_routing", partition(), key("id"), string("revision", is_optional=True)
)

equipment = strict_table(
    "equipment",
    partition(),
    key("work_unit"),
    word("link", LinkState, is_optional=True),
    whole("link_since"),
    whole("lost_at"),
    word("item_state", ItemState, is_optional=True),
    string("word"),
    whole("since"),
    string("setup"),
    word("mode", OperationMode),
    string("map_version"),
)

signal = strict_table(
    "signal",
    partition(),
    key("tag"),
    string("value", is_optional=True),
    whole("at"),
    whole("epoch"),
    whole("position"),
    flag("is_bad"),
    flag("is_uncertain"),
)

machine_tally = strict_table(
    "machine_tally",
    partition(),
    key("work_unit"),
    key("role"),
    quantity("counted"),
    quantity("booked"),
    quantity("unassigned"),
    quantity("dismissed"),
    whole("stretch", is_optional=True),
)

IS_UNASSIGNED = "quantity > assigned + dismissed"
"""The SQL condition that counted pieces are still on nobody."""

unassigned_production = strict_table(
    "unassigned_production",
    partition(),
    number_key("seq"),
    string("work_unit"),
    string("tag"),
    string("role"),
    quantity("quantity"),
    word("reason", UnassignedReason),
    whole("at"),
    whole("until"),
    string("job_order", is_optional=True),
    quantity("assigned"),
    quantity("dismissed"),
    Index(None, "partition", "work_unit", "seq"),
    Index(
        "ix_unassigned_production_open",
        "partition",
        "seq",
        **where_only(IS_UNASSIGNED),
    ),
)

watermark = strict_table(
    "watermark", partition(), key("source"), whole("epoch"), whole("n")
)

counter = strict_table("counter", partition(), key("name"), whole("last"))
