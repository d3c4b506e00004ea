"""Material: lots, where they are, how they went there, and what the ERP is told."""

from decimal import Decimal

from sqlalchemy import CheckConstraint, Index

from mes_engine.core.bookings import BookingKind, ReportedAs
from mes_engine.core.lots import EdgeKind, LotExistence, LotOrigin, LotQuality
from mes_engine.core.postings import SETTLED, PostingKind, PostingState
from mes_engine.core.wip_ledger import HELD, SINKS, Bucket
from mes_engine.storage.columns import (
    body,
    flag,
    key,
    number_key,
    one_of,
    partition,
    quantity,
    strict_table,
    string,
    whole,
    word,
)
from mes_engine.storage.dialect import where_only

IS_BOUGHT = "supplier_lot <> ''"
"""The SQL condition that a lot is a supplier's, known by a number of theirs."""

IS_PACKED = "carrier IS NOT NULL"
"""The SQL condition that a lot is in a carrier."""

IS_SERIAL = "serial <> ''"
"""The SQL condition that a lot has a serial of the plant's own."""

lot = strict_table(
    "lot",
    partition(),
    key("id"),
    whole("number"),
    string("material"),
    string("unit"),
    whole("created_at"),
    string("request", is_optional=True),
    word("origin", LotOrigin),
    string("parent", is_optional=True),
    string("supplier"),
    string("supplier_lot"),
    word("quality", LotQuality),
    word("existence", LotExistence),
    body("bound_units", dict[str, str]),
    string("serial"),
    string("carrier", is_optional=True),
    Index(
        "ix_lot_supplier_lot",
        "partition",
        "supplier_lot",
        **where_only(IS_BOUGHT),
    ),
    Index(
        "ix_lot_serial",
        "partition",
        "serial",
        "material",
        unique=True,
        **where_only(IS_SERIAL),
    ),
    Index("ix_lot_carrier", "partition", "carrier", **where_only(IS_PACKED)),
    Index(None, "partition", "request"),
)

IS_HELD = f"{' + '.join(HELD)} > 0"
"""The SQL condition that something is at a position now."""

IS_UNSETTLED = f"NOT ({one_of('state', sorted(SETTLED))})"
"""The SQL condition that the ledger's last word on a posting is still to come."""

position = strict_table(
    "position",
    partition(),
    key("lot"),
    key("place"),
    string("material"),
    string("unit"),
    flag("is_stock"),
    string("request", is_optional=True),
    *(quantity(bucket.value) for bucket in Bucket),
    quantity("moved_in"),
    quantity("moved_out"),
    quantity("split_in"),
    quantity("split_out"),
    CheckConstraint(
        " AND ".join(f"{bucket} >= 0" for bucket in (*HELD, *SINKS)), name="law_l0"
    ),
    Index(None, "partition", "request"),
    Index("ix_position_held", "partition", "material", **where_only(IS_HELD)),
)

connection_flow = strict_table(
    "connection_flow",
    partition(),
    key("request"),
    key("source"),
    key("target"),
    quantity("sent"),
    quantity("arrived"),
)

move = strict_table(
    "move",
    partition(),
    number_key("seq"),
    string("lot"),
    string("material"),
    string("unit"),
    quantity("quantity"),
    string("place"),
    word("bucket", Bucket),
    string("to_place"),
    word("to_bucket", Bucket),
    string("request", is_optional=True),
    string("job_order", is_optional=True),
    string("run", is_optional=True),
    whole("at"),
    string("person"),
    string("reason"),
    string("connection"),
    string("caused_by"),
    string("to_lot", is_optional=True),
    whole("reverses", is_optional=True),
    CheckConstraint("quantity > 0", name="quantity"),
    Index(None, "partition", "request", "seq"),
    Index(None, "partition", "lot", "seq"),
    Index(
        "ix_move_to_lot",
        "partition",
        "to_lot",
        "seq",
        **where_only("to_lot IS NOT NULL"),
    ),
    Index(
        "ix_move_another_way",
        "partition",
        "job_order",
        "seq",
        **where_only("connection <> '' AND reason <> '' AND reverses IS NULL"),
    ),
    has_rowid=False,
)

genealogy_edge = strict_table(
    "genealogy_edge",
    partition(),
    number_key("seq"),
    string("source"),
    string("target"),
    quantity("quantity"),
    string("unit"),
    string("job_order", is_optional=True),
    whole("at"),
    word("kind", EdgeKind),
    whole("reverses", is_optional=True),
    Index(None, "partition", "source", "target"),
    Index(None, "partition", "target", "source"),
    Index(
        "ix_genealogy_edge_reverses",
        "partition",
        "reverses",
        **where_only("reverses IS NOT NULL"),
    ),
)

books = strict_table(
    "books",
    partition(),
    string("closed_until"),
    whole("at"),
    string("person"),
    string("reason"),
    key("ledger"),
)

reversal = strict_table(
    "reversal",
    partition(),
    number_key("booking"),
    whole("seq"),
    word("kind", BookingKind),
    string("job_order"),
    string("request"),
    quantity("quantity"),
    flag("is_whole"),
    whole("at"),
    string("person"),
    string("reason"),
    *(quantity(kind.value) for kind in ReportedAs),
    quantity("entered"),
    body("earlier", tuple[int, ...]),
    body("good_of", dict[str, Decimal]),
    whole("adjusts", is_optional=True),
    Index(None, "partition", "request"),
    Index(None, "partition", "job_order"),
)

component_use = strict_table(
    "component_use",
    partition(),
    key("job_order"),
    key("material"),
    string("unit"),
    quantity("used"),
    quantity("damaged"),
    has_rowid=False,
)

posting = strict_table(
    "posting",
    partition(),
    key("key"),
    string("stream"),
    whole("stream_seq"),
    word("kind", PostingKind),
    string("job_order"),
    string("step"),
    string("work_center"),
    string("material"),
    string("unit"),
    quantity("good"),
    quantity("scrap"),
    quantity("setup_s"),
    quantity("processing_s"),
    flag("is_final"),
    whole("occurred_at"),
    string("business_date"),
    quantity("labour_s"),
    quantity("repeated"),
    whole("pass_number"),
    string("reverses", is_optional=True),
    word("state", PostingState),
    string("reference"),
    string("reason"),
    Index(None, "partition", "stream", "stream_seq", unique=True),
    Index(
        "ix_posting_unsettled",
        "partition",
        "stream",
        "stream_seq",
        **where_only(IS_UNSETTLED),
    ),
)
