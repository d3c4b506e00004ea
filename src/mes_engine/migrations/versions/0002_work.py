"""Work requests, job orders, and what was done about them."""

import sqlalchemy as sa
from alembic import op

from mes_engine.migrations.columns import flag, guard, text, where, whole, word

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "work_request",
        text("partition"),
        text("id"),
        text("material"),
        text("unit"),
        whole("quantity"),
        text("routing"),
        text("revision"),
        whole("due_at"),
        whole("priority"),
        text("demand"),
        whole("created_at"),
        word(
            "work_request",
            "state",
            "planned released in_progress completed closed cancelled",
        ),
        text("lot", nullable=True),
        whole("posted"),
        flag("work_request", "releases_job_orders"),
        whole("lot_size"),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_work_request")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_work_request_open"),
        "work_request",
        ["partition", "id"],
        **where("NOT (state IN ('closed', 'cancelled'))"),
    )
    op.create_table(
        "visit",
        text("partition"),
        text("id"),
        text("request"),
        text("step"),
        whole("pass_number"),
        text("rework"),
        text("tokens"),
        text("chosen", nullable=True),
        text("ways"),
        text("skips"),
        flag("visit", "is_done"),
        whole("repeats"),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_visit")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_visit_partition_request"), "visit", ["partition", "request"]
    )
    op.create_table(
        "job_order",
        text("partition"),
        text("id"),
        whole("number"),
        text("request"),
        text("visit"),
        text("step"),
        text("routing"),
        text("revision"),
        text("work_center"),
        text("equipment_class"),
        text("unit"),
        whole("planned"),
        whole("due_at"),
        whole("priority"),
        whole("stored_at"),
        word(
            "job_order",
            "state",
            "not_allowed_to_start.waiting not_allowed_to_start.ready "
            "allowed_to_start.waiting allowed_to_start.ready "
            "allowed_to_start.loaded running.setup running.processing "
            "interrupted.held interrupted.suspended ended.completed "
            "ended.closed aborted cancelled",
        ),
        flag("job_order", "expects_pieces"),
        text("conditions"),
        whole("queued_at", nullable=True),
        text("run", nullable=True),
        text("materials"),
        text("needs"),
        whole("good"),
        whole("scrap"),
        whole("lost"),
        whole("tested"),
        whole("reworked"),
        whole("deviated"),
        whole("setup_us"),
        whole("processing_us"),
        whole("down_us"),
        whole("labour_us"),
        whole("posted_good"),
        whole("posted_scrap"),
        whole("posted_setup_us"),
        whole("posted_processing_us"),
        whole("posted_labour_us"),
        flag("job_order", "is_final_posted"),
        flag("job_order", "is_paused"),
        flag("job_order", "is_cleared"),
        whole("begun_at", nullable=True),
        whole("ended_at", nullable=True),
        whole("last_report", nullable=True),
        whole("ended_seq", nullable=True),
        text("follows", nullable=True),
        text("lot", nullable=True),
        text("split_of", nullable=True),
        text("reason"),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_job_order")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_job_order_partition_request_id"),
        "job_order",
        ["partition", "request", "id"],
    )
    op.create_table(
        "run",
        text("partition"),
        text("id"),
        whole("number"),
        text("work_unit"),
        text("work_center"),
        text("job_orders"),
        word("run", "lane", "staged active"),
        whole("opened_at"),
        text("person"),
        whole("occupies"),
        word("run", "clock", "stopped setup processing"),
        whole("since"),
        whole("setup_us"),
        whole("processing_us"),
        whole("begun_at", nullable=True),
        whole("closed_at", nullable=True),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_run")),
        sqlite_strict=True,
    )
    op.create_table(
        "sign_on",
        text("partition"),
        text("id"),
        whole("number"),
        text("person"),
        text("work_unit"),
        text("work_center"),
        text("run", nullable=True),
        whole("signed_on_at"),
        text("signed_on_by"),
        whole("signed_off_at", nullable=True),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_sign_on")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_sign_on_open"),
        "sign_on",
        ["partition", "id"],
        **where("signed_off_at IS NULL"),
    )
    op.create_table(
        "labour_interval",
        text("partition"),
        text("id"),
        whole("number"),
        text("sign_on"),
        text("person"),
        text("run"),
        text("work_unit"),
        text("work_center"),
        whole("started_at"),
        whole("since"),
        whole("labour_us"),
        whole("ended_at", nullable=True),
        text("reason"),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_labour_interval")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_labour_interval_partition_run"),
        "labour_interval",
        ["partition", "run"],
    )
    op.create_index(
        op.f("ix_labour_interval_open"),
        "labour_interval",
        ["partition", "id"],
        **where("ended_at IS NULL"),
    )
    op.create_table(
        "run_member",
        text("partition"),
        text("job_order"),
        text("run"),
        whole("quantity"),
        sa.PrimaryKeyConstraint(
            "partition", "job_order", "run", name=op.f("pk_run_member")
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "tool_use",
        text("partition"),
        whole("seq"),
        text("asset"),
        text("asset_class"),
        text("run"),
        text("work_unit"),
        text("job_orders"),
        whole("claimed_at"),
        whole("freed_at", nullable=True),
        whole("freed_seq", nullable=True),
        sa.PrimaryKeyConstraint("partition", "seq", name=op.f("pk_tool_use")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_tool_use_partition_asset_claimed_at"),
        "tool_use",
        ["partition", "asset", "claimed_at"],
    )
    op.create_index(op.f("ix_tool_use_partition_run"), "tool_use", ["partition", "run"])
    op.create_index(
        op.f("ix_tool_use_open"),
        "tool_use",
        ["partition", "seq"],
        **where("freed_at IS NULL"),
    )
    op.create_table(
        "hold",
        text("partition"),
        text("id"),
        whole("number"),
        word("hold", "scope", "job_order work_request lot carrier"),
        text("target"),
        word("hold", "mode", "stop_now after_run future"),
        text("reason"),
        text("owner"),
        whole("opened_at"),
        whole("released_at", nullable=True),
        text("released_by"),
        text("releaser"),
        text("query"),
        word("hold", "opens_as", "stop_now after_run future"),
        text("from_hold", nullable=True),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_hold")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_hold_from_hold"),
        "hold",
        ["partition", "from_hold"],
        **where("from_hold IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_hold_open"),
        "hold",
        ["partition", "id"],
        **where("released_at IS NULL"),
    )
    op.create_table(
        "area_entry",
        text("partition"),
        text("area"),
        text("request"),
        whole("quantity"),
        whole("entered_at"),
        sa.PrimaryKeyConstraint(
            "partition", "area", "request", name=op.f("pk_area_entry")
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_area_entry_partition_request"), "area_entry", ["partition", "request"]
    )
    op.create_table(
        "time_window",
        text("partition"),
        text("id"),
        whole("number"),
        text("request"),
        text("lot", nullable=True),
        text("source"),
        text("target"),
        whole("pass_number"),
        word("time_window", "starts_at", "begun ended"),
        word("time_window", "ends_at", "begun ended"),
        whole("armed_at"),
        whole("last_at"),
        whole("opens_at", nullable=True),
        whole("warns_at", nullable=True),
        whole("closes_at", nullable=True),
        word("time_window", "state", "armed warned satisfied violated waived void"),
        whole("opened_at", nullable=True),
        whole("violated_at", nullable=True),
        whole("waived_at", nullable=True),
        text("waived_by"),
        whole("settled_at", nullable=True),
        text("reason"),
        sa.PrimaryKeyConstraint("partition", "id", name=op.f("pk_time_window")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_time_window_partition_request"),
        "time_window",
        ["partition", "request"],
    )
    op.create_index(
        op.f("ix_time_window_partition_state_number"),
        "time_window",
        ["partition", "state", "number"],
    )
    op.create_table(
        "dispatch_decision",
        text("partition"),
        whole("seq"),
        text("work_unit"),
        text("work_center"),
        word(
            "dispatch_decision",
            "rule",
            "fifo edd priority spt critical_ratio atc setup_min weighted",
        ),
        whole("at"),
        text("person"),
        text("candidates"),
        text("chosen", nullable=True),
        text("asked_for", nullable=True),
        text("settings"),
        text("loaded_with"),
        sa.PrimaryKeyConstraint("partition", "seq", name=op.f("pk_dispatch_decision")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_dispatch_decision_partition_work_unit_seq"),
        "dispatch_decision",
        ["partition", "work_unit", "seq"],
    )
    guard("dispatch_decision")
    op.create_table(
        "handled",
        text("partition"),
        text("origin"),
        text("key"),
        text("digest"),
        text("answer"),
        whole("at"),
        sa.PrimaryKeyConstraint("partition", "origin", "key", name=op.f("pk_handled")),
        sqlite_strict=True,
    )
    op.create_table(
        "machine_job",
        text("partition"),
        text("job_order"),
        text("link"),
        text("request"),
        text("work_unit"),
        word(
            "machine_job",
            "state",
            "not_allowed_to_start allowed_to_start running interrupted ended aborted "
            "gone",
            nullable=True,
        ),
        whole("good"),
        whole("scrap"),
        word(
            "machine_job",
            "asked",
            "Store StoreAndStart Update Start RevokeStart Pause Resume Stop Abort "
            "Cancel Clear",
            nullable=True,
        ),
        whole("status"),
        whole("asked_at"),
        flag("machine_job", "is_pending"),
        flag("machine_job", "has_stopped_itself"),
        text("refusal"),
        text("problem"),
        text("sent"),
        whole("at"),
        sa.PrimaryKeyConstraint(
            "partition", "job_order", "link", name=op.f("pk_machine_job")
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_machine_job_partition_request"),
        "machine_job",
        ["partition", "request"],
    )
