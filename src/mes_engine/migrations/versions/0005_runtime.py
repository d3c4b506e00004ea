"""What the runtime claims and counts: slots of jobs, reconciled production."""

import sqlalchemy as sa
from alembic import op

from mes_engine.migrations.columns import text, whole

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_slot",
        text("partition"),
        text("job"),
        whole("slot_at"),
        whole("claimed_at"),
        whole("ended_at", nullable=True),
        text("failure"),
        sa.PrimaryKeyConstraint(
            "partition", "job", "slot_at", name=op.f("pk_job_slot")
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "reconciliation",
        text("partition"),
        whole("at"),
        whole("streams"),
        whole("waiting"),
        whole("parked"),
        text("differences"),
        sa.PrimaryKeyConstraint("partition", "at", name=op.f("pk_reconciliation")),
        sqlite_strict=True,
    )
