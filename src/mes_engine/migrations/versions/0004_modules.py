"""The documents of the modules: orders, revisions, receipts and the ledger."""

import sqlalchemy as sa
from alembic import op

from mes_engine.migrations.columns import flag, guard, is_sqlite, text, whole, word

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "crm_customer",
        text("id"),
        text("name"),
        whole("created_at"),
        text("created_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_customer")),
        sqlite_strict=True,
    )
    op.create_table(
        "crm_makeable",
        text("routing"),
        text("revision"),
        text("material"),
        text("unit"),
        whole("released_seq"),
        sa.PrimaryKeyConstraint("routing", name=op.f("pk_crm_makeable")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_crm_makeable_material"), "crm_makeable", ["material"])
    op.create_table(
        "crm_sales_order",
        text("id"),
        text("customer"),
        word("crm_sales_order", "stage", "draft confirmed cancelled"),
        flag("crm_sales_order", "is_released"),
        whole("created_at"),
        text("created_by"),
        whole("decided_at", nullable=True),
        text("decided_by", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_sales_order")),
        sa.ForeignKeyConstraint(
            ["customer"],
            ["crm_customer.id"],
            name=op.f("fk_crm_sales_order_customer_crm_customer"),
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_crm_sales_order_customer"), "crm_sales_order", ["customer"]
    )
    op.create_table(
        "crm_order_line",
        text("sales_order"),
        whole("line"),
        text("material"),
        whole("quantity"),
        whole("promised_at"),
        whole("priority"),
        whole("attempt"),
        text("work_request"),
        word(
            "crm_order_line",
            "production",
            "planned released in_progress completed closed cancelled",
            nullable=True,
        ),
        whole("finished"),
        sa.CheckConstraint(
            "quantity > 0", name=op.f("ck_crm_order_line_quantity_above_0")
        ),
        sa.PrimaryKeyConstraint("sales_order", "line", name=op.f("pk_crm_order_line")),
        sa.UniqueConstraint(
            "work_request", name=op.f("uq_crm_order_line_work_request")
        ),
        sa.ForeignKeyConstraint(
            ["sales_order"],
            ["crm_sales_order.id"],
            name=op.f("fk_crm_order_line_sales_order_crm_sales_order"),
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "plm_revision",
        text("routing"),
        text("revision"),
        text("body"),
        text("digest"),
        word("plm_revision", "stage", "draft released withdrawn"),
        word("plm_revision", "confirmed", "draft released withdrawn", nullable=True),
        flag("plm_revision", "is_effective"),
        whole("attempt"),
        whole("imported_at"),
        text("imported_by"),
        whole("released_at", nullable=True),
        text("released_by", nullable=True),
        whole("withdrawn_at", nullable=True),
        text("withdrawn_by", nullable=True),
        sa.PrimaryKeyConstraint("routing", "revision", name=op.f("pk_plm_revision")),
        sqlite_strict=True,
    )
    op.create_table(
        "scm_lot",
        text("lot"),
        text("material"),
        text("unit"),
        text("supplier"),
        text("supplier_lot"),
        text("work_request", nullable=True),
        sa.PrimaryKeyConstraint("lot", name=op.f("pk_scm_lot")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_scm_lot_material"), "scm_lot", ["material"])
    op.create_table(
        "scm_material",
        text("code"),
        text("unit"),
        text("name"),
        whole("created_at"),
        text("created_by"),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_scm_material")),
        sqlite_strict=True,
    )
    op.create_table(
        "scm_supplier",
        text("id"),
        text("name"),
        whole("created_at"),
        text("created_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scm_supplier")),
        sqlite_strict=True,
    )
    op.create_table(
        "scm_receipt",
        text("id"),
        text("supplier"),
        text("material"),
        whole("quantity"),
        text("supplier_lot"),
        text("location", nullable=True),
        whole("received_at"),
        text("received_by"),
        whole("attempt"),
        text("lot", nullable=True),
        sa.CheckConstraint(
            "quantity > 0", name=op.f("ck_scm_receipt_quantity_above_0")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scm_receipt")),
        sa.ForeignKeyConstraint(
            ["material"],
            ["scm_material.code"],
            name=op.f("fk_scm_receipt_material_scm_material"),
        ),
        sa.ForeignKeyConstraint(
            ["supplier"],
            ["scm_supplier.id"],
            name=op.f("fk_scm_receipt_supplier_scm_supplier"),
        ),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_scm_receipt_material"), "scm_receipt", ["material"])
    op.create_index(op.f("ix_scm_receipt_supplier"), "scm_receipt", ["supplier"])
    op.create_table(
        "scm_stock",
        text("lot"),
        text("location"),
        whole("quantity"),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_scm_stock_quantity_above_0")),
        sa.PrimaryKeyConstraint("lot", "location", name=op.f("pk_scm_stock")),
        sa.ForeignKeyConstraint(
            ["lot"], ["scm_lot.lot"], name=op.f("fk_scm_stock_lot_scm_lot")
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "ledger_announced",
        text("key"),
        text("stream"),
        whole("stream_seq"),
        flag("ledger_announced", "is_waived"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ledger_announced")),
        sa.UniqueConstraint(
            "stream", "stream_seq", name=op.f("uq_ledger_announced_stream_stream_seq")
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "ledger_books",
        text("partition"),
        text("closed_until"),
        sa.PrimaryKeyConstraint("partition", name=op.f("pk_ledger_books")),
        sqlite_strict=True,
    )
    op.create_table(
        "ledger_entry",
        whole("number"),
        text("key"),
        text("stream"),
        whole("stream_seq"),
        word("ledger_entry", "kind", "confirm reverse"),
        text("job_order"),
        text("step"),
        text("work_center"),
        text("material"),
        text("unit"),
        whole("good"),
        whole("scrap"),
        whole("setup_s"),
        whole("processing_s"),
        whole("labour_s"),
        whole("repeated"),
        whole("pass_number"),
        flag("ledger_entry", "is_final"),
        whole("occurred_at"),
        text("business_date"),
        text("reverses", nullable=True),
        text("content"),
        whole("booked_at"),
        sa.CheckConstraint(
            "(kind = 'reverse') = (reverses IS NOT NULL)",
            name=op.f("ck_ledger_entry_a_reversal_reverses"),
        ),
        sa.CheckConstraint(
            "stream_seq >= 1", name=op.f("ck_ledger_entry_stream_seq_from_1")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_entry_key")),
        sa.UniqueConstraint("reverses", name=op.f("uq_ledger_entry_reverses")),
        sa.UniqueConstraint(
            "stream", "stream_seq", name=op.f("uq_ledger_entry_stream_stream_seq")
        ),
        sa.ForeignKeyConstraint(
            ["reverses"],
            ["ledger_entry.key"],
            name=op.f("fk_ledger_entry_reverses_ledger_entry"),
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_ledger_entry_work_center_business_date"),
        "ledger_entry",
        ["work_center", "business_date"],
    )
    guard("ledger_entry")
    # INSERT OR REPLACE deletes a row without asking the guards.
    if is_sqlite():  # where INSERT OR REPLACE deletes without asking the guard
        op.execute(
            "CREATE TRIGGER ledger_entry_no_replace BEFORE INSERT ON ledger_entry "
            "WHEN EXISTS ( SELECT 1 FROM ledger_entry "
            "WHERE number = NEW.number OR key = NEW.key OR reverses = NEW.reverses "
            "OR (stream = NEW.stream AND stream_seq = NEW.stream_seq) ) "
            "BEGIN SELECT RAISE(ABORT, 'ledger_entry is written once'); END"
        )
