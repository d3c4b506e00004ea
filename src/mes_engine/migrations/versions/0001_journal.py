"""The journal, the site, and who has read how far."""

import sqlalchemy as sa
from alembic import op

from mes_engine.migrations.columns import flag, guard, text, where, whole, word

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fact",
        text("partition"),
        whole("seq"),
        text("type"),
        whole("version"),
        whole("occurred_at"),
        whole("recorded_at"),
        text("cause"),
        text("person"),
        text("body"),
        sa.PrimaryKeyConstraint("partition", "seq", name=op.f("pk_fact")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_fact_partition_cause"), "fact", ["partition", "cause"])
    op.create_index(
        op.f("ix_fact_set_aside"),
        "fact",
        ["partition", "seq"],
        **where("type = 'message_set_aside'"),
    )
    op.create_index(
        op.f("ix_fact_books"),
        "fact",
        ["partition", "seq"],
        **where("type = 'books_closed'"),
    )
    guard("fact")
    op.create_table(
        "chain_link",
        text("partition"),
        whole("seq"),
        text("key"),
        whole("anchors"),
        text("digest"),
        text("tags"),
        sa.PrimaryKeyConstraint("partition", "seq", name=op.f("pk_chain_link")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    guard("chain_link")
    op.create_table(
        "plant",
        text("partition"),
        text("site"),
        text("body"),
        sa.PrimaryKeyConstraint("partition", "site", name=op.f("pk_plant")),
        sqlite_strict=True,
    )
    op.create_table(
        "routing",
        text("partition"),
        text("id"),
        text("revision"),
        text("body"),
        sa.PrimaryKeyConstraint("partition", "id", "revision", name=op.f("pk_routing")),
        sqlite_strict=True,
    )
    op.create_table(
        "effective_routing",
        text("partition"),
        text("id"),
        text("revision", nullable=True),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_effective_routing")),
        sqlite_strict=True,
    )
    op.create_table(
        "equipment",
        text("partition"),
        text("work_unit"),
        word("equipment", "link", "connected stale disconnected", nullable=True),
        whole("link_since"),
        whole("lost_at"),
        word(
            "equipment",
            "item_state",
            "not_available out_of_service not_executing executing",
            nullable=True,
        ),
        text("word"),
        whole("since"),
        text("setup"),
        word("equipment", "mode", "none maintenance setup processing"),
        text("map_version"),
        sa.PrimaryKeyConstraint("partition", "work_unit", name=op.f("pk_equipment")),
        sqlite_strict=True,
    )
    op.create_table(
        "physical_asset",
        text("partition"),
        text("id"),
        text("asset_class"),
        text("name"),
        text("crib"),
        word("physical_asset", "life_unit", "none pieces uses"),
        whole("life"),
        whole("used"),
        word("physical_asset", "state", "available worn in_calibration withdrawn"),
        text("work_unit", nullable=True),
        text("run", nullable=True),
        text("reason"),
        whole("renewed"),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_physical_asset")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_physical_asset_partition_asset_class"),
        "physical_asset",
        ["partition", "asset_class"],
    )
    op.create_table(
        "person",
        text("partition"),
        text("id"),
        text("name"),
        text("roles"),
        text("qualifications"),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_person")),
        sqlite_strict=True,
    )
    op.create_table(
        "document",
        text("partition"),
        text("id"),
        text("revision"),
        text("title"),
        flag("document", "is_released"),
        whole("since"),
        text("person"),
        text("reason"),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_document")),
        sqlite_strict=True,
    )
    op.create_table(
        "signal",
        text("partition"),
        text("tag"),
        text("value", nullable=True),
        whole("at"),
        whole("epoch"),
        whole("position"),
        flag("signal", "is_bad"),
        flag("signal", "is_uncertain"),
        sa.PrimaryKeyConstraint("partition", "tag", name=op.f("pk_signal")),
        sqlite_strict=True,
    )
    op.create_table(
        "handshake",
        text("partition"),
        text("id"),
        word(
            "handshake",
            "phase",
            "idle acknowledging acknowledged unanswered clearing",
        ),
        text("boot"),
        text("key"),
        word("handshake", "outcome", "executed refused", nullable=True),
        whole("since"),
        text("wanted"),
        whole("due_at", nullable=True),
        flag("handshake", "is_late"),
        text("executed"),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_handshake")),
        sqlite_strict=True,
    )
    op.create_table(
        "signal_watch",
        text("partition"),
        text("id"),
        word("signal_watch", "kind", "edge state bad heartbeat"),
        text("tag"),
        text("value", nullable=True),
        whole("since"),
        text("pending", nullable=True),
        whole("pending_at"),
        whole("due_at", nullable=True),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_signal_watch")),
        sqlite_strict=True,
    )
    op.create_table(
        "link_clock",
        text("partition"),
        text("link"),
        whole("offset_us"),
        word("link_clock", "basis", "source corrected"),
        whole("streak"),
        whole("streak_us"),
        whole("since"),
        sa.PrimaryKeyConstraint("partition", "link", name=op.f("pk_link_clock")),
        sqlite_strict=True,
    )
    op.create_table(
        "machine_event",
        text("partition"),
        text("rule"),
        text("key"),
        whole("at"),
        sa.PrimaryKeyConstraint(
            "partition", "rule", "key", name=op.f("pk_machine_event")
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "alarm",
        text("partition"),
        text("id"),
        text("work_unit"),
        text("code"),
        whole("severity"),
        text("text"),
        whole("raised_at"),
        whole("cleared_at", nullable=True),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_alarm")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_alarm_open"),
        "alarm",
        ["partition", "id"],
        **where("cleared_at IS NULL"),
    )
    op.create_table(
        "machine_transaction",
        text("partition"),
        whole("seq"),
        text("rule"),
        text("work_unit"),
        text("link"),
        text("boot"),
        text("key"),
        word(
            "machine_transaction",
            "does",
            "load dispatch begin report complete pause resume hold measure consume "
            "changeover alarm",
        ),
        word("machine_transaction", "outcome", "executed refused"),
        text("job_order"),
        text("given"),
        text("message"),
        text("hint"),
        text("unmet"),
        whole("at"),
        sa.PrimaryKeyConstraint(
            "partition", "seq", name=op.f("pk_machine_transaction")
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_machine_transaction_partition_work_unit_seq"),
        "machine_transaction",
        ["partition", "work_unit", "seq"],
    )
    op.create_index(
        op.f("ix_machine_transaction_refused"),
        "machine_transaction",
        ["partition", "seq"],
        **where("outcome = 'refused'"),
    )
    guard("machine_transaction")
    op.create_table(
        "machine_call",
        text("partition"),
        whole("seq"),
        text("link"),
        text("method"),
        text("arguments"),
        text("reason"),
        text("person"),
        whole("at"),
        word("machine_call", "outcome", "pending answered refused unknown"),
        text("results"),
        text("message"),
        text("hint"),
        whole("settled_at", nullable=True),
        sa.PrimaryKeyConstraint("partition", "seq", name=op.f("pk_machine_call")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_machine_call_partition_link_seq"),
        "machine_call",
        ["partition", "link", "seq"],
    )
    op.create_index(
        op.f("ix_machine_call_pending"),
        "machine_call",
        ["partition", "seq"],
        **where("outcome = 'pending'"),
    )
    op.create_table(
        "machine_tally",
        text("partition"),
        text("work_unit"),
        text("role"),
        whole("counted"),
        whole("booked"),
        whole("unassigned"),
        whole("dismissed"),
        whole("stretch", nullable=True),
        sa.PrimaryKeyConstraint(
            "partition", "work_unit", "role", name=op.f("pk_machine_tally")
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "unassigned_production",
        text("partition"),
        whole("seq"),
        text("work_unit"),
        text("tag"),
        text("role"),
        whole("quantity"),
        word(
            "unassigned_production",
            "reason",
            "no_active_run before_begin past_quantity suspect_count spans_outage "
            "shared_run lot_held reversed too_late",
        ),
        whole("at"),
        whole("until"),
        text("job_order", nullable=True),
        whole("assigned"),
        whole("dismissed"),
        sa.PrimaryKeyConstraint(
            "partition", "seq", name=op.f("pk_unassigned_production")
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_unassigned_production_partition_work_unit_seq"),
        "unassigned_production",
        ["partition", "work_unit", "seq"],
    )
    op.create_index(
        op.f("ix_unassigned_production_open"),
        "unassigned_production",
        ["partition", "seq"],
        **where("quantity > assigned + dismissed"),
    )
    op.create_table(
        "watermark",
        text("partition"),
        text("source"),
        whole("epoch"),
        whole("n"),
        sa.PrimaryKeyConstraint("partition", "source", name=op.f("pk_watermark")),
        sqlite_strict=True,
    )
    op.create_table(
        "counter",
        text("partition"),
        text("name"),
        whole("last"),
        sa.PrimaryKeyConstraint("partition", "name", name=op.f("pk_counter")),
        sqlite_strict=True,
    )
    op.create_table(
        "intent",
        sa.Column("number", sa.Integer(), nullable=False),
        text("origin"),
        text("key"),
        text("digest"),
        text("person"),
        whole("at"),
        text("command"),
        text("answer", nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_intent")),
        sa.UniqueConstraint("origin", "key", name=op.f("uq_intent_origin_key")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_intent_pending"),
        "intent",
        ["number"],
        **where("answer IS NULL"),
    )
    op.create_table(
        "consumer_cursor",
        text("partition"),
        text("consumer"),
        whole("seq"),
        sa.PrimaryKeyConstraint(
            "partition", "consumer", name=op.f("pk_consumer_cursor")
        ),
        sqlite_strict=True,
    )
