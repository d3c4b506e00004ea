"""Lots, where they are, and what the ERP is told of them."""

import sqlalchemy as sa
from alembic import op

from mes_engine.migrations.columns import flag, guard, text, where, whole, word

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lot",
        text("partition"),
        text("id"),
        whole("number"),
        text("material"),
        text("unit"),
        whole("created_at"),
        text("request", nullable=True),
        word("lot", "origin", "started found received produced split merged"),
        text("parent", nullable=True),
        text("supplier"),
        text("supplier_lot"),
        word("lot", "quality", "quarantine unrestricted restricted rejected"),
        word(
            "lot",
            "existence",
            "active consumed merged split scrapped shipped returned voided",
        ),
        text("bound_units"),
        text("serial"),
        text("carrier", nullable=True),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_lot")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_lot_partition_request"), "lot", ["partition", "request"])
    op.create_index(
        op.f("ix_lot_supplier_lot"),
        "lot",
        ["partition", "supplier_lot"],
        **where("supplier_lot <> ''"),
    )
    op.create_index(
        op.f("ix_lot_serial"),
        "lot",
        ["partition", "serial", "material"],
        unique=True,
        **where("serial <> ''"),
    )
    op.create_index(
        op.f("ix_lot_carrier"),
        "lot",
        ["partition", "carrier"],
        **where("carrier IS NOT NULL"),
    )
    op.create_table(
        "carrier",
        text("partition"),
        text("id"),
        text("type"),
        whole("registered_at"),
        text("carrier", nullable=True),
        flag("carrier", "is_shipped"),
        text("location"),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_carrier")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_carrier_here"),
        "carrier",
        ["partition", "id"],
        **where("is_shipped = 0"),
    )
    op.create_index(
        op.f("ix_carrier_inside"),
        "carrier",
        ["partition", "carrier"],
        **where("carrier IS NOT NULL"),
    )
    op.create_table(
        "aggregation_event",
        text("partition"),
        whole("seq"),
        word("aggregation_event", "action", "add delete ship"),
        word("aggregation_event", "kind", "lot carrier"),
        text("content"),
        text("carrier"),
        text("outermost"),
        whole("at"),
        text("person"),
        text("reason"),
        sa.PrimaryKeyConstraint("partition", "seq", name=op.f("pk_aggregation_event")),
        sqlite_strict=True,
    )
    guard("aggregation_event")
    for column in ("content", "carrier"):
        op.create_index(
            op.f(f"ix_aggregation_event_partition_{column}_seq"),
            "aggregation_event",
            ["partition", column, "seq"],
        )
    op.create_table(
        "position",
        text("partition"),
        text("lot"),
        text("place"),
        text("material"),
        text("unit"),
        flag("position", "is_stock"),
        text("request", nullable=True),
        whole("queued"),
        whole("in_process"),
        whole("suspect"),
        whole("out"),
        whole("transit"),
        whole("stock"),
        whole("started"),
        whole("found"),
        whole("produced"),
        whole("received"),
        whole("scrap"),
        whole("lost"),
        whole("tested"),
        whole("consumed"),
        whole("shipped"),
        whole("moved_in"),
        whole("moved_out"),
        whole("split_in"),
        whole("split_out"),
        sa.CheckConstraint(
            "queued >= 0 AND in_process >= 0 AND suspect >= 0 AND out >= "
            "0 AND transit >= 0 AND stock >= 0 AND scrap >= 0 AND lost >="
            " 0 AND tested >= 0 AND consumed >= 0 AND shipped >= 0",
            name=op.f("ck_position_law_l0"),
        ),
        sa.PrimaryKeyConstraint("partition", "lot", "place", name=op.f("pk_position")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_position_held"),
        "position",
        ["partition", "material"],
        **where("queued + in_process + suspect + out + transit + stock > 0"),
    )
    op.create_index(
        op.f("ix_position_partition_request"), "position", ["partition", "request"]
    )
    op.create_table(
        "connection_flow",
        text("partition"),
        text("request"),
        text("source"),
        text("target"),
        whole("sent"),
        whole("arrived"),
        sa.PrimaryKeyConstraint(
            "partition", "request", "source", "target", name=op.f("pk_connection_flow")
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "move",
        text("partition"),
        whole("seq"),
        text("lot"),
        text("material"),
        text("unit"),
        whole("quantity"),
        text("place"),
        word(
            "move",
            "bucket",
            "queued in_process suspect out transit stock started found "
            "produced received scrap lost tested consumed shipped",
        ),
        text("to_place"),
        word(
            "move",
            "to_bucket",
            "queued in_process suspect out transit stock started found "
            "produced received scrap lost tested consumed shipped",
        ),
        text("request", nullable=True),
        text("job_order", nullable=True),
        text("run", nullable=True),
        whole("at"),
        text("person"),
        text("reason"),
        text("connection"),
        text("caused_by"),
        text("to_lot", nullable=True),
        whole("reverses", nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_move_quantity")),
        sa.PrimaryKeyConstraint("partition", "seq", name=op.f("pk_move")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_move_partition_lot_seq"), "move", ["partition", "lot", "seq"]
    )
    op.create_index(
        op.f("ix_move_partition_request_seq"), "move", ["partition", "request", "seq"]
    )
    op.create_index(
        op.f("ix_move_to_lot"),
        "move",
        ["partition", "to_lot", "seq"],
        **where("to_lot IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_move_another_way"),
        "move",
        ["partition", "job_order", "seq"],
        **where("connection <> '' AND reason <> '' AND reverses IS NULL"),
    )
    guard("move")
    op.create_table(
        "genealogy_edge",
        text("partition"),
        whole("seq"),
        text("source"),
        text("target"),
        whole("quantity"),
        text("unit"),
        text("job_order", nullable=True),
        whole("at"),
        word("genealogy_edge", "kind", "consumed damaged produced split merged"),
        whole("reverses", nullable=True),
        sa.PrimaryKeyConstraint("partition", "seq", name=op.f("pk_genealogy_edge")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_genealogy_edge_partition_source_target"),
        "genealogy_edge",
        ["partition", "source", "target"],
    )
    op.create_index(
        op.f("ix_genealogy_edge_partition_target_source"),
        "genealogy_edge",
        ["partition", "target", "source"],
    )
    op.create_index(
        op.f("ix_genealogy_edge_reverses"),
        "genealogy_edge",
        ["partition", "reverses"],
        **where("reverses IS NOT NULL"),
    )
    guard("genealogy_edge")
    op.create_table(
        "measurement",
        text("partition"),
        whole("seq"),
        text("job_order"),
        text("request"),
        text("visit"),
        text("step"),
        text("lot"),
        text("run", nullable=True),
        text("work_unit"),
        text("characteristic"),
        word("measurement", "kind", "number text boolean"),
        text("value"),
        text("unit"),
        flag("measurement", "is_within"),
        text("gauge", nullable=True),
        text("tag"),
        whole("at"),
        text("person"),
        text("remark"),
        sa.PrimaryKeyConstraint("partition", "seq", name=op.f("pk_measurement")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_measurement_partition_job_order_seq"),
        "measurement",
        ["partition", "job_order", "seq"],
    )
    op.create_index(
        op.f("ix_measurement_partition_lot_seq"),
        "measurement",
        ["partition", "lot", "seq"],
    )
    guard("measurement")
    op.create_table(
        "measurement_void",
        text("partition"),
        whole("seq"),
        whole("measurement"),
        text("job_order"),
        text("reason"),
        whole("at"),
        text("person"),
        sa.PrimaryKeyConstraint("partition", "seq", name=op.f("pk_measurement_void")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_measurement_void_partition_measurement"),
        "measurement_void",
        ["partition", "measurement"],
    )
    guard("measurement_void")
    op.create_table(
        "measured_value",
        text("partition"),
        text("job_order"),
        text("lot"),
        text("characteristic"),
        text("request"),
        text("visit"),
        text("step"),
        text("value", nullable=True),
        flag("measured_value", "is_within"),
        whole("at"),
        whole("measurement"),
        whole("changed_seq"),
        text("agreed"),
        sa.PrimaryKeyConstraint(
            "partition",
            "job_order",
            "lot",
            "characteristic",
            name=op.f("pk_measured_value"),
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_measured_value_partition_request"),
        "measured_value",
        ["partition", "request"],
    )
    op.create_table(
        "books",
        text("partition"),
        text("closed_until"),
        whole("at"),
        text("person"),
        text("reason"),
        text("ledger"),
        sa.PrimaryKeyConstraint("partition", "ledger", name=op.f("pk_books")),
        sqlite_strict=True,
    )
    op.create_table(
        "reversal",
        text("partition"),
        whole("booking"),
        whole("seq"),
        word(
            "reversal",
            "kind",
            "report consumption completion reversal rework deviation",
        ),
        text("job_order"),
        text("request"),
        whole("quantity"),
        flag("reversal", "is_whole"),
        whole("at"),
        text("person"),
        text("reason"),
        whole("good"),
        whole("scrap"),
        whole("suspect"),
        whole("lost"),
        whole("tested"),
        whole("entered"),
        text("earlier"),
        text("good_of"),
        whole("adjusts", nullable=True),
        sa.PrimaryKeyConstraint("partition", "booking", name=op.f("pk_reversal")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_reversal_partition_job_order"), "reversal", ["partition", "job_order"]
    )
    op.create_index(
        op.f("ix_reversal_partition_request"), "reversal", ["partition", "request"]
    )
    op.create_table(
        "component_use",
        text("partition"),
        text("job_order"),
        text("material"),
        text("unit"),
        whole("used"),
        whole("damaged"),
        sa.PrimaryKeyConstraint(
            "partition", "job_order", "material", name=op.f("pk_component_use")
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "posting",
        text("partition"),
        text("key"),
        text("stream"),
        whole("stream_seq"),
        word("posting", "kind", "confirm reverse"),
        text("job_order"),
        text("step"),
        text("work_center"),
        text("material"),
        text("unit"),
        whole("good"),
        whole("scrap"),
        whole("setup_s"),
        whole("processing_s"),
        flag("posting", "is_final"),
        whole("occurred_at"),
        text("business_date"),
        whole("labour_s"),
        whole("repeated"),
        whole("pass_number"),
        text("reverses", nullable=True),
        word(
            "posting",
            "state",
            "pending retrying in_doubt parked held acknowledged waived netted",
        ),
        text("reference"),
        text("reason"),
        sa.PrimaryKeyConstraint("partition", "key", name=op.f("pk_posting")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_posting_partition_stream_stream_seq"),
        "posting",
        ["partition", "stream", "stream_seq"],
        unique=True,
    )
    op.create_index(
        op.f("ix_posting_unsettled"),
        "posting",
        ["partition", "stream", "stream_seq"],
        **where("NOT (state IN ('acknowledged', 'netted', 'waived'))"),
    )
