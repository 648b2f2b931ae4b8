"""The first tables."""

import sqlalchemy as sa
from alembic import op
from service_runtime.migrations import create_runtime_tables, drop_runtime_tables
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_runtime_tables()
    op.create_table(
        "batches",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("teacher_id", sa.Text(), nullable=False),
        sa.Column("course_code", sa.String(60), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=True),
        sa.Column("assignment", sa.Text(), nullable=True),
        sa.Column("expected_essay_count", sa.Integer(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(60), nullable=False),
        sa.Column("deferred", postgresql.JSONB(), nullable=False),
        sa.Column("essays", postgresql.JSONB(), nullable=False),
        sa.Column("students", postgresql.JSONB(), nullable=False),
        sa.Column("history", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_batches")),
    )
    op.create_index(op.f("ix_batches_status_batch_id"), "batches", ["status", "batch_id"], unique=False)
    op.create_index(op.f("ix_batches_teacher_id_batch_id"), "batches", ["teacher_id", "batch_id"], unique=False)
    op.create_table(
        "known_classes",
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("teacher_id", sa.Text(), nullable=False),
        sa.Column("roster_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("class_id", name=op.f("pk_known_classes")),
    )


def downgrade() -> None:
    op.drop_table("known_classes")
    op.drop_index(op.f("ix_batches_teacher_id_batch_id"), table_name="batches")
    op.drop_index(op.f("ix_batches_status_batch_id"), table_name="batches")
    op.drop_table("batches")
    drop_runtime_tables()
